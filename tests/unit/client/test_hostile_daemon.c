/* The library against a daemon that answers wrongly, late or never: a documented error each time, never a hang or a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "client_fixture.h"

/* Each is what comes in answer to a first request, whose id is 1. */
static void test_what_is_no_answer(void **state)
{
    static const char *const hostile[] = {
        "nonsense\n",
        "\n",
        "[]\n",
        "{}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}\n",
        RESULT("2", "{}"),
        RESULT("0", "{}"),
        RESULT("\"1\"", "{}"),
        RESULT("1.0", "{}"),
        RESULT("null", "{}"),
        RESULT("18446744073709551617", "{}"),
        RESULT("1", "{\"x\":\"\xff\"}"),
        "{\"jsonrpc\":\"2.0\",\"id\":1}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":7,\"message\":\"m\"}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32002,\"message\":\"m\"}}\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        const struct fake_step steps[] = {{.text = hostile[i]}};

        BEGIN(steps);
        if (umem_server_ping(fixture.client) != UMEM_E_BAD_ANSWER)
            fail_msg("taken for an answer: %s", hostile[i]);
        expect_broken(UMEM_E_BAD_ANSWER);
        fixture_end();
    }
}

static void test_a_line_without_an_end(void **state)
{
    static const struct fake_step steps[] = {{.text = "[", .repeat = 500000, .as_it_is = 1}};

    (void)state;
    BEGIN(steps, .timeout_ms = 300);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_DEADLINE);
    fixture_end();
}

static void test_cut_off(void **state)
{
    static const struct fake_step steps[] = {
        {.text = "Content-Length: 99\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"resu",
         .as_it_is = 1,
         .hang_up = 1},
        {.hang_up = 1},
        {.text = RESULT("3", "{}")},
    };

    (void)state;
    BEGIN(steps);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_CONNECTION_LOST);
    expect_broken(UMEM_E_CONNECTION_LOST);
    assert_int_equal(umem_connect(fixture.client), UMEM_OK);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_CONNECTION_LOST);
    /* Nothing of what was cut off is left over. */
    assert_int_equal(umem_connect(fixture.client), UMEM_OK);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    fixture_end();
}

/* A deadline costs the call, and the connection only where a message was cut. */
static void test_deadline(void **state)
{
    static const struct fake_step steps[] = {
        {.text = NULL},
        {.text = RESULT("1", "{}") RESULT("2", "{}")},
        {.text = "Content-Length: 99\r\n\r\n{\"jsonrpc\":\"2.0\",", .as_it_is = 1},
        {.text = RESULT("4", "{}")},
    };

    (void)state;
    BEGIN(steps, .timeout_ms = 50);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_DEADLINE);
    assert_string_equal(umem_last_error(fixture.client)->name, "deadline");
    assert_true(umem_is_connected(fixture.client));
    umem_set_timeout(fixture.client, 10000);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    umem_set_timeout(fixture.client, 50);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_DEADLINE);
    umem_set_timeout(fixture.client, 0);
    assert_int_equal(umem_connect(fixture.client), UMEM_OK);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    fixture_end();
}

/* A lock that may have been granted must not remain: so the connection is closed. */
static void test_deadline_of_a_lock(void **state)
{
    static const struct fake_step steps[] = {{.text = NULL}};

    (void)state;
    BEGIN(steps, .timeout_ms = 30);
    assert_int_equal(umem_heap_lock(fixture.client, 1, 20), UMEM_E_DEADLINE);
    expect_broken(UMEM_E_DEADLINE);
    fixture_end();
}

/* A wait is given its own time beside the client's, and is taken back: the cancelling is the second message. */
static void test_deadline_of_a_wait(void **state)
{
    static const struct fake_step steps[] = {
        {.text = NULL},
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32800,\"message\":\"m\"}}\n"},
        {.text = RESULT("2", "{}")},
    };
    uint8_t value = 0;

    (void)state;
    BEGIN(steps, .timeout_ms = 30);
    assert_int_equal(umem_block_wait(fixture.client, 1, 0, UMEM_TYPE_U8, &value, 20, NULL), UMEM_E_DEADLINE);
    assert_true(umem_is_connected(fixture.client));
    umem_set_timeout(fixture.client, 10000);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    fixture_end();
}

