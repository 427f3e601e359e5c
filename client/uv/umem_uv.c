#include "umem_uv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asks.h"
#include "channel.h"
#include "endpoint.h"
#include "json_out.h"
#include "pipeline.h"
#include "transport.h"

enum {
    ANSWER_LIMIT_DEFAULT = 64 << 20,
    READ_MAXIMUM = 1 << 20 /* bytes that are read at one time */
};

enum state {
    IDLE,       /* no connection */
    CONNECTING, /* the thread pool is at it */
    OPEN,
    ENDING /* the pipe is being closed */
};

/* One call on its way. It is over when its answer has come (or never will) and its bytes are written. */
struct request {
    struct um_ask ask;
    struct request *next; /* of those that are over */
    umem_uv *client;
    umem_uv_done *done; /* NULL: nobody is told */
    void *context;
    uv_write_t write;
    struct um_buf out; /* its message, without raw bytes that lie elsewhere */
    struct um_event_watch *watch; /* that it asks for; the events' own once it has succeeded */
    bool is_writing;
    bool is_answered;
};

struct umem_uv {
    struct umem_calls calls; /* what umem_uv_call() gives out */
    uv_loop_t *loop;
    uv_pipe_t pipe;
    uv_work_t work;
    enum state state;
    bool is_closing; /* by umem_uv_close() */
    bool is_busy;    /* callbacks are being called */
    char path[UM_ENDPOINT_ROOM];
    const char *path_fault; /* static: why `path` cannot be one; NULL: it can */
    struct um_channel channel;
    umem_uv_done *next_done; /* for the next call */
    void *next_context;
    struct request *over;      /* whose callbacks are due, the oldest first */
    struct request **over_end;
    struct um_transport *transport; /* CONNECTING: what the thread pool has made */
    struct um_reason reason;        /* why it could not */
    int connect_code;
    umem_uv_done *connected;
    void *connected_context;
    umem_uv_closed *closed;
    void *closed_context;
    struct um_failure failure; /* umem_uv_last_error() */
    struct umem_failure seen;
};

/* ---- failures ---- */

UM_PRINTF(3, 4)
static int fail(umem_uv *client, int code, const char *format, ...)
{
    struct um_failure *failure = &client->failure;
    va_list arguments;

    va_start(arguments, format);
    um_failure_write(failure, code, format, arguments);
    va_end(arguments);
    client->seen = (struct umem_failure){code, failure->name, failure->message, failure->data};
    return code;
}

static int succeed(umem_uv *client)
{
    client->seen = (struct umem_failure){UMEM_OK, "", "", "{}"};
    return UMEM_OK;
}

const struct umem_failure *umem_uv_last_error(const umem_uv *client)
{
    return &client->seen;
}

/* ---- what is over ---- */

static void free_request(struct request *request)
{
    if (request->ask.code != UMEM_OK)
        free(request->watch);
    um_ask_deinit(&request->ask);
    um_buf_deinit(&request->out);
    free(request);
}

static void add_over(struct request *request)
{
    umem_uv *client = request->client;

    if (request->is_writing || !request->is_answered)
        return;
    request->next = NULL;
    *client->over_end = request;
    client->over_end = &request->next;
}

static void on_answered(struct um_channel *channel, struct um_ask *ask)
{
    struct request *request = (struct request *)(void *)ask;

    (void)channel;
    request->is_answered = true;
    add_over(request);
}

static void tell(struct request *request)
{
    static const struct umem_failure none = {UMEM_OK, "", "", "{}"};
    const struct um_ask *ask = &request->ask;
    const struct um_failure *story = ask->failure;
    struct umem_failure seen = {ask->code, umem_error_name(ask->code), umem_error_text(ask->code), "{}"};

    if (story != NULL)
        seen = (struct umem_failure){ask->code, story->name, story->message, story->data};
    if (request->done != NULL)
        request->done(request->client, ask->code == UMEM_OK ? &none : &seen, request->context);
}

