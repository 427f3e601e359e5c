#include "store/records/handles.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "store/memory/pages.h"

enum {
    CHUNK_SIZE_TARGET = 64 * 1024, /* bytes; a chunk is the largest power of two of records that fits */
    LINE_SIZE = 64,                /* bytes in a cache line, or a part of one */
    SPARES_SIZE = 1024 * 1024,     /* bytes of groups without records in use that are kept */
    UNTOUCHED = 1,      /* while handles are restored, the state of a slot of which nothing is known */
    RENEWALS_LIMIT = 64 /* handles that a record has, one after the other */
};

/* What stands for the records of a chunk that was freed: slots that are not in use. Nobody writes to it. */
static alignas(LINE_SIZE) unsigned char no_records[CHUNK_SIZE_TARGET];

/* A group is as few records as fill whole pages of the system's; where a chunk has not two of them, it is one. */
static void init_groups(struct um_slots *slots)
{
    size_t unit = um_pages_unit();

    slots->group_bits = slots->chunk_bits;
    while (unit != 0 && slots->group_bits != 0 && (slots->record_size << (slots->group_bits - 1)) % unit == 0)
        slots->group_bits--;
    slots->spares_limit = (uint32_t)(SPARES_SIZE / (slots->record_size << slots->group_bits));
}

void um_slots_init(struct um_slots *slots, enum um_handle_kind kind, size_t record_size, size_t aside_size,
                   uint32_t limit, uint32_t first_generation)
{
    assert(record_size >= sizeof(struct um_slot) && record_size % 8 == 0 && aside_size % 8 == 0);
    assert(record_size + aside_size <= CHUNK_SIZE_TARGET);
    assert(limit <= UM_SLOT_COUNT_LIMIT);
    assert(first_generation >= 1 && first_generation <= UM_GENERATION_LIMIT);
    memset(slots, 0, sizeof *slots);
    slots->kind = kind;
    slots->record_size = record_size;
    slots->aside_size = aside_size;
    slots->limit = limit;
    slots->first_generation = first_generation;
    slots->base_generation = first_generation;
    slots->open = UM_SLOT_NONE;
    slots->gone = UM_SLOT_NONE;
    while (((record_size + aside_size) << (slots->chunk_bits + 1)) <= CHUNK_SIZE_TARGET)
        slots->chunk_bits++;
    slots->chunk_mask = (UINT32_C(1) << slots->chunk_bits) - 1;
    init_groups(slots);
}

static size_t chunk_size(const struct um_slots *slots)
{
    return (slots->record_size + slots->aside_size) << slots->chunk_bits;
}

static uint32_t group_of(const struct um_slots *slots, uint32_t number)
{
    return number >> slots->group_bits;
}

/* Groups in a chunk. */
static uint32_t groups_each(const struct um_slots *slots)
{
    return UINT32_C(1) << (slots->chunk_bits - slots->group_bits);
}

/* ---- chunks ---- */

static void free_chunk(const struct um_slots *slots, unsigned char *chunk)
{
    if (chunk != no_records)
        um_pages_free(chunk, chunk_size(slots));
}

void um_slots_deinit(struct um_slots *slots)
{
    size_t records = (size_t)1 << slots->chunk_bits;
    size_t chunks = (slots->used + records - 1) / records;
    for (size_t i = 0; i < chunks; i++)
        free_chunk(slots, slots->chunks[i]);
    free(slots->chunks);
    free(slots->groups);
    free(slots->with_free);
    free(slots->floors);
    free(slots->later);
    slots->floors = NULL;
    slots->later = NULL;
    slots->later_count = 0;
    slots->chunks = NULL;
    slots->groups = NULL;
    slots->with_free = NULL;
    slots->used = 0;
}

