/* heap.*: heaps as quota domains, and their locks. */
#include <string.h>

#include "rpc/engine/job.h"
#include "rpc/events/flush.h"
#include "rpc/events/observe.h"
#include "rpc/events/pending.h"
#include "rpc/methods/describe.h"
#include "rpc/methods/methods.h"
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

static void process_heap(struct um_call *call, const struct um_args *args)
{
    (void)args;
    reply_handle(call, um_store_process_heap(call->store));
}

const struct um_method um_method_heap_process = {
    .name = "heap.process",
    .summary = "Gives the daemon's process heap, which is the default heap (Win32 GetProcessHeap).",
    .result = handle_result,
    .run = process_heap,
};

/* ---- heap.create ---- */

enum {
    CREATE_FLAGS,
    CREATE_INITIAL_SIZE,
    CREATE_MAXIMUM_SIZE,
    CREATE_NAME,
    CREATE_KIND,
    CREATE_LIFETIME,
    CREATE_ALIGNMENT,
    CREATE_IF_EXISTS
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
     .words = um_heap_lifetime_words,
     .fallback = UM_LIFETIME_SERVER,
     .doc = "\"session\": destroyed when the session that made it ends; \"durable\": of kind shared, and "
            "there again when the daemon is "
            "started again, see Durable heaps."},
    {.name = "alignment",
     .type = UM_UINT,
     .minimum = UM_ALIGNMENT_MINIMUM,
     .maximum = UM_ALIGNMENT_MAXIMUM,
     .fallback = UM_ALIGNMENT_MINIMUM,
     .unit = "bytes",
     .doc = "Every block starts at a multiple of it: a power of two."},
    {.name = "if_exists",
     .type = UM_CHOICE,
     .words = um_if_exists_heap_words,
     .fallback = UM_IF_EXISTS_FAIL,
     .doc = "What to do if a heap has the name: fail as `name_taken`, or open that heap, see Publishing by "
            "name."},
};

/* Bytes of a heap's initial_size that a slice allocates. */
enum { SLICE_SIZE = 4 * 1024 * 1024 };

/* The heap is there; it is answered when it has its memory. */
struct create_job {
    struct um_job job;
    uint64_t done;      /* bytes */
    bool is_made;       /* it is answered with the heap: until then, the heap ends with the job */
    bool tells_created; /* the request has if_exists */
    bool is_opened;     /* the heap was there before */
};

/* Opens the heap of the name, if there is one that has what the request says. UMEM_E_UNKNOWN_HANDLE: there is none. */
static int open_heap(const struct um_call *call, const struct um_arg *value, struct um_heap **heap,
                     struct um_fault *fault)
{
    uint64_t maximum = value[CREATE_MAXIMUM_SIZE].as.uint;
    struct um_heap *found = NULL;
    struct um_heap_info info;
    int code = um_store_find_heap_by_name(call->store, value[CREATE_NAME].as.text, &found, NULL);

    if (code == UMEM_OK)
        code = um_heap_check_lock(found, call->session->owner, fault);
    if (code != UMEM_OK)
        return code;
    um_heap_get_info(found, &info);
    *fault = (struct um_fault){.heap = info.heap};
    if (value[CREATE_KIND].given && info.kind != (enum um_heap_kind)value[CREATE_KIND].as.word) {
        fault->param = "kind";
        fault->what = "the heap of this name is of another kind";
    } else if (value[CREATE_FLAGS].given && info.flags != (uint32_t)value[CREATE_FLAGS].as.flags) {
        fault->param = "flags";
        fault->what = "the heap of this name has other flags";
    } else if (info.maximum_size != 0 && info.maximum_size < maximum) {
        fault->param = "maximum_size";
        fault->what = "the heap of this name may have fewer bytes than what was asked for";
    } else if (info.alignment < value[CREATE_ALIGNMENT].as.uint) {
        fault->param = "alignment";
        fault->what = "the heap of this name aligns its blocks less than what was asked for";
    } else if (value[CREATE_LIFETIME].given && (info.is_durable ? UM_LIFETIME_DURABLE : (int)info.lifetime) !=
                                                   (int)value[CREATE_LIFETIME].as.word) {
        fault->param = "lifetime";
        fault->what = "the heap of this name has another lifetime";
    } else {
        *heap = found;
        return UMEM_OK;
    }
    return UMEM_E_NAME_TAKEN;
}

