/* Heaps on POSIX: small and middle blocks lie in chunks of pages that the heap has for itself (heap_area.h, chunks_posix.h), large ones in
 * mappings of their own. The size alone says where a block is. */
#include "store/memory/heap_private.h"

#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/attributes.h"
#include "base/tree.h"
#include "store/memory/chunks_posix.h"
#include "store/memory/heap_area.h"
#include "store/memory/mapping_posix.h"

enum {
    MAPPED_SIZE = 1024 * 1024,      /* bytes; from here on a block is a mapping */
    CHUNK_LIMIT = 16 * 1024 * 1024, /* bytes of a chunk that is taken in advance */
    FREED_ENTRIES = 2048,           /* entries of tables that are freed at once */
    PIECE_SIZE = 4 * 1024 * 1024,   /* bytes that are returned at once */
    CALL_COST = 16 * 1024,          /* bytes that a call of the system's counts as */
    PIECE_CALLS = 64                /* calls of the system that this takes at most */
};

/* Pages that a heap was lent. */
struct chunk {
    struct um_tree_node by_offset;
    uint64_t offset; /* bytes, in the reservation */
    uint64_t size;   /* bytes */
};

struct private_heap {
    struct um_heap_area area;
    struct um_tree chunks;   /* of struct chunk, by offset */
    struct um_tree mappings; /* of struct um_mapping, by address */
    uint64_t chunk_bytes;    /* in all chunks */
    uint64_t mapped_bytes;   /* in all mappings */
    uint64_t ended; /* bytes: once destroyed, up to here the pages of the first chunk were returned */
    struct private_heap *next; /* in `destroyed` */
};

static bool purge(struct um_purge_source *purged);

static struct private_heap *destroyed; /* heaps of which the memory is to be freed */
static struct um_purge_source source = {.run = purge};

static bool is_mapped(uint64_t size)
{
    return size >= MAPPED_SIZE;
}

/* ---- chunks ---- */

static int compare_chunks(const struct um_tree_node *left, const struct um_tree_node *right)
{
    uint64_t a = UM_TREE_ITEM(left, const struct chunk, by_offset)->offset;
    uint64_t b = UM_TREE_ITEM(right, const struct chunk, by_offset)->offset;

    return (a > b) - (a < b);
}

static struct private_heap *heap_of(struct um_heap_area *area)
{
    return (struct private_heap *)(void *)((char *)area - offsetof(struct private_heap, area));
}

/* A heap begins with little, and takes more at once the more it has. */
static uint64_t chunk_size(const struct private_heap *heap, uint64_t size)
{
    uint64_t wanted = heap->chunk_bytes / 4;

    wanted = wanted > CHUNK_LIMIT ? CHUNK_LIMIT : wanted;
    wanted = wanted > size ? wanted : size;
    return wanted == 0 ? UM_CHUNK_UNIT : (wanted + UM_CHUNK_UNIT - 1) / UM_CHUNK_UNIT * UM_CHUNK_UNIT;
}

static bool grow(struct um_heap_area *area, uint64_t size)
{
    struct private_heap *heap = heap_of(area);
    struct chunk *chunk = malloc(sizeof *chunk);

    if (chunk == NULL)
        return false;
    chunk->size = chunk_size(heap, size);
    if (!um_chunks_take(&area->segment, chunk->size, &chunk->offset)) {
        free(chunk);
        return false;
    }
    if (!um_allocator_add(area->allocator, chunk->offset, chunk->size)) {
        um_chunks_give(&area->segment, chunk->offset, chunk->size);
        free(chunk);
        return false;
    }
    um_tree_insert(&heap->chunks, &chunk->by_offset);
    heap->chunk_bytes += chunk->size;
    return true;
}

static void give_chunk(struct private_heap *heap, struct chunk *chunk)
{
    um_tree_remove(&heap->chunks, &chunk->by_offset);
    um_chunks_give(&heap->area.segment, chunk->offset, chunk->size);
    heap->chunk_bytes -= chunk->size;
    free(chunk);
}

/* The chunks go that lie in the extent as a whole and have no memory. */
static void shrink(struct um_heap_area *area, uint64_t offset, uint64_t size)
{
    struct private_heap *heap = heap_of(area);
    uint64_t end = offset + size;

    while (offset < end) {
        const struct chunk key = {.offset = offset};
        struct um_tree_node *node = um_tree_ceiling(&heap->chunks, &key.by_offset);
        struct chunk *chunk = node != NULL ? UM_TREE_ITEM(node, struct chunk, by_offset) : NULL;

        if (chunk == NULL || chunk->offset + chunk->size > end)
            return;
        offset = chunk->offset + chunk->size;
        if (um_segment_count_touched(&area->segment, chunk->offset, chunk->size) != 0)
            continue;
        um_allocator_remove(area->allocator, chunk->offset, chunk->size);
        give_chunk(heap, chunk);
    }
}

