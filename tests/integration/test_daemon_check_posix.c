/* umemd --check on POSIX systems: its output for correct rights, and for each wrong one; and the rights that the
 * process has dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_fixture.h"

static struct process process;

static void expect(const char *pipe, int status, const char *text)
{
    const char *const args[] = {UMEMD, "--check", "--pipe", pipe, NULL};
    int found = process_run(&process, args, NULL);

    if (found != status || strstr(process.output, text) == NULL)
        print_error("expected %d and \"%s\", not %d and:\n%s%s", status, text, found, process.output,
                    process.errors);
    assert_int_equal(found, status);
    assert_non_null(strstr(process.output, text));
}

/* The directory of a pipe of the tests'. */
static void directory_of(const char *pipe, char *directory, size_t capacity)
{
    snprintf(directory, capacity, "%s", pipe);
    *strrchr(directory, '/') = '\0';
}

static void without_a_daemon(void **state)
{
    char pipe[128];
    char directory[128];
    char inside[256];

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    directory_of(pipe, directory, sizeof directory);
    expect(pipe, 0, "No errors.");
    assert_non_null(strstr(process.output, "not there; a daemon makes it"));
    assert_int_equal(access(pipe, F_OK), -1);

    /* A directory that others may write to belongs to others, too. */
    assert_int_equal(chmod(directory, 0702), 0);
    expect(pipe, 1, "chmod go-w");
    assert_int_equal(chmod(directory, 0720), 0);
    expect(pipe, 1, "chmod go-w");
    assert_int_equal(chmod(directory, 0777), 0);
    expect(pipe, 1, "chmod go-w");
    snprintf(inside, sizeof inside, "%s/inner", directory);
    assert_int_equal(mkdir(inside, 0700), 0);
    snprintf(inside, sizeof inside, "%s/inner/pipe", directory);
    expect(inside, 1, "chmod go-w");
    assert_int_equal(chmod(directory, 01777), 0);
    expect(inside, 0, "No errors.");
    snprintf(inside, sizeof inside, "%s/inner", directory);
    assert_int_equal(rmdir(inside), 0);
    snprintf(inside, sizeof inside, "%s/inner/pipe", directory);
    expect(inside, 1, "make the directory");

    assert_int_equal(symlink("/dev/null", pipe), 0);
    expect(pipe, 1, "symbolic link");
    unlink(pipe);
    fclose(fopen(pipe, "w"));
    expect(pipe, 1, "is no socket");
    pipe_name_remove(pipe);
}

/* The directory that a daemon makes itself is judged as its start judges it. */
static void a_directory_of_the_daemons_own(void **state)
{
    char pipe[128];
    char directory[128];
    char own[300];
    char inside[400];
    const char *args[] = {UMEMD, "--pipe", inside, NULL};

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    directory_of(pipe, directory, sizeof directory);
    snprintf(own, sizeof own, "%s/umemd-%lu", directory, (unsigned long)geteuid());
    snprintf(inside, sizeof inside, "%s/pipe", own);
    expect(inside, 0, "a daemon makes it");
    assert_int_equal(mkdir(own, 0750), 0);
    assert_int_equal(chmod(own, 0750), 0);
    expect(inside, 1, "open to other users");
    assert_int_equal(process_run(&process, args, NULL), 1);
    assert_non_null(strstr(process.errors, "open to other users"));
    assert_int_equal(rmdir(own), 0);
    assert_int_equal(symlink(directory, own), 0);
    expect(inside, 1, "link");
    assert_int_equal(unlink(own), 0);
    pipe_name_remove(pipe);
}

static void of_a_daemon(void **state)
{
    struct daemon *daemon = *state;
    char text[64];
    char lock[160];

    snprintf(text, sizeof text, "process %ld", (long)daemon->process.child.pid);
    expect(daemon->pipe, 0, text);
    assert_int_equal(chmod(daemon->pipe, 0666), 0);
    expect(daemon->pipe, 1, "chmod 600");
    assert_int_equal(chmod(daemon->pipe, 0600), 0);
    snprintf(lock, sizeof lock, "%s.lock", daemon->pipe);
    assert_int_equal(chmod(lock, 0644), 0);
    expect(daemon->pipe, 1, "hold the lock");
    assert_int_equal(chmod(lock, 0600), 0);
    if (geteuid() == 0) { /* only root can give a file away */
        assert_int_equal(chown(daemon->pipe, 1, 1), 0);
        expect(daemon->pipe, 1, "belongs to user");
        assert_int_equal(chown(daemon->pipe, 0, 0), 0);
    }
    expect(daemon->pipe, 0, "No errors.");
}

static void expect_for_group(const char *pipe, const char *group, int status, const char *text)
{
    const char *const args[] = {UMEMD, "--check", "--allow-group", group, "--pipe", pipe, NULL};
    int found = process_run(&process, args, NULL);

    if (found != status || strstr(process.output, text) == NULL)
        print_error("expected %d and \"%s\", not %d and:\n%s%s", status, text, found, process.output,
                    process.errors);
    assert_int_equal(found, status);
    assert_non_null(strstr(process.output, text));
}

