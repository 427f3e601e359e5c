/*
 * What all of the benchmark uses: giving up, the clock, distinct bytes, the amount of work.
 *
 * Owns: nothing. Must not know: servers, protocols.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

/* How much is done. The short form has all workloads, but too little of each for figures. */
struct effort {
    bool is_short;          /* too little for figures */
    const char *row;        /* only the rows of the load whose text begins so; NULL: everything */
    unsigned rounds;        /* how often everything is measured, turn about */
    uint64_t slice_ns;      /* how long one workload runs against one server in one round */
    unsigned connections;   /* most connections at one time */
    unsigned large_depth;   /* most requests of 1 MiB pending */
    size_t random_requests; /* how many blocks are picked at random where cost by number is measured */
    size_t blocks;          /* most blocks */
    size_t blocks_memory;   /* blocks by which the memory of one is measured */
    size_t blocks_destroy;  /* blocks of the heap that is destroyed */
    size_t heaps;           /* heaps */
    size_t mapped_bytes;    /* of a copy through mapped memory */
};

/* Prints what is wrong, ends every server that was started, and ends the program with 1. */
_Noreturn void give_up(const char *format, ...) UM_PRINTF(1, 2);

/* As malloc(), but gives up where memory runs out. */
void *must_alloc(size_t size);

/* Nanoseconds of a monotonic clock. */
uint64_t now_ns(void);

/* Fills `bytes` with what belongs to `seed`: no two seeds give the same 8 bytes or more. */
void fill_bytes(void *bytes, size_t size, uint64_t seed);

/* The next number of a row that looks random; *state is not 0. */
uint64_t roll(uint64_t *state);

#endif
