#include "extents_model.h"

#include <string.h>

#include "store/memory/extents.h"

bool range_model_init(struct range_model *model, uint64_t length, uint32_t alignment)
{
    memset(model, 0, sizeof *model);
    model->alignment = alignment;
    model->places = (size_t)(length / alignment);
    model->ranges = um_extents_new(length, alignment);
    return model->ranges != NULL;
}

void range_model_deinit(struct range_model *model)
{
    um_extents_free(model->ranges);
    model->ranges = NULL;
}

/* How many places a size takes up; more than there are where it is too large. */
static size_t places_for(const struct range_model *model, uint64_t size)
{
    if (size > (uint64_t)model->places * model->alignment)
        return RANGE_MODEL_PLACES + 1;
    return size == 0 ? 1 : (size_t)((size - 1) / model->alignment + 1);
}

/* How many places from `place` on are free. */
static size_t free_from(const struct range_model *model, size_t place)
{
    size_t count = 0;
    while (place + count < model->places && !model->is_used[place + count])
        count++;
    return count;
}

static void mark(struct range_model *model, size_t place, size_t count, bool used)
{
    memset(model->is_used + place, used, count);
}

/* Where the best fit is; model->places where there is none. */
static size_t best_fit(const struct range_model *model, size_t count)
{
    size_t best = model->places;
    size_t best_size = SIZE_MAX;
    for (size_t place = 0; place < model->places;) {
        size_t size = free_from(model, place);
        if (size >= count && size < best_size) {
            best = place;
            best_size = size;
        }
        place += size + 1;
    }
    return best;
}

const char *range_model_acquire(struct range_model *model, size_t block, uint64_t size)
{
    struct range_model_block *to = &model->blocks[block];
    uint64_t offset = UINT64_MAX;
    size_t count = places_for(model, size);
    size_t place = best_fit(model, count);
    if (to->used)
        return NULL;
    if (!um_extents_acquire(model->ranges, size, &offset)) {
        if (offset != UINT64_MAX)
            return "a range that was refused has an offset";
        return place == model->places ? NULL : "a range was refused although it fits";
    }
    if (place == model->places)
        return "a range was allocated although it does not fit";
    if (offset != (uint64_t)place * model->alignment)
        return "a range is not where the best fit is";
    mark(model, place, count, true);
    *to = (struct range_model_block){.used = true, .offset = offset, .size = size};
    model->block_count++;
    return NULL;
}

const char *range_model_release(struct range_model *model, size_t block)
{
    struct range_model_block *from = &model->blocks[block];
    if (!from->used)
        return NULL;
    um_extents_release(model->ranges, from->offset, from->size);
    mark(model, (size_t)(from->offset / model->alignment), places_for(model, from->size), false);
    from->used = false;
    model->block_count--;
    return NULL;
}

const char *range_model_resize(struct range_model *model, size_t block, uint64_t size)
{
    struct range_model_block *of = &model->blocks[block];
    if (!of->used)
        return NULL;
    size_t place = (size_t)(of->offset / model->alignment);
    size_t old_count = places_for(model, of->size);
    size_t new_count = places_for(model, size);
    bool fits = new_count <= old_count + free_from(model, place + old_count);
    if (um_extents_resize(model->ranges, of->offset, of->size, size) != fits)
        return fits ? "a range could not be resized that could be" : "a range grew over what is not free";
    if (!fits)
        return NULL;
    mark(model, place, old_count, false);
    mark(model, place, new_count, true);
    of->size = size;
    return NULL;
}

static const char *check_figures(const struct range_model *model, const struct um_extents_stats *expected)
{
    struct um_extents_stats figures;
    um_extents_get_stats(model->ranges, &figures);
    if (figures.length != expected->length)
        return "the length is wrong";
    if (figures.free_bytes != expected->free_bytes)
        return "the count of free bytes is wrong";
    if (figures.largest_free != expected->largest_free)
        return "the largest free range is wrong";
    if (figures.free_extents != expected->free_extents)
        return "the count of free ranges is wrong";
    if (figures.used_extents != expected->used_extents)
        return "the count of used ranges is wrong";
    return NULL;
}

const char *range_model_check(const struct range_model *model)
{
    struct um_extents_stats expected = {.length = (uint64_t)model->places * model->alignment,
                                        .used_extents = model->block_count};
    uint64_t offset = 0;
    uint64_t size = 0;
    for (size_t place = 0; place < model->places;) {
        size_t count = free_from(model, place);
        if (count == 0) {
            place++;
            continue;
        }
        if (!um_extents_next_free(model->ranges, offset + size, &offset, &size))
            return "a free range is missing";
        /* What the model has free in one piece must be one range: it is what joining is for. */
        if (offset != (uint64_t)place * model->alignment || size != (uint64_t)count * model->alignment)
            return "a free range is not where it should be, or not joined with what is beside it";
        expected.free_bytes += size;
        expected.free_extents++;
        if (size > expected.largest_free)
            expected.largest_free = size;
        place += count;
    }
    if (um_extents_next_free(model->ranges, offset + size, &offset, &size))
        return "there is a free range too many";
    return check_figures(model, &expected);
}
