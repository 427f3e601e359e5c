/*
 * A libuv server whose clients' bytes lie in umemd: it sends back what it receives, through a block for each client.
 *
 *     example_uv_server /tmp/echo.sock 1 &        # on Windows: \\.\pipe\echo
 *     socat - UNIX-CONNECT:/tmp/echo.sock
 *
 * It ends when as many clients as the second argument says have connected and left. Nothing here blocks: the calls are those
 * of umem_client.h, begun with umem_uv_call() and ended in a callback, on the loop that serves the clients too. A client's next
 * bytes are read only when the last ones have gone to umemd, come back and been sent: so a client that sends much costs no more
 * than its block, and is never closed while one of its calls is under way.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "umem_uv.h"

enum { BLOCK_SIZE = 4096 };

/* A client of the server. */
struct connection {
    uv_pipe_t pipe;
    uv_write_t write;
    umem_handle block;
    size_t size;    /* bytes that came last */
    uint64_t total; /* since it came */
    char bytes[BLOCK_SIZE];
};

static struct {
    uv_loop_t loop;
    uv_pipe_t listener;
    umem_uv *umem;
    const char *path;
    long awaited; /* clients that may still connect */
    long present; /* clients that are connected */
    int status;   /* the program's, in the end */
} server;

static void end_server(int status)
{
    server.status = status;
    if (!uv_is_closing((uv_handle_t *)&server.listener))
        uv_close((uv_handle_t *)&server.listener, NULL);
    umem_uv_close(server.umem, NULL, NULL);
}

static void on_connection_closed(uv_handle_t *pipe)
{
    struct connection *connection = pipe->data;

    printf("a client has left after %" PRIu64 " bytes\n", connection->total);
    /* Nothing waits for the answer. If the connection to umemd is lost, the call cannot be sent, and the block was freed with
     * its session. */
    if (connection->block != 0)
        umem_submit_block_free(umem_uv_call(server.umem, NULL, NULL), connection->block);
    free(connection);
    if (--server.present == 0 && server.awaited == 0)
        end_server(EXIT_SUCCESS);
}

static void close_connection(struct connection *connection)
{
    uv_close((uv_handle_t *)&connection->pipe, on_connection_closed);
}

/* Checks what umem_submit_*() returned, or a callback received. On an error the client is disconnected. */
static int check(struct connection *connection, int code, const struct umem_failure *failure)
{
    if (code == UMEM_OK)
        return 1;
    fprintf(stderr, "umemd: %s\n", failure->message);
    close_connection(connection);
    return 0;
}

/* ---- from a client to umemd, and back ---- */

static void on_read(uv_stream_t *pipe, ssize_t size, const uv_buf_t *buf);

static void on_alloc(uv_handle_t *pipe, size_t suggested, uv_buf_t *buf)
{
    struct connection *connection = pipe->data;

    (void)suggested;
    *buf = uv_buf_init(connection->bytes, sizeof connection->bytes);
}

static void start_reading(struct connection *connection)
{
    if (uv_read_start((uv_stream_t *)&connection->pipe, on_alloc, on_read) != 0)
        close_connection(connection);
}

static void on_sent(uv_write_t *write, int status)
{
    struct connection *connection = write->data;

    if (status == 0)
        start_reading(connection);
    else
        close_connection(connection);
}

static void on_fetched(umem_uv *umem, const struct umem_failure *failure, void *context)
{
    struct connection *connection = context;
    uv_buf_t buf = uv_buf_init(connection->bytes, (unsigned)connection->size);

    (void)umem;
    if (!check(connection, failure->code, failure))
        return;
    connection->write.data = connection;
    if (uv_write(&connection->write, (uv_stream_t *)&connection->pipe, &buf, 1, on_sent) != 0)
        close_connection(connection);
}

static void on_stored(umem_uv *umem, const struct umem_failure *failure, void *context)
{
    struct connection *connection = context;
    umem_calls *call = umem_uv_call(umem, on_fetched, connection);

    if (check(connection, failure->code, failure))
        check(connection,
              umem_submit_block_read(call, connection->block, 0, connection->bytes, connection->size),
              umem_uv_last_error(umem));
}

/* Memory that is passed to a call stays in use until its callback: connection->bytes is read into again only then. */
static void on_read(uv_stream_t *pipe, ssize_t size, const uv_buf_t *buf)
{
    struct connection *connection = pipe->data;
    umem_calls *call = umem_uv_call(server.umem, on_stored, connection);

    if (size == 0)
        return;
    if (size < 0) {
        close_connection(connection);
        return;
    }
    uv_read_stop(pipe);
    connection->size = (size_t)size;
    connection->total += connection->size;
    check(connection, umem_submit_block_write(call, connection->block, 0, buf->base, connection->size),
          umem_uv_last_error(server.umem));
}

/* ---- the beginning ---- */

static void on_block(umem_uv *umem, const struct umem_failure *failure, void *context)
{
    (void)umem;
    if (check(context, failure->code, failure))
        start_reading(context);
}

static void on_connection(uv_stream_t *listener, int status)
{
    static const struct umem_block_options options = {.lifetime = UMEM_LIFETIME_SESSION};
    struct connection *connection = status == 0 ? calloc(1, sizeof *connection) : NULL;

    if (connection == NULL || uv_pipe_init(&server.loop, &connection->pipe, 0) != 0) {
        free(connection);
        return;
    }
    connection->pipe.data = connection;
    server.present++;
    status = uv_accept(listener, (uv_stream_t *)&connection->pipe);
    if (--server.awaited == 0)
        uv_close((uv_handle_t *)listener, NULL);
    if (status != 0)
        close_connection(connection);
    else
        check(connection,
              umem_submit_block_alloc(umem_uv_call(server.umem, on_block, connection), BLOCK_SIZE, &options,
                                      &connection->block),
              umem_uv_last_error(server.umem));
}

static void on_connected(umem_uv *umem, const struct umem_failure *failure, void *context)
{
    const char *fault = failure->code != UMEM_OK ? failure->message : NULL;
    int error = 0;

    (void)umem;
    (void)context;
    if (fault == NULL)
        error = uv_pipe_bind(&server.listener, server.path);
    if (fault == NULL && error == 0)
        error = uv_listen((uv_stream_t *)&server.listener, 16, on_connection);
    if (fault == NULL && error != 0)
        fault = uv_strerror(error);
    fprintf(stderr, "%s: %s\n", fault != NULL ? "the server cannot begin" : "listening on",
            fault != NULL ? fault : server.path);
    if (fault != NULL)
        end_server(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    server.awaited = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (server.awaited < 1) {
        fprintf(stderr, "Usage: example_uv_server PIPE CLIENTS\n");
        return EXIT_FAILURE;
    }
    server.path = argv[1];
#ifdef SIGPIPE
    signal(SIGPIPE, SIG_IGN);
#endif
    if (uv_loop_init(&server.loop) != 0 || uv_pipe_init(&server.loop, &server.listener, 0) != 0)
        return EXIT_FAILURE;
    server.umem = umem_uv_new(&server.loop, NULL);
    if (server.umem == NULL)
        return EXIT_FAILURE;
    if (umem_uv_connect(server.umem, on_connected, NULL) != UMEM_OK) {
        fprintf(stderr, "%s\n", umem_uv_last_error(server.umem)->message);
        end_server(EXIT_FAILURE);
    }
    uv_run(&server.loop, UV_RUN_DEFAULT);
    uv_loop_close(&server.loop);
    return server.status;
}
