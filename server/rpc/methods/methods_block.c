/* block.resize, info, list, at, free, map, wake: what there is to know of blocks, and their size and end. */
#include "rpc/engine/job.h"
#include "rpc/events/observe.h"
#include "rpc/methods/describe.h"
#include "rpc/methods/methods.h"
#include "rpc/methods/replaced_block.h"
#include "wire/json_write.h"

/* ---- block.resize: at once, or in slices where a large block has to move ---- */

struct resize_job {
    struct um_job job;
    struct um_resize *resize; /* what is done in slices; NULL: it is done */
    um_handle block;
    uint64_t old_size; /* bytes, as it was before the last step: others may have resized it meanwhile */
};

/* Raises the event for the bytes that came or went. */
static void notify_resized(struct um_call *call, struct um_block *block, uint64_t old_size)
{
    uint64_t size = um_block_size(block);

    if (size > old_size)
        um_observe_changed(call->session->rpc->observers, block, old_size, size - old_size);
    else
        um_observe_changed(call->session->rpc->observers, block, size, old_size - size);
}

static int resize_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct resize_job *resize = (struct resize_job *)job;
    struct um_store *store = job->call->store;
    struct um_block *block = NULL;

    *more = false;
    if (resize->resize == NULL)
        return UMEM_OK;
    if (um_store_find_block(store, resize->block, &block, NULL) == UMEM_OK)
        resize->old_size = um_block_size(block);
    return um_resize_step(store, resize->resize, UM_JOB_SLICE_SIZE, more, fault);
}

static void resize_answer(struct um_job *job, struct um_call *call)
{
    const struct resize_job *resize = (struct resize_job *)job;
    struct um_block *block = NULL;

    /* The last step has just found it. */
    (void)um_store_find_block(call->store, resize->block, &block, NULL);
    notify_resized(call, block, resize->old_size);
    um_describe_place(um_reply(call), call->store, block);
}

static void resize_release(struct um_job *job)
{
    um_resize_end(job->call->store, ((struct resize_job *)job)->resize);
}

enum { RESIZE_BLOCK, RESIZE_SIZE, RESIZE_FLAGS };

static const struct um_param resize_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "size", .type = UM_SIZE, .required = true, .unit = "bytes", .doc = "Its new size."},
    {.name = "flags",
     .type = UM_FLAGS,
     .words = um_flag_words,
     .doc = "Win32 heap flags, see Flags; with `realloc_in_place_only` it is `no_memory` rather than moved."},
};

static bool resize_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct resize_job *resize = (struct resize_job *)job;
    struct um_block *block = args->value[RESIZE_BLOCK].as.block;
    uint64_t size = args->value[RESIZE_SIZE].as.uint;
    uint32_t flags = (uint32_t)args->value[RESIZE_FLAGS].as.flags;
    struct um_fault fault = {0};
    int code;

    resize->block = um_block_handle(call->store, block);
    resize->old_size = um_block_size(block);
    if (!um_call_fits(call, 0, size > resize->old_size ? size : resize->old_size))
        return false;
    code = um_block_check(call->store, block, &fault);
    /* In a batch, no other call comes between: the block is moved at once. */
    if (code == UMEM_OK && call->batch != NULL)
        code = um_block_resize(call->store, block, size, flags, &fault);
    else if (code == UMEM_OK)
        code = um_resize_begin(call->store, block, size, flags, &resize->resize, &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return false;
    }
    um_job_works_on(job, resize->resize != NULL ? UINT64_MAX : 0, block, NULL);
    return true;
}

static const struct um_job_ops resize_ops = {.size = sizeof(struct resize_job),
                                             .begin = resize_begin,
                                             .step = resize_step,
                                             .answer = resize_answer,
                                             .release = resize_release};

const struct um_method um_method_block_resize = {
    .name = "block.resize",
    .summary = "Resizes a block (Win32 HeapReAlloc).",
    .detail = "The handle and the name stay, the bytes added are zero. The address may change.",
    UM_PARAMS(resize_params),
    .result = um_block_place_members,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED, UMEM_E_DENIED, UMEM_E_CORRUPTED},
    .job = &resize_ops,
};

/* ---- block.info and block.list ---- */

static const struct um_param block_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
};

