#include "dialect.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "bench_common.h"

/* What is being sent: a JSON text, and a payload behind it. */
struct message {
    struct um_buf text;
    const void *payload;
    size_t payload_size;
};

static void UM_PRINTF(2, 3) put(struct message *message, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof text || !um_buf_append(&message->text, text, (size_t)size))
        give_up("a message does not fit");
}

static void put_bytes(struct message *message, enum encoding encoding, const void *bytes, size_t size)
{
    size_t length = encoding == ENCODING_HEX ? 2 * size : um_base64_encoded_size(size);
    char *space = um_buf_reserve(&message->text, length);

    if (space == NULL)
        give_up("no memory for %zu characters", length);
    if (encoding == ENCODING_HEX)
        um_hex_encode(space, bytes, size);
    else
        um_base64_encode(space, bytes, size);
    message->text.size += length;
}

static void frame(const struct dialect *dialect, const struct message *message, struct um_buf *to)
{
    char header[96] = "";

    if (dialect->headers && message->payload_size > 0)
        snprintf(header, sizeof header, "Content-Length: %zu\r\nPayload-Length: %zu\r\n\r\n",
                 message->text.size, message->payload_size);
    else if (dialect->headers)
        snprintf(header, sizeof header, "Content-Length: %zu\r\n\r\n", message->text.size);
    if (!um_buf_append_string(to, header) || !um_buf_append(to, message->text.data, message->text.size) ||
        !um_buf_append(to, message->payload, message->payload_size) ||
        !um_buf_append_string(to, dialect->headers ? "" : "\n"))
        give_up("no memory for a message");
}

/* The members for the encoding of the bytes. */
static const char *encoding_member(enum encoding encoding)
{
    static const char *const members[] = {"", ",\"encoding\":\"hex\"", ",\"encoding\":\"raw\""};

    return members[encoding];
}

static void append_read(struct message *request, struct message *expect, enum encoding encoding,
                        const struct keys *keys, unsigned key)
{
    const unsigned char *bytes = keys->bytes + key * keys->size;

    put(request, "\"method\":\"block.read\",\"params\":{\"block\":%" PRIu64 ",\"offset\":0,\"size\":%zu%s}}",
        keys->blocks[key], keys->size, encoding_member(encoding));
    put(expect, "{\"size\":%zu", keys->size);
    if (encoding == ENCODING_RAW) {
        expect->payload = bytes;
        expect->payload_size = keys->size;
    } else {
        put(expect, ",\"data\":\"");
        put_bytes(expect, encoding, bytes, keys->size);
        put(expect, "\"");
    }
    put(expect, "}}");
}

static void append_write(struct message *request, struct message *expect, enum encoding encoding,
                         const struct keys *keys, unsigned key)
{
    const unsigned char *bytes = keys->bytes + key * keys->size;

    put(request, "\"method\":\"block.write\",\"params\":{\"block\":%" PRIu64 ",\"offset\":0%s",
        keys->blocks[key], encoding_member(encoding));
    if (encoding == ENCODING_RAW) {
        request->payload = bytes;
        request->payload_size = keys->size;
    } else {
        put(request, ",\"data\":\"");
        put_bytes(request, encoding, bytes, keys->size);
        put(request, "\"");
    }
    put(request, "}}");
    put(expect, "{\"size\":%zu}}", keys->size);
}

/* The name of a key's block. */
static const char *name_of(const struct keys *keys, unsigned key)
{
    static char name[16];

    snprintf(name, sizeof name, "%c%03u", keys->letter, key);
    return name;
}

/* There is a block of that name already. */
static void append_put(struct message *request, struct message *expect, enum encoding encoding,
                       const struct keys *keys, unsigned key)
{
    const unsigned char *bytes = keys->bytes + key * keys->size;

    put(request, "\"method\":\"block.alloc\",\"params\":{\"name\":\"%s\",\"if_exists\":\"replace\"%s",
        name_of(keys, key), encoding_member(encoding));
    if (keys->heap != 0)
        put(request, ",\"heap\":%" PRIu64, keys->heap);
    if (encoding == ENCODING_RAW) {
        request->payload = bytes;
        request->payload_size = keys->size;
    } else {
        put(request, ",\"data\":\"");
        put_bytes(request, encoding, bytes, keys->size);
        put(request, "\"");
    }
    put(request, "}}");
    put(expect,
        "{\"block\":" RING_NUMBER ",\"size\":%zu,\"address\":" RING_NUMBER
        ",\"created\":true,\"replaced\":" RING_NUMBER "}}",
        keys->size);
}

static void append_get(struct message *request, struct message *expect, enum encoding encoding,
                       const struct keys *keys, unsigned key)
{
    const unsigned char *bytes = keys->bytes + key * keys->size;

    put(request, "\"method\":\"block.read\",\"params\":{\"block\":\"%s\",\"at_most\":%zu%s}}",
        name_of(keys, key), keys->size, encoding_member(encoding));
    put(expect, "{\"size\":%zu,\"block\":" RING_NUMBER ",\"block_size\":%zu", keys->size, keys->size);
    if (encoding == ENCODING_RAW) {
        expect->payload = bytes;
        expect->payload_size = keys->size;
    } else {
        put(expect, ",\"data\":\"");
        put_bytes(expect, encoding, bytes, keys->size);
        put(expect, "\"");
    }
    put(expect, "}}");
}

