/* block.map, block.wake: blocks of shared heaps, in the memory of other processes. */
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/schema/methods.h"

/* ---- block.map ---- */

static const struct um_param map_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block, of a heap of kind \"shared\"."},
};

static void map(struct um_call *call, const struct um_args *args)
{
    const struct um_block *block = args->value[0].as.block;
    struct um_fault fault = {0};
    struct um_place place;
    int code = um_block_locate(um_call_store(call), block, &place, &fault);

    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    um_reply_string(call, "name", place.name);
    if (place.path != NULL)
        um_reply_string(call, "path", place.path);
    um_reply_uint(call, "offset", place.offset);
    um_reply_uint(call, "size", um_block_size(block));
    um_reply_end(call);
}

static const struct um_member map_result[] = {
    {.name = "name", .type = UM_STRING, .doc = "The heap's object: for shm_open() or OpenFileMapping()."},
    {.name = "path", .type = UM_STRING, .optional = true, .doc = "The file that it is as well, on Linux."},
    {.name = "offset", .type = UM_UINT, .unit = "bytes", .doc = "Where the block begins in the object."},
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "The block's size."},
    {.name = NULL},
};

const struct um_method um_method_block_map = {
    .name = "block.map",
    .summary = "Tells where a block of a shared heap lies in shared memory.",
    .detail = "See Shared heaps. This is good until the block is freed, or resized to where it has to move.",
    UM_PARAMS(map_params),
    .result = map_result,
    .errors = {UMEM_E_UNSUPPORTED, UMEM_E_CORRUPTED},
    .run = map,
};

/* ---- block.wake ---- */

enum { WAKE_BLOCK, WAKE_OFFSET, WAKE_SIZE };

static const struct um_param wake_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where the bytes that were written begin."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end",
     .unit = "bytes",
     .doc = "How many they are."},
};

static void wake(struct um_call *call, const struct um_args *args)
{
    const struct um_range *range = &args->range[0];

    um_call_wrote(call, range->block, range->offset, range->size);
    um_reply_end(call);
}

const struct um_method um_method_block_wake = {
    .name = "block.wake",
    .summary = "Tells those who wait for a block or watch it that it was written through a mapping.",
    .detail =
        "block.wait looks again, and session.watch tells block.changed, as after a write by the protocol. "
        "Blocks of any heap may be named.",
    UM_PARAMS(wake_params),
    .ranges = {{WAKE_BLOCK + 1, WAKE_OFFSET + 1, WAKE_SIZE + 1}},
    .run = wake,
};
