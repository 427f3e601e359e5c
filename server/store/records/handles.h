/*
 * Slot tables: records that stay where they are, and the handles that name them.
 *
 * Owns: the records' memory, which slot is in use, and the generation of each. A handle is generation << 28 |
 * slot << 2 | kind: 25, 26 and 2 bits, so it stays below 2^53.
 * Must not know: what the records hold beyond their first member, a struct um_slot.
 *
 * Records lie in chunks of about 64 KiB that are never moved: a table of 10^7 records grows without a copy, and pointers to
 * records stay good. A group of records (those of a page, where the system takes back single pages and their size divides one; else
 * those of a chunk) has no memory while none of them is in use, but for some groups that are kept. What is left of it is the
 * highest generation of its slots, with which all of them begin when it is needed again. So a freed handle is always told from
 * one that is good, and from one that was never given out but for those that a group so passes over.
 *
 * Where there are many records, each look at one is a cache miss. So a chunk begins where a cache line does: a record
 * whose size divides a line lies in one line. What is seldom looked at may lie aside, in a second array behind the
 * records of the chunk.
 */
#ifndef UM_STORE_HANDLES_H
#define UM_STORE_HANDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/steps.h"

enum um_handle_kind {
    UM_HANDLE_ACCOUNT, /* inside the store only */
    UM_HANDLE_HEAP,
    UM_HANDLE_BLOCK,
    UM_HANDLE_OWNER /* inside the store only */
};

#define UM_SLOT_COUNT_LIMIT (UINT32_C(1) << 26)       /* slots in a table */
#define UM_SLOT_FLOOR_SLOTS UINT32_C(1024)            /* slots that have one floor */
#define UM_SLOT_NONE UINT32_MAX                       /* no slot */
#define UM_GENERATION_LIMIT ((UINT32_C(1) << 25) - 1) /* the last generation of a slot */
/* The highest that a table may begin with: a handle of a fresh daemon has at most 14 decimal digits, which is what some languages
 * print of a number, and still after a slot was used 240,000 times. */
#define UM_GENERATION_FIRST_LIMIT (UINT32_C(1) << 17)
#define UM_SLOT_LIVE (UINT32_C(1) << 31) /* bit of um_slot.state: the slot is in use */
#define UM_HANDLE_SLOT_SHIFT 2
#define UM_HANDLE_GENERATION_SHIFT 28

/* The first member of every record. */
struct um_slot {
    uint32_t state; /* in use: UM_SLOT_LIVE | generation; free: the generation that comes next */
    uint32_t link;  /* in use: the slot's own number; free: the next free slot, or UM_SLOT_NONE */
};

/* What is known of a group. */
struct um_slot_group {
    uint32_t live;       /* records in use */
    uint32_t generation; /* the highest of its slots that were freed */
    uint32_t
        free_first; /* the slot that was freed longest ago, or UM_SLOT_NONE; without memory, the next such group */
    uint32_t free_last; /* the slot that was freed last, or UM_SLOT_NONE */
    bool is_spare;      /* none is in use, and it is kept for the next ones */
    bool is_gone;       /* it has no memory: its slots read as zeros */
};

struct um_slots {
    unsigned char **chunks;       /* the records; of a chunk that was freed, zeros that all share */
    struct um_slot_group *groups; /* of all chunks */
    uint64_t *with_free;          /* a bit for each group that has memory and free slots */
    size_t chunk_capacity;        /* chunks that these have entries for; a multiple of 64 */
    size_t first_with_free;       /* no word of `with_free` before this one has a bit */
    uint32_t open;                /* the group that slots are taken from, or UM_SLOT_NONE */
    uint32_t gone;                /* the group that has lost its memory last, or UM_SLOT_NONE */
    uint32_t spares;              /* how many groups are kept without records in use */
    uint32_t spares_limit;        /* the most of these */
    uint32_t group_bits;          /* a group has 2^group_bits records */
    size_t record_size;           /* bytes */
    size_t aside_size;            /* bytes that each record has aside; may be 0 */
    uint32_t chunk_bits;          /* a chunk holds 2^chunk_bits records */
    uint32_t chunk_mask;          /* 2^chunk_bits - 1 */
    uint32_t used;                /* slots that were ever given out: 0 to used - 1 */
    uint32_t limit;               /* most slots, retired ones counted */
    bool is_restoring;            /* between um_slots_allow_former() and um_slots_end_restoring() */
    uint64_t *
        later; /* by slot, generations that come next where later handles were given out than the one in use */
    size_t later_count;
    uint32_t first_generation; /* no handle has a lower one */
    uint32_t base_generation;  /* a slot begins with it, or with one more than its floor */
    uint32_t *floors; /* of UM_SLOT_FLOOR_SLOTS slots each: generations up to it are used up; NULL: none is */
    size_t floor_count;       /* entries of `floors` */
    enum um_handle_kind kind; /* part of the handles */
};

