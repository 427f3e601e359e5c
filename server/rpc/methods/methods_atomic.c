/* block.add, block.exchange, block.wait: numbers that several sessions share. */
#include <string.h>

#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/range_ref.h"
#include "rpc/events/observe.h"
#include "rpc/events/pending.h"
#include "rpc/schema/methods.h"

#define NUMBER_PARAMS(value_doc) \
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."}, \
        {.name = "offset", \
         .type = UM_OFFSET, \
         .required = true, \
         .unit = "bytes", \
         .doc = "Where the number is; it need not be aligned."}, \
    { \
        .name = "value", .type = UM_VALUE, .required = true, .doc = (value_doc) \
    }

#define TYPE_PARAM \
    { \
        .name = "type", .type = UM_CHOICE, .words = um_value_words, .fallback = UM_U8, .doc = "Its type." \
    }

static void reply_value(struct um_call *call, const char *key, enum um_value_type type,
                        const unsigned char *bytes)
{
    um_value_to_json(um_reply_key(call, key), type, bytes);
}

/* The bytes of a number in a block. NULL where they pass its end, or the batch's bytes are used up: then the call has been
 * answered. */
static unsigned char *find_number(struct um_call *call, struct um_block *block, uint64_t offset,
                                  enum um_value_type type)
{
    if (!um_range_check(call, block, offset, um_value_size(type)) ||
        !um_call_fits(call, 0, um_value_cost(type)))
        return NULL;
    return um_block_bytes(block) + offset;
}

/* ---- block.add ---- */

enum { ADD_BLOCK, ADD_OFFSET, ADD_VALUE, ADD_TYPE };

static const struct um_param add_params[] = {
    NUMBER_PARAMS("What to add; it may be negative where the type is signed."),
    TYPE_PARAM,
};

static void add(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[ADD_BLOCK].as.block;
    uint64_t offset = args->value[ADD_OFFSET].as.uint;
    const struct um_value *value = &args->value[ADD_VALUE].as.value;
    size_t size = um_value_size(value->type);
    unsigned char *number = find_number(call, block, offset, value->type);
    unsigned char old[UM_VALUE_SIZE_MAXIMUM];

    if (number == NULL)
        return;
    memcpy(old, number, size);
    um_value_add(value->type, number, old, value->bytes);
    um_call_wrote(call, block, offset, size);
    reply_value(call, "old", value->type, old);
    reply_value(call, "new", value->type, number);
    um_reply_end(call);
}

static const struct um_member add_result[] = {
    {.name = "old", .type = UM_VALUE, .doc = "What was there before."},
    {.name = "new", .type = UM_VALUE, .doc = "What is there now."},
    {.name = NULL},
};

const struct um_method um_method_block_add = {
    .name = "block.add",
    .summary = "Adds to a number in a block (InterlockedExchangeAdd).",
    .detail = "Integers wrap around in two's complement.",
    UM_PARAMS(add_params),
    .result = add_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_LIMIT_EXCEEDED},
    .run = add,
};

/* ---- block.exchange ---- */

enum { EXCHANGE_BLOCK, EXCHANGE_OFFSET, EXCHANGE_VALUE, EXCHANGE_EXPECTED, EXCHANGE_TYPE };

static const struct um_param exchange_params[] = {
    NUMBER_PARAMS("What to write."),
    {.name = "expected",
     .type = UM_VALUE,
     .doc = "Write only where this is there, compared bit by bit (InterlockedCompareExchange)."},
    TYPE_PARAM,
};

static void exchange(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[EXCHANGE_BLOCK].as.block;
    uint64_t offset = args->value[EXCHANGE_OFFSET].as.uint;
    const struct um_value *value = &args->value[EXCHANGE_VALUE].as.value;
    const struct um_arg *expected = &args->value[EXCHANGE_EXPECTED];
    size_t size = um_value_size(value->type);
    unsigned char *number = find_number(call, block, offset, value->type);
    unsigned char old[UM_VALUE_SIZE_MAXIMUM];
    bool exchanges;

    if (number == NULL)
        return;
    memcpy(old, number, size);
    exchanges = !expected->given || memcmp(old, expected->as.value.bytes, size) == 0;
    if (exchanges) {
        memcpy(number, value->bytes, size);
        um_call_wrote(call, block, offset, size);
    }
    reply_value(call, "old", value->type, old);
    um_reply_bool(call, "exchanged", exchanges);
    um_reply_end(call);
}

static const struct um_member exchange_result[] = {
    {.name = "old", .type = UM_VALUE, .doc = "What was there before."},
    {.name = "exchanged", .type = UM_BOOLEAN, .doc = "Whether `value` was written."},
    {.name = NULL},
};

const struct um_method um_method_block_exchange = {
    .name = "block.exchange",
    .summary = "Writes a number to a block and tells what was there (InterlockedExchange).",
    UM_PARAMS(exchange_params),
    .result = exchange_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_LIMIT_EXCEEDED},
    .run = exchange,
};

/* ---- block.wait ---- */

