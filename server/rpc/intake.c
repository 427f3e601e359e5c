#include "intake.h"

#include <stdlib.h>

#include "args.h"
#include "engine.h"

enum { SCRATCH_SIZE = 65536 };

struct um_intake {
    struct um_call *call; /* to answer at the end; NULL: the bytes are thrown away */
    um_handle block;      /* looked up for every piece, so that it may be freed or moved between */
    uint64_t offset;      /* where the payload's first byte goes */
    uint64_t size;        /* bytes in all */
    uint64_t done;        /* bytes that have come */
};

/* Where bytes go that nobody wants. */
static char scratch[SCRATCH_SIZE];

/* Where memory runs out even for this, the rest of the connection cannot be understood. */
static struct um_intake *intake_new(struct um_peer *peer, uint64_t size)
{
    struct um_intake *intake = calloc(1, sizeof *intake);

    if (intake == NULL)
        peer->broken = true;
    else
        intake->size = size;
    peer->intake = intake;
    return intake;
}

void um_intake_begin(struct um_call *call, struct um_block *block, uint64_t offset)
{
    struct um_peer *peer = call->peer;
    um_handle handle = um_block_handle(um_call_store(call), block);
    struct um_call *later = um_call_defer(call);
    struct um_intake *intake;

    if (later == NULL)
        return;
    intake = intake_new(peer, call->payload_size);
    if (intake == NULL) {
        um_call_free(later);
        return;
    }
    intake->call = later;
    intake->block = handle;
    intake->offset = offset;
}

void um_intake_discard(struct um_peer *peer, uint64_t size)
{
    (void)intake_new(peer, size);
}

void um_intake_abandon(struct um_peer *peer)
{
    if (peer->intake != NULL)
        um_call_free(peer->intake->call);
    free(peer->intake);
    peer->intake = NULL;
}

uint64_t um_peer_payload_left(const struct um_peer *peer)
{
    return peer->intake != NULL ? peer->intake->size - peer->intake->done : 0;
}

/* Answers a call whose block is not there any more, and lets the rest of its bytes go. */
static void give_up(struct um_intake *intake, int code, const struct um_fault *fault)
{
    um_call_start(intake->call);
    um_fail_fault(intake->call, code, fault);
    um_call_free(intake->call);
    intake->call = NULL;
}

/* The block, if it is still there, unlocked and large enough; else the call has been answered. */
static struct um_block *find_target(struct um_intake *intake)
{
    struct um_store *store = um_call_store(intake->call);
    struct um_fault fault = {0};
    struct um_block *block = NULL;
    int code = um_store_find_block(store, intake->block, &block, &fault);

    if (code == UMEM_OK)
        code = um_heap_check_lock(um_block_heap(store, block), intake->call->peer->owner, &fault);
    if (code == UMEM_OK && um_block_size(block) < intake->offset + intake->size) {
        code = UMEM_E_OUT_OF_RANGE;
        fault.block = intake->block;
        fault.what = "the block was made smaller while its bytes were on their way";
    }
    if (code == UMEM_OK)
        return block;
    give_up(intake, code, &fault);
    return NULL;
}

char *um_peer_payload_space(struct um_peer *peer, size_t *room)
{
    struct um_intake *intake = peer->intake;
    struct um_block *block = intake->call != NULL ? find_target(intake) : NULL;
    uint64_t left = intake->size - intake->done;

    if (block == NULL) {
        *room = left < SCRATCH_SIZE ? (size_t)left : SCRATCH_SIZE;
        return scratch;
    }
    *room = (size_t)left;
    return (char *)um_block_bytes(block) + intake->offset + intake->done;
}

void um_peer_payload_received(struct um_peer *peer, size_t size)
{
    struct um_intake *intake = peer->intake;

    intake->done += size;
    if (intake->done < intake->size)
        return;
    if (intake->call != NULL && find_target(intake) != NULL) {
        um_call_start(intake->call);
        um_reply_uint(intake->call, "size", intake->size);
        um_reply_end(intake->call);
    }
    um_intake_abandon(peer);
}