/* What a handle turns out to be. */
enum um_slot_verdict {
    UM_SLOT_OK,        /* in use */
    UM_SLOT_STALE,     /* was in use once */
    UM_SLOT_UNKNOWN,   /* never given out by this table */
    UM_SLOT_OTHER_KIND /* of another table */
};

/* Makes an empty table without allocating. `record_size` and `aside_size` in bytes, multiples of 8; `limit` in slots,
 * at most UM_SLOT_COUNT_LIMIT; `first_generation` from 1 to UM_GENERATION_LIMIT. */
void um_slots_init(struct um_slots *slots, enum um_handle_kind kind, size_t record_size, size_t aside_size,
                   uint32_t limit, uint32_t first_generation);

/* Frees the memory of all records, whatever they hold. */
void um_slots_deinit(struct um_slots *slots);

/* Takes the slot that has been free longest in its group, else a new one. Returns the record, zeroed behind its struct
 * um_slot, or NULL where memory or slots run out. What lies aside is not cleared. */
void *um_slots_acquire(struct um_slots *slots);

/* ---- handles that were given out in another life of the table ---- */

/* Says that slots may have had handles before: they are told apart from those that never were only by the kind. Before the first call of
 * others. */
void um_slots_allow_former(struct um_slots *slots);

/* Takes the slot of a handle, which has it again: NULL where it is in use, the handle is none of this table's, or memory runs out. The
 * record is zeroed as by um_slots_acquire(). Call um_slots_end_restoring() after the last. */
void *um_slots_restore(struct um_slots *slots, uint64_t handle);

/* The handle in use that has this one's slot; 0: none has. */
uint64_t um_slots_find_live(const struct um_slots *slots, uint64_t handle);

/* Notes that the handle was in use and is not any more. Like um_slots_restore(); false: no memory, or no such handle. */
bool um_slots_restore_stale(struct um_slots *slots, uint64_t handle);

/* Makes the slots between those that were restored free. */
void um_slots_end_restoring(struct um_slots *slots);

/* Gives a record in use back. Its handle is stale from now on; a slot whose generations are used up is
 * retired. */
void um_slots_release(struct um_slots *slots, void *record);

/* Makes the handle of a record in use stale, and keeps the record as it is: the slot is not given out before um_slots_bring_back(), which
 * makes it one in use again, with the same handle. */
static inline void um_slots_withdraw(struct um_slot *slot)
{
    slot->state = (slot->state & ~UM_SLOT_LIVE) + 1;
}

static inline void um_slots_bring_back(struct um_slot *slot)
{
    slot->state = (slot->state - 1) | UM_SLOT_LIVE;
}

/* Gives a record in use the next handle of its slot, and makes the one that it has stale. Returns false, with nothing changed, where
 * another slot's turn has come: all are used about alike. */
bool um_slot_renew(struct um_slot *slot);

/* The record of a slot below `used`, in use or not. */
UM_ALWAYS_INLINE void *um_slots_at(const struct um_slots *slots, uint32_t slot)
{
    UM_STEP();
    return slots->chunks[slot >> slots->chunk_bits] + (slot & slots->chunk_mask) * slots->record_size;
}

