/* What the methods of blocks and their lives must answer. */
#include <string.h>

#include "predict.h"
#include "store/store.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum { ENTRY_SIZE = 8192 /* bytes that a page wants for one more block */ };

void fact_status(struct call *call, unsigned flags)
{
    if ((flags & UM_FLAG_GENERATE_EXCEPTIONS) != 0)
        fact_text(call, "ntstatus", "0xC0000017");
}

/* Memory is never executable. */
bool check_flags(struct call *call)
{
    if ((uint_or(call->request, "flags", 0) & UM_FLAG_CREATE_ENABLE_EXECUTE) == 0)
        return true;
    fail_plain(call, UMEM_E_DENIED);
    return false;
}

/* ---- block.info, block.list, block.at ---- */

void describe_block(const struct run *run, struct um_buf *out, int block)
{
    const struct model_block *it = &run->model.blocks[block];

    um_json_put_uint(out, "block", it->handle);
    um_json_key(out, "name");
    if (it->name != NONE)
        um_json_cstring(out, model_name_text(it->name));
    else
        um_json_null(out);
    um_json_put_uint(out, "heap", run->model.heaps[it->heap].handle);
    um_json_put_uint(out, "size", it->size);
    um_json_put_uint64(out, "address", it->address);
    um_json_put_string(out, "lifetime", it->for_session ? "session" : "server");
    describe_maker(run, out, &it->maker);
    um_json_put_uint(out, "holders", model_holders(it));
    um_json_put_bool(out, "orphaned", model_is_orphan(it));
    um_json_put_uint(out, "created", (uint64_t)it->created);
}

static void answer_block(struct call *call, int block)
{
    describe_block(call->run, result(call), block);
    call->members = 10;
    result_end(call);
}

void predict_block_info(struct call *call)
{
    int block = resolve_block(call, "block");

    if (block != NONE)
        answer_block(call, block);
}

/* The block with the lowest slot from `slot` on that the listing wants, or NONE. */
static int next_block(const struct call *call, int heap, unsigned slot)
{
    const struct run *run = call->run;
    uint64_t maker = uint_or(call->request, "session", 0);
    bool orphaned = uint_or(call->request, "orphaned", 0) != 0;
    int next = NONE;

    for (int i = 0; i < BLOCKS; i++) {
        const struct model_block *it = &run->model.blocks[i];

        if (!it->alive || slot_of(it->handle) < slot || (heap != NONE && it->heap != heap) ||
            (maker != 0 && it->maker.id != maker) || (orphaned && !model_is_orphan(it)))
            continue;
        if (next == NONE || slot_of(it->handle) < slot_of(run->model.blocks[next].handle))
            next = i;
    }
    return next;
}

void predict_block_list(struct call *call)
{
    const struct run *run = call->run;
    uint64_t after = uint_or(call->request, "after", 0);
    uint64_t left = uint_or(call->request, "limit", 1000);
    int heap = NONE;
    uint64_t last = 0;
    struct um_buf *out;
    int block;

    if (is_given(call->request, "heap")) {
        heap = resolve_heap(call, "heap");
        if (heap == NONE)
            return;
    }
    if (!fits(call, 0, LIST_COST))
        return;
    block = next_block(call, heap, after != 0 ? slot_of(after) + 1 : 0);
    out = result_key(call, "blocks");
    um_json_begin_array(out);
    for (; block != NONE && left != 0 && (last == 0 || has_place(call, ENTRY_SIZE)); left--) {
        um_json_begin_object(out);
        describe_block(run, out, block);
        um_json_end_object(out);
        charge(call, LISTED_COST);
        last = run->model.blocks[block].handle;
        block = next_block(call, heap, slot_of(last) + 1);
    }
    um_json_end_array(out);
    if (block != NONE)
        result_uint(call, "next", last);
    else
        um_json_null(result_key(call, "next"));
    result_end(call);
}

void predict_block_at(struct call *call)
{
    if (call->batch_left != NULL)
        fail_plain(call, UMEM_E_UNSUPPORTED);
    else
        new_job(call, JOB_AT, 0, 0)->number = argument_of(call->request, "address")->uint;
}

/* ---- holds ---- */

static void answer_holders(struct call *call, int block)
{
    result_uint(call, "holders", model_holders(&call->run->model.blocks[block]));
    result_end(call);
}

/* Whether one more hold is allowed. */
static bool may_hold(struct call *call, int block)
{
    uint64_t facts[3] = {call->run->limits.holds, model_count_holds(&call->run->model, NONE), 1};

    if (facts[1] < facts[0])
        return true;
    fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "holds", facts, 0);
    fact_uint(call, "block", call->run->model.blocks[block].handle);
    fail_end(call);
    return false;
}

