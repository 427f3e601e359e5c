/* Heaps in shared memory: blocks are extents of one object that clients may map. Which extents are free, and
 * which units of the object are committed, is in tables of our own: nothing is ever decided by what the
 * memory holds, because clients may write anything there. For the same reason memory is cleared when it is
 * handed out, and not before. */
#include "store/memory/heap_shared.h"

#include <stdlib.h>
#include <string.h>

#include "store/memory/extents.h"
#include "store/memory/purge.h"
#include "store/memory/shm_segment.h"

enum {
    PURGED_UNITS = 64,                  /* at once: 4 MiB */
    EXAMINED_UNITS = 64 * 1024,         /* at once */
    FREED_ENTRIES = 2048,               /* entries of tables that are freed at once */
    COMMITTED_AT_ONCE = 4 * 1024 * 1024 /* bytes of initial_size that create() commits itself */
};

struct shared_heap {
    struct shared_heap *next; /* in `queue` or `destroyed` */
    bool is_queued;           /* free units may be committed, which is to be changed */
    bool is_thorough;         /* while queued: also those that clients may have touched without asking */
    uint64_t cursor;          /* bytes; while queued: up to here all that is free has been decommitted */
    struct um_segment segment;
    struct um_extents *extents;
};

static bool purge_queued(struct um_purge_source *source);
static bool free_tables_of_destroyed(struct um_purge_source *source);

static struct shared_heap *queue;     /* of heaps with free units to decommit */
static struct shared_heap *destroyed; /* heaps whose tables are to be freed */
static struct um_purge_source units_source = {.run = purge_queued};
static struct um_purge_source tables_source = {.run = free_tables_of_destroyed};

/* ---- purging ---- */

/* Has free units from `offset` on decommitted. The heap itself is queued, so that freeing allocates nothing. */
static void enqueue_purge(struct shared_heap *heap, uint64_t offset)
{
    if (heap->is_queued) {
        heap->cursor = offset < heap->cursor ? offset : heap->cursor;
        return;
    }
    heap->is_queued = true;
    heap->cursor = offset;
    heap->next = queue;
    queue = heap;
    um_purge_set_pending(&units_source, true);
}

static void dequeue_purge(struct shared_heap *heap)
{
    struct shared_heap **link = &queue;

    if (!heap->is_queued)
        return;
    while (*link != heap)
        link = &(*link)->next;
    *link = heap->next;
    heap->is_queued = false;
    heap->is_thorough = false;
    um_purge_set_pending(&units_source, queue != NULL);
}

/* The first unit from `unit` on, but before `end`, that may have memory; `end` where there is none. Clients may touch any. */
static uint64_t next_to_purge(const struct shared_heap *heap, uint64_t unit, uint64_t end)
{
    return heap->is_thorough ? unit : um_segment_next(&heap->segment, unit, end, true);
}

/* Decommits a piece, of which the parts may lie anywhere. */
static void purge_some(struct shared_heap *heap)
{
    uint64_t left = PURGED_UNITS;
    uint64_t examined = 0;
    uint64_t offset;
    uint64_t size;

    while (um_extents_next_free(heap->extents, heap->cursor, &offset, &size)) {
        uint64_t first = (offset + UM_SHM_UNIT - 1) / UM_SHM_UNIT;
        uint64_t end = (offset + size) / UM_SHM_UNIT;
        uint64_t found;
        uint64_t last;

        if (left == 0 || examined >= EXAMINED_UNITS)
            return;
        if (first >= end) { /* no unit is free as a whole */
            heap->cursor = offset + size;
            examined++;
            continue;
        }
        last = end < first + EXAMINED_UNITS ? end : first + EXAMINED_UNITS;
        found = next_to_purge(heap, first, last);
        examined += found - first;
        if (found < last) {
            last = last < found + left ? last : found + left;
            if (!heap->is_thorough)
                last = um_segment_next(&heap->segment, found, last, false);
            if (!um_segment_decommit(&heap->segment, found * UM_SHM_UNIT, (last - found) * UM_SHM_UNIT))
                break; /* the system cannot */
            left -= last - found;
        }
        heap->cursor = last < end ? last * UM_SHM_UNIT : offset + size;
    }
    dequeue_purge(heap);
}

