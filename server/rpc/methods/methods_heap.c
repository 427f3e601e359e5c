/* heap.*: heaps as quota domains. */
#include <string.h>

#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/engine/job.h"
#include "rpc/methods/describe.h"
#include "rpc/schema/methods.h"
#include "wire/json_write.h"

static const struct um_word kind_words[] = {
    {"private", UM_HEAP_PRIVATE},
    {"shared", UM_HEAP_SHARED},
    {NULL, 0},
};
static const struct um_member handle_result[] = {
    {.name = "heap", .type = UM_HEAP, .doc = "The heap."},
    {.name = NULL},
};

static void reply_handle(struct um_call *call, const struct um_heap *heap)
{
    um_reply_uint(call, "heap", um_heap_handle(heap));
    um_reply_end(call);
}

/* ---- heap.process ---- */

static void process(struct um_call *call, const struct um_args *args)
{
    (void)args;
    reply_handle(call, um_store_process_heap(um_call_store(call)));
}

const struct um_method um_method_heap_process = {
    .name = "heap.process",
    .summary = "Gives the daemon's process heap, which is the default heap (Win32 GetProcessHeap).",
    .result = handle_result,
    .run = process,
};

/* ---- heap.create ---- */

enum {
    CREATE_FLAGS,
    CREATE_INITIAL_SIZE,
    CREATE_MAXIMUM_SIZE,
    CREATE_NAME,
    CREATE_KIND,
    CREATE_LIFETIME,
    CREATE_ALIGNMENT
};

static const struct um_param create_params[] = {
    {.name = "flags", .type = UM_FLAGS, .words = um_flag_words, .doc = "Win32 heap flags, see Flags."},
    {.name = "initial_size", .type = UM_SIZE, .unit = "bytes", .doc = "Memory to commit at once: a hint."},
    {.name = "maximum_size",
     .type = UM_SIZE,
     .fallback_doc = "0: growable",
     .unit = "bytes",
     .doc = "Most that the sizes of its blocks may add up to; a shared heap must have one."},
    {.name = "name", .type = UM_NAME, .minimum = 1, .doc = "A name that may stand for the handle."},
    {.name = "kind",
     .type = UM_CHOICE,
     .words = kind_words,
     .fallback = UM_HEAP_PRIVATE,
     .doc = "What it is made of: \"shared\" is memory that clients may map, see Shared heaps."},
    {.name = "lifetime",
     .type = UM_CHOICE,
     .words = um_lifetime_words,
     .fallback = UM_LIFETIME_SERVER,
     .doc = "\"session\": destroyed when the session that made it ends."},
    {.name = "alignment",
     .type = UM_UINT,
     .minimum = UM_ALIGNMENT_MINIMUM,
     .maximum = UM_ALIGNMENT_MAXIMUM,
     .fallback = UM_ALIGNMENT_MINIMUM,
     .unit = "bytes",
     .doc = "Every block starts at a multiple of it: a power of two."},
};

/* Bytes of a heap's initial_size that a slice gets. */
enum { SLICE_SIZE = 4 * 1024 * 1024 };

/* The heap is there; it is answered when it has its memory. */
struct create_job {
    struct um_job job;
    uint64_t done; /* bytes */
    bool is_made;  /* it is answered with the heap: until then, the heap goes with the job */
};

static int create_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct create_job *create = (struct create_job *)job;
    struct um_store *store = um_call_store(job->call);
    struct um_heap *heap = NULL;
    uint64_t budget = job->call->batch != NULL ? UINT64_MAX : SLICE_SIZE;

    *more = false;
    /* Where somebody has destroyed it meanwhile, it was made all the same. */
    if (um_store_find_heap(store, job->heaps[0], &heap, NULL) != UMEM_OK)
        return UMEM_OK;
    return um_heap_commit_step(heap, budget, &create->done, more, fault);
}

static void create_answer(struct um_job *job, struct um_call *call)
{
    ((struct create_job *)job)->is_made = true;
    um_reply_uint(call, "heap", job->heaps[0]);
}

static void create_release(struct um_job *job)
{
    struct um_store *store = um_call_store(job->call);
    struct um_heap *heap = NULL;
    uint64_t blocks;
    uint64_t bytes;

    if (!((struct create_job *)job)->is_made &&
        um_store_find_heap(store, job->heaps[0], &heap, NULL) == UMEM_OK)
        (void)um_heap_destroy(store, heap, &blocks, &bytes, NULL);
}

static const struct um_job_kind create_kind = {
    .step = create_step, .answer = create_answer, .release = create_release};

