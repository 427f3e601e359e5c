/*
 * The extent allocator: extents (offset and size) of a segment are acquired and released. Every table lies outside of what it divides.
 *
 * Owns: which extents of the segment are free. A segment is [0, length) or any pieces that are added and removed. Must not know: what or where the segment is; it never touches a
 * byte of it, so that nothing that is written there can lead it astray.
 *
 * Best fit: an extent is cut from the lowest end of the smallest free extent that is large enough; of equal
 * ones, the one at the lowest offset. Free neighbours are joined at once, so that no two free extents ever
 * touch. Every call takes time in proportion to the logarithm of the number of free extents.
 *
 * All extents begin at a multiple of one alignment, so what lies between an extent's end and the next multiple
 * could not be used by another one: sizes are rounded up to the alignment, and nothing is lost by that.
 * um_extents_stats counts bytes so rounded.
 *
 * Only free extents are kept in the tables. The caller remembers an extent's offset and its size (as asked
 * for, unrounded) and passes both when it is released; they are trusted.
 */
#ifndef UM_STORE_EXTENTS_H
#define UM_STORE_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UM_EXTENTS_ALIGNMENT_MINIMUM UINT32_C(16)
#define UM_EXTENTS_ALIGNMENT_LIMIT UINT32_C(65536)
#define UM_EXTENTS_LENGTH_LIMIT (UINT64_C(1) << 62) /* bytes */

struct um_extents;

struct um_extents_stats {
    uint64_t length;       /* bytes in all: a multiple of the alignment */
    uint64_t free_bytes;   /* in all free extents together */
    uint64_t largest_free; /* bytes in the largest free extent; a size up to this can be acquired */
    size_t free_extents;   /* how many; many small ones where free_bytes is large: fragmentation */
    size_t used_extents;   /* acquired and not released */
};

/* Makes a segment's tables, all of it free; 0: a segment to which pieces are added. `length` in bytes is at most UM_EXTENTS_LENGTH_LIMIT and is
 * rounded down to the alignment: for each byte to be used, the segment is a multiple of it. `alignment` is
 * a power of two from UM_EXTENTS_ALIGNMENT_MINIMUM to UM_EXTENTS_ALIGNMENT_LIMIT; offsets are aligned,
 * addresses only if the segment is. NULL when memory runs out. */
struct um_extents *um_extents_new(uint64_t length, uint32_t alignment);

/* Adds a piece, in which nothing is in use; beside another one the two join. Offset and size are multiples of the alignment. Returns false,
 * with nothing changed, when memory runs out. */
bool um_extents_add(struct um_extents *extents, uint64_t offset, uint64_t size);

/* Removes a piece that was added, or the same number of bytes in another place, of which all is free. Cannot fail. */
void um_extents_remove(struct um_extents *extents, uint64_t offset, uint64_t size);

/* What an extent of `size` bytes, at most the length, takes up. */
uint64_t um_extents_rounded(const struct um_extents *extents, uint64_t size);

/* Frees the tables. What was not released needs no release. NULL is fine. */
void um_extents_free(struct um_extents *extents);

/* Frees up to *budget of the entries of the tables and counts them down, before um_extents_free(): nothing else may follow. Returns
 * whether there are more. */
bool um_extents_free_step(struct um_extents *extents, size_t *budget);

/* Takes an extent of `size` bytes (0: of a place of its own) and sets *offset. Returns false, with nothing
 * changed, where no free extent is large enough or the daemon's own memory runs out. */
bool um_extents_acquire(struct um_extents *extents, uint64_t size, uint64_t *offset);

/* As um_extents_acquire(), at a multiple of `unit`, a power of two that is no less than the alignment. */
bool um_extents_acquire_aligned(struct um_extents *extents, uint64_t size, uint32_t unit, uint64_t *offset);

/* Takes the extent of `size` bytes that begins at `offset`. Returns false, with nothing changed, where not all of it is free, or it cannot
 * begin there, or the daemon's own memory runs out. */
bool um_extents_acquire_at(struct um_extents *extents, uint64_t offset, uint64_t size);

/* Releases an extent. Cannot fail. `size` is what it was acquired with, or last resized to. */
void um_extents_release(struct um_extents *extents, uint64_t offset, uint64_t size);

/* Changes an extent's size where it is. Returns false, with nothing changed, where it would have to grow into
 * what is not free. Shrinking always succeeds; neither way needs memory. */
bool um_extents_resize(struct um_extents *extents, uint64_t offset, uint64_t old_size, uint64_t new_size);

/* Bytes in all used extents. */
uint64_t um_extents_used_bytes(const struct um_extents *extents);

/* The first free bytes at `from` or later: a free extent, or what lies behind `from` of the one that `from` is in. Returns
 * false where there are none. To go through all: begin with 0, go on with *offset + *size, or sooner. */
bool um_extents_next_free(const struct um_extents *extents, uint64_t from, uint64_t *offset, uint64_t *size);

/* The smallest free extent of *size bytes or more; of those of *size bytes, the first at *offset or later. Sets both. Returns false where
 * there is none. To go through all from a size on: begin with offset 0, go on with *offset + 1. */
bool um_extents_next_large(const struct um_extents *extents, uint64_t *offset, uint64_t *size);

void um_extents_get_stats(const struct um_extents *extents, struct um_extents_stats *stats);

#endif