static void block_info(struct um_call *call, const struct um_args *args)
{
    um_describe_block(um_reply(call), call->store, args->value[0].as.block);
    um_reply_end(call);
}

const struct um_method um_method_block_info = {
    .name = "block.info",
    .summary = "Describes a block.",
    UM_PARAMS(block_params),
    .result = um_block_members,
    .ignores_lock = true,
    .run = block_info,
};

enum { LIST_HEAP, LIST_SESSION, LIST_ORPHANED, LIST_AFTER, LIST_LIMIT };

/* Bytes that an entry takes at most: a name of 255 bytes and a program's, all escaped, and the other members. */
enum { ENTRY_SIZE = 8192 };

static const struct um_param list_params[] = {
    {.name = "heap", .type = UM_HEAP, .doc = "Only blocks of this heap."},
    {.name = "session",
     .type = UM_SESSION,
     .minimum = 1,
     .fallback_doc = "of all",
     .doc = "Only blocks that this session made; it may have ended."},
    {.name = "orphaned", .type = UM_BOOLEAN, .doc = "true: only orphaned blocks."},
    UM_PAGE_PARAMS,
};

static void list_blocks(struct um_call *call, const struct um_args *args)
{
    struct um_store *store = call->store;
    struct um_block_filter filter = {
        .heap = args->value[LIST_HEAP].as.heap,
        .owner_id = args->value[LIST_SESSION].as.uint,
        .orphaned_only = args->value[LIST_ORPHANED].as.boolean != 0,
    };
    uint64_t left = args->value[LIST_LIMIT].as.uint;
    um_handle next = args->value[LIST_AFTER].as.uint;
    size_t budget = UM_LIST_BUDGET;
    um_handle last = next;
    bool first = true;
    struct um_block *block;
    struct um_buf *out;

    if (!um_call_fits(call, 0, UM_LIST_COST))
        return;
    out = um_reply_key(call, "blocks");
    um_json_begin_array(out);
    block = um_store_next_block(store, &filter, next, &budget, &next);
    /* The first entry is always written, or the client could not continue. */
    for (; block != NULL && left != 0 && (first || um_call_may_append(call, ENTRY_SIZE)); left--) {
        um_json_begin_object(out);
        um_describe_block(out, store, block);
        um_json_end_object(out);
        um_call_charge(call, UM_LISTED_COST);
        last = um_block_handle(store, block);
        first = false;
        block = um_store_next_block(store, &filter, last, &budget, &next);
    }
    um_json_end_array(out);
    /* Either another block was found, or the look for one was cut short where `next` says. */
    if (block != NULL)
        um_reply_uint(call, "next", last);
    else if (next != 0)
        um_reply_uint(call, "next", next);
    else
        um_reply_null(call, "next");
    um_reply_end(call);
}

static const struct um_member list_result[] = {
    {.name = "blocks", .type = UM_ARRAY, .members = um_block_members, .doc = "Each as in block.info."},
    {.name = "next", .type = UM_UINT, .nullable = true, .doc = "What to pass as `after`; null at the end."},
    {.name = NULL},
};

const struct um_method um_method_block_list = {
    .name = "block.list",
    .summary = "Lists the blocks, a page at a time.",
    .detail = UM_PAGE_DETAIL,
    UM_PARAMS(list_params),
    .result = list_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .ignores_lock = true,
    .run = list_blocks,
};

/* ---- block.free ---- */

enum { FREE_BLOCK, FREE_IF_ORPHANED };

static const struct um_param free_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "if_orphaned", .type = UM_BOOLEAN, .doc = "true: refuse unless it is orphaned."},
};

static bool is_orphaned(const struct um_call *call, const struct um_block *block)
{
    struct um_block_info info;

    um_block_get_info(call->store, block, &info);
    return info.orphaned;
}

static void free_block(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[FREE_BLOCK].as.block;
    uint64_t size = um_block_size(block);
    struct um_fault fault = {0};
    uint64_t cost;
    int code;

    if (args->value[FREE_IF_ORPHANED].as.boolean != 0 && !is_orphaned(call, block)) {
        um_fail(call, UMEM_E_DENIED, "the block is not orphaned: it has a name, or an open session holds it");
        um_reply_uint(call, "block", um_block_handle(call->store, block));
        um_reply_end(call);
        return;
    }
    code = um_block_check(call->store, block, &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    cost = um_block_end_cost(call, block);
    if (cost != 0 && !um_call_fits(call, 0, cost))
        return;
    um_block_free(call->store, block);
    um_reply_uint(call, "size", size);
    um_reply_end(call);
}

static const struct um_member free_result[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "How large it was."},
    {.name = NULL},
};

