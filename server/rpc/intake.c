#include "intake.h"

#include <stdlib.h>

#include "engine.h"
#include "envelope.h"
#include "later.h"
#include "span.h"

enum {
    SCRATCH_SIZE = 65536,
    GATHER_STEP =
        65536 /* bytes of room for each read, at least: memory grows with what has come, not with what is said */
};

struct um_intake {
    struct um_call *call; /* to answer at the end; NULL: there is none */
    struct um_span
        span; /* where its bytes go: looked up for every piece, so that the block may be freed or moved */
    struct um_message message; /* a batch's, whose text is NULL where it is none */
    struct um_buf gathered;    /* a batch's bytes so far */
    uint64_t size;             /* bytes in all */
    uint64_t done;             /* bytes that have come */
};

/* Where bytes go that nobody wants. */
static char scratch[SCRATCH_SIZE];

static struct um_intake *intake_new(struct um_peer *peer, uint64_t size)
{
    struct um_intake *intake = calloc(1, sizeof *intake);

    if (intake != NULL)
        intake->size = size;
    peer->intake = intake;
    return intake;
}

void um_intake_begin(struct um_call *call, struct um_block *block, uint64_t offset)
{
    struct um_peer *peer = call->peer;
    struct um_span span = {um_block_handle(um_call_store(call), block), offset, call->payload_size};
    struct um_call *later = um_call_defer(call);

    if (later == NULL)
        return;
    if (intake_new(peer, call->payload_size) == NULL) {
        peer->broken = true;
        um_call_free(later);
        return;
    }
    peer->intake->call = later;
    peer->intake->span = span;
}

bool um_intake_gather(struct um_peer *peer, struct um_message *message)
{
    if (intake_new(peer, message->payload_size) == NULL)
        return false;
    um_buf_init(&peer->intake->gathered, (size_t)message->payload_size);
    um_message_move(&peer->intake->message, message);
    return true;
}

void um_intake_discard(struct um_peer *peer, uint64_t size)
{
    /* Where memory runs out even for this, the rest of the connection cannot be understood. */
    if (intake_new(peer, size) == NULL)
        peer->broken = true;
}

/* Takes it away from the peer, which is ready for the next message from now on. */
static struct um_intake *take_away(struct um_peer *peer)
{
    struct um_intake *intake = peer->intake;

    peer->intake = NULL;
    return intake;
}

static void intake_free(struct um_intake *intake)
{
    if (intake == NULL)
        return;
    um_call_free(intake->call);
    um_message_deinit(&intake->message);
    um_buf_deinit(&intake->gathered);
    free(intake);
}

uint64_t um_intake_memory(const struct um_peer *peer)
{
    const struct um_intake *intake = peer->intake;

    if (intake == NULL || intake->message.text == NULL)
        return 0;
    return um_message_memory(&intake->message) + intake->gathered.capacity;
}

/* From a batch that is gathered to bytes that nobody wants. */
static void forget_batch(struct um_intake *intake)
{
    um_message_deinit(&intake->message);
    um_buf_deinit(&intake->gathered);
}

bool um_peer_is_gathering(const struct um_peer *peer)
{
    return peer->intake != NULL && peer->intake->message.text != NULL;
}

bool um_peer_forget_batch(struct um_peer *peer)
{
    if (!um_peer_is_gathering(peer))
        return false;
    forget_batch(peer->intake);
    return true;
}

uint64_t um_peer_payload_left(const struct um_peer *peer)
{
    return peer->intake != NULL ? peer->intake->size - peer->intake->done : 0;
}

/* ---- into a block ---- */

/* What has come, as far as the block still has it: it may have been made smaller since. */
static void tell_what_came(const struct um_intake *intake)
{
    const struct um_span *span = &intake->span;
    struct um_block *block = NULL;
    uint64_t left;

    if (um_store_find_block(um_call_store(intake->call), span->block, &block, NULL) != UMEM_OK ||
        um_block_size(block) <= span->offset)
        return;
    left = um_block_size(block) - span->offset;
    um_call_wrote(intake->call, block, span->offset, intake->done < left ? intake->done : left);
}

