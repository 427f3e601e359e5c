/* `umem batch`: many verbs in one session. What is typed into `umem shell` is in terminal.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_fixture.h"

static int batch(void *const *state, const char *lines)
{
    return umem(*state, lines, WORDS("batch"));
}

/* All lines, with --keep-going; the status is the first failure's. */
static int batch_all(void *const *state, const char *lines)
{
    return umem(*state, lines, WORDS("batch", "--keep-going"));
}

static void test_lines(void **state)
{
    assert_int_equal(batch(state, ""), 0);
    expect_whole_output("");
    assert_int_equal(batch(state, "# nothing\n\n  \t \r\n"), 0);
    expect_whole_output("");
    /* The last line needs no end, and lines may end as Windows' do. */
    assert_int_equal(batch(state, "heap create --name h\r\nalloc 8 --name note --heap h\r\n"
                                  "write note 'a \"b'\nread note --size 4\nset note 4 7\n get  note\t4"),
                     0);
    expect_output("a \"b7\n");
    assert_int_equal(batch(state, "write note \"a\\\"b\"\nread note --size 3\n"), 0);
    expect_whole_output("a\"b");
    assert_int_equal(batch(state, "write note c\\ d\nwrite note '' --offset 3\nread note --size 3"), 0);
    expect_whole_output("c d");
    /* What is printed in different ways keeps its order. */
    assert_int_equal(batch(state, "get note 4\nread note --size 1\nget note 4\n"), 0);
    expect_whole_output("7\nc7\n");
    assert_int_equal(batch(state, "help free\nalloc --help"), 0);
    expect_output("Usage: umem alloc");
}

static void test_failures(void **state)
{
    assert_int_equal(batch(state, "alloc 8 --name a\nread nix\nfree a"), 1);
    expect_errors("umem: line 2: unknown_handle");
    assert_int_equal(umem(*state, NULL, WORDS("free", "a")), 0);
    assert_int_equal(batch_all(state, "\nread nix\nfrobnicate\nalloc 8 --name a"), 1);
    expect_errors("line 2: unknown_handle");
    expect_errors("line 3: there is no verb");
    assert_int_equal(batch_all(state, "free a\nalloc\n"), 2);
    expect_errors("line 2: SIZE or --file is missing");
    assert_int_equal(batch(state, "write note \"a"), 2);
    expect_errors("line 1: a quote (\") is not closed");
    assert_int_equal(umem(*state, "ping\nread nix\n", WORDS("batch", "--json")), 1);
    expect_errors("\"status\":1,\"line\":2}");
    expect_output("{}");
    /* One line's --json is not the next one's. */
    assert_int_equal(batch_all(state, "read nix --json\nread nix"), 1);
    expect_errors("umem: line 2: unknown_handle");
    assert_int_equal(umem(*state, NULL, WORDS("batch", "--file", "no/such/file")), 6);
    expect_errors("no/such/file cannot be opened");
}

static void test_what_is_no_line(void **state)
{
    assert_int_equal(batch_all(state,
                               "batch\nshell\nspawn\nping --pipe x\nalloc --file -\nwrite x\ncall -\n"
                               "call server.ping -\nhold x -- ls\nlock process -- ls\nping --keep-going"),
                     2);
    expect_errors("line 1: batch is no line of a session");
    expect_errors("line 2: shell is no line of a session");
    expect_errors("line 3: spawn is no line of a session");
    expect_errors("line 4: --pipe is an option of umem batch");
    expect_errors("line 5: standard input is where the command lines come from");
    expect_errors("line 7: standard input is where the command lines come from");
    expect_errors("line 8: standard input is where the command lines come from");
    expect_errors("line 9: a session runs no commands: it goes on until it ends, or until release");
    expect_errors("line 10: a session runs no commands: it goes on until it ends, or until unlock");
    expect_errors("line 11: ping takes no --keep-going");
    assert_int_equal(umem(*state, NULL, WORDS("unlock", "process")), 2);
    expect_errors("unlock is a line of a session");
    assert_int_equal(umem(*state, NULL, WORDS("lock", "process")), 2);
    assert_int_equal(umem(*state, "ping", WORDS("shell")), 2);
    expect_errors("standard input is no terminal");
}

/* Locks, holds and lifetimes are those of all lines together, and end with them. */
static void test_one_session(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("heap", "create", "--name", "mine")), 0);
    assert_int_equal(
        batch_all(state, "unlock mine\nlock mine\nlock mine\nunlock mine\nunlock mine\nunlock mine"), 1);
    expect_errors("line 1: denied");
    expect_errors("line 6: denied");
    assert_int_equal(batch(state, "lock mine\nalloc 8 --heap mine --name held --lifetime session\ninfo held\n"
                                  "change held --lifetime server\nchange held --lifetime session"),
                     0);
    expect_output("session");
    assert_int_equal(umem(*state, NULL, WORDS("info", "held")), 1);
    assert_int_equal(batch(state, "alloc 8 --heap mine --name held\nhold held\nrelease held\nfree held"), 0);
    /* A lock ends with the session. */
    assert_int_equal(umem(*state, NULL, WORDS("heap", "destroy", "mine")), 0);
    assert_int_equal(batch_all(state, "shutdown\nping\nping"), 5);
    expect_errors("line 2");
    /* Another daemon for what follows. */
    assert_int_equal(process_finish(&((struct daemon *)*state)->process), 0);
    daemon_start(*state);
}

static void test_many_lines(void **state)
{
    enum { LINES = 1000, LINE_SIZE = 24 };
    static char lines[LINES * LINE_SIZE];
    size_t size = 0;

    for (int i = 0; i < LINES; i++)
        size += (size_t)snprintf(lines + size, sizeof lines - size, "add sum 0 1 --type u32\n");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "4", "--name", "sum")), 0);
    assert_int_equal(batch(state, lines), 0);
    expect_output("999\n1000\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),           cmocka_unit_test(test_failures),
        cmocka_unit_test(test_what_is_no_line), cmocka_unit_test(test_one_session),
        cmocka_unit_test(test_many_lines),
    };

    return cmocka_run_group_tests(tests, daemon_setup, daemon_teardown);
}
