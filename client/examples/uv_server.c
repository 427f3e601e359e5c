/*
 * A libuv server whose clients' bytes lie in umemd: it sends back what it gets, by way of a block for each client.
 *
 *     example_uv_server /tmp/echo.sock 1 &        # on Windows: \\.\pipe\echo
 *     socat - UNIX-CONNECT:/tmp/echo.sock
 *
 * It ends when as many clients as the second argument says have come and left. Nothing here blocks: the calls are those of
 * umem_client.h, begun with umem_uv_call() and ended in a callback, on the loop that serves the clients too. A client is read from only
 * when what it sent has gone to umemd, come back and gone out: so one that sends much costs no more than its block, and is never
 * closed while a call of its own is on its way.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "umem_uv.h"

enum { BLOCK_SIZE = 4096 };

/* A client of the server. */
struct guest {
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
    long awaited; /* guests that may come still */
    long present; /* guests that are here */
    int status;   /* the program's, in the end */
} server;

static void end_server(int status)
{
    server.status = status;
    if (!uv_is_closing((uv_handle_t *)&server.listener))
        uv_close((uv_handle_t *)&server.listener, NULL);
    umem_uv_close(server.umem, NULL, NULL);
}

static void on_guest_closed(uv_handle_t *pipe)
{
    struct guest *guest = pipe->data;

    printf("a client has left after %" PRIu64 " bytes\n", guest->total);
    /* Nobody waits for that. Where the connection to umemd is lost it cannot be sent, and the block has gone with its session. */
    if (guest->block != 0)
        umem_submit_block_free(umem_uv_call(server.umem, NULL, NULL), guest->block);
    free(guest);
    if (--server.present == 0 && server.awaited == 0)
        end_server(EXIT_SUCCESS);
}

static void close_guest(struct guest *guest)
{
    uv_close((uv_handle_t *)&guest->pipe, on_guest_closed);
}

/* For what umem_submit_*() has returned, or a callback has got: whether it went well. Else the guest is sent away. */
static int went_well(struct guest *guest, int code, const struct umem_failure *failure)
{
    if (code == UMEM_OK)
        return 1;
    fprintf(stderr, "umemd: %s\n", failure->message);
    close_guest(guest);
    return 0;
}

/* ---- from a guest to umemd, and back ---- */

static void on_read(uv_stream_t *pipe, ssize_t size, const uv_buf_t *buf);

static void on_room(uv_handle_t *pipe, size_t suggested, uv_buf_t *buf)
{
    struct guest *guest = pipe->data;

    (void)suggested;
    *buf = uv_buf_init(guest->bytes, sizeof guest->bytes);
}

static void listen_to(struct guest *guest)
{
    if (uv_read_start((uv_stream_t *)&guest->pipe, on_room, on_read) != 0)
        close_guest(guest);
}

static void on_sent(uv_write_t *write, int status)
{
    struct guest *guest = write->data;

    if (status == 0)
        listen_to(guest);
    else
        close_guest(guest);
}

static void on_fetched(umem_uv *umem, const struct umem_failure *failure, void *context)
{
    struct guest *guest = context;
    uv_buf_t buf = uv_buf_init(guest->bytes, (unsigned)guest->size);

    (void)umem;
    if (!went_well(guest, failure->code, failure))
        return;
    guest->write.data = guest;
    if (uv_write(&guest->write, (uv_stream_t *)&guest->pipe, &buf, 1, on_sent) != 0)
        close_guest(guest);
}

static void on_stored(umem_uv *umem, const struct umem_failure *failure, void *context)
{
    struct guest *guest = context;
    umem_calls *call = umem_uv_call(umem, on_fetched, guest);

    if (went_well(guest, failure->code, failure))
        went_well(guest, umem_submit_block_read(call, guest->block, 0, guest->bytes, guest->size),
                  umem_uv_last_error(umem));
}

/* What is given with a call stays in use until its callback: that is why guest->bytes is read into anew only then. */
static void on_read(uv_stream_t *pipe, ssize_t size, const uv_buf_t *buf)
{
    struct guest *guest = pipe->data;
    umem_calls *call = umem_uv_call(server.umem, on_stored, guest);

    if (size == 0)
        return;
    if (size < 0) {
        close_guest(guest);
        return;
    }
    uv_read_stop(pipe);
    guest->size = (size_t)size;
    guest->total += guest->size;
    went_well(guest, umem_submit_block_write(call, guest->block, 0, buf->base, guest->size),
              umem_uv_last_error(server.umem));
}

/* ---- the beginning ---- */

static void on_block(umem_uv *umem, const struct umem_failure *failure, void *context)
{
    (void)umem;
    if (went_well(context, failure->code, failure))
        listen_to(context);
}

static void on_guest(uv_stream_t *listener, int status)
{
    static const struct umem_block_options options = {.lifetime = UMEM_LIFETIME_SESSION};
    struct guest *guest = status == 0 ? calloc(1, sizeof *guest) : NULL;

    if (guest == NULL || uv_pipe_init(&server.loop, &guest->pipe, 0) != 0) {
        free(guest);
        return;
    }
    guest->pipe.data = guest;
    server.present++;
    status = uv_accept(listener, (uv_stream_t *)&guest->pipe);
    if (--server.awaited == 0)
        uv_close((uv_handle_t *)listener, NULL);
    if (status != 0)
        close_guest(guest);
    else
        went_well(guest,
                  umem_submit_block_alloc(umem_uv_call(server.umem, on_block, guest), BLOCK_SIZE, &options,
                                          &guest->block),
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
        error = uv_listen((uv_stream_t *)&server.listener, 16, on_guest);
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
