/* Messages that are not whole share a quota: those that want more take turns, and none waits for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server_counters.h"
#include "server_fixture.h"

enum {
    GREEDY = 24,         /* clients */
    LARGE = 300000,      /* bytes, of a message */
    QUOTA = 400000,      /* bytes, of all messages that are not whole */
    LITTLE = 4096,       /* bytes that every session may gather */
    LINE_CAPACITY = 4096 /* for an answer of any kind here */
};

/* A line of LARGE bytes, in which most are spaces. */
static char *large_line(void)
{
    static const char begin[] = "{\"id\":1,\"method\":\"server.ping\"";
    char *text = malloc(LARGE);

    assert_non_null(text);
    memset(text, ' ', LARGE);
    memcpy(text, begin, sizeof begin - 1);
    text[LARGE - 2] = '}';
    text[LARGE - 1] = '\n';
    return text;
}

/* What the server may have gathered at the most: memory grows by doubling; what is past the limit is one session's. */
static void assert_gathered_in_bounds(struct wire_client *other)
{
    assert_true(stat_of(other, "peak_gathered_bytes") <= QUOTA + 2 * 2 * LARGE + GREEDY * 2 * LITTLE);
}

/* More messages begin than fit into the quota. Large ones wait where they have to, small ones are served all the while,
 * and in the end all are answered. */
static void many_large_messages(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    char *text = large_line();

    fixture->limits.gathered_bytes = QUOTA;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    for (unsigned i = 1; i <= GREEDY; i++)
        wire_send_bytes(client_open(fixture, i, true), text, LARGE / 2);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    assert_true(stat_of(other, "gathered_bytes") >= QUOTA / 4);
    /* The last to come sends all of its message first. */
    for (unsigned i = GREEDY; i >= 1; i--) {
        wire_send_bytes(&fixture->clients[i], text + LARGE / 2, LARGE - LARGE / 2);
        client_ping(other);
    }
    for (unsigned i = 1; i <= GREEDY; i++)
        client_expect(&fixture->clients[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    assert_int_equal(stat_of(other, "gathered_bytes"), 0);
    assert_gathered_in_bounds(other);
    assert_int_equal(refusals_of(other, "gathered_bytes"), 0);
    free(text);
}

/* The same, but the messages stay incomplete. A client that was read and stalls is disconnected; one that was not read
 * is refused and stays connected. */
static void many_large_messages_that_stall(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    unsigned ended = 0;
    unsigned refused = 0;
    char *text = large_line();

    fixture->limits.gathered_bytes = QUOTA;
    fixture->limits.message_ms = 300;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    for (unsigned i = 1; i <= GREEDY; i++)
        wire_send_bytes(client_open(fixture, i, true), text, LARGE - 10);
    while (stat_of(other, "gathered_bytes") != 0 ||
           refusals_of(other, "message_ms") + refusals_of(other, "gathered_bytes") < GREEDY)
        fixture_run_once(fixture);
    assert_gathered_in_bounds(other);
    for (unsigned i = 1; i <= GREEDY; i++) {
        char line[LINE_CAPACITY];

        client_take_line(&fixture->clients[i], line, sizeof line);
        if (strstr(line, "\"limit\":\"gathered_bytes\"") != NULL) {
            refused++;
            assert_non_null(strstr(line, "limit_exceeded"));
            wire_send(&fixture->clients[i], "the rest of it\n");
            client_ping(&fixture->clients[i]);
        } else {
            ended++;
            assert_non_null(strstr(line, "\"limit\":\"message_ms\""));
            client_expect_close(&fixture->clients[i]);
        }
    }
    assert_true(ended >= 1);
    assert_int_equal(ended + refused, GREEDY);
    free(text);
}

/* One that has its turn and sends more and more is not read on for ever: when its message is done, it is the next one's turn. */
static void a_large_message_does_not_keep_its_quota(void **state)
{
    enum { PART = LARGE / 3 * 2 };
    struct fixture *fixture = *state;
    struct wire_client *other;
    struct wire_client *first;
    struct wire_client *second;
    char *text = large_line();
    char *both = malloc(LARGE);

    assert_non_null(both);
    fixture->limits.gathered_bytes = 65536;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    first = client_open(fixture, 1, true);
    wire_send_bytes(first, text, PART);
    client_flush(first, other);
    assert_true(stat_of(other, "gathered_bytes") >= 65536);
    second = client_open(fixture, 2, true);
    wire_send_bytes(second, text, LARGE);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    assert_int_equal(second->received.size, 0);
    memcpy(both, text + PART, LARGE - PART);
    memcpy(both + LARGE - PART, text, PART);
    wire_send_bytes(first, both, LARGE);
    client_expect(first, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    client_expect(second, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    wire_send_bytes(first, text + PART, LARGE - PART);
    client_expect(first, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    free(both);
    free(text);
}

/* Turns the loop until its clock has advanced. */
static void await_ms(struct fixture *fixture, struct wire_client *other, uint64_t at_ms)
{
    while (uv_now(&fixture->loop) < at_ms)
        client_ping(other);
}

/* The time in which a message was not read, because others had their turn, is not its client's fault. */
static void waiting_for_others(void **state)
{
    enum { MESSAGE_MS = 1000, PART = LARGE / 3 };
    struct fixture *fixture = *state;
    struct wire_client *other;
    struct wire_client *first;
    struct wire_client *second;
    uint64_t began_ms;
    char *text = large_line();

    fixture->limits.gathered_bytes = 65536;
    fixture->limits.message_ms = MESSAGE_MS;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    first = client_open(fixture, 1, true);
    wire_send_bytes(first, text, PART);
    client_flush(first, other);
    await_ms(fixture, other, uv_now(&fixture->loop) + MESSAGE_MS / 2);
    second = client_open(fixture, 2, true);
    wire_send_bytes(second, text, PART);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    began_ms = uv_now(&fixture->loop);
    expect_limit(first, "timeout", "message_ms");
    await_ms(fixture, other, began_ms + MESSAGE_MS + 1);
    wire_send_bytes(second, text + PART, LARGE - PART);
    client_expect(second, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    free(text);
}

/* The clients that hold the quota die. */
static void many_large_messages_whose_clients_die(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    struct wire_client *last;
    char *text = large_line();

    fixture->limits.gathered_bytes = QUOTA;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    for (unsigned i = 1; i <= GREEDY; i++)
        wire_send_bytes(client_open(fixture, i, true), text, LARGE - 10);
    last = client_open(fixture, GREEDY + 1, true);
    wire_send_bytes(last, text, LARGE);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    for (unsigned i = 1; i <= GREEDY; i++)
        wire_close(&fixture->clients[i]);
    client_expect(last, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    while (stat_of(other, "sessions") != 2)
        fixture_run_once(fixture);
    assert_int_equal(stat_of(other, "gathered_bytes"), 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_large_messages, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_large_messages_that_stall, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_large_message_does_not_keep_its_quota, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(waiting_for_others, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_large_messages_whose_clients_die, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
