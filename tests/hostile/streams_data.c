#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "line_socket.h"

/* A block of this name and size, all of it the same number. */
static void make_numbers(int socket, const char *type, const char *value, unsigned value_size, uint64_t size)
{
    line_call(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":%" PRIu64 ",\"name\":\"b\"}}", size);
    line_call(socket, "{\"method\":\"block.set\",\"params\":[\"b\",0,[%s],\"%s\"]}", value, type);
    for (uint64_t done = value_size; done < size; done *= 2)
        line_call(socket, "{\"method\":\"block.copy\",\"params\":[\"b\",\"b\",0,%" PRIu64 ",%" PRIu64 "]}",
                  done, done < size - done ? done : size - done);
}

/* The same request again and again, several pending. */
static void pump(const char *path, unsigned sessions, const struct um_buf *text)
{
    static int sockets[MANY_CONNECTIONS];

    line_pump(sockets, line_open_many(path, sockets, sessions), text, true);
}

static void pump_text(const char *path, unsigned sessions, const char *text)
{
    struct um_buf all;

    um_buf_init(&all, SIZE_MAX);
    line_add(&all, "%s\n", text);
    pump(path, sessions, &all);
}

void stream_get_doubles(const char *path)
{
    char text[128];
    unsigned count = stream_many(640000);

    make_numbers(line_open(path), "f64", "1.2345678901234567e-300", 8, (uint64_t)count * 8);
    snprintf(text, sizeof text, "{\"method\":\"block.get\",\"params\":[\"b\",0,\"f64\",%u]}", count);
    pump_text(path, 4, text);
}

void stream_get_floats(const char *path)
{
    char text[128];
    unsigned count = stream_many(1000000);

    make_numbers(line_open(path), "f32", "1.17549435e-38", 4, (uint64_t)count * 4);
    snprintf(text, sizeof text, "{\"method\":\"block.get\",\"params\":[\"b\",0,\"f32\",%u]}", count);
    pump_text(path, 4, text);
}

/* So many numbers of 63 bytes. */
static void add_long_numbers(struct um_buf *text, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        line_add(text, "%s0.%060ue-9", i != 0 ? "," : "", 123456789 + i);
}

void stream_set_long_numbers(const char *path)
{
    struct um_buf text;
    unsigned count = stream_many(240000);

    line_call(line_open(path), "{\"method\":\"block.alloc\",\"params\":{\"size\":%u,\"name\":\"b\"}}",
              count * 8);
    um_buf_init(&text, SIZE_MAX);
    line_add(
        &text,
        "{\"method\":\"block.set\",\"params\":{\"block\":\"b\",\"offset\":0,\"type\":\"f64\",\"values\":[");
    add_long_numbers(&text, count);
    line_add(&text, "]}}\n");
    pump(path, 4, &text);
}

void stream_ignored_numbers(const char *path)
{
    struct um_buf text;

    um_buf_init(&text, SIZE_MAX);
    line_add(&text, "{\"method\":\"server.ping\",\"ignored\":[");
    add_long_numbers(&text, stream_many(240000));
    line_add(&text, "]}\n");
    pump(path, 4, &text);
}

void stream_batches(const char *path)
{
    struct um_buf text;

    line_call(line_open(path), "{\"method\":\"block.alloc\",\"params\":{\"size\":1048576,\"name\":\"b\"}}");
    um_buf_init(&text, SIZE_MAX);
    line_add(&text, "[");
    for (int i = 0; i < 16; i++)
        line_add(&text, "%s{\"id\":1,\"method\":\"block.fill\",\"params\":[\"b\",%d]}", i != 0 ? "," : "", i);
    line_add(&text, "]\n");
    pump(path, MANY_CONNECTIONS, &text);
}

void stream_fills(const char *path)
{
    int socket = line_open(path);

    line_call(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":67108864,\"name\":\"b\"}}");
    pump_text(path, MANY_CONNECTIONS, "{\"method\":\"block.fill\",\"params\":[\"b\",7]}");
}

void stream_base64(const char *path)
{
    int socket = line_open(path);

    line_call(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":8388608,\"name\":\"b\"}}");
    pump_text(path, 8, "{\"method\":\"block.read\",\"params\":[\"b\"]}");
}

void stream_hex(const char *path)
{
    int socket = line_open(path);

    line_call(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":4194304,\"name\":\"b\"}}");
    pump_text(path, 8, "{\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"hex\"}}");
}

