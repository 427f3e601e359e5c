/* umem's verbs for what several programs share: numbers, waits, watches, locks, holds, orphans, sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_fixture.h"

/* Allocates 64 bytes over the client; its handle is written to `text` too. */
static umem_handle alloc(umem_client *client, const char *name, char text[32])
{
    struct umem_block_options options = {.name = name};
    umem_handle block;

    assert_int_equal(umem_block_alloc(client, 64, &options, &block), UMEM_OK);
    snprintf(text, 32, "%llu", (unsigned long long)block);
    return block;
}

static void test_ranges(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "16", "--name", "a")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "16", "--name", "b")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("cmp", "a", "b")), 0);
    expect_whole_output("");
    assert_int_equal(umem(*state, NULL, WORDS("fill", "a", "0x61", "--offset", "4", "--size", "2")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("cmp", "a", "b", "--offset", "1", "--second-offset", "1")), 1);
    expect_whole_output("a b differ: offset 3\n");
    assert_int_equal(umem(*state, NULL, WORDS("cmp", "a", "b", "--json")), 1);
    expect_whole_output("{\"equal\":false,\"offset\":4}\n");
    assert_int_equal(umem(*state, NULL, WORDS("cmp", "a", "nobody")), 4);
    assert_int_equal(umem(*state, NULL, WORDS("cmp", "a", "b", "--size", "17")), 4);
    expect_errors("out_of_range");
    assert_int_equal(umem(*state, NULL, WORDS("find", "a", "aa")), 0);
    expect_whole_output("4\n");
    assert_int_equal(umem(*state, NULL, WORDS("find", "a", "61", "--hex", "--offset", "5")), 0);
    expect_whole_output("5\n");
    assert_int_equal(umem(*state, NULL, WORDS("find", "a", "aa", "--offset", "5")), 1);
    expect_whole_output("");
    assert_string_equal(command.errors, "");
    assert_int_equal(umem(*state, NULL, WORDS("find", "a", "ab", "--json")), 1);
    expect_whole_output("{\"offset\":null}\n");
    assert_int_equal(umem(*state, NULL, WORDS("find", "nobody", "a")), 4);
}

static void test_changes(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct umem_block_info info;
    char block[32];
    char address[32];

    alloc(client, NULL, block);
    assert_int_equal(umem(*state, NULL, WORDS("resize", block, "1K")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("change", block, "--name", "found")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("change", block)), 2);
    assert_int_equal(umem(*state, NULL, WORDS("info", "found")), 0);
    expect_output("size                   1024\n");
    assert_int_equal(umem_block_info(client, strtoull(block, NULL, 10), &info), UMEM_OK);
    snprintf(address, sizeof address, "0x%llx", (unsigned long long)info.address);
    assert_int_equal(umem(*state, NULL, WORDS("at", address)), 0);
    expect_output(block);
    assert_int_equal(umem(*state, NULL, WORDS("change", "found", "--name", "")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("info", "found")), 1);
    assert_int_equal(umem(*state, NULL, WORDS("heap", "validate")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("heap", "validate", "--block", block)), 0);
    expect_whole_output("");
    assert_int_equal(umem(*state, NULL, WORDS("heap", "compact")), 0);
    umem_client_free(client);
}

static void test_atomic_numbers(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "8", "--name", "n")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("add", "n", "0", "45", "--type", "i64")), 0);
    expect_whole_output("45\n");
    assert_int_equal(umem(*state, NULL, WORDS("add", "n", "0", "-3", "--type", "i64")), 0);
    expect_whole_output("42\n");
    assert_int_equal(umem(*state, NULL, WORDS("cas", "n", "0", "41", "7", "--type", "i64")), 1);
    expect_whole_output("42\n");
    assert_int_equal(umem(*state, NULL, WORDS("cas", "n", "0", "42", "7", "--type", "i64")), 0);
    expect_whole_output("42\n");
    assert_int_equal(umem(*state, NULL, WORDS("cas", "n", "1", "42", "7", "--type", "i64")), 4);
    assert_int_equal(umem(*state, NULL, WORDS("exchange", "n", "0", "-9", "--type", "i64")), 0);
    expect_whole_output("7\n");
    assert_int_equal(umem(*state, NULL, WORDS("get", "n", "0", "--type", "i64", "--json")), 0);
    expect_whole_output("{\"values\":[-9]}\n");
    /* One type is meant where none is named: bytes, as of get and set. */
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "7", "254")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("add", "n", "7", "3")), 0);
    expect_whole_output("1\n");
    assert_int_equal(umem(*state, NULL, WORDS("exchange", "n", "7", "9")), 0);
    expect_whole_output("1\n");
    assert_int_equal(umem(*state, NULL, WORDS("cas", "n", "7", "9", "255")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("get", "n", "7")), 0);
    expect_whole_output("255\n");
    assert_int_equal(umem(*state, NULL, WORDS("wait", "n", "7", "0")), 0);
    expect_whole_output("255\n");
    assert_int_equal(umem(*state, NULL, WORDS("add", "n", "7", "-1")), 1);
}

