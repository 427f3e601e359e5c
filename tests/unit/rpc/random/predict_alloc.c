/* What block.alloc must answer, at once or when memory for a large block of a shared heap was allocated. */
#include <stdlib.h>
#include <string.h>

#include "predict.h"
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"
#include "wire/json_write.h"

/* The limits, where `reserved` bytes of those that are set aside are the call's own; on failure it has been answered. */
static bool check_limits(struct call *call, int heap, uint64_t size, unsigned flags, uint64_t reserved)
{
    const struct run *run = call->run;
    const struct model_heap *it = &run->model.heaps[heap];
    uint64_t blocks[3] = {run->limits.blocks, model_count_blocks(&run->model, NONE, 0), 1};
    uint64_t here[3] = {it->maximum_size, model_sum_bytes(&run->model, heap, 0) + it->reserved - reserved,
                        size};
    uint64_t own[3] = {run->limits.session_bytes, session_bytes(run, call->session), size};
    uint64_t all[3] = {
        run->limits.bytes,
        model_sum_bytes(&run->model, NONE, 0) + run->model.reserved + run->model.pinned - reserved, size};

    if (blocks[1] >= blocks[0])
        fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "blocks", blocks, it->handle);
    else if (here[0] != 0 && size > here[0] - here[1])
        fail_limit(call, UMEM_E_NO_MEMORY, "maximum_size", here, it->handle);
    else if (own[0] < all[0] && (own[1] > own[0] || size > own[0] - own[1]))
        fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "session_bytes", own, it->handle);
    else if (size > all[0] - all[1])
        fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "bytes", all, it->handle);
    else
        return true;
    fact_status(call, flags | it->flags);
    fail_end(call);
    return false;
}

/* The block that has the name, or NONE. */
static int find_bearer(const struct call *call, int name)
{
    return name != NONE ? model_block_named(&call->run->model, model_name_text(name)) : NONE;
}

/* Answers with the block that has the name, if the request is to open one and there is one. Returns whether the call has been
 * answered. */
static bool open_bearer(struct call *call, const struct job *job)
{
    const struct model *model = &call->run->model;
    int bearer = job->if_exists == EXISTS_OPENS ? find_bearer(call, job->name) : NONE;
    const struct model_block *it = &model->blocks[bearer == NONE ? 0 : bearer];
    const char *param = NULL;

    if (bearer == NONE)
        return false;
    if (!may_replace(call, bearer))
        return true;
    if (it->size < job->first.size)
        param = "size";
    else if (job->has_heap && model->heaps[it->heap].handle != job->heaps[0])
        param = "heap";
    else if (job->has_lifetime && it->for_session != job->for_session)
        param = "lifetime";
    if (param != NULL) {
        refuse(call, UMEM_E_NAME_TAKEN);
        fact_uint(call, "block", it->handle);
        fact_text(call, "param", param);
        fail_end(call);
        return true;
    }
    result_uint(call, "block", it->handle);
    result_uint(call, "size", it->size);
    um_json_uint64(result_key(call, "address"), it->address);
    um_json_bool(result_key(call, "created"), false);
    result_end(call);
    return true;
}

/* Whether no other block has the name, or it may be taken from that one; on failure the call has been answered. */
static bool check_name(struct call *call, const struct job *job)
{
    int bearer = find_bearer(call, job->name);

    if (bearer == NONE)
        return true;
    if (job->if_exists == EXISTS_REPLACES)
        return may_replace(call, bearer);
    if (open_bearer(call, job))
        return false;
    fail_block(call, UMEM_E_NAME_TAKEN, call->run->model.blocks[bearer].handle);
    return false;
}

/* The block that the model does not know yet: how a notification's is found. */
static uint64_t new_handle(const struct run *run)
{
    struct um_block_filter everything = {0};
    size_t budget = 100000;
    um_handle next = 0;
    um_handle after = 0;
    struct um_block *block = um_store_next_block(run->store, &everything, after, &budget, &next);

    while (block != NULL && model_find_block(&run->model, um_block_handle(run->store, block)) != NONE) {
        after = um_block_handle(run->store, block);
        block = um_store_next_block(run->store, &everything, after, &budget, &next);
    }
    return block != NULL ? um_block_handle(run->store, block) : 0;
}

static struct model_block *add_block(struct call *call, int heap, const struct job *job)
{
    struct run *run = call->run;
    const struct model_block made = {
        .for_session = job->for_session,
        .heap = heap,
        .name = job->name,
        .size = job->first.size,
        .created = run->now_s,
        .maker = {run->sessions[call->session].id, call->session},
    };
    int place = model_free_place(&run->model);

