#include "store/memory/heap_area.h"

#include "store/memory/poison.h"

#define RETURNED_SIZE UINT64_C(65536) /* bytes; free memory that is worth returning */

enum {
    PIECE_SIZE = 4 * 1024 * 1024, /* bytes that are returned at once */
    PIECE_CALLS = 64,             /* calls of the system that this takes at most */
    PIECE_LOOKS = 512 * 1024,     /* units that are looked at, of which the table has eight in a byte */
    PIECE_RUNS = 64,              /* runs that are looked at, each of up to 4,096 slots */
    PIECE_EXTENTS = 256,          /* free extents that are looked at */
    CALL_COST = 16 * 1024,        /* bytes that a call of the system's counts as */
    LEAST_COST = 4 * 1024,        /* likewise, a look at a heap of which nothing is returned */
    RUN_PARTS = 64                /* calls that one run may take beyond the limit */
};

/* ---- purging ---- */

static void set_listed(struct um_heap_area *area, bool listed)
{
    area->is_listed = listed;
    um_purge_set_listed(&area->source, listed);
}

/* Bytes that may have memory behind them but are in no block, about. */
static uint64_t free_and_touched(const struct um_heap_area *area)
{
    uint64_t touched = area->segment.touched_units * area->segment.unit;
    uint64_t used = um_allocator_used_bytes(area->allocator);

    return touched > used ? touched - used : 0;
}

static void start_sweep(struct um_heap_area *area, enum um_sweep_mode mode)
{
    if (area->stage != UM_SWEEP_NONE && mode <= area->mode && !area->is_fresh) {
        area->is_again = true;
        return;
    }
    area->stage = UM_SWEEP_RUNS;
    area->mode = mode;
    area->is_fresh = true;
    area->is_again = false;
    area->has_found = false;
    area->was_freed = false;
    area->sweep_size = area->segment.unit;
    if (mode != UM_SWEEP_ALL && area->sweep_size < RETURNED_SIZE)
        area->sweep_size = RETURNED_SIZE;
    area->sweep_offset = 0;
    area->sweep_position = 0;
    um_allocator_age_begin(area->allocator);
    um_purge_set_pending(&area->source, true);
}

static void end_sweep(struct um_heap_area *area)
{
    area->stage = UM_SWEEP_NONE;
    if (area->is_again) {
        start_sweep(area, UM_SWEEP_AGED);
        return;
    }
    um_purge_set_pending(&area->source, false);
    if (!area->has_found && !area->was_freed && !um_allocator_has_young(area->allocator))
        set_listed(area, false);
}

static enum um_segment_age age_for(const struct um_heap_area *area, enum um_segment_age usual)
{
    if (area->mode == UM_SWEEP_AGED)
        return usual;
    return area->mode == UM_SWEEP_FREED || area->segment.ops->is_private ? UM_SEGMENT_TOUCHED
                                                                         : UM_SEGMENT_ALL;
}

/* What a part of a run is returned with. */
struct part_context {
    struct um_heap_area *area;
    struct um_segment_budget *budget;
    bool is_refused;
};

/* Returns a free part of a run. It is done in one go, whatever is left of the budget: a run is small. */
static void return_part(void *context, uint64_t offset, uint64_t size)
{
    struct part_context *it = context;
    struct um_segment_budget whole = {.units = UINT64_MAX, .looks = UINT64_MAX, .calls = RUN_PARTS};
    uint64_t end = offset + size;
    bool found;

    if (it->area->mode != UM_SWEEP_ALL && offset < it->area->kept)
        return;
    if (!um_segment_age(&it->area->segment, &offset, end, age_for(it->area, UM_SEGMENT_TOUCHED), &whole,
                        &found))
        it->is_refused = true;
    whole.calls = RUN_PARTS - whole.calls;
    it->budget->calls -= whole.calls < it->budget->calls ? whole.calls : it->budget->calls;
}

/* Returns false where the system cannot. */
static bool sweep_runs(struct um_heap_area *area, struct um_segment_budget *budget)
{
    struct part_context context = {.area = area, .budget = budget};

    for (size_t runs = 0; runs < PIECE_RUNS && budget->calls != 0 && !context.is_refused; runs++) {
        size_t one = 1;

        if (!um_allocator_age_step(area->allocator, area->mode != UM_SWEEP_AGED, &one, return_part,
                                   &context)) {
            area->stage = UM_SWEEP_EXTENTS;
            break;
        }
    }
    return !context.is_refused;
}

