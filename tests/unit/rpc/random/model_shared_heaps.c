/* Shared heaps, whose block addresses come from the store. */
#include <string.h>

#include "random_engine.h"
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"

bool is_quiet(const struct call *call, int heap)
{
    struct um_heap *found = NULL;

    return !call->run->had_work && call->batch_left == NULL &&
           um_store_find_heap(call->run->store, call->run->model.heaps[heap].handle, &found, NULL) ==
               UMEM_OK &&
           found->pins == 0;
}

uint64_t model_count_shared(const struct run *run)
{
    uint64_t count = 0;

    for (int i = 0; i < HEAPS; i++)
        count += run->model.heaps[i].alive && run->model.heaps[i].is_shared;
    return count;
}

/* ---- addresses of blocks ---- */

void learn_place(struct run *run, int block)
{
    struct model_block *it = &run->model.blocks[block];
    struct model_heap *heap = &run->model.heaps[it->heap];
    struct um_block *found = NULL;
    struct um_place place;

    if (!heap->is_shared)
        return;
    if (um_store_find_block(run->store, it->handle, &found, NULL) != UMEM_OK ||
        (uint64_t)(uintptr_t)um_block_bytes(found) != it->address) {
        /* Made or resized by a batch that moves it, frees it, replaces it or destroys the heap further on: where it was is never
         * known. */
        it->offset = UINT64_MAX / 2;
        return;
    }
    MUST(um_block_locate(run->store, found, &place, NULL) == UMEM_OK);
    if (heap->start == 0)
        heap->start = it->address - place.offset;
    it->offset = place.offset;
    MUST(heap->start % MODEL_UNIT == 0 && it->address - it->offset == heap->start);
    MUST(model_place_is_right(&run->model, block));
}

/* What a program does that has mapped the heap: the engine does not know. */
int do_write_behind(struct run *run)
{
    int block = some_block(run);
    struct model_block *it = &run->model.blocks[block == NONE ? 0 : block];
    uint64_t offset;
    uint64_t size;

    /* What is written to a block while it is being moved may be lost. */
    if (block == NONE || !run->model.heaps[it->heap].is_shared || it->size == 0 ||
        is_being_moved(run, it->handle))
        return NONE;
    offset = roll(run, it->size);
    size = 1 + roll(run, it->size - offset < 20 ? it->size - offset : 20);
    for (uint64_t i = 0; i < size; i++)
        it->bytes[offset + i] = (unsigned char)roll(run, 4);
    memcpy(store_bytes(run, it->handle) + offset, it->bytes + offset, (size_t)size);
    return NONE;
}
