/* What is the same for every method: handles, ranges, limits, and messages as a whole. */
#include "predict.h"

#include <stdlib.h>
#include <string.h>

#include "umem_errors.h"
#include "wire/json_write.h"

enum { ANSWER_CAPACITY = 1024 /* bytes that must be left for the next answer of a batch */ };

/* ---- handles ---- */

static int fail_handle(struct call *call, const char *name, int code)
{
    const struct argument *it = argument_of(call->request, name);

    refuse(call, code);
    fact_text(call, "param", name);
    if (it->by_name)
        fact_text(call, "handle", it->name);
    else
        fact_uint(call, "handle", it->uint);
    fail_end(call);
    return NONE;
}

int resolve_block(struct call *call, const char *name)
{
    const struct argument *it = argument_of(call->request, name);
    int block = it->by_name ? model_block_named(&call->run->model, it->name)
                            : model_find_block(&call->run->model, it->uint);

    if (block == NONE)
        return fail_handle(call, name,
                           !it->by_name && is_stale(true, it->uint) ? UMEM_E_STALE_HANDLE
                                                                    : UMEM_E_UNKNOWN_HANDLE);
    if (!call->method->ignores_lock &&
        model_is_locked(&call->run->model, call->run->model.blocks[block].heap, call->session)) {
        fail_heap(call, UMEM_E_LOCKED, call->run->model.heaps[call->run->model.blocks[block].heap].handle);
        return NONE;
    }
    return block;
}

int resolve_heap(struct call *call, const char *name)
{
    const struct argument *it = argument_of(call->request, name);
    int heap = 0;

    if (it->given)
        heap = it->by_name ? model_heap_named(&call->run->model, it->name)
                           : model_find_heap(&call->run->model, it->uint);
    if (heap == NONE)
        return fail_handle(call, name,
                           !it->by_name && is_stale(false, it->uint) ? UMEM_E_STALE_HANDLE
                                                                     : UMEM_E_UNKNOWN_HANDLE);
    if (!call->method->ignores_lock && model_is_locked(&call->run->model, heap, call->session)) {
        fail_heap(call, UMEM_E_LOCKED, call->run->model.heaps[heap].handle);
        return NONE;
    }
    return heap;
}

unsigned slot_of(uint64_t handle)
{
    return (unsigned)(handle >> 2) & ((1U << 26) - 1);
}

/* ---- ranges ---- */

bool check_range(struct call *call, int block, uint64_t offset, uint64_t size)
{
    const struct model_block *it = &call->run->model.blocks[block];

    if (offset <= it->size && size <= it->size - offset)
        return true;
    refuse(call, UMEM_E_OUT_OF_RANGE);
    fact_uint(call, "block", it->handle);
    fact_uint(call, "offset", offset);
    fact_uint(call, "size", size);
    fact_uint(call, "block_size", it->size);
    fail_end(call);
    return false;
}

struct range make_range(const struct run *run, int block, uint64_t offset, uint64_t size)
{
    return (struct range){run->model.blocks[block].handle, offset, size};
}

/* `size` NULL: always to the end. */
bool range_of(struct call *call, int block, const char *offset, const char *size, struct range *range)
{
    uint64_t block_size = call->run->model.blocks[block].size;
    uint64_t at = uint_or(call->request, offset, 0);
    uint64_t rest = at < block_size ? block_size - at : 0;

    *range = make_range(call->run, block, at, size != NULL ? uint_or(call->request, size, rest) : rest);
    return check_range(call, block, range->offset, range->size);
}

/* ---- limits ---- */

bool has_space(const struct call *call, uint64_t size)
{
    uint64_t limit = call->run->limits.message_bytes;
    uint64_t used = answer_used(call);

    return used <= limit && size <= limit - used;
}

bool has_place(const struct call *call, uint64_t size)
{
    uint64_t limit = call->run->limits.unsent_total_bytes;
    uint64_t used = call->run->traffic.unsent_bytes;

    return has_space(call, size) && used <= limit && sent_with(call, size) <= limit - used;
}

void fail_limit_of(struct call *call, const char *limit, uint64_t maximum, uint64_t used)
{
    uint64_t facts[3] = {maximum, used, 1};

    fail_limit(call, UMEM_E_LIMIT_EXCEEDED, limit, facts, 0);
    fail_end(call);
}

bool may_observe(struct call *call, uint64_t handle)
{
    uint64_t used = count_observers(call->run, handle);

    if (used < call->run->limits.observers)
        return true;
    fail_limit_of(call, "observers", call->run->limits.observers, used);
    return false;
}

bool may_wait(struct call *call, uint64_t handle)
{
    uint64_t all = 0;
    uint64_t used = count_waiters(call->run, call->session);

    for (int i = 0; i < SESSIONS; i++)
        all += count_waiters(call->run, i);
    if (call->batch_left != NULL)
        fail_plain(call, UMEM_E_UNSUPPORTED);
    else if (call->id.kind == ID_NONE)
        fail_plain(call, UMEM_E_TIMEOUT);
    else if (used >= call->run->limits.waits)
        fail_limit_of(call, "waits", call->run->limits.waits, used);
    else if (all >= call->run->limits.waits_total)
        fail_limit_of(call, "waits_total", call->run->limits.waits_total, all);
    else
        return may_observe(call, handle);
    return false;
}

bool has_text(const struct request *request, const char *name, const char *text)
{
    const struct argument *it = argument_of(request, name);

    return it->given && strcmp(it->name, text) == 0;
}

