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

#include "counters.h"
#include "world.h"

enum {
    OTHER = 0,          /* the client of this process */
    FIRST = 1,          /* the first one of the other process, */
    CROWD = 200,        /* which has so many */
    ANSWER = 40,        /* bytes of the answer to a ping without id */
    TURN_CLIENTS = 64,  /* that are accepted in one turn */
    MANY_TURNS = 10000, /* that show a hang */
    FEW_TURNS = 8,      /* in which a request is read, served and answered, whatever others do */
    LINE_ROOM = 4096
};

static const char ping[] = "{\"method\":\"server.ping\"}\n";

/* How many turns a ping takes; the test fails where it is not answered in many. */
static unsigned ping_turns(struct client *client)
{
    size_t before = client->received.size;
    unsigned turns = 0;

    client_send(client, ping);
    while (client->received.size < before + ANSWER && turns < MANY_TURNS) {
        world_turn(client->world);
        turns++;
    }
    assert_int_equal(client->received.size, before + ANSWER);
    um_buf_consume(&client->received, ANSWER);
    return turns;
}

/* The same text from each of the crowd, so many times in one write. */
static void send_from_all(struct world *world, unsigned count, const char *text, unsigned times)
{
    struct um_buf all;

    um_buf_init(&all, SIZE_MAX);
    for (unsigned i = 0; i < times; i++)
        assert_true(um_buf_append_string(&all, text));
    for (unsigned i = 0; i < count; i++)
        client_send_bytes(&world->clients[FIRST + i], all.data, all.size);
    um_buf_deinit(&all);
}

static size_t received_by_all(const struct world *world, unsigned count)
{
    size_t size = 0;

    for (unsigned i = 0; i < count; i++)
        size += world->clients[FIRST + i].received.size;
    return size;
}

static void close_all(struct world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        client_close(&world->clients[FIRST + i]);
}

/* Turns the loop until so many sessions have opened since the start. */
static void await_opened(struct world *world, unsigned count)
{
    for (int turns = 0; turns < MANY_TURNS && world->opened < count; turns++)
        world_turn(world);
    assert_int_equal(world->opened, count);
}

/* Turns the loop until a counter of the server's is above a bound. */
static void await_more(struct client *other, const char *stat, unsigned long long bound)
{
    for (int turns = 0; turns < MANY_TURNS && stat_of(other, stat) <= bound; turns++)
        world_turn(other->world);
    assert_true(stat_of(other, stat) > bound);
}

static void await_only(struct client *other)
{
    for (int turns = 0; turns < MANY_TURNS && stat_of(other, "sessions") != 1; turns++)
        world_turn(other->world);
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

/* Those who wait are taken a few a turn, so that timers and other clients are served between them. */
static void a_turn_takes_so_many_clients(void **state)
{
    struct world *world = *state;
    struct client *other;
    static uv_timer_t timer; /* outlives a test that fails */
    static unsigned ticks;
    unsigned turns = 0;

    world_start(world);
    other = client_open(world, OTHER, true);
    client_ping(other);
    uv_timer_init(&world->loop, &timer);
    timer.data = &ticks;
    uv_timer_start(&timer, on_tick, 0, 0);
    world_connect_elsewhere(world, FIRST, CROWD);
    while (world->opened < CROWD + 1) {
        unsigned before = world->opened;

        world_turn(world);
        turns++;
        assert_true(world->opened - before <= TURN_CLIENTS);
    }
    assert_true(turns <= CROWD / TURN_CLIENTS + FEW_TURNS);
    assert_int_equal(ticks, 1);
    client_ping(other);
    uv_close((uv_handle_t *)&timer, nothing);
    world_turn(world);
}

/* One that connects and closes in a loop: the other is served, and nothing piles up. */
static void connecting_and_closing_in_a_loop(void **state)
{
    enum { ROUNDS = 20 };
    struct world *world = *state;
    struct client *other;

    world_start(world);
    other = client_open(world, OTHER, true);
    client_ping(other);
    for (int i = 0; i < ROUNDS; i++) {
        world_connect_elsewhere(world, FIRST, CROWD);
        close_all(world, CROWD);
        assert_true(ping_turns(other) <= FEW_TURNS);
        for (int turns = 0; turns < FEW_TURNS; turns++)
            world_turn(world);
        assert_true(world->opened - world->closed <= 2 * TURN_CLIENTS);
    }
    await_only(other);
    assert_int_equal(refusals_of(other, "sessions"), 0);
}

/* With as many sessions as there may be, those that have closed are gone before anybody is told that there are too many. */
static void who_has_closed_is_gone_before_another_is_refused(void **state)
{
    enum { SESSIONS = 50, ROUNDS = 5 };
    struct world *world = *state;
    struct client *other;

    world->limits.sessions = SESSIONS + 1;
    world->limits.turn_bytes = 400000; /* so that not all end in one turn */
    world_start(world);
    other = client_open(world, OTHER, true);
    client_ping(other);
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned first = FIRST + (i % 2) * SESSIONS;

        world_connect_elsewhere(world, first, SESSIONS);
        for (unsigned j = 0; j < SESSIONS && i != 0; j++)
            client_close(&world->clients[FIRST + (1 - i % 2) * SESSIONS + j]);
        await_opened(world, 1 + (i + 1) * SESSIONS);
    }
    assert_int_equal(refusals_of(other, "sessions"), 0);
    world_connect_elsewhere(world, FIRST + 2 * SESSIONS, 1);
    expect_limit(&world->clients[FIRST + 2 * SESSIONS], "limit_exceeded", "sessions");
}

