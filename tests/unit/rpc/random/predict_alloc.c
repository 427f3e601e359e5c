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
    uint64_t own[3] = {run->limits.session_bytes,
                       model_sum_bytes(&run->model, NONE, run->sessions[call->session].id), size};
    uint64_t all[3] = {run->limits.bytes,
                       model_sum_bytes(&run->model, NONE, 0) + run->model.reserved - reserved, size};

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

/* Whether no other block has the name; on failure the call has been answered. */
static bool check_name(struct call *call, int name)
{
    int bearer = name != NONE ? model_block_named(&call->run->model, model_name_text(name)) : NONE;

    if (bearer == NONE)
        return true;
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
    result_end(call);
    return block;
}

void answer_alloc(struct call *call, const struct job *job)
{
    int heap = model_find_heap(&call->run->model, job->heaps[0]);

    if (heap == NONE) {
        fail_heap(call, UMEM_E_STALE_HANDLE, job->heaps[0]);
    } else if (check_limits(call, heap, job->first.size, job->flags, job->first.size) &&
               check_name(call, job->name)) {
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

void predict_block_alloc(struct call *call)
{
    const struct request *request = call->request;
    const struct argument *name = argument_of(request, "name");
    const struct argument *data = argument_of(request, "data");
    uint64_t size = argument_of(request, "size")->uint;
    int heap = resolve_heap(call, "heap");
    struct job facts = {
        .first.size = size,
        .flags = (unsigned)uint_or(request, "flags", 0),
        .for_session = has_text(request, "lifetime", "session"),
        .name = name->given ? (int)name->uint : NONE,
    };

    if (heap == NONE)
        return;
    if (is_given(request, "data") && data->size > size) {
        refuse(call, UMEM_E_OUT_OF_RANGE);
        fact_uint(call, "size", data->size);
        fact_uint(call, "block_size", size);
        fail_end(call);
        return;
    }
    if (is_given(request, "data")) {
        facts.needle = (unsigned char *)data->bytes;
        facts.needle_size = data->size;
    }
    if (!fits(call, 0, size) || !check_flags(call) || !check_limits(call, heap, size, facts.flags, 0) ||
        !check_name(call, facts.name))
        return;
    if (call->run->model.heaps[heap].is_shared) {
        allocate_shared(call, heap, &facts);
    } else {
        made(call, heap, &facts, false);
    }
}
