/* block.get and block.set: numbers in blocks, in slices where they are many. */
#include <stdlib.h>
#include <string.h>

#include "rpc/call/args_values.h"
#include "rpc/call/engine_state.h"
#include "rpc/call/range_ref.h"
#include "rpc/engine/job.h"
#include "rpc/schema/methods.h"
#include "wire/json_read.h"

/* Characters that a number and its comma take at most. */
enum { NUMBER_TEXT_SIZE = 26 };

enum { GET_BLOCK, GET_OFFSET, GET_TYPE, GET_COUNT };

static const struct um_param get_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "offset",
     .type = UM_OFFSET,
     .required = true,
     .unit = "bytes",
     .doc = "Where the first number is."},
    {.name = "type", .type = UM_CHOICE, .words = um_value_words, .fallback = UM_U8, .doc = "Their type."},
    {.name = "count",
     .type = UM_UINT,
     .fallback = 1,
     .maximum = 1000000,
     .doc = "How many to read; each counts as 26 bytes of `message_bytes`, whatever its type."},
};

/* Many numbers are printed in slices, from a copy: they are all of one moment. */
struct get_job {
    struct um_job job;
    enum um_value_type type;
    uint64_t count;
    uint64_t done;         /* numbers printed */
    uint64_t reserved;     /* um_session_reserve_answer() */
    unsigned char *copied; /* malloc */
    struct um_buf text;
};

static void get_release(struct um_job *job)
{
    struct get_job *get = (struct get_job *)job;

    um_session_release_answer(job->call->session, get->reserved);
    free(get->copied);
    um_buf_deinit(&get->text);
}

static int get_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct get_job *get = (struct get_job *)job;
    uint64_t cost = um_value_cost(get->type);
    uint64_t end = get->done + um_job_slice(job, (get->count - get->done) * cost) / cost;

    if (get->done == 0)
        um_json_begin_array(&get->text);
    for (; get->done < end; get->done++)
        um_value_to_json(&get->text, get->type, get->copied + get->done * um_value_size(get->type));
    *more = get->done < get->count;
    if (!*more)
        um_json_end_array(&get->text);
    if (!get->text.failed)
        return UMEM_OK;
    *fault = (struct um_fault){.what = "the daemon has no memory for the answer; ask for less"};
    return UMEM_E_INTERNAL_ERROR;
}

static void get_answer(struct um_job *job, struct um_call *call)
{
    const struct get_job *get = (const struct get_job *)job;

    um_json_raw(um_reply_key(call, "values"), get->text.data, get->text.size);
}

static const struct um_job_kind get_kind = {.step = get_step, .answer = get_answer, .release = get_release};

static void get_in_slices(struct um_call *call, const unsigned char *numbers, enum um_value_type type,
                          uint64_t count)
{
    size_t size = (size_t)count * um_value_size(type);
    struct get_job get = {
        .job = {.kind = &get_kind, .is_long = true, .call = call},
        .type = type,
        .count = count,
        .reserved = count * NUMBER_TEXT_SIZE + size,
        .copied = malloc(size),
    };

    if (get.copied == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR,
                "the daemon has no memory for a copy of the numbers; ask for less");
        um_reply_end(call);
        return;
    }
    memcpy(get.copied, numbers, size);
    um_buf_init(&get.text, (size_t)(count * NUMBER_TEXT_SIZE + 2));
    um_session_reserve_answer(call->session, get.reserved);
    um_job_run(call, &get.job, sizeof get);
}

static void get(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[GET_BLOCK].as.block;
    uint64_t offset = args->value[GET_OFFSET].as.uint;
    enum um_value_type type = (enum um_value_type)args->value[GET_TYPE].as.word;
    uint64_t count = args->value[GET_COUNT].as.uint;
    size_t width = um_value_size(type);
    uint64_t cost = count * um_value_cost(type);
    struct um_buf *out;

    if (!um_range_check(call, block, offset, count * width) ||
        !um_call_fits(call, count * NUMBER_TEXT_SIZE, cost))
        return;
    if (call->batch == NULL && cost > UM_JOB_ATOMIC_SIZE) {
        get_in_slices(call, um_block_bytes(block) + offset, type, count);
        return;
    }
    out = um_reply_key(call, "values");
    um_json_begin_array(out);
    for (uint64_t i = 0; i < count; i++)
        um_value_to_json(out, type, um_block_bytes(block) + offset + i * width);
    um_json_end_array(out);
    um_reply_end(call);
}

static const struct um_member get_result[] = {
    {.name = "values",
     .type = UM_VALUES,
     .doc = "The numbers; 64-bit ones past 2^53-1 as strings of digits."},
    {.name = NULL},
};

const struct um_method um_method_block_get = {
    .name = "block.get",
    .summary = "Reads numbers from a block, little-endian.",
    UM_PARAMS(get_params),
    .result = get_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_TOO_LARGE, UMEM_E_LIMIT_EXCEEDED},
    .run = get,
};

enum { SET_BLOCK, SET_OFFSET, SET_VALUES, SET_TYPE };

static const struct um_param set_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "offset",
     .type = UM_OFFSET,
     .required = true,
     .unit = "bytes",
     .doc = "Where the first number goes."},
    {.name = "values", .type = UM_VALUES, .required = true, .doc = "The numbers."},
    {.name = "type", .type = UM_CHOICE, .words = um_value_words, .fallback = UM_U8, .doc = "Their type."},
};

