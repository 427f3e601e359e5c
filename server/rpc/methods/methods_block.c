/* block.info, block.list, block.free: blocks and their lives. */
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/job.h"
#include "rpc/methods/describe.h"
#include "rpc/schema/methods.h"
#include "wire/json_write.h"

/* ---- block.info and block.list ---- */

static const struct um_param block_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
};

static void info(struct um_call *call, const struct um_args *args)
{
    um_describe_block(um_reply(call), um_call_store(call), args->value[0].as.block);
    um_reply_end(call);
}

const struct um_method um_method_block_info = {
    .name = "block.info",
    .summary = "Tells all about a block.",
    UM_PARAMS(block_params),
    .result = um_block_members,
    .ignores_lock = true,
    .run = info,
};

enum { LIST_HEAP, LIST_SESSION, LIST_ORPHANED, LIST_AFTER, LIST_LIMIT };

/* Bytes that an entry takes at most: a name of 255 bytes and a program's, all escaped, and the rest. */
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

static void list(struct um_call *call, const struct um_args *args)
{
    struct um_store *store = um_call_store(call);
    struct um_block_filter filter = {
        .heap = args->value[LIST_HEAP].as.heap,
        .owner_id = args->value[LIST_SESSION].as.uint,
        .orphaned_only = args->value[LIST_ORPHANED].as.boolean,
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
    /* A page that nothing fits in would be no way on. */
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
    {.name = "blocks", .type = UM_ARRAY, .members = um_block_members, .doc = "Each as block.info tells it."},
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
    .run = list,
};

/* ---- block.free ---- */

enum { FREE_BLOCK, FREE_IF_ORPHANED };

static const struct um_param free_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "if_orphaned", .type = UM_BOOLEAN, .doc = "true: refuse unless it is orphaned."},
};

/* What a block's end takes beside its record's: all its holds end, and memory that does not go back to the system as it is is
 * cleared where the daemon wipes. */
static uint64_t cost_of_end(const struct um_call *call, const struct um_block_info *info)
{
    uint64_t holds = info->holders > 1 ? (uint64_t)info->holders * UM_HOLD_COST : 0;
    uint64_t cleared = info->size < UM_JOB_ATOMIC_SIZE ? info->size : UM_JOB_ATOMIC_SIZE;

    return call->session->rpc->wipe ? holds + cleared : holds;
}

static void release(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[FREE_BLOCK].as.block;
    struct um_block_info info;
    struct um_fault fault = {0};
    int code;

    um_block_get_info(um_call_store(call), block, &info);
    if (args->value[FREE_IF_ORPHANED].as.boolean && !info.orphaned) {
        um_fail(call, UMEM_E_DENIED, "the block is not orphaned: it has a name, or an open session holds it");
        um_reply_uint(call, "block", info.block);
        um_reply_end(call);
        return;
    }
    code = um_block_check(um_call_store(call), block, &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    if (!um_call_fits(call, 0, cost_of_end(call, &info)))
        return;
    um_block_free(um_call_store(call), block);
    um_reply_uint(call, "size", info.size);
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
    .errors = {UMEM_E_DENIED, UMEM_E_CORRUPTED, UMEM_E_LIMIT_EXCEEDED},
    .run = release,
};
