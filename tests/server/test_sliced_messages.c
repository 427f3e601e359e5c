/* Messages that are read in steps: others are served between, what stands behind them waits, and any of it may end in the middle. */
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
    LONG_SIZE = 1 << 20, /* bytes of a long message's string, */
    PINGS_BETWEEN = 3 /* of another client, that are answered at least while it is read: it takes 8 slices */
};

#define ANSWER(id) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":{}}\n"

/* A text with so many escapes in the middle; to be freed. */
static char *long_text(const char *before, const char *behind)
{
    char *text = malloc(strlen(before) + LONG_SIZE + strlen(behind) + 1);
    char *at;

    assert_non_null(text);
    at = text + sprintf(text, "%s", before);
    for (size_t i = 0; i < LONG_SIZE / 2; i++, at += 2)
        memcpy(at, "\\n", 2);
    sprintf(at, "%s", behind);
    return text;
}

static void send_long(struct wire_client *client, const char *before, const char *behind)
{
    char *text = long_text(before, behind);

    wire_send(client, text);
    free(text);
}

static bool is_gathered(const void *what)
{
    return ((const struct wire_client *)what)->unwritten == 0;
}

/* Until the server has all of it, which it then is reading. */
static void await_reading(struct wire_client *client, struct wire_client *other)
{
    fixture_run_until(fixture_of(client), is_gathered, client);
    while (stat_of(other, "gathered_bytes") < LONG_SIZE)
        client_ping(other);
}

static void others_are_served_while_a_message_is_read(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    struct wire_client *client;
    unsigned pings = 0;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    client = client_open(fixture, 1, true);
    /* Several texts on the line, and another line behind it. */
    send_long(client, "{\"id\":1,\"method\":\"server.ping\",\"x\":\"",
              "\"}{\"id\":2,\"method\":\"server.ping\"}[{\"id\":3,\"method\":\"server.ping\"}]\n"
              "{\"id\":4,\"method\":\"server.ping\"}\n");
    await_reading(client, other);
    while (client->received.size == 0) {
        client_ping(other);
        pings++;
    }
    assert_in_range(pings, PINGS_BETWEEN, 1000);
    client_expect(client, ANSWER(1) ANSWER(2) "[{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}]\n" ANSWER(4));
    assert_int_equal(stat_of(other, "gathered_bytes"), 0);
}

static void malformed_messages_are_answered(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char line[512];

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    send_long(client, "{\"id\":1,\"method\":\"server.ping\",\"x\":\"",
              "\"x}{\"id\":2,\"method\":\"server.ping\"}\n");
    client_take_line(client, line, sizeof line);
    assert_non_null(strstr(line, "-32700"));
    assert_non_null(strstr(line, "a comma or the container's end is wanted at byte 1048613"));
    client_expect(client, ANSWER(2));
}

/* Raw bytes, for a call of its own and for a batch, behind a message that is read in steps. */
static void raw_bytes_follow_a_long_message(void **state)
{
    static const char *const messages[][2] = {
        {"{\"id\":2,\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"},\"x\":\"",
         "\"}"},
        {"[{\"id\":3,\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\",\"size\":4},"
         "\"x\":\"",
         "\"},{\"id\":4,\"method\":\"block.read\",\"params\":{\"block\":\"b\"}}]"},
    };
    static const char *const payloads[] = {"wxyz", "abcd"};
    struct fixture *fixture = *state;
    struct wire_client *client;
    char text[512];

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send_message(client, "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"b\"}}",
                      0);
    client_take_message(client, text, sizeof text);
    for (int i = 0; i < 2; i++) {
        char *message = long_text(messages[i][0], messages[i][1]);

        wire_send_message(client, message, 4);
        wire_send(client, payloads[i]);
        free(message);
        client_take_message(client, text, sizeof text);
        assert_non_null(strstr(text, "\"result\":{\"size\":4}"));
    }
    assert_non_null(strstr(text, "\"data\":\"YWJjZA==\""));
}

/* The messages of one process are read one after the other; if one ends with its session, the next one is read. */
static void sessions_end_while_theirs_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *clients[4];
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    for (unsigned i = 0; i < 4; i++) {
        clients[i] = client_open(fixture, 1 + i, true);
        send_long(clients[i], "{\"id\":1,\"method\":\"server.ping\",\"x\":\"", "\"}\n");
    }
    await_reading(clients[0], other);
    wire_close(clients[0]);
    wire_close(clients[2]);
    client_expect(clients[1], ANSWER(1));
    client_expect(clients[3], ANSWER(1));
    while (stat_of(other, "sessions") != 3)
        client_ping(other);
    assert_int_equal(stat_of(other, "gathered_bytes"), 0);
}

static void the_server_stops_while_messages_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    for (unsigned i = 1; i < 4; i++) {
        client = client_open(fixture, i, true);
        send_long(client, "[{\"id\":1,\"method\":\"server.ping\",\"x\":\"", "\"}]\n");
    }
    await_reading(client, other);
    fixture_stop_server(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(others_are_served_while_a_message_is_read, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(malformed_messages_are_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(raw_bytes_follow_a_long_message, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(sessions_end_while_theirs_are_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_server_stops_while_messages_are_read, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