static bool sweep_extents(struct um_heap_area *area, struct um_segment_budget *budget)
{
    for (size_t extents = 0;
         extents < PIECE_EXTENTS && budget->units != 0 && budget->calls != 0 && budget->looks != 0;
         extents++) {
        uint64_t offset = area->sweep_offset;
        uint64_t size = area->sweep_size;
        uint64_t end;

        if (!um_allocator_next_large(area->allocator, &offset, &size)) {
            end_sweep(area);
            break;
        }
        end = offset + size;
        if (offset != area->sweep_offset || size != area->sweep_size || area->sweep_position < offset)
            area->sweep_position = offset;
        if (area->mode != UM_SWEEP_ALL && area->sweep_position < area->kept)
            area->sweep_position = area->kept < end ? area->kept : end;
        area->sweep_offset = offset;
        area->sweep_size = size;
        if (!um_segment_age(&area->segment, &area->sweep_position, end, age_for(area, UM_SEGMENT_IDLE),
                            budget, &area->has_found))
            return false;
        if (area->sweep_position < end)
            break;
        if (area->shrink != NULL)
            area->shrink(area, offset, size);
        area->sweep_offset = offset + 1;
    }
    return true;
}

static void sweep_some(struct um_heap_area *area)
{
    struct um_segment_budget budget = {
        .units = PIECE_SIZE / area->segment.unit, .looks = PIECE_LOOKS, .calls = PIECE_CALLS};
    bool is_done = true;

    area->is_fresh = false;
    if (area->stage == UM_SWEEP_RUNS)
        is_done = sweep_runs(area, &budget);
    if (is_done && area->stage == UM_SWEEP_EXTENTS)
        is_done = sweep_extents(area, &budget);
    if (!is_done) {
        /* The system cannot: it is asked again when more is freed. */
        area->is_again = false;
        area->has_found = false;
        end_sweep(area);
        set_listed(area, false);
    }
    um_purge_charge(PIECE_SIZE - budget.units * area->segment.unit +
                    (PIECE_CALLS - budget.calls) * CALL_COST + LEAST_COST);
}

static struct um_heap_area *area_of(struct um_purge_source *source)
{
    return (struct um_heap_area *)(void *)((char *)source - offsetof(struct um_heap_area, source));
}

static bool run(struct um_purge_source *source)
{
    struct um_heap_area *area = area_of(source);

    if (area->stage != UM_SWEEP_NONE)
        sweep_some(area);
    return area->stage != UM_SWEEP_NONE;
}

static void tick(struct um_purge_source *source)
{
    struct um_heap_area *area = area_of(source);

    if (area->stage != UM_SWEEP_NONE) {
        /* Another period is over before the sweep has begun: what was free then is free still, or memory is short. */
        if (area->is_fresh && area->mode == UM_SWEEP_AGED)
            area->mode = UM_SWEEP_FREED;
        return;
    }
    if (free_and_touched(area) < RETURNED_SIZE)
        set_listed(area, false);
    else
        start_sweep(area, UM_SWEEP_AGED);
}

/* Something was freed: so many bytes from `offset` on. */
static void note_freed(struct um_heap_area *area, uint64_t offset, uint64_t size)
{
    area->was_freed = true;
    if (size >= area->segment.ops->renewed_size) {
        /* The next block would not be given its pages, but new ones. */
        um_segment_make_idle(&area->segment, offset, size);
        start_sweep(area, UM_SWEEP_AGED);
    }
    if (!area->is_listed && free_and_touched(area) >= RETURNED_SIZE)
        set_listed(area, true);
}

/* ---- blocks ---- */

bool um_area_init(struct um_heap_area *area, struct um_run_map *map, uint32_t alignment, uint32_t loose_limit)
{
    area->source = (struct um_purge_source){.run = run, .tick = tick};
    area->stage = UM_SWEEP_NONE;
    while (UINT32_C(1) << area->segment.unit_bits < area->segment.unit)
        area->segment.unit_bits++;
    area->allocator = um_allocator_new(map, alignment, loose_limit);
    return area->allocator != NULL;
}

void um_area_end(struct um_heap_area *area)
{
    area->stage = UM_SWEEP_NONE;
    um_purge_set_pending(&area->source, false);
    um_purge_set_listed(&area->source, false);
}

bool um_area_end_step(struct um_heap_area *area, size_t *budget)
{
    if (area->allocator == NULL)
        return false;
    if (um_allocator_free_step(area->allocator, budget))
        return true;
    um_allocator_free(area->allocator);
    area->allocator = NULL;
    return false;
}

static uint64_t offset_of(const struct um_heap_area *area, const void *address)
{
    return (uint64_t)((const unsigned char *)address - area->segment.start);
}

uint64_t um_area_capacity(const struct um_heap_area *area, const void *address, uint64_t size)
{
    return um_allocator_capacity(area->allocator, offset_of(area, address), size);
}

/* Lets a block be used, and no more; in memory that others may write to, up to what it takes up: there its guards are. */
static void allow(const struct um_heap_area *area, void *address, uint64_t size)
{
    if (!area->segment.ops->is_private)
        size = um_area_capacity(area, address, size);
    UM_UNPOISON(address, size == 0 ? 1 : size);
}

