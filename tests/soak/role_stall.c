/*
 * The role "stall": connections that stop in the middle of a message, or do not read their answers. Meanwhile others
 * are served. What they send and read later is as if they had not stopped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw_client.h"
#include "role.h"

enum { REST_MS = 60, READS = 40, WAITS = 6, PAYLOAD = 20000 };

/* A block of the worker's client that ends with it, with bytes in it. */
static umem_handle make_block(struct soak *soak, unsigned char *bytes, size_t size)
{
    struct umem_block_options options = {.lifetime = UMEM_LIFETIME_SESSION};
    umem_handle block;

    while (!MADE(soak, umem_block_alloc(soak->client, size, &options, &block)))
        soak_pause();
    soak_random_bytes(soak, bytes, size);
    EXPECT(soak, UMEM_OK, umem_block_write(soak->client, block, 0, bytes, size));
    return block;
}

static void open_it(struct raw *raw, struct soak *soak)
{
    while (!raw_open(raw, soak)) {
        raw_close(raw);
        soak_pause();
    }
}

/* The stalled one rests, the other one is served. */
static void stand_still(struct raw *raw)
{
    raw->soak->counters[COUNTER_STALLS]++;
    EXPECT(raw->soak, UMEM_OK, umem_server_ping(raw->soak->client));
    raw_pause(raw, (unsigned)soak_below(raw->soak, REST_MS));
    EXPECT(raw->soak, UMEM_OK, umem_server_ping(raw->soak->client));
}

static void half_a_line(struct soak *soak)
{
    static const char line[] = "{\"id\":5,\"method\":\"server.ping\"}\n";
    size_t cut = (size_t)soak_below(soak, sizeof line - 2) + 1;
    struct raw raw;

    open_it(&raw, soak);
    wire_send_bytes(&raw.wire, line, cut);
    stand_still(&raw);
    if (soak_chance(soak, 2)) {
        wire_send(&raw.wire, line + cut);
        (void)raw_expect_result(&raw, 5);
    }
    raw_close(&raw);
}

/* A raw write that stops: what has come is there, what follows comes to stand behind it. */
static void half_a_payload(struct soak *soak)
{
    static unsigned char bytes[PAYLOAD];
    static unsigned char found[PAYLOAD];
    umem_handle block = make_block(soak, found, PAYLOAD);
    size_t cut = (size_t)soak_below(soak, PAYLOAD);
    size_t payload_size;
    struct raw raw;
    char text[160];
    char *answer;
    bool is_answered;

    soak_random_bytes(soak, bytes, PAYLOAD);
    open_it(&raw, soak);
    snprintf(text, sizeof text,
             "{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":%llu,\"encoding\":\"raw\"}}",
             (unsigned long long)block);
    wire_send_message(&raw.wire, text, PAYLOAD);
    wire_send_bytes(&raw.wire, bytes, cut);
    stand_still(&raw);
    if (soak_chance(soak, 3)) {
        raw_close(&raw);
        EXPECT(soak, UMEM_OK, umem_block_free(soak->client, block));
        return;
    }
    if (soak_chance(soak, 3)) {
        EXPECT(soak, UMEM_OK, umem_block_free(soak->client, block));
        block = 0;
    }
    wire_send_bytes(&raw.wire, bytes + cut, PAYLOAD - cut);
    /* A connection beyond the limit of sessions was refused with a line, and is over. */
    while (raw.wire.received.size == 0 && !raw.wire.is_over)
        raw_pause(&raw, 1);
    answer = raw.wire.received.size != 0 && raw.wire.received.data[0] == 'C'
                 ? wire_take_message(&raw.wire, &payload_size)
                 : NULL;
    is_answered = answer != NULL;
    if (is_answered) {
        raw_check_answer(soak, answer, block != 0 ? 0 : UMEM_E_STALE_HANDLE);
        REQUIRE(soak, block == 0 || strstr(answer, "\"size\":20000") != NULL);
    }
    free(answer);
    raw_close(&raw);
    if (block == 0)
        return;
    EXPECT(soak, UMEM_OK, umem_block_read(soak->client, block, 0, found, PAYLOAD));
    REQUIRE(soak, !is_answered || memcmp(found, bytes, PAYLOAD) == 0);
    EXPECT(soak, UMEM_OK, umem_block_free(soak->client, block));
}

