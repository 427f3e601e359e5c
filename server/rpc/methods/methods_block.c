/* block.alloc, resize, info, list, at, free, hold, release, change, map, wake: blocks and their lives. */
#include <string.h>

#include "rpc/engine/job.h"
#include "rpc/events/observe.h"
#include "rpc/methods/describe.h"
#include "rpc/methods/given_bytes.h"
#include "rpc/methods/methods.h"
#include "wire/json_write.h"

/* ---- a name that another block has ---- */

/* What a block's end takes beside its record's: all its holds end, and with --wipe the memory is cleared
 * unless it is returned to the system uncleared. */
static uint64_t cost_of_end(const struct um_call *call, const struct um_block *block)
{
    uint64_t holders = um_block_count_holders(call->store, block);
    uint64_t size = um_block_size(block);
    uint64_t holds = holders > 1 ? holders * UM_HOLD_COST : 0;
    uint64_t cleared = size < UM_CALL_ATOMIC_SIZE ? size : UM_CALL_ATOMIC_SIZE;

    return call->session->rpc->wipe ? holds + cleared : holds;
}

/* The block that will be freed when `taker` or, where that is NULL, a new one takes this name. NULL: there is none, or it is that one. */
static struct um_block *find_replaced(const struct um_call *call, const char *name,
                                      const struct um_block *taker)
{
    struct um_block *found = NULL;

    (void)um_store_find_block_by_name(call->store, name, &found, NULL);
    return found != taker ? found : NULL;
}

/* Its handle, and 0 where there is none. */
static um_handle handle_of(const struct um_call *call, const struct um_block *block)
{
    return block != NULL ? um_block_handle(call->store, block) : 0;
}

/* ---- block.alloc: at once, or in slices where a large block's memory has to be allocated and cleared, or when raw bytes have come
 * ---- */

enum {
    ALLOC_SIZE,
    ALLOC_HEAP,
    ALLOC_FLAGS,
    ALLOC_NAME,
    ALLOC_LIFETIME,
    ALLOC_DATA,
    ALLOC_ENCODING,
    ALLOC_IF_EXISTS
};

static const struct um_param alloc_params[] = {
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "that of the bytes given",
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
    {.name = "data",
     .type = UM_DATA,
     .by = ALLOC_ENCODING + 1,
     .doc = "Bytes to begin with; the others are zero. Left out with \"raw\", where the bytes follow the "
            "message, as many as the block "
            "has."},
    {.name = "encoding",
     .type = UM_CHOICE,
     .words = um_encoding_words,
     .fallback = UM_BASE64,
     .doc = "How `data` is written."},
    {.name = "if_exists",
     .type = UM_CHOICE,
     .words = um_if_exists_words,
     .fallback = UM_IF_EXISTS_FAIL,
     .doc = "What to do if a block has the name: fail as `name_taken`, open that block, or free it and give "
            "the new one its name, see "
            "Publishing by name."},
};

/* Bytes of a large block that a slice allocates and clears: much faster than copying, as the system gives pages that are zero. */
enum { SLICE_SIZE = 4 * 1024 * 1024 };

/* And before raw bytes are read into them, which is the larger part of the work. */
enum { SPACE_SIZE = 1024 * 1024 };

struct alloc_job {
    struct um_job job;
    struct um_alloc *alloc; /* what is made in slices; NULL: the block is there */
    struct um_block *block; /* that is there; NULL: not yet */
    um_handle replaced;     /* that is freed when this one takes its name; 0: none */
    enum um_if_exists if_exists;
    bool has_heap;      /* the request names the heap: it must be that of a block that is opened */
    bool has_lifetime;  /* likewise */
    bool tells_created; /* the request has if_exists */
    bool is_opened;     /* the block was there before */
};

/* Opens the block of the name, if there is one that fits. UMEM_E_UNKNOWN_HANDLE: there is none. */
UM_NEVER_INLINE static int open_block(const struct um_call *call, struct alloc_job *alloc,
                                      const struct um_heap *heap, const struct um_block_options *wanted,
                                      struct um_fault *fault)
{
    struct um_block *found = NULL;
    struct um_block_info info;
    int code = um_store_find_block_by_name(call->store, wanted->name, &found, NULL);

