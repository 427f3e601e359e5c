/* block.get, block.set, block.add, block.exchange, block.wait: numbers in blocks. */
#include <stdlib.h>
#include <string.h>

#include "rpc/engine/job.h"
#include "rpc/events/observe.h"
#include "rpc/events/pending.h"
#include "rpc/methods/methods.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

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
    struct um_range range;
    enum um_value_type type;
    uint64_t count;
    uint64_t done;         /* numbers printed, into `text` */
    uint64_t reserved;     /* um_session_reserve_answer() */
    unsigned char *copied; /* malloc; NULL: they are few, and printed straight into the answer */
    struct um_buf text;    /* the JSON array, behind what comes before it in the answer */
    size_t front;          /* bytes of that */
};

static void get_release(struct um_job *job)
{
    struct get_job *get = (struct get_job *)job;

    um_session_release_answer(job->call->session, get->reserved);
    free(get->copied);
    um_buf_deinit(&get->text);
}

static bool get_copy(struct um_call *call, struct get_job *get)
{
    uint64_t text_size = get->count * NUMBER_TEXT_SIZE;

    get->copied = malloc((size_t)get->range.size);
    if (get->copied == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR,
                "the daemon has no memory for a copy of the numbers; ask for less");
        um_reply_end(call);
        return false;
    }
    um_call_take(call, get->range.block, get->range.offset, get->copied, get->range.size);
    um_buf_init(&get->text, (size_t)text_size + UM_REPLY_FRONT_SIZE);
    get->front = um_reply_begin_text(call, "values", &get->text);
    get->reserved = text_size + get->range.size;
    um_session_reserve_answer(call->session, get->reserved);
    return true;
}

static bool get_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct get_job *get = (struct get_job *)job;
    struct um_block *block = args->value[GET_BLOCK].as.block;
    uint64_t offset = args->value[GET_OFFSET].as.uint;
    uint64_t cost;

    get->type = (enum um_value_type)args->value[GET_TYPE].as.word;
    get->count = args->value[GET_COUNT].as.uint;
    cost = get->count * um_value_cost(get->type);
    get->range = um_range_of(call, block, offset, get->count * um_value_size(get->type));
    job->is_long = cost > UM_CALL_ATOMIC_SIZE;
    if (!um_range_check(call, block, offset, get->range.size) ||
        !um_call_fits(call, get->count * NUMBER_TEXT_SIZE, cost))
        return false;
    return !job->is_long || call->batch != NULL || get_copy(call, get);
}

static int get_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct get_job *get = (struct get_job *)job;
    uint64_t cost = um_value_cost(get->type);
    uint64_t end = get->done + um_job_slice(job, (get->count - get->done) * cost) / cost;

    if (get->copied == NULL) {
        *more = false;
        return UMEM_OK;
    }
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
    struct get_job *get = (struct get_job *)job;
    const unsigned char *bytes;
    struct um_buf *out;

    if (get->copied != NULL) {
        um_reply_end_text(call, "values", &get->text, get->front);
        return;
    }
    out = um_reply_key(call, "values");
    bytes = um_call_bytes(call, get->range.block, get->range.offset, get->range.size);
    um_json_begin_array(out);
    for (uint64_t i = 0; i < get->count; i++)
        um_value_to_json(out, get->type, bytes + i * um_value_size(get->type));
    um_json_end_array(out);
}

static const struct um_job_ops get_ops = {.size = sizeof(struct get_job),
                                          .begin = get_begin,
                                          .step = get_step,
                                          .answer = get_answer,
                                          .release = get_release};

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
    .job = &get_ops,
};

enum { SET_BLOCK, SET_OFFSET, SET_VALUES, SET_TYPE };

static const struct um_param set_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "offset",
     .type = UM_OFFSET,
     .required = true,
     .unit = "bytes",
     .doc = "The place of the first number."},
    {.name = "values", .type = UM_VALUES, .by = SET_TYPE + 1, .required = true, .doc = "The numbers."},
    {.name = "type", .type = UM_CHOICE, .words = um_value_words, .fallback = UM_U8, .doc = "Their type."},
};

/* Many numbers are read in slices and written at once, when all of them are known to be right. */
struct set_job {
    struct um_job job;
    struct um_range range;
    struct um_values values;
    struct um_arena arena; /* the message's tree, which is the job's now */
    const struct um_json
        *next;          /* of its numbers, to be read; NULL: the values have been read with the parameters */
    char *text;         /* the message (malloc) */
    const char *before; /* where that was, if it was elsewhere: the tree points there */
    unsigned char *bytes; /* the numbers read (malloc) */
    size_t done;          /* how many */
    const char *why;      /* the next one is wrong; NULL: none was so far */
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
    const unsigned char *bytes = set->bytes != NULL ? set->bytes : set->values.bytes;
    int code = um_range_find(call, &set->range, fault);

