/* Calls of threads that share the connection: sent, awaited, withdrawn; client.h says how. And the daemon's limits on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/connection/client.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

enum {
    COPY_MAXIMUM =
        4096, /* a payload up to this is copied behind its request, a larger one is written from where it lies */
    GATHER_SIZE = 32768,    /* requests that are written together, in bytes */
    KEEP_SIZE = 1 << 18,    /* a larger buffer is freed after its use */
    CANCEL_TURN_MS = 100,   /* how long a thread whose deadline has come waits until it can cancel its call */
    CANCEL_WRITE_MS = 1000, /* and how long that may take */
    MESSAGE_OVERHEAD = 64,  /* bytes that a request gets beside its text: its id, its end */
    DEFAULT_MESSAGE_LIMIT = 16 << 20,
    DEFAULT_PAYLOAD_LIMIT = 64 << 20
};

/* ---- reading ---- */

static void wake_for_events(umem_client *client)
{
    if (client->channel.events.count == 0 && !client->channel.events.overflowed)
        return;
    for (struct um_waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next) {
        if (waiter->wants_events)
            um_condition_signal(waiter->condition);
    }
}

int um_client_read(umem_client *client, uint64_t deadline_ms)
{
    struct um_reason reason;
    size_t capacity;
    size_t size = 0;
    char *space = um_channel_space(&client->channel, &capacity);
    int code;

    reason.text[0] = '\0';
    client->is_reading = true;
    um_mutex_unlock(client->lock);
    code = um_transport_read(client->transport, space, capacity, &size, deadline_ms, &reason);
    um_mutex_lock(client->lock);
    client->is_reading = false;
    if (client->broken != UMEM_OK) {
        um_client_close_if_unused(client);
        um_client_wake_next(client);
        return client->broken;
    }
    if (code == UMEM_OK)
        code = um_channel_received(&client->channel, size, reason.text, sizeof reason.text);
    else if (code == UMEM_E_DEADLINE)
        return code;
    if (code != UMEM_OK)
        um_client_break(client, code, reason.text);
    if (client->waiters != NULL)
        wake_for_events(client);
    return code;
}

/* ---- writing ---- */

/* Waits until this thread may write. Returns UMEM_OK, UMEM_E_DEADLINE, or why the connection is gone. */
UM_ALWAYS_INLINE int begin_writing(umem_client *client, uint64_t deadline_ms)
{
    static const struct um_waiter how = {.wants_to_write = true};

    while (client->broken == UMEM_OK && client->is_writing) {
        if (!um_client_wait_for_change(client, how, NULL, deadline_ms) && client->is_writing)
            return UMEM_E_DEADLINE;
    }
    if (client->broken == UMEM_OK)
        client->is_writing = true;
    return client->broken;
}

UM_ALWAYS_INLINE void end_writing(umem_client *client)
{
    client->is_writing = false;
    if (client->broken != UMEM_OK)
        um_client_close_if_unused(client);
    if (client->waiters != NULL)
        um_client_wake_next(client);
}

/* After a write that was not all that was to be written, or failed. Why the daemon takes no more may be in
 * what it has sent; and it may take no more because no thread reads what it sends. */
static void end_partial_write(umem_client *client, int code, const struct um_reason *reason)
{
    if (code == UMEM_E_CONNECTION_LOST) {
        if (!client->is_reading && client->channel.first != NULL)
            um_client_read(client, 0);
        um_client_break(client, UMEM_E_CONNECTION_LOST, reason->text);
    } else if (code != UMEM_OK) {
        um_client_break(client, code, reason->text);
    } else if (!client->is_reading && client->broken == UMEM_OK) {
        um_client_read(client, 0);
    }
}

/* Writes what was gathered, and `bytes` behind it, without the lock. If the daemon takes nothing, this thread
 * reads, unless another one does. UMEM_E_NOT_CONNECTED, only where the client connects anew: the daemon had closed before, and has none
 * of what is being sent; the connection is for the caller to end. */
