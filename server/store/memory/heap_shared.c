/* Heaps in shared memory: blocks are extents of one object that clients may map. Which extents are free, and
 * which units of the object are committed, is in tables of our own: nothing is ever decided by what the
 * memory holds, because clients may write anything there. For the same reason memory is cleared when it is
 * handed out, and not before. */
#include "store/memory/heap_shared.h"

#include <stdlib.h>

#include "store/memory/heap_area.h"
#include "store/memory/poison.h"
#include "store/memory/shm.h"

enum {
    ENTRY_COST = 2048,                   /* bytes that are returned in the time that an entry takes */
    FREED_ENTRIES = 2048,                /* entries of tables that are freed at once */
    LOOSE_BLOCKS = 32,                   /* of a size that are extents before there are runs for it */
    COMMITTED_AT_ONCE = 4 * 1024 * 1024, /* bytes of initial_size that create() commits itself */
    RENEWED_SIZE = 1024 * 1024           /* bytes of a block that is given new pages rather than cleared */
};

struct shared_heap {
    struct um_heap_area area;
    struct um_run_map runs;
    uint64_t length;          /* bytes of the object, a multiple of the unit */
    struct shared_heap *next; /* in `destroyed` */
};

static bool free_tables_of_destroyed(struct um_purge_source *source);

static struct shared_heap *destroyed; /* heaps whose tables are to be freed */
static struct um_purge_source tables_source = {.run = free_tables_of_destroyed};

/* ---- the segment ---- */

static bool commit_units(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    return um_shm_commit(segment->object, offset, size);
}

static bool decommit_units(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    return um_shm_decommit(segment->object, offset, size);
}

static const struct um_segment_ops segment_ops = {
    .commit = commit_units,
    .decommit = decommit_units,
    .is_private = false,
    .renewed_size = RENEWED_SIZE,
};

/* The object comes first: where it cannot be made, the tables need not be. */
static bool make_segment(struct um_segment *segment, struct um_shm *object, uint64_t length)
{
    size_t bits = (size_t)(length / UM_SHM_UNIT / 8 + 1);

    segment->object = object;
    if (segment->object == NULL)
        return false;
    segment->ops = &segment_ops;
    segment->start = um_shm_start(segment->object);
    segment->unit = (uint32_t)UM_SHM_UNIT;
    segment->touched = calloc(bits, 1);
    segment->idle = calloc(bits, 1);
    return segment->touched != NULL && segment->idle != NULL;
}

static void free_segment(struct shared_heap *heap)
{
    struct um_segment *segment = &heap->area.segment;

    if (segment->start != NULL)
        UM_UNPOISON(segment->start, heap->length);
    um_shm_free(segment->object);
    free(segment->touched);
    free(segment->idle);
}

/* ---- the heap ---- */

static bool free_tables(struct shared_heap *heap, size_t *budget)
{
    if (um_area_end_step(&heap->area, budget) || um_run_map_deinit_step(&heap->runs, budget))
        return true;
    free(heap);
    return false;
}

static bool free_tables_of_destroyed(struct um_purge_source *source)
{
    struct shared_heap *heap = destroyed;
    size_t budget = FREED_ENTRIES;

    (void)source;
    if (heap != NULL) {
        struct shared_heap *next = heap->next;

        if (!free_tables(heap, &budget))
            destroyed = next;
    }
    um_purge_charge((FREED_ENTRIES - budget + 1) * ENTRY_COST);
    return destroyed != NULL;
}

size_t um_heap_shared_ending(void)
{
    return um_shm_ending();
}

static void destroy(void *memory)
{
    struct shared_heap *heap = memory;

    um_area_end(&heap->area);
    free_segment(heap);
    heap->next = destroyed;
    destroyed = heap;
    um_purge_set_pending(&tables_source, true);
}

static bool make_tables(struct shared_heap *heap, uint32_t alignment)
{
    return um_run_map_init(&heap->runs, heap->length) &&
           um_area_init(&heap->area, &heap->runs, alignment, LOOSE_BLOCKS) &&
           um_allocator_add(heap->area.allocator, 0, heap->length);
}

uint64_t um_heap_shared_length(uint64_t maximum_size)
{
    return (maximum_size + UM_SHM_UNIT - 1) / UM_SHM_UNIT * UM_SHM_UNIT;
}

