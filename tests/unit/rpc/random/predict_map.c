/* What the methods of mapped blocks must answer, and what all methods answer about shared heaps. */
#include <stdio.h>
#include <string.h>

#include "predict.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum { UNIT = 65536 /* bytes: what is committed is a multiple */ };

/* ---- block.map ---- */

/* All blocks of a heap are in the same object. The path is where Linux shows that, if it does. */
void predict_block_map(struct call *call)
{
    struct run *run = call->run;
    int block = resolve_block(call, "block");
    struct model_heap *heap;
    char path[sizeof heap->object + 16];

    if (block == NONE)
        return;
    heap = &run->model.heaps[run->model.blocks[block].heap];
    if (!heap->is_shared) {
        refuse(call, UMEM_E_UNSUPPORTED);
        fact_uint(call, "heap", heap->handle);
        fact_uint(call, "block", run->model.blocks[block].handle);
        fail_end(call);
        return;
    }
    (void)result_key(call, "name");
    if (heap->object[0] == '\0')
        learn_name(call, heap->object, sizeof heap->object);
    snprintf(path, sizeof path, "\"%s\"", heap->object);
    um_json_raw(call->out, path, strlen(path));
    snprintf(path, sizeof path, "/dev/shm%s", heap->object);
    if (engine_goes_on(call, ",\"path\":"))
        um_json_cstring(result_key(call, "path"), path);
    result_uint(call, "offset", run->model.blocks[block].offset);
    result_uint(call, "size", run->model.blocks[block].size);
    result_end(call);
}

/* ---- block.wake ---- */

void predict_block_wake(struct call *call)
{
    int block = resolve_block(call, "block");
    struct range range;

    if (block == NONE || !range_of(call, block, "offset", "size", &range))
        return;
    notify_changed(call->run, block, range.offset, range.size);
    result_end(call);
}

/* ---- heap.info, heap.list ---- */

/* Bytes that must be committed: every unit that contains part of a block. */
static uint64_t least_committed(const struct run *run, int heap)
{
    uint64_t units = 0;

    for (uint64_t unit = 0; unit < model_reserved(&run->model.heaps[heap]); unit += UNIT) {
        bool used = false;

        for (int i = 0; i < BLOCKS; i++) {
            const struct model_block *it = &run->model.blocks[i];

            used = used || (it->alive && it->heap == heap && it->size != 0 && it->offset < unit + UNIT &&
                            it->offset + it->size > unit);
        }
        units += used;
    }
    return units * UNIT;
}

/* A figure that is predicted, or one of which only the bounds are known. */
static void exact(struct call *call, const char *key, uint64_t value)
{
    um_json_put_uint(call->out, key, value);
}

static uint64_t bounded(struct call *call, const char *key, uint64_t least, uint64_t highest)
{
    const struct run *run = call->run;
    uint64_t reported;

    um_json_key(call->out, key);
    reported = learn_uint(call);
    if (call->id.kind != ID_NONE && (reported < least || reported > highest))
        fprintf(stderr, "%s is %llu, not from %llu to %llu\n", key, (unsigned long long)reported,
                (unsigned long long)least, (unsigned long long)highest);
    MUST(call->id.kind == ID_NONE || (reported >= least && reported <= highest));
    um_json_uint(call->out, reported);
    return reported;
}

/* What still is sent, received or moved to takes up memory beside the blocks, and divides what is free into more pieces. */
static void describe_shared(struct call *call, int heap)
{
    const struct run *run = call->run;
    const struct model_gaps gaps = model_find_gaps(&run->model, heap);
    uint64_t reserved = model_reserved(&run->model.heaps[heap]);

    exact(call, "reserved", reserved);
    bounded(call, "committed", least_committed(run, heap), reserved);
    if (is_quiet(call, heap)) {
        exact(call, "free", gaps.bytes);
        exact(call, "free_ranges", gaps.count);
        exact(call, "largest_free", gaps.largest);
    } else {
        bounded(call, "free", 0, gaps.bytes);
        bounded(call, "free_ranges", 0, gaps.count + BLOCKS);
        bounded(call, "largest_free", 0, gaps.largest);
    }
}

/* Of other heaps, the allocator alone knows how much memory they take. */
static void describe_private(struct call *call)
{
    uint64_t reserved = bounded(call, "reserved", 0, UINT64_C(1) << 47);
    uint64_t free;

    bounded(call, "committed", 0, reserved);
    free = bounded(call, "free", 0, reserved);
    bounded(call, "free_ranges", 0, UINT64_C(1) << 32);
    bounded(call, "largest_free", 0, free);
}

bool describe_memory(struct call *call, int heap)
{
    if (call->run->model.heaps[heap].is_shared)
        describe_shared(call, heap);
    else if (engine_goes_on(call, ",\"reserved\":"))
        describe_private(call);
    else
        return false;
    um_json_put_bool(call->out, "corrupted", false);
    return true;
}

void describe_size_classes(struct call *call, int heap)
{
    const struct run *run = call->run;
    uint64_t before = 0;
    uint64_t blocks = 0;

    um_json_key(call->out, "size_classes");
    um_json_begin_array(call->out);
    while (engine_goes_on(call, blocks == 0 && before == 0 ? "{\"size\":" : ",{\"size\":")) {
        uint64_t used;

        um_json_begin_object(call->out);
        before = bounded(call, "size", before + 16, 65536);
        MUST(before % 16 == 0);
        used = bounded(call, "used", 0, 1000000);
        bounded(call, "free", used == 0, 1000000);
        um_json_end_object(call->out);
        blocks += used;
    }
    um_json_end_array(call->out);
    MUST(blocks <= model_count_blocks(&run->model, heap, 0) || !is_quiet(call, heap));
}
