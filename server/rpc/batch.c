#include "batch.h"

#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "engine.h"
#include "envelope.h"
#include "framing.h"
#include "intake.h"
#include "json_out.h"
#include "json_read.h"

/* ---- checks, before anything is done ---- */

static void refuse_with_limit(struct um_peer *peer, const char *limit, uint64_t maximum, uint64_t asked)
{
    struct um_call call = {.peer = peer, .id = {.kind = UM_ID_NULL}};
    struct um_fault fault = {
        .limit = limit, .maximum = maximum, .asked = asked, .what = "send it in several batches"};

    peer->rpc->requests++;
    um_call_start(&call);
    if (!peer->broken)
        um_fail_fault(&call, UMEM_E_LIMIT_EXCEEDED, &fault);
}

/* Whether the raw writes of a batch take the payload, all of it and no more. Without a payload there is nothing to be shared out:
 * each of them has none, and is answered for itself. */
static bool check_raw_sizes(struct um_peer *peer, const struct um_json *batch, uint64_t payload_size)
{
    uint64_t total = 0;
    char what[128];

    if (payload_size == 0)
        return true;
    for (const struct um_json *request = batch->child; request != NULL; request = request->next) {
        uint64_t size;

        if (!um_envelope_raw_size(request, &size)) {
            um_envelope_refuse(peer, UMEM_E_INVALID_REQUEST,
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
    um_envelope_refuse(peer, UMEM_E_INVALID_REQUEST, what);
    return false;
}

static bool check(struct um_peer *peer, const struct um_json *batch, uint64_t payload_size)
{
    const struct um_limits *limits = peer->rpc->limits;
    uint64_t count = batch->size;

    if (count == 0)
        um_envelope_refuse(peer, UMEM_E_INVALID_REQUEST, "a batch holds at least one request");
    else if (count > limits->batch_requests)
        refuse_with_limit(peer, "batch_requests", limits->batch_requests, count);
    else if (payload_size > limits->batch_bytes)
        refuse_with_limit(peer, "batch_bytes", limits->batch_bytes, payload_size);
    else
        return peer->framing == UM_FRAMING_LINES || check_raw_sizes(peer, batch, payload_size);
    return false;
}

/* ---- the batch at work ---- */

/* A request uses up its raw bytes whether it succeeds or not. */
static void handle_request(struct um_peer *peer, struct um_batch *batch, size_t start,
                           const struct um_json *request)
{
    struct um_call call = {.peer = peer, .batch = batch, .start = start, .payload = batch->payload};
    uint64_t size;

    (void)um_envelope_raw_size(request, &size);
    if (batch->payload != NULL) {
        call.payload_size = size;
        batch->payload += size;
    }
    um_envelope_handle(&call, request);
}

/* Nobody can tell how much a batch will answer. With as much unsent as may be, none is begun. */
static bool may_begin(struct um_peer *peer)
{
    if (um_peer_unsent_left(peer) != 0)
        return true;
    um_envelope_refuse_limit(
        peer, UMEM_E_LIMIT_EXCEEDED,
        "too much waits for clients that do not read; send its requests one by one, or try "
        "again",
        "unsent_total_bytes", um_engine_traffic(peer->rpc)->unsent_bytes, 0);
    return false;
}

static void run(struct um_peer *peer, const struct um_json *json, const unsigned char *payload)
{
    struct um_batch batch = {.bytes_left = peer->rpc->limits->batch_bytes, .payload = payload};
    size_t start;
    size_t body;

    if (!may_begin(peer))
        return;
    start = um_framing_begin(peer);
    body = peer->out.size;
    um_buf_init(&batch.raw, (size_t)batch.bytes_left);
    um_json_begin_array(&peer->out);
    for (const struct um_json *request = json->child; request != NULL && !peer->broken;
         request = request->next)
        handle_request(peer, &batch, start, request);
    if (peer->out.size > body + 1) {
        um_json_end_array(&peer->out);
        um_framing_end(peer, start, batch.raw.size);
        um_buf_append(&peer->out, batch.raw.data, batch.raw.size);
    } else {
        um_buf_truncate(&peer->out, start);
    }
    um_buf_deinit(&batch.raw);
    /* All the answers, or none. */
    peer->broken |= peer->out.failed;
    if (peer->broken)
        um_buf_truncate(&peer->out, start);
}

void um_batch_begin(struct um_peer *peer, struct um_message *message)
{
    if (!check(peer, message->json, message->payload_size))
        return;
    if (message->payload_size == 0)
        run(peer, message->json, NULL);
    else if (!um_intake_gather(peer, message))
        um_envelope_refuse(peer, UMEM_E_INTERNAL_ERROR, "no memory to keep the batch; send it in several");
}

void um_batch_finish(struct um_peer *peer, const struct um_message *message, const unsigned char *payload)
{
    run(peer, message->json, payload);
    um_arena_reset(&peer->rpc->arena);
}
