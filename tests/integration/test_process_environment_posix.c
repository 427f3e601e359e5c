/* umemd and umem as processes of a POSIX system: what they are started with, and what the system does to them meanwhile. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#include "base/encoding.h"
#include "daemon_fixture.h"

enum { ARGS_MAXIMUM = 16 };

static struct process process;

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Runs a script of sh; $0 and on are `words`. */
static int sh(const char *script, const char *const *words)
{
    const char *args[ARGS_MAXIMUM] = {"/bin/sh", "-c", script};
    int count = 3;

    while (*words != NULL) {
        assert_true(count < ARGS_MAXIMUM - 1);
        args[count++] = *words++;
    }
    return process_run(&process, args, NULL);
}

/* ---- too few descriptors ---- */

static void umemd_with_too_few_descriptors(void **state)
{
    static const struct {
        const char *script;
        const char *says;
    } cases[] = {
        {"ulimit -n 8; exec \"$0\" --pipe \"$1\"", "no event loop can be made: too many open files"},
        {"ulimit -n 24; exec \"$0\" --pipe \"$1\"", "raise the limit of open files (ulimit -Hn)"},
        {"ulimit -n 64; exec \"$0\" --pipe \"$1\"", "raise the limit of open files (ulimit -Hn)"},
    };
    char pipe[128];

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sh(cases[i].script, WORDS(UMEMD, pipe)), 1);
        assert_non_null(strstr(process.errors, cases[i].says));
        assert_int_not_equal(access(pipe, F_OK), 0);
    }
    pipe_name_remove(pipe);
}

/* ---- standard files that are closed ---- */

/* Every way to leave some of them closed, as a shell writes it. */
static const char *const closed[] = {"<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"};

enum { CLOSED_COUNT = sizeof closed / sizeof closed[0], TRIES = 30000 };

static bool closes(const char *redirections, const char *one)
{
    const char *found = strstr(redirections, one);

    return found != NULL && (found == redirections || found[-1] == ' ');
}

static void umem_without_standard_files(void **state)
{
    struct daemon *daemon = *state;
    umem_client *client = daemon_connect(daemon);
    static const char bytes[] = "{\"id\":1,\"method\":\"server.shutdown\"}\n";
    umem_handle block = 0;
    char back[sizeof bytes] = "";
    char script[256];

    assert_int_equal(
        umem_block_alloc(client, sizeof bytes, &(struct umem_block_options){.name = "b"}, &block), UMEM_OK);
    assert_int_equal(umem_block_write(client, block, 0, bytes, sizeof bytes), UMEM_OK);
    for (int i = 0; i < CLOSED_COUNT; i++) {
        /* What it prints would be run as a request. */
        snprintf(script, sizeof script, "exec \"$0\" --pipe \"$1\" read b %s", closed[i]);
        assert_int_equal(sh(script, WORDS(UMEM, daemon->pipe)), closes(closed[i], ">&-") ? 6 : 0);
        if (closes(closed[i], ">&-") && !closes(closed[i], "2>&-"))
            assert_non_null(strstr(process.errors, "umem: standard output cannot be written"));
        /* What it reads would be the daemon's answers. */
        snprintf(script, sizeof script, "exec \"$0\" --pipe \"$1\" write b %s", closed[i]);
        assert_int_equal(sh(script, WORDS(UMEM, daemon->pipe)), closes(closed[i], "<&-") ? 6 : 0);
        if (closes(closed[i], "<&-") && !closes(closed[i], "2>&-"))
            assert_non_null(strstr(process.errors, "umem: standard input cannot be read"));
        /* What needs neither is done. */
        snprintf(script, sizeof script, "exec \"$0\" --pipe \"$1\" fill b 7 --size 0 %s", closed[i]);
        assert_int_equal(sh(script, WORDS(UMEM, daemon->pipe)), 0);
        assert_int_equal(umem_block_read(client, block, 0, back, sizeof back), UMEM_OK);
        assert_memory_equal(back, bytes, sizeof bytes);
    }
    umem_client_free(client);
}