void predict_block_hold(struct call *call)
{
    int block = resolve_block(call, "block");
    const struct model_block *it = &call->run->model.blocks[block == NONE ? 0 : block];

    if (block == NONE ||
        ((it->holders >> call->session & 1) == 0 &&
         model_open_maker(&call->run->model, &it->maker) != call->session && !may_hold(call, block)))
        return;
    call->run->model.blocks[block].holders |= 1U << call->session;
    answer_holders(call, block);
}

void predict_block_release(struct call *call)
{
    int block = resolve_block(call, "block");

    if (block == NONE)
        return;
    call->run->model.blocks[block].holders &= ~(1U << call->session);
    answer_holders(call, block);
}

/* Whether the session may have so many bytes more as their maker. */
static bool may_own(struct call *call, const struct model_block *block)
{
    const struct run *run = call->run;
    uint64_t facts[3] = {run->limits.session_bytes, session_bytes(run, call->session), block->size};

    if (facts[0] >= run->limits.bytes || (facts[1] <= facts[0] && facts[2] <= facts[0] - facts[1]))
        return true;
    fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "session_bytes", facts, run->model.heaps[block->heap].handle);
    fact_uint(call, "block", block->handle);
    fail_end(call);
    return false;
}

uint64_t cost_of_end(const struct run *run, int block)
{
    uint64_t holders = (uint64_t)model_holders(&run->model.blocks[block]);

    return holders > 1 ? holders * HOLD_COST : 0;
}

bool may_replace(struct call *call, int block)
{
    const struct model *model = &call->run->model;

    if (!model_is_locked(model, model->blocks[block].heap, call->session))
        return true;
    fail_heap(call, UMEM_E_LOCKED, model->heaps[model->blocks[block].heap].handle);
    return false;
}

void predict_block_change(struct call *call)
{
    struct run *run = call->run;
    const struct argument *name = argument_of(call->request, "name");
    bool to_session = has_text(call->request, "lifetime", "session");
    int block = resolve_block(call, "block");
    struct model_block *it = &run->model.blocks[block == NONE ? 0 : block];
    int bearer = name->given && name->name[0] != '\0' ? model_block_named(&run->model, name->name) : NONE;
    bool replaces = if_exists_of(call->request) == EXISTS_REPLACES;
    uint64_t replaced;
    bool takes_over;
    int maker;

    if (block == NONE || !check_if_exists(call))
        return;
    bearer = bearer == block ? NONE : bearer;
    replaced = bearer != NONE ? run->model.blocks[bearer].handle : 0;
    if (replaces && bearer != NONE && cost_of_end(run, bearer) != 0 &&
        !fits(call, 0, cost_of_end(run, bearer)))
        return;
    takes_over = model_is_orphan(it) || to_session;
    maker = model_open_maker(&run->model, &it->maker);
    if (takes_over && maker != call->session && !may_own(call, it))
        return;
    if (bearer != NONE && replaces && !may_replace(call, bearer))
        return;
    if (bearer != NONE && !replaces) {
        fail_block(call, UMEM_E_NAME_TAKEN, run->model.blocks[bearer].handle);
        return;
    }
    if (takes_over && maker != NONE && maker != call->session && (it->holders >> maker & 1) != 0 &&
        !may_hold(call, block))
        return;
    if (takes_over) {
        it->maker = (struct model_maker){run->sessions[call->session].id, call->session};
        it->holders |= 1U << call->session;
    }
    if (is_given(call->request, "lifetime"))
        it->for_session = to_session;
    if (name->given)
        it->name = name->name[0] != '\0' ? (int)name->uint : NONE;
    if (bearer != NONE)
        model_free_block(&run->model, bearer);
    describe_block(run, result(call), block);
    call->members = 10;
    if (bearer != NONE)
        result_uint(call, "replaced", replaced);
    result_end(call);
}

void predict_block_free(struct call *call)
{
    struct run *run = call->run;
    int block = resolve_block(call, "block");

    if (block == NONE)
        return;
    if (uint_or(call->request, "if_orphaned", 0) != 0 && !model_is_orphan(&run->model.blocks[block])) {
        fail_block(call, UMEM_E_DENIED, run->model.blocks[block].handle);
        return;
    }
    if (!fits(call, 0, cost_of_end(run, block)))
        return;
    result_uint(call, "size", run->model.blocks[block].size);
    model_free_block(&run->model, block);
    result_end(call);
}
