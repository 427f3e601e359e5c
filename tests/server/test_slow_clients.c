/* Clients that are slow, greedy or dying: no other client waits for them. */
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

enum { BLOCK_SIZE = 60000, ANSWER_SIZE = 80000 }; /* a block, and about what its bytes take as base64 */

static void make_block(struct wire_client *client, size_t size, const char *more)
{
    char text[256];

    snprintf(text, sizeof text, "{\"method\":\"block.alloc\",\"params\":{\"size\":%zu,\"name\":\"b\"%s}}\n",
             size, more);
    wire_send(client, text);
    client_take_line(client, text, sizeof text);
    assert_non_null(strstr(text, "\"result\""));
}

/* Turns the loop until nothing moves: the number of requests stays as it is while another client is
 * served. */
static unsigned long long run_until_idle(struct wire_client *other)
{
    unsigned long long before;
    unsigned long long now = stat_of(other, "bytes_written");

    do {
        before = now;
        for (int i = 0; i < 50; i++)
            client_ping(other);
        now = stat_of(other, "bytes_written");
    } while (now - before > ANSWER_SIZE);
    return stat_of(other, "requests");
}

/* The server does not read from it, its answers do not pile up, others are served; and once it reads, it receives all
 * of them. */
static void client_that_never_reads(void **state)
{
    enum { REQUESTS = 1000 };
    struct fixture *fixture = *state;
    struct wire_client *greedy;
    struct wire_client *other;
    char text[128];
    unsigned long long before;
    unsigned long long after;

    fixture->limits.unsent_bytes = 4 * ANSWER_SIZE;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    greedy = client_open(fixture, 1, false);
    make_block(other, BLOCK_SIZE, "");
    before = stat_of(other, "requests");
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(text, sizeof text, "{\"id\":%d,\"method\":\"block.read\",\"params\":{\"block\":\"b\"}}\n",
                 i);
        wire_send(greedy, text);
    }
    after = run_until_idle(other);
    /* What fits into the limit and the system's own buffers, and the pings of run_until_idle(). */
    assert_true(after - before < 500);

    wire_read(greedy);
    for (int i = 0; i < REQUESTS; i++) {
        static char line[2 * ANSWER_SIZE];

        client_take_line(greedy, line, sizeof line);
        snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"size\":%d,", i, BLOCK_SIZE);
        assert_memory_equal(line, text, strlen(text));
    }
    client_ping(greedy);
}

/* Half of the requests are unread when it disconnects. */
static void client_that_never_reads_and_dies(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *greedy;
    struct wire_client *other;

    fixture->limits.unsent_bytes = 4 * ANSWER_SIZE;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    make_block(other, BLOCK_SIZE, "");
    greedy = client_open(fixture, 1, false);
    for (int i = 0; i < 200; i++)
        wire_send(greedy, "{\"method\":\"block.read\",\"params\":{\"block\":\"b\"}}\n");
    run_until_idle(other);
    wire_close(greedy);
    while (stat_of(other, "sessions") != 1)
        fixture_run_once(fixture);
    client_ping(other);
}

/* A large answer is being sent straight from a block when the client dies; then the block is freed, too. */
static void client_dies_in_the_middle_of_an_answer(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *dying;
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    make_block(other, 8 << 20, "");
    dying = client_open(fixture, 1, true);
    dying->enough = 1000;
    wire_send_message(dying, "{\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}",
                      0);
    client_await_bytes(dying, 1000);
    client_ping(other);
    wire_send(other, "{\"method\":\"block.free\",\"params\":{\"block\":\"b\"}}\n");
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"size\":8388608}}\n");
    client_ping(other);
    wire_close(dying);
    while (stat_of(other, "sessions") != 1)
        fixture_run_once(fixture);
    assert_int_equal(stat_of(other, "blocks"), 0);
}

/* Kills a client once its bytes are being sent, and waits until its session has ended. */
static void kill_client(struct wire_client *dying, struct wire_client *other)
{
    client_flush(dying, other);
    wire_close(dying);
    while (!dying->is_closed || stat_of(other, "sessions") != 1)
        fixture_run_once(fixture_of(dying));
    client_ping(other);
}

/* What it had begun leaves nothing behind, but for the raw bytes that have come already. */
static void client_dies_in_the_middle_of_a_request(void **state)
{
    static const char *const beginnings[] = {
        "{\"method\":\"server.sh",
        "Content-Length: 31\r\nX-",
        "Content-Length: 31\r\n\r\n{\"id\":3,\"method\":\"serv",
    };
    struct fixture *fixture = *state;
    struct wire_client *dying;
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    make_block(other, BLOCK_SIZE, "");
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        dying = client_open(fixture, 1, true);
        wire_send(dying, beginnings[i]);
        kill_client(dying, other);
    }
    dying = client_open(fixture, 1, true);
    wire_send_message(dying, "{\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}",
                      BLOCK_SIZE);
    wire_send(dying, "half of it");
    kill_client(dying, other);
    wire_send(other,
              "{\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"size\":14,\"encoding\":\"utf8\"}}\n");
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"size\":14,\"data\":\"half of it"
                         "\\u0000\\u0000\\u0000\\u0000\"}}\n");
}

/* Its blocks of lifetime session are freed with it. */
static void session_ends_with_its_connection(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    struct wire_client *dying;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    dying = client_open(fixture, 1, true);
    make_block(dying, 100, ",\"lifetime\":\"session\"");
    assert_int_equal(stat_of(other, "blocks"), 1);
    wire_close(dying);
    while (stat_of(other, "blocks") != 0)
        fixture_run_once(fixture);
}

/* The same message again and again, in one write. */
static void send_often(struct wire_client *client, const char *message, int times)
{
    struct um_buf text;

    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < times; i++)
        assert_true(um_buf_append_string(&text, message));
    wire_send_bytes(client, text.data, text.size);
    um_buf_deinit(&text);
}

/* Thousands of requests of one client, in one write, and one of another: that one does not wait for them
 * all. */
static void every_client_is_served(void **state)
{
    enum { REQUESTS = 2000, ANSWER = 36 };
    struct fixture *fixture = *state;
    struct wire_client *busy;
    struct wire_client *other;

    fixture->limits.turn_requests = 2;
    fixture_start_server(fixture);
    busy = client_open(fixture, 0, true);
    other = client_open(fixture, 1, true);
    send_often(busy, "{\"method\":\"server.ping\"}\n", REQUESTS);
    client_ping(other);
    assert_true(busy->received.size < (size_t)REQUESTS * ANSWER / 2);
    client_await_bytes(busy, (size_t)REQUESTS * ANSWER);
}

/* The same where few messages touch many bytes: a turn ends with the bytes, too. */
static void bytes_end_a_turn(void **state)
{
    enum { REQUESTS = 400, ANSWER = 40 };
    struct fixture *fixture = *state;
    struct wire_client *busy;
    struct wire_client *other;

    fixture->limits.turn_bytes = 100000;
    fixture_start_server(fixture);
    busy = client_open(fixture, 0, true);
    other = client_open(fixture, 1, true);
    make_block(other, 100000, "");
    send_often(busy, "{\"method\":\"block.fill\",\"params\":[\"b\",1]}\n", REQUESTS);
    client_ping(other);
    assert_true(busy->received.size < (size_t)REQUESTS * ANSWER / 4);
    client_await_bytes(busy, (size_t)REQUESTS * ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(client_that_never_reads, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(client_that_never_reads_and_dies, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(client_dies_in_the_middle_of_an_answer, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(client_dies_in_the_middle_of_a_request, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(session_ends_with_its_connection, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(every_client_is_served, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(bytes_end_a_turn, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
