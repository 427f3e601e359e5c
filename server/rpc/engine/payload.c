#include "rpc/engine/payload.h"

#include <stdlib.h>

#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/changes.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/message.h"
#include "rpc/events/observe.h"
#include "rpc/events/pending.h"

enum {
    SCRATCH_SIZE = 65536,
    GATHER_STEP =
        65536 /* bytes of capacity for each read, at least: memory grows with what has come, not with what is said */
};

struct um_payload {
    struct um_call *call; /* to answer at the end; NULL: there is none */
    struct um_range
        range; /* where its bytes are written: found again for every piece, so that the block may be freed or moved */
    const struct um_payload_ops *ops; /* of the receiver that they go to; NULL: they go to none */
    void *receiver;
    struct um_message message; /* a batch's, whose text is NULL where it is none */
    um_payload_on_batch *on_batch;
    struct um_buf gathered; /* a batch's bytes so far */
    uint64_t size;          /* bytes in all */
    uint64_t done;          /* bytes that have come */
};

/* Where bytes go that are not used. */
static char scratch[SCRATCH_SIZE];

static struct um_payload *payload_new(struct um_session *session, uint64_t size)
{
    struct um_payload *payload = calloc(1, sizeof *payload);

    if (payload != NULL)
        payload->size = size;
    session->payload = payload;
    return payload;
}

void um_payload_begin(struct um_call *call, struct um_block *block, uint64_t offset)
{
    struct um_session *session = call->session;
    struct um_range range = um_range_of(call, block, offset, call->payload_size);
    struct um_call *deferred = um_call_defer(call);

    if (deferred == NULL)
        return;
    if (payload_new(session, call->payload_size) == NULL) {
        session->broken = true;
        um_call_free(deferred);
        return;
    }
    session->payload->call = deferred;
    session->payload->range = range;
}

void um_payload_receive(struct um_session *session, uint64_t size, const struct um_payload_ops *ops,
                        void *receiver)
{
    if (payload_new(session, size) == NULL) {
        session->broken = true;
        ops->abandon(receiver);
        return;
    }
    session->payload->ops = ops;
    session->payload->receiver = receiver;
}

/* Counts what a batch and what has come of its payload take. */
static void count_memory(struct um_session *session)
{
    const struct um_payload *payload = session->payload;
    bool is_kept = payload != NULL && payload->message.text != NULL;

    session->payload_bytes = is_kept ? um_message_memory(&payload->message) + payload->gathered.capacity : 0;
}

bool um_payload_gather(struct um_session *session, struct um_message *message, um_payload_on_batch *on_batch)
{
    if (payload_new(session, message->payload_size) == NULL)
        return false;
    um_buf_init(&session->payload->gathered, (size_t)message->payload_size);
    um_message_move(&session->payload->message, message);
    session->payload->on_batch = on_batch;
    count_memory(session);
    return true;
}

void um_payload_discard(struct um_session *session, uint64_t size)
{
    /* If memory runs out even for this, what follows on the connection cannot be understood. */
    if (payload_new(session, size) == NULL)
        session->broken = true;
}

/* Takes it away from the session, which is ready for the next message from now on. */
static struct um_payload *detach(struct um_session *session)
{
    struct um_payload *payload = session->payload;

    session->payload = NULL;
    count_memory(session);
    return payload;
}

static void payload_free(struct um_payload *payload)
{
    if (payload == NULL)
        return;
    um_call_free(payload->call);
    um_message_deinit(&payload->message);
    um_buf_deinit(&payload->gathered);
    free(payload);
}

/* From now on, the bytes of the batch are not used. */
static void forget_batch(struct um_payload *payload)
{
    um_message_deinit(&payload->message);
    um_buf_deinit(&payload->gathered);
}

bool um_payload_forget_batch(struct um_session *session)
{
    if (!um_payload_is_of_batch(session))
        return false;
    forget_batch(session->payload);
    count_memory(session);
    return true;
}

uint64_t um_payload_left(const struct um_session *session)
{
    return session->payload != NULL ? session->payload->size - session->payload->done : 0;
}

/* ---- payloads that go into a block ---- */

/* What has come, as far as the block still has it: it may have been made smaller since. */
static void notify_written(const struct um_payload *payload)
{
    const struct um_range *range = &payload->range;
    struct um_call *call = payload->call;
    struct um_block *block = NULL;
    uint64_t left;

    if (um_store_find_block(call->store, range->handle, &block, NULL) != UMEM_OK ||
        um_block_size(block) <= range->offset)
        return;
    left = um_block_size(block) - range->offset;
    um_observe_wrote(call->session->rpc->observers, block, range->offset,
                     payload->done < left ? payload->done : left);
}

