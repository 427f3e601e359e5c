/* Several clients at one time: batches are not mixed, waits are answered, watches are notified. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server_fixture.h"

static void make_block(struct wire_client *client, size_t size, const char *name)
{
    char text[256];

    snprintf(text, sizeof text, "{\"method\":\"block.alloc\",\"params\":{\"size\":%zu,\"name\":\"%s\"}}\n",
             size, name);
    wire_send(client, text);
    client_take_line(client, text, sizeof text);
    assert_non_null(strstr(text, "\"result\""));
}

/* Sends a line that is answered with a result. */
static void do_line(struct wire_client *client, const char *line)
{
    char answer[1024];

    wire_send(client, line);
    client_take_line(client, answer, sizeof answer);
    if (strstr(answer, "\"result\"") == NULL)
        fail_msg("%s", answer);
}

/* Reads the number behind a key, the `nth` time that it stands there, counted from 0. */
static unsigned long long number_of(const char *line, const char *key, int nth)
{
    const char *at = strstr(line, key);

    while (at != NULL && nth-- > 0)
        at = strstr(at + 1, key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

/* ---- batches ---- */

enum { ROUNDS = 300 };

/* What the writers send: both numbers go up by one, with much else in between. */
static const char two_steps[] =
    "[{\"id\":1,\"method\":\"block.add\",\"params\":[\"n\",0,1,\"i64\"]},{\"method\":\"block.fill\","
    "\"params\":["
    "\"big\",1]},"
    "{\"method\":\"block.copy\",\"params\":[\"big\",\"big\",0,1,1500000]},{\"method\":\"session.list\"},"
    "{\"id\":2,\"method\":\"block.add\",\"params\":[\"n\",8,1,\"i64\"]}]\n";

static const char two_looks[] =
    "[{\"id\":1,\"method\":\"block.get\",\"params\":[\"n\",0,\"i64\"]},{\"method\":\"session.list\"},"
    "{\"id\":2,\"method\":\"block.get\",\"params\":[\"n\",8,\"i64\"]}]\n";

/* Two clients write the two numbers of one block in batches and two read both: the numbers are always equal, though
 * each client has many pending batches, and one of them keeps the daemon at a long call, too. */
static void batches_are_not_mixed(void **state)
{
    static char line[65536];
    struct fixture *fixture = *state;
    struct wire_client *clients[4];
    struct wire_client *busy;
    unsigned long long last[4] = {0};

    fixture->limits.turn_requests = 3;
    fixture_start_server(fixture);
    for (unsigned i = 0; i < 4; i++)
        clients[i] = client_open(fixture, i, true);
    busy = client_open(fixture, 4, true);
    make_block(busy, 16, "n");
    make_block(busy, 2000000, "big");
    make_block(busy, 8000000, "long");
    wire_send(busy, "{\"method\":\"block.fill\",\"params\":[\"long\",1]}\n"
                    "{\"method\":\"block.add\",\"params\":[\"n\",0,0,\"i64\"]}\n");
    for (int i = 0; i < ROUNDS / 10; i++) {
        for (int j = 0; j < 10; j++) {
            wire_send(clients[j % 2], two_steps);
            wire_send(clients[2 + j % 2], two_looks);
        }
        fixture_run_once(fixture);
    }
    for (int i = 0; i < ROUNDS / 2; i++) {
        for (int j = 0; j < 4; j++) {
            unsigned long long first;
            unsigned long long second;
            const char *key = j < 2 ? "\"new\":" : "\"values\":[";

            client_take_line(clients[j], line, sizeof line);
            first = number_of(line, key, 0);
            second = number_of(line, key, 1);
            assert_int_equal(first, second);
            assert_true(first >= last[j]);
            last[j] = first;
        }
    }
    assert_int_equal(last[0] > last[1] ? last[0] : last[1], ROUNDS);
}

/* With headers and raw bytes, which come in pieces: a batch runs as a whole when its last byte has come. */
static void raw_batches_are_not_mixed(void **state)
{
    static const char batch[] = "[{\"id\":1,\"method\":\"block.write\",\"params\":[\"n\",null,0,\"raw\",4]},{"
                                "\"method\":\"server.ping\"},"
                                "{\"id\":2,\"method\":\"block.write\",\"params\":[\"n\",null,4,\"raw\",4]},"
                                "{\"id\":3,\"method\":\"block.read\",\"params\":[\"n\",0,8,\"raw\"]}]";
    static const char look[] = "{\"method\":\"block.read\",\"params\":[\"n\",0,8,\"utf8\"]}\n";
    struct fixture *fixture = *state;
    struct wire_client *reader;
    struct wire_client *writers[2];
    char line[256];

    fixture_start_server(fixture);
    reader = client_open(fixture, 2, true);
    make_block(reader, 8, "n");
    do_line(reader, "{\"method\":\"block.write\",\"params\":[\"n\",\"--------\",0,\"utf8\"]}\n");
    for (unsigned i = 0; i < 2; i++) {
        writers[i] = client_open(fixture, i, true);
        client_ping(reader);
    }
    for (int round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 2; i++)
            wire_send_message(writers[i], batch, 8);
        for (int at = 0; at < 8; at++) {
            wire_send(writers[0], round % 2 == 0 ? "a" : "b");
            wire_send(writers[1], "c");
            wire_send(reader, look);
            client_take_line(reader, line, sizeof line);
            /* All eight bytes are one writer's. */
            assert_true(strstr(line, "--------") != NULL || strstr(line, "aaaaaaaa") != NULL ||
                        strstr(line, "bbbbbbbb") != NULL || strstr(line, "cccccccc") != NULL);
        }
        for (unsigned i = 0; i < 2; i++) {
            const char *wanted = i == 1 ? "cccccccc" : round % 2 == 0 ? "aaaaaaaa" : "bbbbbbbb";

            client_take_line(writers[i], line, sizeof line);
            client_expect(writers[i], "Payload-Length: 8\r\n\r\n");
            client_await_bytes(writers[i], (size_t)number_of(line, "Content-Length: ", 0));
            um_buf_consume(&writers[i]->received, (size_t)number_of(line, "Content-Length: ", 0));
            client_expect(writers[i], wanted);
        }
    }
}

/* ---- waits ---- */

static void a_wait_is_answered(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *waiting;
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    waiting = client_open(fixture, 1, true);
    make_block(other, 8, "n");
    wire_send(waiting, "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0]}\n");
    client_ping(waiting);
    client_ping(other);
    assert_int_equal(waiting->received.size, 0);
    do_line(other, "{\"method\":\"block.set\",\"params\":[\"n\",0,[5]]}\n");
    client_expect(waiting, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"value\":5}}\n");
}

/* Time passes while nothing else happens; the shortest comes first. */
static void waits_run_out_of_time(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char line[512];

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    make_block(client, 8, "n");
    wire_send(client, "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0,\"i64\",60]}\n"
                      "{\"id\":2,\"method\":\"block.wait\",\"params\":[\"n\",0,0,\"i64\",20]}\n"
                      "{\"id\":3,\"method\":\"block.wait\",\"params\":[\"n\",0,0,\"i64\",40]}\n"
                      "{\"id\":4,\"method\":\"block.wait\",\"params\":[\"n\",0,0,\"i64\",9007199254740991]}\n"
                      "{\"id\":5,\"method\":\"block.wait\",\"params\":[\"n\",0,0,\"i64\",0]}\n");
    for (int i = 0; i < 4; i++) {
        static const unsigned order[] = {5, 2, 3, 1};

        client_take_line(client, line, sizeof line);
        assert_int_equal(number_of(line, "\"id\":", 0), order[i]);
        assert_non_null(strstr(line, "\"timeout\""));
    }
    client_ping(client);
}

/* Its calls that wait, its lock and its place in a queue end with it. */
static void a_client_dies_while_it_waits(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *dying[3];
    struct wire_client *other;
    char line[4096];

    fixture_start_server(fixture);
    other = client_open(fixture, 3, true);
    make_block(other, 8, "n");
    do_line(other, "{\"method\":\"heap.create\",\"params\":{\"name\":\"h\"}}\n");
    for (unsigned i = 0; i < 3; i++) {
        dying[i] = client_open(fixture, i, true);
        wire_send(dying[i], "{\"method\":\"heap.lock\",\"params\":[\"h\",100000]}\n"
                            "{\"method\":\"block.wait\",\"params\":[\"n\",0,0]}\n");
        client_ping(other);
    }
    client_take_line(dying[0], line, sizeof line);
    wire_close(dying[1]);
    wire_close(dying[0]);
    client_expect(dying[2], "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n");
    wire_close(dying[2]);
    do_line(other, "{\"method\":\"heap.lock\",\"params\":[\"h\",100000]}\n");
    do_line(other, "{\"method\":\"block.set\",\"params\":[\"n\",0,[5]]}\n");
    do {
        wire_send(other, "{\"method\":\"server.stats\"}\n");
        client_take_line(other, line, sizeof line);
    } while (strstr(line, "\"sessions\":1,") == NULL);
}

/* A session that ends in order does not wait for its own calls that wait. */
static void the_server_ends_while_others_wait(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *waiting;
    struct wire_client *closing;
    char line[256];

    fixture_start_server(fixture);
    waiting = client_open(fixture, 0, true);
    closing = client_open(fixture, 1, true);
    make_block(waiting, 8, "n");
    wire_send(waiting, "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0]}\n");
    wire_send(closing, "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0]}\n");
    client_ping(closing);
    do_line(closing, "{\"method\":\"session.close\",\"params\":[2]}\n");
    client_expect_close(closing);
    client_ping(waiting);
    wire_send(waiting, "{\"method\":\"server.shutdown\"}\n");
    client_take_line(waiting, line, sizeof line);
    client_expect_close(waiting);
}

/* ---- watches ---- */

/* With a small limit of unsent bytes, all watches are notified in the end: notifications that do not fit at first
 * follow without a request. */
static void many_watches_are_all_notified(void **state)
{
    enum { WATCHES = 100 };
    struct fixture *fixture = *state;
    struct wire_client *watching;
    struct wire_client *other;
    char line[512];

    fixture->limits.unsent_bytes = 1024;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    watching = client_open(fixture, 1, true);
    make_block(other, 8, "n");
    for (int i = 0; i < WATCHES; i++)
        do_line(watching, "{\"method\":\"session.watch\",\"params\":{\"block\":\"n\"}}\n");
    do_line(other, "{\"method\":\"block.fill\",\"params\":[\"n\",1]}\n");
    for (unsigned i = 1; i <= WATCHES; i++) {
        client_take_line(watching, line, sizeof line);
        assert_non_null(strstr(line, "block.changed"));
        assert_int_equal(number_of(line, "\"watch\":", 0), i);
    }
    client_ping(watching);
}

static void make_changes(struct wire_client *other, unsigned count)
{
    char text[128];

    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof text, "{\"method\":\"block.fill\",\"params\":[\"n\",1,%u,1]}\n", i % 1000);
        do_line(other, text);
    }
}

