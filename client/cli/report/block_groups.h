/*
 * The groups that a report sorts blocks into: by age, by the program that made them, by size.
 *
 * Owns: where one group ends and the next begins, and what the groups are called. Must not know: how they are shown.
 */
#ifndef UMEM_CLI_BLOCK_GROUPS_H
#define UMEM_CLI_BLOCK_GROUPS_H

#include <stdint.h>

enum cli_grouping { CLI_BY_AGE, CLI_BY_PROGRAM, CLI_BY_SIZE, CLI_GROUPINGS };

/* Most groups of one grouping. Programs beyond that share the last group. */
enum { CLI_GROUPS = 8, CLI_PROGRAM_GROUPS = CLI_GROUPS - 1, CLI_OTHER_PROGRAMS = CLI_GROUPS - 1 };

/* Blocks, and their sizes together. */
struct cli_block_sum {
    uint64_t blocks;
    uint64_t bytes;
};

/* The group of a block of that age or size. */
int cli_age_group(int64_t age_seconds);
int cli_size_group(uint64_t size_bytes);

/* What a group by age or size is called; NULL: there is no such group. */
const char *cli_age_label(int group);
const char *cli_size_label(int group);

/* Counts one block more. */
static inline void cli_count_block(struct cli_block_sum *sum, uint64_t size_bytes)
{
    sum->blocks++;
    sum->bytes += size_bytes;
}

#endif