/* Calls the callbacks that are due, unless the connection is ending: then it is done when that is over. They may do anything with the client, which stays until this has returned. */
static void call_back(umem_uv *client)
{
    struct umem_event event;
    umem_watcher *watcher;
    void *context;

    if (client->is_busy)
        return;
    client->is_busy = true;
    while (client->over != NULL && client->state != ENDING) {
        struct request *request = client->over;

        client->over = request->next;
        if (client->over == NULL)
            client->over_end = &client->over;
        tell(request);
        free_request(request);
    }
    while (client->state == OPEN && um_events_next(&client->channel.events, &event, &watcher, &context))
        watcher(&event, context);
    client->is_busy = false;
}

/* ---- the end of a connection ---- */

static void tell_connected(umem_uv *client)
{
    umem_uv_done *connected = client->connected;
    const char *text = client->reason.text[0] != '\0' ? client->reason.text : umem_error_text(client->connect_code);
    struct umem_failure failure = {client->connect_code, umem_error_name(client->connect_code), text, "{}"};

    if (connected == NULL)
        return;
    if (client->connect_code == UMEM_OK)
        failure = (struct umem_failure){UMEM_OK, "", "", "{}"};
    client->connected = NULL;
    connected(client, &failure, client->connected_context);
}

/* All writes have ended by now, libuv sees to that. So calls that were lost are told of when anew a connection can be made. */
static void on_pipe_closed(uv_handle_t *handle)
{
    umem_uv *client = handle->data;

    client->state = IDLE;
    tell_connected(client);
    call_back(client);
    if (!client->is_closing || client->state != IDLE)
        return;
    um_channel_deinit(&client->channel);
    if (client->closed != NULL)
        client->closed(client->closed_context);
    free(client);
}

static void close_pipe(umem_uv *client)
{
    client->state = ENDING;
    uv_close((uv_handle_t *)&client->pipe, on_pipe_closed);
}

static void lose(umem_uv *client, int code, const char *text)
{
    um_channel_fail_all(&client->channel, code, text);
    close_pipe(client);
}

void umem_uv_close(umem_uv *client, umem_uv_closed *closed, void *context)
{
    client->is_closing = true;
    client->closed = closed;
    client->closed_context = context;
    if (client->state == CONNECTING)
        uv_cancel((uv_req_t *)&client->work);
    else if (client->state == OPEN)
        lose(client, UMEM_E_CONNECTION_LOST, "umem_uv_close() closed the connection");
    else if (client->state == IDLE && uv_pipe_init(client->loop, &client->pipe, 0) == 0) {
        /* Nothing is open; closing it all the same is what brings the loop to the end. */
        client->pipe.data = client;
        close_pipe(client);
    }
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    umem_uv *client = handle->data;
    size_t room;
    char *space = um_channel_space(&client->channel, &room);

    (void)suggested;
    *buf = uv_buf_init(space, (unsigned)(room < READ_MAXIMUM ? room : READ_MAXIMUM));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    umem_uv *client = stream->data;
    char why[512] = "the daemon closed the connection";
    int code = UMEM_E_CONNECTION_LOST;

    (void)buf;
    if (client->state != OPEN || count == 0)
        return;
    if (count > 0)
        code = um_channel_took(&client->channel, (size_t)count, why, sizeof why);
    if (code != UMEM_OK)
        lose(client, code, why);
    else
        call_back(client);
}

/* ---- connecting ---- */

static void connect_work(uv_work_t *work)
{
    umem_uv *client = work->data;

    client->connect_code = um_transport_open(client->path, 0, UM_NO_DEADLINE, &client->transport, &client->reason);
}

/* Takes the connection that the thread pool has made. Returns what libuv says. */
static int open_pipe(umem_uv *client)
{
    int descriptor = um_transport_release(client->transport);
    int error = descriptor < 0 ? UV_EMFILE : uv_pipe_open(&client->pipe, descriptor);

    client->transport = NULL;
    if (error == 0)
        error = uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
    return error;
}

