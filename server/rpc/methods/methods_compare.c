/* block.compare and block.find: bytes looked at within the daemon, in slices where they are many. */
#include <stdlib.h>
#include <string.h>

#include "base/needle.h"
#include "rpc/call/args.h"
#include "rpc/call/args_values.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/call/range_ref.h"
#include "rpc/engine/job.h"
#include "rpc/schema/methods.h"
#include "wire/json_write.h"

/* ---- block.compare ---- */

struct compare_job {
    struct um_job job;
    struct um_range_ref left;
    struct um_range_ref right;
    uint64_t done; /* bytes that are equal so far */
    bool differs;  /* at `done` */
};

/* How many bytes at the start of both are equal. Halves the range in which the first difference lies. */
static size_t equal_size(const unsigned char *left, const unsigned char *right, size_t size)
{
    size_t begin = 0;

    if (size == 0 || memcmp(left, right, size) == 0)
        return size;
    while (size > 1) {
        size_t half = size / 2;

        if (memcmp(left + begin, right + begin, half) == 0) {
            begin += half;
            size -= half;
        } else {
            size = half;
        }
    }
    return begin;
}

static int compare_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct compare_job *compare = (struct compare_job *)job;
    uint64_t size = um_job_slice(job, compare->left.size - compare->done);
    struct um_block *left = NULL;
    struct um_block *right = NULL;
    size_t equal;
    int code = um_range_ref_find(job->call, &compare->left, &left, fault);

    if (code == UMEM_OK)
        code = um_range_ref_find(job->call, &compare->right, &right, fault);
    if (code != UMEM_OK)
        return code;
    equal = equal_size(um_block_bytes(left) + compare->left.offset + compare->done,
                       um_block_bytes(right) + compare->right.offset + compare->done, (size_t)size);
    compare->differs = equal < size;
    compare->done += equal;
    *more = !compare->differs && compare->done < compare->left.size;
    return UMEM_OK;
}

static void compare_answer(struct um_job *job, struct um_call *call)
{
    const struct compare_job *compare = (struct compare_job *)job;

    um_reply_bool(call, "equal", !compare->differs);
    if (compare->differs)
        um_reply_uint(call, "offset", compare->done);
    else
        um_reply_null(call, "offset");
}

static const struct um_job_kind compare_kind = {.step = compare_step, .answer = compare_answer};

enum { COMPARE_LEFT, COMPARE_RIGHT, COMPARE_LEFT_OFFSET, COMPARE_RIGHT_OFFSET, COMPARE_SIZE };

static const struct um_param compare_params[] = {
    {.name = "left", .type = UM_BLOCK, .required = true, .doc = "One block."},
    {.name = "right", .type = UM_BLOCK, .required = true, .doc = "The other; it may be the same."},
    {.name = "left_offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin in the one."},
    {.name = "right_offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin in the other."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end of `left`",
     .unit = "bytes",
     .doc = "How much to compare."},
};

static void compare(struct um_call *call, const struct um_args *args)
{
    const struct um_range *left = &args->range[0];
    struct um_range right = {args->value[COMPARE_RIGHT].as.block, args->value[COMPARE_RIGHT_OFFSET].as.uint,
                             left->size};
    struct compare_job compare = {
        .job = um_job_for(call, &compare_kind, left->size, left->block, right.block),
        .left = um_range_ref_of(call, left),
        .right = um_range_ref_of(call, &right),
    };

    if (um_range_check(call, right.block, right.offset, right.size) && um_call_fits(call, 0, left->size))
        um_job_run(call, &compare.job, sizeof compare);
}

static const struct um_member compare_result[] = {
    {.name = "equal", .type = UM_BOOLEAN, .doc = "Whether all bytes are."},
    {.name = "offset",
     .type = UM_OFFSET,
     .nullable = true,
     .unit = "bytes",
     .doc = "Of the first difference, from the start of the ranges; null: there is none."},
    {.name = NULL},
};

const struct um_method um_method_block_compare = {
    .name = "block.compare",
    .summary = "Compares bytes of two blocks (RtlCompareMemory).",
    UM_PARAMS(compare_params),
    .ranges = {{COMPARE_LEFT + 1, COMPARE_LEFT_OFFSET + 1, COMPARE_SIZE + 1}},
    .result = compare_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = compare,
};

/* ---- block.find ---- */

