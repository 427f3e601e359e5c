/* What block.resize must answer, at once or when its last slice is done. */
#include "predict.h"
#include "store/store.h"
#include "umem_errors.h"
#include "wire/json_write.h"

void fail_growth(struct call *call, int code, int block, uint64_t size, unsigned flags)
{
    const struct run *run = call->run;
    const struct model_block *it = &run->model.blocks[block];
    const struct model_heap *heap = &run->model.heaps[it->heap];
    int maker = model_open_maker(&run->model, &it->maker);
    uint64_t more = size > it->size ? size - it->size : 0;
    bool grows = more != 0 && model_check_total(&run->model, more) == UMEM_OK;
    uint64_t here[3] = {heap->maximum_size, model_sum_bytes(&run->model, it->heap, 0) + heap->reserved, more};
    uint64_t own[3] = {run->limits.session_bytes, maker != NONE ? session_bytes(run, maker) : 0, more};
    uint64_t all[3] = {run->limits.bytes,
                       model_sum_bytes(&run->model, NONE, 0) + run->model.reserved + run->model.pinned,
                       more == 0 || grows ? size : more};

    if (code == UMEM_E_NO_MEMORY)
        fail_limit(call, code, "maximum_size", here, heap->handle);
    else if (more != 0 && !session_may_have(run, block, more))
        fail_limit(call, code, "session_bytes", own, heap->handle);
    else
        fail_limit(call, code, "bytes", all, heap->handle);
    fact_uint(call, "block", it->handle);
    fact_status(call, flags | heap->flags);
    fail_end(call);
}

/* Whether the engine would have run the call in slices, and did not since others queue for the heap's
 * lock. */
static bool keeps_out(struct call *call, int block)
{
    uint64_t heap = call->run->model.heaps[call->run->model.blocks[block].heap].handle;

    return call->batch_left == NULL && call->id.kind != ID_NONE &&
           lock_is_wanted(call->run, heap, call->session) && engine_failed(call, UMEM_E_LOCKED);
}

void fail_no_gap(struct call *call, int block, unsigned flags)
{
    const struct run *run = call->run;
    const struct model_heap *heap = &run->model.heaps[run->model.blocks[block].heap];

    refuse(call, UMEM_E_NO_MEMORY);
    fact_uint(call, "heap", heap->handle);
    fact_uint(call, "block", run->model.blocks[block].handle);
    fact_status(call, flags | heap->flags);
    fail_end(call);
}

/* Whether the engine could not resize the block for want of memory in the heap's memory. In a shared heap the model knows where there is
 * some, unless memory that is no block's takes it up; elsewhere only a block that has to stay where it is may find none. */
static bool lacks_gap(struct call *call, int block, uint64_t size, bool in_place)
{
    const struct run *run = call->run;
    const struct model_block *it = &run->model.blocks[block];
    bool is_shared = run->model.heaps[it->heap].is_shared;
    bool failed;

    if (size == it->size || (!in_place && !is_shared))
        return false;
    failed = engine_failed(call, UMEM_E_NO_MEMORY);
    if (is_shared && is_quiet(call, it->heap))
        MUST(failed == (model_find_gap_to_resize(&run->model, block, size, in_place) == UINT64_MAX));
    return failed;
}

static void resized(struct call *call, int block, uint64_t size, bool in_place)
{
    struct run *run = call->run;
    struct model_block *it = &run->model.blocks[block];
    uint64_t old_size = it->size;
    uint64_t old_address = it->address;
    bool is_shared = run->model.heaps[it->heap].is_shared;
    uint64_t gap = is_shared ? model_find_gap_to_resize(&run->model, block, size, in_place) : 0;

    model_resize(&run->model, block, size);
    result_uint(call, "block", it->handle);
    result_uint(call, "size", size);
    (void)result_key(call, "address");
    it->address =
        call->id.kind != ID_NONE ? learn_uint(call) : (uint64_t)(uintptr_t)store_bytes(run, it->handle);
    MUST(!in_place || it->address == old_address);
    um_json_uint64(call->out, it->address);
    learn_place(run, block);
    MUST(!is_shared || size == old_size || !is_quiet(call, it->heap) || it->offset == gap);
    if (size > old_size)
        notify_changed(run, block, old_size, size - old_size);
    else
        notify_changed(run, block, size, old_size - size);
    result_end(call);
}

void predict_block_resize(struct call *call)
{
    struct run *run = call->run;
    uint64_t size = argument_of(call->request, "size")->uint;
    unsigned flags = (unsigned)uint_or(call->request, "flags", 0);
    int block = resolve_block(call, "block");
    const struct model_heap *heap;
    bool runs_in_slices;
    bool in_place;
    int code;

    if (block == NONE)
        return;
    heap = &run->model.heaps[run->model.blocks[block].heap];
    in_place = ((flags | heap->flags) & UM_FLAG_REALLOC_IN_PLACE_ONLY) != 0;
    if (!fits(call, 0, size > run->model.blocks[block].size ? size : run->model.blocks[block].size) ||
        !check_flags(call))
        return;
    code = check_growth(run, block, size);
    runs_in_slices = call->batch_left == NULL && run->sessions[call->session].session.job != NULL;
    /* Behind another that is moving the block it is only looked at when its turn comes. */
    if (code != UMEM_OK && !(runs_in_slices && is_being_moved(run, run->model.blocks[block].handle))) {
        if (keeps_out(call, block))
            fail_heap(call, UMEM_E_LOCKED, heap->handle);
        else
            fail_growth(call, code, block, size, flags);
    } else if (runs_in_slices) {
        struct job *job = new_job(call, JOB_RESIZE, heap->handle, 0);

        job->first = make_range(run, block, 0, size);
        job->flags = flags;
        start_move(run, job);
    } else if (lacks_gap(call, block, size, in_place)) {
        fail_no_gap(call, block, flags);
    } else if (size != run->model.blocks[block].size && keeps_out(call, block)) {
        fail_heap(call, UMEM_E_LOCKED, heap->handle);
    } else {
        resized(call, block, size, in_place);
    }
}