static int create_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct create_job *create = (struct create_job *)job;
    struct um_store *store = job->call->store;
    struct um_heap *heap = NULL;
    uint64_t budget = job->call->batch != NULL ? UINT64_MAX : SLICE_SIZE;

    *more = false;
    /* Where another session has destroyed it meanwhile, it was made all the same. */
    if (create->is_opened || um_store_find_heap(store, job->heaps[0], &heap, NULL) != UMEM_OK)
        return UMEM_OK;
    return um_heap_commit_step(heap, budget, &create->done, more, fault);
}

static void create_answer(struct um_job *job, struct um_call *call)
{
    struct create_job *create = (struct create_job *)job;

    create->is_made = true;
    um_reply_uint(call, "heap", job->heaps[0]);
    if (create->tells_created)
        um_reply_bool(call, "created", !create->is_opened);
}

static void create_release(struct um_job *job)
{
    struct um_store *store = job->call->store;
    struct um_heap *heap = NULL;
    uint64_t blocks;
    uint64_t bytes;

    const struct create_job *create = (struct create_job *)job;

    if (!create->is_made && !create->is_opened &&
        um_store_find_heap(store, job->heaps[0], &heap, NULL) == UMEM_OK)
        (void)um_heap_destroy(store, heap, &blocks, &bytes, NULL);
}

static bool create_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct create_job *create = (struct create_job *)job;
    const struct um_arg *value = args->value;
    struct um_heap_options options = {
        .kind = (enum um_heap_kind)value[CREATE_KIND].as.word,
        .flags = (uint32_t)value[CREATE_FLAGS].as.flags,
        .initial_size = value[CREATE_INITIAL_SIZE].as.uint,
        .maximum_size = value[CREATE_MAXIMUM_SIZE].as.uint,
        .name = value[CREATE_NAME].as.text,
        .alignment = (uint32_t)value[CREATE_ALIGNMENT].as.uint,
        .lifetime =
            value[CREATE_LIFETIME].as.word == UM_LIFETIME_SESSION ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER,
        .is_durable = value[CREATE_LIFETIME].as.word == UM_LIFETIME_DURABLE,
    };
    struct um_fault fault = {0};
    struct um_heap *heap = NULL;
    bool opens = value[CREATE_IF_EXISTS].as.word == UM_IF_EXISTS_OPEN;
    bool is_new;
    int code = UMEM_E_UNKNOWN_HANDLE;

    if (opens && options.name == NULL)
        return um_args_refuse(call, "name", "is missing: if_exists is about the heap that has it");
    if (opens) {
        code = um_heap_check_options(call->store, &options, &fault);
        if (code == UMEM_OK)
            code = open_heap(call, value, &heap, &fault);
    }
    create->tells_created = value[CREATE_IF_EXISTS].given;
    create->is_opened = heap != NULL;
    is_new = code == UMEM_E_UNKNOWN_HANDLE;
    if (is_new && options.kind == UM_HEAP_SHARED &&
        !um_call_fits(call, 0, UM_SHARED_HEAP_COST + options.initial_size))
        return false;
    if (is_new)
        code = um_heap_create(call->store, call->session->owner, &options, &heap, &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return false;
    }
    job->is_long = is_new && options.kind == UM_HEAP_SHARED && options.initial_size > SLICE_SIZE;
    job->heaps[0] = um_heap_handle(heap);
    return true;
}

static const struct um_job_ops create_ops = {.size = sizeof(struct create_job),
                                             .begin = create_begin,
                                             .step = create_step,
                                             .answer = create_answer,
                                             .release = create_release};

static const struct um_member create_result[] = {
    {.name = "heap", .type = UM_HEAP, .doc = "The heap."},
    {.name = "created",
     .type = UM_BOOLEAN,
     .optional = true,
     .doc = "With `if_exists`: whether the heap is new; false: it was opened."},
    {.name = NULL},
};

const struct um_method um_method_heap_create = {
    .name = "heap.create",
    .summary = "Makes a heap (Win32 HeapCreate).",
    UM_PARAMS(create_params),
    .result = create_result,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED, UMEM_E_NAME_TAKEN, UMEM_E_DENIED, UMEM_E_UNSUPPORTED,
               UMEM_E_LOCKED, UMEM_E_CORRUPTED},
    .job = &create_ops,
};

/* ---- heap.info and heap.list ---- */

static const struct um_param heap_params[] = {
    {.name = "heap", .type = UM_HEAP, .required = true, .doc = "The heap."},
};