/* A peer that does not read stops a large request; the deadline ends it. */
static void test_deadline_of_a_request(void **state)
{
    enum { SIZE = 4 << 20 };
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"limits\":{\"message_bytes\":67108864}}")}};
    static char params[SIZE];

    (void)state;
    memset(params, ' ', sizeof params - 1);
    params[0] = '[';
    params[SIZE - 2] = ']';
    BEGIN(steps, .timeout_ms = 200);
    assert_int_equal(umem_call(fixture.client, "any.method", params, NULL), UMEM_E_DEADLINE);
    fixture_end();
}

static void test_too_long(void **state)
{
    static const struct fake_step steps[] = {{.text = "Content-Length: 100001\r\n\r\n{", .as_it_is = 1},
                                             {.text = RESULT("2", "{}")}};

    (void)state;
    BEGIN(steps, .answer_bytes_max = 100000);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_TOO_LARGE);
    expect_broken(UMEM_E_TOO_LARGE);
    assert_int_equal(umem_connect(fixture.client), UMEM_OK);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    fixture_end();
}

static void test_request_too_large(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"limits\":{\"message_bytes\":2000}}")},
        {.text = RESULT("2", "{}")},
    };
    char params[3000];

    (void)state;
    memset(params, ' ', sizeof params - 1);
    params[0] = '[';
    params[sizeof params - 2] = ']';
    params[sizeof params - 1] = '\0';
    BEGIN(steps);
    assert_int_equal(umem_call(fixture.client, "any.method", params, NULL), UMEM_E_TOO_LARGE);
    /* The request was not sent, so that the connection stays usable. */
    assert_true(umem_is_connected(fixture.client));
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    fixture_end();
}

/* Unsolicited messages are discarded; a surplus answer is not taken for the next one. */
static void test_unexpected_messages_are_skipped(void **state)
{
    static const struct fake_step steps[] = {
        {.text = "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{}}\n" RESULT("1", "{}")},
        {.text = RESULT("2", "{}") RESULT("2", "{}")},
    };

    (void)state;
    BEGIN(steps);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_BAD_ANSWER);
    fixture_end();
}

static void test_errors(void **state)
{
    static const struct fake_step steps[] = {
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"m\"}}\n"},
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32098,\"message\":\"\\u00e4 \\\"q\\\" "
                 "\\ud83d\\ude00\","
                 "\"data\":{\"name\":\"newer\",\"size\":-5,\"large\":\"9007199254740993\",\"list\":[]}}}\n"},
        {.text = RESULT("3", "{}")},
    };
    int64_t fact = 1;

    (void)state;
    BEGIN(steps);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_PARSE_ERROR);
    assert_string_equal(umem_last_error(fixture.client)->name, "parse_error");
    assert_string_equal(umem_last_error(fixture.client)->data, "{}");
    assert_int_equal(umem_server_ping(fixture.client), -32098);
    assert_string_equal(umem_last_error(fixture.client)->name, "newer");
    assert_string_equal(umem_last_error(fixture.client)->message, "\xc3\xa4 \"q\" \xf0\x9f\x98\x80");
    assert_true(umem_error_integer(fixture.client, "size", &fact) && fact == -5);
    assert_true(umem_error_integer(fixture.client, "large", &fact) && fact == INT64_C(9007199254740993));
    assert_false(umem_error_integer(fixture.client, "list", &fact));
    assert_false(umem_error_integer(fixture.client, "missing", &fact));
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    assert_int_equal(umem_last_error(fixture.client)->code, UMEM_OK);
    assert_false(umem_error_integer(fixture.client, "size", &fact));
    fixture_end();
}

