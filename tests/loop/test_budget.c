/* What all sessions together make the server keep has a bound, nobody waits for ever, and one who is greedy slows nobody down.
 * The server's own counters tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

enum {
    LINE_ROOM = 4096, /* for an answer of server.stats */
    LITTLE = 4096     /* bytes that every session may gather */
};

static const char *stats_of(struct client *client)
{
    static char line[LINE_ROOM];

    client_send(client, "{\"method\":\"server.stats\"}\n");
    client_take_line(client, line, sizeof line);
    return line;
}

static unsigned long long stat_of(struct client *client, const char *name)
{
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\"%s\":", name);
    at = strstr(stats_of(client), key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

/* How often a limit was the reason of an error. */
static unsigned long long refusals_of(struct client *client, const char *limit)
{
    char key[64];
    const char *at = strstr(stats_of(client), "\"refusals\":");

    snprintf(key, sizeof key, "\"%s\":", limit);
    assert_non_null(at);
    at = strstr(at, key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

static void expect_error(struct client *client, const char *name, const char *limit)
{
    char line[LINE_ROOM];
    char text[64];

    client_take_line(client, line, sizeof line);
    snprintf(text, sizeof text, "\"name\":\"%s\"", name);
    if (strstr(line, text) == NULL)
        fail_msg("%s", line);
    snprintf(text, sizeof text, "\"limit\":\"%s\"", limit);
    if (strstr(line, text) == NULL)
        fail_msg("%s", line);
}

/* ---- messages that stall ---- */

static bool is_over(const void *what)
{
    return ((const struct client *)what)->is_over;
}

/* A client sends the beginning of a message, and nothing more. It is told, and its session ends. */
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
    struct world *world = *state;
    struct client *other;
    unsigned count = sizeof beginnings / sizeof beginnings[0];

    world->limits.message_ms = 1;
    world_start(world);
    other = client_open(world, 0, true);
    for (unsigned i = 0; i < count; i++) {
        struct client *client = client_open(world, 1 + i, true);
        char line[LINE_ROOM];

        client_send(client, beginnings[i]);
        if (beginnings[i][0] == 'C') {
            do
                client_take_line(client, line, sizeof line);
            while (strcmp(line, "\r") != 0);
            world_run_until(world, is_over, client);
            assert_non_null(strstr(client->received.data, "\"name\":\"timeout\",\"limit\":\"message_ms\","
                                                          "\"maximum\":1}"));
        } else {
            expect_error(client, "timeout", "message_ms");
            client_expect_end(client);
        }
    }
    client_ping(other);
    assert_int_equal(refusals_of(other, "message_ms"), count);
    assert_int_equal(stat_of(other, "gathered_bytes"), 0);
    assert_int_equal(stat_of(other, "sessions"), 1);
}

/* Time passes, as somebody's message shows that runs out of it. */
static void let_time_pass(struct world *world, unsigned index)
{
    struct client *client = client_open(world, index, true);

    client_send(client, "{\"method\":");
    expect_error(client, "timeout", "message_ms");
    client_close(client);
}

/* Raw bytes that go into a block are kept nowhere else, and may take as long as they like. */
static void raw_bytes_may_stall(void **state)
{
    struct world *world = *state;
    struct client *client;
    struct client *other;
    char text[256];

    world->limits.message_ms = 1;
    world_start(world);
    other = client_open(world, 0, true);
    client_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"b\"}}\n");
    client_take_line(other, text, sizeof text);
    client = client_open(world, 1, true);
    client_send_message(
        client, "{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}", 4);
    client_send(client, "ab");
    client_settle(client, other);
    let_time_pass(world, 2);
    client_send(client, "cd");
    client_expect(client, "Content-Length: 44\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":4}}");
}

/* A client whose message is not whole because the server does not read it, since its answers are unread, is not to blame. */
static void waiting_for_ones_own_answers(void **state)
{
    enum { REQUESTS = 40000, ANSWER = 36 };
    struct world *world = *state;
    struct client *client;
    struct client *other;
    struct um_buf text;
    unsigned long long before;
    unsigned long long now;

    world->limits.unsent_bytes = 1024;
    world_start(world);
    other = client_open(world, 0, true);
    client = client_open(world, 1, false);
    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < REQUESTS; i++)
        assert_true(um_buf_append_string(&text, "{\"method\":\"server.ping\"}\n"));
    client_send_bytes(client, text.data, text.size);
    um_buf_deinit(&text);
    now = stat_of(other, "requests");
    do {
        before = now;
        now = stat_of(other, "requests");
    } while (now > before + 1);
    assert_true(now < REQUESTS);
    assert_true(stat_of(other, "gathered_bytes") <= 2 * 65536);
    client_read(client);
    client_await_bytes(client, (size_t)REQUESTS * ANSWER);
    assert_int_equal(refusals_of(other, "message_ms"), 0);
}