/* Takes all answers, and compares their bytes; none, where the connection was refused by the limit of sessions. */
static void take_reads(struct raw *raw, const unsigned char *bytes, size_t size)
{
    unsigned char *received = malloc(size + 1);
    size_t payload_size;
    char wanted[32];

    if (received == NULL)
        FAIL(raw->soak, "no memory");
    for (int i = 0; i < READS; i++) {
        char *answer;

        while (raw->wire.received.size == 0 && !raw->wire.is_over)
            raw_pause(raw, 1);
        if (i == 0 && (raw->wire.received.size == 0 || raw->wire.received.data[0] != 'C'))
            break;
        answer = wire_take_message(&raw->wire, &payload_size);
        if (answer == NULL)
            FAIL(raw->soak, "the daemon has ended the connection of a slow reader after %d answers", i);
        snprintf(wanted, sizeof wanted, "\"id\":%d,\"result\"", i);
        REQUIRE(raw->soak, strstr(answer, wanted) != NULL && payload_size == size);
        REQUIRE(raw->soak, wire_take(&raw->wire, received, size) && memcmp(received, bytes, size) == 0);
        free(answer);
        if (soak_chance(raw->soak, 8)) {
            wire_stop_reading(&raw->wire);
            raw_pause(raw, 2);
            wire_read(&raw->wire);
        }
    }
    free(received);
}

/* Requests much and does not read; then reads slowly, or disconnects. */
static void slow_reader(struct soak *soak)
{
    static unsigned char bytes[200000];
    size_t size = (size_t)soak_below(soak, sizeof bytes) + 1;
    umem_handle block = make_block(soak, bytes, size);
    struct raw raw;
    char text[160];

    open_it(&raw, soak);
    wire_stop_reading(&raw.wire);
    for (int i = 0; i < READS; i++) {
        snprintf(text, sizeof text,
                 "{\"id\":%d,\"method\":\"block.read\",\"params\":{\"block\":%llu,\"encoding\":\"raw\"}}", i,
                 (unsigned long long)block);
        wire_send_message(&raw.wire, text, 0);
    }
    stand_still(&raw);
    if (soak_chance(soak, 2)) {
        wire_read(&raw.wire);
        take_reads(&raw, bytes, size);
        EXPECT(soak, UMEM_OK, umem_block_free(soak->client, block));
        raw_close(&raw);
        return;
    }
    /* An answer that is being sent straight from the block keeps its memory. */
    EXPECT(soak, UMEM_OK, umem_block_free(soak->client, block));
    stand_still(&raw);
    raw_close(&raw);
}

/* Calls that wait: some are taken back, the others answered at once by a write, or left alone with the connection's end. */
static void waits(struct soak *soak)
{
    unsigned char bytes[8];
    umem_handle block = make_block(soak, bytes, sizeof bytes);
    int64_t value;
    int64_t other;
    struct raw raw;
    char text[200];
    bool is_served;

    EXPECT(soak, UMEM_OK, umem_block_get(soak->client, block, 0, UMEM_TYPE_I64, &value, 1));
    other = value ^ 1;
    open_it(&raw, soak);
    for (int i = 0; i < WAITS; i++) {
        snprintf(text, sizeof text,
                 "{\"id\":%d,\"method\":\"block.wait\",\"params\":{\"block\":%llu,\"offset\":0,\"value\":\"%"
                 "lld\",\"type\":\"i64\"}}\n",
                 i, (unsigned long long)block, (long long)value);
        wire_send(&raw.wire, text);
    }
    wire_send(&raw.wire, "{\"id\":100,\"method\":\"server.ping\"}\n");
    is_served = raw_expect_result(&raw, 100);
    stand_still(&raw);
    if (is_served) {
        for (int i = 0; i < WAITS; i += 2) {
            snprintf(text, sizeof text,
                     "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":%d}}\n", i);
            wire_send(&raw.wire, text);
            raw_expect_error(&raw, UMEM_E_CANCELLED);
        }
    }
    if (is_served && soak_chance(soak, 2)) {
        EXPECT(soak, UMEM_OK, umem_block_set(soak->client, block, 0, UMEM_TYPE_I64, &other, 1));
        for (int i = 1; i < WAITS; i += 2)
            REQUIRE(soak, raw_expect_result(&raw, i));
    }
    raw_close(&raw);
    EXPECT(soak, UMEM_OK, umem_block_set(soak->client, block, 0, UMEM_TYPE_I64, &value, 1));
    EXPECT(soak, UMEM_OK, umem_block_free(soak->client, block));
}

static void run(struct soak *soak)
{
    static void (*const kinds[])(struct soak *) = {half_a_line, half_a_payload, slow_reader, waits};

    while (soak_next_step(soak))
        kinds[soak_below(soak, sizeof kinds / sizeof kinds[0])](soak);
}

const struct role role_stall = {
    .name = "stall", .members = 1, .steps = 60, .may_be_killed = true, .run = run};
