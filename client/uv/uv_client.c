#include "uv/uv_client.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/request/requests.h"
#include "wire/json_write.h"

enum {
    ANSWER_LIMIT_DEFAULT = 64 << 20,
    READ_MAXIMUM = 1 << 20, /* bytes that are read at one time */
    WRITE_LIMIT =
        1 << 20, /* bytes that libuv has under way at one time: Windows keeps all of them in non-paged pool */
    CONNECT_STEP_MS =
        250 /* how long the thread pool waits for a place before it looks whether the client is closed */
};

/* ---- failures ---- */

/* A failure without facts. An empty text is the code's own. */
static struct umem_failure plain_failure(int code, const char *text)
{
    if (code == UMEM_OK)
        return (struct umem_failure){UMEM_OK, "", "", "{}"};
    return (struct umem_failure){code, umem_error_name(code), text[0] != '\0' ? text : umem_error_text(code),
                                 "{}"};
}

/* Notes why a function does not begin what it was to begin, and returns the code. */
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
    client->seen = plain_failure(UMEM_OK, "");
    return UMEM_OK;
}

const struct umem_failure *umem_uv_last_error(const umem_uv *client)
{
    return &client->seen;
}

/* ---- calls that have ended ---- */

static struct um_uv_call *call_of(struct um_request *request)
{
    return (struct um_uv_call *)(void *)request;
}

static void call_free(struct um_uv_call *call)
{
    if (call->request.code != UMEM_OK)
        free(call->watch);
    free(call->mapping);
    um_request_deinit(&call->request);
    um_buf_deinit(&call->out);
    free(call);
}

/* Puts a call that has ended among those whose callbacks are due. */
static void add_finished(struct um_uv_call *call)
{
    umem_uv *client = call->client;

    if (call->is_writing || !call->is_answered)
        return;
    call->next = NULL;
    *client->finished_end = call;
    client->finished_end = &call->next;
}

static void on_answered(struct um_channel *channel, struct um_request *request)
{
    struct um_uv_call *call = call_of(request);

    (void)channel;
    call->is_answered = true;
    add_finished(call);
}

/* Maps the block whose location the daemon has sent. UMEM_OK, or why it cannot be; *reason may then tell more. */
static int map_block(struct um_uv_call *call, struct um_reason *reason)
{
    struct um_uv_mapping *mapping = call->mapping;
    int code = um_mapped_heap_use(&call->client->mapped, &mapping->location, mapping->bytes, reason);

    if (code == UMEM_OK && mapping->size != NULL)
        *mapping->size = mapping->location.size;
    return code;
}

static void call_done(struct um_uv_call *call)
{
    const struct um_request *request = &call->request;
    const struct um_failure *failure = request->failure;
    struct um_reason reason = {""};
    struct umem_failure seen;

    if (request->code != UMEM_OK && failure != NULL)
        seen = (struct umem_failure){request->code, failure->name, failure->message, failure->data};
    else if (request->code == UMEM_OK && call->mapping != NULL)
        seen = plain_failure(map_block(call, &reason), reason.text);
    else
        seen = plain_failure(request->code, "");
    if (call->done != NULL)
        call->done(call->client, &seen, call->context);
}

/* Calls the callbacks that are due, unless the connection is ending: then it is done when that is over. They may do anything
 * with the client, which stays until this has returned. */
static void run_callbacks(umem_uv *client)
{
    struct umem_event event;
    umem_watcher *watcher;
    void *context;

    if (client->is_busy)
        return;
    client->is_busy = true;
    while (client->finished != NULL && client->state != UM_UV_ENDING) {
        struct um_uv_call *call = client->finished;

        client->finished = call->next;
        if (client->finished == NULL)
            client->finished_end = &client->finished;
        call_done(call);
        call_free(call);
    }
    while (client->state == UM_UV_OPEN &&
           um_event_queue_pop(&client->channel.events, &event, &watcher, &context))
        watcher(&event, context);
    client->is_busy = false;
}

/* ---- the end of a connection ---- */

static void call_connected(umem_uv *client)
{
    umem_uv_done *connected = client->connected;
    struct umem_failure failure = plain_failure(client->connect_code, client->reason.text);

    if (connected == NULL)
        return;
    client->connected = NULL;
    connected(client, &failure, client->connected_context);
}

/* The last that is left of a client that was closed. */
static void on_timer_closed(uv_handle_t *handle)
{
    umem_uv *client = handle->data;

    um_channel_deinit(&client->channel);
    um_mapped_heap_free_all(client->mapped);
    if (client->closed != NULL)
        client->closed(client->closed_context);
    free(client);
}