/* A client that does not read is notified of more and more changes: its unsent bytes do not grow, no other client
 * waits, and when it reads again, the missed changes come as one notification. */
static void a_slow_client_receives_joined_notifications(void **state)
{
    enum { CHANGES = 2000 };
    struct fixture *fixture = *state;
    struct wire_client *watching;
    struct wire_client *other;
    char line[4096];
    unsigned notifications = 0;
    unsigned long long covered;

    fixture->limits.unsent_bytes = 4096;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    watching = client_open(fixture, 1, true);
    make_block(other, 1000, "n");
    do_line(watching, "{\"method\":\"session.watch\",\"params\":{\"block\":\"n\"}}\n");
    uv_read_stop((uv_stream_t *)&watching->pipe);
    make_changes(other, CHANGES);
    wire_send(other, "{\"method\":\"session.list\"}\n");
    client_take_line(other, line, sizeof line);
    /* The limit, and the notifications that were written when it was not reached yet. */
    assert_true(number_of(line, "\"queued_bytes\":", 1) < 2 * 4096);
    wire_read(watching);
    wire_send(watching, "{\"id\":\"end\",\"method\":\"server.ping\"}\n");
    for (;; notifications++) {
        client_take_line(watching, line, sizeof line);
        if (strstr(line, "\"id\":\"end\"") != NULL)
            break;
        assert_non_null(strstr(line, "block.changed"));
        covered = number_of(line, "\"size\":", 0);
        assert_in_range(covered, 1, 1000);
    }
    assert_true(notifications < CHANGES);
    make_changes(other, 1);
    client_take_line(watching, line, sizeof line);
    assert_non_null(strstr(line, "block.changed"));
}