    if (code != UMEM_OK)
        return code;
    um_block_get_info(call->store, found, &info);
    code = um_owner_find_block(call->store, call->session->owner, info.block, &found, fault);
    if (code != UMEM_OK)
        return code;
    *fault = (struct um_fault){.block = info.block};
    if (info.size < wanted->size) {
        fault->param = "size";
        fault->what = "the block of this name is smaller than what was asked for";
    } else if (alloc->has_heap && info.heap != um_heap_handle(heap)) {
        fault->param = "heap";
        fault->what = "the block of this name is in another heap";
    } else if (alloc->has_lifetime && info.lifetime != wanted->lifetime) {
        fault->param = "lifetime";
        fault->what = "the block of this name has another lifetime";
    } else {
        alloc->block = found;
        alloc->is_opened = true;
        return UMEM_OK;
    }
    return UMEM_E_NAME_TAKEN;
}

/* Allocates some more, and makes the block if that was all. The name may be another block's meanwhile. */
UM_NEVER_INLINE static int advance_alloc(struct um_call *call, struct alloc_job *alloc, uint64_t budget,
                                         struct um_fault *fault)
{
    const struct um_block_options *options = um_alloc_options(alloc->alloc);
    struct um_block *replaced;
    bool more = false;
    int code;

    if (alloc->if_exists == UM_IF_EXISTS_REPLACE) {
        replaced = find_replaced(call, options->name, NULL);
        alloc->replaced = handle_of(call, replaced);
        um_alloc_set_replaced(alloc->alloc, replaced);
    }
    if (alloc->job.takes_payload)
        code = um_alloc_finish(call->store, alloc->alloc, fault);
    else
        code = um_alloc_step(call->store, alloc->alloc, budget, &more, fault);
    if (code == UMEM_E_NAME_TAKEN && alloc->if_exists == UM_IF_EXISTS_OPEN)
        return open_block(call, alloc, um_alloc_heap(alloc->alloc), options, fault);
    if (code == UMEM_OK && !more)
        alloc->block = um_alloc_block(alloc->alloc);
    return code;
}

static int alloc_space(struct um_job *job, uint64_t done, unsigned char **bytes, uint64_t *available,
                       struct um_fault *fault)
{
    struct alloc_job *alloc = (struct alloc_job *)job;
    uint64_t prepared;
    int code = um_alloc_prepare(job->call->store, alloc->alloc, 0, &prepared, fault);

    if (code == UMEM_OK && prepared == done)
        code = um_alloc_prepare(job->call->store, alloc->alloc, SPACE_SIZE, &prepared, fault);
    if (code != UMEM_OK)
        return code;
    *bytes = um_alloc_bytes(alloc->alloc) + done;
    *available = prepared - done;
    return UMEM_OK;
}

static int alloc_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct alloc_job *alloc = (struct alloc_job *)job;
    int code;

    *more = false;
    if (alloc->block != NULL)
        return UMEM_OK;
    code = advance_alloc(job->call, alloc, SLICE_SIZE, fault);
    *more = alloc->block == NULL;
    return code;
}

static void alloc_answer(struct um_job *job, struct um_call *call)
{
    const struct alloc_job *alloc = (struct alloc_job *)job;

    um_describe_place(um_reply(call), call->store, alloc->block);
    if (!alloc->tells_created)
        return;
    um_reply_bool(call, "created", !alloc->is_opened);
    if (alloc->replaced != 0)
        um_reply_uint(call, "replaced", alloc->replaced);
}

static void alloc_release(struct um_job *job)
{
    um_alloc_end(job->call->store, ((struct alloc_job *)job)->alloc);
}

/* The bytes that a request brings. */
struct given {
    const unsigned char *bytes; /* NULL: there are none, or they are still to come */
    uint64_t size;
};

/* Finds them, and how large the block is to be. Returns false where that is not known, or not what the bytes are; then the call has
 * been answered. */