static void heap_info(struct um_call *call, const struct um_args *args)
{
    um_describe_heap_detail(um_reply(call), args->value[0].as.heap);
    um_reply_end(call);
}

const struct um_method um_method_heap_info = {
    .name = "heap.info",
    .summary = "Describes a heap.",
    UM_PARAMS(heap_params),
    .result = um_heap_detail_members,
    .ignores_lock = true,
    .run = heap_info,
};

enum { LIST_AFTER, LIST_LIMIT };

/* Bytes that an entry takes at most: a name of 255 bytes, all escaped, and the other members. */
enum { ENTRY_SIZE = 4096 };

static const struct um_param list_params[] = {UM_PAGE_PARAMS};

static void list_heaps(struct um_call *call, const struct um_args *args)
{
    struct um_store *store = call->store;
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
    /* The first entry is always written, or the client could not continue. */
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
    {.name = "heaps",
     .type = UM_ARRAY,
     .members = um_heap_members,
     .doc = "Each as in heap.info, without `size_classes`."},
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
    .run = list_heaps,
};

/* ---- heap.destroy ---- */

static void destroy_heap(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    int code = um_heap_destroy(call->store, args->value[0].as.heap, &blocks, &bytes, &fault);

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
    .detail = "The process heap cannot be destroyed, nor a durable heap whose files are damaged.",
    UM_PARAMS(heap_params),
    .result = destroy_result,
    .errors = {UMEM_E_DENIED, UMEM_E_NO_MEMORY, UMEM_E_CORRUPTED},
    .run = destroy_heap,
};

/* ---- heap.validate ---- */

/* Slots that one slice looks at. */
enum { SLOTS_A_SLICE = 4096 };

struct validate_job {
    struct um_job job;
    struct um_heap_check check;
};

static int validate_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct validate_job *validate = (struct validate_job *)job;

    return um_heap_check_step(job->call->store, &validate->check, SLOTS_A_SLICE, more, fault);
}

static void validate_answer(struct um_job *job, struct um_call *call)
{
    (void)job;
    um_reply_bool(call, "valid", true);
}

enum { VALIDATE_HEAP, VALIDATE_BLOCK };

static const struct um_param validate_params[] = {
    {.name = "heap",
     .type = UM_HEAP,
     .fallback_name = "process",
     .doc = "The heap; left out beside `block`: the block's."},
    {.name = "block", .type = UM_BLOCK, .doc = "Only this block of the heap."},
};

/* The process heap stands in for a heap that is left out, even where a block says which is meant: only the heap that is looked
 * at must not be another session's, so that the lock is not checked with the parameters. */
static bool may_look(struct um_call *call, const struct um_heap *heap)
{
    struct um_fault fault = {0};
    int code = um_heap_check_lock(heap, call->session->owner, &fault);

    if (code == UMEM_OK)
        return true;
    um_fail_fault(call, code, &fault);
    return false;
}

static void validate_block(struct um_call *call, struct um_heap *heap, struct um_block *block)
{
    struct um_fault fault = {0};
    int code = um_heap_validate(call->store, heap, block, &fault);

    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    um_reply_bool(call, "valid", true);
    um_reply_end(call);
}

static bool validate_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct validate_job *validate = (struct validate_job *)job;
    struct um_heap *heap = args->value[VALIDATE_HEAP].as.heap;
    struct um_block *block = args->value[VALIDATE_BLOCK].as.block;

    if (block != NULL && !args->value[VALIDATE_HEAP].given)
        heap = um_block_heap(call->store, block);
    if (!may_look(call, heap))
        return false;
    if (block != NULL) {
        if (may_look(call, um_block_heap(call->store, block)))
            validate_block(call, heap, block);
        return false;
    }
    if (!um_job_is_allowed(call))
        return false;
    um_heap_check_begin(&validate->check, heap);
    job->heaps[0] = validate->check.heap;
    job->is_long = true;
    return true;
}

static const struct um_job_ops validate_ops = {.size = sizeof(struct validate_job),
                                               .begin = validate_begin,
                                               .step = validate_step,
                                               .answer = validate_answer};

static const struct um_member validate_result[] = {
    {.name = "valid",
     .type = UM_BOOLEAN,
     .doc = "Always true: damage is the error `corrupted`, with the block."},
    {.name = NULL},
};