unsigned if_exists_of(const struct request *request)
{
    if (has_text(request, "if_exists", "replace"))
        return EXISTS_REPLACES;
    return has_text(request, "if_exists", "open") ? EXISTS_OPENS : EXISTS_FAILS;
}

bool check_if_exists(struct call *call)
{
    if (if_exists_of(call->request) == EXISTS_FAILS || is_given(call->request, "name"))
        return true;
    refuse(call, UMEM_E_INVALID_PARAMS);
    fact_text(call, "param", "name");
    fail_end(call);
    return false;
}

int session_with(const struct run *run, uint64_t id)
{
    for (int i = 0; i < SESSIONS; i++) {
        if (run->sessions[i].open && run->sessions[i].id == id)
            return i;
    }
    return NONE;
}

/* ---- requests ---- */

void predict_request(struct call *call)
{
    const struct request *request = call->request;

    call->run->requests++;
    if (call->batch_left != NULL && !has_space(call, ANSWER_CAPACITY)) {
        call->method = NULL;
        fail_plain(call, UMEM_E_TOO_LARGE);
    } else if (call->method == NULL) {
        fail_plain(call, UMEM_E_METHOD_NOT_FOUND);
    } else if (request->payload_size != 0 && !call->method->takes_payload) {
        fail_plain(call, UMEM_E_INVALID_PARAMS);
    } else if (request->spoiled) {
        refuse(call, UMEM_E_INVALID_PARAMS);
        if (request->culprit != NULL)
            fact_text(call, "param", request->culprit);
        fail_end(call);
    } else {
        entry_at(call->entry)->predict(call);
    }
}

/* An answer to the message as a whole. */
static void begin_refusal(struct run *run, int session, struct call *call)
{
    static const struct request nothing = {.id = {.kind = ID_NULL}};

    run->requests++;
    call_init(call, run, session, &nothing);
}

static void refuse_limit(struct run *run, int session, const char *limit, uint64_t maximum, uint64_t asked)
{
    uint64_t facts[3] = {maximum, 0, asked};
    struct call call;

    begin_refusal(run, session, &call);
    fail_limit(&call, UMEM_E_LIMIT_EXCEEDED, limit, facts, 0);
    fail_end(&call);
}

static bool is_raw_write(const struct request *request)
{
    return request->method != NULL && request->method->takes_payload && has_text(request, "encoding", "raw");
}

/* Whether the batch may begin; else it has been refused. */
static bool check_batch(struct run *run, int session, const struct message *message)
{
    uint64_t total = 0;
    bool have_sizes = true;
    struct call call;

    for (unsigned i = 0; i < message->count; i++) {
        const struct request *request = &message->requests[i];

        if (is_raw_write(request)) {
            have_sizes = have_sizes && is_given(request, "size");
            total += uint_or(request, "size", 0);
        }
    }
    if (message->count > run->limits.batch_requests) {
        refuse_limit(run, session, "batch_requests", run->limits.batch_requests, message->count);
        return false;
    }
    if (message->payload_size > run->limits.batch_bytes) {
        refuse_limit(run, session, "batch_bytes", run->limits.batch_bytes, message->payload_size);
        return false;
    }
    if (message->count != 0 && (run->sessions[session].session.framing == UM_FRAMING_LINES ||
                                message->payload_size == 0 || (have_sizes && total == message->payload_size)))
        return true;
    begin_refusal(run, session, &call);
    fail_plain(&call, UMEM_E_INVALID_REQUEST);
    return false;
}

void finish_batch(struct run *run, int session, const struct message *message)
{
    uint64_t left = run->limits.batch_bytes;
    struct um_buf *out = &run->sessions[session].direct;
    struct call call;

    if (run->traffic.unsent_bytes >= run->limits.unsent_total_bytes) {
        begin_refusal(run, session, &call);
        refuse(&call, UMEM_E_LIMIT_EXCEEDED);
        fact_limit(&call, "unsent_total_bytes", run->limits.unsent_total_bytes);
        fact_uint(&call, "used", run->traffic.unsent_bytes);
        fact_top_consumer(&call, "unsent_total_bytes");
        fail_end(&call);
        return;
    }
    um_json_begin_array(out);
    for (unsigned i = 0; i < message->count; i++) {
        call_init(&call, run, session, &message->requests[i]);
        call.batch_left = &left;
        predict_request(&call);
    }
    if (out->size == 1)
        um_buf_truncate(out, 0);
    else
        um_json_end_array(out);
}

static void predict_batch(struct run *run, int session, const struct message *message)
{
    struct payload_receiver *payload_receiver = &run->sessions[session].payload_receiver;

    if (!check_batch(run, session, message))
        return;
    if (message->payload_size == 0) {
        finish_batch(run, session, message);
        return;
    }
    /* It runs when its bytes have come. */
    payload_receiver->is_on = true;
    payload_receiver->batch = calloc(1, sizeof *payload_receiver->batch);
    MUST(payload_receiver->batch != NULL);
    *payload_receiver->batch = *message;
}

/* What a message brings about. A payload without a receiver is discarded as it comes. */
void predict_message(struct run *run, int session, const struct message *message)
{
    struct payload_receiver *payload_receiver = &run->sessions[session].payload_receiver;
    struct call call;

    if (message->is_batch) {
        predict_batch(run, session, message);
    } else {
        call_init(&call, run, session, &message->requests[0]);
        predict_request(&call);
    }
    if (message->payload_size != 0) {
        payload_receiver->is_on = true;
        payload_receiver->size = message->payload_size;
        payload_receiver->done = 0;
        payload_receiver->bytes = message->payload;
    }
    run_marked_waiters(run);
}
