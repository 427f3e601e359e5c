/* Wrong lengths, and payloads without a receiver: nothing is allocated before its bytes have come, and where
 * the next message is known to begin, it is served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/server_state.h"
#include "server_fixture.h"

#define PING "{\"id\":\"ping\",\"method\":\"server.ping\"}"

/* A payload that would be answered, were it taken for a message. */
static const char trap[] = "Content-Length: 36\r\n\r\n{\"id\":\"trap\",\"method\":\"server.ping\"}";

enum { TRAP_SIZE = sizeof trap - 1 };

/* A ping with headers and its answer. */
static void expect_pong(struct wire_client *client)
{
    char text[256];

    wire_send_message(client, PING, 0);
    client_take_message(client, text, sizeof text);
    assert_string_equal(text, "{\"jsonrpc\":\"2.0\",\"id\":\"ping\",\"result\":{}}");
}

static void expect_error(struct wire_client *client, const char *name)
{
    char text[1024];

    client_take_message(client, text, sizeof text);
    if (strstr(text, name) == NULL || strstr(text, "\"error\"") == NULL)
        fail_msg("%s, not %s", text, name);
}

/* The server closes when it has thrown enough input away, which is faster than to wait until it has done so
 * for long enough. */
static void expect_close(struct wire_client *client)
{
    char *junk = calloc(1, 2 << 20);

    assert_non_null(junk);
    wire_send_bytes(client, junk, 2 << 20);
    free(junk);
    client_expect_close(client);
}

/* A fixture with a client of lines, and two blocks of 4 zeros: "b", and one that has been freed again. */
static struct wire_client *begin(struct fixture *fixture, unsigned long long *freed)
{
    struct wire_client *other;
    char text[256];

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"b\"}}\n");
    client_take_line(other, text, sizeof text);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":4}}\n");
    client_take_line(other, text, sizeof text);
    *freed = strtoull(strstr(text, "\"block\":") + 8, NULL, 10);
    snprintf(text, sizeof text, "{\"method\":\"block.free\",\"params\":[%llu]}\n", *freed);
    wire_send(other, text);
    client_take_line(other, text, sizeof text);
    return other;
}

static void expect_unchanged(struct wire_client *other)
{
    wire_send(other, "{\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"hex\"}}\n");
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"size\":4,\"data\":\"00000000\"}}\n");
}

/* ---- payloads of requests that fail ---- */

#define WRITE(params) "{\"id\":1,\"method\":\"block.write\",\"params\":{\"encoding\":\"raw\"," params "}}"

static const struct failing {
    const char *text;
    const char *name; /* of the error; NULL: a notification, which is not answered */
} failing[] = {
    {"", "parse_error"},
    {"{nonsense}", "parse_error"},
    {PING PING, "parse_error"},
    {"[]", "invalid_request"},
    {"\"x\"", "invalid_request"},
    {"{\"id\":1,\"params\":{}}", "invalid_request"},
    {"{\"id\":true,\"method\":\"block.write\"}", "invalid_request"},
    {"{\"id\":1,\"method\":\"no.such\"}", "method_not_found"},
    {PING, "invalid_params"},
    {"{\"id\":1,\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}",
     "invalid_params"},
    {WRITE("\"offset\":0"), "invalid_params"},
    {WRITE("\"block\":\"b\",\"ofset\":0"), "invalid_params"},
    {WRITE("\"block\":\"b\",\"block\":\"b\""), "invalid_params"},
    {WRITE("\"block\":\"b\",\"offset\":-1"), "invalid_params"},
    {WRITE("\"block\":\"b\",\"size\":4"), "invalid_params"},
    {WRITE("\"block\":\"b\",\"data\":\"AAAA\""), "invalid_params"},
    {"{\"id\":1,\"method\":\"block.write\",\"params\":[\"b\",\"AAAA\"]}", "invalid_params"},
    {WRITE("\"block\":\"b\""), "out_of_range"},
    {WRITE("\"block\":\"b\",\"offset\":5"), "out_of_range"},
    {WRITE("\"block\":\"b\",\"offset\":9007199254740991"), "out_of_range"},
    {WRITE("\"block\":\"c\""), "unknown_handle"},
    {WRITE("\"block\":1"), "unknown_handle"},
    {WRITE("\"block\":%llu"), "stale_handle"},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}", NULL},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}", NULL},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}",
     NULL},
};