/* Makes the tables of chunks and groups larger. What was made larger before memory ran out stays so. */
static bool make_capacity(struct um_slots *slots)
{
    size_t capacity = slots->chunk_capacity == 0 ? 64 : slots->chunk_capacity * 2;
    size_t words = capacity * groups_each(slots) / 64;
    unsigned char **chunks = realloc(slots->chunks, capacity * sizeof *chunks);
    if (chunks != NULL)
        slots->chunks = chunks;
    struct um_slot_group *groups = realloc(slots->groups, words * 64 * sizeof *groups);
    if (groups != NULL)
        slots->groups = groups;
    uint64_t *with_free = realloc(slots->with_free, words * sizeof *with_free);
    if (with_free != NULL)
        slots->with_free = with_free;
    if (chunks == NULL || groups == NULL || with_free == NULL)
        return false;
    for (size_t word = slots->chunk_capacity * groups_each(slots) / 64; word < words; word++)
        with_free[word] = 0;
    slots->chunk_capacity = capacity;
    return true;
}

/* Makes sure that there is memory for slot number `used`. */
static bool make_chunk(struct um_slots *slots)
{
    uint32_t chunk = slots->used >> slots->chunk_bits;
    uint32_t first = group_of(slots, slots->used);
    if ((slots->used & slots->chunk_mask) != 0)
        return true; /* in the chunk that the slot before it lies in */
    if (chunk == slots->chunk_capacity && !make_capacity(slots))
        return false;
    for (uint32_t i = 0; i < groups_each(slots); i++)
        slots->groups[first + i] =
            (struct um_slot_group){.free_first = UM_SLOT_NONE, .free_last = UM_SLOT_NONE};
    slots->chunks[chunk] = um_pages_new(chunk_size(slots));
    return slots->chunks[chunk] != NULL;
}

/* ---- groups ---- */

static void note_free(struct um_slots *slots, uint32_t group, bool has_free)
{
    uint64_t *word = &slots->with_free[group / 64];
    uint64_t bit = UINT64_C(1) << group % 64;
    *word = has_free ? *word | bit : *word & ~bit;
    if (has_free && group / 64 < slots->first_with_free)
        slots->first_with_free = group / 64;
}

/* Gives the group that has lost its memory last memory again: all its slots are free. */
static bool restore_group(struct um_slots *slots)
{
    uint32_t number = slots->gone;
    struct um_slot_group *group = &slots->groups[number];
    uint32_t next = group->free_first;
    uint32_t first = number << slots->group_bits;
    uint32_t last = first + ((UINT32_C(1) << slots->group_bits) - 1);
    unsigned char **chunk = &slots->chunks[number / groups_each(slots)];
    if (*chunk == no_records) {
        unsigned char *memory = um_pages_new(chunk_size(slots));
        if (memory == NULL)
            return false;
        *chunk = memory;
    }
    for (uint32_t i = first; i <= last; i++) {
        struct um_slot *slot = um_slots_at(slots, i);
        slot->state = group->generation;
        slot->link = i != last ? i + 1 : UM_SLOT_NONE;
    }
    group->is_gone = false;
    group->free_first = first;
    group->free_last = last;
    slots->gone = next;
    note_free(slots, number, true);
    return true;
}

/* What lies aside goes a page at a time, where all groups that have something there are gone. */
static void drop_aside(const struct um_slots *slots, uint32_t number)
{
    size_t unit = um_pages_unit();
    size_t size = slots->aside_size << slots->group_bits; /* of one group */
    uint32_t groups = size != 0 && unit % size == 0 ? (uint32_t)(unit / size) : 0;
    if (groups == 0 || groups > groups_each(slots))
        return;
    number = number / groups * groups;
    for (uint32_t i = 0; i < groups; i++) {
        if (!slots->groups[number + i].is_gone)
            return;
    }
    (void)um_pages_drop(um_slots_aside(slots, number << slots->group_bits), unit);
}

/* Returns a group's memory to the system; false: that does not take it. */
static bool drop_group(struct um_slots *slots, uint32_t number)
{
    struct um_slot_group *group = &slots->groups[number];
    if (groups_each(slots) == 1) {
        free_chunk(slots, slots->chunks[number]);
        slots->chunks[number] = no_records;
        group->is_gone = true;
        return true;
    }
    group->is_gone = um_pages_drop(um_slots_at(slots, number << slots->group_bits),
                                   slots->record_size << slots->group_bits);
    if (group->is_gone)
        drop_aside(slots, number);
    return group->is_gone;
}

