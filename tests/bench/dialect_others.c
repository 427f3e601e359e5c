#include "dialect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_common.h"

enum {
    LARGE = 1 << 20,   /* from here on Redis reads the whole string, which is its fastest */
    NUMBER_BASE = 1000 /* memcached's numbers do not go below 0, and keep the length that they once had */
};

/* ---- Redis: RESP2 ---- */

/* Appends one word of a command. */
static void word(struct ring *ring, const void *bytes, size_t size)
{
    ring_request(ring, "$%zu\r\n", size);
    ring_request_bytes(ring, bytes, size);
    ring_request(ring, "\r\n");
}

static void word_key(struct ring *ring, const struct keys *keys, unsigned key)
{
    char name[16];

    word(ring, name, (size_t)snprintf(name, sizeof name, "%c%03u", keys->letter, key));
}

static void word_number(struct ring *ring, long long number)
{
    char text[24];

    word(ring, text, (size_t)snprintf(text, sizeof text, "%lld", number));
}

static void expect_string(struct ring *ring, const struct keys *keys, unsigned key)
{
    ring_expect(ring, "$%zu\r\n", keys->size);
    ring_expect_bytes(ring, keys->bytes + key * keys->size, keys->size);
    ring_expect(ring, "\r\n");
}

static void request_getrange(struct ring *ring, const struct keys *keys, unsigned key)
{
    ring_request(ring, "*4\r\n$8\r\nGETRANGE\r\n");
    word_key(ring, keys, key);
    word_number(ring, 0);
    word_number(ring, (long long)keys->size - 1);
}

static void request_make(struct ring *ring, const struct keys *keys, unsigned key)
{
    ring_request(ring, "*3\r\n$3\r\nSET\r\n");
    word_key(ring, keys, key);
    if (keys->numbers)
        word_number(ring, 0);
    else
        word(ring, keys->bytes + key * keys->size, keys->size);
    ring_expect(ring, "+OK\r\n");
}

void redis_append_step(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                       const struct step *step)
{
    (void)dialect;
    if (step->kind == STEP_GET || (step->kind == STEP_READ && keys->size >= LARGE)) {
        ring_request(ring, "*2\r\n$3\r\nGET\r\n");
        word_key(ring, keys, step->key);
        expect_string(ring, keys, step->key);
    } else if (step->kind == STEP_READ) {
        request_getrange(ring, keys, step->key);
        expect_string(ring, keys, step->key);
    } else if (step->kind == STEP_WRITE) {
        ring_request(ring, "*4\r\n$8\r\nSETRANGE\r\n");
        word_key(ring, keys, step->key);
        word_number(ring, 0);
        word(ring, keys->bytes + step->key * keys->size, keys->size);
        ring_expect(ring, ":%zu\r\n", keys->size);
    } else if (step->kind == STEP_ADD) {
        ring_request(ring, "*3\r\n$6\r\nINCRBY\r\n");
        word_key(ring, keys, step->key);
        word_number(ring, step->value);
        ring_expect(ring, ":%d\r\n", step->before + step->value);
    } else if (step->kind == STEP_COPY) {
        ring_request(ring, "*4\r\n$4\r\nCOPY\r\n");
        word_key(ring, keys, step->key);
        word_key(ring, keys, step->target);
        ring_request(ring, "$7\r\nREPLACE\r\n");
        ring_expect(ring, ":1\r\n");
    } else if (step->kind == STEP_MAKE || step->kind == STEP_PUT) {
        request_make(ring, keys, step->key);
    } else {
        ring_request(ring, "*2\r\n$6\r\nUNLINK\r\n");
        word_key(ring, keys, step->key);
        ring_expect(ring, ":1\r\n");
    }
    ring_end(ring);
}

/* A transaction: with nothing of another client's in between, as a batch of umemd's is. */
void redis_append_batch(struct ring *ring, const struct keys *keys, unsigned first, unsigned count)
{
    ring_request(ring, "*1\r\n$5\r\nMULTI\r\n");
    ring_expect(ring, "+OK\r\n");
    for (unsigned i = 0; i < count; i++) {
        request_getrange(ring, keys, (first + i) % keys->count);
        ring_expect(ring, "+QUEUED\r\n");
    }
    ring_request(ring, "*1\r\n$4\r\nEXEC\r\n");
    ring_expect(ring, "*%u\r\n", count);
    for (unsigned i = 0; i < count; i++)
        expect_string(ring, keys, (first + i) % keys->count);
    ring_end(ring);
}