UM_NEVER_INLINE static bool find_given(struct um_call *call, const struct um_arg *value, uint64_t *size,
                                       struct given *given)
{
    bool raw = value[ALLOC_ENCODING].as.word == UM_RAW;

    if (!um_given_find(call, &value[ALLOC_DATA], &value[ALLOC_ENCODING], &given->size))
        return false;
    given->bytes = raw ? call->payload : value[ALLOC_DATA].as.data.bytes;
    if (!value[ALLOC_SIZE].given && !raw && !value[ALLOC_DATA].given)
        return um_args_refuse(call, "size", "is missing, and no bytes are given");
    if (!value[ALLOC_SIZE].given)
        *size = given->size;
    if (raw && given->size != *size) {
        um_given_fail_size(call, *size, given->size, true);
        return false;
    }
    if (given->size <= *size)
        return true;
    um_fail(call, UMEM_E_OUT_OF_RANGE, "data has %llu bytes, the block only %llu",
            (unsigned long long)given->size, (unsigned long long)*size);
    um_reply_uint(call, "size", given->size);
    um_reply_uint(call, "block_size", *size);
    um_reply_end(call);
    return false;
}

/* Takes the bytes that are here into a block, or the memory of one that is made in slices, as they are freed with the message: what
 * they need of it is allocated before all else. If that was all, the block is made. */
UM_NEVER_INLINE static int put_given(struct um_call *call, struct alloc_job *alloc,
                                     const unsigned char *bytes, uint64_t size, struct um_fault *fault)
{
    int code = alloc->block == NULL ? advance_alloc(call, alloc, size, fault) : UMEM_OK;

    if (code != UMEM_OK)
        return code;
    if (alloc->block != NULL) {
        um_call_put(call, alloc->block, 0, bytes, size);
        return UMEM_OK;
    }
    UM_COPY(size);
    memcpy(um_alloc_bytes(alloc->alloc), bytes, (size_t)size);
    return UMEM_OK;
}

/* Opens the block of the name, or allocates: the block, or where that takes long or raw bytes are to come, what will be one. */
static int begin_block(struct um_call *call, struct alloc_job *alloc, struct um_heap *heap,
                       const struct um_block_options *options, struct um_fault *fault)
{
    struct um_owner *owner = call->session->owner;
    int code = UMEM_E_UNKNOWN_HANDLE;

    if (alloc->if_exists == UM_IF_EXISTS_OPEN)
        code = open_block(call, alloc, heap, options, fault);
    if (code != UMEM_E_UNKNOWN_HANDLE)
        return code;
    if (alloc->job.takes_payload)
        return um_alloc_reserve(call->store, heap, owner, options, &alloc->alloc, fault);
    /* In a batch, no other call comes between. */
    if (call->batch != NULL)
        return um_block_alloc(call->store, heap, owner, options, &alloc->block, fault);
    return um_alloc_begin(call->store, heap, owner, options, &alloc->alloc, &alloc->block, fault);
}

/* Whether there is a name that if_exists can be about; else the call has been answered. */
static bool check_if_exists(struct um_call *call, const struct um_arg *name, enum um_if_exists if_exists)
{
    return if_exists == UM_IF_EXISTS_FAIL || name->given ||
           um_args_refuse(call, "name", "is missing: if_exists is about the block that has it");
}

/* Notes what the request says of a name that is taken. *cost is what freeing its block counts for. */
UM_NEVER_INLINE static bool begin_if_exists(struct um_call *call, const struct um_arg *value,
                                            struct alloc_job *alloc, struct um_block_options *options,
                                            uint64_t *cost)
{
    alloc->if_exists = (enum um_if_exists)value[ALLOC_IF_EXISTS].as.word;
    alloc->has_heap = value[ALLOC_HEAP].given;
    alloc->has_lifetime = value[ALLOC_LIFETIME].given;
    alloc->tells_created = true;
    if (!check_if_exists(call, &value[ALLOC_NAME], alloc->if_exists))
        return false;
    if (alloc->if_exists != UM_IF_EXISTS_REPLACE)
        return true;
    options->replaced = find_replaced(call, options->name, NULL);
    if (options->replaced == NULL)
        return true;
    alloc->replaced = um_block_handle(call->store, options->replaced);
    *cost = cost_of_end(call, options->replaced);
    return true;
}