    MUST(place != NONE);
    model_add_block(&run->model, place, &made);
    if (job->needle_size != 0)
        memcpy(run->model.blocks[place].bytes, job->needle, job->needle_size);
    return &run->model.blocks[place];
}

/* Whether the engine has found no free range in a shared heap. It may only be so where the model knows none, or where memory that is
 * no block's takes up memory. */
static bool lacks_gap(struct call *call, int heap, uint64_t gap)
{
    const struct run *run = call->run;
    bool failed = call->id.kind != ID_NONE ? engine_failed(call, UMEM_E_NO_MEMORY) : new_handle(run) == 0;

    MUST(failed || gap != UINT64_MAX);
    MUST(!is_quiet(call, heap) || failed == (gap == UINT64_MAX));
    return failed;
}

static void no_gap(struct call *call, int heap, unsigned flags)
{
    refuse(call, UMEM_E_NO_MEMORY);
    fact_uint(call, "heap", call->run->model.heaps[heap].handle);
    fact_status(call, flags | call->run->model.heaps[heap].flags);
    fail_end(call);
}

/* The answer with the block. What comes late is not learned from it but from the store. */
static const struct model_block *made(struct call *call, int heap, const struct job *job, bool is_late)
{
    struct run *run = call->run;
    int bearer = find_bearer(call, job->name);
    struct model_block *block = add_block(call, heap, job);
    bool is_answered = call->id.kind != ID_NONE && !is_late;

    (void)result_key(call, "block");
    block->handle = 0;
    block->handle = is_answered ? learn_uint(call) : new_handle(run);
    MUST((block->handle & 3) == 2 && block->handle >> 53 == 0);
    um_json_uint(call->out, block->handle);
    result_uint(call, "size", block->size);
    (void)result_key(call, "address");
    block->address = is_answered ? learn_uint(call) : (uint64_t)(uintptr_t)store_bytes(run, block->handle);
    MUST(block->address % run->model.heaps[heap].alignment == 0);
    um_json_uint64(call->out, block->address);
    learn_place(run, (int)(block - run->model.blocks));
    if (job->tells_created)
        um_json_bool(result_key(call, "created"), true);
    if (bearer != NONE) {
        result_uint(call, "replaced", run->model.blocks[bearer].handle);
        model_free_block(&run->model, bearer);
    }
    result_end(call);
    return block;
}

bool has_alloc_heap(const struct run *run, int session, const struct job *job)
{
    int heap = model_find_heap(&run->model, job->heaps[0]);

    return heap != NONE && !model_is_locked(&run->model, heap, session);
}

void fail_alloc_heap(struct call *call, const struct job *job)
{
    bool is_gone = model_find_heap(&call->run->model, job->heaps[0]) == NONE;

    fail_heap(call, is_gone ? UMEM_E_STALE_HANDLE : UMEM_E_LOCKED, job->heaps[0]);
}

void answer_alloc(struct call *call, const struct job *job)
{
    int heap = model_find_heap(&call->run->model, job->heaps[0]);

    if (!has_alloc_heap(call->run, call->session, job))
        fail_alloc_heap(call, job);
    else if (check_limits(call, heap, job->first.size, job->flags, job->first.size) &&
             check_name(call, job)) {
        made(call, heap, job, true);
    }
}

/* Whether the engine has kept the call out, as others queue for the heap's lock. */
static bool is_kept_out(struct call *call, int heap)
{
    if (!lock_is_wanted(call->run, call->run->model.heaps[heap].handle, call->session))
        return false;
    return call->id.kind != ID_NONE ? engine_failed(call, UMEM_E_LOCKED) : new_handle(call->run) == 0;
}

/* Continues in slices once the request is allowed. */
static void allocate_in_slices(struct call *call, int heap, const struct job *facts)
{
    const struct run *run = call->run;
    struct job *job = new_job(call, JOB_ALLOC, run->model.heaps[heap].handle, 0);

    job->first.size = facts->first.size;
    job->flags = facts->flags;
    job->name = facts->name;
    job->for_session = facts->for_session;
    job->if_exists = facts->if_exists;
    job->tells_created = facts->tells_created;
    job->has_heap = facts->has_heap;
    job->has_lifetime = facts->has_lifetime;
    job->needle_size = facts->needle_size;
    job->needle = malloc(facts->needle_size + 1);
    MUST(job->needle != NULL);
    if (facts->needle_size != 0)
        memcpy(job->needle, facts->needle, facts->needle_size);
}

