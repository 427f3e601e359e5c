#include "store/memory/run_map.h"

#include <stdlib.h>

#define LEAF_UNITS ((uint64_t)UM_RUN_MAP_PART * UM_RUN_MAP_LEAF) /* units that a leaf is for */

bool um_run_map_init(struct um_run_map *map, uint64_t length)
{
    struct um_run_map made = {.leaf_count = length / UM_RUN_UNIT / LEAF_UNITS + 1};

    made.leaves = calloc((size_t)made.leaf_count, sizeof(struct um_run_map_part *));
    if (made.leaves == NULL)
        return false;
    *map = made;
    return true;
}

bool um_run_map_deinit_step(struct um_run_map *map, size_t *budget)
{
    for (; *budget != 0 && map->leaf_count != 0; --*budget)
        free(map->leaves[--map->leaf_count]);
    if (map->leaf_count != 0)
        return true;
    free(map->leaves);
    map->leaves = NULL;
    return false;
}

/* The part that a unit lies in, of which there is a leaf. */
static struct um_run_map_part *part_of(const struct um_run_map *map, uint64_t unit)
{
    return &map->leaves[unit / LEAF_UNITS][unit / UM_RUN_MAP_PART % UM_RUN_MAP_LEAF];
}

/* ---- units of their own ---- */

/* Where a part ends, or `end` if that comes first. */
static uint64_t end_in_part(uint64_t unit, uint64_t end)
{
    uint64_t next = (unit / UM_RUN_MAP_PART + 1) * UM_RUN_MAP_PART;

    return next < end ? next : end;
}

/* Makes sure that a run which begins or ends in the middle of a part, at `unit`, can be set there. */
static bool split(const struct um_run_map *map, uint64_t unit)
{
    struct um_run_map_part *part;

    if (unit % UM_RUN_MAP_PART == 0)
        return true;
    part = part_of(map, unit);
    if (part->units == NULL)
        part->units = calloc(UM_RUN_MAP_PART, sizeof *part->units);
    return part->units != NULL;
}

/* Frees the entries of the units of a part, if none is set. */
static void join(struct um_run_map_part *part)
{
    for (unsigned i = 0; part->units != NULL && i < UM_RUN_MAP_PART; i++) {
        if (part->units[i] != NULL)
            return;
    }
    free(part->units);
    part->units = NULL;
}

static bool make_leaves(const struct um_run_map *map, uint64_t first, uint64_t end)
{
    for (uint64_t leaf = first / LEAF_UNITS; leaf <= (end - 1) / LEAF_UNITS; leaf++) {
        if (map->leaves[leaf] == NULL)
            map->leaves[leaf] = calloc(UM_RUN_MAP_LEAF, sizeof **map->leaves);
        if (map->leaves[leaf] == NULL)
            return false;
    }
    return true;
}

/* ---- the calls ---- */

static void set(const struct um_run_map *map, uint64_t unit, uint64_t end, void *run)
{
    while (unit < end) {
        struct um_run_map_part *part = part_of(map, unit);
        uint64_t last = end_in_part(unit, end);

        if (part->units == NULL) {
            part->run = run;
            unit = last;
        }
        for (; unit < last; unit++)
            part->units[unit % UM_RUN_MAP_PART] = run;
    }
}

bool um_run_map_set(struct um_run_map *map, uint64_t offset, uint64_t size, void *run)
{
    uint64_t first = offset / UM_RUN_UNIT;
    uint64_t end = first + size / UM_RUN_UNIT;

    if (!make_leaves(map, first, end))
        return false;
    if (!split(map, first) || !split(map, end)) {
        join(part_of(map, first));
        return false;
    }
    set(map, first, end, run);
    return true;
}

void um_run_map_clear(struct um_run_map *map, uint64_t offset, uint64_t size)
{
    uint64_t first = offset / UM_RUN_UNIT;
    uint64_t end = first + size / UM_RUN_UNIT;

    set(map, first, end, NULL);
    join(part_of(map, first));
    join(part_of(map, end - 1));
}