static int flush(umem_client *client, const void *bytes, size_t size, uint64_t deadline_ms)
{
    struct um_slice slices[] = {{client->out.data, client->out.size}, {bytes, size}};
    size_t count = size != 0 ? 2 : 1;
    int code = UMEM_OK;

    while (count != 0 && code == UMEM_OK) {
        struct um_reason reason;
        size_t done = 0;
        bool readable = !client->is_reading;

        reason.text[0] = '\0';
        um_mutex_unlock(client->lock);
        code =
            um_transport_write_some(client->transport, slices, count, &done, &readable, deadline_ms, &reason);
        um_mutex_lock(client->lock);
        count = um_transport_advance(slices, count, done);
        client->written += done;
        if (code == UMEM_E_NOT_CONNECTED && client->may_resend && client->written == 0)
            break;
        if (code == UMEM_E_NOT_CONNECTED)
            code = UMEM_E_CONNECTION_LOST;
        if (code != UMEM_OK || readable)
            end_partial_write(client, code, &reason);
    }
    um_buf_truncate(&client->out, 0);
    return code;
}

static int append_payload(umem_client *client, const struct um_request *request, uint64_t deadline_ms)
{
    if (request->payload_size > COPY_MAXIMUM ||
        !um_buf_append(&client->out, request->payload, request->payload_size))
        return flush(client, request->payload, request->payload_size, deadline_ms);
    return UMEM_OK;
}

/* Adds a request to what is awaited, and puts it behind what was gathered. One for which there is no memory is done by that. */
static int append_request(umem_client *client, struct um_request *request, uint64_t deadline_ms)
{
    struct um_buf *out = &client->out;
    size_t start = out->size;
    uint64_t payload_size;
    int code = UMEM_OK;

    um_channel_add(&client->channel, request);
    client->has_session_things = client->has_session_things || request->is_of_session;
    um_channel_write(request, out, &payload_size);
    if (out->failed) {
        um_buf_truncate(out, start);
        um_channel_withdraw(&client->channel, request, false);
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
        um_request_finish(request);
        return UMEM_OK;
    }
    if (request->payload_size != 0)
        code = append_payload(client, request, deadline_ms);
    for (struct um_request *part = request->parts; part != NULL && code == UMEM_OK; part = part->next) {
        client->has_session_things = client->has_session_things || part->is_of_session;
        code = append_payload(client, part, deadline_ms);
    }
    if (code == UMEM_OK && out->size >= GATHER_SIZE)
        code = flush(client, NULL, 0, deadline_ms);
    return code;
}

/* Those that were not sent. */
static void fail_unsent(umem_client *client, struct um_request *request, int code)
{
    const char *text =
        code == client->broken ? client->broken_text : "another thread's request was not taken in time";

    while (request != NULL) {
        struct um_request *next = request->next;

        um_request_fail(request, code, text);
        um_request_finish(request);
        request = next;
    }
}

/* Puts back in front of `rest` what was added from `first` on, where the daemon had closed before it got any of it. */
static struct um_request *take_back(umem_client *client, struct um_request *first, struct um_request *rest)
{
    struct um_request *last = first;

    if (!um_channel_take_back(&client->channel, first))
        return rest; /* the thread that reads has failed them */
    while (last->next != NULL)
        last = last->next;
    last->next = rest;
    return first;
}

/* Writes the list; this thread is the one that writes. Returns those that were not sent, because the connection is gone. */
static struct um_request *write_requests(umem_client *client, struct um_request *requests,
                                         uint64_t deadline_ms)
{
    struct um_request *first = requests;
    bool had_session_things = client->has_session_things;
    int code = UMEM_OK;

    client->written = 0;
    while (requests != NULL && code == UMEM_OK && client->broken == UMEM_OK) {
        struct um_request *next = requests->next;

        code = append_request(client, requests, deadline_ms);
        requests = next;
    }
    if (code == UMEM_OK && client->out.size != 0)
        code = flush(client, NULL, 0, deadline_ms);
    if (code == UMEM_E_NOT_CONNECTED) {
        requests = take_back(client, first, requests);
        client->has_session_things = had_session_things;
        um_client_break(client, UMEM_E_CONNECTION_LOST, "the daemon closed the connection");
    }
    client->may_resend = false;
    um_buf_truncate(&client->out, 0);
    if (client->out.capacity > KEEP_SIZE)
        um_buf_shrink(&client->out, KEEP_SIZE);
    return requests;
}

/* Sees to it that this thread may write, on a new connection where the client makes one. */
UM_ALWAYS_INLINE int begin_sending(umem_client *client, uint64_t deadline_ms)
{
    int code = begin_writing(client, deadline_ms);

    if (client->broken == UMEM_OK || client->reconnect_ms == 0)
        return code;
    code = um_client_reconnect(client, deadline_ms);
    return code == UMEM_OK ? begin_writing(client, deadline_ms) : code;
}

