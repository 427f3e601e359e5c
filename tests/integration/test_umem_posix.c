/* umem and what POSIX gives it: descriptors that do not wait, files of the system's, links and rights, signals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_daemon.h"
#include "umem_fixture.h"

extern char **environ;

enum { READ_END, WRITE_END, ENDS };

static void set_non_blocking(int file)
{
    assert_int_equal(fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK), 0);
}

/* Starts umem with these standard files; -1: the test's own. */
static pid_t start(const struct daemon *daemon, const int files[3], const char *const *words)
{
    const char *args[16] = {UMEM, "--pipe", daemon->pipe};
    posix_spawn_file_actions_t actions;
    size_t count = 3;
    pid_t child;

    while (*words != NULL)
        args[count++] = *words++;
    assert_true(count < sizeof args / sizeof *args);
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++) {
        if (files[i] >= 0)
            posix_spawn_file_actions_adddup2(&actions, files[i], i);
    }
    assert_int_equal(posix_spawn(&child, UMEM, &actions, NULL, (char **)(uintptr_t)args, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* Its exit status, or 128 and the signal that has ended it. */
static int end_of(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void make_pipe(int ends[ENDS])
{
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[READ_END], F_SETFD, FD_CLOEXEC);
    fcntl(ends[WRITE_END], F_SETFD, FD_CLOEXEC);
}

/* Reads to the end: how many bytes there were; the first ones in `text`. */
static size_t drain(int file, char *text, size_t capacity)
{
    static char bytes[1 << 16];
    size_t total = 0;
    ssize_t size;

    while ((size = read(file, bytes, sizeof bytes)) > 0) {
        if (total < capacity - 1)
            memcpy(text + total, bytes,
                   (size_t)size < capacity - 1 - total ? (size_t)size : capacity - 1 - total);
        total += (size_t)size;
    }
    text[total < capacity ? total : capacity - 1] = '\0';
    return total;
}

static struct umem_server_stats stats_of(umem_client *client)
{
    struct umem_server_stats stats;

    assert_int_equal(umem_server_stats(client, &stats), UMEM_OK);
    return stats;
}

/* ---- descriptors that do not wait ---- */

/* A pipe that is full when umem begins to write. */
static void make_full_pipe(int ends[ENDS], size_t *size)
{
    static const char byte = '.';

    make_pipe(ends);
    set_non_blocking(ends[WRITE_END]);
    *size = 0;
    while (write(ends[WRITE_END], &byte, 1) == 1)
        ++*size;
}

static void expect_all(const struct daemon *daemon, int which, const char *const *words, size_t wanted,
                       const char *end, int status)
{
    static char text[1 << 18];
    int files[3] = {-1, -1, -1};
    int ends[ENDS];
    size_t filling;
    pid_t child;

    make_full_pipe(ends, &filling);
    files[which] = ends[WRITE_END];
    child = start(daemon, files, words);
    close(ends[WRITE_END]);
    if (wanted != 0)
        assert_int_equal(drain(ends[READ_END], text, sizeof text), filling + wanted);
    else
        drain(ends[READ_END], text, sizeof text);
    close(ends[READ_END]);
    assert_int_equal(end_of(child), status);
    if (end != NULL)
        assert_non_null(strstr(text + filling, end));
}

static void test_output_waits(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "3M", "--name", "b")), 0);
    expect_all(*state, 1, WORDS("read", "b"), 3 << 20, NULL, 0);
    expect_all(*state, 1, WORDS("help"), 0, "Exit status:", 0);
    expect_all(*state, 1, WORDS("dump", "b", "--size", "16"), 0, "00000010\n", 0);
    expect_all(*state, 1, WORDS("read", "b", "--file", "-"), 3 << 20, NULL, 0);
    expect_all(*state, 1, WORDS("read", "b", "--size", "100K", "--hex"), 2 * 100 * 1024 + 1, NULL, 0);
    expect_all(*state, 1, WORDS("call", "server.info"), 0, "\"limits\"", 0);
    expect_all(*state, 2, WORDS("info", "nobody"), 0, "unknown_handle", 1);
    expect_all(*state, 2, WORDS("info", "nobody", "--json"), 0, "\"status\":1}", 1);
}

/* What comes in two parts, before and after umem has looked. */
static void expect_input(struct daemon *daemon, umem_client *client, uint64_t own_requests, const char *first,
                         const char *second, const char *const *words)
{
    int files[3] = {-1, -1, -1};
    uint64_t requests = stats_of(client).requests;
    int ends[ENDS];
    pid_t child;

    make_pipe(ends);
    set_non_blocking(ends[READ_END]);
    files[0] = ends[READ_END];
    child = start(daemon, files, words);
    close(ends[READ_END]);
    for (uint64_t asked = 1; stats_of(client).requests < requests + asked + own_requests; asked++)
        continue;
    assert_int_equal(write(ends[WRITE_END], first, strlen(first)), strlen(first));
    stats_of(client);
    assert_int_equal(write(ends[WRITE_END], second, strlen(second)), strlen(second));
    close(ends[WRITE_END]);
    assert_int_equal(end_of(child), 0);
}