/* Whether there are bytes, or no size, so that one has to go with the other. */
static bool has_bytes(const struct um_call *call, const struct um_arg *value)
{
    return !value[ALLOC_SIZE].given || value[ALLOC_DATA].given || value[ALLOC_ENCODING].given ||
           call->payload_size != 0;
}

static bool alloc_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct alloc_job *alloc = (struct alloc_job *)job;
    const struct um_arg *value = args->value;
    struct um_heap *heap = value[ALLOC_HEAP].as.heap;
    struct um_block_options options = {
        .size = value[ALLOC_SIZE].as.uint,
        .flags = (uint32_t)value[ALLOC_FLAGS].as.flags,
        .name = value[ALLOC_NAME].as.text,
        .lifetime = (enum um_lifetime)value[ALLOC_LIFETIME].as.word,
    };
    struct given given = {NULL, 0};
    struct um_fault fault = {0};
    uint64_t cost = 0;
    int code;

    if (has_bytes(call, value) && !find_given(call, value, &options.size, &given))
        return false;
    if (value[ALLOC_IF_EXISTS].given && !begin_if_exists(call, value, alloc, &options, &cost))
        return false;
    if (!um_call_fits(call, 0, options.size + cost))
        return false;
    job->heaps[0] = um_heap_handle(heap);
    job->takes_payload = given.size != 0 && given.bytes == NULL;
    code = begin_block(call, alloc, heap, &options, &fault);
    if (code == UMEM_OK && given.bytes != NULL && given.size != 0 && !alloc->is_opened)
        code = put_given(call, alloc, given.bytes, given.size, &fault);
    if (code != UMEM_OK) {
        um_alloc_end(call->store, alloc->alloc);
        um_fail_fault(call, code, &fault);
        return false;
    }
    if (!alloc->is_opened)
        um_heap_note_bytes(heap, given.size);
    if (alloc->alloc == NULL) {
        alloc_answer(job, call);
        um_reply_end(call);
        return false;
    }
    job->is_long = alloc->block == NULL;
    return true;
}

static const struct um_job_ops alloc_ops = {.size = sizeof(struct alloc_job),
                                            .begin = alloc_begin,
                                            .space = alloc_space,
                                            .step = alloc_step,
                                            .answer = alloc_answer,
                                            .release = alloc_release};

static const struct um_member alloc_result[] = {
    UM_BLOCK_PLACE_MEMBERS,
    {.name = "created",
     .type = UM_BOOLEAN,
     .optional = true,
     .doc = "With `if_exists`: whether the block is new; false: it was opened."},
    {.name = "replaced",
     .type = UM_BLOCK,
     .optional = true,
     .doc = "The block that had the name and was freed; missing where none was."},
    {.name = NULL},
};

const struct um_method um_method_block_alloc = {
    .name = "block.alloc",
    .summary = "Allocates a block of zeroed memory, or of the bytes given (Win32 HeapAlloc).",
    UM_PARAMS(alloc_params),
    .result = alloc_result,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED, UMEM_E_NAME_TAKEN, UMEM_E_OUT_OF_RANGE, UMEM_E_DENIED,
               UMEM_E_CORRUPTED, UMEM_E_UNSUPPORTED},
    .takes_payload = true,
    .job = &alloc_ops,
};

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
    cost = cost_of_end(call, block);
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

/* ---- block.hold, block.release, block.change: which sessions keep a block, and under which name ---- */

static const struct um_member holders_result[] = {
    {.name = "holders", .type = UM_UINT, .doc = "Open sessions that hold it now."},
    {.name = NULL},
};

static void reply_holders(struct um_call *call, int code, uint32_t holders, const struct um_fault *fault)
{
    if (code != UMEM_OK) {
        um_fail_fault(call, code, fault);
        return;
    }
    um_reply_uint(call, "holders", holders);
    um_reply_end(call);
}