/* Sends the list, as much of it as can be sent on one connection. Returns the rest, and in *code why. */
UM_ALWAYS_INLINE struct um_request *send_some(umem_client *client, struct um_request *requests,
                                              uint64_t deadline_ms, bool may_resend, int *code)
{
    *code = begin_sending(client, deadline_ms);
    if (*code != UMEM_OK)
        return requests;
    client->may_resend = may_resend;
    requests = write_requests(client, requests, deadline_ms);
    end_writing(client);
    *code = client->broken;
    return requests;
}

void um_client_send(umem_client *client, struct um_request *requests, uint64_t deadline_ms)
{
    int code;

    um_mutex_lock(client->lock);
    requests = send_some(client, requests, deadline_ms, client->reconnect_ms != 0, &code);
    /* Once more: a daemon that closes a new connection, too, says why. */
    if (requests != NULL && client->reconnect_ms != 0 && code == UMEM_E_CONNECTION_LOST)
        requests = send_some(client, requests, deadline_ms, false, &code);
    if (requests != NULL)
        fail_unsent(client, requests, code);
    um_mutex_unlock(client->lock);
}

/* ---- deadlines and withdrawal ---- */

/* Cancels a call in the daemon, because its caller waits no more. If other threads keep the connection busy,
 * it is left to end by itself. */
static void cancel(umem_client *client, uint64_t id)
{
    uint64_t now_ms = um_transport_now_ms();
    struct um_request request;

    if (begin_writing(client, now_ms + CANCEL_TURN_MS) != UMEM_OK)
        return;
    um_request_begin(&request, "$/cancelRequest");
    um_json_put_uint(&request.text, "id", id);
    um_channel_write_notification(&request, &client->out);
    if (!client->out.failed)
        flush(client, NULL, 0, now_ms + CANCEL_WRITE_MS);
    um_buf_truncate(&client->out, 0);
    um_request_deinit(&request);
    end_writing(client);
}

/* Returns the deadline for what is left to wait for: the end of a connection that cannot go on. */
static uint64_t expire(umem_client *client, struct um_request *request)
{
    static const char text[] = "the daemon did not answer in time";

    um_request_fail(request, UMEM_E_DEADLINE, text);
    if (request->keeps_lock || !um_channel_withdraw(&client->channel, request, true)) {
        um_client_break(client, UMEM_E_DEADLINE, text);
        return UM_NO_DEADLINE;
    }
    um_request_finish(request);
    if (request->waits)
        cancel(client, request->id);
    return UM_NO_DEADLINE;
}

void um_client_wait(umem_client *client, struct um_request *request, uint64_t deadline_ms)
{
    static const struct um_waiter how = {.wants_to_write = false};

    um_mutex_lock(client->lock);
    while (!request->done) {
        bool is_late = false;

        if (client->is_reading)
            is_late = !um_client_wait_for_change(client, how, request, deadline_ms);
        else if (um_client_read(client, deadline_ms) == UMEM_E_DEADLINE)
            is_late = client->broken == UMEM_OK;
        else if (client->broken == UMEM_OK && !request->done && deadline_ms != UM_NO_DEADLINE)
            /* The daemon may say something all the time, but not what is awaited. */
            is_late = um_transport_now_ms() >= deadline_ms;
        if (is_late && !request->done)
            deadline_ms = expire(client, request);
    }
    if (client->waiters != NULL)
        um_client_wake_next(client);
    um_mutex_unlock(client->lock);
}

void um_client_withdraw(umem_client *client, struct um_request *request)
{
    bool was_done;
    bool is_awaited;

    um_mutex_lock(client->lock);
    was_done = request->done;
    if (!was_done && !request->keeps_lock && um_channel_withdraw(&client->channel, request, true))
        um_request_finish(request);
    if (!was_done && request->waits)
        cancel(client, request->id);
    is_awaited = !request->done;
    um_mutex_unlock(client->lock);
    /* Its answer is coming already; or it is a lock's, which comes at once now that it was cancelled. */
    if (is_awaited)
        um_client_wait(client, request, um_client_deadline(client, 0));
}

/* ---- limits ---- */