/* What a slot below `used` has aside: whatever was put there last, in use or not. */
UM_ALWAYS_INLINE void *um_slots_aside(const struct um_slots *slots, uint32_t slot)
{
    return slots->chunks[slot >> slots->chunk_bits] + (slots->record_size << slots->chunk_bits) +
           (slot & slots->chunk_mask) * slots->aside_size;
}

UM_ALWAYS_INLINE bool um_slot_is_live(const struct um_slot *slot)
{
    return (slot->state & UM_SLOT_LIVE) != 0;
}

/* The handle's slot number, whatever else the handle says. */
UM_ALWAYS_INLINE uint32_t um_handle_slot(uint64_t handle)
{
    return (uint32_t)(handle >> UM_HANDLE_SLOT_SHIFT) & (UM_SLOT_COUNT_LIMIT - 1);
}

UM_ALWAYS_INLINE uint64_t um_handle_make(enum um_handle_kind kind, uint32_t slot, uint32_t generation)
{
    return (uint64_t)generation << UM_HANDLE_GENERATION_SHIFT | (uint64_t)slot << UM_HANDLE_SLOT_SHIFT |
           (uint64_t)kind;
}

/* Whether a number is a handle that a table of this kind may give out. */
UM_ALWAYS_INLINE bool um_handle_is_of(uint64_t handle, enum um_handle_kind kind)
{
    uint64_t generation = handle >> UM_HANDLE_GENERATION_SHIFT;

    return (handle & 3) == (uint64_t)kind && generation != 0 && generation <= UM_GENERATION_LIMIT;
}

/* The handle of a record in use. */
UM_ALWAYS_INLINE uint64_t um_slot_handle(const struct um_slot *slot, enum um_handle_kind kind)
{
    return um_handle_make(kind, slot->link, slot->state & ~UM_SLOT_LIVE);
}

/* Whether a handle for whose slot there is no record, or whose generation is lower than any, was given out in another life of the table. */
bool um_slots_had_former(const struct um_slots *slots, uint64_t handle);

/* Makes the table of floors larger, for um_slots_raise_floor(). False: no memory. */
bool um_slots_grow_floors(struct um_slots *slots, size_t page);

/* Notes that no handle with this one's generation or a lower one may be given out for its slot, or those near it, which have no
 * handle yet. False: no memory. */
UM_ALWAYS_INLINE bool um_slots_raise_floor(struct um_slots *slots, uint64_t handle)
{
    size_t page = um_handle_slot(handle) / UM_SLOT_FLOOR_SLOTS;
    uint32_t generation = (uint32_t)(handle >> UM_HANDLE_GENERATION_SHIFT);

    if (page >= slots->floor_count && !um_slots_grow_floors(slots, page))
        return false;
    if (generation > slots->floors[page])
        slots->floors[page] = generation;
    return true;
}

/* What a handle is that is not in use. */
enum um_slot_verdict um_slots_judge(const struct um_slots *slots, uint64_t handle);

/* Looks up a handle; *record is set with UM_SLOT_OK only. */
UM_ALWAYS_INLINE enum um_slot_verdict um_slots_find(const struct um_slots *slots, uint64_t handle,
                                                    void **record)
{
    uint32_t number = um_handle_slot(handle);
    uint64_t generation = handle >> UM_HANDLE_GENERATION_SHIFT;

    if (number < slots->used && generation <= UM_GENERATION_LIMIT && (handle & 3) == (uint64_t)slots->kind) {
        struct um_slot *slot = um_slots_at(slots, number);

        if (slot->state == (UM_SLOT_LIVE | generation)) {
            *record = slot;
            return UM_SLOT_OK;
        }
    }
    return um_slots_judge(slots, handle);
}

/* ---- places in a walk over all slots, which outlive what is in the slots ---- */

/* The slot to go on with after a handle, of which only the slot counts; 0: the first. */
static inline uint32_t um_walk_slot(uint64_t after)
{
    return after == 0 ? 0 : um_handle_slot(after) + 1;
}

/* A handle after which a walk continues with this slot. */
static inline uint64_t um_walk_place(uint32_t slot)
{
    return slot == 0 ? 0 : um_handle_make(UM_HANDLE_BLOCK, slot - 1, UM_GENERATION_LIMIT);
}

#endif