/* With the header framing, an answer of a pending call and a notification follow the bytes of a raw read that is being
 * sent, never among them. */
static void notifications_beside_raw_bytes(void **state)
{
    enum { SIZE = 3000000 };
    static const char read[] = "{\"id\":2,\"method\":\"block.read\",\"params\":[\"big\",0,3000000,\"raw\"]}";
    struct fixture *fixture = *state;
    struct wire_client *watching;
    struct wire_client *other;
    char line[256];
    size_t size;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    watching = client_open(fixture, 1, true);
    make_block(other, 8, "n");
    make_block(other, SIZE, "big");
    do_line(other, "{\"method\":\"block.fill\",\"params\":[\"big\",120]}\n");
    wire_send_message(watching, "{\"id\":1,\"method\":\"session.watch\",\"params\":{\"block\":\"n\"}}", 0);
    client_take_line(watching, line, sizeof line);
    size = (size_t)number_of(line, "Content-Length: ", 0) + 2;
    client_await_bytes(watching, size);
    um_buf_consume(&watching->received, size);
    watching->enough = 1000;
    wire_send_message(watching, "{\"id\":5,\"method\":\"block.wait\",\"params\":[\"n\",0,0]}", 0);
    wire_send_message(watching, read, 0);
    client_await_bytes(watching, 1000);
    do_line(other, "{\"method\":\"block.fill\",\"params\":[\"n\",1]}\n");
    wire_read(watching);
    client_take_line(watching, line, sizeof line);
    size = (size_t)number_of(line, "Content-Length: ", 0);
    client_expect(watching, "Payload-Length: 3000000\r\n\r\n");
    client_await_bytes(watching, size + SIZE);
    um_buf_consume(&watching->received, size);
    for (size_t i = 0; i < SIZE; i++) {
        if (watching->received.data[i] != 'x')
            fail_msg("byte %zu is not the block's", i);
    }
    um_buf_consume(&watching->received, SIZE);
    client_take_line(watching, line, sizeof line);
    size = (size_t)number_of(line, "Content-Length: ", 0) + 2;
    client_await_bytes(watching, size);
    assert_memory_equal(watching->received.data, "\r\n{\"jsonrpc\":\"2.0\",\"id\":5,\"result\"", 34);
    um_buf_consume(&watching->received, size);
    client_take_line(watching, line, sizeof line);
    client_await_bytes(watching, (size_t)number_of(line, "Content-Length: ", 0) + 2);
    assert_non_null(strstr(watching->received.data, "block.changed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(batches_are_not_mixed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(raw_batches_are_not_mixed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_wait_is_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(waits_run_out_of_time, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_client_dies_while_it_waits, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_server_ends_while_others_wait, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_watches_are_all_notified, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_slow_client_receives_joined_notifications, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(notifications_beside_raw_bytes, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