void umemd_append_step(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                       const struct step *step)
{
    struct message request = {.payload = ""};
    struct message expect = {.payload = ""};
    unsigned id = 100 + step->key;

    um_buf_init(&request.text, SIZE_MAX / 4);
    um_buf_init(&expect.text, SIZE_MAX / 4);
    put(&request, "{\"jsonrpc\":\"2.0\",\"id\":%u,", id);
    put(&expect, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":", id);
    if (step->kind == STEP_READ) {
        append_read(&request, &expect, dialect->encoding, keys, step->key);
    } else if (step->kind == STEP_WRITE) {
        append_write(&request, &expect, dialect->encoding, keys, step->key);
    } else if (step->kind == STEP_PUT) {
        append_put(&request, &expect, dialect->encoding, keys, step->key);
    } else if (step->kind == STEP_GET) {
        append_get(&request, &expect, dialect->encoding, keys, step->key);
    } else if (step->kind == STEP_ADD) {
        put(&request,
            "\"method\":\"block.add\",\"params\":{\"block\":%" PRIu64
            ",\"offset\":0,\"value\":%d,\"type\":\"i64\"}}",
            keys->blocks[step->key], step->value);
        put(&expect, "{\"old\":%d,\"new\":%d}}", step->before, step->before + step->value);
    } else if (step->kind == STEP_COPY) {
        put(&request, "\"method\":\"block.copy\",\"params\":{\"source\":%" PRIu64 ",\"target\":%" PRIu64 "}}",
            keys->blocks[step->key], keys->blocks[step->target]);
        put(&expect, "{\"size\":%zu}}", keys->size);
    } else {
        give_up("umemd's blocks are made and freed by churn.c: their handles are not known before");
    }
    frame(dialect, &request, &ring->requests);
    frame(dialect, &expect, &ring->answers);
    ring->has_numbers = ring->has_numbers || step->kind == STEP_PUT || step->kind == STEP_GET;
    ring_end(ring);
    um_buf_deinit(&request.text);
    um_buf_deinit(&expect.text);
}

void umemd_append_batch(struct ring *ring, const struct keys *keys, unsigned first, unsigned count)
{
    struct message request = {.payload = ""};
    struct message expect = {.payload = ""};

    um_buf_init(&request.text, SIZE_MAX / 4);
    um_buf_init(&expect.text, SIZE_MAX / 4);
    for (unsigned i = 0; i < count; i++) {
        unsigned key = (first + i) % keys->count;

        put(&request, "%c{\"jsonrpc\":\"2.0\",\"id\":%u,", i == 0 ? '[' : ',', 100 + key);
        put(&expect, "%c{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":", i == 0 ? '[' : ',', 100 + key);
        append_read(&request, &expect, ENCODING_BASE64, keys, key);
    }
    put(&request, "]");
    put(&expect, "]");
    frame(&dialects[UMEMD_LINES_BASE64], &request, &ring->requests);
    frame(&dialects[UMEMD_LINES_BASE64], &expect, &ring->answers);
    ring_end(ring);
    um_buf_deinit(&request.text);
    um_buf_deinit(&expect.text);
}

/* ---- keys ---- */

static void must(int code, umem_client *client, const char *what)
{
    if (code != UMEM_OK)
        give_up("umemd, %s: %s", what, umem_last_error(client)->message);
}

umem_client *umemd_connect(const struct server *server)
{
    struct umem_options options = {.pipe = server->path};
    umem_client *client = umem_client_new(&options);

    must(umem_connect(client), client, "connect");
    return client;
}

umem_handle umemd_make_heap(umem_client *client, const char *kind)
{
    struct umem_heap_options options = {.maximum_size = 1 << 28, .kind = UMEM_HEAP_SHARED};
    umem_handle heap;

    if (kind == NULL)
        return 0;
    if (strcmp(kind, "durable") == 0)
        options.lifetime = UMEM_LIFETIME_DURABLE;
    must(umem_heap_create(client, &options, &heap), client, "heap");
    return heap;
}

void umemd_drop_heap(umem_client *client, umem_handle heap)
{
    if (heap != 0)
        must(umem_heap_destroy(client, heap, NULL, NULL), client, "destroy");
}

void umemd_make(struct keys *keys, unsigned filled)
{
    keys->client = umemd_connect(keys->server);
    keys->heap = umemd_make_heap(keys->client, keys->heap_kind);
    for (unsigned key = 0; key < keys->count; key++) {
        struct umem_block_options options = {.heap = keys->heap};

        if (keys->named)
            options.name = name_of(keys, key);
        must(umem_block_alloc(keys->client, keys->size, &options, &keys->blocks[key]), keys->client, "alloc");
        if (key < filled && !keys->numbers)
            must(umem_block_write(keys->client, keys->blocks[key], 0, keys->bytes + key * keys->size,
                                  keys->size),
                 keys->client, "write");
    }
}

/* A block that was put is another one each time. */
static umem_handle block_of(const struct keys *keys, unsigned key)
{
    return keys->named ? umem_named(name_of(keys, key)) : keys->blocks[key];
}

void umemd_verify(const struct keys *keys, unsigned count)
{
    unsigned char *bytes = must_alloc(keys->size);

    for (unsigned key = 0; key < count; key++) {
        must(umem_block_read(keys->client, block_of(keys, key), 0, bytes, keys->size), keys->client, "read");
        if (memcmp(bytes, keys->bytes + key * keys->size, keys->size) != 0)
            give_up("umemd: block %u does not hold what was written", key);
    }
    free(bytes);
}

void umemd_drop(struct keys *keys)
{
    for (unsigned key = 0; key < keys->count; key++)
        must(umem_block_free(keys->client, block_of(keys, key)), keys->client, "free");
    umemd_drop_heap(keys->client, keys->heap);
    umem_client_free(keys->client);
}
