/*
 * Which run of slots a place of a segment lies in: a table of levels, so that a large and sparse segment has a small one.
 *
 * Owns: the table, outside of the segment. Must not know: what a run is; it keeps addresses only.
 *
 * A run begins and ends at multiples of UM_RUN_UNIT, and no two of them overlap. A part of the segment that belongs to one run has one
 * entry; one in which several lie, or less than one, has an entry for each unit. A lookup takes three loads or four.
 */
#ifndef UM_STORE_RUN_MAP_H
#define UM_STORE_RUN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

enum {
    UM_RUN_UNIT = 4096,   /* bytes that belong to one run, if any */
    UM_RUN_MAP_PART = 16, /* units in a part */
    UM_RUN_MAP_LEAF = 512 /* parts of which the entries are allocated at once */
};

/* What is known of a part. */
struct um_run_map_part {
    void *run;    /* the one that it belongs to as a whole, or NULL */
    void **units; /* the run of each of its units, or NULL; NULL: as `run` says */
};

struct um_run_map {
    struct um_run_map_part **leaves; /* by place; NULL: none of its entries is set */
    uint64_t leaf_count;             /* length of `leaves` */
};

/* Makes an empty table for the offsets below `length`. Returns false when memory runs out. */
bool um_run_map_init(struct um_run_map *map, uint64_t length);

/* Frees up to *budget of its leaves, in which no run is set any more, and counts them down. Returns whether there are more; where not, the
 * table is empty and needs no more. A table of zeros is fine. */
bool um_run_map_deinit_step(struct um_run_map *map, size_t *budget);

/* Sets the entries of a run. Returns false, with nothing changed, when memory runs out. */
bool um_run_map_set(struct um_run_map *map, uint64_t offset, uint64_t size, void *run);

/* Clears them: offset and size are those of a run that was set. */
void um_run_map_clear(struct um_run_map *map, uint64_t offset, uint64_t size);

/* The run that an offset lies in, or NULL. */
UM_ALWAYS_INLINE void *um_run_map_get(const struct um_run_map *map, uint64_t offset)
{
    uint64_t unit = offset / UM_RUN_UNIT;
    uint64_t part = unit / UM_RUN_MAP_PART;
    const struct um_run_map_part *leaf = map->leaves[part / UM_RUN_MAP_LEAF];
    const struct um_run_map_part *it;

    if (leaf == NULL)
        return NULL;
    it = &leaf[part % UM_RUN_MAP_LEAF];
    return it->units == NULL ? it->run : it->units[unit % UM_RUN_MAP_PART];
}

#endif