/* A group has no records in use any more. The one that new slots come from is left alone, and so is the last one before all its slots
 * were given out. */
UM_NEVER_INLINE static void group_is_empty(struct um_slots *slots, uint32_t number)
{
    struct um_slot_group *group = &slots->groups[number];
    bool is_kept = slots->spares < slots->spares_limit && group->free_first != UM_SLOT_NONE;
    if (number == slots->open || number == group_of(slots, slots->used))
        return;
    if (is_kept || !drop_group(slots, number)) {
        slots->spares++;
        group->is_spare = true;
        return;
    }
    note_free(slots, number, false);
    group->free_first = UM_SLOT_NONE;
    if (group->generation > UM_GENERATION_LIMIT)
        return; /* retired as a whole */
    group->free_first = slots->gone;
    slots->gone = number;
}

/* Opens the first group that has free slots. Returns false where none has. */
static bool open_group(struct um_slots *slots)
{
    size_t words = slots->chunk_capacity * groups_each(slots) / 64;
    size_t word = slots->first_with_free;
    while (word < words && slots->with_free[word] == 0)
        word++;
    slots->first_with_free = word;
    if (word == words)
        return false;
    slots->open = (uint32_t)word * 64;
    while ((slots->with_free[word] >> slots->open % 64 & 1) == 0)
        slots->open++;
    struct um_slot_group *group = &slots->groups[slots->open];
    slots->spares -= group->is_spare;
    group->is_spare = false;
    return true;
}

/* ---- slots ---- */

static void *begin(const struct um_slots *slots, struct um_slot_group *group, struct um_slot *slot,
                   uint32_t number)
{
    group->live++;
    slot->state |= UM_SLOT_LIVE;
    slot->link = number;
    memset(slot + 1, 0, slots->record_size - sizeof *slot);
    return slot;
}

/* A slot's first generation. */
static uint32_t generation_of(const struct um_slots *slots, uint32_t number)
{
    size_t page = number / UM_SLOT_FLOOR_SLOTS;
    uint32_t floor = page < slots->floor_count ? slots->floors[page] : 0;
    return floor >= slots->base_generation ? floor + 1 : slots->base_generation;
}

/* Adds a slot behind the others, which is not in use and in no list. Returns NULL where there is no memory or no slot left. */
static struct um_slot *add_slot(struct um_slots *slots)
{
    uint32_t number = slots->used;
    if (number == slots->limit || !make_chunk(slots))
        return NULL;
    slots->used++;
    struct um_slot *slot = um_slots_at(slots, number);
    slot->state = slots->is_restoring ? UNTOUCHED : generation_of(slots, number);
    slot->link = UM_SLOT_NONE;
    return slot;
}

/* A slot that was never given out. One of which no generation is left from another life of the table stays unused. */
static void *take_new(struct um_slots *slots)
{
    struct um_slot *slot = add_slot(slots);
    while (slot != NULL && slot->state > UM_GENERATION_LIMIT)
        slot = add_slot(slots);
    if (slot == NULL)
        return NULL;
    uint32_t number = slots->used - 1;
    return begin(slots, &slots->groups[group_of(slots, number)], slot, number);
}

static void *take_free(struct um_slots *slots)
{
    struct um_slot_group *group = &slots->groups[slots->open];
    uint32_t number = group->free_first;
    struct um_slot *slot = um_slots_at(slots, number);
    group->free_first = slot->link;
    if (group->free_first == UM_SLOT_NONE) {
        group->free_last = UM_SLOT_NONE;
        note_free(slots, slots->open, false);
        slots->open = UM_SLOT_NONE;
    }
    return begin(slots, group, slot, number);
}

/* A group that is gone is used before a new one is begun. */
UM_NEVER_INLINE static void *take_elsewhere(struct um_slots *slots)
{
    size_t mask = ((size_t)1 << slots->group_bits) - 1;
    bool is_begun = (slots->used & mask) != 0 && slots->used != slots->limit;
    if (open_group(slots))
        return take_free(slots);
    if (is_begun || slots->gone == UM_SLOT_NONE)
        return take_new(slots);
    return restore_group(slots) && open_group(slots) ? take_free(slots) : NULL;
}

