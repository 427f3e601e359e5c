/* Calls on a loop: begun, written, cancelled. */
#include <stdlib.h>

#include "asks.h"
#include "json_out.h"
#include "uv_client.h"

enum {
    WRITE_LIMIT =
        1 << 20 /* bytes that libuv has under way at one time: Windows keeps all of them in non-paged pool */
};

struct um_uv_request *um_uv_make(umem_uv *client, umem_uv_done *done, void *context, int *code)
{
    struct um_uv_request *request;

    if (client->state != UM_UV_OPEN) {
        *code = um_uv_fail(client, UMEM_E_NOT_CONNECTED, "there is no connection");
        return NULL;
    }
    request = calloc(1, sizeof *request);
    if (request == NULL) {
        *code = um_uv_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
        return NULL;
    }
    request->client = client;
    request->done = done;
    request->context = context;
    um_buf_init(&request->out, SIZE_MAX / 4);
    return request;
}

/* ---- writing ---- */

/* All of it is written, or the rest never will be. One that is not answered is over by that. */
static void end_writing(struct um_uv_request *request)
{
    request->is_writing = false;
    um_uv_add_over(request);
}

void um_uv_drop_unwritten(umem_uv *client)
{
    struct um_uv_request *request = client->unwritten;

    client->unwritten = NULL;
    client->unwritten_end = &client->unwritten;
    while (request != NULL) {
        struct um_uv_request *next = request->next_unwritten;

        /* Else libuv tells when it has let go of the bytes. */
        if (request->writing_size == 0)
            end_writing(request);
        request = next;
    }
}

static uint64_t unwritten_size(const struct um_uv_request *request)
{
    return request->out.size + request->ask.payload_size - request->written;
}

static void on_written(uv_write_t *write, int status)
{
    struct um_uv_request *request = write->data;
    umem_uv *client = request->client;

    client->writing_size -= request->writing_size;
    request->writing_size = 0;
    if (unwritten_size(request) == 0 || client->state != UM_UV_OPEN)
        end_writing(request);
    if (client->state != UM_UV_OPEN)
        return;
    /* What is lost here is told when the pipe is closed. */
    if (status != 0)
        um_uv_lose(client, UMEM_E_CONNECTION_LOST, "the daemon no longer takes requests");
    else
        um_uv_write_on(client);
    if (client->state == UM_UV_OPEN)
        um_uv_call_back(client);
}

/* Lists the next bytes of a request, `limit` of them at most, as libuv's buffers. Returns how many buffers. */
static unsigned list_next(struct um_uv_request *request, size_t limit, uv_buf_t bufs[2])
{
    const struct um_ask *ask = &request->ask;
    size_t head = request->out.size;
    size_t at = (size_t)request->written;
    size_t size = unwritten_size(request) < limit ? (size_t)unwritten_size(request) : limit;
    size_t of_head = at < head ? (size < head - at ? size : head - at) : 0;
    const char *payload = ask->payload;
    unsigned count = 0;

    if (of_head != 0)
        bufs[count++] = uv_buf_init(request->out.data + at, (unsigned)of_head);
    if (size > of_head)
        bufs[count++] =
            uv_buf_init((char *)(uintptr_t)(payload + (at + of_head - head)), (unsigned)(size - of_head));
    request->writing_size = size;
    return count;
}

void um_uv_write_on(umem_uv *client)
{
    while (client->unwritten != NULL && client->unwritten->writing_size == 0 &&
           client->writing_size < WRITE_LIMIT) {
        struct um_uv_request *request = client->unwritten;
        uv_buf_t bufs[2];
        unsigned count = list_next(request, WRITE_LIMIT - client->writing_size, bufs);

        if (uv_write(&request->write, (uv_stream_t *)&client->pipe, bufs, count, on_written) != 0) {
            request->writing_size = 0;
            um_uv_lose(client, UMEM_E_CONNECTION_LOST, "the loop takes no more requests");
            return;
        }
        request->written += request->writing_size;
        client->writing_size += request->writing_size;
        if (unwritten_size(request) != 0)
            return;
        client->unwritten = request->next_unwritten;
        if (client->unwritten == NULL)
            client->unwritten_end = &client->unwritten;
    }
}

