/* umemd and umem as processes of a POSIX system: what they are started with, and what the system does to them meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#include "daemon.h"
#include "text.h"

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

/* Where it may not say that it listens. */
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
        _exit(umem_server_ping(client) == UMEM_OK && (fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 11);
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
    assert_int_equal(sh("exec \"$0\" --json --pipe \"$1\" alloc --file \"$1\"", WORDS(UMEM, daemon.pipe)),
                     6);
    size = strlen(process.errors);
    assert_int_equal(um_utf8_check(process.errors, size), size);
    assert_non_null(strstr(process.errors, "/p\xef\xbf\xbdpe cannot be opened"));
    assert_int_equal(daemon_shutdown(&daemon), 0);
    pipe_name_remove(plain);
}

/* A relative path means the same to everybody who is told it. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(umem_without_standard_files, daemon_setup, daemon_teardown),
        cmocka_unit_test(umemd_without_standard_files),
        cmocka_unit_test(a_path_that_is_not_utf8),
        cmocka_unit_test(a_relative_path),
        cmocka_unit_test_setup_teardown(the_library_takes_no_standard_descriptor, daemon_setup,
                                        daemon_teardown),
    };

    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
