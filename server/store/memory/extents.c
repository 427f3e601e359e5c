/*
 * Each free range is a node in two trees: by offset, which finds a range's neighbours, and by size, which
 * finds the best fit. Ranges never overlap, so one that grows or shrinks keeps its place by offset; only its
 * place by size changes.
 *
 * Releasing may make a new free range between two used ones and must not fail, so nodes are got when ranges
 * are acquired. As no two free ranges touch, there is at most one more of them than of used ones: with one
 * node for each used range and one more, there is always a spare where one is needed, for a range that
 * shrinks too.
 */
#include "store/memory/extents.h"

#include <assert.h>
#include <stdlib.h>

#include "base/tree.h"

/* A free range, or a spare node that may become one. */
struct um_range {
    struct um_tree_node by_offset;
    union {
        struct um_tree_node by_size;
        struct um_range *next; /* spare: the next one, or NULL */
    } place;
    uint64_t offset; /* bytes */
    uint64_t size;   /* bytes, more than 0 */
};

struct um_extents {
    struct um_tree by_offset; /* all free ranges */
    struct um_tree by_size;   /* the same ones; those of one size by offset */
    struct um_range *spares;  /* nodes not in use: together with the free ranges, used + 1 */
    size_t used;              /* ranges acquired and not released */
    uint64_t length;          /* bytes in all */
    uint64_t free_bytes;      /* bytes in all free ranges */
    uint32_t alignment;       /* bytes, a power of two */
};

static struct um_range *range_by_offset(struct um_tree_node *node)
{
    return node != NULL ? UM_TREE_ITEM(node, struct um_range, by_offset) : NULL;
}

static struct um_range *range_by_size(struct um_tree_node *node)
{
    return node != NULL ? UM_TREE_ITEM(node, struct um_range, place.by_size) : NULL;
}

static int compare_numbers(uint64_t left, uint64_t right)
{
    return (left > right) - (left < right);
}

static int compare_offsets(const struct um_tree_node *left, const struct um_tree_node *right)
{
    return compare_numbers(UM_TREE_ITEM(left, const struct um_range, by_offset)->offset,
                           UM_TREE_ITEM(right, const struct um_range, by_offset)->offset);
}

static int compare_sizes(const struct um_tree_node *left, const struct um_tree_node *right)
{
    const struct um_range *a = UM_TREE_ITEM(left, const struct um_range, place.by_size);
    const struct um_range *b = UM_TREE_ITEM(right, const struct um_range, place.by_size);
    int order = compare_numbers(a->size, b->size);
    return order != 0 ? order : compare_numbers(a->offset, b->offset);
}

/* ---- nodes ---- */

static bool add_node(struct um_extents *ranges)
{
    struct um_range *node = malloc(sizeof *node);
    if (node == NULL)
        return false;
    node->place.next = ranges->spares;
    ranges->spares = node;
    return true;
}

/* Takes a spare. There is one, as the top of the file says. */
static struct um_range *take_spare(struct um_extents *ranges)
{
    struct um_range *node = ranges->spares;
    assert(node != NULL);
    ranges->spares = node->place.next;
    return node;
}

/* ---- free ranges ---- */

static void add_range(struct um_extents *ranges, uint64_t offset, uint64_t size)
{
    struct um_range *range = take_spare(ranges);
    range->offset = offset;
    range->size = size;
    um_tree_insert(&ranges->by_offset, &range->by_offset);
    um_tree_insert(&ranges->by_size, &range->place.by_size);
}

/* Gives a free range other bounds, within which no other free range lies. With size 0 it ends. */
static void set_range(struct um_extents *ranges, struct um_range *range, uint64_t offset, uint64_t size)
{
    um_tree_remove(&ranges->by_size, &range->place.by_size);
    range->offset = offset;
    range->size = size;
    if (size != 0) {
        um_tree_insert(&ranges->by_size, &range->place.by_size);
        return;
    }
    um_tree_remove(&ranges->by_offset, &range->by_offset);
    range->place.next = ranges->spares;
    ranges->spares = range;
}

/* The first free range that begins at `offset` or later, or NULL. */
static struct um_range *range_from(const struct um_extents *ranges, uint64_t offset)
{
    const struct um_range key = {.offset = offset};
    return range_by_offset(um_tree_ceiling(&ranges->by_offset, &key.by_offset));
}

/* The last free range that begins at `offset` or earlier, or NULL. */
static struct um_range *range_until(const struct um_extents *ranges, uint64_t offset)
{
    const struct um_range key = {.offset = offset};
    return range_by_offset(um_tree_floor(&ranges->by_offset, &key.by_offset));
}

static struct um_range *best_fit(const struct um_extents *ranges, uint64_t size)
{
    const struct um_range key = {.size = size};
    return range_by_size(um_tree_ceiling(&ranges->by_size, &key.place.by_size));
}

/* Takes the first `size` bytes of a free range away. */
static void cut(struct um_extents *ranges, struct um_range *range, uint64_t size)
{
    set_range(ranges, range, range->offset + size, range->size - size);
    ranges->free_bytes -= size;
}