/* Makes a heap in an object, which is the heap's where it succeeds, and freed where it does not. NULL is fine, and fails. */
static struct shared_heap *make_heap(struct um_shm *object, uint64_t length, uint64_t initial_size,
                                     uint32_t alignment)
{
    struct shared_heap *heap = calloc(1, sizeof *heap);
    size_t all = SIZE_MAX;

    if (heap == NULL) {
        um_shm_free(object);
        return NULL;
    }
    heap->length = length;
    if (make_segment(&heap->area.segment, object, length) && make_tables(heap, alignment) &&
        um_segment_commit(&heap->area.segment, 0,
                          initial_size < COMMITTED_AT_ONCE ? initial_size : COMMITTED_AT_ONCE)) {
        heap->area.kept = initial_size;
        return heap;
    }
    free_segment(heap);
    (void)free_tables(heap, &all);
    return NULL;
}

static bool create(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
    uint64_t length = um_heap_shared_length(maximum_size);
    struct shared_heap *heap;

    if (maximum_size == 0 || maximum_size > PTRDIFF_MAX / 2)
        return false;
    heap = make_heap(um_shm_new(length), length, initial_size, alignment);
    if (heap != NULL)
        *memory = heap;
    return heap != NULL;
}

bool um_heap_shared_open(const char *path, uint64_t length, uint32_t alignment, void **memory)
{
    struct shared_heap *heap = make_heap(um_shm_open(path, length), length, 0, alignment);

    if (heap != NULL)
        *memory = heap;
    return heap != NULL;
}

static struct um_heap_area *area_of(void *memory)
{
    struct shared_heap *heap = memory;

    return &heap->area;
}

static struct um_shm *object_of(const void *memory)
{
    const struct shared_heap *heap = memory;

    return heap->area.segment.object;
}

bool um_heap_shared_restore(void *memory, uint64_t offset, uint64_t size, void **address)
{
    struct um_heap_area *area = area_of(memory);

    if (!um_area_restore(area, offset, size))
        return false;
    *address = area->segment.start + offset;
    return true;
}

static bool commit(void *memory, uint64_t offset, uint64_t size)
{
    return um_segment_commit(&area_of(memory)->segment, offset, size);
}

static void *reserve(void *memory, uint64_t size)
{
    return um_shm_is_whole(object_of(memory)) ? um_area_reserve(area_of(memory), size) : NULL;
}

static bool prepare(void *memory, void *address, uint64_t offset, uint64_t size)
{
    return um_area_prepare(area_of(memory), address, offset, size);
}

static void free_block(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)alignment;
    um_area_free(area_of(memory), address, size);
}

static void *alloc(void *memory, uint64_t size, uint32_t alignment)
{
    (void)alignment;
    return um_shm_is_whole(object_of(memory)) ? um_area_alloc(area_of(memory), size) : NULL;
}

static bool extend(void *memory, void *address, uint64_t old_size, uint64_t new_size)
{
    return um_shm_is_whole(object_of(memory)) && um_area_extend(area_of(memory), address, old_size, new_size);
}

static void retract(void *memory, void *address, uint64_t old_size, uint64_t new_size)
{
    um_area_retract(area_of(memory), address, old_size, new_size);
}

static bool resize(void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment,
                   bool in_place_only)
{
    if (!um_shm_is_whole(object_of(memory)))
        return false;
    if (um_area_resize(area_of(memory), *address, old_size, new_size, !in_place_only))
        return true;
    if (in_place_only)
        return false;
    /* A block that is made smaller stays where there is no other place. */
    return um_heap_move(&um_heap_shared_ops, memory, address, old_size, new_size, alignment) ||
           (new_size < old_size && um_area_resize(area_of(memory), *address, old_size, new_size, false));
}

static void wipe(void *memory, void *address, uint64_t size)
{
    um_area_wipe(area_of(memory), address, size);
}

static bool validate(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)size;
    (void)alignment;
    return address == NULL ? um_shm_check(object_of(memory)) : um_shm_is_whole(object_of(memory));
}

static void compact_start(void *memory)
{
    um_area_compact_start(area_of(memory));
}

static bool compact_step(void *memory, uint64_t *largest_free)
{
    return um_area_compact_step(area_of(memory), largest_free);
}

static void get_stats(void *memory, struct um_heap_memory_stats *stats)
{
    um_area_get_stats(area_of(memory), stats);
    stats->corrupted = !um_shm_check(object_of(memory));
}

static uint64_t capacity(void *memory, const void *address, uint64_t size, uint32_t alignment)
{
    (void)alignment;
    return um_area_capacity(area_of(memory), address, size);
}

static void locate(void *memory, const void *address, struct um_place *place)
{
    *place = (struct um_place){
        .name = um_shm_name(object_of(memory)),
        .path = um_shm_path(object_of(memory)),
        .offset = (uint64_t)((const unsigned char *)address - um_shm_start(object_of(memory))),
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