/* Adds the same byte so many times. */
static void add_bytes(struct um_buf *text, char byte, size_t size)
{
    if (um_buf_reserve(text, size) == NULL)
        exit(1);
    memset(text->data + text->size, byte, size);
    text->size += size;
}

void stream_write_base64(const char *path)
{
    const unsigned size = stream_many(8388608) / 3 * 3;
    struct um_buf text;

    line_call(line_open(path), "{\"method\":\"block.alloc\",\"params\":{\"size\":%u,\"name\":\"b\"}}", size);
    um_buf_init(&text, SIZE_MAX);
    line_add(&text, "{\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"data\":\"");
    add_bytes(&text, 'A', size / 3 * 4);
    line_add(&text, "\"}}\n");
    pump(path, 4, &text);
}

/* A message with headers, and so many bytes behind it. */
static void pump_raw(const char *path, const char *request, size_t payload_size)
{
    struct um_buf text;

    um_buf_init(&text, SIZE_MAX);
    line_add(&text, "Content-Length: %zu\r\n", strlen(request));
    if (payload_size != 0)
        line_add(&text, "Payload-Length: %zu\r\n", payload_size);
    line_add(&text, "\r\n%s", request);
    add_bytes(&text, 'x', payload_size);
    pump(path, 8, &text);
}

void stream_read_raw(const char *path)
{
    line_call(line_open(path), "{\"method\":\"block.alloc\",\"params\":{\"size\":%u,\"name\":\"b\"}}",
              stream_many(67108864));
    pump_raw(path, "{\"id\":1,\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}",
             0);
}

void stream_write_raw(const char *path)
{
    line_call(line_open(path), "{\"method\":\"block.alloc\",\"params\":{\"size\":%u,\"name\":\"b\"}}",
              stream_many(67108864));
    pump_raw(path, "{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}",
             stream_many(67108864));
}

/* Two blocks that are equal, as large as the machine allows, and the same request about them on several connections. */
static void pump_two(const char *path, const char *request)
{
    int socket = line_open(path);
    uint64_t size = stream_bytes((uint64_t)1 << 30);

    for (int i = 0; i < 2; i++)
        line_call(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":%" PRIu64 ",\"name\":\"%c\"}}",
                  size, "bc"[i]);
    pump_text(path, 8, request);
}

void stream_copies(const char *path)
{
    pump_two(path, "{\"method\":\"block.copy\",\"params\":[\"b\",\"c\"]}");
}

void stream_compares(const char *path)
{
    pump_two(path, "{\"method\":\"block.compare\",\"params\":[\"b\",\"c\"]}");
}

/* 511 zeros and a one in zeros: a beginning matches everywhere, and it is nowhere. */
void stream_find(const char *path)
{
    struct um_buf text;

    line_call(line_open(path),
              "{\"method\":\"block.alloc\",\"params\":{\"size\":%" PRIu64 ",\"name\":\"b\"}}",
              stream_bytes((uint64_t)1 << 30));
    um_buf_init(&text, SIZE_MAX);
    line_add(&text,
             "{\"method\":\"block.find\",\"params\":{\"block\":\"b\",\"encoding\":\"hex\",\"data\":\"");
    add_bytes(&text, '0', 1022);
    line_add(&text, "01\"}}\n");
    pump(path, 8, &text);
}

void stream_resizes(const char *path)
{
    int socket = line_open(path);
    uint64_t size = stream_bytes((uint64_t)29 << 30) / 10;

    line_call(socket, "{\"method\":\"block.alloc\",\"params\":{\"size\":%" PRIu64 ",\"name\":\"b\"}}", size);
    for (;;) {
        line_call(socket, "{\"method\":\"block.resize\",\"params\":[\"b\",%" PRIu64 "]}", size / 2);
        line_call(socket, "{\"method\":\"block.resize\",\"params\":[\"b\",%" PRIu64 "]}", size);
    }
}

void stream_initial_size(const char *path)
{
    int socket = line_open(path);
    uint64_t size = stream_bytes((uint64_t)12 << 30);

    for (;;) {
        line_call(socket,
                  "{\"method\":\"heap.create\",\"params\":{\"name\":\"h\",\"initial_size\":%" PRIu64 "}}",
                  size);
        line_call(socket, "{\"method\":\"heap.destroy\",\"params\":[\"h\"]}");
    }
}