static void test_input_waits(void **state)
{
    umem_client *client = daemon_connect(*state);

    assert_int_equal(umem(*state, NULL, WORDS("alloc", "16", "--name", "b")), 0);
    expect_input(*state, client, 1, "first ", "second", WORDS("write", "b"));
    assert_int_equal(umem(*state, NULL, WORDS("read", "b", "--size", "12")), 0);
    expect_whole_output("first second");
    expect_input(*state, client, 1, "to ", "block", WORDS("alloc", "--file", "-", "--name", "c"));
    assert_int_equal(umem(*state, NULL, WORDS("read", "c")), 0);
    expect_whole_output("to block");
    expect_input(*state, client, 0, "{\"size\":1,", "\"name\":\"d\"}", WORDS("call", "block.alloc", "-"));
    assert_int_equal(umem(*state, NULL, WORDS("info", "d")), 0);
    umem_client_free(client);
}

/* ---- files ---- */

/* A folder of the test's own. */
static void make_folder(char *folder, size_t capacity)
{
    size_t size = capacity - 16;

    assert_int_equal(uv_os_tmpdir(folder, &size), 0);
    strcat(folder, "/umem-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
}

static void remove_folder(const char *folder)
{
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void expect_text(const char *path, const char *text)
{
    char found[64] = "";
    int file = open(path, O_RDONLY);

    assert_true(file >= 0);
    drain(file, found, sizeof found);
    close(file);
    assert_string_equal(found, text);
}

/* The system reports 0 bytes for files that it generates while they are read. */
static void test_files_of_unknown_size(void **state)
{
    static char text[4096];
    int file = open("/proc/version", O_RDONLY);
    char member[32];

    if (file < 0)
        return;
    snprintf(member, sizeof member, "\"size\":%zu", drain(file, text, sizeof text));
    close(file);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "--file", "/proc/version", "--name", "v", "--json")),
                     0);
    expect_output(member);
    assert_int_equal(umem(*state, NULL, WORDS("read", "v")), 0);
    expect_whole_output(text);
    assert_int_equal(umem(*state, NULL, WORDS("fill", "v")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("write", "v", "--file", "/proc/version")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "v")), 0);
    expect_whole_output(text);
}

static void test_what_a_file_is_stays(void **state)
{
    char folder[256];
    struct stat facts;
    struct stat other;

    make_folder(folder, sizeof folder);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "3", "--name", "b")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("write", "b", "new")), 0);
    put_file("file", "old bytes");
    assert_int_equal(chmod("file", 0640), 0);
    assert_int_equal(symlink("file", "link"), 0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "b", "--file", "link")), 0);
    expect_text("file", "new");
    assert_int_equal(lstat("link", &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(stat("file", &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0640);
    /* Another name of the same file sees the new bytes. */
    put_file("file", "old bytes");
    assert_int_equal(link("file", "other"), 0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "b", "--file", "file")), 0);
    expect_text("other", "new");
    assert_int_equal(stat("file", &facts), 0);
    assert_int_equal(stat("other", &other), 0);
    assert_int_equal(facts.st_ino, other.st_ino);
    /* A link that leads nowhere yet. */
    assert_int_equal(symlink("made", "ahead"), 0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "b", "--file", "ahead")), 0);
    expect_text("made", "new");
    /* Standard output by its name is standard output, whatever it is. */
    assert_int_equal(umem(*state, NULL, WORDS("read", "b", "--file", "/dev/stdout")), 0);
    expect_whole_output("new");
    assert_int_equal(umem(*state, NULL, WORDS("read", "b", "--file", "/dev/null")), 0);
    expect_whole_output("");
    assert_int_equal(unlink("file") | unlink("other") | unlink("link") | unlink("ahead") | unlink("made"), 0);
    remove_folder(folder);
}

/* Interrupts a read that waits for its bytes. */
static void interrupt_read(int signal_number)
{
    /* The second one is never answered. */
    static const struct fake_step steps[] = {
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"block\":7,\"size\":9}}\n"}, {.text = NULL}};
    static const int files[3] = {-1, -1, -1};
    struct fake_daemon fake;
    struct daemon daemon;
    char temporary[64];
    pid_t child;

    fake_daemon_start(&fake, steps, sizeof steps / sizeof *steps);
    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", fake.pipe);
    child = start(&daemon, files, WORDS("read", "7", "--file", "file"));
    snprintf(temporary, sizeof temporary, "file.umem-%lx-0", (unsigned long)child);
    while (access(temporary, F_OK) != 0)
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    kill(child, signal_number);
    assert_int_equal(end_of(child), 128 + signal_number);
    expect_text("file", "old");
    assert_int_equal(access(temporary, F_OK), -1);
    fake_daemon_stop(&fake);
}