/* All writes have ended by now, libuv sees to that. So the callbacks of calls that were lost come when a connection can be made anew. */
static void on_pipe_closed(uv_handle_t *handle)
{
    umem_uv *client = handle->data;

    client->state = UM_UV_IDLE;
    call_connected(client);
    run_callbacks(client);
    if (client->is_closing && client->state == UM_UV_IDLE)
        uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}

static void close_pipe(umem_uv *client)
{
    client->state = UM_UV_ENDING;
    uv_close((uv_handle_t *)&client->pipe, on_pipe_closed);
}

/* All of it is written, or the writing has failed. A call without an answer has ended by that. */
static void end_writing(struct um_uv_call *call)
{
    call->is_writing = false;
    add_finished(call);
}

/* Drops what libuv was not given, of a connection that ends. */
static void drop_unwritten(umem_uv *client)
{
    struct um_uv_call *call = client->unwritten;

    client->unwritten = NULL;
    client->unwritten_end = &client->unwritten;
    while (call != NULL) {
        struct um_uv_call *next = call->next_unwritten;

        /* Else libuv calls back when it does not use the bytes any more. */
        if (call->writing_size == 0)
            end_writing(call);
        call = next;
    }
}

/* Ends a connection that is open. The callbacks of what is lost with it come when the pipe has been closed. */
static void disconnect(umem_uv *client, int code, const char *text)
{
    um_channel_fail_all(&client->channel, code, text);
    drop_unwritten(client);
    close_pipe(client);
}

void umem_uv_close(umem_uv *client, umem_uv_closed *closed, void *context)
{
    client->is_closing = true;
    client->closed = closed;
    client->closed_context = context;
    if (client->state == UM_UV_CONNECTING)
        uv_cancel((uv_req_t *)&client->work);
    else if (client->state == UM_UV_OPEN)
        disconnect(client, UMEM_E_CONNECTION_LOST, "umem_uv_close() closed the connection");
    else if (client->state == UM_UV_IDLE && uv_pipe_init(client->loop, &client->pipe, 0) == 0) {
        /* Nothing is open; closing it all the same is what brings the loop to the end. */
        client->pipe.data = client;
        close_pipe(client);
    }
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    umem_uv *client = handle->data;
    size_t capacity;
    char *space = um_channel_space(&client->channel, &capacity);

    (void)suggested;
    *buf = uv_buf_init(space, (unsigned)(capacity < READ_MAXIMUM ? capacity : READ_MAXIMUM));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    umem_uv *client = stream->data;
    char why[512] = "the daemon closed the connection";
    int code = UMEM_E_CONNECTION_LOST;

    (void)buf;
    if (client->state != UM_UV_OPEN || count == 0)
        return;
    if (count > 0)
        code = um_channel_received(&client->channel, (size_t)count, why, sizeof why);
    if (code != UMEM_OK)
        disconnect(client, code, why);
    else
        run_callbacks(client);
}

/* ---- deadlines of calls: one timer, set for the first of them that comes ---- */

static const char late_text[] = "the daemon did not answer in time";

/* Milliseconds of a clock that only goes forward. */
static uint64_t clock_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void on_timer(uv_timer_t *timer);

