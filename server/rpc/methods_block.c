/* block.alloc, block.info, block.list, block.free: blocks and their lives. */
#include "args.h"
#include "call.h"
#include "describe.h"
#include "engine.h"
#include "json_out.h"
#include "methods.h"

/* ---- block.alloc ---- */

enum { ALLOC_SIZE, ALLOC_HEAP, ALLOC_FLAGS, ALLOC_NAME, ALLOC_LIFETIME, ALLOC_DATA, ALLOC_ENCODING };

static const struct um_param alloc_params[] = {
    {.name = "size",
     .type = UM_SIZE,
     .required = true,
     .unit = "bytes",
     .doc = "Its size; 0 makes a block too."},
    {.name = "heap", .type = UM_HEAP, .fallback_name = "process", .doc = "Where to allocate."},
    {.name = "flags", .type = UM_FLAGS, .words = um_flag_words, .doc = "Win32 heap flags, see Flags."},
    {.name = "name", .type = UM_NAME, .minimum = 1, .doc = "A name that may stand for the handle."},
    {.name = "lifetime",
     .type = UM_CHOICE,
     .words = um_lifetime_words,
     .fallback = UM_LIFETIME_SERVER,
     .doc = "\"session\": freed when the session that made it ends."},
    {.name = "data", .type = UM_DATA, .doc = "Bytes to begin with; the rest is zero."},
    {.name = "encoding",
     .type = UM_CHOICE,
     .words = um_text_encoding_words,
     .fallback = UM_BASE64,
     .doc = "How `data` is written."},
};

static void alloc(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    const struct um_data *data = value[ALLOC_DATA].given ? &value[ALLOC_DATA].as.data : NULL;
    struct um_block_options options = {
        .size = value[ALLOC_SIZE].as.uint,
        .flags = value[ALLOC_FLAGS].as.flags,
        .name = value[ALLOC_NAME].as.text,
        .lifetime = (enum um_lifetime)value[ALLOC_LIFETIME].as.word,
    };
    struct um_fault fault = {0};
    struct um_block *block = NULL;
    int code;

    if (data != NULL && data->size > options.size) {
        um_fail(call, UMEM_E_OUT_OF_RANGE, "data has %llu bytes, the block only %llu",
                (unsigned long long)data->size, (unsigned long long)options.size);
        um_reply_uint(call, "size", data->size);
        um_reply_uint(call, "block_size", options.size);
        um_reply_end(call);
        return;
    }
    if (!um_call_fits(call, 0, options.size))
        return;
    code = um_block_alloc(um_call_store(call), value[ALLOC_HEAP].as.heap, call->peer->owner, &options, &block,
                          &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    if (data != NULL)
        um_data_copy(data, um_block_bytes(block));
    um_describe_place(um_reply(call), um_call_store(call), block);
    um_reply_end(call);
}

const struct um_method um_method_block_alloc = {
    .name = "block.alloc",
    .summary = "Allocates a block of zeroed memory (Win32 HeapAlloc).",
    UM_PARAMS(alloc_params),
    .result = um_block_place_members,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED, UMEM_E_NAME_TAKEN, UMEM_E_OUT_OF_RANGE, UMEM_E_DENIED,
               UMEM_E_CORRUPTED},
    .run = alloc,
};

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
    for (; block != NULL && left != 0 && (first || um_call_has_room(call, ENTRY_SIZE)); left--) {
        um_json_begin_object(out);
        um_describe_block(out, store, block);
        um_json_end_object(out);
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

static void release(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[FREE_BLOCK].as.block;
    struct um_block_info info;

    um_block_get_info(um_call_store(call), block, &info);
    if (args->value[FREE_IF_ORPHANED].as.boolean && !info.orphaned) {
        um_fail(call, UMEM_E_DENIED, "the block is not orphaned: it has a name, or an open session holds it");
        um_reply_uint(call, "block", info.block);
        um_reply_end(call);
        return;
    }
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
    .errors = {UMEM_E_DENIED},
    .run = release,
};
