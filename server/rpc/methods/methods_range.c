/* block.fill and block.copy: bytes written within the daemon, in slices where they are many. */
#include <string.h>

#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/call/range_ref.h"
#include "rpc/engine/job.h"
#include "rpc/schema/methods.h"
#include "wire/json_write.h"

static const struct um_member size_result[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "How many bytes."},
    {.name = NULL},
};

/* ---- block.fill ---- */

struct fill_job {
    struct um_job job;
    struct um_range_ref ref;
    uint64_t done; /* bytes */
    int value;
};

static int fill_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct fill_job *fill = (struct fill_job *)job;
    uint64_t size = um_job_slice(job, fill->ref.size - fill->done);
    uint64_t offset = fill->ref.offset + fill->done;
    struct um_block *block = NULL;
    int code = um_range_ref_find(job->call, &fill->ref, &block, fault);

    if (code != UMEM_OK)
        return code;
    if (size != 0)
        memset(um_block_bytes(block) + offset, fill->value, (size_t)size);
    um_call_wrote(job->call, block, offset, size);
    fill->done += size;
    *more = fill->done < fill->ref.size;
    return UMEM_OK;
}

static void fill_answer(struct um_job *job, struct um_call *call)
{
    um_reply_uint(call, "size", ((struct fill_job *)job)->ref.size);
}

static const struct um_job_kind fill_kind = {.step = fill_step, .answer = fill_answer};

enum { FILL_BLOCK, FILL_VALUE, FILL_OFFSET, FILL_SIZE };

static const struct um_param fill_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "value", .type = UM_UINT, .maximum = 255, .doc = "The byte to write."},
    {.name = "offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end",
     .unit = "bytes",
     .doc = "How many bytes to fill."},
};

static void fill(struct um_call *call, const struct um_args *args)
{
    const struct um_range *range = &args->range[0];
    struct fill_job fill = {
        .job = um_job_for(call, &fill_kind, range->size, range->block, NULL),
        .ref = um_range_ref_of(call, range),
        .value = (int)args->value[FILL_VALUE].as.uint,
    };

    if (um_call_fits(call, 0, range->size))
        um_job_run(call, &fill.job, sizeof fill);
}

const struct um_method um_method_block_fill = {
    .name = "block.fill",
    .summary = "Sets every byte of a range to one value (Win32 FillMemory).",
    UM_PARAMS(fill_params),
    .ranges = {{FILL_BLOCK + 1, FILL_OFFSET + 1, FILL_SIZE + 1}},
    .result = size_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = fill,
};

/* ---- block.copy ---- */

struct copy_job {
    struct um_job job;
    struct um_range_ref source;
    struct um_range_ref target;
    uint64_t done;    /* bytes */
    bool from_behind; /* the ranges overlap so that the last bytes must go first */
};

static int copy_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct copy_job *copy = (struct copy_job *)job;
    uint64_t size = um_job_slice(job, copy->source.size - copy->done);
    uint64_t at = copy->from_behind ? copy->source.size - copy->done - size : copy->done;
    struct um_block *source = NULL;
    struct um_block *target = NULL;
    int code = um_range_ref_find(job->call, &copy->source, &source, fault);

    if (code == UMEM_OK)
        code = um_range_ref_find(job->call, &copy->target, &target, fault);
    if (code != UMEM_OK)
        return code;
    memmove(um_block_bytes(target) + copy->target.offset + at,
            um_block_bytes(source) + copy->source.offset + at, (size_t)size);
    um_call_wrote(job->call, target, copy->target.offset + at, size);
    copy->done += size;
    *more = copy->done < copy->source.size;
    return UMEM_OK;
}

static void copy_answer(struct um_job *job, struct um_call *call)
{
    um_reply_uint(call, "size", ((struct copy_job *)job)->source.size);
}

static const struct um_job_kind copy_kind = {.step = copy_step, .answer = copy_answer};

enum { COPY_SOURCE, COPY_TARGET, COPY_SOURCE_OFFSET, COPY_TARGET_OFFSET, COPY_SIZE };

static const struct um_param copy_params[] = {
    {.name = "source", .type = UM_BLOCK, .required = true, .doc = "The block to copy from."},
    {.name = "target",
     .type = UM_BLOCK,
     .required = true,
     .doc = "The block to copy to; it may be the same."},
    {.name = "source_offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin in the source."},
    {.name = "target_offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin in the target."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end of the source",
     .unit = "bytes",
     .doc = "How much to copy."},
};

static void copy(struct um_call *call, const struct um_args *args)
{
    const struct um_range *source = &args->range[0];
    struct um_range target = {args->value[COPY_TARGET].as.block, args->value[COPY_TARGET_OFFSET].as.uint,
                              source->size};
    struct copy_job copy = {
        .job = um_job_for(call, &copy_kind, source->size, source->block, target.block),
        .source = um_range_ref_of(call, source),
        .target = um_range_ref_of(call, &target),
        .from_behind = source->block == target.block && target.offset > source->offset,
    };

    if (um_range_check(call, target.block, target.offset, target.size) && um_call_fits(call, 0, source->size))
        um_job_run(call, &copy.job, sizeof copy);
}

const struct um_method um_method_block_copy = {
    .name = "block.copy",
    .summary = "Copies bytes from one block to another, or within one (Win32 CopyMemory).",
    .detail = "The ranges may overlap.",
    UM_PARAMS(copy_params),
    .ranges = {{COPY_SOURCE + 1, COPY_SOURCE_OFFSET + 1, COPY_SIZE + 1}},
    .result = size_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = copy,
};
