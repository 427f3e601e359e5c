#include "fake_daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"

enum { READ_SIZE = 65536 };

struct connection {
    struct fake_daemon *daemon;
    uv_pipe_t pipe;
    char bytes[READ_SIZE];
};

struct answer {
    uv_write_t request;
    struct connection *connection;
    int hang_up;
    char text[]; /* of the step, as often as it says */
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

static void send_step(struct connection *connection, const struct fake_step *step)
{
    size_t size = step->text != NULL ? strlen(step->text) : 0;
    size_t repeat = step->repeat != 0 ? step->repeat : 1;
    struct answer *answer = malloc(sizeof *answer + size * repeat);
    uv_buf_t buf;

    require(answer != NULL, "no memory");
    answer->connection = connection;
    answer->hang_up = step->hang_up;
    for (size_t i = 0; i < repeat; i++)
        memcpy(answer->text + i * size, step->text != NULL ? step->text : "", size);
    buf = uv_buf_init(answer->text, (unsigned)(size * repeat));
    if (uv_write(&answer->request, (uv_stream_t *)&connection->pipe, &buf, 1, on_written) != 0) {
        close_connection(connection);
        free(answer);
    }
}

static void take_line(struct connection *connection)
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

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct connection *connection = handle->data;

    (void)suggested;
    *buf = uv_buf_init(connection->bytes, sizeof connection->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct connection *connection = stream->data;

    if (count < 0)
        close_connection(connection);
    for (ssize_t i = 0; i < count && !uv_is_closing((uv_handle_t *)stream); i++) {
        if (buf->base[i] == '\n')
            take_line(connection);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct fake_daemon *daemon = listener->data;
    struct connection *connection = malloc(sizeof *connection);

    require(status == 0 && connection != NULL, "a connection failed");
    connection->daemon = daemon;
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
