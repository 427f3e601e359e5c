/* What the methods of blocks and their lives must answer. */
#include <stdlib.h>
#include <string.h>

#include "json_out.h"
#include "predict.h"
#include "store.h"
#include "umem_errors.h"

enum { ENTRY_SIZE = 8192 /* room that a page wants for one more block */ };

void fact_status(struct call *call, unsigned flags)
{
    if ((flags & UM_FLAG_GENERATE_EXCEPTIONS) != 0)
        fact_text(call, "ntstatus", "0xC0000017");
}

/* ---- block.alloc ---- */

/* The limits; on failure the call has been answered. */
static bool check_room(struct call *call, int heap, uint64_t size, unsigned flags)
{
    const struct run *run = call->run;
    const struct model_heap *it = &run->heaps[heap];
    uint64_t blocks[3] = {run->limits.blocks, sum_blocks(run, NONE, 0), 1};
    uint64_t here[3] = {it->maximum_size, sum_bytes(run, heap, 0) + it->reserved, size};
    uint64_t all[3] = {run->limits.bytes, sum_bytes(run, NONE, 0) + run->reserved, size};

    if (blocks[1] >= blocks[0])
        fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "blocks", blocks, it->handle);
    else if (here[0] != 0 && size > here[0] - here[1])
        fail_limit(call, UMEM_E_NO_MEMORY, "maximum_size", here, it->handle);
    else if (size > all[0] - all[1])
        fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "bytes", all, it->handle);
    else
        return true;
    fact_status(call, flags | it->flags);
    fail_end(call);
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

    while (block != NULL && find_block(run, um_block_handle(run->store, block)) != NONE) {
        after = um_block_handle(run->store, block);
        block = um_store_next_block(run->store, &everything, after, &budget, &next);
    }
    return block != NULL ? um_block_handle(run->store, block) : 0;
}

/* Memory is never executable. */
bool check_flags(struct call *call)
{
    if ((uint_or(call->request, "flags", 0) & UM_FLAG_CREATE_ENABLE_EXECUTE) == 0)
        return true;
    fail_plain(call, UMEM_E_DENIED);
    return false;
}

static struct model_block *add_block(struct call *call, int heap, uint64_t size)
{
    struct run *run = call->run;
    const struct request *request = call->request;
    struct model_block *block = run->blocks;

    while (block->alive)
        block++;
    *block = (struct model_block){
        .alive = true,
        .for_session = has_text(request, "lifetime", "session"),
        .heap = heap,
        .name = is_given(request, "name") ? (int)argument_of(request, "name")->uint : NONE,
        .holders = 1U << call->session,
        .size = size,
        .created = run->now_s,
        .maker = {run->sessions[call->session].id, call->session},
        .bytes = calloc(1, (size_t)size + 1),
    };
    MUST(block->bytes != NULL);
    if (is_given(request, "data"))
        memcpy(block->bytes, argument_of(request, "data")->bytes, argument_of(request, "data")->size);
    note_peaks(run, heap);
    return block;
}

/* Whether the engine has found no free range in a shared heap. It may only be so where the model knows none, or where memory that is
 * no block's takes up room. */
static bool lacks_room(struct call *call, int heap, uint64_t room)
{
    const struct run *run = call->run;
    bool failed = call->id.kind != ID_NONE ? engine_failed(call, UMEM_E_NO_MEMORY) : new_handle(run) == 0;

    MUST(failed || room != UINT64_MAX);
    MUST(!is_settled(call, heap) || failed == (room == UINT64_MAX));
    return failed;
}

void predict_block_alloc(struct call *call)
{
    struct run *run = call->run;
    const struct request *request = call->request;
    const struct argument *name = argument_of(request, "name");
    uint64_t size = argument_of(request, "size")->uint;
    uint64_t room = UINT64_MAX; /* where it has to lie in a shared heap */
    int heap = resolve_heap(call, "heap");
    struct model_block *block;

    if (heap == NONE)
        return;
    if (is_given(request, "data") && argument_of(request, "data")->size > size) {
        refuse(call, UMEM_E_OUT_OF_RANGE);
        fact_uint(call, "size", argument_of(request, "data")->size);
        fact_uint(call, "block_size", size);
        fail_end(call);
        return;
    }
    if (!fits(call, 0, size) || !check_flags(call) ||
        !check_room(call, heap, size, (unsigned)uint_or(request, "flags", 0)))
        return;
    if (name->given && block_named(run, name->name) != NONE) {
        fail_block(call, UMEM_E_NAME_TAKEN, run->blocks[block_named(run, name->name)].handle);
        return;
    }
    if (run->heaps[heap].is_shared) {
        room = find_room(run, heap, size);
        if (lacks_room(call, heap, room)) {
            refuse(call, UMEM_E_NO_MEMORY);
            fact_uint(call, "heap", run->heaps[heap].handle);
            fact_status(call, (unsigned)uint_or(request, "flags", 0) | run->heaps[heap].flags);
            fail_end(call);
            return;
        }
    }
    block = add_block(call, heap, size);
    (void)result_key(call, "block");
    block->handle = 0;
    block->handle = call->id.kind != ID_NONE ? learn_uint(call) : new_handle(run);
    MUST((block->handle & 3) == 2 && block->handle >> 53 == 0);
    um_json_uint(call->out, block->handle);
    result_uint(call, "size", size);
    (void)result_key(call, "address");
    block->address =
        call->id.kind != ID_NONE ? learn_uint(call) : (uint64_t)(uintptr_t)store_bytes(run, block->handle);
    MUST(block->address % run->heaps[heap].alignment == 0);
    um_json_uint64(call->out, block->address);
    learn_place(run, (int)(block - run->blocks));
    MUST(!run->heaps[heap].is_shared || !is_settled(call, heap) || block->offset == room);
    result_end(call);
}

