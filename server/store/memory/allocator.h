/*
 * The allocator of every heap that is not Win32's: it divides a space of offsets into runs of slots for small blocks and extents
 * for others. Every table lies outside of what it divides.
 *
 * Owns: which bytes of its space are in use. Must not know: what lies behind the offsets; it never touches a byte of it and calls nothing
 * of the system's, so that nothing that is written there can lead it astray, and private and shared memory are divided alike.
 *
 * Small sizes belong to classes: multiples of 16 bytes to 128, then eight to each power of two, to 16 KiB. So less than an eighth of
 * a slot is not asked for. A run is some pages of slots of one class, with a bit for each slot; a class has its first run once
 * it has a number of blocks (`loose_limit`), and larger runs as it grows, so that a small segment is not used up by runs of a
 * few blocks each. All else are extents (extents.h): best fit, joined at once. Where there is no place for a run, small blocks are extents,
 * too: a block of up to `largest_free` bytes can always be acquired.
 *
 * The caller remembers a block's offset and size (as asked for) and passes both; they are trusted.
 */
#ifndef UM_STORE_ALLOCATOR_H
#define UM_STORE_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/memory/heap_kinds.h"
#include "store/memory/run_map.h"

struct um_allocator;

struct um_allocator_stats {
    uint64_t length;       /* bytes of the space */
    uint64_t free_bytes;   /* in free extents and free slots */
    uint64_t free_extents; /* pieces outside of runs that are free */
    uint64_t largest_free; /* bytes in the largest of them; a size up to this can be acquired */
    uint64_t used_extents; /* blocks that are extents, and runs */
    uint32_t class_count;  /* of `classes` that are filled in */
    struct um_size_class_stats classes[UM_SIZE_CLASSES];
};

/* Receives a part of a run in which nothing is in use. */
typedef void um_allocator_part(void *context, uint64_t offset, uint64_t size);

/* Makes an allocator without any space. `map` finds its runs and may be shared by allocators whose spaces are apart; it stays the
 * caller's. `alignment` is a power of two from UM_ALIGNMENT_MINIMUM to UM_ALIGNMENT_MAXIMUM, of which all offsets are multiples.
 * `loose_limit`: blocks of one class that are extents before it has a run. NULL when memory runs out. */
struct um_allocator *um_allocator_new(struct um_run_map *map, uint32_t alignment, uint32_t loose_limit);

/* Frees up to *budget of the entries of the tables and counts them down, before um_allocator_free(): nothing else may follow. Returns
 * whether there are more. */
bool um_allocator_free_step(struct um_allocator *allocator, size_t *budget);

/* Frees the tables. What was not released needs no release. NULL is fine. */
void um_allocator_free(struct um_allocator *allocator);

/* Adds free space, which joins what it touches. Multiples of the alignment and of UM_RUN_UNIT. Returns false, with nothing changed, when memory
 * runs out. */
bool um_allocator_add(struct um_allocator *allocator, uint64_t offset, uint64_t size);

/* Takes space out in which no extent and no run lies. Cannot fail. */
void um_allocator_remove(struct um_allocator *allocator, uint64_t offset, uint64_t size);

/* Takes a block of `size` bytes (0: a place of its own) and sets *offset. Returns false, with nothing changed, where there is no place for it
 * or the daemon's own memory runs out. */
bool um_allocator_acquire(struct um_allocator *allocator, uint64_t size, uint64_t *offset);

/* Takes a block that begins at `offset`, as an extent: so the blocks of a heap are put back where they were, in any order. Returns false, with
 * nothing changed, where its place is not free or cannot be a block's, or the daemon's own memory runs out. */
bool um_allocator_restore(struct um_allocator *allocator, uint64_t offset, uint64_t size);

/* Releases a block. Cannot fail. */
void um_allocator_release(struct um_allocator *allocator, uint64_t offset, uint64_t size);

/* Changes a block's size where it is. Returns false, with nothing changed, where that cannot be. Shrinking always succeeds; neither way
 * needs memory. */
bool um_allocator_resize(struct um_allocator *allocator, uint64_t offset, uint64_t old_size,
                         uint64_t new_size);

/* Bytes that a block takes up: so far it can grow without a change of the tables. */
uint64_t um_allocator_capacity(const struct um_allocator *allocator, uint64_t offset, uint64_t size);

/* Whether a block that is made this small would do better elsewhere. */
bool um_allocator_wastes(const struct um_allocator *allocator, uint64_t offset, uint64_t size);

/* Bytes that are in blocks, or in runs behind the last slot. */
uint64_t um_allocator_used_bytes(const struct um_allocator *allocator);

/* The smallest free extent of *size bytes or more; of those of *size bytes, the first at *offset or later. As um_extents_next_large(). */
bool um_allocator_next_large(const struct um_allocator *allocator, uint64_t *offset, uint64_t *size);

/* The first free extent, or what lies behind `from` of the one that `from` is in. As um_extents_next_free(): slots are not among them. */
bool um_allocator_next_free(const struct um_allocator *allocator, uint64_t from, uint64_t *offset,
                            uint64_t *size);

/* Ageing finds runs that have had free slots but no acquire and no release since the round before. A round begins with the first
 * of these calls. */
void um_allocator_age_begin(struct um_allocator *allocator);

/* Looks at up to *budget runs and counts them down. Hands the free parts of those that have aged (or of all, if `at_once`) to `part`, in
 * which no block lies; empty runs become free extents. Returns whether the round has more. */
bool um_allocator_age_step(struct um_allocator *allocator, bool at_once, size_t *budget,
                           um_allocator_part *part, void *context);

/* Whether a run waits for another round. */
bool um_allocator_has_young(const struct um_allocator *allocator);

void um_allocator_get_stats(const struct um_allocator *allocator, struct um_allocator_stats *stats);

#endif