/* Sends each of them with the trap behind it, in pieces of `step` bytes. */
static void fail_with_payloads(struct fixture *fixture, size_t step)
{
    unsigned long long freed;
    struct wire_client *other = begin(fixture, &freed);
    struct wire_client *client = client_open(fixture, 1, true);

    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        char text[256];

        if (strstr(failing[i].text, "%llu") != NULL)
            snprintf(text, sizeof text, WRITE("\"block\":%llu"), freed);
        else
            snprintf(text, sizeof text, "%s", failing[i].text);
        wire_send_message(client, text, TRAP_SIZE);
        for (size_t at = 0; at < TRAP_SIZE; at += step) {
            if (step < TRAP_SIZE)
                client_flush(client, other);
            wire_send_bytes(client, trap + at, step < TRAP_SIZE - at ? step : TRAP_SIZE - at);
        }
        if (failing[i].name != NULL)
            expect_error(client, failing[i].name);
        expect_pong(client);
    }
    expect_unchanged(other);
}

static void failing_requests_with_payloads(void **state)
{
    fail_with_payloads(*state, TRAP_SIZE);
}

static void failing_requests_with_payloads_in_pieces(void **state)
{
    fail_with_payloads(*state, 7);
}

static void payload_over_the_limit(void **state)
{
    struct fixture *fixture = *state;
    unsigned long long freed;
    struct wire_client *other;
    struct wire_client *client;

    fixture->limits.payload_bytes = TRAP_SIZE - 1;
    other = begin(fixture, &freed);
    client = client_open(fixture, 1, true);
    wire_send_message(client, WRITE("\"block\":\"b\""), TRAP_SIZE);
    wire_send(client, trap);
    expect_error(client, "too_large");
    expect_pong(client);
    /* The text is passed over as well: it is no request any more. */
    wire_send_message(client, "{\"method\":\"block.free\",\"params\":[\"b\"]}", TRAP_SIZE);
    wire_send(client, trap);
    expect_error(client, "too_large");
    expect_pong(client);
    expect_unchanged(other);
}

/* ---- lengths ---- */

/* The limit itself is allowed, one more is not, and what is over it is passed over to its last byte. */
static void lengths_at_and_over_the_limit(void **state)
{
    enum { LIMIT = 300 };
    struct fixture *fixture = *state;
    unsigned long long freed;
    struct wire_client *client;
    char text[LIMIT + 2];

    fixture->limits.message_bytes = LIMIT;
    fixture->limits.payload_bytes = 4;
    begin(fixture, &freed);
    client = client_open(fixture, 1, true);
    memset(text, ' ', sizeof text);
    memcpy(text, PING, sizeof PING - 1);
    text[LIMIT] = '\0';
    wire_send_message(client, text, 0);
    client_take_message(client, text, sizeof text);
    assert_non_null(strstr(text, "\"ping\",\"result\""));
    memset(text, '\n', sizeof text);
    memcpy(text, PING, sizeof PING - 1);
    text[LIMIT + 1] = '\0';
    wire_send_message(client, text, 0);
    expect_error(client, "too_large");
    expect_pong(client);
    wire_send_message(client, WRITE("\"block\":\"b\""), 4);
    wire_send(client, "abcd");
    client_take_message(client, text, sizeof text);
    assert_non_null(strstr(text, "\"result\":{\"size\":4}"));
    wire_send_message(client, WRITE("\"block\":\"b\""), 5);
    wire_send(client, "ABCDE");
    expect_error(client, "too_large");
    expect_pong(client);
    wire_send(&fixture->clients[0],
              "{\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"utf8\"}}\n");
    client_expect(&fixture->clients[0],
                  "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"size\":4,\"data\":\"abcd\"}}\n");
}