/* ---- mappings ---- */

static int compare_mappings(const struct um_tree_node *left, const struct um_tree_node *right)
{
    uintptr_t a = (uintptr_t)UM_TREE_ITEM(left, const struct um_mapping, by_address)->address;
    uintptr_t b = (uintptr_t)UM_TREE_ITEM(right, const struct um_mapping, by_address)->address;

    return (a > b) - (a < b);
}

UM_NEVER_INLINE static struct um_mapping *mapping_at(const struct private_heap *heap, void *address)
{
    const struct um_mapping key = {.address = address};

    return UM_TREE_ITEM(um_tree_floor(&heap->mappings, &key.by_address), struct um_mapping, by_address);
}

UM_NEVER_INLINE static void *alloc_mapping(struct private_heap *heap, size_t size, uint32_t alignment)
{
    struct um_mapping *mapping = um_mapping_new(size, alignment);

    if (mapping == NULL)
        return NULL;
    um_tree_insert(&heap->mappings, &mapping->by_address);
    heap->mapped_bytes += mapping->length;
    return mapping->address;
}

UM_NEVER_INLINE static void free_mapping(struct private_heap *heap, struct um_mapping *mapping)
{
    um_tree_remove(&heap->mappings, &mapping->by_address);
    heap->mapped_bytes -= mapping->length;
    um_mapping_free(mapping);
}

/* Both sizes are those of a mapping. */
static bool resize_mapping(struct private_heap *heap, void **address, size_t old_size, size_t new_size,
                           bool may_move)
{
    struct um_mapping *mapping = mapping_at(heap, *address);
    size_t old_length = mapping->length - (size_t)(mapping->address - mapping->start);
    bool is_resized;

    um_tree_remove(&heap->mappings, &mapping->by_address);
    heap->mapped_bytes -= mapping->length;
    is_resized = um_mapping_resize(mapping, new_size, may_move);
    heap->mapped_bytes += mapping->length;
    um_tree_insert(&heap->mappings, &mapping->by_address);
    *address = mapping->address;
    if (!is_resized)
        return false;
    if (new_size > old_size) { /* the last page may hold what was there before the block was made smaller */
        size_t end = new_size < old_length ? new_size : old_length;

        memset((char *)*address + old_size, 0, end - old_size);
    }
    return true;
}

/* The kernel moves mappings, to page boundaries. */
static bool moves_uncopied(uint64_t old_size, uint64_t new_size, uint32_t alignment)
{
#ifdef __linux__
    return is_mapped(old_size) && is_mapped(new_size) && alignment <= um_mapping_page_size();
#else
    (void)old_size;
    (void)new_size;
    (void)alignment;
    return false;
#endif
}

/* ---- blocks ---- */

static void *alloc(void *memory, uint64_t size, uint32_t alignment)
{
    struct private_heap *heap = memory;

    if (size > PTRDIFF_MAX / 2)
        return NULL;
    return is_mapped(size) ? alloc_mapping(heap, (size_t)size, alignment) : um_area_alloc(&heap->area, size);
}

static void free_block(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    struct private_heap *heap = memory;

    (void)alignment;
    if (is_mapped(size))
        free_mapping(heap, mapping_at(heap, address));
    else
        um_area_free(&heap->area, address, size);
}

static bool resize(void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment,
                   bool in_place_only)
{
    struct private_heap *heap = memory;
    bool stays_small = !is_mapped(old_size) && !is_mapped(new_size);

    if (new_size > PTRDIFF_MAX / 2)
        return false;
    if (is_mapped(old_size) && is_mapped(new_size)) {
        if (resize_mapping(heap, address, (size_t)old_size, (size_t)new_size,
                           !in_place_only && alignment <= um_mapping_page_size()))
            return true;
    } else if (stays_small && um_area_resize(&heap->area, *address, old_size, new_size, !in_place_only)) {
        return true;
    }
    if (in_place_only)
        return false;
    /* A block that is made smaller stays where there is no other place. */
    return um_heap_move(&um_heap_private_ops, memory, address, old_size, new_size, alignment) ||
           (stays_small && new_size < old_size &&
            um_area_resize(&heap->area, *address, old_size, new_size, false));
}

/* ---- heaps ---- */