void *um_area_reserve(struct um_heap_area *area, uint64_t size)
{
    unsigned char *address;
    uint64_t offset;

    if (!um_allocator_acquire(area->allocator, size, &offset) &&
        (area->grow == NULL || !area->grow(area, size) ||
         !um_allocator_acquire(area->allocator, size, &offset)))
        return NULL;
    address = area->segment.start + offset;
    allow(area, address, size);
    return address;
}

bool um_area_prepare(struct um_heap_area *area, void *address, uint64_t offset, uint64_t size)
{
    return size == 0 || um_segment_renew(&area->segment, offset_of(area, address) + offset, size);
}

static void release(struct um_heap_area *area, uint64_t offset, uint64_t size)
{
    UM_POISON(area->segment.start + offset, um_allocator_capacity(area->allocator, offset, size));
    um_allocator_release(area->allocator, offset, size);
}

void *um_area_alloc(struct um_heap_area *area, uint64_t size)
{
    void *address = um_area_reserve(area, size);
    uint64_t offset;

    if (address == NULL || um_area_prepare(area, address, 0, size))
        return address;
    /* What was committed of it is decommitted here and now: work that is left behind would look like a reason to try again. */
    offset = offset_of(area, address);
    (void)um_segment_decommit(&area->segment, offset, size);
    release(area, offset, size);
    return NULL;
}

bool um_area_restore(struct um_heap_area *area, uint64_t offset, uint64_t size)
{
    if (!um_allocator_restore(area->allocator, offset, size))
        return false;
    if (size != 0 && !um_segment_commit(&area->segment, offset, size)) {
        um_allocator_release(area->allocator, offset, size);
        return false;
    }
    allow(area, area->segment.start + offset, size);
    return true;
}

void um_area_free(struct um_heap_area *area, void *address, uint64_t size)
{
    uint64_t offset = offset_of(area, address);

    release(area, offset, size);
    note_freed(area, offset, size);
}

bool um_area_extend(struct um_heap_area *area, void *address, uint64_t old_size, uint64_t new_size)
{
    if (!um_allocator_resize(area->allocator, offset_of(area, address), old_size, new_size))
        return false;
    allow(area, address, new_size);
    return true;
}

void um_area_retract(struct um_heap_area *area, void *address, uint64_t old_size, uint64_t new_size)
{
    uint64_t offset = offset_of(area, address);

    (void)um_allocator_resize(area->allocator, offset, old_size, new_size);
    UM_POISON((unsigned char *)address + new_size, old_size - new_size);
    allow(area, address, new_size);
    note_freed(area, offset + new_size, old_size - new_size);
}

bool um_area_resize(struct um_heap_area *area, void *address, uint64_t old_size, uint64_t new_size,
                    bool may_move)
{
    uint64_t offset = offset_of(area, address);

    if (may_move && um_allocator_wastes(area->allocator, offset, new_size))
        return false;
    if (new_size <= old_size) {
        um_area_retract(area, address, old_size, new_size);
        return true;
    }
    if (!um_area_extend(area, address, old_size, new_size))
        return false;
    if (um_area_prepare(area, address, old_size, new_size - old_size))
        return true;
    (void)um_segment_decommit(&area->segment, offset + old_size, new_size - old_size);
    (void)um_allocator_resize(area->allocator, offset, new_size, old_size);
    UM_POISON((unsigned char *)address + old_size, new_size - old_size);
    allow(area, address, old_size);
    return false;
}

/* Large memory is returned to the system, in whole units, so that clients that have it mapped see zeros as well. */
void um_area_wipe(struct um_heap_area *area, void *address, uint64_t size)
{
    uint64_t offset = offset_of(area, address);

    if (size >= area->segment.ops->renewed_size)
        (void)um_segment_decommit(&area->segment, offset, size);
    um_segment_clear(&area->segment, offset, size);
}

void um_area_compact_start(struct um_heap_area *area)
{
    start_sweep(area, UM_SWEEP_ALL);
}

bool um_area_compact_step(struct um_heap_area *area, uint64_t *largest_free)
{
    struct um_allocator_stats stats;

    if (area->stage != UM_SWEEP_NONE && area->mode == UM_SWEEP_ALL)
        sweep_some(area);
    um_allocator_get_stats(area->allocator, &stats);
    *largest_free = stats.largest_free;
    return area->stage != UM_SWEEP_NONE && area->mode == UM_SWEEP_ALL;
}

void um_area_get_stats(const struct um_heap_area *area, struct um_heap_memory_stats *stats)
{
    struct um_allocator_stats of_allocator;

    um_allocator_get_stats(area->allocator, &of_allocator);
    *stats = (struct um_heap_memory_stats){
        .reserved = of_allocator.length,
        .committed = area->segment.touched_units * area->segment.unit,
        .free_bytes = of_allocator.free_bytes,
        .free_ranges = of_allocator.free_extents,
        .largest_free = of_allocator.largest_free,
        .grows = area->grow != NULL,
        .class_count = of_allocator.class_count,
    };
    for (uint32_t i = 0; i < of_allocator.class_count; i++)
        stats->classes[i] = of_allocator.classes[i];
}