static void test_wait(void **state)
{
    umem_client *client = daemon_connect(*state);
    const int64_t one = 1;
    char text[32];
    umem_handle block = alloc(client, NULL, text);

    assert_int_equal(umem(*state, NULL, WORDS("wait", text, "0", "1")), 0);
    expect_whole_output("0\n");
    assert_int_equal(umem(*state, NULL, WORDS("wait", text, "0", "0", "--timeout", "10")), 1);
    expect_errors("timeout");
    umem_start(*state, NULL, WORDS("wait", text, "0", "0"));
    assert_false(process_poll(&command));
    assert_int_equal(umem_block_set(client, block, 0, UMEM_TYPE_I64, &one, 1), UMEM_OK);
    assert_int_equal(process_finish(&command), 0);
    expect_whole_output("1\n");
    umem_start(*state, NULL, WORDS("wait", text, "0", "1"));
    assert_int_equal(umem_block_free(client, block), UMEM_OK);
    assert_int_equal(process_finish(&command), 4);
    expect_errors("stale_handle");
    umem_client_free(client);
}

/* The beginning of the watch cannot be seen from outside: so the block is changed until an event comes. */
static void test_watch(void **state)
{
    umem_client *client = daemon_connect(*state);
    char text[32];
    char line[64];
    umem_handle block = alloc(client, "watched", text);

    snprintf(line, sizeof line, "changed %s 4 2\n", text);
    umem_start(*state, NULL, WORDS("watch", "watched", "--count", "2"));
    while (!process_poll(&command))
        assert_int_equal(umem_block_write(client, block, 4, "ab", 2), UMEM_OK);
    assert_int_equal(process_finish(&command), 0);
    assert_memory_equal(command.output, line, strlen(line));
    assert_int_equal(umem(*state, NULL, WORDS("watch", "watched", "--timeout", "1")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("watch", "watched", "--count", "1", "--timeout", "1")), 1);
    expect_whole_output("");
    umem_start(*state, NULL, WORDS("watch", "watched", "--json"));
    while (!process_poll(&command) && command.output_size == 0)
        assert_int_equal(umem_block_write(client, block, 4, "ab", 2), UMEM_OK);
    assert_int_equal(umem_block_free(client, block), UMEM_OK);
    /* The watched block was freed, so that no event can follow. */
    assert_int_equal(process_finish(&command), 0);
    expect_output("\"method\":\"block.changed\"");
    expect_output("\"method\":\"block.freed\"");
    assert_int_equal(umem(*state, NULL, WORDS("watch", "watched")), 1);
    expect_errors("unknown_handle");
    umem_client_free(client);
}

static void test_watch_heap(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heap;

    assert_int_equal(umem_heap_create(client, &(struct umem_heap_options){.name = "watched"}, &heap),
                     UMEM_OK);
    umem_start(*state, NULL, WORDS("watch", "--heap", "watched", "--json"));
    while (!process_poll(&command) && command.output_size == 0) {
        umem_handle block;

        assert_int_equal(umem_block_alloc(client, 1, &(struct umem_block_options){.heap = heap}, &block),
                         UMEM_OK);
        assert_int_equal(umem_block_free(client, block), UMEM_OK);
    }
    assert_int_equal(umem_heap_destroy(client, heap, NULL, NULL), UMEM_OK);
    assert_int_equal(process_finish(&command), 0);
    expect_output("{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":");
    expect_output("{\"jsonrpc\":\"2.0\",\"method\":\"heap.destroyed\",\"params\":{\"watch\":");
    assert_int_equal(umem(*state, NULL, WORDS("watch", "--heap", "watched")), 1);
    expect_errors("unknown_handle");
    assert_int_equal(umem(*state, NULL, WORDS("watch", "--offset", "1")), 1);
    expect_errors("are for a block");
    assert_int_equal(umem(*state, NULL, WORDS("watch", "--size", "0")), 2);
    umem_client_free(client);
}

/* The daemon ends while it is listened to. */
static void test_watch_until_the_end(void **state)
{
    static struct daemon daemon;
    umem_client *client;
    umem_handle block;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    daemon_start(&daemon);
    client = daemon_connect(&daemon);
    assert_int_equal(umem_block_alloc(client, 8, NULL, &block), UMEM_OK);
    umem_start(&daemon, NULL, WORDS("watch"));
    while (!process_poll(&command) && command.output_size == 0)
        assert_int_equal(umem_block_fill(client, block, 0, 1, 8), UMEM_OK);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    assert_int_equal(process_finish(&command), 5);
    expect_errors(daemon.pipe);
    pipe_name_remove(daemon.pipe);
}

static void test_hold(void **state)
{
    umem_client *client = daemon_connect(*state);
    char text[32];

    alloc(client, NULL, text);
    umem_client_free(client);
    assert_int_equal(umem(*state, NULL, WORDS("info", text)), 0);
    expect_output("orphaned               yes\n");
    assert_int_equal(umem(*state, NULL, WORDS("hold", text, "--", UMEM, "info", text)), 0);
    expect_output("orphaned               no\n");
    assert_int_equal(umem(*state, NULL, WORDS("info", text)), 0);
    expect_output("orphaned               yes\n");
    /* The command's exit status is passed on; umem's own failures have one of theirs. */
    assert_int_equal(umem(*state, NULL, WORDS("hold", text, "--", UMEM, "nonsense")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("hold", "nobody", "--", UMEM, "ping")), 125);
    assert_int_equal(umem(*state, NULL, WORDS("hold", text, "--", "no-such-command")), 127);
    assert_int_equal(umem(*state, NULL, WORDS("hold", text)), 2);
    assert_int_equal(umem(*state, NULL, WORDS("hold", text, "--")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("hold", "--", UMEM, "ping")), 2);
    expect_errors("usage: umem hold BLOCK... -- COMMAND...");
}

static void test_lock(void **state)
{
    umem_client *client = daemon_connect(*state);

    assert_int_equal(umem(*state, NULL, WORDS("heap", "create", "--name", "h")), 0);
    /* Every other session that allocates on it, the command's own too, is refused with "locked". */
    assert_int_equal(umem(*state, NULL, WORDS("lock", "h", "--", UMEM, "alloc", "4", "--heap", "h")), 1);
    expect_errors("locked");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "4", "--heap", "h")), 0);
    assert_int_equal(umem_call(client, "heap.lock", "[\"h\"]", NULL), UMEM_OK);
    assert_int_equal(umem(*state, NULL, WORDS("lock", "h", "--timeout", "0", "--", UMEM, "ping")), 125);
    assert_int_equal(umem(*state, NULL, WORDS("lock", "h", "--timeout", "5", "--", UMEM, "ping")), 125);
    umem_start(*state, NULL, WORDS("lock", "h", "--", UMEM, "heap", "info", "h"));
    assert_false(process_poll(&command));
    assert_int_equal(umem_call(client, "heap.unlock", "[\"h\"]", NULL), UMEM_OK);
    assert_int_equal(process_finish(&command), 0);
    expect_output("locked                 yes\n");
    umem_client_free(client);
}

