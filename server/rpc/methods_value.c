/* block.get and block.set: numbers in blocks. */
#include <string.h>

#include "args.h"
#include "call.h"
#include "json_out.h"
#include "methods.h"

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
    {.name = "count", .type = UM_UINT, .fallback = 1, .maximum = 1000000, .doc = "How many to read."},
};

static void get(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[GET_BLOCK].as.block;
    uint64_t offset = args->value[GET_OFFSET].as.uint;
    enum um_value_type type = (enum um_value_type)args->value[GET_TYPE].as.word;
    uint64_t count = args->value[GET_COUNT].as.uint;
    size_t width = um_value_size(type);
    struct um_buf *out;

    if (!um_range_check(call, block, offset, count * width) ||
        !um_call_fits(call, count * NUMBER_TEXT_SIZE, count * width))
        return;
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

static void set(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[SET_BLOCK].as.block;
    uint64_t offset = args->value[SET_OFFSET].as.uint;
    const struct um_values *values = &args->value[SET_VALUES].as.values;
    size_t size = values->count * um_value_size(values->type);

    if (!um_range_check(call, block, offset, size) || !um_call_fits(call, 0, size))
        return;
    if (size != 0)
        memcpy(um_block_bytes(block) + offset, values->bytes, size);
    um_call_wrote(call, block, offset, size);
    um_reply_uint(call, "size", size);
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
