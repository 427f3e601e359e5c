/*
 * Each free extent is a node in two trees: by offset, which finds an extent's neighbours, and by size, which
 * finds the best fit. Extents never overlap, so one that grows or shrinks keeps its place by offset; only its
 * place by size changes.
 *
 * Releasing may make a new free extent between two used ones and must not fail, so nodes are allocated when extents
 * are acquired. As no two free extents touch, a piece of the space has at most one more of them than of used ones: with one
 * node for each used extent and one for each piece that was added, there is always a spare where one is needed, for an extent
 * that shrinks and for a piece that is removed too. A few spares more are kept, so that an acquire and a release in turn
 * allocate nothing.
 */
#include "store/memory/extents.h"

#include <assert.h>
#include <stdlib.h>

#include "base/tree.h"

enum { EXTRA_LIMIT = 16 /* spares that are kept beyond those that are needed */ };

/* A free extent, or a spare node that may become one. */
struct um_extent {
    struct um_tree_node by_offset;
    union {
        struct um_tree_node by_size;
        struct um_extent *next; /* spare: the next one, or NULL */
    } place;
    uint64_t offset; /* bytes */
    uint64_t size;   /* bytes, more than 0 */
};

struct um_extents {
    struct um_tree by_offset; /* all free extents */
    struct um_tree by_size;   /* the same ones; those of one size by offset */
    struct um_extent *spares; /* nodes not in use: together with the free extents, used + pieces + extra */
    size_t used;              /* extents acquired and not released */
    size_t pieces;            /* added and not removed */
    size_t extra;             /* spares that nothing needs */
    uint64_t length;          /* bytes in all pieces */
    uint64_t free_bytes;      /* bytes in all free extents */
    uint32_t alignment;       /* bytes, a power of two */
};

static struct um_extent *extent_by_offset(struct um_tree_node *node)
{
    return node != NULL ? UM_TREE_ITEM(node, struct um_extent, by_offset) : NULL;
}

static struct um_extent *extent_by_size(struct um_tree_node *node)
{
    return node != NULL ? UM_TREE_ITEM(node, struct um_extent, place.by_size) : NULL;
}

static int compare_numbers(uint64_t left, uint64_t right)
{
    return (left > right) - (left < right);
}

static int compare_offsets(const struct um_tree_node *left, const struct um_tree_node *right)
{
    return compare_numbers(UM_TREE_ITEM(left, const struct um_extent, by_offset)->offset,
                           UM_TREE_ITEM(right, const struct um_extent, by_offset)->offset);
}

static int compare_sizes(const struct um_tree_node *left, const struct um_tree_node *right)
{
    const struct um_extent *a = UM_TREE_ITEM(left, const struct um_extent, place.by_size);
    const struct um_extent *b = UM_TREE_ITEM(right, const struct um_extent, place.by_size);
    int order = compare_numbers(a->size, b->size);
    return order != 0 ? order : compare_numbers(a->offset, b->offset);
}

/* ---- nodes ---- */

static bool add_node(struct um_extents *extents)
{
    if (extents->extra != 0) {
        extents->extra--;
        return true;
    }
    struct um_extent *node = malloc(sizeof *node);
    if (node == NULL)
        return false;
    node->place.next = extents->spares;
    extents->spares = node;
    return true;
}

/* Takes a spare. There is one, as the top of the file says. */
static struct um_extent *take_spare(struct um_extents *extents)
{
    struct um_extent *node = extents->spares;
    assert(node != NULL);
    extents->spares = node->place.next;
    return node;
}

/* A node is needed no more. */
static void drop_node(struct um_extents *extents)
{
    if (extents->extra < EXTRA_LIMIT)
        extents->extra++;
    else
        free(take_spare(extents));
}

/* ---- free extents ---- */

static void add_extent(struct um_extents *extents, uint64_t offset, uint64_t size)
{
    struct um_extent *extent = take_spare(extents);
    extent->offset = offset;
    extent->size = size;
    um_tree_insert(&extents->by_offset, &extent->by_offset);
    um_tree_insert(&extents->by_size, &extent->place.by_size);
}

/* Gives a free extent other bounds, within which no other free extent lies. With size 0 it ends. */
static void set_extent(struct um_extents *extents, struct um_extent *extent, uint64_t offset, uint64_t size)
{
    um_tree_remove(&extents->by_size, &extent->place.by_size);
    extent->offset = offset;
    extent->size = size;
    if (size != 0) {
        um_tree_insert(&extents->by_size, &extent->place.by_size);
        return;
    }
    um_tree_remove(&extents->by_offset, &extent->by_offset);
    extent->place.next = extents->spares;
    extents->spares = extent;
}

