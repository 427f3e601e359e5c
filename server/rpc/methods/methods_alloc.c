/* block.alloc: a block of zeros or of given bytes, perhaps in the place of the one that has its name. */
#include <string.h>

#include "rpc/engine/job.h"
#include "rpc/methods/describe.h"
#include "rpc/methods/given_bytes.h"
#include "rpc/methods/methods.h"
#include "rpc/methods/replaced_block.h"
#include "wire/json_write.h"

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
        replaced = um_replaced_find(call, options->name, NULL);
        alloc->replaced = um_replaced_handle(call, replaced);
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

/* Notes what the request says of a name that is taken. *cost is what freeing its block counts for. */
UM_NEVER_INLINE static bool begin_if_exists(struct um_call *call, const struct um_arg *value,
                                            struct alloc_job *alloc, struct um_block_options *options,
                                            uint64_t *cost)
{
    alloc->if_exists = (enum um_if_exists)value[ALLOC_IF_EXISTS].as.word;
    alloc->has_heap = value[ALLOC_HEAP].given;
    alloc->has_lifetime = value[ALLOC_LIFETIME].given;
    alloc->tells_created = true;
    if (!um_replaced_check(call, &value[ALLOC_NAME], alloc->if_exists))
        return false;
    if (alloc->if_exists != UM_IF_EXISTS_REPLACE)
        return true;
    options->replaced = um_replaced_find(call, options->name, NULL);
    if (options->replaced == NULL)
        return true;
    alloc->replaced = um_block_handle(call->store, options->replaced);
    *cost = um_block_end_cost(call, options->replaced);
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