const struct um_method um_method_block_free = {
    .name = "block.free",
    .summary = "Frees a block (Win32 HeapFree).",
    UM_PARAMS(free_params),
    .result = free_result,
    .errors = {UMEM_E_DENIED, UMEM_E_CORRUPTED, UMEM_E_LIMIT_EXCEEDED, UMEM_E_NO_MEMORY},
    .run = free_block,
};

/* ---- block.at ---- */

/* Slots that one slice looks at. */
enum { SLOTS_A_SLICE = 4096 };

struct at_job {
    struct um_job job;
    uint64_t address;
    um_handle after; /* blocks up to this one were looked at */
    um_handle found; /* 0: not yet */
};

static int at_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct at_job *at = (struct at_job *)job;
    struct um_store *store = job->call->store;
    struct um_block *block = NULL;
    int code = um_store_find_block_at(store, at->address, SLOTS_A_SLICE, &at->after, &block, fault);

    if (code != UMEM_OK)
        return code;
    if (block != NULL)
        at->found = um_block_handle(store, block);
    *more = block == NULL;
    return UMEM_OK;
}

static void at_answer(struct um_job *job, struct um_call *call)
{
    um_reply_uint(call, "block", ((struct at_job *)job)->found);
}

static const struct um_param at_params[] = {
    {.name = "address", .type = UM_UINT, .required = true, .doc = "As in block.alloc and block.info."},
};

static bool at_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    ((struct at_job *)job)->address = args->value[0].as.uint;
    job->is_long = true;
    return um_job_is_allowed(call);
}

static const struct um_job_ops at_ops = {
    .size = sizeof(struct at_job), .begin = at_begin, .step = at_step, .answer = at_answer};

static const struct um_member at_result[] = {
    {.name = "block", .type = UM_BLOCK, .doc = "The block that starts there."},
    {.name = NULL},
};

const struct um_method um_method_block_at = {
    .name = "block.at",
    .summary = "Finds the block that starts at an address: for debugging, since it goes through all blocks.",
    UM_PARAMS(at_params),
    .result = at_result,
    .errors = {UMEM_E_UNKNOWN_HANDLE, UMEM_E_UNSUPPORTED},
    .job = &at_ops,
};

/* ---- block.map ---- */

static const struct um_param map_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block, of a heap of kind \"shared\"."},
};

static void map(struct um_call *call, const struct um_args *args)
{
    const struct um_block *block = args->value[0].as.block;
    struct um_fault fault = {0};
    struct um_place place;
    int code = um_block_locate(call->store, block, &place, &fault);

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
    {.name = "name",
     .type = UM_STRING,
     .doc = "The heap's object: for shm_open() or OpenFileMapping(). Of a durable heap on POSIX systems, as "
            "`path`."},
    {.name = "path",
     .type = UM_STRING,
     .optional = true,
     .doc = "The file that it is as well: on Linux, and of a durable heap."},
    {.name = "offset", .type = UM_UINT, .unit = "bytes", .doc = "Where the block begins in the object."},
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "The block's size."},
    {.name = NULL},
};

const struct um_method um_method_block_map = {
    .name = "block.map",
    .summary = "Gives the place of a block of a shared heap in shared memory.",
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

    um_observe_wrote(call->session->rpc->observers, range->block, range->offset, range->size);
    um_reply_end(call);
}

const struct um_method um_method_block_wake = {
    .name = "block.wake",
    .summary = "Wakes calls that wait for a block, and notifies watches of it, that it was written through a "
               "mapping.",
    .detail = "block.wait looks again, and watches send block.changed, as after a write by the protocol. "
              "Blocks of any heap may be named.",
    UM_PARAMS(wake_params),
    .ranges = {{WAKE_BLOCK + 1, WAKE_OFFSET + 1, WAKE_SIZE + 1}},
    .run = wake,
};