void um_intake_abandon(struct um_peer *peer)
{
    struct um_intake *intake = take_away(peer);

    if (intake != NULL && intake->call != NULL)
        tell_what_came(intake);
    intake_free(intake);
}

/* The block, if it is still there, unlocked and large enough; else the call is answered, and the rest of its bytes let go. */
static struct um_block *find_target(struct um_intake *intake)
{
    struct um_fault fault = {0};
    struct um_block *block = NULL;
    int code = um_span_find(intake->call, &intake->span, &block, &fault);

    if (code == UMEM_OK)
        return block;
    tell_what_came(intake);
    um_call_start(intake->call);
    if (!intake->call->peer->broken)
        um_fail_fault(intake->call, code, &fault);
    um_peer_flush(intake->call->peer);
    um_call_free(intake->call);
    intake->call = NULL;
    return NULL;
}

static void finish_block(struct um_intake *intake)
{
    if (find_target(intake) == NULL)
        return;
    tell_what_came(intake);
    um_call_start(intake->call);
    if (intake->call->peer->broken)
        return;
    um_reply_uint(intake->call, "size", intake->size);
    um_reply_end(intake->call);
}

/* ---- a batch's ---- */

/* Room behind what has come. Where there is none, the batch is refused and the rest of its bytes let go. */
static char *gather_space(struct um_peer *peer, struct um_intake *intake, size_t *room)
{
    struct um_buf *gathered = &intake->gathered;
    uint64_t left = intake->size - intake->done;
    char *space = um_buf_reserve(gathered, left < GATHER_STEP ? (size_t)left : GATHER_STEP);

    if (space == NULL) {
        forget_batch(intake);
        um_envelope_refuse(peer, UMEM_E_INTERNAL_ERROR, "no memory to keep the batch; send it in several");
        return NULL;
    }
    *room = gathered->capacity - gathered->size;
    if (*room > left)
        *room = (size_t)left;
    return space;
}

/* ---- both ---- */

char *um_peer_payload_space(struct um_peer *peer, size_t *room)
{
    struct um_intake *intake = peer->intake;
    uint64_t left = intake->size - intake->done;
    struct um_block *block = intake->call != NULL ? find_target(intake) : NULL;
    char *space = intake->message.text != NULL ? gather_space(peer, intake, room) : NULL;

    if (space != NULL)
        return space;
    if (block == NULL) {
        *room = left < SCRATCH_SIZE ? (size_t)left : SCRATCH_SIZE;
        return scratch;
    }
    *room = (size_t)left;
    return (char *)um_block_bytes(block) + intake->span.offset + intake->done;
}

/* A piece has come: where the block is being moved, its new memory needs the piece too. Observers are told at the end. */
static void note_piece(const struct um_intake *intake, size_t size)
{
    struct um_store *store = um_call_store(intake->call);
    struct um_block *block = NULL;

    if (um_store_find_block(store, intake->span.block, &block, NULL) == UMEM_OK)
        um_block_wrote(store, block, intake->span.offset + intake->done, size);
}

/* The last byte has come. */
static void finish(struct um_peer *peer)
{
    struct um_intake *intake = take_away(peer);

    if (intake->call != NULL)
        finish_block(intake);
    else if (intake->message.text != NULL)
        um_batch_finish(peer, &intake->message, (unsigned char *)intake->gathered.data);
    intake_free(intake);
}

void um_peer_payload_received(struct um_peer *peer, size_t size)
{
    struct um_intake *intake = peer->intake;

    if (intake->call != NULL)
        note_piece(intake, size);
    peer->rpc->touched_bytes += size;
    intake->done += size;
    if (intake->message.text != NULL)
        intake->gathered.size += size;
    if (intake->done == intake->size)
        finish(peer);
    /* After every piece: where the block turned out to be too small, who waits there was told of what came so far. */
    um_engine_settle(peer->rpc, peer);
}
