/* `umem` and the first example, as a shell runs them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon.h"

enum { ARGS_MAXIMUM = 10 };

static struct process process;

/* Runs umem on the daemon's pipe. `words` ends with NULL. Returns the exit status; the output is in `process`. */
static int umem(const struct daemon *daemon, const char *input, const char *const *words)
{
    const char *args[ARGS_MAXIMUM + 4] = {UMEM, "--pipe", daemon->pipe};
    size_t count = 3;

    while (*words != NULL && count < ARGS_MAXIMUM + 3)
        args[count++] = *words++;
    args[count] = NULL;
    return process_run(&process, args, input);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_output(const char *part)
{
    if (strstr(process.output, part) == NULL)
        print_error("%s\n%s\n", process.output, process.errors);
    assert_non_null(strstr(process.output, part));
}

static void test_call(void **state)
{
    struct daemon *daemon = *state;

    assert_int_equal(umem(daemon, NULL, WORDS("call", "server.info")), 0);
    expect_output("\"backend\":\"" BACKEND "\"");
    assert_int_equal(umem(daemon, NULL, WORDS("call", "block.alloc", "{\"size\":4,\"name\":\"n\"}")), 0);
    expect_output("\"size\":4");
    assert_int_equal(umem(daemon, NULL, WORDS("call", "block.read", "[\"n\",2,4]")), 1);
    assert_non_null(strstr(process.errors, "out_of_range"));
    assert_int_equal(umem(daemon, NULL, WORDS("call", "block.read", "[")), 2);
}

static void test_lines_from_standard_input(void **state)
{
    assert_int_equal(umem(*state, "{\"id\":1,\"method\":\"server.ping\"}\n{\"id\":2,\"method\":\"nope\"}\n",
                          WORDS("call", "-")),
                     0);
    expect_output("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    expect_output("\"method_not_found\"");
}

static void test_everyday_verbs(void **state)
{
    struct daemon *daemon = *state;

    assert_int_equal(umem(daemon, NULL, WORDS("ping")), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("heap", "create", "--name", "h")), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("heap", "ls")), 0);
    expect_output("h");
    assert_int_equal(umem(daemon, NULL, WORDS("alloc", "1K", "--heap", "h", "--name", "note")), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("write", "note", "hello")), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("read", "note", "--size", "5")), 0);
    assert_string_equal(process.output, "hello");
    assert_int_equal(umem(daemon, "from a pipe", WORDS("write", "note")), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("read", "note", "--size", "11", "--utf8")), 0);
    expect_output("from a pipe");
    assert_int_equal(umem(daemon, NULL, WORDS("ls")), 0);
    expect_output("note");
    assert_int_equal(umem(daemon, NULL, WORDS("free", "note")), 0);
    assert_int_equal(umem(daemon, NULL, WORDS("free", "note")), 1);
    assert_int_equal(umem(daemon, NULL, WORDS("heap", "destroy", "h")), 0);
}

static void test_usage_and_no_daemon(void **state)
{
    struct daemon nowhere = {.pipe = ""};

    assert_int_equal(umem(*state, NULL, WORDS("frobnicate")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("help")), 0);
    expect_output("alloc");
    assert_int_equal(umem(*state, NULL, WORDS("endpoint")), 0);
    expect_output(((struct daemon *)*state)->pipe);
    pipe_name_make(nowhere.pipe, sizeof nowhere.pipe);
    assert_int_equal(umem(&nowhere, NULL, WORDS("ping")), 3);
    assert_non_null(strstr(process.errors, nowhere.pipe));
    pipe_name_remove(nowhere.pipe);
}

static void test_first_steps(void **state)
{
    const char *const args[] = {FIRST_STEPS, ((struct daemon *)*state)->pipe, NULL};

    assert_int_equal(process_run(&process, args, NULL), 0);
    assert_true(strlen(process.output) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_call, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_lines_from_standard_input, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_everyday_verbs, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_usage_and_no_daemon, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_first_steps, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
