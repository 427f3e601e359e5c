#include "wire_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECEIVED_LIMIT = 256 << 20, /* bytes that a client keeps */
    SPACE = 65536               /* bytes that are read at one time */
};

static void fail(const struct wire_client *client, const char *reason)
{
    client->host->fail(client->host, reason);
    abort();
}

/* ---- a loop of its own ---- */

static void run_until(struct wire_host *host, bool (*holds)(const void *what), const void *what)
{
    while (!holds(what))
        uv_run(host->loop, UV_RUN_ONCE);
}

static void print_and_abort(struct wire_host *host, const char *reason)
{
    (void)host;
    fprintf(stderr, "%s\n", reason);
    abort();
}

void wire_loop_open(struct wire_loop *loop)
{
    loop->host = (struct wire_host){&loop->loop, run_until, print_and_abort};
    if (uv_loop_init(&loop->loop) != 0)
        print_and_abort(&loop->host, "a loop cannot be made");
}

void wire_loop_close(struct wire_loop *loop)
{
    uv_run(&loop->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop->loop) != 0)
        print_and_abort(&loop->host, "something was left open");
}

/* ---- the connection ---- */

static void init(struct wire_client *client, struct wire_host *host)
{
    *client = (struct wire_client){.host = host};
    um_buf_init(&client->received, RECEIVED_LIMIT);
    if (uv_pipe_init(host->loop, &client->pipe, 0) != 0)
        fail(client, "a pipe cannot be made");
    client->pipe.data = client;
    client->connecting.data = client;
}

static void on_connected(uv_connect_t *connecting, int status)
{
    struct wire_client *client = connecting->data;

    client->has_tried = true;
    client->is_connected = status == 0;
    client->is_over = status != 0;
}

static bool has_tried(const void *what)
{
    return ((const struct wire_client *)what)->has_tried;
}

void wire_begin_connect(struct wire_client *client, struct wire_host *host, const char *path)
{
    init(client, host);
    uv_pipe_connect(&client->connecting, &client->pipe, path, on_connected);
}

bool wire_connect(struct wire_client *client, struct wire_host *host, const char *path)
{
    wire_begin_connect(client, host, path);
    host->run_until(host, has_tried, client);
    return client->is_connected;
}

void wire_adopt(struct wire_client *client, struct wire_host *host, uv_file socket)
{
    init(client, host);
    if (uv_pipe_open(&client->pipe, socket) != 0)
        fail(client, "a socket cannot be used");
    client->has_tried = client->is_connected = true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    struct wire_client *client = handle->data;
    char *space = um_buf_reserve(&client->received, SPACE + 1);

    (void)suggested_size;
    if (space == NULL)
        fail(client, "more has come than a client keeps");
    *buf = uv_buf_init(space, SPACE);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct wire_client *client = stream->data;

    if (size > 0) {
        buf->base[size] = '\0';
        client->received.size += (size_t)size;
    } else if (size < 0) {
        client->is_over = true;
    }
    if (client->enough != 0 && client->received.size >= client->enough)
        uv_read_stop(stream);
}

void wire_read(struct wire_client *client)
{
    client->enough = 0;
    if (!client->is_over)
        uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
}

void wire_stop_reading(struct wire_client *client)
{
    uv_read_stop((uv_stream_t *)&client->pipe);
}

static void on_closed(uv_handle_t *handle)
{
    struct wire_client *client = handle->data;

    um_buf_deinit(&client->received);
    client->is_closed = true;
}

void wire_close(struct wire_client *client)
{
    if (!client->is_closed && !uv_is_closing((uv_handle_t *)&client->pipe))
        uv_close((uv_handle_t *)&client->pipe, on_closed);
}

/* ---- sending ---- */

struct sending {
    uv_write_t write;
    struct wire_client *client;
    char bytes[];
};

static void on_written(uv_write_t *write, int status)
{
    struct sending *sending = write->data;

    sending->client->unwritten--;
    sending->client->has_failed |= status != 0;
    free(sending);
}