/* The loop's own time may be a little behind: then the timer comes too early, and is set once more. */
static void set_timer(umem_uv *client, uint64_t due_ms)
{
    uint64_t now_ms = clock_ms();

    client->due_ms = due_ms;
    if (due_ms == UM_NO_DEADLINE)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* Sets when a call that is about to be sent must have been answered. */
static void set_deadline(struct um_uv_call *call)
{
    umem_uv *client = call->client;
    uint64_t wait_ms = call->request.wait_ms;

    call->deadline_ms = UM_NO_DEADLINE;
    if (client->timeout_ms != 0 && wait_ms != UM_WAIT_FOREVER)
        call->deadline_ms = clock_ms() + client->timeout_ms + wait_ms;
    if (call->deadline_ms < client->due_ms)
        set_timer(client, call->deadline_ms);
}

/* Gives a call up, and the connection where that cannot go on: as the blocking client does. */
static void expire(umem_uv *client, struct um_uv_call *call)
{
    struct um_request *request = &call->request;
    bool waits = request->waits;
    uint64_t id = request->id;

    if (call->is_writing || request->keeps_lock || !um_channel_withdraw(&client->channel, request, true)) {
        disconnect(client, UMEM_E_DEADLINE, late_text);
        return;
    }
    um_request_fail(request, UMEM_E_DEADLINE, late_text);
    um_request_finish(request);
    call->is_answered = true;
    add_finished(call);
    if (waits)
        umem_uv_cancel(client, id);
}

/* The first call whose time is over; else NULL, and *next_ms is when the next one's is. */
static struct um_uv_call *find_expired(umem_uv *client, uint64_t *next_ms)
{
    uint64_t now_ms = clock_ms();
    struct um_request *request =
        client->channel.receiving != NULL ? client->channel.receiving : client->channel.first;

    *next_ms = UM_NO_DEADLINE;
    while (request != NULL) {
        struct um_uv_call *call = call_of(request);

        if (call->deadline_ms <= now_ms)
            return call;
        if (call->deadline_ms < *next_ms)
            *next_ms = call->deadline_ms;
        request = request == client->channel.receiving ? client->channel.first : request->next;
    }
    return NULL;
}

static void on_timer(uv_timer_t *timer)
{
    umem_uv *client = timer->data;
    uint64_t next_ms = UM_NO_DEADLINE;
    struct um_uv_call *call = NULL;

    if (client->state == UM_UV_OPEN)
        call = find_expired(client, &next_ms);
    while (call != NULL && client->state == UM_UV_OPEN) {
        expire(client, call);
        call = client->state == UM_UV_OPEN ? find_expired(client, &next_ms) : NULL;
    }
    set_timer(client, client->state == UM_UV_OPEN ? next_ms : UM_NO_DEADLINE);
    if (client->state == UM_UV_OPEN)
        run_callbacks(client);
}

static void init_timer(umem_uv *client)
{
    uv_timer_init(client->loop, &client->timer);
    /* It is the connection that keeps the loop going. */
    uv_unref((uv_handle_t *)&client->timer);
    client->timer.data = client;
    client->due_ms = UM_NO_DEADLINE;
}

/* ---- connecting ---- */

static void connect_work(uv_work_t *work)
{
    umem_uv *client = work->data;

    client->connect_code =
        um_transport_open(client->path, client->server_user, 0, um_transport_now_ms() + CONNECT_STEP_MS,
                          &client->transport, &client->reason);
}

static void close_descriptor(int descriptor)
{
    uv_fs_t request;

    uv_fs_close(NULL, &request, descriptor, NULL);
    uv_fs_req_cleanup(&request);
}

/* Takes the connection that the thread pool has made. Returns what libuv says. */
static int open_pipe(umem_uv *client)
{
    int descriptor = um_transport_release(client->transport);
    int error = descriptor < 0 ? UV_EMFILE : uv_pipe_open(&client->pipe, descriptor);

    client->transport = NULL;
    if (error != 0 && descriptor >= 0)
        close_descriptor(descriptor);
    if (error == 0)
        error = uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read);
    return error;
}

