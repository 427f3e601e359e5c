/* block.alloc: at once, or in slices where a large block's memory is to be got and cleared. */
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/engine/job.h"
#include "rpc/methods/describe.h"
#include "rpc/schema/methods.h"

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

/* Bytes of a large block that a slice gets and clears: much faster than copying, as the system gives pages that are zero. */
enum { SLICE_SIZE = 4 * 1024 * 1024 };

struct alloc_job {
    struct um_job job;
    struct um_alloc *alloc;
};

static int step(struct um_job *job, bool *more, struct um_fault *fault)
{
    return um_alloc_step(um_call_store(job->call), ((struct alloc_job *)job)->alloc, SLICE_SIZE, more, fault);
}

static void answer(struct um_job *job, struct um_call *call)
{
    um_describe_place(um_reply(call), um_call_store(call), um_alloc_block(((struct alloc_job *)job)->alloc));
}

static void release(struct um_job *job)
{
    um_alloc_end(um_call_store(job->call), ((struct alloc_job *)job)->alloc);
}

static const struct um_job_kind alloc_kind = {.step = step, .answer = answer, .release = release};

/* Makes the block at once, or begins to: then *alloc is what goes on. In a batch, nobody comes between. */
static int begin(struct um_call *call, struct um_heap *heap, const struct um_block_options *options,
                 struct um_alloc **alloc, struct um_block **block, struct um_fault *fault)
{
    struct um_store *store = um_call_store(call);

    if (call->batch != NULL)
        return um_block_alloc(store, heap, call->session->owner, options, block, fault);
    return um_alloc_begin(store, heap, call->session->owner, options, alloc, block, fault);
}

/* Has what `data` needs got before all else, as it goes with the message. Where that was all, the block is made. */
static int begin_data(struct um_call *call, const struct um_data *data, struct um_alloc **alloc,
                      struct um_block **block, struct um_fault *fault)
{
    struct um_store *store = um_call_store(call);
    bool more = false;
    int code;

    if (*alloc != NULL) {
        code = um_alloc_step(store, *alloc, data->size, &more, fault);
        if (code != UMEM_OK)
            return code;
        if (more) {
            um_data_copy(data, um_alloc_bytes(*alloc));
            return UMEM_OK;
        }
        *block = um_alloc_block(*alloc);
        um_alloc_end(store, *alloc);
        *alloc = NULL;
    }
    um_data_copy(data, um_block_bytes(*block));
    return UMEM_OK;
}

static bool data_fits(struct um_call *call, const struct um_data *data, uint64_t size)
{
    if (data == NULL || data->size <= size)
        return true;
    um_fail(call, UMEM_E_OUT_OF_RANGE, "data has %llu bytes, the block only %llu",
            (unsigned long long)data->size, (unsigned long long)size);
    um_reply_uint(call, "size", data->size);
    um_reply_uint(call, "block_size", size);
    um_reply_end(call);
    return false;
}

static void alloc(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    const struct um_data *data = value[ALLOC_DATA].given ? &value[ALLOC_DATA].as.data : NULL;
    struct um_heap *heap = value[ALLOC_HEAP].as.heap;
    const struct um_block_options options = {
        .size = value[ALLOC_SIZE].as.uint,
        .flags = value[ALLOC_FLAGS].as.flags,
        .name = value[ALLOC_NAME].as.text,
        .lifetime = (enum um_lifetime)value[ALLOC_LIFETIME].as.word,
    };
    struct alloc_job job = {
        .job = {.kind = &alloc_kind, .is_long = true, .heaps = {um_heap_handle(heap), 0}}};
    struct um_fault fault = {0};
    struct um_block *block = NULL;
    int code;

    if (!data_fits(call, data, options.size) || !um_call_fits(call, 0, options.size))
        return;
    code = begin(call, heap, &options, &job.alloc, &block, &fault);
    if (code == UMEM_OK && data != NULL)
        code = begin_data(call, data, &job.alloc, &block, &fault);
    if (code != UMEM_OK) {
        um_alloc_end(um_call_store(call), job.alloc);
        um_fail_fault(call, code, &fault);
    } else if (job.alloc != NULL) {
        um_job_run(call, &job.job, sizeof job);
    } else {
        um_describe_place(um_reply(call), um_call_store(call), block);
        um_reply_end(call);
    }
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
