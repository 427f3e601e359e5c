/* The offsets of blocks in the object of a shared heap, and the free ranges between them. */
#include "model.h"

static uint64_t round_up(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

uint64_t model_reserved(const struct model_heap *heap)
{
    return round_up(heap->maximum_size, MODEL_UNIT);
}

uint64_t model_taken(const struct model_heap *heap, uint64_t size)
{
    return size == 0 ? heap->alignment : round_up(size, heap->alignment);
}

/* The first block that begins at `from` or later, or NONE. */
static int next_block(const struct model *model, int heap, uint64_t from)
{
    int next = MODEL_NONE;

    for (int i = 0; i < (int)model->block_places; i++) {
        const struct model_block *it = &model->blocks[i];

        if (it->alive && it->heap == heap && it->handle != 0 && it->offset >= from &&
            (next == MODEL_NONE || it->offset < model->blocks[next].offset))
            next = i;
    }
    return next;
}

/* The first piece between blocks that begins at *offset or later. Returns its size; 0: there is none. */
static uint64_t next_gap(const struct model *model, int heap, uint64_t *offset)
{
    const struct model_heap *it = &model->heaps[heap];
    uint64_t end = model_reserved(it);

    while (*offset < end) {
        int next = next_block(model, heap, *offset);
        uint64_t gap = (next != MODEL_NONE ? model->blocks[next].offset : end) - *offset;

        if (gap != 0)
            return gap;
        *offset += model_taken(it, model->blocks[next].size);
    }
    return 0;
}

struct model_gaps model_find_gaps(const struct model *model, int heap)
{
    struct model_gaps gaps = {0};
    uint64_t offset = 0;
    uint64_t size = next_gap(model, heap, &offset);

    for (; size != 0; size = next_gap(model, heap, &offset)) {
        gaps.bytes += size;
        gaps.count++;
        gaps.largest = size > gaps.largest ? size : gaps.largest;
        offset += size;
    }
    return gaps;
}

/* The smallest piece that is large enough; of equal ones, the first. */
uint64_t model_find_gap(const struct model *model, int heap, uint64_t size)
{
    uint64_t wanted = model_taken(&model->heaps[heap], size);
    uint64_t best = UINT64_MAX;
    uint64_t found = UINT64_MAX;
    uint64_t offset = 0;
    uint64_t gap = next_gap(model, heap, &offset);

    for (; gap != 0; gap = next_gap(model, heap, &offset)) {
        if (gap >= wanted && gap < best) {
            best = gap;
            found = offset;
        }
        offset += gap;
    }
    return found;
}

uint64_t model_find_gap_to_resize(const struct model *model, int block, uint64_t size, bool in_place)
{
    const struct model_block *it = &model->blocks[block];
    const struct model_heap *heap = &model->heaps[it->heap];
    uint64_t after = it->offset + model_taken(heap, it->size);
    uint64_t end = it->offset + model_taken(heap, size);
    uint64_t gap = after;
    uint64_t free_bytes = next_gap(model, it->heap, &gap);

    if (end <= after || (free_bytes != 0 && gap == after && end - after <= free_bytes))
        return it->offset;
    return in_place ? UINT64_MAX : model_find_gap(model, it->heap, size);
}

bool model_place_is_right(const struct model *model, int block)
{
    const struct model_block *it = &model->blocks[block];
    const struct model_heap *heap = &model->heaps[it->heap];
    uint64_t end = it->offset + model_taken(heap, it->size);

    if (it->offset % heap->alignment != 0 || end > model_reserved(heap))
        return false;
    for (unsigned i = 0; i < model->block_places; i++) {
        const struct model_block *other = &model->blocks[i];

        if (other != it && other->alive && other->heap == it->heap && other->offset < end &&
            it->offset < other->offset + model_taken(heap, other->size))
            return false;
    }
    return true;
}