static void create(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    struct um_heap_options options = {
        .kind = (enum um_heap_kind)value[CREATE_KIND].as.word,
        .flags = value[CREATE_FLAGS].as.flags,
        .initial_size = value[CREATE_INITIAL_SIZE].as.uint,
        .maximum_size = value[CREATE_MAXIMUM_SIZE].as.uint,
        .alignment = (uint32_t)value[CREATE_ALIGNMENT].as.uint,
        .name = value[CREATE_NAME].as.text,
        .lifetime = (enum um_lifetime)value[CREATE_LIFETIME].as.word,
    };
    struct create_job job = {.job = {.kind = &create_kind}};
    struct um_fault fault = {0};
    struct um_heap *heap = NULL;
    int code;

    if (options.kind == UM_HEAP_SHARED && !um_call_fits(call, 0, UM_SHARED_HEAP_COST + options.initial_size))
        return;
    code = um_heap_create(um_call_store(call), call->session->owner, &options, &heap, &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    job.job.is_long = options.kind == UM_HEAP_SHARED && options.initial_size > SLICE_SIZE;
    job.job.heaps[0] = um_heap_handle(heap);
    um_job_run(call, &job.job, sizeof job);
}

const struct um_method um_method_heap_create = {
    .name = "heap.create",
    .summary = "Makes a heap (Win32 HeapCreate).",
    UM_PARAMS(create_params),
    .result = handle_result,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED, UMEM_E_NAME_TAKEN, UMEM_E_DENIED, UMEM_E_UNSUPPORTED},
    .run = create,
};

/* ---- heap.info and heap.list ---- */

static const struct um_param heap_params[] = {
    {.name = "heap", .type = UM_HEAP, .required = true, .doc = "The heap."},
};

static void info(struct um_call *call, const struct um_args *args)
{
    um_describe_heap(um_reply(call), args->value[0].as.heap);
    um_reply_end(call);
}

const struct um_method um_method_heap_info = {
    .name = "heap.info",
    .summary = "Tells all about a heap.",
    UM_PARAMS(heap_params),
    .result = um_heap_members,
    .ignores_lock = true,
    .run = info,
};

enum { LIST_AFTER, LIST_LIMIT };

/* Bytes that an entry takes at most: a name of 255 bytes, all escaped, and the rest. */
enum { ENTRY_SIZE = 4096 };

static const struct um_param list_params[] = {UM_PAGE_PARAMS};

static void list(struct um_call *call, const struct um_args *args)
{
    struct um_store *store = um_call_store(call);
    uint64_t left = args->value[LIST_LIMIT].as.uint;
    um_handle next = args->value[LIST_AFTER].as.uint;
    size_t budget = UM_LIST_BUDGET;
    um_handle last = 0;
    struct um_heap *heap;
    struct um_buf *out;

    if (!um_call_fits(call, 0, UM_LIST_COST))
        return;
    heap = um_store_next_heap(store, next, &budget, &next);
    out = um_reply_key(call, "heaps");
    um_json_begin_array(out);
    /* A page that nothing fits in would be no way on. */
    for (; heap != NULL && left != 0 && (last == 0 || um_call_may_append(call, ENTRY_SIZE)); left--) {
        um_json_begin_object(out);
        um_describe_heap(out, heap);
        um_json_end_object(out);
        um_call_charge(call, UM_LISTED_COST);
        last = um_heap_handle(heap);
        heap = um_store_next_heap(store, last, &budget, &next);
    }
    um_json_end_array(out);
    /* Either another heap was found, or the look for one was cut short where `next` says. */
    if (heap != NULL)
        um_reply_uint(call, "next", last);
    else if (next != 0)
        um_reply_uint(call, "next", next);
    else
        um_reply_null(call, "next");
    if (um_store_system_heaps(store) != 0)
        um_reply_uint(call, "process_heaps", um_store_system_heaps(store));
    um_reply_end(call);
}

static const struct um_member list_result[] = {
    {.name = "heaps", .type = UM_ARRAY, .members = um_heap_members, .doc = "Each as heap.info tells it."},
    {.name = "next", .type = UM_UINT, .nullable = true, .doc = "What to pass as `after`; null at the end."},
    {.name = "process_heaps",
     .type = UM_UINT,
     .optional = true,
     .doc = "How many heaps Win32 GetProcessHeaps counts; Windows only."},
    {.name = NULL},
};

const struct um_method um_method_heap_list = {
    .name = "heap.list",
    .summary = "Lists the heaps, a page at a time.",
    .detail = UM_PAGE_DETAIL,
    UM_PARAMS(list_params),
    .result = list_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = list,
};

/* ---- heap.destroy ---- */

static void destroy(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    int code = um_heap_destroy(um_call_store(call), args->value[0].as.heap, &blocks, &bytes, &fault);

    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    um_reply_uint(call, "blocks", blocks);
    um_reply_uint(call, "bytes", bytes);
    um_reply_end(call);
}

static const struct um_member destroy_result[] = {
    {.name = "blocks", .type = UM_UINT, .doc = "How many blocks were freed with it."},
    {.name = "bytes", .type = UM_UINT, .unit = "bytes", .doc = "Their sizes together."},
    {.name = NULL},
};

const struct um_method um_method_heap_destroy = {
    .name = "heap.destroy",
    .summary = "Destroys a heap and frees all blocks on it (Win32 HeapDestroy).",
    .detail = "The process heap cannot be destroyed.",
    UM_PARAMS(heap_params),
    .result = destroy_result,
    .errors = {UMEM_E_DENIED},
    .run = destroy,
};