/* Writes what `out` holds, and the payload behind it, after the requests before it. */
static void write_request(struct um_uv_request *request)
{
    umem_uv *client = request->client;

    request->write.data = request;
    request->is_writing = true;
    *client->unwritten_end = request;
    client->unwritten_end = &request->next_unwritten;
    um_uv_write_on(client);
}

/* ---- requests ---- */

/* Why a request is not sent, as the client's last error. */
static int refuse(umem_uv *client, struct um_uv_request *request, int code, const char *text)
{
    if (request->ask.failure != NULL)
        text = request->ask.failure->message;
    um_uv_fail(client, code, "%s", text);
    request->ask.code = code;
    um_uv_free_request(request);
    return code;
}

int um_uv_send(umem_uv *client, struct um_uv_request *request)
{
    struct um_ask *ask = &request->ask;
    uint64_t payload_size;

    if (ask->code != UMEM_OK)
        return refuse(client, request, ask->code, umem_error_text(ask->code));
    if (ask->payload_size > UINT32_MAX / 2)
        return refuse(client, request, UMEM_E_TOO_LARGE, "one request carries at most 2 GiB");
    if (!ask->text.failed) {
        um_channel_add(&client->channel, ask);
        um_uv_set_deadline(request);
        um_channel_write(ask, &request->out, &payload_size);
    }
    if (ask->text.failed || request->out.failed) {
        if (ask->id != 0)
            um_channel_forget(&client->channel, ask, false);
        return refuse(client, request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    }
    write_request(request);
    return um_uv_succeed(client);
}

static struct um_ask *begin_call(umem_calls *calls, int *code)
{
    umem_uv *client = (umem_uv *)(void *)calls;
    struct um_uv_request *request = um_uv_make(client, client->next_done, client->next_context, code);

    return request != NULL ? &request->ask : NULL;
}

/* What makes a request sets all of `ask`, which is why its surroundings hold the rest. */
static int end_call(umem_calls *calls, struct um_ask *ask)
{
    return um_uv_send((umem_uv *)(void *)calls, (struct um_uv_request *)(void *)ask);
}

const struct um_calls_way um_uv_way = {begin_call, end_call};

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
    struct um_uv_request *request = um_uv_make(client, NULL, NULL, &code);
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
    return um_uv_succeed(client);
}

/* ---- watches ---- */

int umem_uv_watch(umem_uv *client, const struct umem_watch_target *target, umem_watcher *watcher,
                  void *watcher_context, uint64_t *watch, umem_uv_done *done, void *context)
{
    int code;
    struct um_event_watch *made = calloc(1, sizeof *made);
    struct um_uv_request *request;

    if (made == NULL || um_events_prepare(&client->channel.events) != UMEM_OK) {
        free(made);
        return um_uv_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for a watch");
    }
    request = um_uv_make(client, done, context, &code);
    if (request == NULL) {
        free(made);
        return code;
    }
    *made = (struct um_event_watch){
        .watcher = watcher, .context = watcher_context, .events = &client->channel.events};
    um_ask_session_watch(&request->ask, target, made, watch);
    request->watch = made;
    return um_uv_send(client, request);
}

int umem_uv_unwatch(umem_uv *client, uint64_t watch, umem_uv_done *done, void *context)
{
    int code;
    struct um_uv_request *request = um_uv_make(client, done, context, &code);

    if (request == NULL)
        return code;
    um_ask_session_unwatch(&request->ask, watch);
    code = um_uv_send(client, request);
    if (code == UMEM_OK)
        um_events_remove(&client->channel.events, watch);
    return code;
}