/* ---- memcached: the text protocol ---- */

static void request_set(struct ring *ring, const struct keys *keys, unsigned key)
{
    if (keys->numbers) {
        ring_request(ring, "set %c%03u 0 0 4\r\n%d\r\n", keys->letter, key, NUMBER_BASE);
    } else {
        ring_request(ring, "set %c%03u 0 0 %zu\r\n", keys->letter, key, keys->size);
        ring_request_bytes(ring, keys->bytes + key * keys->size, keys->size);
        ring_request(ring, "\r\n");
    }
    ring_expect(ring, "STORED\r\n");
}

static void expect_value(struct ring *ring, const struct keys *keys, unsigned key)
{
    ring_expect(ring, "VALUE %c%03u 0 %zu\r\n", keys->letter, key, keys->size);
    ring_expect_bytes(ring, keys->bytes + key * keys->size, keys->size);
    ring_expect(ring, "\r\n");
}

void memcached_append_step(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                           const struct step *step)
{
    (void)dialect;
    if (step->kind == STEP_READ || step->kind == STEP_GET) {
        ring_request(ring, "get %c%03u\r\n", keys->letter, step->key);
        expect_value(ring, keys, step->key);
        ring_expect(ring, "END\r\n");
    } else if (step->kind == STEP_WRITE || step->kind == STEP_MAKE || step->kind == STEP_PUT) {
        request_set(ring, keys, step->key);
    } else if (step->kind == STEP_ADD) {
        ring_request(ring, "%s %c%03u 1\r\n", step->value > 0 ? "incr" : "decr", keys->letter, step->key);
        ring_expect(ring, "%d\r\n", NUMBER_BASE + step->before + step->value);
    } else if (step->kind == STEP_DROP) {
        ring_request(ring, "delete %c%03u\r\n", keys->letter, step->key);
        ring_expect(ring, "DELETED\r\n");
    } else {
        give_up("memcached cannot copy");
    }
    ring_end(ring);
}

void memcached_append_batch(struct ring *ring, const struct keys *keys, unsigned first, unsigned count)
{
    ring_request(ring, "get");
    for (unsigned i = 0; i < count; i++)
        ring_request(ring, " %c%03u", keys->letter, (first + i) % keys->count);
    ring_request(ring, "\r\n");
    for (unsigned i = 0; i < count; i++)
        expect_value(ring, keys, (first + i) % keys->count);
    ring_expect(ring, "END\r\n");
    ring_end(ring);
}

/* ---- keys, for both ---- */

/* Sends one step for the first `count` keys, once. */
static void send_for_all(const struct keys *keys, enum step_kind kind, unsigned count)
{
    const struct dialect *dialect = &dialects[keys->server->kind == SERVER_MEMCACHED ? MEMCACHED : REDIS];
    struct ring ring;

    ring_init(&ring, dialect->name);
    for (unsigned key = 0; key < count; key++)
        dialect->append_step(&ring, dialect, keys, &(struct step){.kind = kind, .key = key});
    drive_once(keys->server->path, &ring.source, count);
    ring_deinit(&ring);
}

void others_make(struct keys *keys, unsigned filled)
{
    struct keys zeros = *keys;
    unsigned char *bytes = calloc(keys->count, keys->size);

    if (bytes == NULL)
        give_up("no memory for %zu bytes", keys->count * keys->size);
    if (!keys->numbers)
        memcpy(bytes, keys->bytes, filled * keys->size);
    zeros.bytes = bytes;
    send_for_all(&zeros, STEP_MAKE, keys->count);
    free(bytes);
}

void others_verify(const struct keys *keys, unsigned count)
{
    send_for_all(keys, STEP_READ, count);
}

void others_drop(struct keys *keys)
{
    send_for_all(keys, STEP_DROP, keys->count);
}
