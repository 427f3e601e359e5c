#include <inttypes.h>
#include <stdint.h>

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