struct wait {
    struct um_pending pending;
    struct um_observer observer;
    struct um_range_ref ref;                  /* the number */
    struct um_value value;                    /* what it is to be no longer */
    unsigned char now[UM_VALUE_SIZE_MAXIMUM]; /* what it was found to be */
};

static void on_event(struct um_observer *observer, const struct um_event *event)
{
    const struct wait *wait = UM_LIST_ITEM(observer, struct wait, observer);

    /* A change of size reaches to the block's end, so that one which cuts the number off is not missed. */
    if (event->kind != UM_EVENT_CHANGED || event->offset + event->size > wait->ref.offset)
        um_observer_schedule(observer);
}

/* Looks again. While another session holds the heap, nobody may see what it does there. */
static void recheck(struct um_observer *observer)
{
    struct wait *wait = UM_LIST_ITEM(observer, struct wait, observer);
    struct um_fault fault = {0};
    struct um_block *block = NULL;
    int code = um_range_ref_find(wait->pending.call, &wait->ref, &block, &fault);

    if (code == UMEM_E_LOCKED) {
        um_observer_stall(observer);
        return;
    }
    if (code == UMEM_OK) {
        memcpy(wait->now, um_block_bytes(block) + wait->ref.offset, (size_t)wait->ref.size);
        if (memcmp(wait->now, wait->value.bytes, (size_t)wait->ref.size) == 0)
            return;
    }
    um_pending_resolve(&wait->pending, code, &fault);
}

static const struct um_observer_kind wait_kind = {
    .role = UM_OBSERVER_WAIT, .on_event = on_event, .recheck = recheck};

static void release(struct um_pending *pending)
{
    um_observe_end(&((struct wait *)pending)->observer);
}

static void answer_wait(struct um_pending *pending, struct um_call *call)
{
    const struct wait *wait = (const struct wait *)pending;

    reply_value(call, "value", wait->value.type, wait->now);
}

static const struct um_pending_kind wait_pending_kind = {
    .what = "the number was still the same when timeout_ms was over",
    .release = release,
    .answer = answer_wait,
};

enum { WAIT_BLOCK, WAIT_OFFSET, WAIT_VALUE, WAIT_TYPE, WAIT_TIMEOUT };

static const struct um_param wait_params[] = {
    NUMBER_PARAMS("What is there now, as far as the client knows; compared bit by bit."),
    TYPE_PARAM,
    {.name = "timeout_ms",
     .type = UM_UINT,
     .fallback = UM_PENDING_FOREVER,
     .fallback_doc = "for ever",
     .unit = "milliseconds",
     .doc = "How long to wait; 0: not at all."},
};

static void begin_wait(struct um_call *call, struct um_block *block, const struct um_range_ref *ref,
                       const struct um_value *value, uint64_t timeout_ms)
{
    struct wait *wait = um_pending_new(call, ref->block, sizeof *wait, timeout_ms, &wait_pending_kind);
    static const struct um_fault no_memory = {.what = "the daemon has no memory for a call that waits"};

    if (wait == NULL)
        return;
    wait->observer.kind = &wait_kind;
    wait->ref = *ref;
    wait->value = *value;
    if (um_observe_begin(wait->pending.call->session->rpc, block, NULL, &wait->observer) != UMEM_OK)
        um_pending_resolve(&wait->pending, UMEM_E_INTERNAL_ERROR, &no_memory);
}

static void wait(struct um_call *call, const struct um_args *args)
{
    struct um_block *block = args->value[WAIT_BLOCK].as.block;
    const struct um_value *value = &args->value[WAIT_VALUE].as.value;
    struct um_range range = {block, args->value[WAIT_OFFSET].as.uint, um_value_size(value->type)};
    struct um_range_ref ref = um_range_ref_of(call, &range);
    const unsigned char *number = find_number(call, block, range.offset, value->type);

    if (number == NULL)
        return;
    if (memcmp(number, value->bytes, (size_t)range.size) != 0) {
        reply_value(call, "value", value->type, number);
        um_reply_end(call);
    } else if (args->value[WAIT_TIMEOUT].as.uint == 0) {
        um_fail(call, UMEM_E_TIMEOUT, "%s", wait_pending_kind.what);
        um_reply_end(call);
    } else {
        begin_wait(call, block, &ref, value, args->value[WAIT_TIMEOUT].as.uint);
    }
}

static const struct um_member wait_result[] = {
    {.name = "value", .type = UM_VALUE, .doc = "What is there now."},
    {.name = NULL},
};

const struct um_method um_method_block_wait = {
    .name = "block.wait",
    .summary = "Waits until a number in a block is no longer what it was (WaitOnAddress).",
    .detail =
        "The session's other requests are served meanwhile; the answer comes when it comes. While another "
        "session holds the heap's lock, the number is not looked at.",
    UM_PARAMS(wait_params),
    .result = wait_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_LIMIT_EXCEEDED, UMEM_E_UNSUPPORTED, UMEM_E_TIMEOUT,
               UMEM_E_CANCELLED},
    .run = wait,
};