static void test_orphans(void **state)
{
    umem_client *client = daemon_connect(*state);
    char text[32];

    alloc(client, NULL, text);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "10")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "20")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "5", "--name", "kept")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("orphans", "--free")), 0);
    expect_whole_output("freed 2 blocks, 30 bytes\n");
    assert_int_equal(umem(*state, NULL, WORDS("orphans", "--free", "--json")), 0);
    expect_whole_output("{\"blocks\":0,\"bytes\":0}\n");
    assert_int_equal(umem(*state, NULL, WORDS("info", "kept")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("info", text)), 0);
    umem_client_free(client);
}

static void test_sessions(void **state)
{
    umem_client *client = daemon_connect(*state);
    const char *session;
    char number[32] = "";
    char *result = NULL;

    assert_int_equal(umem_call(client, "session.info", NULL, &result), UMEM_OK);
    session = strstr(result, "\"session\":");
    assert_non_null(session);
    snprintf(number, sizeof number, "%llu", strtoull(session + strlen("\"session\":"), NULL, 10));
    umem_free_text(result);
    assert_int_equal(umem(*state, NULL, WORDS("sessions")), 0);
    expect_output(number);
    assert_int_equal(umem(*state, NULL, WORDS("sessions", "--json")), 0);
    expect_output("[\n{\"session\":");
    assert_int_equal(umem(*state, NULL, WORDS("sessions", "--close", number)), 0);
    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
    assert_int_equal(umem(*state, NULL, WORDS("sessions", "--close", number)), 1);
    umem_client_free(client);
}

static void test_map(void **state)
{
    const char *const make[] = {"heap", "create", "--kind", "shared", "--maximum-size",
                                "64K",  "--name", "fast",   NULL};

    assert_int_equal(umem(*state, NULL, make), 0);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "16", "--heap", "fast")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "10", "--heap", "fast", "--name", "table")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("map", "table")), 0);
    expect_output("umemd-");
    assert_int_equal(umem(*state, NULL, WORDS("map", "table", "--json")), 0);
    expect_output("\"offset\":16,\"size\":10}");
    assert_int_equal(umem(*state, NULL, WORDS("wake", "table", "--offset", "2")), 0);
    expect_whole_output("");
    assert_int_equal(umem(*state, NULL, WORDS("wake", "table", "--offset", "11")), 1);
    expect_errors("out_of_range");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1", "--name", "apart")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("map", "apart")), 1);
    expect_errors("unsupported");
    assert_int_equal(umem(*state, NULL, WORDS("heap", "create", "--kind", "shared")), 1);
    expect_errors("maximum_size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ranges, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_changes, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_atomic_numbers, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_wait, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_watch, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_watch_heap, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_watch_until_the_end),
        cmocka_unit_test_setup_teardown(test_hold, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_lock, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_orphans, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_sessions, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_map, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
