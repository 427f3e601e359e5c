#include "fake_daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_process.h"

enum { READ_SIZE = 65536, HEADERS_SIZE = 256 };

struct connection {
    struct fake_daemon *daemon;
    uv_pipe_t pipe;
    char headers[HEADERS_SIZE]; /* of the message that arrives, as far as they have come */
    size_t headers_size;
    unsigned long long left; /* bytes of its text and payload that are still to come */
    char bytes[READ_SIZE];
};

struct answer {
    uv_write_t request;
    struct connection *connection;
    int hang_up;
    char text[]; /* of the step, with its repetitions */
};

/* A mistake of the test's own, or no memory: nothing can be shown then. */
static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fake daemon: %s\n", what);
    abort();
}

static void on_connection_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_connection(struct connection *connection)
{
    if (!uv_is_closing((uv_handle_t *)&connection->pipe))
        uv_close((uv_handle_t *)&connection->pipe, on_connection_closed);
}

static void on_written(uv_write_t *request, int status)
{
    struct answer *answer = (struct answer *)request;

    if (status != 0 || answer->hang_up)
        close_connection(answer->connection);
    free(answer);
}

/* Writes the step's messages to `out` (NULL: they are only measured). Returns their size. */
static size_t write_step(const struct fake_step *step, char *out)
{
    size_t payload_size = step->payload != NULL ? strlen(step->payload) : 0;
    size_t size = 0;
    const char *line = step->text;

    while (*line != '\0') {
        size_t length = step->as_it_is ? strlen(line) : strcspn(line, "\n");
        const char *next = line + length + (line[length] == '\n');
        char headers[HEADERS_SIZE] = "";

        if (!step->as_it_is && *next == '\0' && payload_size != 0)
            snprintf(headers, sizeof headers, "Content-Length: %zu\r\nPayload-Length: %zu\r\n\r\n", length,
                     payload_size);
        else if (!step->as_it_is)
            snprintf(headers, sizeof headers, "Content-Length: %zu\r\n\r\n", length);
        if (out != NULL) {
            memcpy(out + size, headers, strlen(headers));
            memcpy(out + size + strlen(headers), line, length);
        }
        size += strlen(headers) + length;
        line = next;
    }
    if (out != NULL && payload_size != 0)
        memcpy(out + size, step->payload, payload_size);
    return size + payload_size;
}

static void send_step(struct connection *connection, const struct fake_step *step)
{
    size_t size = write_step(step, NULL);
    size_t repeat = step->repeat != 0 ? step->repeat : 1;
    struct answer *answer = malloc(sizeof *answer + size * repeat);
    uv_buf_t buf;

    require(answer != NULL, "no memory");
    answer->connection = connection;
    answer->hang_up = step->hang_up;
    for (size_t i = 0; i < repeat; i++)
        write_step(step, answer->text + i * size);
    buf = uv_buf_init(answer->text, (unsigned)(size * repeat));
    if (uv_write(&answer->request, (uv_stream_t *)&connection->pipe, &buf, 1, on_written) != 0) {
        close_connection(connection);
        free(answer);
    }
}

static void take_message(struct connection *connection)
{
    struct fake_daemon *daemon = connection->daemon;
    const struct fake_step *step;

    if (daemon->next == daemon->step_count)
        return;
    step = &daemon->steps[daemon->next++];
    if (step->text == NULL && step->hang_up)
        close_connection(connection);
    else if (step->text != NULL)
        send_step(connection, step);
}

static unsigned long long read_length(const char *headers, const char *name)
{
    const char *at = strstr(headers, name);

    return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* Takes one byte of a message; returns whether it was the last. */
static int take_byte(struct connection *connection, char byte)
{
    if (connection->left != 0)
        return --connection->left == 0;
    require(connection->headers_size + 1 < HEADERS_SIZE, "headers without an end");
    connection->headers[connection->headers_size++] = byte;
    connection->headers[connection->headers_size] = '\0';
    if (strstr(connection->headers, "\r\n\r\n") == NULL)
        return 0;
    connection->left = read_length(connection->headers, "Content-Length: ") +
                       read_length(connection->headers, "Payload-Length: ");
    require(connection->left != 0, "an empty message");
    connection->headers_size = 0;
    return 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct connection *connection = handle->data;

    (void)suggested;
    *buf = uv_buf_init(connection->bytes, sizeof connection->bytes);
}

/* Keeps what has arrived, for tests that compare it. */
static void keep(struct fake_daemon *daemon, const char *bytes, size_t size)
{
    size_t capacity = sizeof daemon->received - 1 - daemon->received_size;

    if (size > capacity)
        size = capacity;
    memcpy(daemon->received + daemon->received_size, bytes, size);
    daemon->received_size += size;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct connection *connection = stream->data;

    if (count < 0)
        close_connection(connection);
    else if (count > 0)
        keep(connection->daemon, buf->base, (size_t)count);
    for (ssize_t i = 0; i < count && !uv_is_closing((uv_handle_t *)stream); i++) {
        if (take_byte(connection, buf->base[i]))
            take_message(connection);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct fake_daemon *daemon = listener->data;
    struct connection *connection = malloc(sizeof *connection);

    require(status == 0 && connection != NULL, "a connection failed");
    connection->daemon = daemon;
    connection->headers_size = 0;
    connection->left = 0;
    require(uv_pipe_init(&daemon->loop, &connection->pipe, 0) == 0, "uv_pipe_init failed");
    connection->pipe.data = connection;
    if (uv_accept(listener, (uv_stream_t *)&connection->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&connection->pipe, on_alloc, on_read) != 0)
        close_connection(connection);
}

static void close_one(uv_handle_t *handle, void *context)
{
    struct fake_daemon *daemon = context;

    if (uv_is_closing(handle))
        return;
    if (handle == (uv_handle_t *)&daemon->listener || handle == (uv_handle_t *)&daemon->stop)
        uv_close(handle, NULL);
    else
        uv_close(handle, on_connection_closed);
}

static void on_stop(uv_async_t *stop)
{
    struct fake_daemon *daemon = stop->data;

    uv_walk(&daemon->loop, close_one, daemon);
}

static void run(void *context)
{
    struct fake_daemon *daemon = context;

    /* The library's threads keep the signal, so that a test fails where the library raises it. */
    pipe_may_break();
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
}

void fake_daemon_start(struct fake_daemon *daemon, const struct fake_step *steps, size_t step_count)
{
    memset(daemon, 0, sizeof *daemon);
    daemon->steps = steps;
    daemon->step_count = step_count;
    pipe_name_make(daemon->pipe, sizeof daemon->pipe);
    require(uv_loop_init(&daemon->loop) == 0, "uv_loop_init failed");
    require(uv_pipe_init(&daemon->loop, &daemon->listener, 0) == 0, "uv_pipe_init failed");
    require(uv_async_init(&daemon->loop, &daemon->stop, on_stop) == 0, "uv_async_init failed");
    daemon->listener.data = daemon;
    daemon->stop.data = daemon;
    require(uv_pipe_bind(&daemon->listener, daemon->pipe) == 0, "the pipe cannot be made");
    require(uv_listen((uv_stream_t *)&daemon->listener, 8, on_connection) == 0, "uv_listen failed");
    require(uv_thread_create(&daemon->thread, run, daemon) == 0, "no thread");
}

void fake_daemon_stop(struct fake_daemon *daemon)
{
    uv_async_send(&daemon->stop);
    uv_thread_join(&daemon->thread);
    require(uv_loop_close(&daemon->loop) == 0, "something was left open");
    pipe_name_remove(daemon->pipe);
}