static bool purge_queued(struct um_purge_source *source)
{
    (void)source;
    if (queue != NULL)
        purge_some(queue);
    return queue != NULL;
}

static bool free_tables_of_destroyed(struct um_purge_source *source)
{
    struct shared_heap *heap = destroyed;
    size_t budget = FREED_ENTRIES;

    (void)source;
    if (heap != NULL && !um_extents_free_step(heap->extents, &budget)) {
        destroyed = heap->next;
        um_extents_free(heap->extents);
        free(heap);
    }
    return destroyed != NULL;
}

size_t um_heap_shared_ending(void)
{
    return um_shm_ending();
}

/* ---- the heap ---- */

static void destroy(void *memory)
{
    struct shared_heap *heap = memory;

    dequeue_purge(heap);
    um_segment_deinit(&heap->segment);
    if (heap->extents == NULL) {
        free(heap);
        return;
    }
    heap->next = destroyed;
    destroyed = heap;
    um_purge_set_pending(&tables_source, true);
}

static bool create(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
    struct shared_heap *heap;

    if (maximum_size == 0 || maximum_size > PTRDIFF_MAX / 2)
        return false;
    heap = calloc(1, sizeof *heap);
    if (heap == NULL)
        return false;
    /* The object first: where it cannot be made, the tables need not be. */
    if (um_segment_init(&heap->segment, maximum_size))
        heap->extents = um_extents_new(heap->segment.length, alignment);
    if (heap->extents == NULL ||
        !um_segment_commit(&heap->segment, 0,
                           initial_size < COMMITTED_AT_ONCE ? initial_size : COMMITTED_AT_ONCE)) {
        destroy(heap);
        return false;
    }
    *memory = heap;
    return true;
}

static bool commit(void *memory, uint64_t offset, uint64_t size)
{
    struct shared_heap *heap = memory;

    return um_segment_commit(&heap->segment, offset, size);
}

static uint64_t offset_of(const struct shared_heap *heap, const void *address)
{
    return (uint64_t)((const unsigned char *)address - um_shm_start(heap->segment.shm));
}

static void *reserve(void *memory, uint64_t size)
{
    struct shared_heap *heap = memory;
    uint64_t offset;

    if (!um_shm_is_whole(heap->segment.shm) || size > heap->segment.length ||
        !um_extents_acquire(heap->extents, size, &offset))
        return NULL;
    return um_shm_start(heap->segment.shm) + offset;
}

static bool prepare(void *memory, void *address, uint64_t offset, uint64_t size)
{
    struct shared_heap *heap = memory;

    return um_segment_renew(&heap->segment, offset_of(heap, address) + offset, size);
}

static void free_block(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    struct shared_heap *heap = memory;
    uint64_t offset = offset_of(heap, address);

    (void)alignment;
    um_extents_release(heap->extents, offset, size);
    if (size >= UM_SEGMENT_RENEWED)
        enqueue_purge(heap, offset);
}

static void *alloc(void *memory, uint64_t size, uint32_t alignment)
{
    struct shared_heap *heap = memory;
    void *address = reserve(memory, size);
    uint64_t offset;

    (void)alignment;
    if (address == NULL || prepare(memory, address, 0, size))
        return address;
    /* What was committed of it is decommitted here and now: work that is left behind would look like a reason to try again. */
    offset = offset_of(heap, address);
    um_segment_decommit(&heap->segment, offset, size);
    um_extents_release(heap->extents, offset, size);
    return NULL;
}

static bool resize_in_place(struct shared_heap *heap, uint64_t offset, uint64_t old_size, uint64_t new_size)
{
    if (new_size > heap->segment.length || !um_extents_resize(heap->extents, offset, old_size, new_size))
        return false;
    if (new_size + UM_SEGMENT_RENEWED <= old_size)
        enqueue_purge(heap, offset + new_size);
    if (new_size <= old_size || um_segment_renew(&heap->segment, offset + old_size, new_size - old_size))
        return true;
    um_segment_decommit(&heap->segment, offset + old_size, new_size - old_size);
    um_extents_resize(heap->extents, offset, new_size, old_size);
    return false;
}