const struct um_method um_method_heap_validate = {
    .name = "heap.validate",
    .summary = "Checks a heap, or one of its blocks, for damage (Win32 HeapValidate).",
    .detail = "On Windows the system checks the memory, that of the process heap only block by block; "
              "everywhere the daemon checks its own records of the blocks. A shared heap is damaged when a "
              "client has truncated its memory. A whole heap is not checked in a batch.",
    UM_PARAMS(validate_params),
    .result = validate_result,
    .errors = {UMEM_E_LOCKED, UMEM_E_CORRUPTED, UMEM_E_UNSUPPORTED},
    .ignores_lock = true,
    .job = &validate_ops,
};

/* ---- heap.compact ---- */

static const struct um_param compact_params[] = {
    {.name = "heap", .type = UM_HEAP, .fallback_name = "process", .doc = "The heap."},
};

/* A heap of Win32's is compacted by the system in one go: a turn has one such call at most. */
struct compact_job {
    struct um_job job;
    uint64_t largest_free; /* bytes */
};

static int compact_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct compact_job *compact = (struct compact_job *)job;
    struct um_store *store = job->call->store;
    struct um_heap *heap = NULL;
    int code = um_store_find_heap(store, job->heaps[0], &heap, fault);

    *more = code == UMEM_OK && um_heap_compact_step(heap, &compact->largest_free);
    return code;
}

static void compact_answer(struct um_job *job, struct um_call *call)
{
    um_reply_uint(call, "largest_free", ((struct compact_job *)job)->largest_free);
}

static bool compact_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    if (!um_job_is_allowed(call))
        return false;
    um_heap_compact_start(args->value[0].as.heap);
    job->heaps[0] = um_heap_handle(args->value[0].as.heap);
    job->is_long = true;
    return true;
}

static const struct um_job_ops compact_ops = {.size = sizeof(struct compact_job),
                                              .begin = compact_begin,
                                              .step = compact_step,
                                              .answer = compact_answer};

static const struct um_member compact_result[] = {
    {.name = "largest_free",
     .type = UM_UINT,
     .unit = "bytes",
     .doc = "The largest free range that the heap has committed, and of a shared heap the largest of all; 0 "
            "where the "
            "system does not report it."},
    {.name = NULL},
};

const struct um_method um_method_heap_compact = {
    .name = "heap.compact",
    .summary = "Joins free ranges of a heap and returns memory to the system (Win32 HeapCompact).",
    .detail = "It is answered when all that was free when it began is with the system.",
    UM_PARAMS(compact_params),
    .result = compact_result,
    .errors = {UMEM_E_UNSUPPORTED},
    .job = &compact_ops,
};

/* ---- heap.flush ---- */

static void flush_heap(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint64_t ticket = 0;
    int code = um_heap_flush(args->value[0].as.heap, &ticket, &fault);

    if (code != UMEM_OK)
        um_fail_fault(call, code, &fault);
    else
        um_flush_wait(call, args->value[0].as.heap, ticket);
}

static const struct um_param flush_params[] = {
    {.name = "heap", .type = UM_HEAP, .required = true, .doc = "The heap, which is durable."},
};

const struct um_method um_method_heap_flush = {
    .name = "heap.flush",
    .summary = "Waits until all that was written to a durable heap before is on the disk.",
    .detail = "Records and bytes, by any session; see Durable heaps for those that were written through a "
              "mapping. It waits, and others do not.",
    UM_PARAMS(flush_params),
    .errors = {UMEM_E_UNSUPPORTED, UMEM_E_CORRUPTED, UMEM_E_CANCELLED, UMEM_E_LIMIT_EXCEEDED},
    .run = flush_heap,
};

/* ---- heap.lock and heap.unlock: one session has a heap to itself ---- */

/* A session that queues for a heap's lock. The queue is the order of those stalled at the heap. */
struct queued {
    struct um_pending pending;
    struct um_observer observer;
    um_handle heap;
};

/* Locks, where neither a lock nor a long call of another session stands against it. */
static int try_lock(const struct um_session *session, struct um_heap *heap, struct um_fault *fault)
{
    if (um_job_is_on_heap(session->rpc, um_heap_handle(heap), session)) {
        *fault = (struct um_fault){
            .heap = um_heap_handle(heap),
            .what = "a long call of another session is at work on the heap; try again, or give timeout_ms",
        };
        return UMEM_E_LOCKED;
    }
    return um_heap_lock(heap, session->owner, fault);
}

/* Whoever looked again for anything else would be ahead of those that stalled before. The heap's end may be among what is too much to be
 * reported. */