/* ---- block.info, block.list, block.at ---- */

static void key_uint(struct um_buf *out, const char *key, uint64_t value)
{
    um_json_key(out, key);
    um_json_uint(out, value);
}

void describe_block(const struct run *run, struct um_buf *out, int block)
{
    const struct model_block *it = &run->blocks[block];

    key_uint(out, "block", it->handle);
    um_json_key(out, "name");
    if (it->name != NONE)
        um_json_cstring(out, name_text(it->name));
    else
        um_json_null(out);
    key_uint(out, "heap", run->heaps[it->heap].handle);
    key_uint(out, "size", it->size);
    um_json_key(out, "address");
    um_json_uint64(out, it->address);
    um_json_key(out, "lifetime");
    um_json_cstring(out, it->for_session ? "session" : "server");
    describe_maker(run, out, &it->maker);
    key_uint(out, "holders", count_bits(it->holders));
    um_json_key(out, "orphaned");
    um_json_bool(out, is_orphan(it));
    key_uint(out, "created", (uint64_t)it->created);
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
        const struct model_block *it = &run->blocks[i];

        if (!it->alive || slot_of(it->handle) < slot || (heap != NONE && it->heap != heap) ||
            (maker != 0 && it->maker.session != maker) || (orphaned && !is_orphan(it)))
            continue;
        if (next == NONE || slot_of(it->handle) < slot_of(run->blocks[next].handle))
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
    for (; block != NONE && left != 0 && (last == 0 || has_room(call, ENTRY_SIZE)); left--) {
        um_json_begin_object(out);
        describe_block(run, out, block);
        um_json_end_object(out);
        last = run->blocks[block].handle;
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

/* ---- who keeps a block ---- */

static void answer_holders(struct call *call, int block)
{
    result_uint(call, "holders", count_bits(call->run->blocks[block].holders));
    result_end(call);
}

void predict_block_hold(struct call *call)
{
    int block = resolve_block(call, "block");

    if (block == NONE)
        return;
    call->run->blocks[block].holders |= 1U << call->session;
    answer_holders(call, block);
}

void predict_block_release(struct call *call)
{
    int block = resolve_block(call, "block");

    if (block == NONE)
        return;
    call->run->blocks[block].holders &= ~(1U << call->session);
    answer_holders(call, block);
}

void predict_block_change(struct call *call)
{
    struct run *run = call->run;
    const struct argument *name = argument_of(call->request, "name");
    bool to_session = has_text(call->request, "lifetime", "session");
    int block = resolve_block(call, "block");
    struct model_block *it = &run->blocks[block == NONE ? 0 : block];
    int bearer = name->given && name->name[0] != '\0' ? block_named(run, name->name) : NONE;

    if (block == NONE)
        return;
    if (bearer != NONE && bearer != block) {
        fail_block(call, UMEM_E_NAME_TAKEN, run->blocks[bearer].handle);
        return;
    }
    if (is_orphan(it) || to_session) {
        it->maker = (struct maker){run->sessions[call->session].id, call->session};
        it->holders |= 1U << call->session;
    }
    if (is_given(call->request, "lifetime"))
        it->for_session = to_session;
    if (name->given)
        it->name = name->name[0] != '\0' ? (int)name->uint : NONE;
    answer_block(call, block);
}

void predict_block_free(struct call *call)
{
    struct run *run = call->run;
    int block = resolve_block(call, "block");

    if (block == NONE)
        return;
    if (uint_or(call->request, "if_orphaned", 0) != 0 && !is_orphan(&run->blocks[block])) {
        fail_block(call, UMEM_E_DENIED, run->blocks[block].handle);
        return;
    }
    result_uint(call, "size", run->blocks[block].size);
    free_block(run, block);
    result_end(call);
}