/* For a daemon that cannot report that it listens. */
static umem_client *connect_when_it_listens(const struct daemon *daemon)
{
    struct umem_options options = {.pipe = daemon->pipe};
    umem_client *client = umem_client_new(&options);

    for (int tries = 0; tries < TRIES && umem_connect(client) != UMEM_OK; tries++)
        usleep(1000);
    assert_true(umem_is_connected(client));
    return client;
}

static void umemd_without_standard_files(void **state)
{
    static struct daemon daemon;
    char script[256];
    const char *const args[] = {"/bin/sh", "-c", script, UMEMD, "--pipe", daemon.pipe, NULL};

    (void)state;
    for (int i = 0; i < CLOSED_COUNT; i++) {
        pipe_name_make(daemon.pipe, sizeof daemon.pipe);
        snprintf(script, sizeof script, "exec \"$0\" \"$@\" --daemon %s", closed[i]);
        assert_int_equal(process_run(&process, args, NULL), 0);
        umem_client_free(daemon_connect(&daemon));
        /* The name is free again when it has ended. */
        assert_int_equal(sh("\"$0\" --pipe \"$1\" shutdown", WORDS(UMEM, daemon.pipe)), 0);
        while (access(daemon.pipe, F_OK) == 0)
            usleep(1000);
        /* In the foreground, where its end is seen. */
        snprintf(script, sizeof script, "exec \"$0\" \"$@\" %s", closed[i]);
        assert_int_equal(process_start(&daemon.process, args, NULL), 0);
        umem_client_free(connect_when_it_listens(&daemon));
        assert_int_equal(daemon_shutdown(&daemon), 0);
        pipe_name_remove(daemon.pipe);
    }
}