    if (code != UMEM_OK)
        return code;
    um_call_put(call, set->range.block, set->range.offset, bytes, set->range.size);
    um_observe_wrote(call->session->rpc->observers, set->range.block, set->range.offset, set->range.size);
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
        um_reply_uint(call, "size", set->range.size);
        return;
    }
    um_args_fail_value(call, "values", &set->values, set->done, set->why);
}

/* Whether so much more memory may be kept for messages that are not done. */
static bool may_keep(struct um_call *call, uint64_t size)
{
    const struct um_rpc *rpc = call->session->rpc;
    struct um_fault fault = {
        .limit = "gathered_bytes",
        .maximum = rpc->limits->gathered_bytes,
        .used = rpc->traffic->gathered_bytes,
        .asked = size,
        .what = "too much is kept for other clients' messages; write fewer numbers at a time, or try again",
    };

    if (fault.used <= fault.maximum && size <= fault.maximum - fault.used)
        return true;
    um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
    return false;
}

/* Takes over the message, so that its numbers can be read in the turns to come. */
static bool set_take_message(struct um_call *call, struct set_job *set)
{
    struct um_rpc *rpc = call->session->rpc;

    set->next = set->values.items;
    set->before = rpc->text;
    set->job.held_bytes = um_arena_size(&rpc->arena) + rpc->text_size + set->range.size;
    if (!may_keep(call, set->job.held_bytes))
        return false;
    set->text = rpc->own_text != NULL ? rpc->own_text : malloc(rpc->text_size);
    set->bytes = malloc((size_t)set->range.size + 1);
    if (set->text == NULL || set->bytes == NULL) {
        if (set->text != rpc->own_text)
            free(set->text);
        free(set->bytes);
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for %zu values; send fewer at a time",
                set->values.count);
        um_reply_end(call);
        return false;
    }
    if (rpc->own_text == NULL)
        memcpy(set->text, rpc->text, rpc->text_size);
    rpc->own_text = NULL;
    set->arena = rpc->arena;
    rpc->arena = (struct um_arena){.chunk = NULL};
    return true;
}

static bool set_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct set_job *set = (struct set_job *)job;
    struct um_block *block = args->value[SET_BLOCK].as.block;
    uint64_t offset = args->value[SET_OFFSET].as.uint;

    set->values = args->value[SET_VALUES].as.values;
    set->range = um_range_of(call, block, offset, set->values.count * um_value_size(set->values.type));
    if (!um_range_check(call, block, offset, set->range.size) || !um_call_fits(call, 0, set->values.cost))
        return false;
    if (set->values.bytes != NULL || set->values.count == 0)
        return true;
    um_job_works_on(job, UINT64_MAX, block, NULL);
    return set_take_message(call, set);
}

static const struct um_job_ops set_ops = {.size = sizeof(struct set_job),
                                          .begin = set_begin,
                                          .step = set_step,
                                          .answer = set_answer,
                                          .release = set_release};

static const struct um_member set_result[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "How many bytes were written."},
    {.name = NULL},
};

const struct um_method um_method_block_set = {
    .name = "block.set",
    .summary = "Writes numbers to a block, little-endian.",
    UM_PARAMS(set_params),
    .result = set_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_LIMIT_EXCEEDED, UMEM_E_CORRUPTED},
    .job = &set_ops,
};

/* ---- numbers that several sessions share ---- */

#define NUMBER_PARAMS(value_doc, type_param) \
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."}, \
        {.name = "offset", \
         .type = UM_OFFSET, \
         .required = true, \
         .unit = "bytes", \
         .doc = "Where the number is; it need not be aligned."}, \
    { \
        .name = "value", .type = UM_VALUE, .by = (type_param) + 1, .required = true, .doc = (value_doc) \
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
    return um_call_bytes(call, block, offset, um_value_size(type));
}

/* ---- block.add ---- */

enum { ADD_BLOCK, ADD_OFFSET, ADD_VALUE, ADD_TYPE };

static const struct um_param add_params[] = {
    NUMBER_PARAMS("What to add; it may be negative where the type is signed.", ADD_TYPE),
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
    um_observe_wrote(call->session->rpc->observers, block, offset, size);
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
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_LIMIT_EXCEEDED, UMEM_E_CORRUPTED},
    .run = add,
};