void *um_slots_acquire(struct um_slots *slots)
{
    return slots->open != UM_SLOT_NONE ? take_free(slots) : take_elsewhere(slots);
}

/* Appends a slot to those of its group that are free. */
static void append_free(struct um_slots *slots, uint32_t group, uint32_t number)
{
    struct um_slot_group *it = &slots->groups[group];
    if (it->free_last == UM_SLOT_NONE) {
        it->free_first = number;
        note_free(slots, group, true);
    } else {
        struct um_slot *last = um_slots_at(slots, it->free_last);
        last->link = number;
    }
    it->free_last = number;
}

/* ---- slots in use of which later handles were given out: what freed their blocks was lost, or their heap's files are older ones ---- */

static uint64_t later_of(uint32_t number, uint32_t generation)
{
    return (uint64_t)number << 32 | generation;
}

static bool note_later(struct um_slots *slots, uint32_t number, uint32_t next)
{
    uint64_t *later = realloc(slots->later, (slots->later_count + 1) * sizeof *later);
    if (later == NULL)
        return false;
    slots->later = later;
    slots->later[slots->later_count++] = later_of(number, next);
    return true;
}

static int compare_later(const void *left, const void *right)
{
    uint64_t one = *(const uint64_t *)left;
    uint64_t other = *(const uint64_t *)right;
    return (one > other) - (one < other);
}

/* Makes the generation that comes next the highest one of those. While handles are restored, they are not sorted, and this comes at the
 * end of that. */
UM_NEVER_INLINE static void raise_to_later(const struct um_slots *slots, struct um_slot *slot,
                                           uint32_t number)
{
    size_t first = 0;
    size_t end = slots->is_restoring ? 0 : slots->later_count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (slots->later[middle] <= later_of(number, UINT32_MAX))
            first = middle + 1;
        else
            end = middle;
    }
    if (first != 0 && slots->later[first - 1] >> 32 == number &&
        (uint32_t)slots->later[first - 1] > slot->state)
        slot->state = (uint32_t)slots->later[first - 1];
}

void um_slots_release(struct um_slots *slots, void *record)
{
    struct um_slot *slot = record;
    uint32_t number = slot->link;
    uint32_t group = group_of(slots, number);
    struct um_slot_group *it = &slots->groups[group];
    assert(um_slot_is_live(slot));
    slot->state = (slot->state & ~UM_SLOT_LIVE) + 1;
    slot->link = UM_SLOT_NONE;
    if (slots->later_count != 0)
        raise_to_later(slots, slot, number);
    if (slot->state > it->generation)
        it->generation = slot->state;
    if (slots->is_restoring) {
        it->live--;
        return; /* it is free at the end of that, if nothing comes there */
    }
    /* A slot past the limit is retired: one more generation would bring an old handle back to life. */
    if (slot->state <= UM_GENERATION_LIMIT)
        append_free(slots, group, number);
    if (--it->live == 0)
        group_is_empty(slots, group);
}

bool um_slot_renew(struct um_slot *slot)
{
    uint32_t next = (slot->state & ~UM_SLOT_LIVE) + 1;
    assert(um_slot_is_live(slot));
    if (next % RENEWALS_LIMIT == 0 || next > UM_GENERATION_LIMIT)
        return false;
    slot->state = UM_SLOT_LIVE | next;
    return true;
}

UM_NEVER_INLINE enum um_slot_verdict um_slots_judge(const struct um_slots *slots, uint64_t handle)
{
    uint32_t number = um_handle_slot(handle);
    uint64_t generation = handle >> UM_HANDLE_GENERATION_SHIFT;
    if (generation > UM_GENERATION_LIMIT || generation == 0)
        return UM_SLOT_UNKNOWN;
    if ((handle & 3) != (uint64_t)slots->kind)
        return UM_SLOT_OTHER_KIND;
    if (number >= slots->used || generation < slots->first_generation)
        return um_slots_had_former(slots, handle) ? UM_SLOT_STALE : UM_SLOT_UNKNOWN;
    const struct um_slot *slot = um_slots_at(slots, number);
    /* No slot has the state 0, unless its group has no memory. */
    uint32_t next =
        slot->state != 0 ? slot->state & ~UM_SLOT_LIVE : slots->groups[group_of(slots, number)].generation;
    return generation < next ? UM_SLOT_STALE : UM_SLOT_UNKNOWN;
}