static bool extend(void *memory, void *address, uint64_t old_size, uint64_t new_size)
{
    struct shared_heap *heap = memory;

    return um_shm_is_whole(heap->segment.shm) && new_size <= heap->segment.length &&
           um_extents_resize(heap->extents, offset_of(heap, address), old_size, new_size);
}

static void retract(void *memory, void *address, uint64_t old_size, uint64_t new_size)
{
    struct shared_heap *heap = memory;
    uint64_t offset = offset_of(heap, address);

    (void)um_extents_resize(heap->extents, offset, old_size, new_size);
    enqueue_purge(heap, offset + new_size);
}

static bool resize(void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment,
                   bool in_place_only)
{
    struct shared_heap *heap = memory;

    if (!um_shm_is_whole(heap->segment.shm))
        return false;
    if (resize_in_place(heap, offset_of(heap, *address), old_size, new_size))
        return true;
    return !in_place_only &&
           um_heap_move(&um_heap_shared_ops, memory, address, old_size, new_size, alignment);
}

/* Large memory is returned to the system, in whole units, so that clients that have it mapped see zeros as well. */
static void wipe(void *memory, void *address, uint64_t size)
{
    struct shared_heap *heap = memory;
    uint64_t offset = offset_of(heap, address);

    if (size >= UM_SEGMENT_RENEWED)
        um_segment_decommit(&heap->segment, offset, size);
    um_segment_clear(&heap->segment, offset, size);
}

static bool validate(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    const struct shared_heap *heap = memory;

    (void)size;
    (void)alignment;
    return address == NULL ? um_shm_check(heap->segment.shm) : um_shm_is_whole(heap->segment.shm);
}

/* Whatever is free is decommitted, committed or not: touching an object that is mapped commits memory, which only the system knows. */
static void compact_start(void *memory)
{
    struct shared_heap *heap = memory;

    heap->is_thorough = true;
    enqueue_purge(heap, 0);
}

static bool compact_step(void *memory, uint64_t *largest_free)
{
    struct shared_heap *heap = memory;
    struct um_extents_stats stats;

    if (heap->is_queued)
        purge_some(heap);
    um_extents_get_stats(heap->extents, &stats);
    *largest_free = stats.largest_free;
    return heap->is_queued;
}

static void get_stats(void *memory, struct um_heap_memory_stats *stats)
{
    struct shared_heap *heap = memory;
    struct um_extents_stats extents;

    um_extents_get_stats(heap->extents, &extents);
    *stats = (struct um_heap_memory_stats){
        .reserved = heap->segment.length,
        .committed = heap->segment.committed_units * UM_SHM_UNIT,
        .free_bytes = extents.free_bytes,
        .free_ranges = extents.free_extents,
        .largest_free = extents.largest_free,
        .corrupted = !um_shm_check(heap->segment.shm),
    };
}

static uint64_t capacity(void *memory, const void *address, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)address;
    return (size + alignment - 1) / alignment * alignment;
}

static void locate(void *memory, const void *address, struct um_place *place)
{
    const struct shared_heap *heap = memory;

    *place = (struct um_place){
        .name = um_shm_name(heap->segment.shm),
        .path = um_shm_path(heap->segment.shm),
        .offset = offset_of(heap, address),
    };
}

const struct um_heap_ops um_heap_shared_ops = {
    .destroy_frees_blocks = true,
    .validates_whole = true,
    .create = create,
    .destroy = destroy,
    .alloc = alloc,
    .reserve = reserve,
    .prepare = prepare,
    .commit = commit,
    .extend = extend,
    .retract = retract,
    .resize = resize,
    .free = free_block,
    .wipe = wipe,
    .validate = validate,
    .compact_start = compact_start,
    .compact_step = compact_step,
    .get_stats = get_stats,
    .capacity = capacity,
    .locate = locate,
};
