#include "cli/report/heap_map.h"

#include <string.h>

enum { CELL_SIZE_FIRST = 16 /* every block begins at a multiple of it */ };

void cli_map_begin(struct cli_heap_map *map)
{
    memset(map, 0, sizeof *map);
    map->cell_size = CELL_SIZE_FIRST;
}

static void join_cells(struct cli_heap_map *map)
{
    for (size_t cell = 0; cell < CLI_MAP_CELLS; cell++) {
        for (int grouping = 0; grouping < CLI_GROUPINGS; grouping++) {
            for (int group = 0; group < CLI_GROUPS; group++) {
                const size_t first = 2 * cell;

                map->bytes[cell][grouping][group] =
                    first < CLI_MAP_CELLS
                        ? map->bytes[first][grouping][group] + map->bytes[first + 1][grouping][group]
                        : 0;
            }
        }
    }
    map->cell_size *= 2;
}

void cli_map_add(struct cli_heap_map *map, uint64_t offset, uint64_t size, const int groups[CLI_GROUPINGS])
{
    const uint64_t end = offset + size;

    for (int grouping = 0; grouping < CLI_GROUPINGS; grouping++)
        cli_count_block(&map->sums[grouping][groups[grouping]], size);
    while ((end + map->cell_size - 1) / map->cell_size > CLI_MAP_CELLS)
        join_cells(map);
    for (uint64_t at = offset; at < end;) {
        const uint64_t cell = at / map->cell_size;
        const uint64_t cell_end = (cell + 1) * map->cell_size;
        const uint64_t part = (end < cell_end ? end : cell_end) - at;

        for (int grouping = 0; grouping < CLI_GROUPINGS; grouping++)
            map->bytes[cell][grouping][groups[grouping]] += part;
        at += part;
    }
    if (end > map->end)
        map->end = end;
}

size_t cli_map_cells(const struct cli_heap_map *map)
{
    return (size_t)((map->end + map->cell_size - 1) / map->cell_size);
}

struct cli_map_cell cli_map_cell(const struct cli_heap_map *map, enum cli_grouping grouping, size_t cell)
{
    const uint64_t *bytes = map->bytes[cell][grouping];
    struct cli_map_cell shown = {.group = 0};
    uint64_t used = 0;
    uint64_t level;

    for (int group = 0; group < CLI_GROUPS; group++) {
        used += bytes[group];
        if (bytes[group] > bytes[shown.group])
            shown.group = group;
    }
    /* Blocks that took the place of others while they were listed may be more than fits. */
    level = (used * CLI_MAP_LEVELS + map->cell_size - 1) / map->cell_size;
    shown.level = level < CLI_MAP_LEVELS ? (int)level : CLI_MAP_LEVELS;
    return shown;
}