/* A program that uses the library may have closed them, too. */
static void the_library_takes_no_standard_descriptor(void **state)
{
    const struct daemon *daemon = *state;
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct umem_options options = {.pipe = daemon->pipe};
        umem_client *client = umem_client_new(&options);

        for (int fd = 0; fd <= 2; fd++)
            close(fd);
        if (umem_connect(client) != UMEM_OK)
            _exit(10);
        for (int fd = 0; fd <= 2; fd++) {
            if (fcntl(fd, F_GETFD) != -1)
                _exit(1 + fd);
        }
        _exit(umem_server_ping(client) == UMEM_OK ? 0 : 11);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- the pipe's path ---- */

/* Bytes that are no UTF-8 become U+FFFD wherever the path leaves as JSON. */
static void a_path_that_is_not_utf8(void **state)
{
    static struct daemon daemon;
    static const char replaced[] = "/p\xef\xbf\xbdpe\"";
    char plain[128];
    size_t size;

    (void)state;
    pipe_name_make(plain, sizeof plain);
    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", plain);
    strrchr(daemon.pipe, '/')[2] = '\xe9';
    assert_int_equal(sh("exec \"$0\" --json --pipe \"$1\" ping", WORDS(UMEM, daemon.pipe)), 3);
    size = strlen(process.errors);
    assert_int_equal(um_utf8_check(process.errors, size), size);
    assert_non_null(strstr(process.errors, replaced));
    assert_int_equal(sh("exec \"$0\" --json --pipe \"$1\" endpoint", WORDS(UMEM, daemon.pipe)), 0);
    assert_non_null(strstr(process.output, replaced));
    assert_int_equal(sh("exec \"$0\" --json --pipe \"$1\" frobnicate", WORDS(UMEM, daemon.pipe)), 2);
    assert_int_equal(sh("exec \"$0\" --json \"$1\"", WORDS(UMEM, daemon.pipe)), 2);
    size = strlen(process.errors);
    assert_int_equal(um_utf8_check(process.errors, size), size);
    daemon_start(&daemon);
    assert_int_equal(sh("exec \"$0\" --json --pipe \"$1\" call server.info", WORDS(UMEM, daemon.pipe)), 0);
    assert_non_null(strstr(process.output, replaced));
    assert_int_equal(sh("exec \"$0\" --json --pipe \"$1\" alloc --file \"$1\"", WORDS(UMEM, daemon.pipe)), 6);
    size = strlen(process.errors);
    assert_int_equal(um_utf8_check(process.errors, size), size);
    assert_non_null(strstr(process.errors, "/p\xef\xbf\xbdpe cannot be opened"));
    assert_int_equal(daemon_shutdown(&daemon), 0);
    pipe_name_remove(plain);
}

/* A relative path is made absolute, so that it means the same in every process. */
static void a_relative_path(void **state)
{
    char pipe[128];

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    assert_int_equal(sh("cd \"${2%/*}\" && \"$0\" --daemon --pipe ./pipe && exec \"$1\" --pipe pipe endpoint",
                        WORDS(UMEMD, UMEM, pipe)),
                     0);
    assert_int_equal(strncmp(process.output, pipe, strlen(pipe)), 0);
    assert_int_equal(sh("exec \"$1\" --pipe \"$2\" info", WORDS(UMEMD, UMEM, pipe)), 0);
    assert_non_null(strstr(process.output, pipe));
    assert_int_equal(
        sh("cd \"${2%/*}\" && UMEM_PIPE=pipe \"$1\" lock process -- sh -c 'cd / && echo \"$UMEM_PIPE\"'",
           WORDS(UMEMD, UMEM, pipe)),
        0);
    assert_int_equal(strncmp(process.output, pipe, strlen(pipe)), 0);
    assert_int_equal(sh("exec \"$1\" --pipe \"$2\" shutdown", WORDS(UMEMD, UMEM, pipe)), 0);
    while (access(pipe, F_OK) == 0)
        usleep(1000);
    pipe_name_remove(pipe);
}

/* ---- signals ---- */

static pid_t pid_of(const struct daemon *daemon)
{
    return (pid_t)daemon->process.child.pid;
}

static void expect_to_live(const struct daemon *daemon)
{
    umem_client *client = daemon_connect(daemon);

    assert_int_equal(umem_server_ping(client), UMEM_OK);
    umem_client_free(client);
}

static void read_file(const char *path, char *text, size_t capacity)
{
    int fd = open(path, O_RDONLY);
    ssize_t size = fd >= 0 ? read(fd, text, capacity - 1) : 0;

    text[size > 0 ? size : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static void wait_for_text(const char *path, const char *part)
{
    char text[4096];

    for (int tries = 0; tries < TRIES; tries++) {
        read_file(path, text, sizeof text);
        if (strstr(text, part) != NULL)
            return;
        usleep(1000);
    }
    fail_msg("\"%s\" is not in %s: %s", part, path, text);
}

/* A log that was moved away is made anew; the daemon and its memory stay. */
static void signals_reopen_the_log(void **state)
{
    static const int numbers[] = {SIGHUP, SIGUSR1};
    static struct daemon daemon;
    char log[160];
    char moved[170];
    const char *const args[] = {UMEMD, "--pipe", daemon.pipe, "--log-file", log, NULL};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    snprintf(log, sizeof log, "%s.log", daemon.pipe);
    snprintf(moved, sizeof moved, "%s.1", log);
    assert_int_equal(process_start(&daemon.process, args, NULL), 0);
    wait_for_text(log, "listening on");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rename(log, moved), 0);
        assert_int_equal(kill(pid_of(&daemon), numbers[i]), 0);
        wait_for_text(log, "reopened");
        expect_to_live(&daemon);
    }
    assert_int_equal(kill(pid_of(&daemon), SIGUSR2), 0);
    assert_int_equal(kill(pid_of(&daemon), SIGXFSZ), 0);
    assert_int_equal(kill(pid_of(&daemon), SIGTTOU), 0);
    expect_to_live(&daemon);
    assert_int_equal(kill(pid_of(&daemon), SIGQUIT), 0);
    assert_int_equal(process_finish(&daemon.process), 0);
    assert_int_equal(access(daemon.pipe, F_OK), -1);
    wait_for_text(log, "info ended");
    unlink(log);
    unlink(moved);
    pipe_name_remove(daemon.pipe);
}

/* As nohup leaves one, and a shell's background others. */
static void ignored_signals_stay_ignored(void **state)
{
    static struct daemon daemon;
    const char *const args[] = {
        "/bin/sh", "-c", "trap '' HUP INT QUIT; exec \"$0\" \"$@\"", UMEMD, "--pipe", daemon.pipe, NULL};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(process_start(&daemon.process, args, NULL), 0);
    assert_true(process_wait_for(&daemon.process, "listening on"));
    kill(pid_of(&daemon), SIGHUP);
    kill(pid_of(&daemon), SIGINT);
    kill(pid_of(&daemon), SIGQUIT);
    expect_to_live(&daemon);
    kill(pid_of(&daemon), SIGTERM);
    assert_int_equal(process_finish(&daemon.process), 0);
    assert_null(strstr(daemon.process.errors, "signal 1:"));
    assert_null(strstr(daemon.process.errors, "signal 2:"));
    pipe_name_remove(daemon.pipe);
}

/* ---- the log ---- */

/* Standard error is a full pipe without a reader. */
static void a_log_that_is_not_read(void **state)
{
    enum { NUMBER = 9 }; /* a shell's redirection takes one digit */
    static struct daemon daemon;
    const char *const args[] = {"/bin/sh",   "-c", "exec \"$0\" \"$@\" 2>&9", UMEMD, "--pipe",
                                daemon.pipe, NULL};
    static char bytes[4096];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    memset(bytes, '.', sizeof bytes);
    while (write(ends[1], bytes, sizeof bytes) > 0)
        continue;
    fcntl(ends[1], F_SETFL, 0);
    assert_int_equal(dup2(ends[1], NUMBER), NUMBER);
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(process_start(&daemon.process, args, NULL), 0);
    close(NUMBER);
    umem_client_free(connect_when_it_listens(&daemon));
    expect_to_live(&daemon);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    close(ends[0]);
    close(ends[1]);
    pipe_name_remove(daemon.pipe);
}

/* A limit of file sizes is no end: not for umem either, whose command still has the system's own. */
static void a_file_that_may_not_grow(void **state)
{
    const struct daemon *daemon = *state;
    char file[160];

    snprintf(file, sizeof file, "%s.bytes", daemon->pipe);
    assert_int_equal(sh("exec \"$0\" --pipe \"$1\" alloc 4K --name b", WORDS(UMEM, daemon->pipe)), 0);
    assert_int_equal(
        sh("ulimit -f 0; exec \"$0\" --pipe \"$1\" read b --file \"$2\"", WORDS(UMEM, daemon->pipe, file)),
        6);
    assert_non_null(strstr(process.errors, "file too large"));
    assert_int_equal(sh("ulimit -f 0; exec \"$0\" --pipe \"$1\" hold b -- sh -c 'echo text >\"$0\"' \"$2\"",
                        WORDS(UMEM, daemon->pipe, file)),
                     128 + SIGXFSZ);
    unlink(file);
}

/* ---- the pid file ---- */

static void a_pid_file_is_only_written(void **state)
{
    static struct daemon daemon;
    char file[160];
    char victim[170];
    char text[64];
    char expected[64];
    struct stat facts;
    const char *const args[] = {UMEMD, "--pipe", daemon.pipe, "--pid-file", file, NULL};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    snprintf(file, sizeof file, "%s.pid", daemon.pipe);
    snprintf(victim, sizeof victim, "%s.victim", file);
    for (int is_link = 0; is_link < 2; is_link++) {
        FILE *before = fopen(is_link ? victim : file, "w");

        /* The id of a process that lives; and a link that somebody has put there. */
        fprintf(before, "%ld\n", (long)getpid());
        fclose(before);
        if (is_link)
            assert_int_equal(symlink(victim, file), 0);
        assert_int_equal(process_start(&daemon.process, args, NULL), 0);
        assert_true(process_wait_for(&daemon.process, "listening on"));
        assert_int_equal(lstat(file, &facts), 0);
        assert_true(S_ISREG(facts.st_mode));
        read_file(file, text, sizeof text);
        snprintf(expected, sizeof expected, "%ld\n", (long)pid_of(&daemon));
        assert_string_equal(text, expected);
        assert_int_equal(daemon_shutdown(&daemon), 0);
        assert_int_equal(access(file, F_OK), -1);
    }
    read_file(victim, text, sizeof text);
    snprintf(expected, sizeof expected, "%ld\n", (long)getpid());
    assert_string_equal(text, expected);
    unlink(victim);
    pipe_name_remove(daemon.pipe);
}

/* ---- two daemons ---- */

/* The second one takes the path over after its files were deleted. The first one reports that, and does not touch it,
 * to its end. */
static void a_successor_keeps_its_files(void **state)
{
    static struct daemon first;
    static struct daemon second;
    char file[160];
    char lock[160];
    char text[64];
    char expected[128];
    umem_client *client;
    const char *const args[] = {UMEMD, "--pipe", first.pipe, "--pid-file", file, NULL};

    (void)state;
    pipe_name_make(first.pipe, sizeof first.pipe);
    memcpy(second.pipe, first.pipe, sizeof second.pipe);
    snprintf(file, sizeof file, "%s.pid", first.pipe);
    snprintf(lock, sizeof lock, "%s.lock", first.pipe);
    assert_int_equal(process_start(&first.process, args, NULL), 0);
    assert_true(process_wait_for(&first.process, "listening on"));
    client = daemon_connect(&first);
    assert_int_equal(kill(pid_of(&first), SIGSTOP),
                     0); /* it must not make them anew before the other one is there */
    unlink(first.pipe);
    unlink(lock);
    unlink(file);
    assert_int_equal(process_start(&second.process, args, NULL), 0);
    assert_true(process_wait_for(&second.process, "listening on"));
    assert_int_equal(kill(pid_of(&first), SIGCONT), 0);
    assert_int_equal(kill(pid_of(&first), SIGHUP), 0);
    snprintf(expected, sizeof expected, "another daemon, process %ld (umemd), is there now",
             (long)pid_of(&second));
    assert_true(process_wait_for(&first.process, expected));
    assert_int_equal(umem_server_shutdown(client), UMEM_OK);
    umem_client_free(client);
    assert_int_equal(process_finish(&first.process), 0);
    expect_to_live(&second);
    assert_int_equal(access(lock, F_OK), 0);
    read_file(file, text, sizeof text);
    assert_int_equal(atol(text), pid_of(&second));
    assert_int_equal(daemon_shutdown(&second), 0);
    assert_int_equal(access(file, F_OK), -1);
    pipe_name_remove(first.pipe);
}

static void a_deleted_socket_is_made_anew(void **state)
{
    struct daemon *daemon = *state;

    assert_int_equal(unlink(daemon->pipe), 0);
    assert_int_equal(kill(pid_of(daemon), SIGHUP), 0);
    umem_client_free(connect_when_it_listens(daemon));
    /* And without a signal. */
    assert_int_equal(unlink(daemon->pipe), 0);
    umem_client_free(connect_when_it_listens(daemon));
}

static void the_lock_holder_is_named(void **state)
{
    struct daemon *daemon = *state;
    char who[64];

    snprintf(who, sizeof who, "process %ld (umemd)", (long)pid_of(daemon));
    assert_int_equal(sh("exec \"$0\" --check --pipe \"$1\"", WORDS(UMEMD, daemon->pipe)), 0);
    assert_non_null(strstr(process.output, who));
    assert_int_equal(kill(pid_of(daemon), SIGSTOP), 0);
    assert_int_equal(unlink(daemon->pipe), 0);
    assert_int_equal(sh("exec \"$0\" --check --pipe \"$1\"", WORDS(UMEMD, daemon->pipe)), 1);
    assert_non_null(strstr(process.output, who));
    assert_int_equal(sh("exec \"$0\" spawn --timeout 50 --pipe \"$1\"", WORDS(UMEM, daemon->pipe)), 3);
    assert_non_null(strstr(process.errors, who));
    assert_int_equal(kill(pid_of(daemon), SIGCONT), 0);
    assert_int_equal(kill(pid_of(daemon), SIGHUP), 0);
    umem_client_free(connect_when_it_listens(daemon));
}

/* ---- in the background ---- */

static void stop_daemon(const char *pipe)
{
    assert_int_equal(sh("exec \"$0\" --pipe \"$1\" shutdown", WORDS(UMEM, pipe)), 0);
    while (access(pipe, F_OK) == 0)
        usleep(1000);
}

/* The pipe that the shell reads to its end has to end, although the daemon still runs; otherwise the shell waits for
 * ever. */
static void a_daemon_keeps_nothing_open(void **state)
{
    char pipe[128];

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    assert_int_equal(sh("x=$(\"$0\" spawn --pipe \"$1\" 5>&1) && [ \"$x\" = \"$1\" ]", WORDS(UMEM, pipe)), 0);
    stop_daemon(pipe);
    assert_int_equal(
        sh("x=$(\"$0\" --daemon --pipe \"$1\" 3>&1 4>&1 8>&1) && [ -z \"$x\" ]", WORDS(UMEMD, pipe)), 0);
    stop_daemon(pipe);
    pipe_name_remove(pipe);
}

/* Its files are where the starter meant them, and the directory is free again. */
static void a_daemon_leaves_its_directory(void **state)
{
    char pipe[128];
    char path[160];
    char text[4096];
    struct stat facts;
    long pid;

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    assert_int_equal(
        sh("cd \"${1%/*}\" && umask 0 && exec \"$0\" --daemon --pipe pipe --log-file ./log --pid-file pid",
           WORDS(UMEMD, pipe)),
        0);
    snprintf(path, sizeof path, "%.*s/pid", (int)(strrchr(pipe, '/') - pipe), pipe);
    read_file(path, text, sizeof text);
    pid = atol(text);
    assert_true(pid > 0);
    assert_int_equal(getsid((pid_t)pid), pid);
    snprintf(path, sizeof path, "%.*s/log", (int)(strrchr(pipe, '/') - pipe), pipe);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 077, 0);
#ifdef __linux__
    {
        char link[64];

        snprintf(link, sizeof link, "/proc/%ld/cwd", pid);
        assert_int_equal(readlink(link, text, sizeof text - 1), 1);
        assert_int_equal(text[0], '/');
    }
#endif
    /* A relative path is still the one to reopen. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(kill((pid_t)pid, SIGHUP), 0);
    wait_for_text(path, "reopened");
    stop_daemon(pipe);
    wait_for_text(path, "info ended");
    assert_int_equal(unlink(path), 0);
    pipe_name_remove(pipe);
    assert_int_equal(access(pipe, F_OK), -1);
}

static void warnings_reach_the_starter(void **state)
{
    char pipe[128];

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    assert_int_equal(
        sh("chmod 777 \"${1%/*}\" && exec \"$0\" --daemon --pipe \"$1\" --limit sessions=1000000",
           WORDS(UMEMD, pipe)),
        0);
    assert_non_null(strstr(process.errors, "umemd: warning: "));
    assert_non_null(strstr(process.errors, "chmod go-w"));
    stop_daemon(pipe);
    assert_int_equal(sh("exec \"$0\" spawn --pipe \"$1\"", WORDS(UMEM, pipe)), 0);
    assert_non_null(strstr(process.errors, "chmod go-w"));
    stop_daemon(pipe);
    pipe_name_remove(pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(umem_without_standard_files, daemon_setup, daemon_teardown),
        cmocka_unit_test(umemd_without_standard_files),
        cmocka_unit_test(umemd_with_too_few_descriptors),
        cmocka_unit_test(a_path_that_is_not_utf8),
        cmocka_unit_test(a_relative_path),
        cmocka_unit_test(signals_reopen_the_log),
        cmocka_unit_test(ignored_signals_stay_ignored),
        cmocka_unit_test(a_log_that_is_not_read),
        cmocka_unit_test_setup_teardown(a_file_that_may_not_grow, daemon_setup, daemon_teardown),
        cmocka_unit_test(a_pid_file_is_only_written),
        cmocka_unit_test(a_successor_keeps_its_files),
        cmocka_unit_test_setup_teardown(a_deleted_socket_is_made_anew, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(the_lock_holder_is_named, daemon_setup, daemon_teardown),
        cmocka_unit_test(a_daemon_keeps_nothing_open),
        cmocka_unit_test(a_daemon_leaves_its_directory),
        cmocka_unit_test(warnings_reach_the_starter),
        cmocka_unit_test_setup_teardown(the_library_takes_no_standard_descriptor, daemon_setup,
                                        daemon_teardown),
    };

    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