void um_payload_abandon(struct um_session *session)
{
    struct um_payload *payload = detach(session);

    if (payload != NULL && payload->call != NULL)
        notify_written(payload);
    if (payload != NULL && payload->ops != NULL)
        payload->ops->abandon(payload->receiver);
    payload_free(payload);
}

/* The block, if it is still there, unlocked and large enough; else the call is answered, and its remaining
 * bytes are discarded. */
static struct um_block *find_target(struct um_payload *payload)
{
    struct um_fault fault = {0};
    int code = um_range_find(payload->call, &payload->range, &fault);

    if (code == UMEM_OK)
        return payload->range.block;
    notify_written(payload);
    um_call_note_bytes(payload->call);
    um_call_start(payload->call);
    if (!payload->call->session->broken)
        um_fail_fault(payload->call, code, &fault);
    um_session_flush(payload->call->session);
    um_call_free(payload->call);
    payload->call = NULL;
    return NULL;
}

static void finish_block(struct um_payload *payload)
{
    if (find_target(payload) == NULL)
        return;
    notify_written(payload);
    um_call_note_bytes(payload->call);
    um_call_start(payload->call);
    if (payload->call->session->broken)
        return;
    um_reply_uint(payload->call, "size", payload->size);
    um_reply_end(payload->call);
}

/* ---- payloads of batches ---- */

/* Space behind what has come. Where there is none, the batch is refused and its remaining bytes are
 * discarded. */
static char *gather_space(struct um_session *session, struct um_payload *payload, size_t *available)
{
    struct um_buf *gathered = &payload->gathered;
    uint64_t left = payload->size - payload->done;
    char *space = um_buf_reserve(gathered, left < GATHER_STEP ? (size_t)left : GATHER_STEP);

    if (space == NULL) {
        payload->on_batch(session, &payload->message, NULL);
        forget_batch(payload);
        count_memory(session);
        return NULL;
    }
    count_memory(session);
    *available = gathered->capacity - gathered->size;
    if (*available > left)
        *available = (size_t)left;
    return space;
}

/* ---- for the connection ---- */

char *um_payload_reserve(struct um_session *session, size_t *available)
{
    struct um_payload *payload = session->payload;
    uint64_t left = payload->size - payload->done;
    struct um_block *block = payload->call != NULL ? find_target(payload) : NULL;
    char *space = payload->message.text != NULL ? gather_space(session, payload, available) : NULL;

    if (payload->ops != NULL) {
        space = payload->ops->reserve(payload->receiver, payload->done, available);
        if (space == NULL)
            payload->ops = NULL;
    }
    if (space != NULL)
        return space;
    if (block == NULL) {
        *available = left < SCRATCH_SIZE ? (size_t)left : SCRATCH_SIZE;
        return scratch;
    }
    *available = (size_t)left;
    return (char *)um_block_bytes(block) + payload->range.offset + payload->done;
}

/* A piece has come: where the block is being moved, its new memory needs the piece too. Observers run at the end. */
static void note_piece(const struct um_payload *payload, size_t size)
{
    struct um_store *store = payload->call->store;
    struct um_block *block = NULL;

    if (um_store_find_block(store, payload->range.handle, &block, NULL) == UMEM_OK)
        um_block_wrote(store, block, payload->range.offset + payload->done, size);
}

/* The last byte has come. */
static void finish(struct um_session *session)
{
    struct um_payload *payload = detach(session);

    if (payload->call != NULL)
        finish_block(payload);
    else if (payload->ops != NULL)
        payload->ops->finish(payload->receiver);
    else if (payload->message.text != NULL)
        payload->on_batch(session, &payload->message, (unsigned char *)payload->gathered.data);
    payload_free(payload);
}

void um_payload_commit(struct um_session *session, size_t size)
{
    struct um_payload *payload = session->payload;

    um_changes_begin(session->rpc);
    if (payload->call != NULL)
        note_piece(payload, size);
    session->rpc->touched_bytes += size;
    payload->done += size;
    if (payload->message.text != NULL)
        payload->gathered.size += size;
    if (payload->done == payload->size)
        finish(session);
    /* After every piece: where the block turned out to be too small, observers have an event of what came so far. */
    um_pending_flush(session->rpc, session);
}