void wire_send_bytes(struct wire_client *client, const void *bytes, size_t size)
{
    struct sending *sending = malloc(sizeof *sending + size);
    uv_buf_t buf;

    if (sending == NULL)
        fail(client, "no memory");
    sending->client = client;
    sending->write.data = sending;
    memcpy(sending->bytes, bytes, size);
    buf = uv_buf_init(sending->bytes, (unsigned)size);
    client->unwritten++;
    if (uv_write(&sending->write, (uv_stream_t *)&client->pipe, &buf, 1, on_written) != 0) {
        client->unwritten--;
        client->has_failed = true;
        free(sending);
    }
}

void wire_send(struct wire_client *client, const char *text)
{
    wire_send_bytes(client, text, strlen(text));
}

void wire_send_message(struct wire_client *client, const char *text, size_t payload_size)
{
    char head[96];

    snprintf(head, sizeof head, "Content-Length: %zu\r\nPayload-Length: %zu\r\n\r\n", strlen(text),
             payload_size);
    wire_send(client, head);
    wire_send(client, text);
}

/* ---- receiving ---- */

struct awaited {
    const struct wire_client *client;
    size_t size;
};

static bool has_bytes(const void *what)
{
    const struct awaited *awaited = what;

    return awaited->client->received.size >= awaited->size || awaited->client->is_over;
}

bool wire_await_bytes(struct wire_client *client, size_t size)
{
    const struct awaited awaited = {client, size};

    client->host->run_until(client->host, has_bytes, &awaited);
    return client->received.size >= size;
}

static const char *end_of_line(const struct wire_client *client)
{
    return client->received.size != 0 ? memchr(client->received.data, '\n', client->received.size) : NULL;
}

static bool has_line(const void *what)
{
    const struct wire_client *client = what;

    return client->is_over || end_of_line(client) != NULL;
}

bool wire_await_line(struct wire_client *client, size_t *length)
{
    const char *end;

    client->host->run_until(client->host, has_line, client);
    end = end_of_line(client);
    if (end == NULL)
        return false;
    *length = (size_t)(end - client->received.data);
    return true;
}

static bool is_over(const void *what)
{
    return ((const struct wire_client *)what)->is_over;
}

void wire_await_end(struct wire_client *client)
{
    client->host->run_until(client->host, is_over, client);
}

static bool has_written(const void *what)
{
    return ((const struct wire_client *)what)->unwritten == 0;
}

void wire_await_written(struct wire_client *client)
{
    client->host->run_until(client->host, has_written, client);
}

bool wire_take(struct wire_client *client, void *bytes, size_t size)
{
    if (!wire_await_bytes(client, size))
        return false;
    if (size != 0)
        memcpy(bytes, client->received.data, size);
    um_buf_consume(&client->received, size);
    return true;
}

/* Takes `size` bytes, and as many more as are passed over. */
static char *take_text(struct wire_client *client, size_t size, size_t passed_over)
{
    char *text = malloc(size + 1);

    if (text == NULL)
        fail(client, "no memory");
    if (size != 0)
        memcpy(text, client->received.data, size);
    text[size] = '\0';
    um_buf_consume(&client->received, size + passed_over);
    return text;
}

char *wire_take_line(struct wire_client *client)
{
    size_t length;

    return wire_await_line(client, &length) ? take_text(client, length, 1) : NULL;
}

/* Reads a block of headers up to its empty line. False: the daemon has ended the connection. */
static bool take_headers(struct wire_client *client, size_t *content_size, size_t *payload_size)
{
    bool is_last = false;

    while (!is_last) {
        char *line = wire_take_line(client);

        if (line == NULL)
            return false;
        is_last = strcmp(line, "\r") == 0;
        if (!is_last && sscanf(line, "Content-Length: %zu", content_size) != 1 &&
            sscanf(line, "Payload-Length: %zu", payload_size) != 1)
            fail(client, line);
        free(line);
    }
    return true;
}

char *wire_take_message(struct wire_client *client, size_t *payload_size)
{
    size_t size = 0;
    size_t payload = 0;

    if (!take_headers(client, &size, &payload) || !wire_await_bytes(client, size))
        return NULL;
    if (payload_size != NULL)
        *payload_size = payload;
    return take_text(client, size, 0);
}
