/*
 * Which run of slots a place of a segment lies in: a table of two levels, so that a large and sparse segment has a small one.
 *
 * Owns: the table, outside of the segment. Must not know: what a run is; it keeps addresses only.
 *
 * A run begins and ends at multiples of UM_RUN_UNIT, and no two of them overlap. A lookup takes two loads.
 */
#ifndef UM_STORE_RUN_MAP_H
#define UM_STORE_RUN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

enum {
    UM_RUN_UNIT = 4096,    /* bytes, of which each has an entry */
    UM_RUN_MAP_LEAF = 1024 /* entries that are allocated at once */
};

struct um_run_map {
    void ***leaves;      /* by place; NULL: none of its entries is set */
    uint64_t leaf_count; /* length of `leaves` */
};

/* Makes an empty table for the offsets below `length`. Returns false when memory runs out. */
bool um_run_map_init(struct um_run_map *map, uint64_t length);

/* Frees up to *budget of its pieces and counts them down. Returns whether there are more; where not, the table is empty and needs no
 * more. A table of zeros is fine. */
bool um_run_map_deinit_step(struct um_run_map *map, size_t *budget);

/* Sets the entries of a run. Returns false, with nothing changed, when memory runs out. NULL needs none. */
bool um_run_map_set(struct um_run_map *map, uint64_t offset, uint64_t size, void *run);

/* The run that an offset lies in, or NULL. */
UM_ALWAYS_INLINE void *um_run_map_get(const struct um_run_map *map, uint64_t offset)
{
    uint64_t unit = offset / UM_RUN_UNIT;
    void *const *leaf = map->leaves[unit / UM_RUN_MAP_LEAF];

    return leaf != NULL ? leaf[unit % UM_RUN_MAP_LEAF] : NULL;
}

#endif