/* An interrupted program leaves the file as it was, and nothing beside it. */
static void test_a_read_that_is_interrupted(void **state)
{
    char folder[256];

    (void)state;
    make_folder(folder, sizeof folder);
    put_file("file", "old");
    interrupt_read(SIGINT);
    interrupt_read(SIGTERM);
    interrupt_read(SIGHUP);
    assert_int_equal(unlink("file"), 0);
    remove_folder(folder);
}

/* ---- signals while a command runs ---- */

/* Reads a line that the command prints. */
static void expect_line(int file, const char *wanted)
{
    char line[256] = "";
    size_t size = 0;

    while (size < sizeof line - 1 && read(file, line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    if (strstr(line, wanted) == NULL)
        print_error("\"%s\" is not in \"%s\"\n", wanted, line);
    assert_non_null(strstr(line, wanted));
}

/* The signal is passed to the command, which then checks whether the heap is still locked; its own status is
 * returned. */
static void pass_on(const struct daemon *daemon, umem_client *client, int signal_number, const char *name)
{
    char script[512];
    int files[3] = {-1, -1, -1};
    int ends[ENDS];
    pid_t child;

    snprintf(script, sizeof script,
             "trap 'echo got %s; " UMEM " call heap.lock [\\\"h\\\"] 2>&1; kill $p; exit 7' %s; "
             "sleep 1000 & p=$!; echo ready; wait",
             name, name);
    make_pipe(ends);
    files[1] = ends[WRITE_END];
    child = start(daemon, files, WORDS("lock", "h", "--", "/bin/sh", "-c", script));
    close(ends[WRITE_END]);
    expect_line(ends[READ_END], "ready");
    kill(child, signal_number);
    expect_line(ends[READ_END], "got ");
    expect_line(ends[READ_END], "locked");
    assert_int_equal(end_of(child), 7);
    close(ends[READ_END]);
    assert_int_equal(umem_call(client, "heap.lock", "[\"h\",5000]", NULL), UMEM_OK);
    assert_int_equal(umem_call(client, "heap.unlock", "[\"h\"]", NULL), UMEM_OK);
}

static void test_signals_are_passed_on(void **state)
{
    umem_client *client = daemon_connect(*state);
    int files[3] = {-1, -1, -1};
    int ends[ENDS];
    pid_t child;

    assert_int_equal(umem(*state, NULL, WORDS("heap", "create", "--name", "h")), 0);
    pass_on(*state, client, SIGTERM, "TERM");
    pass_on(*state, client, SIGHUP, "HUP");
    pass_on(*state, client, SIGINT, "INT");
    pass_on(*state, client, SIGQUIT, "QUIT");
    pass_on(*state, client, SIGUSR1, "USR1");
    pass_on(*state, client, SIGUSR2, "USR2");
    /* A command that does not care is ended, and that is its status. */
    make_pipe(ends);
    files[1] = ends[WRITE_END];
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1", "--name", "b")), 0);
    child = start(*state, files, WORDS("hold", "b", "--", "/bin/sh", "-c", "echo ready; exec sleep 1000"));
    close(ends[WRITE_END]);
    expect_line(ends[READ_END], "ready");
    kill(child, SIGTERM);
    assert_int_equal(end_of(child), 128 + SIGTERM);
    close(ends[READ_END]);
    umem_client_free(client);
}

/* nohup's work is not undone: what is ignored stays so, for umem and for the command. */
static void test_signals_that_are_ignored(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    int files[3] = {-1, -1, -1};
    int in[ENDS];
    int out[ENDS];
    pid_t child;

    assert_int_equal(umem(*state, NULL, WORDS("heap", "create", "--name", "h")), 0);
    make_pipe(in);
    make_pipe(out);
    files[0] = in[READ_END];
    files[1] = out[WRITE_END];
    sigaction(SIGHUP, &ignore, &before);
    child = start(*state, files,
                  WORDS("lock", "h", "--", "/bin/sh", "-c", "kill -HUP $$; echo ready; read x; exit 3"));
    sigaction(SIGHUP, &before, NULL);
    close(out[WRITE_END]);
    close(in[READ_END]);
    expect_line(out[READ_END], "ready");
    kill(child, SIGHUP);
    close(in[WRITE_END]);
    assert_int_equal(end_of(child), 3);
    close(out[READ_END]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_output_waits, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_input_waits, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_files_of_unknown_size, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_what_a_file_is_stays, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_a_read_that_is_interrupted),
        cmocka_unit_test_setup_teardown(test_signals_are_passed_on, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_signals_that_are_ignored, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