/* The user's own main group, which any user may give files to. */
static void for_a_group(void **state)
{
    struct daemon *daemon = *state;
    char directory[128];
    char group[32];

    snprintf(group, sizeof group, "%lu", (unsigned long)getegid());
    directory_of(daemon->pipe, directory, sizeof directory);
    assert_int_equal(chown(directory, (uid_t)-1, getegid()), 0);
    assert_int_equal(chmod(directory, 0700), 0);
    expect_for_group(daemon->pipe, group, 1, "keeps the members of the group");
    assert_non_null(strstr(process.output, "chmod 710"));
    assert_int_equal(chmod(directory, 0710), 0);
    expect_for_group(daemon->pipe, group, 1, "restart the daemon with --allow-group");
    assert_non_null(strstr(process.output, "its members read, change and free all blocks"));
    assert_int_equal(chown(daemon->pipe, (uid_t)-1, getegid()), 0);
    assert_int_equal(chmod(daemon->pipe, 0660), 0);
    expect_for_group(daemon->pipe, group, 0, "No errors.");
    expect(daemon->pipe, 1, "chmod 600");
    assert_int_equal(chmod(daemon->pipe, 0666), 0);
    expect_for_group(daemon->pipe, group, 1, "lets other users connect");
    assert_int_equal(chmod(daemon->pipe, 0600), 0);
    assert_int_equal(chmod(directory, 0700), 0);
}

/* A daemon of this user's with its own group: the socket, and what is refused. */
static void a_daemon_for_a_group(void **state)
{
    struct daemon daemon = {.pipe = ""};
    char group[32];
    const char *args[] = {UMEMD, "--pipe", daemon.pipe, "--allow-group", group, NULL};
    struct stat facts;

    (void)state;
    snprintf(group, sizeof group, "%lu", (unsigned long)getegid());
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(process_start(&daemon.process, args, NULL), 0);
    assert_true(process_wait_for(&daemon.process, "listening on"));
    /* The directory is this user's alone. */
    assert_non_null(strstr(daemon.process.errors, "keeps the members of the group"));
    assert_int_equal(lstat(daemon.pipe, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0660);
    assert_int_equal(facts.st_gid, getegid());
    assert_int_equal(daemon_shutdown(&daemon), 0);
    snprintf(group, sizeof group, "no such group");
    assert_int_equal(process_run(&process, args, NULL), 2);
    assert_non_null(strstr(process.errors, "there is no group no such group"));
    args[3] = "--allow-sid";
    assert_int_equal(process_run(&process, args, NULL), 2);
    assert_non_null(strstr(process.errors, "--allow-group"));
    assert_int_not_equal(access(daemon.pipe, F_OK), 0);
    pipe_name_remove(daemon.pipe);
}

/* A daemon that starts reports the same as --check. */
static void a_start_warns(void **state)
{
    struct daemon daemon = {.pipe = ""};
    char directory[128];

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    directory_of(daemon.pipe, directory, sizeof directory);
    assert_int_equal(chmod(directory, 0777), 0);
    daemon_start(&daemon);
    assert_non_null(strstr(daemon.process.errors, "warning "));
    assert_non_null(strstr(daemon.process.errors, "chmod go-w"));
    assert_int_equal(daemon_shutdown(&daemon), 0);
    pipe_name_remove(daemon.pipe);
}

#ifdef __linux__

/* A file of the daemon's under /proc. */
static void read_of(const struct daemon *daemon, const char *file, char *text, size_t capacity)
{
    char path[64];
    FILE *opened;

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)daemon->process.child.pid, file);
    opened = fopen(path, "r");
    assert_non_null(opened);
    text[fread(text, 1, capacity - 1, opened)] = '\0';
    fclose(opened);
}

static void what_the_process_gives_up(void **state)
{
    char text[4096];

    read_of(*state, "status", text, sizeof text);
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    read_of(*state, "limits", text, sizeof text);
    assert_non_null(strstr(text, "Max core file size        0                    0 "));
    read_of(*state, "coredump_filter", text, sizeof text);
    assert_string_equal(text, "00000000\n");
}

static void core_dumps_by_option(void **state)
{
    struct daemon daemon = {.pipe = ""};
    const char *args[] = {UMEMD, "--core-dumps", "--pipe", daemon.pipe, NULL};
    char text[64];

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(process_start(&daemon.process, args, NULL), 0);
    assert_true(process_wait_for(&daemon.process, "listening on"));
    read_of(&daemon, "coredump_filter", text, sizeof text);
    assert_string_not_equal(text, "00000000\n");
    assert_int_equal(daemon_shutdown(&daemon), 0);
    pipe_name_remove(daemon.pipe);
}

#else

static void what_the_process_gives_up(void **state)
{
    (void)state;
    skip();
}

static void core_dumps_by_option(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_daemon),
        cmocka_unit_test(a_directory_of_the_daemons_own),
        cmocka_unit_test_setup_teardown(of_a_daemon, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(for_a_group, daemon_setup, daemon_teardown),
        cmocka_unit_test(a_daemon_for_a_group),
        cmocka_unit_test(a_start_warns),
        cmocka_unit_test_setup_teardown(what_the_process_gives_up, daemon_setup, daemon_teardown),
        cmocka_unit_test(core_dumps_by_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
