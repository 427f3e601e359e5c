#include "allocator_model.h"

#include <string.h>

enum { PLACE = 16 };

/* Where a piece begins: behind every other one is a gap of its size. */
static uint64_t start_of(size_t piece)
{
    return (uint64_t)ALLOCATOR_MODEL_PIECE * (piece + piece / 2);
}

/* The piece that an offset lies in, or that comes after it. */
static size_t piece_at(uint64_t offset)
{
    size_t piece = 0;

    while (piece < ALLOCATOR_MODEL_PIECES && start_of(piece) + ALLOCATOR_MODEL_PIECE <= offset)
        piece++;
    return piece;
}

static bool is_space(const struct allocator_model *model, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size;

    while (offset < end) {
        size_t piece = piece_at(offset);

        if (piece == ALLOCATOR_MODEL_PIECES || !model->is_added[piece] || start_of(piece) > offset)
            return false;
        offset = start_of(piece) + ALLOCATOR_MODEL_PIECE;
    }
    return true;
}

static bool is_free(const struct allocator_model *model, uint64_t offset, uint64_t size)
{
    for (uint64_t place = offset / PLACE; place < (offset + size) / PLACE; place++) {
        if (model->owner[place] != 0)
            return false;
    }
    return true;
}

static void mark(struct allocator_model *model, const struct allocator_model_block *block, bool used)
{
    uint16_t owner = used ? (uint16_t)(block - model->blocks + 1) : 0;

    for (uint64_t place = block->offset / PLACE; place < (block->offset + block->capacity) / PLACE; place++)
        model->owner[place] = owner;
}

bool allocator_model_init(struct allocator_model *model, uint32_t alignment, uint32_t loose_limit)
{
    memset(model, 0, sizeof *model);
    model->alignment = alignment;
    if (!um_run_map_init(&model->map, (uint64_t)ALLOCATOR_MODEL_PLACES * PLACE))
        return false;
    model->allocator = um_allocator_new(&model->map, alignment, loose_limit);
    return model->allocator != NULL;
}

void allocator_model_deinit(struct allocator_model *model)
{
    size_t all = SIZE_MAX;

    um_allocator_free(model->allocator);
    (void)um_run_map_deinit_step(&model->map, &all);
    model->allocator = NULL;
}

/* ---- calls ---- */

const char *allocator_model_add(struct allocator_model *model, size_t piece)
{
    if (!model->is_added[piece])
        model->is_added[piece] = um_allocator_add(model->allocator, start_of(piece), ALLOCATOR_MODEL_PIECE);
    return NULL;
}

/* Whether the whole piece lies in free extents. Empty runs that are kept may be in the way. */
static bool is_removable(const struct allocator_model *model, size_t piece)
{
    uint64_t offset;
    uint64_t size;

    return model->is_added[piece] &&
           um_allocator_next_free(model->allocator, start_of(piece), &offset, &size) &&
           offset == start_of(piece) && size >= ALLOCATOR_MODEL_PIECE;
}

const char *allocator_model_remove(struct allocator_model *model, size_t piece)
{
    if (!is_removable(model, piece))
        return NULL;
    if (!is_free(model, start_of(piece), ALLOCATOR_MODEL_PIECE))
        return "a free extent has a block in it";
    um_allocator_remove(model->allocator, start_of(piece), ALLOCATOR_MODEL_PIECE);
    model->is_added[piece] = false;
    return NULL;
}

/* An eighth more than was asked for, rounded up to the alignment, and 16 bytes where that is little. */
static uint64_t most_capacity(const struct allocator_model *model, uint64_t size)
{
    uint64_t most = size + size / 8 + PLACE;

    return (most + model->alignment - 1) / model->alignment * model->alignment;
}

static const char *note_acquired(struct allocator_model *model, struct allocator_model_block *block)
{
    block->capacity = um_allocator_capacity(model->allocator, block->offset, block->size);
    if (block->offset % model->alignment != 0)
        return "a block is not aligned";
    if (block->capacity < block->size || block->capacity == 0 || block->capacity % PLACE != 0)
        return "a block's capacity is wrong";
    if (block->capacity > most_capacity(model, block->size))
        return "a block takes up much more than was asked for";
    if (!is_space(model, block->offset, block->capacity))
        return "a block lies outside of the space";
    if (!is_free(model, block->offset, block->capacity))
        return "a block lies on another one";
    block->used = true;
    mark(model, block, true);
    return NULL;
}

const char *allocator_model_acquire(struct allocator_model *model, size_t block, uint64_t size)
{
    struct allocator_model_block *to = &model->blocks[block];
    struct um_allocator_stats stats;
    uint64_t offset = UINT64_MAX;

    if (to->used)
        return NULL;
    um_allocator_get_stats(model->allocator, &stats);
    if (!um_allocator_acquire(model->allocator, size, &offset)) {
        if (offset != UINT64_MAX)
            return "a block that was refused has an offset";
        return size <= stats.largest_free && stats.largest_free != 0 ? "a block was refused although it fits"
                                                                     : NULL;
    }
    *to = (struct allocator_model_block){.offset = offset, .size = size};
    return note_acquired(model, to);
}