/* The text is longer than its length: the remaining bytes are no header, and the connection ends. */
static void length_shorter_than_the_text(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char text[256];

    fixture_start_server(fixture);
    client = client_open(fixture, 1, true);
    wire_send(client, "Content-Length: 10\r\n\r\n" PING);
    expect_error(client, "parse_error");
    expect_error(client, "parse_error");
    expect_close(client);
    /* The remaining bytes are an empty block of headers. */
    client = client_open(fixture, 2, true);
    wire_send(client, "Content-Length: 36\r\n\r\n" PING "\r\n");
    client_take_message(client, text, sizeof text);
    assert_non_null(strstr(text, "\"ping\",\"result\""));
    expect_error(client, "there is no Content-Length");
    expect_close(client);
}

/* The length includes the beginning of the next message. If the remaining bytes are a block of headers, the connection
 * stays; if not, it ends. */
static void length_longer_than_the_text(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char text[256];

    fixture_start_server(fixture);
    client = client_open(fixture, 1, true);
    wire_send(client, "Content-Length: 40\r\n\r\n" PING "Padding: 1\r\nContent-Length: 36\r\n\r\n" PING);
    expect_error(client, "parse_error");
    client_take_message(client, text, sizeof text);
    assert_non_null(strstr(text, "\"ping\",\"result\""));
    /* White space is part of a text. */
    wire_send(client, "Content-Length: 40\r\n\r\n\r\n" PING "\t\n");
    client_take_message(client, text, sizeof text);
    assert_non_null(strstr(text, "\"ping\",\"result\""));
    expect_pong(client);
    wire_send(client, "Content-Length: 44\r\n\r\n" PING);
    wire_send_message(client, PING, 0);
    expect_error(client, "parse_error");
    expect_error(client, "there is no Content-Length");
    expect_close(client);
}

/* A payload without a header, or longer than its length: it is read as headers. */
static void payload_that_was_not_declared(void **state)
{
    struct fixture *fixture = *state;
    unsigned long long freed;
    struct wire_client *other = begin(fixture, &freed);
    struct wire_client *client = client_open(fixture, 1, true);

    wire_send_message(client, WRITE("\"block\":\"b\",\"size\":4"), 0);
    wire_send(client, "\1\2\3\4");
    expect_error(client, "invalid_params");
    expect_error(client, "parse_error");
    expect_close(client);
    client = client_open(fixture, 2, true);
    wire_send_message(client, WRITE("\"block\":\"b\",\"offset\":4"), 2);
    wire_send(client, "abc: no header\n");
    expect_error(client, "out_of_range");
    expect_error(client, "parse_error");
    expect_close(client);
    expect_unchanged(other);
}

/* What is declared and does not come costs nothing: no machine has so much memory to give. */
static void huge_lengths_cost_nothing(void **state)
{
    static const char *const blocks[] = {
        "Content-Length: 35184372088832\r\n\r\n{\"id\":1,",
        "Content-Length: 1\r\nPayload-Length: 9007199254740991\r\n\r\n{abc",
        "Payload-Length: 9007199254740991\r\nContent-Length: 9007199254740991\r\n\r\n{\"id\":1,",
    };
    enum { COUNT = sizeof blocks / sizeof blocks[0], EACH = 20 };
    struct fixture *fixture = *state;
    unsigned long long freed;
    struct wire_client *other;

    fixture->limits.message_bytes = UINT64_C(1) << 46;
    fixture->limits.payload_bytes = UINT64_C(9007199254740991);
    other = begin(fixture, &freed);
    for (unsigned i = 0; i < EACH * COUNT; i++) {
        struct wire_client *client = client_open(fixture, 1 + i, true);

        wire_send(client, blocks[i % COUNT]);
        client_flush(client, other);
        wire_send(client, "some more of it");
    }
    for (unsigned i = 0; i < EACH * COUNT; i++) {
        client_flush(&fixture->clients[1 + i], other);
        assert_false(fixture->clients[1 + i].is_over);
        assert_false(fixture->clients[1 + i].has_failed);
    }
    expect_unchanged(other);
}

