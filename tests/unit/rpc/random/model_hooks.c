/* What the run adds to the model of heaps and blocks: frozen memory, and notified observers. */
#include <stdlib.h>
#include <string.h>

#include "random_engine.h"

/* Every generation of a slot was given out before the next: a number of the right kind that is not alive
 * was so once, unless its generation is 0, which no handle has. */
bool is_stale(bool block, uint64_t handle)
{
    return (handle & 3) == (block ? 2U : 1U) && handle >> 28 != 0;
}

/* What is being sent of a block stays as it was when its memory stops being the block's. */
static void freeze_tails(struct run *run, int block)
{
    const struct model_block *from = &run->model.blocks[block];

    for (int i = 0; i < SESSIONS; i++) {
        struct tail *tail = &run->sessions[i].tail;

        if (!tail->is_on || tail->frozen != NULL || tail->range.block != from->handle)
            continue;
        tail->frozen = malloc((size_t)tail->range.size + 1);
        MUST(tail->frozen != NULL);
        memcpy(tail->frozen, from->bytes + tail->range.offset, (size_t)tail->range.size);
    }
}

bool is_being_sent(const struct run *run, int block)
{
    for (int i = 0; i < SESSIONS; i++) {
        const struct tail *tail = &run->sessions[i].tail;

        if (tail->is_on && tail->frozen == NULL && tail->range.block == run->model.blocks[block].handle)
            return true;
    }
    return false;
}

/* Memory that is being sent counts on, for the block's maker, too. That of a destroyed heap is kept as a whole, for nobody. */
static void pin(struct run *run, const struct model_block *block)
{
    int maker = model_open_maker(&run->model, &block->maker);

    if (run->ending == run->model.heaps[block->heap].handle)
        return;
    run->model.pinned += block->size;
    if (maker != NONE)
        run->sessions[maker].pinned += block->size;
}

static void on_leaves(void *context, int block)
{
    struct run *run = context;

    if (is_being_sent(run, block))
        pin(run, &run->model.blocks[block]);
    freeze_tails(run, block);
    part_moves(run, block);
}

void destroy_heap(struct run *run, int heap)
{
    const struct model_heap *it = &run->model.heaps[heap];

    if (it->is_used) {
        run->model.pinned += model_sum_bytes(&run->model, heap, 0);
        run->kept_shared += it->is_shared;
    }
    run->ending = it->handle;
    model_destroy_heap(&run->model, heap);
    run->ending = 0;
}

uint64_t session_bytes(const struct run *run, int session)
{
    const struct session *it = &run->sessions[session];

    return model_sum_bytes(&run->model, NONE, it->id) + it->pinned;
}

static bool on_block_is_observed(void *context, int block)
{
    struct run *run = context;

    return block_is_observed(run, run->model.blocks[block].handle);
}

static bool on_heap_is_observed(void *context, int heap)
{
    struct run *run = context;

    return heap_is_observed(run, run->model.heaps[heap].handle);
}

static void on_event(void *context, const struct model_event *event)
{
    struct run *run = context;

    switch (event->kind) {
    case MODEL_FREED:
        notify_freed(run, event->block_handle, event->heap_handle);
        break;
    case MODEL_LOST:
        notify_block_lost(run, event->block_handle);
        break;
    case MODEL_VANISHED:
        notify_many(run, event->heap_handle);
        break;
    case MODEL_DESTROYED:
        notify_destroyed(run, event->heap_handle);
        break;
    case MODEL_UNLOCKED:
        notify_unlocked(run, event->heap_handle);
        break;
    }
}

void init_model(struct run *run)
{
    run->model.hooks =
        (struct model_hooks){run, on_leaves, on_block_is_observed, on_heap_is_observed, on_event};
    run->model.block_places = BLOCKS;
    run->model.bytes_limit = run->limits.bytes;
}
