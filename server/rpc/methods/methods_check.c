/* heap.validate, heap.compact, block.at: looking after heaps, and finding out. */
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/job.h"
#include "rpc/schema/methods.h"

/* Slots that one slice looks at. */
enum { SLOTS_A_SLICE = 4096 };

/* A batch holds everybody up, and no limit says how many blocks there are to look at. Answers where it may not. */
static bool may_take_long(struct um_call *call)
{
    if (call->batch == NULL)
        return true;
    um_fail(call, UMEM_E_UNSUPPORTED, "%s may take long, which a batch must not; send it on its own",
            call->method->name);
    um_reply_end(call);
    return false;
}

/* ---- heap.validate ---- */

struct validate_job {
    struct um_job job;
    struct um_heap_check check;
};

static int validate_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct validate_job *validate = (struct validate_job *)job;

    return um_heap_check_step(um_call_store(job->call), &validate->check, SLOTS_A_SLICE, more, fault);
}

static void validate_answer(struct um_job *job, struct um_call *call)
{
    (void)job;
    um_reply_bool(call, "valid", true);
}

static const struct um_job_kind validate_kind = {.step = validate_step, .answer = validate_answer};

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
    int code = um_heap_validate(um_call_store(call), heap, block, &fault);

    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    um_reply_bool(call, "valid", true);
    um_reply_end(call);
}

static void validate(struct um_call *call, const struct um_args *args)
{
    struct um_heap *heap = args->value[VALIDATE_HEAP].as.heap;
    struct um_block *block = args->value[VALIDATE_BLOCK].as.block;
    struct validate_job validate = {.job = {.kind = &validate_kind, .is_long = true}};

    if (block != NULL && !args->value[VALIDATE_HEAP].given)
        heap = um_block_heap(um_call_store(call), block);
    if (!may_look(call, heap))
        return;
    if (block != NULL) {
        if (may_look(call, um_block_heap(um_call_store(call), block)))
            validate_block(call, heap, block);
        return;
    }
    if (!may_take_long(call))
        return;
    um_heap_check_begin(&validate.check, heap);
    validate.job.heaps[0] = validate.check.heap;
    um_job_run(call, &validate.job, sizeof validate);
}

static const struct um_member validate_result[] = {
    {.name = "valid",
     .type = UM_BOOLEAN,
     .doc = "Always true: damage is the error `corrupted`, with the block."},
    {.name = NULL},
};

const struct um_method um_method_heap_validate = {
    .name = "heap.validate",
    .summary = "Checks a heap, or one of its blocks, for damage (Win32 HeapValidate).",
    .detail =
        "On Windows the system looks at the memory, at the process heap only block by block; "
        "everywhere the daemon "
        "checks its own records of the blocks. A shared heap is damaged when a client has cut its memory. "
        "A whole heap is not checked in a batch.",
    UM_PARAMS(validate_params),
    .result = validate_result,
    .errors = {UMEM_E_LOCKED, UMEM_E_CORRUPTED, UMEM_E_UNSUPPORTED},
    .ignores_lock = true,
    .run = validate,
};

/* ---- heap.compact ---- */

static const struct um_param compact_params[] = {
    {.name = "heap", .type = UM_HEAP, .fallback_name = "process", .doc = "The heap."},
};

/* The system does it in one go: a turn has one such call at most. */
struct compact_job {
    struct um_job job;
    uint64_t largest_free; /* bytes */
};

static int compact_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct compact_job *compact = (struct compact_job *)job;
    struct um_store *store = um_call_store(job->call);
    struct um_heap *heap = NULL;
    int code = um_store_find_heap(store, job->heaps[0], &heap, fault);

    *more = false;
    return code != UMEM_OK ? code : um_heap_compact(store, heap, &compact->largest_free, fault);
}

static void compact_answer(struct um_job *job, struct um_call *call)
{
    um_reply_uint(call, "largest_free", ((struct compact_job *)job)->largest_free);
}

static const struct um_job_kind compact_kind = {.step = compact_step, .answer = compact_answer};

static void compact(struct um_call *call, const struct um_args *args)
{
    struct compact_job compact = {.job = {.kind = &compact_kind, .is_long = true}};

    if (!may_take_long(call))
        return;
    compact.job.heaps[0] = um_heap_handle(args->value[0].as.heap);
    um_job_run(call, &compact.job, sizeof compact);
}

static const struct um_member compact_result[] = {
    {.name = "largest_free",
     .type = UM_UINT,
     .unit = "bytes",
     .doc = "The largest free range that the heap has committed, and of a shared heap the largest of all; 0 "
            "where the "
            "system does not tell."},
    {.name = NULL},
};

const struct um_method um_method_heap_compact = {
    .name = "heap.compact",
    .summary = "Joins what is free in a heap and gives memory back to the system (Win32 HeapCompact).",
    UM_PARAMS(compact_params),
    .result = compact_result,
    .errors = {UMEM_E_UNSUPPORTED},
    .run = compact,
};

/* ---- block.at ---- */

struct at_job {
    struct um_job job;
    uint64_t address;
    um_handle after; /* blocks up to this one were looked at */
    um_handle found; /* 0: not yet */
};

static int at_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct at_job *at = (struct at_job *)job;
    struct um_store *store = um_call_store(job->call);
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

static const struct um_job_kind at_kind = {.step = at_step, .answer = at_answer};

static const struct um_param at_params[] = {
    {.name = "address", .type = UM_UINT, .required = true, .doc = "As block.alloc and block.info tell it."},
};

static void at(struct um_call *call, const struct um_args *args)
{
    struct at_job at = {
        .job = {.kind = &at_kind, .is_long = true},
        .address = args->value[0].as.uint,
    };

    if (may_take_long(call))
        um_job_run(call, &at.job, sizeof at);
}

static const struct um_member at_result[] = {
    {.name = "block", .type = UM_BLOCK, .doc = "The block that starts there."},
    {.name = NULL},
};

const struct um_method um_method_block_at = {
    .name = "block.at",
    .summary = "Tells which block starts at an address: for debugging, since it looks at every block.",
    UM_PARAMS(at_params),
    .result = at_result,
    .errors = {UMEM_E_UNKNOWN_HANDLE, UMEM_E_UNSUPPORTED},
    .run = at,
};
