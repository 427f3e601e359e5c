/* What the methods of numbers in blocks must answer. */
#include <string.h>

#include "predict.h"
#include "store/store.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum { NUMBER_TEXT_SIZE = 26 /* characters that a number may take in an answer */ };

static enum um_value_type type_of(const struct call *call)
{
    return (enum um_value_type)argument_of(call->request, "type")->uint;
}

void predict_block_get(struct call *call)
{
    uint64_t offset = argument_of(call->request, "offset")->uint;
    uint64_t count = uint_or(call->request, "count", 1);
    uint64_t width = um_value_size(type_of(call));
    int block = resolve_block(call, "block");
    struct um_buf *out;

    if (block == NONE || !check_range(call, block, offset, count * width) ||
        !fits(call, count * NUMBER_TEXT_SIZE, count * um_value_cost(type_of(call))))
        return;
    out = result_key(call, "values");
    um_json_begin_array(out);
    for (uint64_t i = 0; i < count; i++)
        write_number(out, type_of(call), call->run->model.blocks[block].bytes + offset + i * width);
    um_json_end_array(out);
    result_end(call);
}

void predict_block_set(struct call *call)
{
    const struct argument *values = argument_of(call->request, "values");
    uint64_t offset = argument_of(call->request, "offset")->uint;
    uint64_t cost = values->size / um_value_size(type_of(call)) * um_value_cost(type_of(call));
    int block;

    /* A batch reads no more numbers than it may, be there a block for them or not. */
    if (call->batch_left != NULL && cost > *call->batch_left) {
        (void)fits(call, 0, cost);
        return;
    }
    block = resolve_block(call, "block");
    if (block == NONE || !check_range(call, block, offset, values->size) || !fits(call, 0, cost))
        return;
    memcpy(call->run->model.blocks[block].bytes + offset, values->bytes, values->size);
    notify_changed(call->run, block, offset, values->size);
    result_uint(call, "size", values->size);
    result_end(call);
}

/* Where a number is; NULL: the call has been answered. */
static unsigned char *find_number(struct call *call, int *block)
{
    uint64_t offset = argument_of(call->request, "offset")->uint;
    size_t width = um_value_size(type_of(call));

    *block = resolve_block(call, "block");
    if (*block == NONE || !check_range(call, *block, offset, width) ||
        !fits(call, 0, um_value_cost(type_of(call))))
        return NULL;
    return call->run->model.blocks[*block].bytes + offset;
}

/* A NaN's bits follow from the machine: they are taken from the engine, where it still has them. */
static void learn_nan(struct call *call, int block, unsigned char *number, size_t width)
{
    struct um_block *found = NULL;
    float narrow;
    double wide;
    const unsigned char *there;

    if (um_store_find_block(call->run->store, call->run->model.blocks[block].handle, &found, NULL) != UMEM_OK)
        return;
    there = um_block_bytes(found) + (number - call->run->model.blocks[block].bytes);
    if (width == sizeof narrow) {
        memcpy(&narrow, there, sizeof narrow);
        wide = (double)narrow;
    } else {
        memcpy(&wide, there, sizeof wide);
    }
    if (!(wide < 0 || wide >= 0))
        memcpy(number, there, width);
}

static void add_doubles(struct call *call, int block, unsigned char *number, const unsigned char *value)
{
    double left;
    double right;

    memcpy(&left, number, sizeof left);
    memcpy(&right, value, sizeof right);
    left += right;
    memcpy(number, &left, sizeof left);
    if (!(left < 0 || left >= 0))
        learn_nan(call, block, number, sizeof left);
}

static void add_floats(struct call *call, int block, unsigned char *number, const unsigned char *value)
{
    float left;
    float right;

    memcpy(&left, number, sizeof left);
    memcpy(&right, value, sizeof right);
    left = (float)((double)left + (double)right);
    memcpy(number, &left, sizeof left);
    if (!(left < 0 || left >= 0))
        learn_nan(call, block, number, sizeof left);
}

void predict_block_add(struct call *call)
{
    enum um_value_type type = type_of(call);
    size_t width = um_value_size(type);
    const unsigned char *value = argument_of(call->request, "value")->bytes;
    unsigned char old[UM_VALUE_SIZE_MAXIMUM];
    uint64_t left = 0;
    uint64_t right = 0;
    int block;
    unsigned char *number = find_number(call, &block);

    if (number == NULL)
        return;
    memcpy(old, number, width);
    memcpy(&left, number, width);
    memcpy(&right, value, width);
    left += right;
    if (type == UM_F64)
        add_doubles(call, block, number, value);
    else if (type == UM_F32)
        add_floats(call, block, number, value);
    else
        memcpy(number, &left, width);
    notify_changed(call->run, block, argument_of(call->request, "offset")->uint, width);
    write_number(result_key(call, "old"), type, old);
    write_number(result_key(call, "new"), type, number);
    result_end(call);
}

void predict_block_exchange(struct call *call)
{
    enum um_value_type type = type_of(call);
    size_t width = um_value_size(type);
    const struct argument *expected = argument_of(call->request, "expected");
    int block;
    unsigned char *number = find_number(call, &block);
    bool exchanges;

    if (number == NULL)
        return;
    exchanges = !expected->given || memcmp(number, expected->bytes, width) == 0;
    write_number(result_key(call, "old"), type, number);
    um_json_bool(result_key(call, "exchanged"), exchanges);
    result_end(call);
    if (!exchanges)
        return;
    memcpy(number, argument_of(call->request, "value")->bytes, width);
    notify_changed(call->run, block, argument_of(call->request, "offset")->uint, width);
}

void predict_block_wait(struct call *call)
{
    struct run *run = call->run;
    enum um_value_type type = type_of(call);
    size_t width = um_value_size(type);
    const unsigned char *value = argument_of(call->request, "value")->bytes;
    uint64_t timeout = uint_or(call->request, "timeout_ms", UINT64_MAX);
    int block;
    const unsigned char *number = find_number(call, &block);
    struct waiter *waiter;

    if (number == NULL)
        return;
    if (memcmp(number, value, width) != 0) {
        write_number(result_key(call, "value"), type, number);
        result_end(call);
    } else if (timeout == 0) {
        fail_plain(call, UMEM_E_TIMEOUT);
    } else if (may_wait(call, run->model.blocks[block].handle)) {
        waiter = new_waiter(run, WAITER_FOR_NUMBER, call->session);
        waiter->entry = call->entry;
        waiter->id = call->id;
        waiter->handle = run->model.blocks[block].handle;
        waiter->offset = argument_of(call->request, "offset")->uint;
        waiter->type = type;
        waiter->deadline = timeout == UINT64_MAX ? UINT64_MAX : run->now_ms + timeout;
        memcpy(waiter->value, value, width);
    }
}