static void on_connect_worked(uv_work_t *work, int status)
{
    umem_uv *client = work->data;
    int error = 0;

    /* All of the pipe's places are taken. */
    if (status == 0 && client->connect_code == UMEM_E_DEADLINE && !client->is_closing &&
        clock_ms() < client->connect_deadline_ms &&
        uv_queue_work(client->loop, work, connect_work, on_connect_worked) == 0)
        return;
    if (status != 0 || client->is_closing) {
        client->connect_code = UMEM_E_CONNECTION_LOST;
        snprintf(client->reason.text, sizeof client->reason.text,
                 "umem_uv_close() came before the connection");
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
    client->state = UM_UV_OPEN;
    call_connected(client);
}

int umem_uv_connect(umem_uv *client, umem_uv_done *done, void *context)
{
    int error;

    if (client->state != UM_UV_IDLE || client->is_closing)
        return fail(client, UMEM_E_BAD_ARGUMENT, "it is connected, about to be, or being closed");
    if (client->path_fault != NULL)
        return fail(client, UMEM_E_BAD_ARGUMENT, "%s", client->path_fault);
    error = uv_pipe_init(client->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->work.data = client;
    client->reason.text[0] = '\0';
    client->connect_deadline_ms = client->timeout_ms != 0 ? clock_ms() + client->timeout_ms : UM_NO_DEADLINE;
    if (error == 0)
        error = uv_queue_work(client->loop, &client->work, connect_work, on_connect_worked);
    if (error != 0)
        return fail(client, UMEM_E_NOT_CONNECTED, "the loop takes no work: %s", uv_strerror(error));
    client->state = UM_UV_CONNECTING;
    client->connected = done;
    client->connected_context = context;
    return succeed(client);
}

/* ---- calls on a loop: begun, written, cancelled ---- */

/* Makes a call whose `request` the caller writes, and begins it; call_send() frees it where that fails. */
static struct um_uv_call *call_new(umem_uv *client, umem_uv_done *done, void *context, int *code)
{
    struct um_uv_call *call;

    if (client->state != UM_UV_OPEN) {
        *code = fail(client, UMEM_E_NOT_CONNECTED, "there is no connection");
        return NULL;
    }
    call = calloc(1, sizeof *call);
    if (call == NULL) {
        *code = fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
        return NULL;
    }
    call->client = client;
    call->done = done;
    call->context = context;
    um_buf_init(&call->out, SIZE_MAX / 4);
    return call;
}

/* ---- writing ---- */

static uint64_t unwritten_size(const struct um_uv_call *call)
{
    return call->out.size + call->request.payload_size - call->written;
}

static void write_pending(umem_uv *client);

static void on_written(uv_write_t *write, int status)
{
    struct um_uv_call *call = write->data;
    umem_uv *client = call->client;

    client->writing_size -= call->writing_size;
    call->writing_size = 0;
    if (unwritten_size(call) == 0 || client->state != UM_UV_OPEN)
        end_writing(call);
    if (client->state != UM_UV_OPEN)
        return;
    /* The callbacks of what is lost here come when the pipe is closed. */
    if (status != 0)
        disconnect(client, UMEM_E_CONNECTION_LOST, "the daemon no longer takes requests");
    else
        write_pending(client);
    if (client->state == UM_UV_OPEN)
        run_callbacks(client);
}

/* Lists the next bytes of a call, `limit` of them at most, as libuv's buffers. Returns how many buffers. */
static unsigned list_next(struct um_uv_call *call, size_t limit, uv_buf_t bufs[2])
{
    const struct um_request *request = &call->request;
    size_t head = call->out.size;
    size_t at = (size_t)call->written;
    size_t size = unwritten_size(call) < limit ? (size_t)unwritten_size(call) : limit;
    size_t of_head = at < head ? (size < head - at ? size : head - at) : 0;
    const char *payload = request->payload;
    unsigned count = 0;

    if (of_head != 0)
        bufs[count++] = uv_buf_init(call->out.data + at, (unsigned)of_head);
    if (size > of_head)
        bufs[count++] =
            uv_buf_init((char *)(uintptr_t)(payload + (at + of_head - head)), (unsigned)(size - of_head));
    call->writing_size = size;
    return count;
}

/* Gives libuv more of the requests that are not written, as far as it may have so much under way. Where libuv refuses, it does so for
 * good, and the connection is lost. */
static void write_pending(umem_uv *client)
{
    while (client->unwritten != NULL && client->unwritten->writing_size == 0 &&
           client->writing_size < WRITE_LIMIT) {
        struct um_uv_call *call = client->unwritten;
        uv_buf_t bufs[2];
        unsigned count = list_next(call, WRITE_LIMIT - client->writing_size, bufs);

        if (uv_write(&call->write, (uv_stream_t *)&client->pipe, bufs, count, on_written) != 0) {
            call->writing_size = 0;
            disconnect(client, UMEM_E_CONNECTION_LOST, "the loop takes no more requests");
            return;
        }
        call->written += call->writing_size;
        client->writing_size += call->writing_size;
        if (unwritten_size(call) != 0)
            return;
        client->unwritten = call->next_unwritten;
        if (client->unwritten == NULL)
            client->unwritten_end = &client->unwritten;
    }
}

/* Writes what `out` holds, and the payload behind it, after the requests before it. */
static void write_call(struct um_uv_call *call)
{
    umem_uv *client = call->client;

    call->write.data = call;
    call->is_writing = true;
    *client->unwritten_end = call;
    client->unwritten_end = &call->next_unwritten;
    write_pending(client);
}

/* ---- requests ---- */

/* Why a call is not sent, as the client's last error. */
static int refuse(umem_uv *client, struct um_uv_call *call, int code, const char *text)
{
    if (call->request.failure != NULL)
        text = call->request.failure->message;
    fail(client, code, "%s", text);
    call->request.code = code;
    call_free(call);
    return code;
}

static int call_send(umem_uv *client, struct um_uv_call *call)
{
    struct um_request *request = &call->request;
    uint64_t payload_size;

    if (request->code != UMEM_OK)
        return refuse(client, call, request->code, umem_error_text(request->code));
    if (request->payload_size > UINT32_MAX / 2)
        return refuse(client, call, UMEM_E_TOO_LARGE, "one call carries at most 2 GiB");
    if (!request->text.failed) {
        um_channel_add(&client->channel, request);
        set_deadline(call);
        um_channel_write(request, &call->out, &payload_size);
    }
    if (request->text.failed || call->out.failed) {
        if (request->id != 0)
            um_channel_withdraw(&client->channel, request, false);
        return refuse(client, call, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    }
    write_call(call);
    return succeed(client);
}

static struct um_request *begin_call(umem_calls *calls, int *code)
{
    umem_uv *client = (umem_uv *)(void *)calls;
    struct um_uv_call *call = call_new(client, client->next_done, client->next_context, code);

    return call != NULL ? &call->request : NULL;
}

/* A maker sets all of `request`, which is why the other members are in the call around it. */
static int end_call(umem_calls *calls, struct um_request *request)
{
    return call_send((umem_uv *)(void *)calls, call_of(request));
}

static const struct um_calls_ops loop_ops = {begin_call, end_call};

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

int umem_uv_cancel(umem_uv *client, uint64_t id)
{
    int code;
    struct um_uv_call *call = call_new(client, NULL, NULL, &code);
    struct um_request *request;

    if (call == NULL)
        return code;
    request = &call->request;
    um_request_begin(request, "$/cancelRequest");
    um_json_put_uint(&request->text, "id", id);
    um_channel_write_notification(request, &call->out);
    if (request->text.failed || call->out.failed)
        return refuse(client, call, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    /* It is not answered. */
    call->is_answered = true;
    write_call(call);
    return succeed(client);
}

/* ---- watches ---- */

int umem_uv_watch(umem_uv *client, const struct umem_watch_target *target, umem_watcher *watcher,
                  void *watcher_context, uint64_t *watch, umem_uv_done *done, void *context)
{
    int code;
    struct um_event_watch *made = calloc(1, sizeof *made);
    struct um_uv_call *call;

    if (made == NULL || um_event_queue_prepare(&client->channel.events) != UMEM_OK) {
        free(made);
        return fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for a watch");
    }
    call = call_new(client, done, context, &code);
    if (call == NULL) {
        free(made);
        return code;
    }
    *made = (struct um_event_watch){
        .watcher = watcher, .context = watcher_context, .events = &client->channel.events};
    um_request_session_watch(&call->request, target, made, watch);
    call->watch = made;
    return call_send(client, call);
}

int umem_uv_unwatch(umem_uv *client, uint64_t watch, umem_uv_done *done, void *context)
{
    int code;
    struct um_uv_call *call = call_new(client, done, context, &code);

    if (call == NULL)
        return code;
    um_request_session_unwatch(&call->request, watch);
    code = call_send(client, call);
    if (code == UMEM_OK)
        um_event_queue_remove_watch(&client->channel.events, watch);
    return code;
}

/* ---- shared heaps: the daemon says where a block lies, and that is mapped in the loop's thread ---- */

int umem_uv_map(umem_uv *client, umem_handle block, void **bytes, uint64_t *size, umem_uv_done *done,
                void *context)
{
    int code;
    struct um_uv_call *call = call_new(client, done, context, &code);

    if (call == NULL)
        return code;
    call->mapping = calloc(1, sizeof *call->mapping);
    if (call->mapping == NULL) {
        free(call);
        return fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    }
    call->mapping->bytes = bytes;
    call->mapping->size = size;
    um_request_block_map(&call->request, block, &call->mapping->location);
    if (bytes == NULL)
        um_request_refuse(&call->request, "there is no place for the pointer to the bytes");
    return call_send(client, call);
}

int umem_uv_unmap(umem_uv *client, void *bytes)
{
    int code = um_mapped_heap_release(&client->mapped, bytes);

    if (code != UMEM_OK)
        return fail(client, code, "nothing is mapped at this address");
    return succeed(client);
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
    if (client == NULL ||
        um_channel_init(&client->channel, answer_limit < SIZE_MAX / 4 ? answer_limit : SIZE_MAX / 4) !=
            UMEM_OK) {
        free(client);
        return NULL;
    }
    if (um_endpoint_find(options->pipe, client->path, &client->path_fault) == UMEM_OK &&
        um_endpoint_find_server_user(options->server_user, client->server_user, &client->path_fault) ==
            UMEM_OK)
        client->path_fault = NULL;
    client->calls.ops = &loop_ops;
    client->loop = loop;
    client->channel.on_done = on_answered;
    client->unwritten_end = &client->unwritten;
    client->finished_end = &client->finished;
    client->timeout_ms = options->timeout_ms;
    init_timer(client);
    succeed(client);
    return client;
}