/* The first free extent that begins at `offset` or later, or NULL. */
static struct um_extent *extent_from(const struct um_extents *extents, uint64_t offset)
{
    const struct um_extent key = {.offset = offset};
    return extent_by_offset(um_tree_ceiling(&extents->by_offset, &key.by_offset));
}

/* The last free extent that begins at `offset` or earlier, or NULL. */
static struct um_extent *extent_until(const struct um_extents *extents, uint64_t offset)
{
    const struct um_extent key = {.offset = offset};
    return extent_by_offset(um_tree_floor(&extents->by_offset, &key.by_offset));
}

static struct um_extent *best_fit(const struct um_extents *extents, uint64_t size)
{
    const struct um_extent key = {.size = size};
    return extent_by_size(um_tree_ceiling(&extents->by_size, &key.place.by_size));
}

/* Takes the first `size` bytes of a free extent away. */
static void cut(struct um_extents *extents, struct um_extent *extent, uint64_t size)
{
    set_extent(extents, extent, extent->offset + size, extent->size - size);
    extents->free_bytes -= size;
}

/* Makes [offset, offset + size) free and joins it with what is free beside it. */
static void make_free(struct um_extents *extents, uint64_t offset, uint64_t size)
{
    struct um_extent *before = extent_until(extents, offset);
    struct um_extent *after = extent_from(extents, offset);
    /* What is released must have been in use, all of it. */
    assert(before == NULL || before->offset + before->size <= offset);
    assert(after == NULL || after->offset >= offset + size);
    extents->free_bytes += size;
    if (after != NULL && after->offset == offset + size) {
        size += after->size;
        if (before == NULL || before->offset + before->size != offset) {
            set_extent(extents, after, offset, size);
            return;
        }
        set_extent(extents, after, after->offset, 0);
    }
    if (before != NULL && before->offset + before->size == offset)
        set_extent(extents, before, before->offset, before->size + size);
    else
        add_extent(extents, offset, size);
}

uint64_t um_extents_rounded(const struct um_extents *extents, uint64_t size)
{
    uint64_t mask = extents->alignment - 1;
    return size == 0 ? extents->alignment : (size + mask) & ~mask;
}

/* ---- the calls ---- */

struct um_extents *um_extents_new(uint64_t length, uint32_t alignment)
{
    assert(alignment >= UM_EXTENTS_ALIGNMENT_MINIMUM && alignment <= UM_EXTENTS_ALIGNMENT_LIMIT);
    assert((alignment & (alignment - 1)) == 0);
    assert(length <= UM_EXTENTS_LENGTH_LIMIT);
    struct um_extents *extents = calloc(1, sizeof *extents);
    if (extents == NULL)
        return NULL;
    um_tree_init(&extents->by_offset, compare_offsets);
    um_tree_init(&extents->by_size, compare_sizes);
    extents->alignment = alignment;
    length &= ~(uint64_t)(alignment - 1);
    if (length != 0 && !um_extents_add(extents, 0, length)) {
        free(extents);
        return NULL;
    }
    return extents;
}

bool um_extents_add(struct um_extents *extents, uint64_t offset, uint64_t size)
{
    assert(size != 0 && (offset | size) % extents->alignment == 0);
    assert(offset <= UM_EXTENTS_LENGTH_LIMIT && size <= UM_EXTENTS_LENGTH_LIMIT);
    if (!add_node(extents))
        return false;
    extents->pieces++;
    extents->length += size;
    make_free(extents, offset, size);
    return true;
}

/* Takes a part of a free extent away, which may lie in its middle. */
static void cut_out(struct um_extents *extents, struct um_extent *extent, uint64_t offset, uint64_t size)
{
    uint64_t end = extent->offset + extent->size;

    assert(extent->offset <= offset && offset + size <= end);
    extents->free_bytes -= size;
    if (extent->offset == offset) {
        set_extent(extents, extent, offset + size, end - offset - size);
        return;
    }
    set_extent(extents, extent, extent->offset, offset - extent->offset);
    if (offset + size != end)
        add_extent(extents, offset + size, end - offset - size);
}

void um_extents_remove(struct um_extents *extents, uint64_t offset, uint64_t size)
{
    struct um_extent *extent = extent_until(extents, offset);

    assert(extent != NULL && extents->pieces != 0);
    cut_out(extents, extent, offset, size);
    extents->length -= size;
    extents->pieces--;
    drop_node(extents);
}

bool um_extents_free_step(struct um_extents *extents, size_t *budget)
{
    for (; *budget > 0 && extents->spares != NULL; --*budget)
        free(take_spare(extents));
    for (; *budget > 0 && extents->by_offset.count != 0; --*budget) {
        struct um_tree_node *node = um_tree_first(&extents->by_offset);
        um_tree_remove(&extents->by_offset, node);
        free(extent_by_offset(node));
    }
    return extents->spares != NULL || extents->by_offset.count != 0;
}

