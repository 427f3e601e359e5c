/* block.resize: at once, or in slices where a large block has to move. */
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/engine/job.h"
#include "rpc/events/observe.h"
#include "rpc/methods/describe.h"
#include "rpc/schema/methods.h"

struct resize_job {
    struct um_job job;
    struct um_resize *resize;
    um_handle block;
    uint64_t old_size; /* bytes, as it was before the last step: others may have resized it meanwhile */
};

/* Whoever observes the bytes that came or went is told of them. */
static void notify_resized(struct um_call *call, struct um_block *block, uint64_t old_size)
{
    uint64_t size = um_block_size(block);

    if (size > old_size)
        um_observe_changed(call->session->rpc, block, old_size, size - old_size);
    else
        um_observe_changed(call->session->rpc, block, size, old_size - size);
}

static void reply(struct um_call *call, struct um_block *block, uint64_t old_size)
{
    notify_resized(call, block, old_size);
    um_describe_place(um_reply(call), um_call_store(call), block);
}

static int step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct resize_job *resize = (struct resize_job *)job;
    struct um_store *store = um_call_store(job->call);
    struct um_block *block = NULL;

    if (um_store_find_block(store, resize->block, &block, NULL) == UMEM_OK)
        resize->old_size = um_block_size(block);
    return um_resize_step(store, resize->resize, UM_JOB_SLICE_SIZE, more, fault);
}

static void answer(struct um_job *job, struct um_call *call)
{
    const struct resize_job *resize = (struct resize_job *)job;
    struct um_block *block = NULL;

    /* The last step has just found it. */
    (void)um_store_find_block(um_call_store(call), resize->block, &block, NULL);
    reply(call, block, resize->old_size);
}

static void release(struct um_job *job)
{
    um_resize_end(um_call_store(job->call), ((struct resize_job *)job)->resize);
}

static const struct um_job_kind resize_kind = {.step = step, .answer = answer, .release = release};

enum { RESIZE_BLOCK, RESIZE_SIZE, RESIZE_FLAGS };

static const struct um_param resize_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "size", .type = UM_SIZE, .required = true, .unit = "bytes", .doc = "Its new size."},
    {.name = "flags",
     .type = UM_FLAGS,
     .words = um_flag_words,
     .doc = "Win32 heap flags, see Flags; with `realloc_in_place_only` it is `no_memory` rather than moved."},
};

/* In a batch, nobody comes between: the block is moved at once. */
static int begin(struct um_call *call, const struct um_args *args, struct um_resize **resize,
                 struct um_fault *fault)
{
    struct um_store *store = um_call_store(call);
    struct um_block *block = args->value[RESIZE_BLOCK].as.block;
    uint64_t size = args->value[RESIZE_SIZE].as.uint;
    uint32_t flags = args->value[RESIZE_FLAGS].as.flags;
    int code = um_block_check(store, block, fault);

    if (code != UMEM_OK)
        return code;
    if (call->batch != NULL)
        return um_block_resize(store, block, size, flags, fault);
    return um_resize_begin(store, block, size, flags, resize, fault);
}

static void resize(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[RESIZE_BLOCK].as.block;
    uint64_t size = args->value[RESIZE_SIZE].as.uint;
    struct resize_job resize = {
        .job = um_job_for(call, &resize_kind, UINT64_MAX, block, NULL),
        .block = um_block_handle(um_call_store(call), block),
        .old_size = um_block_size(block),
    };
    struct um_fault fault = {0};
    int code;

    if (!um_call_fits(call, 0, size > resize.old_size ? size : resize.old_size))
        return;
    code = begin(call, args, &resize.resize, &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
    } else if (resize.resize != NULL) {
        um_job_run(call, &resize.job, sizeof resize);
    } else {
        reply(call, block, resize.old_size);
        um_reply_end(call);
    }
}

const struct um_method um_method_block_resize = {
    .name = "block.resize",
    .summary = "Resizes a block (Win32 HeapReAlloc).",
    .detail = "The handle and the name stay, the bytes added are zero. The address may change.",
    UM_PARAMS(resize_params),
    .result = um_block_place_members,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED, UMEM_E_DENIED, UMEM_E_CORRUPTED},
    .run = resize,
};
