#include "store/memory/run_map.h"

#include <stdlib.h>

#define LEAF_SIZE ((uint64_t)UM_RUN_UNIT * UM_RUN_MAP_LEAF) /* bytes that a leaf is for */

bool um_run_map_init(struct um_run_map *map, uint64_t length)
{
    struct um_run_map made = {.leaf_count = length / LEAF_SIZE + 1};

    made.leaves = calloc((size_t)made.leaf_count, sizeof(void **));
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

bool um_run_map_set(struct um_run_map *map, uint64_t offset, uint64_t size, void *run)
{
    uint64_t first = offset / UM_RUN_UNIT;
    uint64_t end = (offset + size) / UM_RUN_UNIT;

    for (uint64_t leaf = first / UM_RUN_MAP_LEAF; run != NULL && leaf <= (end - 1) / UM_RUN_MAP_LEAF;
         leaf++) {
        if (map->leaves[leaf] == NULL)
            map->leaves[leaf] = calloc(UM_RUN_MAP_LEAF, sizeof(void *));
        if (map->leaves[leaf] == NULL)
            return false;
    }
    for (uint64_t unit = first; unit < end; unit++)
        map->leaves[unit / UM_RUN_MAP_LEAF][unit % UM_RUN_MAP_LEAF] = run;
    return true;
}
