/*
 * The memory of one heap of umemd's own allocator: an allocator (allocator.h) that divides it, a segment (segment.h) that provides it, and
 * its way back to the system.
 *
 * Owns: blocks, by address; what is free and how long it has been so. Must not know: handles; where segments come from.
 *
 * Memory that has been free for a whole period (purge.h) goes back to the system: runs of slots of which none was taken or freed, and
 * pages of free extents of 64 KiB and more of which none was handed out. So a client that allocates and frees in a loop pays nothing.
 */
#ifndef UM_STORE_HEAP_AREA_H
#define UM_STORE_HEAP_AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/memory/allocator.h"
#include "store/memory/heap_ops.h"
#include "store/memory/purge.h"
#include "store/memory/segment.h"

/* What a sweep through free memory looks at. */
enum um_sweep_stage {
    UM_SWEEP_NONE, /* there is no sweep */
    UM_SWEEP_RUNS,
    UM_SWEEP_EXTENTS
};

/* What a sweep returns. */
enum um_sweep_mode {
    UM_SWEEP_AGED,  /* what has been free for a whole period */
    UM_SWEEP_FREED, /* however lately it was freed: memory is short */
    UM_SWEEP_ALL    /* all that is free, what was committed in advance as well */
};

struct um_heap_area {
    struct um_segment segment;
    struct um_allocator *allocator;
    struct um_purge_source source;

    /* Adds space for a block of `size` bytes. NULL: there is never any more. */
    bool (*grow)(struct um_heap_area *area, uint64_t size);

    /* A free extent, of which what was idle is returned: space of it that is not touched may be removed from the allocator. NULL: nothing is. */
    void (*shrink)(struct um_heap_area *area, uint64_t offset, uint64_t size);

    uint64_t kept; /* bytes from the start that were committed in advance, and stay so until heap.compact */

    enum um_sweep_stage stage;
    uint64_t
        sweep_size; /* the extent that is looked at: its size, its offset, and up to where it was looked at */
    uint64_t sweep_offset;
    uint64_t sweep_position;
    enum um_sweep_mode mode;
    bool is_fresh;  /* the sweep has looked at nothing yet */
    bool is_again;  /* another one is to follow at once */
    bool has_found; /* the sweep has found memory that may be returned the next time */
    bool was_freed; /* something was freed since the sweep began */
    bool is_listed; /* with um_purge_set_listed() */
};

/* Makes the allocator for a segment that the caller has filled in, like the functions above. Space is added by the caller. Returns false when
 * memory runs out; then there is nothing to end, as there is not in an area of zeros. */
bool um_area_init(struct um_heap_area *area, struct um_run_map *map, uint32_t alignment,
                  uint32_t loose_limit);

/* Ends purging; then only um_area_end_step() may follow. */
void um_area_end(struct um_heap_area *area);

/* Frees up to *budget entries of tables and counts them down. Returns whether there are more. Blocks need not have been freed. */
bool um_area_end_step(struct um_heap_area *area, size_t *budget);

/* As the functions of struct um_heap_ops (heap_ops.h). */
void *um_area_alloc(struct um_heap_area *area, uint64_t size);
void *um_area_reserve(struct um_heap_area *area, uint64_t size);
bool um_area_prepare(struct um_heap_area *area, void *address, uint64_t offset, uint64_t size);
bool um_area_extend(struct um_heap_area *area, void *address, uint64_t old_size, uint64_t new_size);
void um_area_retract(struct um_heap_area *area, void *address, uint64_t old_size, uint64_t new_size);
void um_area_free(struct um_heap_area *area, void *address, uint64_t size);
void um_area_wipe(struct um_heap_area *area, void *address, uint64_t size);
void um_area_compact_start(struct um_heap_area *area);
bool um_area_compact_step(struct um_heap_area *area, uint64_t *largest_free);

/* Takes a block that begins at `offset`, with the bytes that are there. False: its place is not free or cannot be a block's, or there is no
 * memory for it. */
bool um_area_restore(struct um_heap_area *area, uint64_t offset, uint64_t size);

/* Changes a block's size where it is. Returns false, with nothing changed, where that cannot be, or where `may_move` and the block would waste
 * its place. */
bool um_area_resize(struct um_heap_area *area, void *address, uint64_t old_size, uint64_t new_size,
                    bool may_move);

/* Bytes that a block takes up. */
uint64_t um_area_capacity(const struct um_heap_area *area, const void *address, uint64_t size);

/* All but `corrupted`. */
void um_area_get_stats(const struct um_heap_area *area, struct um_heap_memory_stats *stats);

#endif
