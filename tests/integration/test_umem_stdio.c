/* umem call -: bytes between standard input and output and the daemon, in both framings and both directions
 * at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_fixture.h"

#define CARRY WORDS("call", "-")

static void test_lines(void **state)
{
    assert_int_equal(umem(*state,
                          "{\"id\":1,\"method\":\"server.ping\"}\r\n"
                          "\n"
                          "{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}\n"
                          "not JSON\n"
                          "{\"method\":\"nope\"}\n"
                          "[{\"id\":2,\"method\":\"server.ping\"}]\n"
                          "{\"id\":\"last, without an end\",\"method\":\"server.ping\"}",
                          CARRY),
                     0);
    assert_string_equal(command.errors, "");
    assert_int_equal(strncmp(command.output, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{", 38), 0);
    expect_output("\"parse_error\"");
    expect_output("\"method_not_found\"");
    expect_output("[{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}]\n");
    expect_output("{\"jsonrpc\":\"2.0\",\"id\":\"last, without an end\",\"result\":{}}\n");
    assert_null(strstr(command.output, "umem-call-end"));
}

static void test_headers_and_payloads(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "8", "--name", "b")), 0);
    assert_int_equal(
        umem(*state,
             "Content-Length: 79\r\nPayload-Length: 8\r\n\r\n"
             "{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}        "
             "{payload"
             "Content-Length: 71\r\n\r\n"
             "{\"id\":2,\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}} ",
             CARRY),
        0);
    expect_whole_output("Content-Length: 44\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":8}}"
                        "Content-Length: 44\r\nPayload-Length: 8\r\n\r\n"
                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"size\":8}}{payload");
}

/* What is before it is answered; the daemon waits for the remaining bytes, which do not come. */
static void test_a_message_that_is_cut(void **state)
{
    assert_int_equal(umem(*state,
                          "Content-Length: 31\r\n\r\n{\"id\":1,\"method\":\"server.ping\"}"
                          "Content-Length: 31\r\n\r\n{\"id\":2",
                          CARRY),
                     0);
    expect_whole_output("Content-Length: 36\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
}

/* The second answer comes first; the end of the input ends neither. */
static void test_an_answer_that_waits(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "8", "--name", "n")), 0);
    assert_int_equal(umem(*state,
                          "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0,\"i64\",200]}\n"
                          "{\"id\":2,\"method\":\"server.ping\"}\n",
                          CARRY),
                     0);
    assert_int_equal(strncmp(command.output, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n", 37), 0);
    expect_output("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32012,");
}

static void test_notifications(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "8", "--name", "n")), 0);
    assert_int_equal(umem(*state,
                          "{\"id\":1,\"method\":\"session.watch\"}\n"
                          "{\"id\":2,\"method\":\"block.fill\",\"params\":[\"n\",1]}\n"
                          "{\"id\":3,\"method\":\"server.ping\"}\n",
                          CARRY),
                     0);
    expect_output("\"method\":\"block.changed\"");
    expect_output("\"id\":3");
}

static void test_nothing(void **state)
{
    assert_int_equal(umem(*state, "", CARRY), 0);
    expect_whole_output("");
    assert_int_equal(umem(*state, NULL, CARRY), 0);
    expect_whole_output("");
    assert_int_equal(umem(*state, "", WORDS("call", "-", "{}")), 2);
}

/* Input and output exceed what pipes and sockets hold: a carrier that did one after the other would not end. */
static void test_big_data_in_both_directions(void **state)
{
    enum { REQUESTS = 24, BLOCK_SIZE = 1 << 18, LINE_CAPACITY = 2 * BLOCK_SIZE + 256 };
    char *input = malloc(REQUESTS * (size_t)LINE_CAPACITY);
    char *data = malloc(2 * BLOCK_SIZE + 1);
    size_t size = 0;

    assert_non_null(input);
    assert_non_null(data);
    memset(data, 'a', 2 * BLOCK_SIZE);
    data[2 * BLOCK_SIZE] = '\0';
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "256K", "--name", "big")), 0);
    for (int i = 0; i < REQUESTS; i++) {
        size += (size_t)snprintf(
            input + size, LINE_CAPACITY,
            "{\"id\":%d,\"method\":\"block.write\",\"params\":{\"block\":\"big\",\"encoding\":\"hex\","
            "\"data\":\"%s\"}}\n",
            2 * i, data);
        size += (size_t)snprintf(
            input + size, 256, "{\"id\":%d,\"method\":\"block.read\",\"params\":[\"big\",0,null,\"hex\"]}\n",
            2 * i + 1);
    }
    assert_int_equal(umem(*state, input, CARRY), 0);
    assert_true(command.output_total > REQUESTS * 2 * (uint64_t)BLOCK_SIZE);
    free(data);
    free(input);
}

/* The daemon closes by itself, after it has answered everything. */
static void test_a_daemon_that_ends(void **state)
{
    struct daemon daemon = {.pipe = ""};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    daemon_start(&daemon);
    assert_int_equal(umem(&daemon, "{\"id\":1,\"method\":\"server.shutdown\"}\n", CARRY), 0);
    expect_whole_output("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    assert_int_equal(process_finish(&daemon.process), 0);
    pipe_name_remove(daemon.pipe);
}

/* The daemon dies while a call waits; what came before it is passed on. */
static void test_a_connection_that_is_lost(void **state)
{
    struct daemon daemon = {.pipe = ""};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    daemon_start(&daemon);
    assert_int_equal(umem(&daemon, NULL, WORDS("alloc", "8", "--name", "n")), 0);
    umem_start(&daemon,
               "{\"id\":1,\"method\":\"server.ping\"}\n"
               "{\"id\":2,\"method\":\"block.wait\",\"params\":[\"n\",0,0]}\n",
               CARRY);
    while (strstr(command.output, "\"id\":1,\"result\":{}}\n") == NULL)
        assert_false(process_poll(&command));
    process_kill(&daemon.process);
    process_finish(&daemon.process);
    assert_int_equal(process_finish(&command), 5);
    expect_errors("1 requests were not answered");
    pipe_name_remove(daemon.pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_headers_and_payloads, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_a_message_that_is_cut, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_an_answer_that_waits, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_notifications, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_nothing, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_big_data_in_both_directions, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_a_daemon_that_ends),
        cmocka_unit_test(test_a_connection_that_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
