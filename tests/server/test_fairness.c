/* Two programs: whatever one does, over however many connections, the other is served within a few turns of the loop. What is
 * counted is turns and what is done in one, never time. Its connections belong to another process, so POSIX. */
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
    OTHER = 0,          /* the client of this process */
    FIRST = 1,          /* the first one of the other process, */
    CONNECTIONS = 200,  /* which has so many */
    ANSWER = 40,        /* bytes of the answer to a ping without id */
    TURN_CLIENTS = 64,  /* that are accepted in one turn */
    MANY_TURNS = 10000, /* that show a hang */
    FEW_TURNS = 8,      /* in which a request is read, served and answered, whatever others do */
    LINE_CAPACITY = 4096
};

static const char ping[] = "{\"method\":\"server.ping\"}\n";

/* How many turns a ping takes; the test fails where it is not answered in many. */
static unsigned ping_turns(struct wire_client *client)
{
    size_t before = client->received.size;
    unsigned turns = 0;

    wire_send(client, ping);
    while (client->received.size < before + ANSWER && turns < MANY_TURNS) {
        fixture_run_once(fixture_of(client));
        turns++;
    }
    assert_int_equal(client->received.size, before + ANSWER);
    um_buf_consume(&client->received, ANSWER);
    return turns;
}

/* The same text from each connection of the other process, so many times in one write. */
static void send_from_all(struct fixture *fixture, unsigned count, const char *text, unsigned times)
{
    struct um_buf all;

    um_buf_init(&all, SIZE_MAX);
    for (unsigned i = 0; i < times; i++)
        assert_true(um_buf_append_string(&all, text));
    for (unsigned i = 0; i < count; i++)
        wire_send_bytes(&fixture->clients[FIRST + i], all.data, all.size);
    um_buf_deinit(&all);
}

static size_t received_by_all(const struct fixture *fixture, unsigned count)
{
    size_t size = 0;

    for (unsigned i = 0; i < count; i++)
        size += fixture->clients[FIRST + i].received.size;
    return size;
}

static void close_all(struct fixture *fixture, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        wire_close(&fixture->clients[FIRST + i]);
}

/* Turns the loop until so many sessions have opened since the start. */
static void await_opened(struct fixture *fixture, unsigned count)
{
    for (int turns = 0; turns < MANY_TURNS && fixture->opened < count; turns++)
        fixture_run_once(fixture);
    assert_int_equal(fixture->opened, count);
}

/* Turns the loop until a counter of the server's is above a bound. */
static void await_more(struct wire_client *other, const char *stat, unsigned long long bound)
{
    for (int turns = 0; turns < MANY_TURNS && stat_of(other, stat) <= bound; turns++)
        fixture_run_once(fixture_of(other));
    assert_true(stat_of(other, stat) > bound);
}

static void await_only(struct wire_client *other)
{
    for (int turns = 0; turns < MANY_TURNS && stat_of(other, "sessions") != 1; turns++)
        fixture_run_once(fixture_of(other));
    assert_int_equal(stat_of(other, "sessions"), 1);
}

/* ---- connecting ---- */

static void on_tick(uv_timer_t *timer)
{
    ++*(unsigned *)timer->data;
}

static void nothing(uv_handle_t *handle)
{
    (void)handle;
}

/* Waiting clients are accepted a few a turn, so that timers and other clients are served between them. */
static void a_turn_takes_so_many_clients(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    static uv_timer_t timer; /* outlives a test that fails */
    static unsigned ticks;
    unsigned turns = 0;

    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    client_ping(other);
    uv_timer_init(&fixture->loop, &timer);
    timer.data = &ticks;
    uv_timer_start(&timer, on_tick, 0, 0);
    fixture_connect_from_child(fixture, FIRST, CONNECTIONS);
    while (fixture->opened < CONNECTIONS + 1) {
        unsigned before = fixture->opened;

        fixture_run_once(fixture);
        turns++;
        assert_true(fixture->opened - before <= TURN_CLIENTS);
    }
    assert_true(turns <= CONNECTIONS / TURN_CLIENTS + FEW_TURNS);
    assert_int_equal(ticks, 1);
    client_ping(other);
    uv_close((uv_handle_t *)&timer, nothing);
    fixture_run_once(fixture);
}

/* One that connects and closes in a loop: the other is served, and nothing piles up. */
static void connecting_and_closing_in_a_loop(void **state)
{
    enum { ROUNDS = 20 };
    struct fixture *fixture = *state;
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    client_ping(other);
    for (int i = 0; i < ROUNDS; i++) {
        fixture_connect_from_child(fixture, FIRST, CONNECTIONS);
        close_all(fixture, CONNECTIONS);
        assert_true(ping_turns(other) <= FEW_TURNS);
        for (int turns = 0; turns < FEW_TURNS; turns++)
            fixture_run_once(fixture);
        assert_true(fixture->opened - fixture->closed <= 2 * TURN_CLIENTS);
    }
    await_only(other);
    assert_int_equal(refusals_of(other, "sessions"), 0);
}