struct limits {
    uint64_t message;
    uint64_t payload;
};

static uint64_t read_limit(const struct um_json *limits, const char *name, uint64_t fallback,
                           uint64_t minimum)
{
    uint64_t limit;

    if (!um_json_to_uint64(um_json_member_of(limits, name), &limit))
        limit = fallback;
    return limit > minimum ? limit : minimum;
}

static const char *read_limits(const struct um_json *result, void *target)
{
    const struct um_json *json = um_json_member_of(result, "limits");
    struct limits *limits = target;

    limits->message = read_limit(json, "message_bytes", DEFAULT_MESSAGE_LIMIT, UM_MESSAGE_MINIMUM);
    limits->payload = read_limit(json, "payload_bytes", DEFAULT_PAYLOAD_LIMIT, UM_PAYLOAD_MINIMUM);
    return NULL;
}

/* Requests the limits, once a connection. */
static int fetch_limits(umem_client *client, struct limits *limits)
{
    struct um_request request;
    int code;

    um_mutex_lock(client->lock);
    *limits = (struct limits){client->message_limit, client->payload_limit};
    um_mutex_unlock(client->lock);
    if (limits->message != 0)
        return UMEM_OK;
    um_request_begin(&request, "server.info");
    um_output_result(&request, read_limits, limits);
    code = um_client_call(client, &request);
    if (code != UMEM_OK)
        return code;
    um_mutex_lock(client->lock);
    client->message_limit = limits->message;
    client->payload_limit = limits->payload;
    um_mutex_unlock(client->lock);
    return UMEM_OK;
}

static void refuse(struct um_request *request, const char *what, uint64_t size, uint64_t limit)
{
    char text[160];

    snprintf(text, sizeof text, "%s has %llu bytes, and the daemon takes %llu", what,
             (unsigned long long)size, (unsigned long long)limit);
    um_request_fail(request, UMEM_E_TOO_LARGE, text);
}

int um_client_check_limits(umem_client *client, struct um_request *request)
{
    uint64_t message = 0; /* bytes of JSON, those of a batch together, as are the next two */
    uint64_t payload = 0; /* raw bytes sent */
    uint64_t into = 0;    /* raw bytes wanted */
    struct limits limits;
    int code;

    for (const struct um_request *part = request->parts != NULL ? request->parts : request; part != NULL;
         part = request->parts != NULL ? part->next : NULL) {
        message += part->text.size + MESSAGE_OVERHEAD;
        payload += part->payload_size;
        into += part->into_size;
    }
    if (message <= UM_MESSAGE_MINIMUM && payload <= UM_PAYLOAD_MINIMUM && into <= UM_PAYLOAD_MINIMUM)
        return UMEM_OK;
    code = fetch_limits(client, &limits);
    if (code != UMEM_OK)
        um_request_fail(request, code, umem_last_error(client)->message);
    else if (message > limits.message)
        refuse(request, "the request", message, limits.message);
    else if (payload > limits.payload)
        refuse(request, "its payload", payload, limits.payload);
    else if (into > limits.payload)
        refuse(request, "its answer", into, limits.payload);
    return request->code;
}

size_t um_client_piece_size(umem_client *client, size_t size, int *code)
{
    struct limits limits = {0, UM_PAYLOAD_MINIMUM};

    *code = size > UM_PAYLOAD_MINIMUM ? fetch_limits(client, &limits) : UMEM_OK;
    return limits.payload < UM_PIECE_MAXIMUM ? (size_t)limits.payload / 8 * 8 : UM_PIECE_MAXIMUM;
}

/* ---- one call ---- */

int um_client_report(umem_client *client, struct um_request *request)
{
    int code = um_failure_set(client, request->code, request->failure);

    um_request_deinit(request);
    return code;
}

int um_client_call(umem_client *client, struct um_request *request)
{
    uint64_t deadline_ms;

    if (client == NULL) {
        um_request_deinit(request);
        return UMEM_E_OUT_OF_MEMORY;
    }
    deadline_ms = um_client_deadline(client, request->wait_ms);
    if (request->text.failed)
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    if (request->code == UMEM_OK && um_client_check_limits(client, request) == UMEM_OK) {
        um_client_send(client, request, deadline_ms);
        um_client_wait(client, request, deadline_ms);
    }
    return um_client_report(client, request);
}