/* ---- serving ---- */

/* Many connections that pipeline get as much as one: in each turn, turn_requests messages together. */
static void a_process_has_one_share_of_messages(void **state)
{
    enum { SHARE = 10, TIMES = 20 };
    struct world *world = *state;
    struct client *other;

    world->limits.turn_requests = SHARE;
    world_start(world);
    other = client_open(world, OTHER, true);
    world_connect_elsewhere(world, FIRST, CROWD);
    await_opened(world, CROWD + 1);
    send_from_all(world, CROWD, ping, TIMES);
    for (unsigned turns = 1; turns <= 50; turns++) {
        world_turn(world);
        assert_true(received_by_all(world, CROWD) <= (size_t)turns * SHARE * ANSWER);
    }
    assert_true(ping_turns(other) <= FEW_TURNS);
    assert_true(received_by_all(world, CROWD) < (size_t)CROWD * TIMES * ANSWER / 2);
    /* Each of them is served in the end. */
    for (unsigned i = 0; i < CROWD; i++)
        client_await_bytes(&world->clients[FIRST + i], (size_t)TIMES * ANSWER);
}

/* The same where one message is a lot of work. */
static void a_process_has_one_share_of_work(void **state)
{
    enum {
        BLOCK = 100000,
        RESULT = 43 /* bytes of an answer with a size of six digits, at least */,
        TIMES = 10
    };
    struct world *world = *state;
    struct client *other;
    char line[LINE_ROOM];

    world->limits.turn_bytes = 2 * BLOCK;
    world_start(world);
    other = client_open(world, OTHER, true);
    client_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":100000,\"name\":\"b\"}}\n");
    client_take_line(other, line, sizeof line);
    world_connect_elsewhere(world, FIRST, CROWD);
    await_opened(world, CROWD + 1);
    send_from_all(world, CROWD, "{\"method\":\"block.fill\",\"params\":[\"b\",1]}\n", TIMES);
    for (unsigned turns = 1; turns <= 50; turns++) {
        world_turn(world);
        /* One more than its share is begun now and then, and made up for in the next turn. */
        assert_true(received_by_all(world, CROWD) <= (size_t)(2 * turns + 2) * 2 * RESULT);
    }
    assert_true(ping_turns(other) <= FEW_TURNS);
    assert_true(received_by_all(world, CROWD) < (size_t)CROWD * TIMES * RESULT / 2);
}

/* One message from each of many connections, all at one time: they are read over several turns. */
static void what_comes_at_one_time_is_read_over_several_turns(void **state)
{
    enum { SHARE = 10 };
    struct world *world = *state;
    struct client *other;

    world->limits.turn_requests = SHARE;
    world_start(world);
    other = client_open(world, OTHER, true);
    world_connect_elsewhere(world, FIRST, CROWD);
    await_opened(world, CROWD + 1);
    for (int round = 0; round < 3; round++) {
        size_t before = received_by_all(world, CROWD);

        send_from_all(world, CROWD, ping, 1);
        assert_true(ping_turns(other) <= FEW_TURNS);
        assert_true(received_by_all(world, CROWD) - before <= (size_t)FEW_TURNS * SHARE * ANSWER);
        for (unsigned i = 0; i < CROWD; i++)
            client_await_bytes(&world->clients[FIRST + i], (size_t)(round + 1) * ANSWER);
    }
}

