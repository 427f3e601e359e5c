#include "echo.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "bench_common.h"

enum { HEAD_SIZE = 8, READ_SIZE = 256 * 1024 };

struct client {
    uv_pipe_t pipe;
    unsigned char head[HEAD_SIZE]; /* of the request that comes */
    size_t head_size;              /* bytes of it that are there */
    size_t left;                   /* bytes of the request that are still to come, its head not counted */
    size_t answer;                 /* bytes of its answer */
};

struct answer {
    uv_write_t request;
};

static char space[READ_SIZE];
static char *zeros; /* as many as the largest answers of one read are */
static size_t zeros_size;

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void answer(struct client *client, size_t size)
{
    uv_stream_t *stream = (uv_stream_t *)&client->pipe;

    if (size > zeros_size)
        _exit(1);
    uv_buf_t buf = uv_buf_init(zeros, (unsigned)size);
    int taken = uv_try_write(stream, &buf, 1);
    if (taken < 0)
        taken = 0;
    if ((size_t)taken < size) {
        struct answer *rest = must_alloc(sizeof *rest);

        buf = uv_buf_init(zeros, (unsigned)(size - (size_t)taken));
        uv_write(&rest->request, stream, &buf, 1, on_written);
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct client *client = stream->data;
    const char *bytes = buf->base;
    size_t due = 0;

    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    for (size_t size = (size_t)count; size > 0;) {
        size_t part = HEAD_SIZE - client->head_size;

        if (part > 0) {
            part = part < size ? part : size;
            memcpy(client->head + client->head_size, bytes, part);
            client->head_size += part;
            if (client->head_size == HEAD_SIZE) {
                uint32_t sizes[2];

                memcpy(sizes, client->head, sizeof sizes);
                client->left = sizes[0] - HEAD_SIZE;
                client->answer = sizes[1];
            }
        } else {
            part = client->left < size ? client->left : size;
            client->left -= part;
        }
        bytes += part;
        size -= part;
        if (client->head_size == HEAD_SIZE && client->left == 0) {
            due += client->answer;
            client->head_size = 0;
        }
    }
    if (due > 0)
        answer(client, due);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(space, sizeof space);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct client *client = calloc(1, sizeof *client);

    if (status != 0 || client == NULL)
        _exit(1);
    uv_pipe_init(listener->loop, &client->pipe, 0);
    client->pipe.data = client;
    uv_accept(listener, (uv_stream_t *)&client->pipe);
    uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
}

void echo_serve(const char *path)
{
    uv_loop_t loop;
    uv_pipe_t listener;

    zeros_size = (size_t)64 << 20;
    zeros = calloc(1, zeros_size);
    if (zeros == NULL || uv_loop_init(&loop) != 0 || uv_pipe_init(&loop, &listener, 0) != 0 ||
        uv_pipe_bind(&listener, path) != 0 || uv_listen((uv_stream_t *)&listener, 1024, on_connection) != 0)
        _exit(1);
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
}

void echo_like(struct ring *echo, const struct ring *other)
{
    struct ring_end begin = {0, 0};
    char *blank;

    for (size_t i = 0; i < other->count; i++) {
        struct ring_end end = other->ends[i];
        uint32_t sizes[2] = {(uint32_t)(end.request - begin.request), (uint32_t)(end.answer - begin.answer)};

        ring_request_bytes(echo, sizes, sizeof sizes);
        ring_request_bytes(echo, other->requests.data + begin.request + sizeof sizes,
                           sizes[0] - sizeof sizes);
        blank = calloc(1, sizes[1]);
        if (blank == NULL)
            give_up("no memory for %u bytes", (unsigned)sizes[1]);
        ring_expect_bytes(echo, blank, sizes[1]);
        free(blank);
        ring_end(echo);
        begin = end;
    }
}
