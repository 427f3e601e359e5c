/* umem as a POSIX shell may run it: with directories and devices as its input and output, and with commands that signals end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "umem_fixture.h"

/* Runs a shell's line, in which $umem is umem and UMEM_PIPE the daemon's pipe. Returns the exit status. */
static int shell(const struct daemon *daemon, const char *line)
{
    const char *const args[] = {"/bin/sh", "-c", line, NULL};

    setenv("umem", UMEM, 1);
    setenv("UMEM_PIPE", daemon->pipe, 1);
    return process_run(&command, args, NULL);
}

static bool is_device(const char *path)
{
    return access(path, W_OK) == 0;
}

/* ---- what cannot be read ---- */

static void test_input_that_cannot_be_read(void **state)
{
    assert_int_equal(shell(*state, "$umem alloc 64 --name b"), 0);
    assert_int_equal(shell(*state, "$umem call - </"), 6);
    expect_errors("standard input cannot be read to its end");
    assert_int_equal(shell(*state, "$umem call server.ping - </"), 6);
    expect_errors("standard input cannot be read to its end");
    assert_int_equal(shell(*state, "$umem write b </"), 6);
    expect_errors("standard input cannot be read to its end");
    assert_int_equal(shell(*state, "$umem write b --file /"), 6);
    expect_errors("/ cannot be read to its end");
    /* A block that cannot be filled does not stay. */
    assert_int_equal(shell(*state, "$umem alloc --file - --name gone </"), 6);
    assert_int_equal(shell(*state, "$umem info gone"), 1);
}

/* What the shell has read of a file already is no part of it. */
static void test_input_that_was_begun(void **state)
{
    assert_int_equal(shell(*state, "$umem alloc 4 --name b"), 0);
    assert_int_equal(shell(*state, "file=$(mktemp); printf 'line\\nabcd' >$file; { read -r line; $umem write "
                                   "b; } <$file; status=$?; rm $file; exit $status"),
                     0);
    assert_string_equal(command.errors, "");
    assert_int_equal(shell(*state, "$umem read b"), 0);
    expect_whole_output("abcd");
    /* The same with more bytes than are read at one time. */
    assert_int_equal(shell(*state, "$umem alloc 5M --name large"), 0);
    assert_int_equal(shell(*state,
                           "file=$(mktemp); { echo line; head -c 5242880 /dev/zero; } >$file; "
                           "{ read -r line; $umem write large; } <$file; status=$?; rm $file; exit $status"),
                     0);
    assert_string_equal(command.errors, "");
}

/* It would be taken for the end. */
static void test_input_with_nul(void **state)
{
    assert_int_equal(shell(*state, "printf '{}\\000{' | $umem call server.ping -"), 2);
    expect_errors("NUL");
    expect_whole_output("");
    assert_int_equal(shell(*state, "printf '\\000' | $umem alloc --file - --name b"), 0);
    assert_int_equal(shell(*state, "$umem read b --hex"), 0);
    expect_whole_output("00\n");
}

/* ---- what cannot be written ---- */

static void test_output_that_cannot_be_written(void **state)
{
    if (!is_device("/dev/full"))
        skip();
    assert_int_equal(shell(*state, "$umem alloc 64 --name b"), 0);
    assert_int_equal(shell(*state, "$umem stats >/dev/full"), 6);
    expect_errors("standard output cannot be written");
    assert_int_equal(shell(*state, "$umem read b >/dev/full"), 6);
    assert_int_equal(shell(*state, "$umem ls --json >/dev/full"), 6);
    assert_int_equal(shell(*state, "$umem help >/dev/full"), 6);
    assert_int_equal(shell(*state, "printf '{\"method\":\"server.ping\"}' | $umem call - >/dev/full"), 6);
    expect_errors("standard output cannot be written");
    assert_int_equal(shell(*state, "$umem read b --file /dev/full"), 6);
    expect_errors("/dev/full cannot be written");
    /* An error of the daemon takes precedence. */
    assert_int_equal(shell(*state, "$umem read nobody >/dev/full"), 1);
    /* What does not fit in a buffer at once, either. */
    assert_int_equal(shell(*state, "$umem alloc 1M --name large; $umem read large --file /dev/full"), 6);
}

/* ---- commands that signals end ---- */

static void test_commands_that_signals_end(void **state)
{
    assert_int_equal(shell(*state, "$umem alloc 4 --name b"), 0);
    assert_int_equal(shell(*state, "$umem hold b -- sh -c 'exit 7'"), 7);
    assert_int_equal(shell(*state, "$umem hold b -- sh -c 'kill -TERM $$'"), 128 + 15);
    assert_int_equal(shell(*state, "$umem hold b -- sh -c 'kill -KILL $$'"), 128 + 9);
    /* The command has signals as they were before umem. */
    assert_int_equal(shell(*state, "$umem hold b -- sh -c 'kill -INT $$; echo still here'"), 128 + 2);
    expect_whole_output("");
    assert_int_equal(shell(*state, "$umem hold b -- sh -c 'kill -QUIT $$; echo still here' 2>/dev/null"),
                     128 + 3);
    expect_whole_output("");
    assert_int_equal(shell(*state, "$umem hold b -- /"), 126);
    assert_int_equal(shell(*state, "$umem hold b -- /no/such/command"), 127);
}

#define WITH_DAEMON(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(test_input_that_cannot_be_read),
        WITH_DAEMON(test_input_that_was_begun),
        WITH_DAEMON(test_input_with_nul),
        WITH_DAEMON(test_output_that_cannot_be_written),
        WITH_DAEMON(test_commands_that_signals_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
