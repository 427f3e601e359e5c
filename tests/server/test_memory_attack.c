/* Many sessions at one time, each with the worst of something: the server's memory for them stays within the bounds of
 * protocol.md, others are served all the while, and nothing is left when they are gone. The server's own counters are
 * compared. */
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
    ATTACKERS = 80,
    BLOCKS = 8,
    BLOCK_SIZE = 60000,
    MESSAGE = 256 * 1024, /* limits, in bytes, */
    BATCH = 64 * 1024,
    GATHERED = 1 << 20,
    UNSENT = 1 << 20,
    WAITS = 200, /* and numbers */
    WATCHES = 200,
    OBSERVERS = 45,
    TRIES = 40, /* waits and watches that one session tries to make, more than its limit */
    ROUNDS = 20
};

static void do_line(struct wire_client *client, const char *request, char *answer, size_t capacity)
{
    wire_send(client, request);
    client_take_line(client, answer, capacity);
    assert_non_null(strstr(answer, "\"result\""));
}

static void set_limits(struct um_limits *limits)
{
    limits->message_bytes = MESSAGE;
    limits->batch_bytes = BATCH;
    limits->gathered_bytes = GATHERED;
    limits->unsent_total_bytes = UNSENT;
    limits->waits_total = WAITS;
    limits->watches_total = WATCHES;
    limits->observers = OBSERVERS;
    limits->turn_requests = 20;
}

/* Waits with long ids, watches of everything and of blocks, and answers that are not read. */
static void observe_and_do_not_read(struct wire_client *client)
{
    char id[1000];
    char text[1400];

    memset(id, 'i', sizeof id);
    id[sizeof id - 1] = '\0';
    for (int i = 0; i < TRIES; i++) {
        snprintf(text, sizeof text, "{\"id\":\"%s\",\"method\":\"block.wait\",\"params\":[\"b%d\",0,0]}\n",
                 id, i % BLOCKS);
        wire_send(client, text);
        snprintf(text, sizeof text, "{\"method\":\"session.watch\",\"params\":{\"block\":\"b%d\"}}\n",
                 i % BLOCKS);
        wire_send(client, text);
    }
    for (int i = 0; i < TRIES; i++)
        wire_send(client, "{\"method\":\"block.read\",\"params\":[\"b0\"]}\n");
}

static void send_half_a_line(struct wire_client *client)
{
    char *text = malloc(MESSAGE);

    assert_non_null(text);
    memset(text, ' ', MESSAGE);
    text[0] = '{';
    wire_send_bytes(client, text, MESSAGE - 100);
    free(text);
}

static void send_half_a_batch(struct wire_client *client)
{
    static char bytes[BATCH];
    char text[256];

    snprintf(text, sizeof text,
             "[{\"method\":\"block.write\",\"params\":{\"block\":\"b1\",\"encoding\":\"raw\",\"size\":%d}}]",
             BLOCK_SIZE);
    wire_send_message(client, text, BLOCK_SIZE);
    wire_send_bytes(client, bytes, BLOCK_SIZE - 10);
}

/* Batches whose answers the client does not read. */
static void request_without_end(struct wire_client *client)
{
    for (int i = 0; i < TRIES; i++)
        wire_send(client, "[{\"id\":1,\"method\":\"rpc.discover\"},{\"id\":2,\"method\":\"server.info\"},"
                          "{\"id\":3,\"method\":\"block.list\"}]\n");
}

static void attack(struct fixture *fixture, unsigned index)
{
    struct wire_client *client = client_open(fixture, index, false);

    switch (index % 4) {
    case 0:
        observe_and_do_not_read(client);
        break;
    case 1:
        send_half_a_line(client);
        break;
    case 2:
        send_half_a_batch(client);
        break;
    default:
        request_without_end(client);
        break;
    }
}

/* As protocol.md states it, with what the parts are that these counters count. */
static void assert_within_bounds(const char *stats)
{
    uint64_t at_work = 10 * (uint64_t)MESSAGE + 4 * (uint64_t)BATCH;

    assert_true(number_in(stats, "waits") <= WAITS);
    assert_true(number_in(stats, "watches") <= WATCHES);
    assert_true(number_in(stats, "peak_gathered_bytes") + number_in(stats, "peak_unsent_bytes") <=
                GATHERED + UNSENT + at_work + ATTACKERS * UINT64_C(128) * 1024 + WAITS * UINT64_C(10240));
    /* Sessions that only stall never use most of their capacity. */
    assert_true(number_in(stats, "gathered_bytes") <= GATHERED + at_work + ATTACKERS * UINT64_C(8192));
}

static void the_worst_of_everything(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    char text[128];
    char line[8192];

    set_limits(&fixture->limits);
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    for (int i = 0; i < BLOCKS; i++) {
        snprintf(text, sizeof text,
                 "{\"method\":\"block.alloc\",\"params\":{\"size\":%d,\"name\":\"b%d\"}}\n", BLOCK_SIZE, i);
        do_line(other, text, line, sizeof line);
    }
    for (unsigned i = 1; i <= ATTACKERS; i++) {
        attack(fixture, i);
        client_ping(other);
    }
    do
        do_line(other, "{\"method\":\"server.stats\"}\n", line, sizeof line);
    while (number_in(line, "observers") == 0);
    assert_true(number_in(line, "waits") > WAITS / 2);
    assert_true(number_in(line, "watches") > WATCHES / 2);
    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < BLOCKS; j++) {
            snprintf(text, sizeof text, "{\"method\":\"block.set\",\"params\":[\"b%d\",0,[%d]]}\n", j, i % 2);
            do_line(other, text, line, sizeof line);
        }
        do_line(other, "{\"method\":\"server.stats\"}\n", line, sizeof line);
        assert_within_bounds(line);
    }
    assert_true(number_in(line, "sessions") == ATTACKERS + 1);
    assert_true(number_in(line, "peak_gathered_bytes") > GATHERED / 2);
    assert_true(number_in(line, "peak_unsent_bytes") > UNSENT / 2);
    for (unsigned i = 1; i <= ATTACKERS; i++)
        wire_close(&fixture->clients[i]);
    do
        do_line(other, "{\"method\":\"server.stats\"}\n", line, sizeof line);
    while (number_in(line, "sessions") != 1);
    assert_int_equal(number_in(line, "waits") + number_in(line, "watches"), 0);
    assert_int_equal(number_in(line, "gathered_bytes") + number_in(line, "unsent_bytes"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_worst_of_everything, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
