#include "rpc/engine/batch.h"

#include <stdio.h>
#include <stdlib.h>

#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/call/framing.h"
#include "rpc/engine/envelope.h"
#include "rpc/engine/payload.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

/* ---- checks, before anything is done ---- */

static void refuse_with_limit(struct um_session *session, const char *limit, uint64_t maximum, uint64_t asked)
{
    struct um_call call = {.session = session, .id = {.kind = UM_ID_NULL}};
    struct um_fault fault = {
        .limit = limit, .maximum = maximum, .asked = asked, .what = "send it in several batches"};

    session->rpc->requests++;
    um_call_start(&call);
    if (!session->broken)
        um_fail_fault(&call, UMEM_E_LIMIT_EXCEEDED, &fault);
}

/* Whether the raw writes of a batch take the payload, all of it and no more. Without a payload there is nothing to be shared out:
 * each of them has none, and is answered for itself. */
static bool check_raw_sizes(struct um_session *session, const struct um_json *batch, uint64_t payload_size)
{
    uint64_t total = 0;
    char what[128];

    if (payload_size == 0)
        return true;
    for (const struct um_json *request = batch->child; request != NULL; request = request->next) {
        uint64_t size;

        if (!um_envelope_raw_size(request, &size)) {
            um_envelope_refuse(session, UMEM_E_INVALID_REQUEST,
                               "in a batch, a request with encoding \"raw\" must say the size of its bytes");
            return false;
        }
        /* What is more than there is need not be told exactly. */
        if (total <= payload_size)
            total += size;
    }
    if (total == payload_size)
        return true;
    snprintf(what, sizeof what, "the batch's raw writes take %s%llu bytes, Payload-Length is %llu",
             total > payload_size ? "at least " : "", (unsigned long long)total,
             (unsigned long long)payload_size);
    um_envelope_refuse(session, UMEM_E_INVALID_REQUEST, what);
    return false;
}

static bool check(struct um_session *session, const struct um_json *batch, uint64_t payload_size)
{
    const struct um_limits *limits = session->rpc->limits;
    uint64_t count = batch->size;

    if (count == 0)
        um_envelope_refuse(session, UMEM_E_INVALID_REQUEST, "a batch holds at least one request");
    else if (count > limits->batch_requests)
        refuse_with_limit(session, "batch_requests", limits->batch_requests, count);
    else if (payload_size > limits->batch_bytes)
        refuse_with_limit(session, "batch_bytes", limits->batch_bytes, payload_size);
    else
        return session->framing == UM_FRAMING_LINES || check_raw_sizes(session, batch, payload_size);
    return false;
}

/* ---- the batch at work ---- */

/* A request uses up its raw bytes whether it succeeds or not. */
static void handle_request(struct um_session *session, struct um_batch *batch, size_t start,
                           const struct um_json *request)
{
    struct um_call call = {.session = session, .batch = batch, .start = start, .payload = batch->payload};
    uint64_t size;

    (void)um_envelope_raw_size(request, &size);
    if (batch->payload != NULL) {
        call.payload_size = size;
        batch->payload += size;
    }
    um_envelope_handle(&call, request);
}

/* Nobody can tell how much a batch will answer. With as much unsent as may be, none is begun. */
static bool may_begin(struct um_session *session)
{
    if (um_session_unsent_left(session) != 0)
        return true;
    um_envelope_refuse_limit(
        session, UMEM_E_LIMIT_EXCEEDED,
        "too much waits for clients that do not read; send its requests one by one, or try "
        "again",
        "unsent_total_bytes", um_engine_traffic(session->rpc)->unsent_bytes, 0);
    return false;
}

static void run(struct um_session *session, const struct um_json *json, const unsigned char *payload)
{
    struct um_batch batch = {.bytes_left = session->rpc->limits->batch_bytes, .payload = payload};
    size_t start;
    size_t body;

    if (!may_begin(session))
        return;
    start = um_framing_begin(session);
    body = session->out.size;
    um_buf_init(&batch.raw, (size_t)batch.bytes_left);
    um_json_begin_array(&session->out);
    for (const struct um_json *request = json->child; request != NULL && !session->broken;
         request = request->next)
        handle_request(session, &batch, start, request);
    if (session->out.size > body + 1) {
        um_json_end_array(&session->out);
        um_framing_end(session, start, batch.raw.size);
        um_buf_append(&session->out, batch.raw.data, batch.raw.size);
    } else {
        um_buf_truncate(&session->out, start);
    }
    um_buf_deinit(&batch.raw);
    /* All the answers, or none. */
    session->broken |= session->out.failed;
    if (session->broken)
        um_buf_truncate(&session->out, start);
}

void um_batch_begin(struct um_session *session, struct um_message *message)
{
    if (!check(session, message->json, message->payload_size))
        return;
    if (message->payload_size == 0)
        run(session, message->json, NULL);
    else if (!um_payload_gather(session, message))
        um_envelope_refuse(session, UMEM_E_INTERNAL_ERROR, "no memory to keep the batch; send it in several");
}

void um_batch_finish(struct um_session *session, const struct um_message *message,
                     const unsigned char *payload)
{
    run(session, message->json, payload);
    um_arena_reset(&session->rpc->arena);
}