/* ---- block.exchange ---- */

enum { EXCHANGE_BLOCK, EXCHANGE_OFFSET, EXCHANGE_VALUE, EXCHANGE_EXPECTED, EXCHANGE_TYPE };

static const struct um_param exchange_params[] = {
    NUMBER_PARAMS("What to write.", EXCHANGE_TYPE),
    {.name = "expected",
     .type = UM_VALUE,
     .by = EXCHANGE_TYPE + 1,
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
        um_observe_wrote(call->session->rpc->observers, block, offset, size);
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
    .summary = "Writes a number to a block and returns what was there (InterlockedExchange).",
    UM_PARAMS(exchange_params),
    .result = exchange_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_LIMIT_EXCEEDED, UMEM_E_CORRUPTED},
    .run = exchange,
};

/* ---- block.wait ---- */

struct wait {
    struct um_pending pending;
    struct um_observer observer;
    struct um_range range;                    /* the number */
    struct um_value value;                    /* what it is to be no longer */
    unsigned char now[UM_VALUE_SIZE_MAXIMUM]; /* what it was found to be */
};

static void on_event(struct um_observer *observer, const struct um_event *event)
{
    const struct wait *wait = UM_LIST_ITEM(observer, struct wait, observer);

    /* A change of size reaches to the block's end, so that one which cuts the number off is not missed. */
    if (event->kind != UM_EVENT_CHANGED || event->offset + event->size > wait->range.offset)
        um_observer_schedule(observer);
}

/* Looks again. While another session holds the heap, no other may see what it does there. */
static void recheck(struct um_observer *observer)
{
    struct wait *wait = UM_LIST_ITEM(observer, struct wait, observer);
    struct um_fault fault = {0};
    int code = um_range_find(wait->pending.call, &wait->range, &fault);

    if (code == UMEM_E_LOCKED) {
        um_observer_stall(observer);
        return;
    }
    if (code == UMEM_OK) {
        memcpy(wait->now,
               um_call_bytes(wait->pending.call, wait->range.block, wait->range.offset, wait->range.size),
               (size_t)wait->range.size);
        if (memcmp(wait->now, wait->value.bytes, (size_t)wait->range.size) == 0)
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
    NUMBER_PARAMS("What is there now, as far as the client knows; compared bit by bit.", WAIT_TYPE),
    TYPE_PARAM,
    {.name = "timeout_ms",
     .type = UM_UINT,
     .fallback = UM_PENDING_FOREVER,
     .fallback_doc = "no limit",
     .unit = "milliseconds",
     .doc = "How long to wait; 0: not at all."},
};

static void begin_wait(struct um_call *call, const struct um_range *range, const struct um_value *value,
                       uint64_t timeout_ms)
{
    struct wait *wait = um_pending_new(call, range->handle, sizeof *wait, timeout_ms, &wait_pending_kind);
    static const struct um_fault no_memory = {.what = "the daemon has no memory for a call that waits"};

    if (wait == NULL)
        return;
    wait->observer.kind = &wait_kind;
    wait->range = *range;
    wait->value = *value;
    if (um_observe_begin(wait->pending.call->session->rpc->observers, range->block, NULL, &wait->observer) !=
        UMEM_OK)
        um_pending_resolve(&wait->pending, UMEM_E_INTERNAL_ERROR, &no_memory);
}

static void wait(struct um_call *call, const struct um_args *args)
{
    const struct um_value *value = &args->value[WAIT_VALUE].as.value;
    struct um_range range = um_range_of(call, args->value[WAIT_BLOCK].as.block,
                                        args->value[WAIT_OFFSET].as.uint, um_value_size(value->type));
    const unsigned char *number = find_number(call, range.block, range.offset, value->type);

    if (number == NULL)
        return;
    if (memcmp(number, value->bytes, (size_t)range.size) != 0) {
        reply_value(call, "value", value->type, number);
        um_reply_end(call);
    } else if (args->value[WAIT_TIMEOUT].as.uint == 0) {
        um_fail(call, UMEM_E_TIMEOUT, "%s", wait_pending_kind.what);
        um_reply_end(call);
    } else {
        begin_wait(call, &range, value, args->value[WAIT_TIMEOUT].as.uint);
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
        "The session's other requests are served meanwhile. While another session holds the heap's lock, the "
        "number is not compared.",
    UM_PARAMS(wait_params),
    .result = wait_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_LIMIT_EXCEEDED, UMEM_E_UNSUPPORTED, UMEM_E_TIMEOUT,
               UMEM_E_CANCELLED},
    .run = wait,
};