static void hold_block(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint32_t holders = 0;
    int code = um_block_hold(call->store, args->value[0].as.block, call->session->owner, &holders, &fault);

    reply_holders(call, code, holders, &fault);
}

const struct um_method um_method_block_hold = {
    .name = "block.hold",
    .summary = "Holds a block for this session, so that it is not orphaned while the session is open.",
    .detail = "A session holds a block once, however often it calls this. A hold does not lengthen lifetime "
              "\"session\".",
    UM_PARAMS(block_params),
    .result = holders_result,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED},
    .ignores_lock = true,
    .run = hold_block,
};

static void release_block(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint32_t holders = 0;
    int code = um_block_release(call->store, args->value[0].as.block, call->session->owner, &holders, &fault);

    reply_holders(call, code, holders, &fault);
}

const struct um_method um_method_block_release = {
    .name = "block.release",
    .summary = "Ends this session's hold on a block; the session that made a block holds it from the start.",
    .detail = "Nothing is freed. A block that this session does not hold stays as it is.",
    UM_PARAMS(block_params),
    .result = holders_result,
    .errors = {UMEM_E_NO_MEMORY},
    .ignores_lock = true,
    .run = release_block,
};

enum { CHANGE_BLOCK, CHANGE_NAME, CHANGE_LIFETIME, CHANGE_IF_EXISTS };

static const struct um_param change_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "name",
     .type = UM_NAME,
     .fallback_doc = "as it is",
     .doc = "Its new name; \"\" takes the name away."},
    {.name = "lifetime",
     .type = UM_CHOICE,
     .words = um_lifetime_words,
     .fallback_doc = "as it is",
     .doc = "\"session\": of this session, which becomes its owner."},
    {.name = "if_exists",
     .type = UM_CHOICE,
     .words = um_if_exists_block_words,
     .fallback = UM_IF_EXISTS_FAIL,
     .doc = "What to do if another block has the name: fail as `name_taken`, or free it and give this one "
            "its name."},
};

static void change_block(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    struct um_block *block = value[CHANGE_BLOCK].as.block;
    enum um_lifetime lifetime = (enum um_lifetime)value[CHANGE_LIFETIME].as.word;
    enum um_if_exists if_exists = (enum um_if_exists)value[CHANGE_IF_EXISTS].as.word;
    struct um_block_changes changes = {
        .name = value[CHANGE_NAME].as.text,
        .lifetime = value[CHANGE_LIFETIME].given ? &lifetime : NULL,
    };
    struct um_fault fault = {0};
    um_handle replaced;
    uint64_t cost;
    int code;

    if (!check_if_exists(call, &value[CHANGE_NAME], if_exists))
        return;
    if (if_exists == UM_IF_EXISTS_REPLACE && changes.name != NULL && changes.name[0] != '\0')
        changes.replaced = find_replaced(call, changes.name, block);
    replaced = handle_of(call, changes.replaced);
    cost = replaced != 0 ? cost_of_end(call, changes.replaced) : 0;
    if (cost != 0 && !um_call_fits(call, 0, cost))
        return;
    code = um_block_change(call->store, block, call->session->owner, &changes, &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    um_describe_block(um_reply(call), call->store, block);
    if (replaced != 0)
        um_reply_uint(call, "replaced", replaced);
    um_reply_end(call);
}

static const struct um_member change_result[] = {
    UM_BLOCK_MEMBERS,
    {.name = "replaced",
     .type = UM_BLOCK,
     .optional = true,
     .doc = "The block that had the name and was freed; missing where none was."},
    {.name = NULL},
};

const struct um_method um_method_block_change = {
    .name = "block.change",
    .summary = "Names a block, changes its lifetime, or adopts an orphan.",
    .detail = "Whoever changes an orphan becomes its owner and holds it.",
    UM_PARAMS(change_params),
    .result = change_result,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_NAME_TAKEN, UMEM_E_LIMIT_EXCEEDED, UMEM_E_DENIED, UMEM_E_CORRUPTED},
    .run = change_block,
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
