/*
 * Where the blocks of a heap lie: its memory in cells of one size, each with what lies in it by groups.
 *
 * Owns: the cells. Must not know: how they are drawn, and where the blocks are listed.
 *
 * The number of cells is bounded: where blocks lie further on, two cells become one. So no memory is needed for a block.
 */
#ifndef UMEM_CLI_HEAP_MAP_H
#define UMEM_CLI_HEAP_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "cli/report/block_groups.h"

enum { CLI_MAP_CELLS = 2048, CLI_MAP_LEVELS = 4 };

struct cli_heap_map {
    uint64_t cell_size;                                       /* bytes, a power of two */
    uint64_t end;                                             /* offset behind the last block */
    uint64_t bytes[CLI_MAP_CELLS][CLI_GROUPINGS][CLI_GROUPS]; /* of blocks, in each cell */
    struct cli_block_sum sums[CLI_GROUPINGS][CLI_GROUPS];     /* of all blocks */
};

/* What a picture shows of a cell: the group that has most of it, and how much of it is used. */
struct cli_map_cell {
    int group;
    int level; /* 0: nothing; 1 to CLI_MAP_LEVELS: up to a quarter, a half, three quarters, all */
};

/* Begins an empty one. */
void cli_map_begin(struct cli_heap_map *map);

/* Adds a block with its group in each grouping. */
void cli_map_add(struct cli_heap_map *map, uint64_t offset, uint64_t size, const int groups[CLI_GROUPINGS]);

/* How many cells there are from the beginning to the last block. */
size_t cli_map_cells(const struct cli_heap_map *map);

struct cli_map_cell cli_map_cell(const struct cli_heap_map *map, enum cli_grouping grouping, size_t cell);

#endif
