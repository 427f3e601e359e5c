/* Calls on a loop: begun, written, cancelled. */
#include <stdlib.h>

#include "lib/request/requests.h"
#include "uv/uv_client.h"
#include "wire/json_write.h"

enum {
    WRITE_LIMIT =
        1 << 20 /* bytes that libuv has under way at one time: Windows keeps all of them in non-paged pool */
};

struct um_uv_call *um_uv_call_new(umem_uv *client, umem_uv_done *done, void *context, int *code)
{
    struct um_uv_call *call;

    if (client->state != UM_UV_OPEN) {
        *code = um_uv_fail(client, UMEM_E_NOT_CONNECTED, "there is no connection");
        return NULL;
    }
    call = calloc(1, sizeof *call);
    if (call == NULL) {
        *code = um_uv_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
        return NULL;
    }
    call->client = client;
    call->done = done;
    call->context = context;
    um_buf_init(&call->out, SIZE_MAX / 4);
    return call;
}

/* ---- writing ---- */

/* All of it is written, or the writing has failed. A call without an answer has ended by that. */
static void end_writing(struct um_uv_call *call)
{
    call->is_writing = false;
    um_uv_add_finished(call);
}

void um_uv_drop_unwritten(umem_uv *client)
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

static uint64_t unwritten_size(const struct um_uv_call *call)
{
    return call->out.size + call->request.payload_size - call->written;
}

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
        um_uv_disconnect(client, UMEM_E_CONNECTION_LOST, "the daemon no longer takes requests");
    else
        um_uv_write_pending(client);
    if (client->state == UM_UV_OPEN)
        um_uv_run_callbacks(client);
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

void um_uv_write_pending(umem_uv *client)
{
    while (client->unwritten != NULL && client->unwritten->writing_size == 0 &&
           client->writing_size < WRITE_LIMIT) {
        struct um_uv_call *call = client->unwritten;
        uv_buf_t bufs[2];
        unsigned count = list_next(call, WRITE_LIMIT - client->writing_size, bufs);

        if (uv_write(&call->write, (uv_stream_t *)&client->pipe, bufs, count, on_written) != 0) {
            call->writing_size = 0;
            um_uv_disconnect(client, UMEM_E_CONNECTION_LOST, "the loop takes no more requests");
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
    um_uv_write_pending(client);
}

/* ---- requests ---- */

/* Why a call is not sent, as the client's last error. */
static int refuse(umem_uv *client, struct um_uv_call *call, int code, const char *text)
{
    if (call->request.failure != NULL)
        text = call->request.failure->message;
    um_uv_fail(client, code, "%s", text);
    call->request.code = code;
    um_uv_call_free(call);
    return code;
}

int um_uv_call_send(umem_uv *client, struct um_uv_call *call)
{
    struct um_request *request = &call->request;
    uint64_t payload_size;

    if (request->code != UMEM_OK)
        return refuse(client, call, request->code, umem_error_text(request->code));
    if (request->payload_size > UINT32_MAX / 2)
        return refuse(client, call, UMEM_E_TOO_LARGE, "one call carries at most 2 GiB");
    if (!request->text.failed) {
        um_channel_add(&client->channel, request);
        um_uv_set_deadline(call);
        um_channel_write(request, &call->out, &payload_size);
    }
    if (request->text.failed || call->out.failed) {
        if (request->id != 0)
            um_channel_withdraw(&client->channel, request, false);
        return refuse(client, call, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    }
    write_call(call);
    return um_uv_succeed(client);
}

static struct um_request *begin_call(umem_calls *calls, int *code)
{
    umem_uv *client = (umem_uv *)(void *)calls;
    struct um_uv_call *call = um_uv_call_new(client, client->next_done, client->next_context, code);

    return call != NULL ? &call->request : NULL;
}

/* A maker sets all of `request`, which is why the other members are in the call around it. */
static int end_call(umem_calls *calls, struct um_request *request)
{
    return um_uv_call_send((umem_uv *)(void *)calls, (struct um_uv_call *)(void *)request);
}

const struct um_calls_ops um_uv_ops = {begin_call, end_call};

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
    struct um_uv_call *call = um_uv_call_new(client, NULL, NULL, &code);
    struct um_request *request;

    if (call == NULL)
        return code;
    request = &call->request;
    um_request_begin(request, "$/cancelRequest");
    um_json_key(&request->text, "id");
    um_json_uint(&request->text, id);
    um_channel_write_notification(request, &call->out);
    if (request->text.failed || call->out.failed)
        return refuse(client, call, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    /* It is not answered. */
    call->is_answered = true;
    write_call(call);
    return um_uv_succeed(client);
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
        return um_uv_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for a watch");
    }
    call = um_uv_call_new(client, done, context, &code);
    if (call == NULL) {
        free(made);
        return code;
    }
    *made = (struct um_event_watch){
        .watcher = watcher, .context = watcher_context, .events = &client->channel.events};
    um_request_session_watch(&call->request, target, made, watch);
    call->watch = made;
    return um_uv_call_send(client, call);
}

int umem_uv_unwatch(umem_uv *client, uint64_t watch, umem_uv_done *done, void *context)
{
    int code;
    struct um_uv_call *call = um_uv_call_new(client, done, context, &code);

    if (call == NULL)
        return code;
    um_request_session_unwatch(&call->request, watch);
    code = um_uv_call_send(client, call);
    if (code == UMEM_OK)
        um_event_queue_remove_watch(&client->channel.events, watch);
    return code;
}

/* ---- shared heaps: the daemon says where a block lies, and that is mapped in the loop's thread ---- */

int umem_uv_map(umem_uv *client, umem_handle block, void **bytes, uint64_t *size, umem_uv_done *done,
                void *context)
{
    int code;
    struct um_uv_call *call = um_uv_call_new(client, done, context, &code);

    if (call == NULL)
        return code;
    call->mapping = calloc(1, sizeof *call->mapping);
    if (call->mapping == NULL) {
        free(call);
        return um_uv_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    }
    call->mapping->bytes = bytes;
    call->mapping->size = size;
    um_request_block_map(&call->request, block, &call->mapping->location);
    return um_uv_call_send(client, call);
}

int umem_uv_unmap(umem_uv *client, void *bytes)
{
    int code = um_mapped_heap_release(&client->mapped, bytes);

    if (code != UMEM_OK)
        return um_uv_fail(client, code, "nothing is mapped at this address");
    return um_uv_succeed(client);
}
