/* The model's shared heaps: where blocks lie in their object, and what is free between them. */
#include <string.h>

#include "random_engine.h"
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"

enum { UNIT = 65536 /* bytes: an object's length and what is committed of it are multiples */ };

static uint64_t round_up(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

uint64_t reserved_of(const struct model_heap *heap)
{
    return round_up(heap->maximum_size, UNIT);
}

uint64_t taken(const struct model_heap *heap, uint64_t size)
{
    return size == 0 ? heap->alignment : round_up(size, heap->alignment);
}

/* ---- what is free ---- */

/* The first block that begins at `from` or later, or NONE. */
static int next_block(const struct run *run, int heap, uint64_t from)
{
    int next = NONE;

    for (int i = 0; i < BLOCKS; i++) {
        const struct model_block *it = &run->blocks[i];

        if (it->alive && it->heap == heap && it->handle != 0 && it->offset >= from &&
            (next == NONE || it->offset < run->blocks[next].offset))
            next = i;
    }
    return next;
}

/* The first piece between blocks that begins at *offset or later. Returns its size; 0: there is none. */
static uint64_t next_gap(const struct run *run, int heap, uint64_t *offset)
{
    const struct model_heap *it = &run->heaps[heap];
    uint64_t end = reserved_of(it);

    while (*offset < end) {
        int next = next_block(run, heap, *offset);
        uint64_t gap = (next != NONE ? run->blocks[next].offset : end) - *offset;

        if (gap != 0)
            return gap;
        *offset += taken(it, run->blocks[next].size);
    }
    return 0;
}

struct gaps find_gaps(const struct run *run, int heap)
{
    struct gaps gaps = {0};
    uint64_t offset = 0;
    uint64_t size = next_gap(run, heap, &offset);

    for (; size != 0; size = next_gap(run, heap, &offset)) {
        gaps.bytes += size;
        gaps.count++;
        gaps.largest = size > gaps.largest ? size : gaps.largest;
        offset += size;
    }
    return gaps;
}

/* The smallest piece that is large enough; of equal ones, the first. */
uint64_t find_room(const struct run *run, int heap, uint64_t size)
{
    uint64_t wanted = taken(&run->heaps[heap], size);
    uint64_t best = UINT64_MAX;
    uint64_t found = UINT64_MAX;
    uint64_t offset = 0;
    uint64_t gap = next_gap(run, heap, &offset);

    for (; gap != 0; gap = next_gap(run, heap, &offset)) {
        if (gap >= wanted && gap < best) {
            best = gap;
            found = offset;
        }
        offset += gap;
    }
    return found;
}

uint64_t find_room_to_resize(const struct run *run, int block, uint64_t size, bool in_place)
{
    const struct model_block *it = &run->blocks[block];
    const struct model_heap *heap = &run->heaps[it->heap];
    uint64_t after = it->offset + taken(heap, it->size);
    uint64_t end = it->offset + taken(heap, size);
    uint64_t gap = after;
    uint64_t free_bytes = next_gap(run, it->heap, &gap);

    if (end <= after || (free_bytes != 0 && gap == after && end - after <= free_bytes))
        return it->offset;
    return in_place ? UINT64_MAX : find_room(run, it->heap, size);
}

bool is_settled(const struct call *call, int heap)
{
    struct um_heap *found = NULL;

    return !call->run->had_work && call->batch_left == NULL &&
           um_store_find_heap(call->run->store, call->run->heaps[heap].handle, &found, NULL) == UMEM_OK &&
           found->pins == 0;
}

/* ---- where blocks lie ---- */

void learn_place(struct run *run, int block)
{
    struct model_block *it = &run->blocks[block];
    struct model_heap *heap = &run->heaps[it->heap];
    struct um_block *found = NULL;
    struct um_heap *its_heap = NULL;
    struct um_place place;

    if (!heap->is_shared)
        return;
    if (um_store_find_block(run->store, it->handle, &found, NULL) != UMEM_OK) {
        /* Made by a batch that destroys the heap further on: nobody gets to know where it was. */
        MUST(um_store_find_heap(run->store, heap->handle, &its_heap, NULL) != UMEM_OK);
        it->offset = UINT64_MAX / 2;
        return;
    }
    MUST(um_block_locate(run->store, found, &place, NULL) == UMEM_OK);
    if (heap->start == 0)
        heap->start = it->address - place.offset;
    it->offset = place.offset;
    MUST(heap->start % UNIT == 0 && it->address - it->offset == heap->start);
    MUST(it->offset % heap->alignment == 0);
    MUST(it->offset + taken(heap, it->size) <= reserved_of(heap));
    for (int i = 0; i < BLOCKS; i++) {
        const struct model_block *other = &run->blocks[i];

        if (i != block && other->alive && other->heap == it->heap)
            MUST(other->offset + taken(heap, other->size) <= it->offset ||
                 it->offset + taken(heap, it->size) <= other->offset);
    }
}

/* What a program does that has mapped the heap: the engine is not told. */
int do_write_behind(struct run *run)
{
    int block = some_block(run);
    struct model_block *it = &run->blocks[block == NONE ? 0 : block];
    uint64_t offset;
    uint64_t size;

    /* What is written to a block while it is being moved may be lost. */
    if (block == NONE || !run->heaps[it->heap].is_shared || it->size == 0 || is_being_moved(run, it->handle))
        return NONE;
    offset = roll(run, it->size);
    size = 1 + roll(run, it->size - offset < 20 ? it->size - offset : 20);
    for (uint64_t i = 0; i < size; i++)
        it->bytes[offset + i] = (unsigned char)roll(run, 4);
    memcpy(store_bytes(run, it->handle) + offset, it->bytes + offset, (size_t)size);
    return NONE;
}