/* Many numbers are read in slices and written at once, when all of them are known to be right. */
struct set_job {
    struct um_job job;
    struct um_range_ref ref;
    struct um_values values;
    struct um_arena arena;      /* the message's tree, which is the job's now */
    const struct um_json *next; /* of its numbers, to be read */
    char *text;                 /* the message (malloc) */
    const char *before;         /* where that was, if it was elsewhere: the tree points there */
    unsigned char *bytes;       /* the numbers read (malloc) */
    size_t done;                /* how many */
    const char *why;            /* the next one is wrong; NULL: none was so far */
};

static void set_release(struct um_job *job)
{
    struct set_job *set = (struct set_job *)job;

    um_arena_deinit(&set->arena);
    free(set->text);
    free(set->bytes);
}

/* Reads the next number, whose text has been moved. */
static bool set_read(struct set_job *set)
{
    struct um_json item = *set->next;

    if (item.kind == UM_JSON_NUMBER || item.kind == UM_JSON_STRING)
        item.text = set->text + (item.text - set->before);
    return um_value_from_json(&item, set->values.type,
                              set->bytes + set->done * um_value_size(set->values.type), &set->why);
}

static int set_write(struct set_job *set, struct um_fault *fault)
{
    struct um_call *call = set->job.call;
    struct um_block *block = NULL;
    int code = um_range_ref_find(call, &set->ref, &block, fault);

    if (code != UMEM_OK)
        return code;
    memcpy(um_block_bytes(block) + set->ref.offset, set->bytes, (size_t)set->ref.size);
    um_call_wrote(call, block, set->ref.offset, set->ref.size);
    return UMEM_OK;
}

static int set_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct set_job *set = (struct set_job *)job;
    uint64_t cost = 0;

    *more = false;
    for (; set->next != NULL && cost < UM_JOB_SLICE_SIZE; set->next = set->next->next, set->done++) {
        if (!set_read(set))
            return UMEM_OK;
        cost += um_value_reading_cost(set->next, set->values.type);
    }
    *more = set->next != NULL;
    return *more ? UMEM_OK : set_write(set, fault);
}

static void set_answer(struct um_job *job, struct um_call *call)
{
    const struct set_job *set = (const struct set_job *)job;

    if (set->why == NULL) {
        um_reply_uint(call, "size", set->ref.size);
        return;
    }
    um_args_fail_value(call, "values", &set->values, set->done, set->why);
}

static const struct um_job_kind set_kind = {.step = set_step, .answer = set_answer, .release = set_release};

/* Whether so much more memory may be kept for messages that are not done. */
static bool may_keep(struct um_call *call, uint64_t size)
{
    const struct um_rpc *rpc = call->session->rpc;
    struct um_fault fault = {
        .limit = "gathered_bytes",
        .maximum = rpc->limits->gathered_bytes,
        .used = um_engine_traffic(rpc)->gathered_bytes,
        .asked = size,
        .what = "too much is kept for other clients' messages; write fewer numbers at a time, or try again",
    };

    if (fault.used <= fault.maximum && size <= fault.maximum - fault.used)
        return true;
    um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
    return false;
}

static void set_in_slices(struct um_call *call, const struct um_values *values, const struct um_range *range)
{
    struct um_rpc *rpc = call->session->rpc;
    struct set_job set = {
        .job = um_job_for(call, &set_kind, UINT64_MAX, range->block, NULL),
        .ref = um_range_ref_of(call, range),
        .values = *values,
        .next = values->items,
        .before = rpc->text,
    };

    set.job.held_bytes = um_arena_size(&rpc->arena) + rpc->text_size + range->size;
    if (!may_keep(call, set.job.held_bytes))
        return;
    set.text = rpc->own_text != NULL ? rpc->own_text : malloc(rpc->text_size);
    set.bytes = malloc((size_t)range->size + 1);
    if (set.text == NULL || set.bytes == NULL) {
        if (set.text != rpc->own_text)
            free(set.text);
        free(set.bytes);
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for %zu values; send fewer at a time",
                values->count);
        um_reply_end(call);
        return;
    }
    if (rpc->own_text == NULL)
        memcpy(set.text, rpc->text, rpc->text_size);
    rpc->own_text = NULL;
    set.arena = rpc->arena;
    rpc->arena = (struct um_arena){.chunk = NULL};
    um_job_run(call, &set.job, sizeof set);
}

static void set(struct um_call *call, const struct um_args *args)
{
    const struct um_values *values = &args->value[SET_VALUES].as.values;
    struct um_range range = {args->value[SET_BLOCK].as.block, args->value[SET_OFFSET].as.uint,
                             values->count * um_value_size(values->type)};

    if (!um_range_check(call, range.block, range.offset, range.size) || !um_call_fits(call, 0, values->cost))
        return;
    if (values->bytes == NULL && values->count != 0) {
        set_in_slices(call, values, &range);
        return;
    }
    if (range.size != 0)
        memcpy(um_block_bytes(range.block) + range.offset, values->bytes, (size_t)range.size);
    um_call_wrote(call, range.block, range.offset, range.size);
    um_reply_uint(call, "size", range.size);
    um_reply_end(call);
}

static const struct um_member set_result[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "How many bytes were written."},
    {.name = NULL},
};

const struct um_method um_method_block_set = {
    .name = "block.set",
    .summary = "Writes numbers to a block, little-endian.",
    UM_PARAMS(set_params),
    .result = set_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_LIMIT_EXCEEDED},
    .run = set,
};