struct find_job {
    struct um_job job;
    struct um_range_ref ref;
    struct um_needle needle;
    unsigned char *bytes; /* what is looked for */
    uint64_t done;        /* bytes of the range at which it does not begin */
    bool found;           /* at `done` */
};

/* A slice is as long as what is looked for, at least, so that a search costs no more for being cut. */
static int find_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct find_job *find = (struct find_job *)job;
    uint64_t wanted = find->needle.size;
    uint64_t left = find->ref.size - find->done;
    uint64_t slice = um_job_slice(job, left);
    uint64_t starts = wanted > slice ? wanted : slice;
    struct um_block *block = NULL;
    size_t at = 0;
    int code = um_range_ref_find(job->call, &find->ref, &block, fault);

    if (code != UMEM_OK)
        return code;
    *more = false;
    if (left < wanted)
        return UMEM_OK;
    if (starts > left - wanted)
        starts = left - wanted + 1;
    else
        *more = true;
    find->found = um_needle_find(&find->needle, um_block_bytes(block) + find->ref.offset + find->done,
                                 (size_t)(starts + wanted - 1), &at);
    find->done += find->found ? at : starts;
    *more = *more && !find->found;
    return UMEM_OK;
}

static void find_answer(struct um_job *job, struct um_call *call)
{
    const struct find_job *find = (struct find_job *)job;

    if (find->found)
        um_reply_uint(call, "offset", find->ref.offset + find->done);
    else
        um_reply_null(call, "offset");
}

static void find_release(struct um_job *job)
{
    free(((struct find_job *)job)->bytes);
}

static const struct um_job_kind find_kind = {
    .step = find_step, .answer = find_answer, .release = find_release};

enum { FIND_BLOCK, FIND_DATA, FIND_OFFSET, FIND_ENCODING };

static const struct um_param find_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "data", .type = UM_DATA, .required = true, .doc = "The bytes to look for: at most 1 MiB."},
    {.name = "offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin."},
    {.name = "encoding",
     .type = UM_CHOICE,
     .words = um_text_encoding_words,
     .fallback = UM_BASE64,
     .doc = UM_ENCODING_DOC "."},
};

/* What a long search looks for is kept until it ends, and counts as what is gathered. */
static bool may_keep(struct um_call *call, const struct find_job *find, uint64_t size)
{
    const struct um_rpc *rpc = call->session->rpc;
    struct um_fault fault = {
        .limit = "gathered_bytes",
        .maximum = rpc->limits->gathered_bytes,
        .used = um_engine_traffic(rpc)->gathered_bytes,
        .asked = size,
        .what = "too much is kept for calls that are not done; look for less, or try again",
    };

    if (!find->job.is_long || call->batch != NULL || size <= UM_SMALL_ANSWER_SIZE ||
        (fault.used <= fault.maximum && size <= fault.maximum - fault.used))
        return true;
    um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
    return false;
}

static void find(struct um_call *call, const struct um_args *args)
{
    const struct um_range *range = &args->range[0];
    const struct um_data *data = &args->value[FIND_DATA].as.data;
    struct find_job find = {
        .job = um_job_for(call, &find_kind, range->size, range->block, NULL),
        .ref = um_range_ref_of(call, range),
    };

    if (data->size > UM_JOB_ATOMIC_SIZE) {
        um_args_refuse(call, "data", "has %llu bytes, and at most %d can be looked for",
                       (unsigned long long)data->size, (int)UM_JOB_ATOMIC_SIZE);
        return;
    }
    if (!um_call_fits(call, 0, range->size) || !may_keep(call, &find, data->size))
        return;
    find.job.held_bytes = data->size;
    find.bytes = malloc(data->size != 0 ? (size_t)data->size : 1);
    if (find.bytes == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for the bytes to look for");
        um_reply_end(call);
        return;
    }
    um_data_copy(data, find.bytes);
    um_needle_init(&find.needle, find.bytes, (size_t)data->size);
    um_job_run(call, &find.job, sizeof find);
}

static const struct um_member find_result[] = {
    {.name = "offset",
     .type = UM_OFFSET,
     .nullable = true,
     .unit = "bytes",
     .doc = "Where they first stand, from the start of the block; null: nowhere."},
    {.name = NULL},
};

const struct um_method um_method_block_find = {
    .name = "block.find",
    .summary = "Finds bytes in a block.",
    UM_PARAMS(find_params),
    .ranges = {{FIND_BLOCK + 1, FIND_OFFSET + 1, 0}},
    .result = find_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = find,
};