static bool create(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
    struct private_heap *heap = calloc(1, sizeof *heap);

    (void)initial_size; /* there is nothing that could be committed in advance */
    (void)maximum_size;
    if (heap == NULL)
        return false;
    if (!um_chunks_begin(&heap->area.segment)) {
        free(heap);
        return false;
    }
    heap->area.grow = grow;
    heap->area.shrink = shrink;
    um_tree_init(&heap->chunks, compare_chunks);
    um_tree_init(&heap->mappings, compare_mappings);
    if (!um_area_init(&heap->area, um_chunks_runs(), alignment, 0)) {
        um_chunks_leave();
        free(heap);
        return false;
    }
    *memory = heap;
    return true;
}

static bool create_process(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
#ifdef __GLIBC__
    /* Small records that are freed are joined with their neighbours at once. Left to itself glibc joins them
     * in heaps: after a million frees, one later call takes a tenth of a second. */
    mallopt(M_MXFAST, 0);
#endif
    return create(initial_size, maximum_size, alignment, memory);
}

static void destroy(void *memory)
{
    struct private_heap *heap = memory;

    um_area_end(&heap->area);
    heap->next = destroyed;
    destroyed = heap;
    um_purge_set_pending(&source, true);
}

static bool free_mappings(struct private_heap *heap, size_t *entries)
{
    for (; *entries != 0 && heap->mappings.count != 0; --*entries)
        free_mapping(heap, UM_TREE_ITEM(um_tree_first(&heap->mappings), struct um_mapping, by_address));
    return heap->mappings.count != 0;
}

/* Pages that the system does not take back are cleared when they are handed out again. */
static bool free_chunks(struct private_heap *heap, struct um_segment_budget *budget)
{
    while (heap->chunks.count != 0) {
        struct chunk *chunk = UM_TREE_ITEM(um_tree_first(&heap->chunks), struct chunk, by_offset);
        uint64_t end = chunk->offset + chunk->size;
        bool found;

        if (heap->ended < chunk->offset)
            heap->ended = chunk->offset;
        if (um_segment_age(&heap->area.segment, &heap->ended, end, UM_SEGMENT_TOUCHED, budget, &found) &&
            heap->ended < end)
            return true;
        give_chunk(heap, chunk);
    }
    return false;
}

/* Returns whether there is more. The runs go before the pages, which may get others. */
static bool free_some(struct private_heap *heap, size_t *entries, struct um_segment_budget *budget)
{
    if (free_mappings(heap, entries) || um_area_end_step(&heap->area, entries) || free_chunks(heap, budget))
        return true;
    um_chunks_leave();
    free(heap);
    return false;
}

static bool purge_destroyed(void)
{
    struct um_segment_budget budget = {
        .units = PIECE_SIZE / um_mapping_page_size(), .looks = UINT64_MAX, .calls = PIECE_CALLS};
    size_t entries = FREED_ENTRIES;

    while (destroyed != NULL && entries != 0 && budget.calls != 0 && budget.units != 0) {
        struct private_heap *next = destroyed->next;

        entries--;
        if (free_some(destroyed, &entries, &budget))
            break;
        destroyed = next;
    }
    um_purge_charge(PIECE_SIZE - budget.units * um_mapping_page_size() +
                    (PIECE_CALLS - budget.calls) * CALL_COST + CALL_COST);
    return destroyed != NULL;
}

static bool purge(struct um_purge_source *purged)
{
    (void)purged;
    return purge_destroyed();
}

static void compact_start(void *memory)
{
    struct private_heap *heap = memory;

    um_area_compact_start(&heap->area);
}

static bool compact_step(void *memory, uint64_t *largest_free)
{
    struct private_heap *heap = memory;

    return um_area_compact_step(&heap->area, largest_free);
}

static void get_stats(void *memory, struct um_heap_memory_stats *stats)
{
    const struct private_heap *heap = memory;

    um_area_get_stats(&heap->area, stats);
    stats->reserved += heap->mapped_bytes;
    stats->committed += heap->mapped_bytes;
}

#define PRIVATE_OPS(create_heap) \
    { \
        .destroy_frees_blocks = true, .create = (create_heap), .destroy = destroy, .alloc = alloc, \
        .resize = resize, .moves_uncopied = moves_uncopied, .free = free_block, .returns_pages = is_mapped, \
        .compact_start = compact_start, .compact_step = compact_step, .get_stats = get_stats, \
    }

const struct um_heap_ops um_heap_process_ops = PRIVATE_OPS(create_process);
const struct um_heap_ops um_heap_private_ops = PRIVATE_OPS(create);

uint32_t um_heap_private_system_heaps(void)
{
    return 0;
}

void um_heap_private_end(void)
{
    while (purge_destroyed())
        continue;
    um_purge_set_pending(&source, false);
    um_mapping_end();
    um_chunks_end();
}
