#include <stdio.h>
#include <unistd.h>

#include "hostile.h"
#include "line_socket.h"

enum {
    HEAPS = 262104,
    BLOCKS = 1000000,
    DURABLE_BLOCKS = 200000,
    PART = 5000, /* requests that are sent before their answers are read */
    WAITS = 1024,
    WAITING_SESSIONS = 16
};

/* Sends a request so many times; where its text has %u, that is the number of each. Their answers are waited for. */
static void send_all(int socket, const char *before, const char *after, unsigned count)
{
    for (unsigned first = 0; first < count; first += PART) {
        unsigned end = first + PART < count ? first + PART : count;
        struct um_buf text;

        um_buf_init(&text, SIZE_MAX);
        for (unsigned i = first; i < end; i++) {
            if (after != NULL)
                line_add(&text, "%s%u%s\n", before, i, after);
            else
                line_add(&text, "%s\n", before);
        }
        line_send(socket, text.data, text.size);
        line_skip_lines(socket, end - first);
        um_buf_deinit(&text);
    }
}

/* Sends calls that wait. */
static void begin_waits(int socket, const char *text, unsigned count)
{
    struct um_buf all;

    um_buf_init(&all, SIZE_MAX);
    for (unsigned i = 0; i < count; i++)
        line_add(&all, "{\"id\":%u,%s}\n", i, text);
    line_send(socket, all.data, all.size);
    um_buf_deinit(&all);
    line_call(socket, "{\"method\":\"server.ping\"}");
}

static void make_block(int socket)
{
    line_call(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":64,\"name\":\"b\"}}");
}

/* Each heap's number is not known: they are created with names, and locked by these. */
void stream_end_with_locks(const char *path)
{
    unsigned heaps = stream_many(HEAPS);
    int keeper = line_open(path);

    line_call(keeper, "{\"method\":\"heap.create\",\"params\":{\"name\":\"kept\"}}");
    line_call(keeper, "{\"method\":\"heap.lock\",\"params\":[\"kept\"]}");
    for (int i = 0; i < WAITING_SESSIONS; i++)
        begin_waits(line_open(path), "\"method\":\"heap.lock\",\"params\":[\"kept\",100000000]", WAITS);
    send_all(keeper, "{\"method\":\"heap.create\",\"params\":{\"name\":\"h", "\"}}", heaps);
    for (;;) {
        int socket = line_open(path);

        send_all(socket, "{\"method\":\"heap.lock\",\"params\":[\"h", "\"]}", heaps);
        close(socket);
    }
}

void stream_end_with_heaps(const char *path)
{
    int watching = line_open(path);

    send_all(watching, "{\"method\":\"session.watch\"}", NULL, WAITS);
    for (;;) {
        int socket = line_open(path);

        send_all(socket, "{\"method\":\"heap.create\",\"params\":{\"lifetime\":\"session\"}}", NULL,
                 stream_many(HEAPS));
        close(socket);
    }
}

void stream_end_with_watches(const char *path)
{
    make_block(line_open(path));
    for (;;) {
        int sockets[64];
        unsigned count = line_open_many(path, sockets, 64);

        /* As many as limits.observers allows on one block, and the others on heaps of their own. */
        for (unsigned i = 0; i < count; i++) {
            line_call(sockets[i], "{\"method\":\"heap.create\",\"params\":{\"name\":\"w%u\"}}", i);
            for (unsigned j = 0; j < stream_many(WAITS); j++)
                line_call(sockets[i], "{\"method\":\"session.watch\",\"params\":{\"heap\":\"w%u\"}}", i);
        }
        for (unsigned i = 0; i < count; i++)
            close(sockets[i]);
    }
}

void stream_watched_writes(const char *path)
{
    struct um_buf text;
    int sockets[2] = {line_open(path), line_open(path)};

    make_block(sockets[0]);
    send_all(sockets[0], "{\"method\":\"session.watch\",\"params\":{\"block\":\"b\"}}", NULL, WAITS);
    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < 64; i++)
        line_add(&text, "{\"method\":\"block.fill\",\"params\":[\"b\",%d]}\n", i);
    line_pump(sockets, 2, &text, true);
}

void stream_unread_events(const char *path)
{
    int watching = line_open(path);
    int writing = line_open(path);
    struct um_buf text;

    make_block(watching);
    send_all(watching, "{\"method\":\"session.watch\",\"params\":{\"block\":\"b\"}}", NULL, WAITS);
    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < 64; i++)
        line_add(&text, "{\"method\":\"block.fill\",\"params\":[\"b\",%d]}\n", i);
    line_pump(&writing, 1, &text, true);
}

void stream_small_batches(const char *path)
{
    int sockets[8];
    unsigned count = line_open_many(path, sockets, 8);
    struct um_buf text;

    um_buf_init(&text, SIZE_MAX);
    line_add(&text, "[");
    for (unsigned i = 0; i < stream_many(10000); i++)
        line_add(&text, "%s{\"id\":%u,\"method\":\"server.ping\"}", i != 0 ? "," : "", i);
    line_add(&text, "]\n");
    line_pump(sockets, count, &text, true);
}

