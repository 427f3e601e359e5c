#include "cli/transfer/recorder.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/umem_errors.h"
#include "cli/output/fail.h"
#include "cli/system/file_io.h"
#include "cli/system/subprocess.h"
#include "cli/transfer/daemon_transport.h"
#include "cli/transfer/message_tap.h"
#include "cli/transfer/record_pipe.h"
#include "cli/transfer/recording.h"
#include "lib/connection/transport.h"
#include "wire/json_read.h"

enum {
    READ_SIZE = CLI_TAP_FEED_LIMIT,
    OUT_LIMIT = 1 << 29,
    QUEUE_LIMIT = 1 << 20, /* bytes that one side has not taken, while the other one is not read any more */
    CONNECT_MS = 10000,
    END_EVERY_MS = 50, /* after the program's end: how often to look whether all connections have ended, */
    END_LOOKS = 40,    /* and how many times */
    BACKLOG = 128
};

enum { FROM_CLIENT, FROM_DAEMON, SIDES };

/* What comes from one side of a connection. */
struct side {
    uv_pipe_t pipe;
    struct cli_message_tap tap;
    struct relayed *connection;
    bool is_paused; /* the other side does not take what comes */
    bool has_ended;
    bool is_open; /* the pipe is initialized */
};

struct relayed {
    struct relayed *next;
    struct cli_recorder *recorder;
    uint64_t number; /* in the recording; 0: it has no line yet */
    struct side sides[SIDES];
    int closing; /* pipes that are not closed yet, once it is being closed; 0: it is not */
};

struct cli_recorder {
    const char *daemon_pipe;
    int file;
    const char *file_name;
    char path[CLI_RECORD_PIPE_SIZE];
    uv_loop_t loop;
    uv_pipe_t listener;
    uv_async_t stop;
    uv_timer_t timer;
    uv_sem_t done;
    struct relayed *connections;
    struct cli_recorder_totals totals;
    struct um_buf out;  /* lines that are not written yet */
    struct um_buf copy; /* of a text that is checked */
    uint64_t begun_ns;
    int looks;
    int error; /* libuv's, of the file; 0: all is written */
    bool lacks_memory;
    struct um_reason refused; /* why the daemon was not reached; "": it was */
};

/* Bytes on their way to the other side. */
struct sent {
    uv_write_t request;
    struct relayed *connection;
    int from;
    char bytes[];
};

/* ---- lines ---- */

static void flush(struct cli_recorder *recorder)
{
    recorder->lacks_memory = recorder->lacks_memory || recorder->out.failed;
    if (recorder->error == 0 && !recorder->lacks_memory)
        recorder->error = cli_write_file(recorder->file, recorder->out.data, recorder->out.size);
    um_buf_truncate(&recorder->out, 0);
}

/* Whether it is an object or an array: nothing else is a message. */
static bool is_json(struct cli_recorder *recorder, const char *text, size_t size)
{
    struct um_json_check check;
    size_t first = 0;

    while (first < size && memchr(" \t\r\n", text[first], 4) != NULL)
        first++;
    if (first == size || (text[first] != '{' && text[first] != '['))
        return false;
    um_buf_truncate(&recorder->copy, 0);
    return um_buf_append(&recorder->copy, text, size) && um_json_check(recorder->copy.data, size, &check);
}

static void put(struct relayed *connection, int from, struct cli_record *record)
{
    struct cli_recorder *recorder = connection->recorder;

    record->us = (uv_hrtime() - recorder->begun_ns) / 1000;
    /* They are numbered as they come in the recording. */
    if (connection->number == 0)
        connection->number = ++recorder->totals.connections;
    record->connection = connection->number;
    if (record->kind != CLI_RECORD_ENDED) {
        record->kind = from == FROM_CLIENT ? CLI_RECORD_CLIENT : CLI_RECORD_DAEMON;
        record->is_json = is_json(recorder, record->text, record->size);
        recorder->totals.requests += from == FROM_CLIENT;
    }
    cli_recording_put(&recorder->out, record);
    flush(recorder);
}

