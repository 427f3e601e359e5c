#include "store/memory/allocator.h"

#include <assert.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/list.h"
#include "store/memory/extents.h"

enum {
    FINE_SIZE = 128, /* bytes; up to here classes are multiples of 16 */
    FINE_CLASSES = FINE_SIZE / UM_ALIGNMENT_MINIMUM,
    SMALL_SIZE = 16 * 1024,       /* bytes of the largest slots */
    RUN_SIZE = 64 * 1024,         /* bytes; a run is not made larger than it needs to be beyond these */
    RUN_SIZE_LIMIT = 1024 * 1024, /* bytes of the runs of a class that has many */
    RUN_SHARE = 64,               /* of what such a class has in use, a run is no more than this part */
    RUN_SLOTS = 4,                /* slots in a run, at least */
    RUN_SLOTS_LIMIT = 4096        /* in one that is larger than it needs to be */
};

/* Pages of slots of one size. */
struct run {
    struct um_link in_class; /* place among those of its class that have a free slot */
    struct um_link in_young; /* place among those that may have free pages to return; empty: it has none */
    struct um_link in_all;   /* place in um_allocator.runs */
    uint64_t offset;         /* bytes */
    uint32_t size;           /* bytes */
    uint32_t slot_size;      /* bytes */
    uint32_t inverse;        /* 2^32 / slot_size, rounded up: a division costs more than a multiplication */
    uint32_t slots;
    uint32_t used; /* slots in use */
    uint32_t hint; /* words of `taken` before this one have no free slot */
    unsigned class;
    bool is_active;   /* a slot was taken or freed since the last round */
    uint64_t taken[]; /* a bit for each slot, and for each place behind the last one */
};

/* A size of slots. */
struct size_class {
    struct um_link runs; /* list of run.in_class; all zero before the first is made */
    uint32_t slots;      /* in all its runs */
    uint32_t used;       /* of these */
    uint32_t loose;      /* blocks of this size that are extents */
};

struct um_allocator {
    struct um_extents *extents;
    struct um_run_map *map;
    struct um_link runs;      /* list of run.in_all */
    struct um_link young;     /* list of run.in_young */
    size_t young_count;       /* its length */
    size_t round;             /* runs at its head that this round has not looked at */
    uint64_t free_slot_bytes; /* in free slots of all runs */
    uint32_t alignment;       /* bytes, a power of two */
    uint32_t loose_limit;
    struct size_class classes[UM_SIZE_CLASSES];
};

/* ---- bits ---- */

static unsigned lowest_bit(uint64_t bits)
{
#ifdef __GNUC__
    return (unsigned)__builtin_ctzll(bits);
#else
    unsigned bit = 0;

    while ((bits >> bit & 1) == 0)
        bit++;
    return bit;
#endif
}

static unsigned highest_bit(uint32_t bits)
{
#ifdef __GNUC__
    return 31U - (unsigned)__builtin_clz(bits);
#else
    unsigned bit = 0;

    while (bits >> bit > 1)
        bit++;
    return bit;
#endif
}

/* ---- classes ---- */

/* The class of a size from 1 to SMALL_SIZE. */
static unsigned class_of_size(uint32_t size)
{
    unsigned power;

    if (size <= FINE_SIZE)
        return (size + UM_ALIGNMENT_MINIMUM - 1) / UM_ALIGNMENT_MINIMUM - 1;
    power = highest_bit(size - 1); /* the size is above this power of two and at most the next */
    return FINE_CLASSES + 8 * (power - 7) + ((size - 1) >> (power - 3)) - 8;
}

static uint32_t slot_size_of(unsigned class)
{
    if (class < FINE_CLASSES)
        return (class + 1) * UM_ALIGNMENT_MINIMUM;
    class -= FINE_CLASSES;
    return (8 + class % 8 + 1) << (class / 8 + 4);
}