static void queued_on_event(struct um_observer *observer, const struct um_event *event)
{
    if (event->kind == UM_EVENT_DESTROYED || (event->kind == UM_EVENT_MANY && observer->subject->is_gone))
        um_observer_schedule(observer);
}

static void queued_recheck(struct um_observer *observer)
{
    struct queued *queued = UM_LIST_ITEM(observer, struct queued, observer);
    const struct um_session *session = queued->pending.call->session;
    struct um_fault fault = {0};
    struct um_heap *heap = NULL;
    int code = um_store_find_heap(session->rpc->store, queued->heap, &heap, &fault);

    if (code == UMEM_OK)
        code = try_lock(session, heap, &fault);
    if (code == UMEM_E_LOCKED)
        um_observer_stall(observer);
    else
        um_pending_resolve(&queued->pending, code, &fault);
}

static const struct um_observer_kind queue_kind = {
    .role = UM_OBSERVER_QUEUE, .on_event = queued_on_event, .recheck = queued_recheck};

static void queued_release(struct um_pending *pending)
{
    um_observe_end(&((struct queued *)pending)->observer);
}

static const struct um_pending_kind pending_kind = {
    .what = "the heap was still locked when timeout_ms was over", .release = queued_release};

/* Stands at the end of the queue. */
static void queue(struct um_call *call, struct um_heap *heap, uint64_t timeout_ms)
{
    static const struct um_fault no_memory = {.what = "the daemon has no memory for a call that waits"};
    um_handle handle = um_heap_handle(heap);
    struct queued *queued = um_pending_new(call, handle, sizeof *queued, timeout_ms, &pending_kind);

    if (queued == NULL)
        return;
    queued->observer.kind = &queue_kind;
    queued->heap = handle;
    if (um_observe_begin(queued->pending.call->session->rpc->observers, NULL, heap, &queued->observer) !=
        UMEM_OK)
        um_pending_resolve(&queued->pending, UMEM_E_INTERNAL_ERROR, &no_memory);
    else
        um_observer_stall(&queued->observer);
}

enum { LOCK_HEAP, LOCK_TIMEOUT };

static const struct um_param lock_params[] = {
    {.name = "heap", .type = UM_HEAP, .required = true, .doc = "The heap."},
    {.name = "timeout_ms",
     .type = UM_UINT,
     .unit = "milliseconds",
     .doc = "How long to wait for another session's lock to end; 0: not at all."},
};

static void lock_heap(struct um_call *call, const struct um_args *args)
{
    struct um_heap *heap = args->value[LOCK_HEAP].as.heap;
    struct um_fault fault = {.heap = um_heap_handle(heap),
                             .what = "others wait for the heap's lock, and come first"};
    int code = UMEM_E_LOCKED;

    if (!um_job_lock_is_queued(call->session, um_heap_handle(heap)))
        code = try_lock(call->session, heap, &fault);

    if (code == UMEM_E_LOCKED && args->value[LOCK_TIMEOUT].as.uint != 0)
        queue(call, heap, args->value[LOCK_TIMEOUT].as.uint);
    else if (code != UMEM_OK)
        um_fail_fault(call, code, &fault);
    else
        um_reply_end(call);
}

const struct um_method um_method_heap_lock = {
    .name = "heap.lock",
    .summary = "Locks a heap for this session: others get `locked` until it is unlocked (Win32 HeapLock).",
    .detail = "A session may lock a heap more than once and unlocks it as often. Sessions that wait get the "
              "lock in the order in which they came. A lock ends with its session.",
    UM_PARAMS(lock_params),
    .errors = {UMEM_E_LOCKED, UMEM_E_TIMEOUT, UMEM_E_CANCELLED, UMEM_E_LIMIT_EXCEEDED, UMEM_E_UNSUPPORTED},
    .ignores_lock = true,
    .run = lock_heap,
};

static const struct um_param unlock_params[] = {
    {.name = "heap", .type = UM_HEAP, .required = true, .doc = "The heap."},
};

static void unlock_heap(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    int code = um_heap_unlock(call->store, args->value[0].as.heap, call->session->owner, &fault);

    if (code != UMEM_OK)
        um_fail_fault(call, code, &fault);
    else
        um_reply_end(call);
}

const struct um_method um_method_heap_unlock = {
    .name = "heap.unlock",
    .summary =
        "Undoes one heap.lock (Win32 HeapUnlock); `denied` where this session has not locked the heap.",
    UM_PARAMS(unlock_params),
    .errors = {UMEM_E_DENIED},
    .ignores_lock = true,
    .run = unlock_heap,
};