void um_extents_free(struct um_extents *extents)
{
    size_t budget = SIZE_MAX;
    if (extents == NULL)
        return;
    (void)um_extents_free_step(extents, &budget);
    free(extents);
}

bool um_extents_acquire(struct um_extents *extents, uint64_t size, uint64_t *offset)
{
    if (size > extents->length)
        return false;
    size = um_extents_rounded(extents, size);
    struct um_extent *extent = best_fit(extents, size);
    if (extent == NULL || !add_node(extents))
        return false;
    *offset = extent->offset;
    cut(extents, extent, size);
    extents->used++;
    return true;
}

/* Where in a free extent one of `size` bytes at a multiple of `unit` may begin; UINT64_MAX: nowhere. */
static uint64_t aligned_place(const struct um_extent *extent, uint64_t size, uint64_t unit)
{
    uint64_t offset = (extent->offset + unit - 1) / unit * unit;
    uint64_t end = extent->offset + extent->size;

    return offset < end && size <= end - offset ? offset : UINT64_MAX;
}

bool um_extents_acquire_aligned(struct um_extents *extents, uint64_t size, uint32_t unit, uint64_t *offset)
{
    struct um_extent *extent;

    if (size > extents->length)
        return false;
    size = um_extents_rounded(extents, size);
    extent = best_fit(extents, size);
    if (extent != NULL && aligned_place(extent, size, unit) == UINT64_MAX)
        extent = best_fit(extents, size + unit - extents->alignment);
    if (extent == NULL || !add_node(extents))
        return false;
    *offset = aligned_place(extent, size, unit);
    cut_out(extents, extent, *offset, size);
    extents->used++;
    return true;
}

bool um_extents_acquire_at(struct um_extents *extents, uint64_t offset, uint64_t size)
{
    struct um_extent *extent;

    if (size > extents->length || offset % extents->alignment != 0)
        return false;
    size = um_extents_rounded(extents, size);
    extent = extent_until(extents, offset);
    if (extent == NULL || offset - extent->offset >= extent->size ||
        size > extent->size - (offset - extent->offset) || !add_node(extents))
        return false;
    cut_out(extents, extent, offset, size);
    extents->used++;
    return true;
}

void um_extents_release(struct um_extents *extents, uint64_t offset, uint64_t size)
{
    size = um_extents_rounded(extents, size);
    assert(extents->used > 0);
    assert(offset % extents->alignment == 0);
    make_free(extents, offset, size);
    extents->used--;
    drop_node(extents);
}

bool um_extents_resize(struct um_extents *extents, uint64_t offset, uint64_t old_size, uint64_t new_size)
{
    if (new_size > extents->length)
        return false;
    old_size = um_extents_rounded(extents, old_size);
    new_size = um_extents_rounded(extents, new_size);
    if (new_size < old_size) {
        make_free(extents, offset + new_size, old_size - new_size);
    } else if (new_size > old_size) {
        struct um_extent *after = extent_from(extents, offset + old_size);
        if (after == NULL || after->offset != offset + old_size || after->size < new_size - old_size)
            return false;
        cut(extents, after, new_size - old_size);
    }
    return true;
}

uint64_t um_extents_used_bytes(const struct um_extents *extents)
{
    return extents->length - extents->free_bytes;
}

bool um_extents_next_free(const struct um_extents *extents, uint64_t from, uint64_t *offset, uint64_t *size)
{
    const struct um_extent *extent = extent_until(extents, from);
    if (extent == NULL || extent->offset + extent->size <= from)
        extent = extent_from(extents, from);
    if (extent == NULL)
        return false;
    *offset = extent->offset < from ? from : extent->offset;
    *size = extent->offset + extent->size - *offset;
    return true;
}

bool um_extents_next_large(const struct um_extents *extents, uint64_t *offset, uint64_t *size)
{
    const struct um_extent key = {.offset = *offset, .size = *size};
    const struct um_extent *extent = extent_by_size(um_tree_ceiling(&extents->by_size, &key.place.by_size));

    if (extent == NULL)
        return false;
    *offset = extent->offset;
    *size = extent->size;
    return true;
}

void um_extents_get_stats(const struct um_extents *extents, struct um_extents_stats *stats)
{
    const struct um_extent *largest = extent_by_size(um_tree_last(&extents->by_size));
    stats->length = extents->length;
    stats->free_bytes = extents->free_bytes;
    stats->largest_free = largest != NULL ? largest->size : 0;
    stats->free_extents = extents->by_offset.count;
    stats->used_extents = extents->used;
}