const char *allocator_model_restore(struct allocator_model *model, size_t block, uint64_t offset,
                                    uint64_t size)
{
    struct allocator_model_block *to = &model->blocks[block];
    uint64_t capacity =
        size == 0 ? model->alignment : (size + model->alignment - 1) / model->alignment * model->alignment;
    bool fits = offset % model->alignment == 0 && size < (uint64_t)ALLOCATOR_MODEL_PLACES * PLACE &&
                offset + capacity <= (uint64_t)ALLOCATOR_MODEL_PLACES * PLACE &&
                is_space(model, offset, capacity) && is_free(model, offset, capacity);

    if (to->used)
        return NULL;
    if (!um_allocator_restore(model->allocator, offset, size))
        return NULL; /* a run may be there */
    if (!fits)
        return "a block was restored where it cannot be";
    *to = (struct allocator_model_block){.offset = offset, .size = size};
    return note_acquired(model, to);
}

const char *allocator_model_release(struct allocator_model *model, size_t block)
{
    struct allocator_model_block *from = &model->blocks[block];

    if (!from->used)
        return NULL;
    mark(model, from, false);
    from->used = false;
    um_allocator_release(model->allocator, from->offset, from->size);
    return NULL;
}

const char *allocator_model_resize(struct allocator_model *model, size_t block, uint64_t size)
{
    struct allocator_model_block *of = &model->blocks[block];

    if (!of->used)
        return NULL;
    if (!um_allocator_resize(model->allocator, of->offset, of->size, size))
        return size <= of->capacity ? "a block could not be resized within its capacity" : NULL;
    mark(model, of, false);
    of->size = size;
    of->capacity = um_allocator_capacity(model->allocator, of->offset, size);
    if (of->capacity < size)
        return "a block's capacity is wrong";
    if (!is_space(model, of->offset, of->capacity) || !is_free(model, of->offset, of->capacity))
        return "a block grew over what is not free";
    mark(model, of, true);
    return NULL;
}

struct aged {
    const struct allocator_model *model;
    const char *disagreement;
};

static void on_part(void *context, uint64_t offset, uint64_t size)
{
    struct aged *aged = context;

    if (size == 0 || !is_space(aged->model, offset, size))
        aged->disagreement = "a free part of a run is outside of the space";
    else if (!is_free(aged->model, offset, size))
        aged->disagreement = "a free part of a run has a block in it";
}

const char *allocator_model_age(struct allocator_model *model, bool at_once, size_t runs)
{
    struct aged aged = {.model = model};

    um_allocator_age_begin(model->allocator);
    (void)um_allocator_age_step(model->allocator, at_once, &runs, on_part, &aged);
    return aged.disagreement;
}

/* ---- checking ---- */

static const char *check_free(const struct allocator_model *model, const struct um_allocator_stats *stats)
{
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t bytes = 0;
    uint64_t largest = 0;
    uint64_t count = 0;

    for (uint64_t from = 0; um_allocator_next_free(model->allocator, from, &offset, &size);
         from = offset + size) {
        if (!is_space(model, offset, size) || !is_free(model, offset, size))
            return "a free extent is not free";
        if (from != 0 && offset == from)
            return "two free extents are not joined";
        bytes += size;
        largest = size > largest ? size : largest;
        count++;
    }
    if (count != stats->free_extents || largest != stats->largest_free)
        return "the figures of free extents are wrong";
    for (uint32_t i = 0; i < stats->class_count; i++)
        bytes += stats->classes[i].free * stats->classes[i].size;
    return bytes != stats->free_bytes ? "the free bytes are wrong" : NULL;
}

const char *allocator_model_check(const struct allocator_model *model)
{
    struct um_allocator_stats stats;
    uint64_t length = 0;
    uint64_t taken = 0;
    uint64_t slots = 0;
    uint64_t blocks = 0;

    um_allocator_get_stats(model->allocator, &stats);
    for (size_t piece = 0; piece < ALLOCATOR_MODEL_PIECES; piece++)
        length += model->is_added[piece] ? ALLOCATOR_MODEL_PIECE : 0;
    if (stats.length != length)
        return "the length is wrong";
    for (size_t i = 0; i < ALLOCATOR_MODEL_BLOCKS; i++) {
        blocks += model->blocks[i].used;
        taken += model->blocks[i].used ? model->blocks[i].capacity : 0;
    }
    for (uint32_t i = 0; i < stats.class_count; i++) {
        if (stats.classes[i].size % model->alignment != 0 ||
            stats.classes[i].used + stats.classes[i].free == 0 ||
            (i != 0 && stats.classes[i].size <= stats.classes[i - 1].size))
            return "a size class is wrong";
        slots += stats.classes[i].used;
    }
    if (slots > blocks)
        return "more slots are used than there are blocks";
    /* The difference is what lies behind the last slots of runs. */
    if (length - stats.free_bytes < taken ||
        um_allocator_used_bytes(model->allocator) != length - stats.free_bytes)
        return "the bytes in use are wrong";
    return check_free(model, &stats);
}