/* ---- former handles ---- */

void um_slots_allow_former(struct um_slots *slots)
{
    slots->first_generation = 1;
    slots->is_restoring = true;
}

uint64_t um_slots_find_live(const struct um_slots *slots, uint64_t handle)
{
    uint32_t number = um_handle_slot(handle);
    const struct um_slot *slot = number < slots->used ? um_slots_at(slots, number) : NULL;

    return slot != NULL && um_slot_is_live(slot) ? um_slot_handle(slot, slots->kind) : 0;
}

bool um_slots_grow_floors(struct um_slots *slots, size_t page)
{
    size_t count = page + 1 > 2 * slots->floor_count ? page + 1 : 2 * slots->floor_count;
    uint32_t *floors = realloc(slots->floors, count * sizeof *floors);
    if (floors == NULL)
        return false;
    memset(floors + slots->floor_count, 0, (count - slots->floor_count) * sizeof *floors);
    slots->floors = floors;
    slots->floor_count = count;
    return true;
}

bool um_slots_had_former(const struct um_slots *slots, uint64_t handle)
{
    size_t page = um_handle_slot(handle) / UM_SLOT_FLOOR_SLOTS;
    return page < slots->floor_count && handle >> UM_HANDLE_GENERATION_SHIFT <= slots->floors[page];
}

/* The slot of a handle, made if it is not there yet with all before it; NULL: there is no such handle, or no memory. */
static struct um_slot *reach(struct um_slots *slots, uint64_t handle)
{
    uint32_t number = um_handle_slot(handle);
    if (!um_handle_is_of(handle, slots->kind) || number >= slots->limit)
        return NULL;
    while (slots->used <= number) {
        if (add_slot(slots) == NULL)
            return NULL;
    }
    return um_slots_at(slots, number);
}

void *um_slots_restore(struct um_slots *slots, uint64_t handle)
{
    struct um_slot *slot = reach(slots, handle);
    uint32_t number = um_handle_slot(handle);
    if (slot == NULL || um_slot_is_live(slot))
        return NULL;
    if (slot->state > handle >> UM_HANDLE_GENERATION_SHIFT && !note_later(slots, number, slot->state))
        return NULL;
    slot->state = (uint32_t)(handle >> UM_HANDLE_GENERATION_SHIFT);
    return begin(slots, &slots->groups[group_of(slots, number)], slot, number);
}

bool um_slots_restore_stale(struct um_slots *slots, uint64_t handle)
{
    struct um_slot *slot = reach(slots, handle);
    uint32_t next = (uint32_t)(handle >> UM_HANDLE_GENERATION_SHIFT) + 1;
    if (slot == NULL)
        return false;
    if (um_slot_is_live(slot))
        return (slot->state & ~UM_SLOT_LIVE) >= next || note_later(slots, um_handle_slot(handle), next);
    if (slot->state < next)
        slot->state = next;
    return true;
}

void um_slots_end_restoring(struct um_slots *slots)
{
    slots->is_restoring = false;
    if (slots->later_count != 0)
        qsort(slots->later, slots->later_count, sizeof *slots->later, compare_later);
    for (uint32_t number = 0; number < slots->used; number++) {
        struct um_slot *slot = um_slots_at(slots, number);
        struct um_slot_group *state = &slots->groups[group_of(slots, number)];
        if (um_slot_is_live(slot))
            continue;
        if (slot->state == UNTOUCHED)
            slot->state = generation_of(slots, number);
        raise_to_later(slots, slot, number);
        if (slot->state > state->generation)
            state->generation = slot->state;
        if (slot->state <= UM_GENERATION_LIMIT)
            append_free(slots, group_of(slots, number), number);
    }
}