/* In a heap whose memory has to be allocated first: at once, or in slices. */
static void allocate_shared(struct call *call, int heap, const struct job *facts)
{
    const struct run *run = call->run;
    uint64_t size = facts->first.size;
    uint64_t gap = model_find_gap(&run->model, heap, size); /* its required address */
    bool is_long = size > run->store->cleared_at_once && call->batch_left == NULL &&
                   (facts->needle == NULL || facts->needle_size < size);

    if (is_long && run->sessions[call->session].session.job != NULL) {
        allocate_in_slices(call, heap, facts);
    } else if (is_long && is_kept_out(call, heap)) {
        fail_heap(call, UMEM_E_LOCKED, run->model.heaps[heap].handle);
    } else if (lacks_gap(call, heap, gap)) {
        no_gap(call, heap, facts->flags);
    } else {
        const struct model_block *block = made(call, heap, facts, false);

        MUST(!is_long && (!is_quiet(call, heap) || block->offset == gap));
    }
}

static void refuse_param(struct call *call, const char *name)
{
    refuse(call, UMEM_E_INVALID_PARAMS);
    fact_text(call, "param", name);
    fail_end(call);
}

/* How large the block is to be, by its parameters and the bytes given; on failure the call has been answered. */
static bool find_size(struct call *call, uint64_t *size, uint64_t *given)
{
    const struct request *request = call->request;
    bool has_headers = call->run->sessions[call->session].session.framing == UM_FRAMING_HEADERS;
    bool has_data = is_given(request, "data");
    bool raw = has_text(request, "encoding", "raw");

    *given = raw ? request->payload_size : has_data ? argument_of(request, "data")->size : 0;
    *size = uint_or(request, "size", *given);
    if (raw && !has_headers)
        fail_plain(call, UMEM_E_UNSUPPORTED);
    else if (!raw && request->payload_size != 0)
        refuse_param(call, "data");
    else if (!raw && !has_data && !is_given(request, "size"))
        refuse_param(call, "size");
    else if (raw && *given != *size)
        refuse_param(call, "size");
    else if (*given <= *size)
        return true;
    else {
        refuse(call, UMEM_E_OUT_OF_RANGE);
        fact_uint(call, "size", *given);
        fact_uint(call, "block_size", *size);
        fail_end(call);
    }
    return false;
}

/* The bytes of a single raw allocation are still to come: it has memory, or there is none. */
static void receive(struct call *call, int heap, const struct job *facts)
{
    const struct run *run = call->run;
    struct session *session = &call->run->sessions[call->session];
    struct payload_receiver *payload_receiver = &session->payload_receiver;
    bool is_shared = run->model.heaps[heap].is_shared;
    bool failed = session->session.out.size != session->checked; /* it has been answered */

    MUST(failed || !is_shared || model_find_gap(&run->model, heap, facts->first.size) != UINT64_MAX);
    if (failed) {
        no_gap(call, heap, facts->flags);
        return;
    }
    payload_receiver->allocates = true;
    payload_receiver->entry = call->entry;
    payload_receiver->id = call->id;
    payload_receiver->alloc = *facts;
}

void predict_block_alloc(struct call *call)
{
    const struct request *request = call->request;
    const struct argument *name = argument_of(request, "name");
    const struct argument *data = argument_of(request, "data");
    bool raw = has_text(request, "encoding", "raw");
    struct job facts = {
        .flags = (unsigned)uint_or(request, "flags", 0),
        .for_session = has_text(request, "lifetime", "session"),
        .name = name->given ? (int)name->uint : NONE,
        .if_exists = if_exists_of(request),
        .tells_created = is_given(request, "if_exists"),
        .has_heap = is_given(request, "heap"),
        .has_lifetime = is_given(request, "lifetime"),
    };
    uint64_t given;
    uint64_t cost;
    int bearer;
    int heap;

    if (raw && data->given) {
        refuse_param(call, "data");
        return;
    }
    heap = resolve_heap(call, "heap");
    if (heap == NONE || !find_size(call, &facts.first.size, &given) || !check_if_exists(call))
        return;
    facts.heaps[0] = call->run->model.heaps[heap].handle;
    facts.needle = raw ? request->payload : (unsigned char *)data->bytes;
    facts.needle_size = (size_t)given;
    bearer = facts.if_exists == EXISTS_REPLACES ? find_bearer(call, facts.name) : NONE;
    cost = facts.first.size + (bearer != NONE ? cost_of_end(call->run, bearer) : 0);
    if (!fits(call, 0, cost) || open_bearer(call, &facts) || !check_flags(call) ||
        !check_limits(call, heap, facts.first.size, facts.flags, 0) || !check_name(call, &facts))
        return;
    if (raw && given != 0 && call->batch_left == NULL) {
        facts.needle = NULL;
        receive(call, heap, &facts);
    } else if (call->run->model.heaps[heap].is_shared) {
        allocate_shared(call, heap, &facts);
    } else {
        made(call, heap, &facts, false);
    }
}