/* At the limit of sessions, closed sessions are ended before a new client is refused. */
static void closed_clients_free_their_place_first(void **state)
{
    enum { SESSIONS = 50, ROUNDS = 5 };
    struct fixture *fixture = *state;
    struct wire_client *other;

    fixture->limits.sessions = SESSIONS + 1;
    fixture->limits.turn_bytes = 400000; /* so that not all end in one turn */
    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    client_ping(other);
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned first = FIRST + (i % 2) * SESSIONS;

        fixture_connect_from_child(fixture, first, SESSIONS);
        for (unsigned j = 0; j < SESSIONS && i != 0; j++)
            wire_close(&fixture->clients[FIRST + (1 - i % 2) * SESSIONS + j]);
        await_opened(fixture, 1 + (i + 1) * SESSIONS);
    }
    assert_int_equal(refusals_of(other, "sessions"), 0);
    fixture_connect_from_child(fixture, FIRST + 2 * SESSIONS, 1);
    expect_limit(&fixture->clients[FIRST + 2 * SESSIONS], "limit_exceeded", "sessions");
}

/* ---- serving ---- */

/* Many connections that pipeline have the same share as one: in each turn, turn_requests messages together. */
static void a_process_has_one_share_of_messages(void **state)
{
    enum { SHARE = 10, TIMES = 20 };
    struct fixture *fixture = *state;
    struct wire_client *other;

    fixture->limits.turn_requests = SHARE;
    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    fixture_connect_from_child(fixture, FIRST, CONNECTIONS);
    await_opened(fixture, CONNECTIONS + 1);
    send_from_all(fixture, CONNECTIONS, ping, TIMES);
    for (unsigned turns = 1; turns <= 50; turns++) {
        fixture_run_once(fixture);
        assert_true(received_by_all(fixture, CONNECTIONS) <= (size_t)turns * SHARE * ANSWER);
    }
    assert_true(ping_turns(other) <= FEW_TURNS);
    assert_true(received_by_all(fixture, CONNECTIONS) < (size_t)CONNECTIONS * TIMES * ANSWER / 2);
    /* Each of them is served in the end. */
    for (unsigned i = 0; i < CONNECTIONS; i++)
        client_await_bytes(&fixture->clients[FIRST + i], (size_t)TIMES * ANSWER);
}

/* The same where one message is a lot of work. */
static void a_process_has_one_share_of_work(void **state)
{
    enum {
        BLOCK = 100000,
        RESULT = 43 /* bytes of an answer with a size of six digits, at least */,
        TIMES = 10
    };
    struct fixture *fixture = *state;
    struct wire_client *other;
    char line[LINE_CAPACITY];

    fixture->limits.turn_bytes = 2 * BLOCK;
    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":100000,\"name\":\"b\"}}\n");
    client_take_line(other, line, sizeof line);
    fixture_connect_from_child(fixture, FIRST, CONNECTIONS);
    await_opened(fixture, CONNECTIONS + 1);
    send_from_all(fixture, CONNECTIONS, "{\"method\":\"block.fill\",\"params\":[\"b\",1]}\n", TIMES);
    for (unsigned turns = 1; turns <= 50; turns++) {
        fixture_run_once(fixture);
        /* One more than its share is begun now and then, and made up for in the next turn. */
        assert_true(received_by_all(fixture, CONNECTIONS) <= (size_t)(2 * turns + 2) * 2 * RESULT);
    }
    assert_true(ping_turns(other) <= FEW_TURNS);
    assert_true(received_by_all(fixture, CONNECTIONS) < (size_t)CONNECTIONS * TIMES * RESULT / 2);
}

/* One message from each of many connections, all at one time: they are read over several turns. */
static void what_comes_at_one_time_is_read_over_several_turns(void **state)
{
    enum { SHARE = 10 };
    struct fixture *fixture = *state;
    struct wire_client *other;

    fixture->limits.turn_requests = SHARE;
    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    fixture_connect_from_child(fixture, FIRST, CONNECTIONS);
    await_opened(fixture, CONNECTIONS + 1);
    for (int round = 0; round < 3; round++) {
        size_t before = received_by_all(fixture, CONNECTIONS);

        send_from_all(fixture, CONNECTIONS, ping, 1);
        assert_true(ping_turns(other) <= FEW_TURNS);
        assert_true(received_by_all(fixture, CONNECTIONS) - before <= (size_t)FEW_TURNS * SHARE * ANSWER);
        for (unsigned i = 0; i < CONNECTIONS; i++)
            client_await_bytes(&fixture->clients[FIRST + i], (size_t)(round + 1) * ANSWER);
    }
}

