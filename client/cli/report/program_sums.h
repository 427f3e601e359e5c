/*
 * What each program has made: blocks and bytes, of all heaps and of those that are pictured, and what of it is orphaned.
 *
 * Owns: the programs' names and sums. Must not know: sessions, and how the sums are shown.
 *
 * The number of programs is bounded; what comes after that is counted for "others".
 */
#ifndef UMEM_CLI_PROGRAM_SUMS_H
#define UMEM_CLI_PROGRAM_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/report/block_groups.h"
#include "umem_client.h"

enum {
    CLI_PROGRAMS_MAXIMUM = 1000, /* that are counted by themselves */
    CLI_MAPS_MAXIMUM = 8,        /* heaps that a report has pictures of */
    CLI_ALL_HEAPS = CLI_MAPS_MAXIMUM
};

struct cli_program_sum {
    char name[UMEM_NAME_SIZE];                     /* "": not known */
    struct cli_block_sum heaps[CLI_ALL_HEAPS + 1]; /* of the pictured heaps, and of all heaps */
    struct cli_block_sum orphans;
    int64_t oldest_orphan; /* when it was made: seconds since 1970-01-01 UTC */
};

struct cli_programs {
    struct cli_program_sum others;
    struct cli_program_sum sums[CLI_PROGRAMS_MAXIMUM];
    int count;
    short places[2048]; /* by the name's hash: 1 and the program's place in `sums`; 0: free */
};

/* The groups of a figure: which programs have one of their own. */
struct cli_program_groups {
    const struct cli_program_sum *programs[CLI_PROGRAM_GROUPS]; /* NULL: none */
    bool has_others;
};

/* The program of that name, made where there is none and space for it; else the others. */
struct cli_program_sum *cli_find_program(struct cli_programs *programs, const char *name);

/* Gives the largest programs of one pictured heap, or of CLI_ALL_HEAPS, groups of their own. Programs that are among the largest of
 * all heaps have the same group in every figure. */
void cli_group_programs(const struct cli_programs *programs, int heap, struct cli_program_groups *groups);

/* The group of a program in a figure. */
int cli_program_group(const struct cli_program_groups *groups, const struct cli_program_sum *program);

#endif
