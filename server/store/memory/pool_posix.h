/*
 * Memory for blocks of less than a megabyte: taken from the system in steps, and returned to it in pieces.
 *
 * Owns: the pages of all private heaps and of the process heap, and which of their bytes are in use. Must not know: blocks, heaps.
 *
 * Every table lies outside of the memory that it divides. Small sizes share runs of 64 KiB, each of slots of one size, with a bit
 * for each slot; larger ones are extents (extents.h). What is free as a whole is purged (purge.h) once there is much of it,
 * so that a quick alloc and free costs no page faults. The pool belongs to the process, because there is one address space.
 *
 * Whoever has memory remembers its size and alignment and passes both when it frees the memory.
 */
#ifndef UM_STORE_POOL_POSIX_H
#define UM_STORE_POOL_POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct um_pool_stats {
    uint64_t used;    /* bytes taken up: slots and extents, and what of a run is not in use */
    uint64_t touched; /* bytes in pages that may have memory behind them */
};

/* Zeroed bytes at a multiple of `alignment`, a power of two from 16 to 65536. A size of 0 has an address, too. NULL: there is no
 * memory. */
void *um_pool_alloc(size_t size, uint32_t alignment);

void um_pool_free(void *address, size_t size, uint32_t alignment);

/* Changes the size where the memory is; bytes added are zero. Returns false, with nothing changed, where that cannot be, or where
 * other memory would do better and `in_place_only` does not forbid it. */
bool um_pool_resize(void *address, size_t old_size, size_t new_size, uint32_t alignment, bool in_place_only);

/* Has all that is free purged, however little it is. */
void um_pool_compact(void);

/* Returns a piece of what is purged. The result says whether there is more. */
bool um_pool_purge(void);

/* Frees all unused memory, tables too. For the end of a store. */
void um_pool_end(void);

void um_pool_get_stats(struct um_pool_stats *stats);

#endif
