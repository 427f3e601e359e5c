/* The memory that the server keeps for all sessions together has a bound, no session waits for ever, and a greedy one
 * slows no other down. The server's own counters are compared. */
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
    LINE_CAPACITY = 4096, /* for an answer of any kind here */
    LITTLE = 4096         /* bytes that every session may gather */
};

/* ---- messages that stall ---- */

static bool is_over(const void *what)
{
    return ((const struct wire_client *)what)->is_over;
}

/* A client sends only the beginning of a message. It receives an error, and its session ends. */
static void message_that_stalls(void **state)
{
    static const char *const beginnings[] = {
        "{\"method\":\"server.pi",
        "Content-Le",
        "Content-Length: 31\r\n",
        "Content-Length: 31\r\n\r\n{\"id\":3,\"method\":\"serv",
        ("Content-Length: 82\r\nPayload-Length: 4\r\n\r\n[{\"id\":1,\"method\":\"block.write\",\"params\":"
         "{\"block\":\"b\",\"encoding\":\"raw\",\"size\":4}}]ab"),
    };
    struct fixture *fixture = *state;
    struct wire_client *other;
    unsigned count = sizeof beginnings / sizeof beginnings[0];

    fixture->limits.message_ms = 1;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    for (unsigned i = 0; i < count; i++) {
        struct wire_client *client = client_open(fixture, 1 + i, true);
        char line[LINE_CAPACITY];

        wire_send(client, beginnings[i]);
        if (beginnings[i][0] == 'C') {
            do
                client_take_line(client, line, sizeof line);
            while (strcmp(line, "\r") != 0);
            fixture_run_until(fixture, is_over, client);
            assert_non_null(strstr(client->received.data, "\"name\":\"timeout\",\"limit\":\"message_ms\","
                                                          "\"maximum\":1}"));
        } else {
            expect_limit(client, "timeout", "message_ms");
            client_expect_close(client);
        }
    }
    client_ping(other);
    assert_int_equal(refusals_of(other, "message_ms"), count);
    assert_int_equal(stat_of(other, "gathered_bytes"), 0);
    assert_int_equal(stat_of(other, "sessions"), 1);
}

/* Waits until another client's incomplete message has timed out. */
static void let_time_pass(struct fixture *fixture, unsigned index)
{
    struct wire_client *client = client_open(fixture, index, true);

    wire_send(client, "{\"method\":");
    expect_limit(client, "timeout", "message_ms");
    wire_close(client);
}

/* Raw bytes that are received into a block are kept nowhere else, and may take any time. */
static void raw_bytes_may_stall(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    struct wire_client *other;
    char text[256];

    fixture->limits.message_ms = 1;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"b\"}}\n");
    client_take_line(other, text, sizeof text);
    client = client_open(fixture, 1, true);
    wire_send_message(
        client, "{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}", 4);
    wire_send(client, "ab");
    client_flush(client, other);
    let_time_pass(fixture, 2);
    wire_send(client, "cd");
    client_expect(client, "Content-Length: 44\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":4}}");
}

/* A client whose message is not whole because the server does not read it, since its answers are unread, is not to blame. */
static void waiting_for_ones_own_answers(void **state)
{
    enum { REQUESTS = 40000, ANSWER = 36 };
    struct fixture *fixture = *state;
    struct wire_client *client;
    struct wire_client *other;
    struct um_buf text;
    unsigned long long before;
    unsigned long long now;

    fixture->limits.unsent_bytes = 1024;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    client = client_open(fixture, 1, false);
    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < REQUESTS; i++)
        assert_true(um_buf_append_string(&text, "{\"method\":\"server.ping\"}\n"));
    wire_send_bytes(client, text.data, text.size);
    um_buf_deinit(&text);
    now = stat_of(other, "requests");
    do {
        before = now;
        now = stat_of(other, "requests");
    } while (now > before + 1);
    assert_true(now < REQUESTS);
    assert_true(stat_of(other, "gathered_bytes") <= 2 * 65536);
    wire_read(client);
    client_await_bytes(client, (size_t)REQUESTS * ANSWER);
    assert_int_equal(refusals_of(other, "message_ms"), 0);
}

/* ---- the budget of answers ---- */

/* No client reads. The quota of each shrinks as the total grows; a large answer is refused with an error that names the
 * top consumer; a small one is sent; and when they are gone, all is as before. */
static void many_clients_that_do_not_read(void **state)
{
    enum { CLIENTS = 40, BLOCK = 60000, TOTAL = 1 << 20 };
    struct fixture *fixture = *state;
    struct wire_client *other;
    char line[2 * BLOCK];

    fixture->limits.unsent_total_bytes = TOTAL;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":60000,\"name\":\"b\"}}\n");
    client_take_line(other, line, sizeof line);
    for (unsigned i = 1; i <= CLIENTS; i++) {
        client_open(fixture, i, false);
        for (int j = 0; j < 100; j++)
            wire_send(&fixture->clients[i], "{\"method\":\"block.read\",\"params\":[\"b\"]}\n");
    }
    for (int i = 0; i < 50; i++)
        client_ping(other);
    while (refusals_of(other, "unsent_total_bytes") == 0)
        fixture_run_once(fixture);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    assert_true(stat_of(other, "unsent_bytes") >= TOTAL / 4);
    assert_true(stat_of(other, "peak_unsent_bytes") <= 2 * TOTAL + CLIENTS * 4 * LITTLE);
    for (unsigned i = 1; i <= CLIENTS; i++)
        wire_close(&fixture->clients[i]);
    while (stat_of(other, "sessions") != 1)
        fixture_run_once(fixture);
    assert_int_equal(stat_of(other, "unsent_bytes"), 0);
    wire_send(other, "{\"method\":\"block.read\",\"params\":[\"b\"]}\n");
    client_take_line(other, line, sizeof line);
    assert_non_null(strstr(line, "\"result\""));
}

/* ---- fairness ---- */

/* While one client pipelines without end, another's request waits for a few turns of it and no more. */
static void an_endless_pipeline(void **state)
{
    enum { REQUESTS = 60000, ANSWER = 36, ROUNDS = 10, FEW = 4 };
    struct fixture *fixture = *state;
    struct wire_client *busy;
    struct wire_client *other;
    struct um_buf text;
    unsigned long long before;
    unsigned long long least = UINT64_MAX;

    fixture_start_server(fixture);
    busy = client_open(fixture, 0, true);
    other = client_open(fixture, 1, true);
    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < REQUESTS; i++)
        assert_true(um_buf_append_string(&text, "{\"method\":\"server.ping\"}\n"));
    wire_send_bytes(busy, text.data, text.size);
    um_buf_deinit(&text);
    client_await_bytes(busy, ANSWER);
    before = stat_of(other, "requests");
    for (int i = 0; i < ROUNDS; i++) {
        unsigned long long now = stat_of(other, "requests");

        if (now - before < least)
            least = now - before;
        before = now;
    }
    /* The system may delay a request for longer than the server does, so that the quickest counts. The busy client was
     * busy all the time, and is still served. */
    assert_true(least <= FEW * fixture->limits.turn_requests);
    assert_true(busy->received.size < (size_t)REQUESTS * ANSWER);
    client_await_bytes(busy, (size_t)REQUESTS * ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(message_that_stalls, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(raw_bytes_may_stall, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(waiting_for_ones_own_answers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_clients_that_do_not_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_endless_pipeline, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