/* The class for a size, of which the slots are multiples of the alignment; UM_SIZE_CLASSES: none. */
UM_ALWAYS_INLINE unsigned class_for(const struct um_allocator *allocator, uint64_t size)
{
    unsigned class;

    if (size > SMALL_SIZE)
        return UM_SIZE_CLASSES;
    class = class_of_size(size == 0 ? 1 : (uint32_t)size);
    if (allocator->alignment == UM_ALIGNMENT_MINIMUM)
        return class;
    while (class < UM_SIZE_CLASSES && slot_size_of(class) % allocator->alignment != 0)
        class ++;
    return class;
}

/* ---- runs ---- */

static void note_young(struct um_allocator *allocator, struct run *run)
{
    run->is_active = true;
    if (!um_list_is_empty(&run->in_young))
        return;
    um_list_append(&allocator->young, &run->in_young);
    allocator->young_count++;
}

static void note_aged(struct um_allocator *allocator, struct run *run)
{
    if (um_list_is_empty(&run->in_young))
        return;
    um_list_remove(&run->in_young);
    allocator->young_count--;
}

static uint32_t round_up(uint32_t size, uint32_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* What the offsets and sizes of runs are multiples of. */
static uint32_t run_unit(const struct um_allocator *allocator)
{
    return allocator->alignment > UM_RUN_UNIT ? allocator->alignment : UM_RUN_UNIT;
}

/* How large the next run of a class with so many bytes in use is, about: as many, within bounds. A class of which most is in use has few
 * and large runs, so that their records are few, too. */
static uint32_t wanted_run_size(uint64_t in_use, uint32_t slot_size, uint32_t step)
{
    uint64_t size = in_use / RUN_SHARE;

    if (size > (uint64_t)RUN_SLOTS_LIMIT * slot_size)
        size = (uint64_t)RUN_SLOTS_LIMIT * slot_size;
    if (size > RUN_SIZE_LIMIT)
        size = RUN_SIZE_LIMIT;
    if (size > RUN_SIZE)
        return (uint32_t)size / RUN_SIZE * RUN_SIZE;
    return in_use < RUN_SIZE ? round_up((uint32_t)in_use, step) : RUN_SIZE;
}

/* Of some sizes around that, the one that has the least left behind its last slot. */
static uint32_t run_size(const struct um_allocator *allocator, unsigned class)
{
    const struct size_class *it = &allocator->classes[class];
    uint32_t slot_size = slot_size_of(class);
    uint64_t in_use = ((uint64_t)it->used + it->loose) * slot_size;
    uint32_t step = run_unit(allocator);
    uint32_t least = round_up(RUN_SLOTS * slot_size, step);
    uint32_t first = wanted_run_size(in_use, slot_size, step);
    uint32_t best;

    first = first < least ? least : first;
    best = first;
    for (uint32_t size = first; size <= 2 * first && size <= 2 * RUN_SIZE; size += step) {
        if ((uint64_t)(size % slot_size) * best < (uint64_t)(best % slot_size) * size)
            best = size;
    }
    return best;
}

/* Makes a run where there is a place for it. */
static struct run *new_run(struct um_allocator *allocator, unsigned class, uint32_t size, uint64_t offset)
{
    uint32_t slot_size = slot_size_of(class);
    uint32_t slots = size / slot_size;
    uint32_t words = (slots + 63) / 64;
    struct run *run = calloc(1, sizeof *run + words * sizeof run->taken[0]);

    if (run == NULL)
        return NULL;
    if (!um_run_map_set(allocator->map, offset, size, run)) {
        free(run);
        return NULL;
    }
    run->offset = offset;
    run->size = size;
    run->slot_size = slot_size;
    run->inverse = UINT32_MAX / slot_size + 1;
    run->slots = slots;
    run->class = class;
    if (slots % 64 != 0)
        run->taken[words - 1] = UINT64_MAX << slots % 64;
    if (allocator->classes[class].runs.next == NULL)
        um_list_init(&allocator->classes[class].runs);
    um_list_append(&allocator->classes[class].runs, &run->in_class);
    um_list_append(&allocator->runs, &run->in_all);
    um_list_init(&run->in_young);
    note_young(allocator, run); /* its pages may have had other blocks */
    allocator->classes[class].slots += slots;
    allocator->free_slot_bytes += (uint64_t)slots * slot_size;
    return run;
}

UM_NEVER_INLINE static struct run *add_run(struct um_allocator *allocator, unsigned class)
{
    uint32_t unit = run_unit(allocator);
    uint32_t size = run_size(allocator, class);
    uint32_t least = round_up(RUN_SLOTS * slot_size_of(class), unit);
    uint64_t offset;
    struct run *run;

    while (!um_extents_acquire_aligned(allocator->extents, size, unit, &offset)) {
        if (size <= least)
            return NULL;
        size = round_up(size / 2, unit);
        if (size < least)
            size = least;
    }
    run = new_run(allocator, class, size, offset);
    if (run == NULL)
        um_extents_release(allocator->extents, offset, size);
    return run;
}

/* Frees what belongs to a run but its extent. */
static void forget_run(struct um_allocator *allocator, struct run *run)
{
    note_aged(allocator, run);
    um_list_remove(&run->in_class);
    um_list_remove(&run->in_all);
    um_run_map_clear(allocator->map, run->offset, run->size);
    free(run);
}

/* An empty one. */
UM_NEVER_INLINE static void free_run(struct um_allocator *allocator, struct run *run)
{
    allocator->classes[run->class].slots -= run->slots;
    allocator->free_slot_bytes -= (uint64_t)run->slots * run->slot_size;
    um_extents_release(allocator->extents, run->offset, run->size);
    forget_run(allocator, run);
}

/* Frees the runs that are empty and were kept. Returns whether there were any. */
static bool free_empty_runs(struct um_allocator *allocator)
{
    bool found = false;

    for (unsigned class = 0; class < UM_SIZE_CLASSES; class ++) {
        struct size_class *it = &allocator->classes[class];
        struct run *run;

        if (it->slots == it->used)
            continue;
        /* It is alone in the list. */
        run = UM_LIST_ITEM(it->runs.next, struct run, in_class);
        if (run->used != 0)
            continue;
        free_run(allocator, run);
        found = true;
    }
    return found;
}

static uint64_t take_slot(struct um_allocator *allocator, struct run *run)
{
    struct size_class *class = &allocator->classes[run->class];
    unsigned bit;

    while (run->taken[run->hint] == UINT64_MAX)
        run->hint++;
    bit = lowest_bit(~run->taken[run->hint]);
    run->taken[run->hint] |= UINT64_C(1) << bit;
    run->is_active = true;
    class->used++;
    allocator->free_slot_bytes -= run->slot_size;
    if (++run->used == run->slots)
        um_list_remove(&run->in_class);
    return run->offset + (uint64_t)(run->hint * 64 + bit) * run->slot_size;
}

/* A run has a free slot again: an empty one need not be kept for its class any more. */
UM_NEVER_INLINE static void list_run(struct um_allocator *allocator, struct size_class *class,
                                     struct run *run)
{
    struct run *first = UM_LIST_ITEM(class->runs.next, struct run, in_class);

    if (!um_list_is_empty(&class->runs) && first->used == 0)
        free_run(allocator, first);
    um_list_append(&class->runs, &run->in_class);
}

static void free_slot(struct um_allocator *allocator, struct run *run, uint64_t offset)
{
    struct size_class *class = &allocator->classes[run->class];
    uint32_t slot = (uint32_t)((offset - run->offset) * run->inverse >> 32);

    assert(offset == run->offset + (uint64_t)slot * run->slot_size);
    assert((run->taken[slot / 64] >> slot % 64 & 1) != 0);
    run->taken[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    if (slot / 64 < run->hint)
        run->hint = slot / 64;
    class->used--;
    allocator->free_slot_bytes += run->slot_size;
    if (run->used-- == run->slots)
        list_run(allocator, class, run);
    note_young(allocator, run);
    if (run->used != 0)
        return;
    /* The last one of its class with a free slot stays, for the next block; but a segment of which nothing is in use is free as a whole. */
    if (class->runs.next != class->runs.prev || (class->used == 0 && allocator->loose_limit != 0))
        free_run(allocator, run);
}

static struct run *run_at(const struct um_allocator *allocator, uint64_t offset)
{
    return um_run_map_get(allocator->map, offset);
}

/* ---- extents ---- */

/* Counts a block that is an extent, or one less. */
static void count_loose(struct um_allocator *allocator, uint64_t size, int change)
{
    unsigned class = class_for(allocator, size);

    if (class < UM_SIZE_CLASSES)
        allocator->classes[class].loose += (uint32_t)change;
}

UM_NEVER_INLINE static bool acquire_extent(struct um_allocator *allocator, uint64_t size, uint64_t *offset)
{
    if (!um_extents_acquire(allocator->extents, size, offset) &&
        !(free_empty_runs(allocator) && um_extents_acquire(allocator->extents, size, offset)))
        return false;
    count_loose(allocator, size, 1);
    return true;
}

UM_NEVER_INLINE static void release_extent(struct um_allocator *allocator, uint64_t offset, uint64_t size)
{
    um_extents_release(allocator->extents, offset, size);
    count_loose(allocator, size, -1);
}

/* ---- the calls ---- */

struct um_allocator *um_allocator_new(struct um_run_map *map, uint32_t alignment, uint32_t loose_limit)
{
    struct um_allocator *allocator = calloc(1, sizeof *allocator);

    if (allocator == NULL)
        return NULL;
    allocator->extents = um_extents_new(0, alignment);
    if (allocator->extents == NULL) {
        free(allocator);
        return NULL;
    }
    allocator->map = map;
    allocator->alignment = alignment;
    allocator->loose_limit = loose_limit;
    um_list_init(&allocator->runs);
    um_list_init(&allocator->young);
    return allocator;
}

bool um_allocator_free_step(struct um_allocator *allocator, size_t *budget)
{
    for (; *budget != 0 && !um_list_is_empty(&allocator->runs); --*budget)
        forget_run(allocator, UM_LIST_ITEM(allocator->runs.next, struct run, in_all));
    return !um_list_is_empty(&allocator->runs) || um_extents_free_step(allocator->extents, budget);
}

void um_allocator_free(struct um_allocator *allocator)
{
    size_t budget = SIZE_MAX;

    if (allocator == NULL)
        return;
    (void)um_allocator_free_step(allocator, &budget);
    um_extents_free(allocator->extents);
    free(allocator);
}

bool um_allocator_add(struct um_allocator *allocator, uint64_t offset, uint64_t size)
{
    return um_extents_add(allocator->extents, offset, size);
}

void um_allocator_remove(struct um_allocator *allocator, uint64_t offset, uint64_t size)
{
    um_extents_remove(allocator->extents, offset, size);
}

bool um_allocator_acquire(struct um_allocator *allocator, uint64_t size, uint64_t *offset)
{
    unsigned class = class_for(allocator, size);

    if (class < UM_SIZE_CLASSES) {
        struct size_class *it = &allocator->classes[class];
        struct run *run = NULL;

        if (it->slots != it->used)
            run = UM_LIST_ITEM(it->runs.next, struct run, in_class);
        else if (it->slots != 0 || it->loose >= allocator->loose_limit)
            run = add_run(allocator, class);
        if (run != NULL) {
            *offset = take_slot(allocator, run);
            return true;
        }
    }
    return acquire_extent(allocator, size, offset);
}

bool um_allocator_restore(struct um_allocator *allocator, uint64_t offset, uint64_t size)
{
    if (!um_extents_acquire_at(allocator->extents, offset, size))
        return false;
    count_loose(allocator, size, 1);
    return true;
}

void um_allocator_release(struct um_allocator *allocator, uint64_t offset, uint64_t size)
{
    struct run *run = run_at(allocator, offset);

    if (run != NULL) {
        free_slot(allocator, run, offset);
        return;
    }
    release_extent(allocator, offset, size);
}

bool um_allocator_resize(struct um_allocator *allocator, uint64_t offset, uint64_t old_size,
                         uint64_t new_size)
{
    const struct run *run = run_at(allocator, offset);

    if (run != NULL)
        return new_size <= run->slot_size;
    if (!um_extents_resize(allocator->extents, offset, old_size, new_size))
        return false;
    count_loose(allocator, old_size, -1);
    count_loose(allocator, new_size, 1);
    return true;
}

uint64_t um_allocator_capacity(const struct um_allocator *allocator, uint64_t offset, uint64_t size)
{
    const struct run *run = run_at(allocator, offset);

    return run != NULL ? run->slot_size : um_extents_rounded(allocator->extents, size);
}

bool um_allocator_wastes(const struct um_allocator *allocator, uint64_t offset, uint64_t size)
{
    const struct run *run = run_at(allocator, offset);

    return run != NULL && class_for(allocator, size) != run->class;
}

uint64_t um_allocator_used_bytes(const struct um_allocator *allocator)
{
    return um_extents_used_bytes(allocator->extents) - allocator->free_slot_bytes;
}

bool um_allocator_next_large(const struct um_allocator *allocator, uint64_t *offset, uint64_t *size)
{
    return um_extents_next_large(allocator->extents, offset, size);
}

bool um_allocator_next_free(const struct um_allocator *allocator, uint64_t from, uint64_t *offset,
                            uint64_t *size)
{
    return um_extents_next_free(allocator->extents, from, offset, size);
}

/* ---- ageing ---- */

void um_allocator_age_begin(struct um_allocator *allocator)
{
    allocator->round = allocator->young_count;
}

static bool is_taken(const struct run *run, uint32_t slot)
{
    return (run->taken[slot / 64] >> slot % 64 & 1) != 0;
}

static void hand_out_free_parts(const struct run *run, um_allocator_part *part, void *context)
{
    uint32_t slot = 0;

    while (slot < run->slots) {
        uint32_t first = slot;

        while (slot < run->slots && !is_taken(run, slot))
            slot++;
        /* What lies behind the last slot is free as well. */
        if (slot != first)
            part(context, run->offset + (uint64_t)first * run->slot_size,
                 slot == run->slots ? run->size - (uint64_t)first * run->slot_size
                                    : (uint64_t)(slot - first) * run->slot_size);
        while (slot < run->slots && is_taken(run, slot))
            slot++;
    }
}

bool um_allocator_age_step(struct um_allocator *allocator, bool at_once, size_t *budget,
                           um_allocator_part *part, void *context)
{
    for (; *budget != 0 && allocator->round != 0 && allocator->young_count != 0; --*budget) {
        struct run *run = UM_LIST_ITEM(allocator->young.next, struct run, in_young);

        allocator->round--;
        note_aged(allocator, run);
        if (run->is_active && !at_once) {
            note_young(allocator, run);
            run->is_active = false;
        } else if (run->used == 0) {
            free_run(allocator, run);
        } else {
            hand_out_free_parts(run, part, context);
        }
    }
    return allocator->round != 0 && allocator->young_count != 0;
}

bool um_allocator_has_young(const struct um_allocator *allocator)
{
    return allocator->young_count != 0;
}

void um_allocator_get_stats(const struct um_allocator *allocator, struct um_allocator_stats *stats)
{
    struct um_extents_stats extents;

    um_extents_get_stats(allocator->extents, &extents);
    *stats = (struct um_allocator_stats){
        .length = extents.length,
        .free_bytes = extents.free_bytes + allocator->free_slot_bytes,
        .free_extents = extents.free_extents,
        .largest_free = extents.largest_free,
        .used_extents = extents.used_extents,
    };
    for (unsigned class = 0; class < UM_SIZE_CLASSES; class ++) {
        const struct size_class *it = &allocator->classes[class];

        if (it->slots != 0)
            stats->classes[stats->class_count++] = (struct um_size_class_stats){
                .size = slot_size_of(class), .used = it->used, .free = it->slots - it->used};
    }
}