/* Makes [offset, offset + size) free and joins it with what is free beside it. */
static void give(struct um_extents *ranges, uint64_t offset, uint64_t size)
{
    struct um_range *before = range_until(ranges, offset);
    struct um_range *after = range_from(ranges, offset);
    /* What is released must have been in use, all of it. */
    assert(before == NULL || before->offset + before->size <= offset);
    assert(after == NULL || after->offset >= offset + size);
    ranges->free_bytes += size;
    if (after != NULL && after->offset == offset + size) {
        size += after->size;
        if (before == NULL || before->offset + before->size != offset) {
            set_range(ranges, after, offset, size);
            return;
        }
        set_range(ranges, after, after->offset, 0);
    }
    if (before != NULL && before->offset + before->size == offset)
        set_range(ranges, before, before->offset, before->size + size);
    else
        add_range(ranges, offset, size);
}

/* What a range of `size` bytes, at most the length, takes up. */
static uint64_t rounded(const struct um_extents *ranges, uint64_t size)
{
    uint64_t mask = ranges->alignment - 1;
    return size == 0 ? ranges->alignment : (size + mask) & ~mask;
}

/* ---- the calls ---- */

struct um_extents *um_extents_new(uint64_t length, uint32_t alignment)
{
    assert(alignment >= UM_EXTENTS_ALIGNMENT_MINIMUM && alignment <= UM_EXTENTS_ALIGNMENT_LIMIT);
    assert((alignment & (alignment - 1)) == 0);
    assert(length <= UM_EXTENTS_LENGTH_LIMIT);
    struct um_extents *ranges = calloc(1, sizeof *ranges);
    if (ranges == NULL)
        return NULL;
    um_tree_init(&ranges->by_offset, compare_offsets);
    um_tree_init(&ranges->by_size, compare_sizes);
    ranges->alignment = alignment;
    ranges->length = length & ~(uint64_t)(alignment - 1);
    if (!add_node(ranges)) {
        free(ranges);
        return NULL;
    }
    if (ranges->length != 0)
        give(ranges, 0, ranges->length);
    return ranges;
}

bool um_extents_free_step(struct um_extents *ranges, size_t *budget)
{
    for (; *budget > 0 && ranges->spares != NULL; --*budget)
        free(take_spare(ranges));
    for (; *budget > 0 && ranges->by_offset.count != 0; --*budget) {
        struct um_tree_node *node = um_tree_first(&ranges->by_offset);
        um_tree_remove(&ranges->by_offset, node);
        free(range_by_offset(node));
    }
    return ranges->spares != NULL || ranges->by_offset.count != 0;
}

void um_extents_free(struct um_extents *ranges)
{
    size_t budget = SIZE_MAX;
    if (ranges == NULL)
        return;
    (void)um_extents_free_step(ranges, &budget);
    free(ranges);
}

bool um_extents_acquire(struct um_extents *ranges, uint64_t size, uint64_t *offset)
{
    if (size > ranges->length)
        return false;
    size = rounded(ranges, size);
    struct um_range *range = best_fit(ranges, size);
    if (range == NULL || !add_node(ranges))
        return false;
    *offset = range->offset;
    cut(ranges, range, size);
    ranges->used++;
    return true;
}

void um_extents_release(struct um_extents *ranges, uint64_t offset, uint64_t size)
{
    size = rounded(ranges, size);
    assert(ranges->used > 0);
    assert(offset % ranges->alignment == 0 && offset < ranges->length && size <= ranges->length - offset);
    give(ranges, offset, size);
    ranges->used--;
    free(take_spare(ranges));
}

bool um_extents_resize(struct um_extents *ranges, uint64_t offset, uint64_t old_size, uint64_t new_size)
{
    if (new_size > ranges->length)
        return false;
    old_size = rounded(ranges, old_size);
    new_size = rounded(ranges, new_size);
    if (new_size < old_size) {
        give(ranges, offset + new_size, old_size - new_size);
    } else if (new_size > old_size) {
        struct um_range *after = range_from(ranges, offset + old_size);
        if (after == NULL || after->offset != offset + old_size || after->size < new_size - old_size)
            return false;
        cut(ranges, after, new_size - old_size);
    }
    return true;
}

bool um_extents_next_free(const struct um_extents *ranges, uint64_t from, uint64_t *offset, uint64_t *size)
{
    const struct um_range *range = range_until(ranges, from);
    if (range == NULL || range->offset + range->size <= from)
        range = range_from(ranges, from);
    if (range == NULL)
        return false;
    *offset = range->offset < from ? from : range->offset;
    *size = range->offset + range->size - *offset;
    return true;
}

void um_extents_get_stats(const struct um_extents *ranges, struct um_extents_stats *figures)
{
    const struct um_range *largest = range_by_size(um_tree_last(&ranges->by_size));
    figures->length = ranges->length;
    figures->free_bytes = ranges->free_bytes;
    figures->largest_free = largest != NULL ? largest->size : 0;
    figures->free_ranges = ranges->by_offset.count;
    figures->used_ranges = ranges->used;
}