/* ---- headers and raw bytes ---- */

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"
#define READ4 "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":4}}"

/* Nothing is allocated from a length that the daemon declares, and nothing is believed of one that is wrong. */
static void test_bad_headers(void **state)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"Content-Length: x\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"Content-Length: -36\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"Content-Length: 36\n\n" PING, UMEM_E_BAD_ANSWER},
        {"Payload-Length: 36\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"Content-Length: 36\r\nContent-Length: 36\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"Content-Length: 35\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"Content-Length: 0\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"Content-Length: 36\r\nPayload-Length: 1\r\n\r\n" PING "x", UMEM_E_BAD_ANSWER},
        {"Content-Length: 36\r\nPayload-Length: 9007199254740991\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"Content-Length: 36\r\nPayload-Length: 18446744073709551616\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"Content-Length: 9007199254740991\r\n\r\n" PING, UMEM_E_TOO_LARGE},
        {"Content-Length: 67108865\r\n\r\n" PING, UMEM_E_TOO_LARGE},
        {"Content-Length: 9007199254740992\r\n\r\n" PING, UMEM_E_BAD_ANSWER},
        {"\xef\xbb\xbf{nonsense\n", UMEM_E_BAD_ANSWER},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", UMEM_E_BAD_ANSWER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct fake_step steps[] = {{.text = cases[i].text, .as_it_is = 1}};

        BEGIN(steps, .timeout_ms = 10000);
        if (umem_server_ping(fixture.client) != cases[i].code)
            fail_msg("%s: %s", cases[i].text, umem_last_error(fixture.client)->name);
        expect_broken(cases[i].code);
        fixture_end();
    }
}

static void test_raw_bytes(void **state)
{
    static const struct {
        struct fake_step step;
        int code;
    } cases[] = {
        {{.text = READ4, .payload = "abcd"}, UMEM_OK},
        {{.text = "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\"}\n" READ4, .payload = "abcd"}, UMEM_OK},
        {{.text = READ4, .payload = "abc"}, UMEM_E_BAD_ANSWER},
        {{.text = READ4, .payload = "abcde"}, UMEM_E_BAD_ANSWER},
        {{.text = READ4}, UMEM_E_BAD_ANSWER},
        {{.text = "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\"}", .payload = "abcd"}, UMEM_E_BAD_ANSWER},
        {{.text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,\"message\":\"m\"}}",
          .payload = "abcd"},
         UMEM_E_BAD_ANSWER},
        {{.text = "Content-Length: 44\r\nPayload-Length: 4\r\n\r\n" READ4 "ab", .as_it_is = 1, .hang_up = 1},
         UMEM_E_CONNECTION_LOST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[8] = "....!!!";
        int code;

        fixture_begin(&cases[i].step, 1, (struct umem_options){.timeout_ms = 10000});
        code = umem_block_read(fixture.client, 1, 0, bytes, 4);
        if (code != cases[i].code)
            fail_msg("case %zu: %s", i, umem_last_error(fixture.client)->name);
        if (code == UMEM_OK)
            assert_string_equal(bytes, "abcd!!!");
        else
            assert_string_equal(bytes + 4, "!!!");
        fixture_end();
    }
}

/* A client beyond the limit of sessions receives one line that says so. */
static void test_refused_by_a_line(void **state)
{
    static const struct fake_step steps[] = {
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"m\"}}\n",
         .as_it_is = 1,
         .hang_up = 1}};

    (void)state;
    BEGIN(steps);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_LIMIT_EXCEEDED);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_CONNECTION_LOST);
    fixture_end();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_answer),
        cmocka_unit_test(test_a_line_without_an_end),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_deadline_of_a_lock),
        cmocka_unit_test(test_deadline_of_a_wait),
        cmocka_unit_test(test_deadline_of_a_request),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_request_too_large),
        cmocka_unit_test(test_unexpected_messages_are_skipped),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_raw_bytes),
        cmocka_unit_test(test_refused_by_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