/* Many sessions that end at one time end over several turns. */
static void sessions_end_over_several_turns(void **state)
{
    enum { SHARE = 20 };
    struct fixture *fixture = *state;
    struct wire_client *other;

    fixture->limits.turn_bytes = (uint64_t)SHARE * 32768; /* what a session's end counts at least */
    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    fixture_connect_from_child(fixture, FIRST, CONNECTIONS);
    await_opened(fixture, CONNECTIONS + 1);
    close_all(fixture, CONNECTIONS);
    while (fixture->closed < CONNECTIONS) {
        unsigned before = fixture->closed;

        fixture_run_once(fixture);
        assert_true(fixture->closed - before <= SHARE);
        if (fixture->closed == before || fixture->closed == CONNECTIONS)
            continue;
        assert_true(ping_turns(other) <= FEW_TURNS);
    }
    await_only(other);
}

/* ---- memory ---- */

/* A process whose messages are not whole leaves enough for another's. */
static void half_sent_messages_leave_capacity(void **state)
{
    enum { GREEDY = 40, LARGE = 200000, LIMIT = 2000000, TURNS = 2000 };
    struct fixture *fixture = *state;
    struct wire_client *other;
    char *text = malloc(LARGE);
    unsigned turns = 0;

    assert_non_null(text);
    memset(text, ' ', LARGE);
    memcpy(text, ping, sizeof ping - 3);
    text[LARGE - 2] = '}';
    text[LARGE - 1] = '\n';
    fixture->limits.gathered_bytes = LIMIT;
    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    fixture_connect_from_child(fixture, FIRST, GREEDY);
    await_opened(fixture, GREEDY + 1);
    for (unsigned i = 0; i < GREEDY; i++)
        wire_send_bytes(&fixture->clients[FIRST + i], text, LARGE - 10);
    await_more(other, "gathered_bytes", LIMIT / 4);
    for (int i = 0; i < 100; i++)
        client_ping(other);
    assert_true(stat_of(other, "gathered_bytes") <= LIMIT / 2 + 2 * LARGE + GREEDY * 4096);
    wire_send_bytes(other, text, LARGE);
    while (other->received.size < ANSWER && turns++ < TURNS)
        fixture_run_once(fixture);
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n");
    close_all(fixture, GREEDY);
    free(text);
}

/* A process that does not read its answers leaves enough for another's. */
static void unread_answers_leave_capacity(void **state)
{
    enum { GREEDY = 60, BLOCK = 60000, TOTAL = 1 << 20, TIMES = 100 };
    struct fixture *fixture = *state;
    struct wire_client *other;
    char line[2 * BLOCK];

    fixture->limits.unsent_total_bytes = TOTAL;
    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":60000,\"name\":\"b\"}}\n");
    client_take_line(other, line, sizeof line);
    fixture_connect_from_child(fixture, FIRST, GREEDY);
    await_opened(fixture, GREEDY + 1);
    for (unsigned i = 0; i < GREEDY; i++)
        uv_read_stop((uv_stream_t *)&fixture->clients[FIRST + i].pipe);
    send_from_all(fixture, GREEDY, "{\"method\":\"block.read\",\"params\":[\"b\"]}\n", TIMES);
    await_more(other, "unsent_bytes", TOTAL / 4);
    for (int i = 0; i < 500; i++)
        client_ping(other);
    wire_send(other, "{\"method\":\"block.read\",\"params\":[\"b\"]}\n");
    client_take_line(other, line, sizeof line);
    assert_non_null(strstr(line, "\"result\""));
    close_all(fixture, GREEDY);
}

/* After a program has ended, the next request sees its session's end: a turn that has time ends a session at once. */
static void an_end_shows_in_the_next_request(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    struct wire_client *client;
    char line[512];

    fixture_start_server(fixture);
    other = client_open(fixture, OTHER, true);
    client_ping(other);
    fixture_connect_from_child(fixture, FIRST, 1);
    client = &fixture->clients[FIRST];
    wire_send(
        client,
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"mine\",\"lifetime\":\"session\"}}\n");
    client_take_line(client, line, sizeof line);
    wire_close(client);
    /* The server reads its end, and closes. */
    fixture_run_once(fixture);
    wire_send(other, "{\"method\":\"block.info\",\"params\":[\"mine\"]}\n");
    client_take_line(other, line, sizeof line);
    assert_non_null(strstr(line, "unknown_handle"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_turn_takes_so_many_clients, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_end_shows_in_the_next_request, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(connecting_and_closing_in_a_loop, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(closed_clients_free_their_place_first, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_process_has_one_share_of_messages, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_process_has_one_share_of_work, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_comes_at_one_time_is_read_over_several_turns, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(sessions_end_over_several_turns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(half_sent_messages_leave_capacity, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(unread_answers_leave_capacity, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