/* Puts in a heap, under so many names, again and again. */
static void pump_puts(const char *path, const char *heap, unsigned names, const char *last)
{
    int sockets[8];
    unsigned count = line_open_many(path, sockets, 8);
    struct um_buf text;

    um_buf_init(&text, SIZE_MAX);
    for (unsigned i = 0; i < names; i++)
        line_add(&text,
                 "{\"method\":\"block.alloc\",\"params\":{%s\"name\":\"p%u\",\"data\":"
                 "\"AAAAAAAAAAAAAAAAAAAAAAAA\","
                 "\"if_exists\":\"replace\"}}\n",
                 heap, i);
    line_add(&text, "%s", last);
    line_pump(sockets, count, &text, true);
}

void stream_puts(const char *path)
{
    pump_puts(path, "", 64, "");
}

static void make_durable(int socket)
{
    line_call(socket,
              "{\"method\":\"heap.create\",\"params\":{\"name\":\"d\",\"kind\":\"shared\",\"lifetime\":"
              "\"durable\",\"maximum_size\":268435456}}");
}

void stream_durable(const char *path)
{
    make_durable(line_open(path));
    pump_puts(path, "\"heap\":\"d\",", 64, "{\"method\":\"heap.flush\",\"params\":[\"d\"]}\n");
}

/* A journal that has many blocks, and grows all the time, is written anew all the time. */
void stream_compact_journal(const char *path)
{
    int socket = line_open(path);

    make_durable(socket);
    send_all(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":32,\"heap\":\"d\",\"name\":\"b",
             "\"}}", stream_many(DURABLE_BLOCKS));
    pump_puts(path, "\"heap\":\"d\",", 4096, "");
}

/* Ids of 900 bytes that differ in the last ones only; those that are cancelled are of none. */
void stream_cancel(const char *path)
{
    struct um_buf text;
    int socket = line_open(path);

    make_block(socket);
    um_buf_init(&text, SIZE_MAX);
    for (unsigned i = 0; i < WAITS; i++)
        line_add(&text, "{\"id\":\"%0900u\",\"method\":\"block.wait\",\"params\":[\"b\",0,0]}\n", i);
    line_send(socket, text.data, text.size);
    um_buf_truncate(&text, 0);
    line_add(&text, "[");
    for (unsigned i = 0; i < stream_many(10000); i++)
        line_add(&text, "%s{\"id\":1,\"method\":\"$/cancelRequest\",\"params\":{\"id\":\"%0900u\"}}",
                 i != 0 ? "," : "", WAITS + i);
    line_add(&text, "]\n");
    line_pump(&socket, 1, &text, true);
}

void stream_deadlines(const char *path)
{
    int sockets[WAITING_SESSIONS];
    unsigned count = line_open_many(path, sockets, WAITING_SESSIONS);

    make_block(sockets[0]);
    for (;;) {
        for (unsigned i = 0; i < count; i++) {
            /* The last ones are sent before the first ones' time is up. */
            begin_waits(sockets[i], "\"method\":\"block.wait\",\"params\":[\"b\",0,0,\"i64\",300]",
                        stream_many(WAITS));
        }
        for (unsigned i = 0; i < count; i++)
            line_skip_lines(sockets[i], stream_many(WAITS));
    }
}

/* A heap with so many blocks of 32 bytes, numbered as the daemon gives them: named, so that they can be freed. */
static void fill_heap(int socket)
{
    line_call(socket, "{\"method\":\"heap.create\",\"params\":{\"name\":\"h\"}}");
    send_all(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":32,\"heap\":\"h\",\"name\":\"b",
             "\"}}", stream_many(BLOCKS));
}

void stream_compact(const char *path)
{
    int socket = line_open(path);

    for (;;) {
        fill_heap(socket);
        send_all(socket, "{\"method\":\"block.free\",\"params\":[\"b", "\"]}", stream_many(BLOCKS));
        line_call(socket, "{\"method\":\"heap.compact\",\"params\":[\"h\"]}");
        line_call(socket, "{\"method\":\"heap.destroy\",\"params\":[\"h\"]}");
    }
}

void stream_destroy(const char *path)
{
    int socket = line_open(path);

    for (;;) {
        fill_heap(socket);
        line_call(socket, "{\"method\":\"heap.destroy\",\"params\":[\"h\"]}");
    }
}

/* One page after the other, from places all over the heap. */
void stream_list_pages(const char *path)
{
    int sockets[8];
    unsigned count = line_open_many(path, sockets, 8);
    struct um_buf text;

    fill_heap(sockets[0]);
    um_buf_init(&text, SIZE_MAX);
    for (unsigned i = 0; i < 64; i++)
        line_add(&text, "{\"method\":\"block.list\",\"params\":{\"after\":%u}}\n",
                 i * (stream_many(BLOCKS) / 64));
    line_pump(sockets, count, &text, true);
}