static void on_message(void *context, const struct cli_tap_message *message)
{
    const struct side *side = context;
    struct relayed *connection = side->connection;
    struct cli_record record = {.kind = CLI_RECORD_CLIENT,
                                .text = message->text,
                                .size = message->size,
                                .payload = message->payload,
                                .payload_size = message->payload_size};

    put(connection, side == &connection->sides[FROM_DAEMON] ? FROM_DAEMON : FROM_CLIENT, &record);
}

/* ---- relaying ---- */

static void free_connection(struct relayed *connection)
{
    struct relayed **place = &connection->recorder->connections;

    while (*place != connection)
        place = &(*place)->next;
    *place = connection->next;
    for (int i = 0; i < SIDES; i++) {
        connection->recorder->totals.unrecorded += connection->sides[i].tap.is_blind;
        cli_tap_deinit(&connection->sides[i].tap);
    }
    free(connection);
}

static void on_closed(uv_handle_t *handle)
{
    struct relayed *connection = handle->data;

    if (--connection->closing == 0)
        free_connection(connection);
}

static void close_connection(struct relayed *connection)
{
    struct cli_record record = {.kind = CLI_RECORD_ENDED};

    if (connection->closing != 0)
        return;
    if (connection->number != 0)
        put(connection, FROM_CLIENT, &record);
    for (int i = 0; i < SIDES; i++)
        connection->closing += connection->sides[i].is_open;
    for (int i = 0; i < SIDES; i++) {
        if (connection->sides[i].is_open)
            uv_close((uv_handle_t *)&connection->sides[i].pipe, on_closed);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    struct sent *sent = malloc(sizeof *sent + READ_SIZE);

    (void)handle;
    (void)suggested_size;
    *buf = uv_buf_init(sent != NULL ? sent->bytes : NULL, sent != NULL ? READ_SIZE : 0);
}

static struct sent *sent_of(const uv_buf_t *buf)
{
    return buf->base != NULL ? (struct sent *)(void *)(buf->base - offsetof(struct sent, bytes)) : NULL;
}

/* Many that wait to be sent may be small. */
static struct sent *shrink(struct sent *sent, size_t size)
{
    struct sent *smaller = realloc(sent, sizeof *sent + size);

    return smaller != NULL ? smaller : sent;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf);

static void on_sent(uv_write_t *request, int status)
{
    struct sent *sent = request->data;
    struct relayed *connection = sent->connection;
    struct side *from = &connection->sides[sent->from];

    if (status != 0) {
        close_connection(connection);
    } else if (from->is_paused && connection->closing == 0 &&
               uv_stream_get_write_queue_size(request->handle) < QUEUE_LIMIT / 2) {
        from->is_paused = false;
        uv_read_start((uv_stream_t *)&from->pipe, on_alloc, on_read);
    }
    free(sent);
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    struct relayed *connection = request->data;

    (void)status;
    if (connection->sides[FROM_CLIENT].has_ended && connection->sides[FROM_DAEMON].has_ended)
        close_connection(connection);
    free(request);
}

/* Nothing more comes from this side, which the other one is told behind all that has come. When the daemon has ended, or the client has
 * gone and not only ended its sending, all is over. */
static void end_side(struct relayed *connection, int from)
{
    struct side *other = &connection->sides[1 - from];
    uv_shutdown_t *request = malloc(sizeof *request);

    connection->sides[from].has_ended = true;
    if (from == FROM_DAEMON || cli_record_pipe_is_gone(&connection->sides[FROM_CLIENT].pipe))
        connection->sides[1 - from].has_ended = true;
    if (request != NULL)
        request->data = connection;
    if (request == NULL || uv_shutdown(request, (uv_stream_t *)&other->pipe, on_shut_down) != 0) {
        free(request);
        close_connection(connection);
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct relayed *connection = stream->data;
    const int from =
        stream == (uv_stream_t *)&connection->sides[FROM_DAEMON].pipe ? FROM_DAEMON : FROM_CLIENT;
    uv_stream_t *other = (uv_stream_t *)&connection->sides[1 - from].pipe;
    struct sent *sent = sent_of(buf);
    char copy[READ_SIZE];
    uv_buf_t bytes;

    if (size <= 0) {
        free(sent);
        if (size == UV_EOF)
            end_side(connection, from);
        else if (size != 0)
            close_connection(connection);
        return;
    }
    memcpy(copy, sent->bytes, (size_t)size);
    cli_tap_feed(&connection->sides[from].tap, copy, (size_t)size);
    sent = shrink(sent, (size_t)size);
    sent->connection = connection;
    sent->from = from;
    sent->request.data = sent;
    bytes = uv_buf_init(sent->bytes, (unsigned)size);
    if (uv_write(&sent->request, other, &bytes, 1, on_sent) != 0) {
        free(sent);
        close_connection(connection);
    } else if (uv_stream_get_write_queue_size(other) > QUEUE_LIMIT) {
        connection->sides[from].is_paused = true;
        uv_read_stop(stream);
    }
}

/* ---- connections ---- */

static bool open_side(struct relayed *connection, int from)
{
    struct side *side = &connection->sides[from];

    cli_tap_init(&side->tap, on_message, side);
    side->connection = connection;
    side->is_open = uv_pipe_init(&connection->recorder->loop, &side->pipe, 0) == 0;
    side->pipe.data = connection;
    return side->is_open;
}

/* Checks who the daemon is, as the library does. */
static bool connect_daemon(struct cli_recorder *recorder, uv_pipe_t *pipe)
{
    struct um_transport *transport;
    struct um_reason reason = {""};
    int descriptor;

    if (cli_transport_open(recorder->daemon_pipe, um_transport_now_ms() + CONNECT_MS, &transport, &reason) !=
        UMEM_OK) {
        recorder->refused = reason;
        return false;
    }
    descriptor = um_transport_release(transport);
    return descriptor >= 0 && uv_pipe_open(pipe, descriptor) == 0;
}

static void on_client(uv_stream_t *listener, int status)
{
    struct cli_recorder *recorder = listener->data;
    struct relayed *connection = status == 0 ? calloc(1, sizeof *connection) : NULL;
    struct side *sides;

    if (connection == NULL)
        return;
    connection->recorder = recorder;
    connection->next = recorder->connections;
    recorder->connections = connection;
    sides = connection->sides;
    if (!open_side(connection, FROM_CLIENT) || !open_side(connection, FROM_DAEMON) ||
        uv_accept(listener, (uv_stream_t *)&sides[FROM_CLIENT].pipe) != 0 ||
        !cli_record_pipe_is_own(&sides[FROM_CLIENT].pipe) ||
        !connect_daemon(recorder, &sides[FROM_DAEMON].pipe) ||
        uv_read_start((uv_stream_t *)&sides[FROM_CLIENT].pipe, on_alloc, on_read) != 0 ||
        uv_read_start((uv_stream_t *)&sides[FROM_DAEMON].pipe, on_alloc, on_read) != 0)
        close_connection(connection);
}

/* ---- the thread ---- */

static void end_thread(struct cli_recorder *recorder)
{
    for (struct relayed *connection = recorder->connections; connection != NULL;
         connection = connection->next)
        close_connection(connection);
    uv_close((uv_handle_t *)&recorder->timer, NULL);
    uv_close((uv_handle_t *)&recorder->listener, NULL);
    uv_close((uv_handle_t *)&recorder->stop, NULL);
}

/* What the program has sent last may still be on its way. */
static void on_timer(uv_timer_t *timer)
{
    struct cli_recorder *recorder = timer->data;

    if (recorder->connections == NULL || ++recorder->looks == END_LOOKS)
        end_thread(recorder);
}

static void on_stop(uv_async_t *async)
{
    struct cli_recorder *recorder = async->data;

    uv_timer_start(&recorder->timer, on_timer, END_EVERY_MS, END_EVERY_MS);
}

static void run_loop(void *context)
{
    struct cli_recorder *recorder = context;

    uv_run(&recorder->loop, UV_RUN_DEFAULT);
    uv_sem_post(&recorder->done);
}

static int listen_on_path(struct cli_recorder *recorder)
{
    int error;

    uv_pipe_init(&recorder->loop, &recorder->listener, 0);
    uv_timer_init(&recorder->loop, &recorder->timer);
    recorder->listener.data = recorder->timer.data = recorder->stop.data = recorder;
    uv_pipe_pending_instances(&recorder->listener, BACKLOG);
    error = uv_pipe_bind(&recorder->listener, recorder->path);
    if (error == 0)
        error = uv_listen((uv_stream_t *)&recorder->listener, BACKLOG, on_client);
    if (error == 0)
        error = cli_start_thread(run_loop, recorder);
    return error;
}

static void free_recorder(struct cli_recorder *recorder)
{
    uv_loop_close(&recorder->loop);
    cli_record_pipe_remove(recorder->path);
    uv_sem_destroy(&recorder->done);
    um_buf_deinit(&recorder->out);
    um_buf_deinit(&recorder->copy);
    free(recorder);
}

/* What is needed before anything has to be closed by the loop. */
static int make_loop(struct cli_recorder *recorder)
{
    int error = uv_sem_init(&recorder->done, 0);

    if (error != 0)
        return error;
    error = uv_loop_init(&recorder->loop);
    if (error != 0)
        goto no_loop;
    error = uv_async_init(&recorder->loop, &recorder->stop, on_stop);
    if (error == 0)
        error = cli_record_pipe_name(recorder->path);
    if (error == 0)
        return 0;
    if (uv_is_active((uv_handle_t *)&recorder->stop))
        uv_close((uv_handle_t *)&recorder->stop, NULL);
    uv_run(&recorder->loop, UV_RUN_DEFAULT);
    uv_loop_close(&recorder->loop);
no_loop:
    uv_sem_destroy(&recorder->done);
    return error;
}

int cli_recorder_start(const char *daemon_pipe, int file, const char *file_name, struct cli_recorder **made)
{
    struct cli_recorder *recorder = calloc(1, sizeof *recorder);
    int error;

    if (recorder == NULL)
        return cli_fail_memory();
    recorder->daemon_pipe = daemon_pipe;
    recorder->file = file;
    recorder->file_name = file_name;
    recorder->begun_ns = uv_hrtime();
    um_buf_init(&recorder->out, OUT_LIMIT);
    um_buf_init(&recorder->copy, CLI_TAP_TEXT_LIMIT + 1);
    error = make_loop(recorder);
    if (error != 0) {
        free(recorder);
        return cli_fail(CLI_FAILED, "no pipe can be made: %s", uv_strerror(error));
    }
    cli_recording_begin(&recorder->out);
    flush(recorder);
    error = listen_on_path(recorder);
    if (error == 0) {
        *made = recorder;
        return CLI_OK;
    }
    end_thread(recorder);
    uv_run(&recorder->loop, UV_RUN_DEFAULT);
    free_recorder(recorder);
    return cli_fail(CLI_FAILED, "no pipe can be made: %s", uv_strerror(error));
}

const char *cli_recorder_pipe(const struct cli_recorder *recorder)
{
    return recorder->path;
}

int cli_recorder_stop(struct cli_recorder *recorder, struct cli_recorder_totals *totals)
{
    int status = CLI_OK;

    uv_async_send(&recorder->stop);
    uv_sem_wait(&recorder->done);
    *totals = recorder->totals;
    if (recorder->lacks_memory)
        status = cli_fail_memory();
    else if (recorder->error != 0)
        status = cli_fail_file(recorder->file_name, "written", recorder->error);
    else if (recorder->refused.text[0] != '\0')
        status = cli_fail(CLI_NO_CONNECTION, "a connection was not relayed: %s", recorder->refused.text);
    free_recorder(recorder);
    return status;
}