/* ---- room for messages ---- */

enum { GREEDY = 24, LARGE = 300000, ROOM = 400000 };

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
static void assert_gathered_in_bounds(struct client *other)
{
    assert_true(stat_of(other, "peak_gathered_bytes") <= ROOM + 2 * 2 * LARGE + GREEDY * 2 * LITTLE);
}

/* More messages begin than there is room for. Those that have to wait do, small ones are done all the while, and in the end all are
 * answered. */
static void many_large_messages(void **state)
{
    struct world *world = *state;
    struct client *other;
    char *text = large_line();

    world->limits.gathered_bytes = ROOM;
    world_start(world);
    other = client_open(world, 0, true);
    for (unsigned i = 1; i <= GREEDY; i++)
        client_send_bytes(client_open(world, i, true), text, LARGE / 2);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    assert_true(stat_of(other, "gathered_bytes") >= ROOM / 4);
    /* The last to come sends all of its message first. */
    for (unsigned i = GREEDY; i >= 1; i--) {
        client_send_bytes(&world->clients[i], text + LARGE / 2, LARGE - LARGE / 2);
        client_ping(other);
    }
    for (unsigned i = 1; i <= GREEDY; i++)
        client_expect(&world->clients[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    assert_int_equal(stat_of(other, "gathered_bytes"), 0);
    assert_gathered_in_bounds(other);
    assert_int_equal(refusals_of(other, "gathered_bytes"), 0);
    free(text);
}

/* The same, but nobody sends the rest. Who was read and stalls is ended, who was not read is refused and goes on. */
static void many_large_messages_that_stall(void **state)
{
    struct world *world = *state;
    struct client *other;
    unsigned ended = 0;
    unsigned refused = 0;
    char *text = large_line();

    world->limits.gathered_bytes = ROOM;
    world->limits.message_ms = 300;
    world_start(world);
    other = client_open(world, 0, true);
    for (unsigned i = 1; i <= GREEDY; i++)
        client_send_bytes(client_open(world, i, true), text, LARGE - 10);
    while (stat_of(other, "gathered_bytes") != 0 ||
           refusals_of(other, "message_ms") + refusals_of(other, "gathered_bytes") < GREEDY)
        world_turn(world);
    assert_gathered_in_bounds(other);
    for (unsigned i = 1; i <= GREEDY; i++) {
        char line[LINE_ROOM];

        client_take_line(&world->clients[i], line, sizeof line);
        if (strstr(line, "\"limit\":\"gathered_bytes\"") != NULL) {
            refused++;
            assert_non_null(strstr(line, "limit_exceeded"));
            client_send(&world->clients[i], "the rest of it\n");
            client_ping(&world->clients[i]);
        } else {
            ended++;
            assert_non_null(strstr(line, "\"limit\":\"message_ms\""));
            client_expect_end(&world->clients[i]);
        }
    }
    assert_true(ended >= 1);
    assert_int_equal(ended + refused, GREEDY);
    free(text);
}

/* One that has its turn and sends more and more is not read on for ever: when its message is done, it is the next one's turn. */
static void turn_and_turn_about(void **state)
{
    enum { PART = LARGE / 3 * 2 };
    struct world *world = *state;
    struct client *other;
    struct client *first;
    struct client *second;
    char *text = large_line();
    char *both = malloc(LARGE);

    assert_non_null(both);
    world->limits.gathered_bytes = 65536;
    world_start(world);
    other = client_open(world, 0, true);
    first = client_open(world, 1, true);
    client_send_bytes(first, text, PART);
    client_settle(first, other);
    assert_true(stat_of(other, "gathered_bytes") >= 65536);
    second = client_open(world, 2, true);
    client_send_bytes(second, text, LARGE);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    assert_int_equal(second->received.size, 0);
    memcpy(both, text + PART, LARGE - PART);
    memcpy(both + LARGE - PART, text, PART);
    client_send_bytes(first, both, LARGE);
    client_expect(first, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    client_expect(second, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    client_send_bytes(first, text + PART, LARGE - PART);
    client_expect(first, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    free(both);
    free(text);
}

/* Turns the loop until its clock has gone on. */
static void await_ms(struct world *world, struct client *other, uint64_t at_ms)
{
    while (uv_now(&world->loop) < at_ms)
        client_ping(other);
}

/* The time in which a message was not read, because others had their turn, is not its client's fault. */
static void waiting_for_others(void **state)
{
    enum { MESSAGE_MS = 1000, PART = LARGE / 3 };
    struct world *world = *state;
    struct client *other;
    struct client *first;
    struct client *second;
    uint64_t began_ms;
    char *text = large_line();

    world->limits.gathered_bytes = 65536;
    world->limits.message_ms = MESSAGE_MS;
    world_start(world);
    other = client_open(world, 0, true);
    first = client_open(world, 1, true);
    client_send_bytes(first, text, PART);
    client_settle(first, other);
    await_ms(world, other, uv_now(&world->loop) + MESSAGE_MS / 2);
    second = client_open(world, 2, true);
    client_send_bytes(second, text, PART);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    began_ms = uv_now(&world->loop);
    expect_error(first, "timeout", "message_ms");
    await_ms(world, other, began_ms + MESSAGE_MS + 1);
    client_send_bytes(second, text + PART, LARGE - PART);
    client_expect(second, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    free(text);
}

/* Those that hold the room die. */
static void many_large_messages_whose_clients_die(void **state)
{
    struct world *world = *state;
    struct client *other;
    struct client *last;
    char *text = large_line();

    world->limits.gathered_bytes = ROOM;
    world_start(world);
    other = client_open(world, 0, true);
    for (unsigned i = 1; i <= GREEDY; i++)
        client_send_bytes(client_open(world, i, true), text, LARGE - 10);
    last = client_open(world, GREEDY + 1, true);
    client_send_bytes(last, text, LARGE);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    for (unsigned i = 1; i <= GREEDY; i++)
        client_close(&world->clients[i]);
    client_expect(last, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    while (stat_of(other, "sessions") != 2)
        world_turn(world);
    assert_int_equal(stat_of(other, "gathered_bytes"), 0);
    free(text);
}

/* ---- room for answers ---- */

/* Nobody reads. Each has less the more all have; what is large is refused and tells who has most; what is small is answered; and when
 * they are gone, all is as before. */
static void many_who_do_not_read(void **state)
{
    enum { CLIENTS = 40, BLOCK = 60000, TOTAL = 1 << 20 };
    struct world *world = *state;
    struct client *other;
    char line[2 * BLOCK];

    world->limits.unsent_total_bytes = TOTAL;
    world_start(world);
    other = client_open(world, 0, true);
    client_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":60000,\"name\":\"b\"}}\n");
    client_take_line(other, line, sizeof line);
    for (unsigned i = 1; i <= CLIENTS; i++) {
        client_open(world, i, false);
        for (int j = 0; j < 100; j++)
            client_send(&world->clients[i], "{\"method\":\"block.read\",\"params\":[\"b\"]}\n");
    }
    for (int i = 0; i < 50; i++)
        client_ping(other);
    while (refusals_of(other, "unsent_total_bytes") == 0)
        world_turn(world);
    for (int i = 0; i < 50; i++)
        client_ping(other);
    assert_true(stat_of(other, "unsent_bytes") >= TOTAL / 4);
    assert_true(stat_of(other, "peak_unsent_bytes") <= 2 * TOTAL + CLIENTS * 4 * LITTLE);
    for (unsigned i = 1; i <= CLIENTS; i++)
        client_close(&world->clients[i]);
    while (stat_of(other, "sessions") != 1)
        world_turn(world);
    assert_int_equal(stat_of(other, "unsent_bytes"), 0);
    client_send(other, "{\"method\":\"block.read\",\"params\":[\"b\"]}\n");
    client_take_line(other, line, sizeof line);
    assert_non_null(strstr(line, "\"result\""));
}

/* ---- fairness ---- */

/* While one client pipelines without end, another's request waits for a few turns of it and no more. */
static void who_pipelines_without_end(void **state)
{
    enum { REQUESTS = 60000, ANSWER = 36, ROUNDS = 10, FEW = 4 };
    struct world *world = *state;
    struct client *busy;
    struct client *other;
    struct um_buf text;
    unsigned long long before;
    unsigned long long least = UINT64_MAX;

    world_start(world);
    busy = client_open(world, 0, true);
    other = client_open(world, 1, true);
    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < REQUESTS; i++)
        assert_true(um_buf_append_string(&text, "{\"method\":\"server.ping\"}\n"));
    client_send_bytes(busy, text.data, text.size);
    um_buf_deinit(&text);
    client_await_bytes(busy, ANSWER);
    before = stat_of(other, "requests");
    for (int i = 0; i < ROUNDS; i++) {
        unsigned long long now = stat_of(other, "requests");

        if (now - before < least)
            least = now - before;
        before = now;
    }
    /* On its way through the system a request may take longer than in the server, so that the quickest counts. The busy one was busy
     * all the time, and is not forgotten. */
    assert_true(least <= FEW * world->limits.turn_requests);
    assert_true(busy->received.size < (size_t)REQUESTS * ANSWER);
    client_await_bytes(busy, (size_t)REQUESTS * ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(message_that_stalls, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(raw_bytes_may_stall, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(waiting_for_ones_own_answers, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(many_large_messages, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(many_large_messages_that_stall, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(turn_and_turn_about, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(waiting_for_others, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(many_large_messages_whose_clients_die, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(many_who_do_not_read, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(who_pipelines_without_end, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