/* ---- the end ---- */

/* What came whole in front of broken headers is answered, what comes behind them is not. */
static void broken_headers_behind_good_messages(void **state)
{
    static const char *const broken[] = {
        "Content-Length: 2\n\n{}",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 9007199254740992\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        "Payload-Length: 2\r\n\r\n{}",
        "\r\n\r\n",
        "{\"id\":1,\"method\":\"server.ping\"}\n",
        "\xEF\xBB\n",
        "GET / HTTP/1.1\r\n",
    };
    struct fixture *fixture = *state;
    unsigned long long freed;
    struct wire_client *other = begin(fixture, &freed);

    for (unsigned i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct wire_client *client = client_open(fixture, 1 + i, true);
        char text[256];

        wire_send_message(client, PING, 0);
        wire_send(client, broken[i]);
        wire_send_message(client, "{\"method\":\"block.free\",\"params\":[\"b\"]}", 0);
        client_take_message(client, text, sizeof text);
        assert_non_null(strstr(text, "\"ping\",\"result\""));
        expect_error(client, "parse_error");
        expect_close(client);
    }
    expect_unchanged(other);
}

/* A header that does not end is not waited for. */
static void headers_without_an_end(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char flood[9000];

    fixture_start_server(fixture);
    client = client_open(fixture, 1, true);
    memset(flood, 'x', sizeof flood);
    wire_send_bytes(client, flood, sizeof flood);
    expect_error(client, "the headers are longer than 8192 bytes");
    expect_close(client);
    client_ping(client_open(fixture, 0, true));
}

static void stop_in_the_middle_of_a_payload(void **state)
{
    struct fixture *fixture = *state;
    unsigned long long freed;
    struct wire_client *other = begin(fixture, &freed);
    struct wire_client *client = client_open(fixture, 1, true);

    wire_send_message(client, WRITE("\"block\":\"b\""), 4);
    wire_send(client, "ab");
    client_flush(client, other);
    fixture_stop_server(fixture);
    client_expect_close(client);
}

/* What comes behind a broken header is thrown away, read by read. The messages before it count once for their process. */
static void what_is_discarded_counts_no_message(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char text[1024];
    int discarding_turns = 0;

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    for (int i = 0; i < 20; i++)
        wire_send_message(client, PING, 0);
    wire_send(client, "Content-Length: nonsense\r\n\r\n");
    for (int i = 0; i < 20; i++)
        client_take_message(client, text, sizeof text);
    expect_error(client, "parse_error");
    for (int i = 0; i < 20; i++) {
        uint64_t before = fixture->server->connections.traffic.bytes_read;

        wire_send(client, "junk");
        for (int turn = 0; turn < 1000 && fixture->server->connections.traffic.bytes_read == before; turn++) {
            fixture_run_once(fixture);
            assert_int_equal(fixture->server->connections.scheduler.messages, 0);
        }
        discarding_turns += fixture->server->connections.traffic.bytes_read != before;
    }
    assert_int_equal(discarding_turns, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(failing_requests_with_payloads, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(failing_requests_with_payloads_in_pieces, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(payload_over_the_limit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(lengths_at_and_over_the_limit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(length_shorter_than_the_text, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(length_longer_than_the_text, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(payload_that_was_not_declared, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(huge_lengths_cost_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(broken_headers_behind_good_messages, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_discarded_counts_no_message, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(headers_without_an_end, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stop_in_the_middle_of_a_payload, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