static void on_connect_worked(uv_work_t *work, int status)
{
    umem_uv *client = work->data;
    int error = 0;

    if (status != 0 || client->is_closing) {
        client->connect_code = UMEM_E_CONNECTION_LOST;
        snprintf(client->reason.text, sizeof client->reason.text, "umem_uv_close() came before the connection");
    }
    if (client->connect_code == UMEM_OK)
        error = open_pipe(client);
    if (error != 0) {
        client->connect_code = UMEM_E_NOT_CONNECTED;
        snprintf(client->reason.text, sizeof client->reason.text, "the loop does not take the connection: %s",
                 uv_strerror(error));
    }
    um_transport_close(client->transport);
    client->transport = NULL;
    if (client->connect_code != UMEM_OK) {
        close_pipe(client);
        return;
    }
    um_channel_reset(&client->channel);
    client->state = OPEN;
    tell_connected(client);
}

int umem_uv_connect(umem_uv *client, umem_uv_done *done, void *context)
{
    int error;

    if (client->state != IDLE || client->is_closing)
        return fail(client, UMEM_E_BAD_ARGUMENT, "it is connected, about to be, or being closed");
    if (client->path_fault != NULL)
        return fail(client, UMEM_E_BAD_ARGUMENT, "%s", client->path_fault);
    error = uv_pipe_init(client->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->work.data = client;
    client->reason.text[0] = '\0';
    if (error == 0)
        error = uv_queue_work(client->loop, &client->work, connect_work, on_connect_worked);
    if (error != 0)
        return fail(client, UMEM_E_NOT_CONNECTED, "the loop takes no work: %s", uv_strerror(error));
    client->state = CONNECTING;
    client->connected = done;
    client->connected_context = context;
    return succeed(client);
}

/* ---- calls ---- */

static struct request *make_request(umem_uv *client, umem_uv_done *done, void *context, int *code)
{
    struct request *request;

    if (client->state != OPEN) {
        *code = fail(client, UMEM_E_NOT_CONNECTED, "there is no connection");
        return NULL;
    }
    request = calloc(1, sizeof *request);
    if (request == NULL) {
        *code = fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
        return NULL;
    }
    request->client = client;
    request->done = done;
    request->context = context;
    um_buf_init(&request->out, SIZE_MAX / 4);
    return request;
}

static void on_written(uv_write_t *write, int status)
{
    struct request *request = write->data;
    umem_uv *client = request->client;

    request->is_writing = false;
    add_over(request);
    /* What is lost here is told when the pipe is closed. */
    if (status != 0 && client->state == OPEN)
        lose(client, UMEM_E_CONNECTION_LOST, "the daemon no longer takes requests");
    else if (client->state == OPEN)
        call_back(client);
}

/* Writes what `out` holds, and the payload behind it. Where libuv refuses, it does so for good. */
static void write_request(struct request *request)
{
    umem_uv *client = request->client;
    const struct um_ask *ask = &request->ask;
    uv_buf_t bufs[] = {uv_buf_init(request->out.data, (unsigned)request->out.size),
                       uv_buf_init((char *)(uintptr_t)ask->payload, (unsigned)ask->payload_size)};

    request->write.data = request;
    request->is_writing = true;
    if (uv_write(&request->write, (uv_stream_t *)&client->pipe, bufs, ask->payload_size != 0 ? 2 : 1,
                 on_written) == 0)
        return;
    request->is_writing = false;
    lose(client, UMEM_E_CONNECTION_LOST, "the loop takes no more requests");
}

/* Why a request is not sent, as the client's last error. */
static int refuse(umem_uv *client, struct request *request, int code, const char *text)
{
    if (request->ask.failure != NULL)
        text = request->ask.failure->message;
    fail(client, code, "%s", text);
    request->ask.code = code;
    free_request(request);
    return code;
}

static int send_request(umem_uv *client, struct request *request)
{
    struct um_ask *ask = &request->ask;
    uint64_t payload_size;

    if (ask->code != UMEM_OK)
        return refuse(client, request, ask->code, umem_error_text(ask->code));
    if (ask->payload_size > UINT32_MAX / 2)
        return refuse(client, request, UMEM_E_TOO_LARGE, "one request carries at most 2 GiB");
    if (!ask->text.failed) {
        um_channel_add(&client->channel, ask);
        um_channel_write(ask, &request->out, &payload_size);
    }
    if (ask->text.failed || request->out.failed) {
        if (ask->id != 0)
            um_channel_forget(&client->channel, ask, false);
        return refuse(client, request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    }
    write_request(request);
    return succeed(client);
}

static struct um_ask *begin_call(umem_calls *calls, int *code)
{
    umem_uv *client = (umem_uv *)(void *)calls;
    struct request *request = make_request(client, client->next_done, client->next_context, code);

    return request != NULL ? &request->ask : NULL;
}

/* What makes a request sets all of `ask`, which is why its surroundings hold the rest. */
static int end_call(umem_calls *calls, struct um_ask *ask)
{
    return send_request((umem_uv *)(void *)calls, (struct request *)(void *)ask);
}

static const struct um_calls_way uv_way = {begin_call, end_call};

umem_calls *umem_uv_call(umem_uv *client, umem_uv_done *done, void *context)
{
    client->next_done = done;
    client->next_context = context;
    return &client->calls;
}

uint64_t umem_uv_last_call(const umem_uv *client)
{
    return client->channel.last_id;
}

int umem_uv_cancel(umem_uv *client, uint64_t call)
{
    int code;
    struct request *request = make_request(client, NULL, NULL, &code);
    struct um_ask *ask;

    if (request == NULL)
        return code;
    ask = &request->ask;
    um_ask_begin(ask, "$/cancelRequest");
    um_json_key(&ask->text, "id");
    um_json_uint(&ask->text, call);
    um_channel_write_notification(ask, &request->out);
    if (ask->text.failed || request->out.failed)
        return refuse(client, request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    /* It is not answered. */
    request->is_answered = true;
    write_request(request);
    return succeed(client);
}

/* ---- watches ---- */

int umem_uv_watch(umem_uv *client, const struct umem_watch_target *target, umem_watcher *watcher,
                  void *watcher_context, uint64_t *watch, umem_uv_done *done, void *context)
{
    int code;
    struct um_event_watch *made = calloc(1, sizeof *made);
    struct request *request;

    if (made == NULL || um_events_prepare(&client->channel.events) != UMEM_OK) {
        free(made);
        return fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for a watch");
    }
    request = make_request(client, done, context, &code);
    if (request == NULL) {
        free(made);
        return code;
    }
    *made = (struct um_event_watch){
        .watcher = watcher, .context = watcher_context, .events = &client->channel.events};
    um_ask_session_watch(&request->ask, target, made, watch);
    request->watch = made;
    return send_request(client, request);
}

int umem_uv_unwatch(umem_uv *client, uint64_t watch, umem_uv_done *done, void *context)
{
    int code;
    struct request *request = make_request(client, done, context, &code);

    if (request == NULL)
        return code;
    um_ask_session_unwatch(&request->ask, watch);
    code = send_request(client, request);
    if (code == UMEM_OK)
        um_events_remove(&client->channel.events, watch);
    return code;
}

/* ---- the client ---- */

umem_uv *umem_uv_new(uv_loop_t *loop, const struct umem_uv_options *options)
{
    static const struct umem_uv_options defaults = {.pipe = NULL};
    umem_uv *client = calloc(1, sizeof *client);
    size_t answer_limit;

    if (options == NULL)
        options = &defaults;
    answer_limit = options->answer_bytes_max != 0 ? options->answer_bytes_max : ANSWER_LIMIT_DEFAULT;
    if (client == NULL || um_channel_init(&client->channel, answer_limit < SIZE_MAX / 4 ? answer_limit
                                                                                       : SIZE_MAX / 4) != UMEM_OK) {
        free(client);
        return NULL;
    }
    if (um_endpoint_find(options->pipe, client->path, &client->path_fault) == UMEM_OK)
        client->path_fault = NULL;
    client->calls.way = &uv_way;
    client->loop = loop;
    client->channel.on_done = on_answered;
    client->over_end = &client->over;
    succeed(client);
    return client;
}