/* Many sessions that end at one time end over several turns. */
static void sessions_end_over_several_turns(void **state)
{
    enum { SHARE = 20 };
    struct world *world = *state;
    struct client *other;

    world->limits.turn_bytes = (uint64_t)SHARE * 32768; /* what a session's end counts at least */
    world_start(world);
    other = client_open(world, OTHER, true);
    world_connect_elsewhere(world, FIRST, CROWD);
    await_opened(world, CROWD + 1);
    close_all(world, CROWD);
    while (world->closed < CROWD) {
        unsigned before = world->closed;

        world_turn(world);
        assert_true(world->closed - before <= SHARE);
        if (world->closed == before || world->closed == CROWD)
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
    struct world *world = *state;
    struct client *other;
    char *text = malloc(LARGE);
    unsigned turns = 0;

    assert_non_null(text);
    memset(text, ' ', LARGE);
    memcpy(text, ping, sizeof ping - 3);
    text[LARGE - 2] = '}';
    text[LARGE - 1] = '\n';
    world->limits.gathered_bytes = LIMIT;
    world_start(world);
    other = client_open(world, OTHER, true);
    world_connect_elsewhere(world, FIRST, GREEDY);
    await_opened(world, GREEDY + 1);
    for (unsigned i = 0; i < GREEDY; i++)
        client_send_bytes(&world->clients[FIRST + i], text, LARGE - 10);
    await_more(other, "gathered_bytes", LIMIT / 4);
    for (int i = 0; i < 100; i++)
        client_ping(other);
    assert_true(stat_of(other, "gathered_bytes") <= LIMIT / 2 + 2 * LARGE + GREEDY * 4096);
    client_send_bytes(other, text, LARGE);
    while (other->received.size < ANSWER && turns++ < TURNS)
        world_turn(world);
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n");
    close_all(world, GREEDY);
    free(text);
}

/* A process that does not read its answers leaves enough for another's. */
static void unread_answers_leave_capacity(void **state)
{
    enum { GREEDY = 60, BLOCK = 60000, TOTAL = 1 << 20, TIMES = 100 };
    struct world *world = *state;
    struct client *other;
    char line[2 * BLOCK];

    world->limits.unsent_total_bytes = TOTAL;
    world_start(world);
    other = client_open(world, OTHER, true);
    client_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":60000,\"name\":\"b\"}}\n");
    client_take_line(other, line, sizeof line);
    world_connect_elsewhere(world, FIRST, GREEDY);
    await_opened(world, GREEDY + 1);
    for (unsigned i = 0; i < GREEDY; i++)
        uv_read_stop((uv_stream_t *)&world->clients[FIRST + i].pipe);
    send_from_all(world, GREEDY, "{\"method\":\"block.read\",\"params\":[\"b\"]}\n", TIMES);
    await_more(other, "unsent_bytes", TOTAL / 4);
    for (int i = 0; i < 500; i++)
        client_ping(other);
    client_send(other, "{\"method\":\"block.read\",\"params\":[\"b\"]}\n");
    client_take_line(other, line, sizeof line);
    assert_non_null(strstr(line, "\"result\""));
    close_all(world, GREEDY);
}

/* Who waits for a program's end and then asks sees what became of what it had: a turn that has time ends a session at once. */
static void an_end_shows_in_the_next_request(void **state)
{
    struct world *world = *state;
    struct client *other;
    struct client *client;
    char line[512];

    world_start(world);
    other = client_open(world, OTHER, true);
    client_ping(other);
    world_connect_elsewhere(world, FIRST, 1);
    client = &world->clients[FIRST];
    client_send(
        client,
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"mine\",\"lifetime\":\"session\"}}\n");
    client_take_line(client, line, sizeof line);
    client_close(client);
    /* The server reads its end, and closes. */
    world_turn(world);
    client_send(other, "{\"method\":\"block.info\",\"params\":[\"mine\"]}\n");
    client_take_line(other, line, sizeof line);
    assert_non_null(strstr(line, "unknown_handle"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_turn_takes_so_many_clients, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(an_end_shows_in_the_next_request, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(connecting_and_closing_in_a_loop, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(who_has_closed_is_gone_before_another_is_refused, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_process_has_one_share_of_messages, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_process_has_one_share_of_work, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(what_comes_at_one_time_is_read_over_several_turns, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(sessions_end_over_several_turns, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(half_sent_messages_leave_capacity, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(unread_answers_leave_capacity, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
