/*
 * What dividing a segment costs, and how well the space is used, beside the C library's malloc.
 *
 * Time: N ranges of 16 bytes to 4 KiB (every power of two as likely) are acquired; then one of them at random
 * is released and another of a new size acquired, over and over. Printed is what such a pair takes: the least of
 * several rounds, and the same by the steps of a search among so many (log2 N), which must not grow where the cost
 * is that of the steps; from 10^5 on the tables are in no cache and each step waits for memory. A range's bytes are
 * never touched; malloc keeps its records between them, so that its figure has their cache misses in it.
 *
 * Space: 64 MiB in use on average, sizes from 16 bytes to 64 KiB, of which every power of two is as likely;
 * each step releases random ones until the next one is within that, 900,000 steps in all. After a third,
 * small ones only come (up to 1 KiB), after another third large ones again (from 16 KiB on): that is what
 * tears memory to pieces. Printed is the highest byte that was ever in use, in relation to the most bytes
 * that were: how much larger than its contents a segment would have had to be. For malloc it is the heap that
 * it allocated from the system.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/memory/extents.h"

#ifdef HAVE_MALLINFO2
#include <malloc.h>
#endif

#define MEBIBYTE (UINT64_C(1) << 20)
#define SEGMENT (UINT64_C(1) << 44) /* bytes: never exhausted */
#define CONTENTS (64 * MEBIBYTE)

enum {
    PAIRS = 500000,
    ROUNDS = 3,
    STEPS = 900000,
    BLOCKS_LIMIT = 1 << 22,
    SMALLEST_BITS = 4 /* sizes begin with 16 bytes */
};

struct block {
    uint64_t offset; /* in the segment */
    void *memory;    /* malloc's */
    uint64_t size;   /* bytes */
};

/* One of the two that are measured. */
struct allocator {
    const char *name;
    void (*acquire)(struct block *block);
    void (*release)(struct block *block);
};

static struct um_extents *ranges;
static uint64_t highest; /* end of a range, ever */
static struct block *blocks;

static uint64_t random_state;

static uint64_t roll(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

/* From 2^least to 2^most bytes, each power of two as likely as another. */
static uint64_t some_size(unsigned least, unsigned most)
{
    uint64_t base = UINT64_C(1) << (least + roll(most - least));
    return base + roll(base) + 1;
}

static void give_up(const char *what)
{
    fprintf(stderr, "bench_extents: %s\n", what);
    exit(1);
}

static void acquire_range(struct block *block)
{
    if (!um_extents_acquire(ranges, block->size, &block->offset))
        give_up("no range");
    if (block->offset + block->size > highest)
        highest = block->offset + block->size;
}

static void release_range(struct block *block)
{
    um_extents_release(ranges, block->offset, block->size);
}

static void acquire_memory(struct block *block)
{
    block->memory = malloc((size_t)block->size);
    if (block->memory == NULL)
        give_up("no memory");
}

static void release_memory(struct block *block)
{
    free(block->memory);
}

static const struct allocator of_ranges = {"ranges", acquire_range, release_range};
static const struct allocator of_malloc = {"malloc", acquire_memory, release_memory};

static void begin(void)
{
    random_state = UINT64_C(88172645463325252);
    highest = 0;
    ranges = um_extents_new(SEGMENT, UM_EXTENTS_ALIGNMENT_MINIMUM);
    blocks = calloc(BLOCKS_LIMIT, sizeof *blocks);
    if (ranges == NULL || blocks == NULL)
        give_up("no memory");
}

static void end(const struct allocator *allocator, size_t count)
{
    for (size_t i = 0; i < count; i++)
        allocator->release(&blocks[i]);
    um_extents_free(ranges);
    free(blocks);
}

/* ---- time ---- */

static double pair_ns(const struct allocator *allocator, size_t count)
{
    begin();
    for (size_t i = 0; i < count; i++) {
        blocks[i].size = some_size(SMALLEST_BITS, 12);
        allocator->acquire(&blocks[i]);
    }
    for (size_t i = 0; i < count; i++) { /* so that the first state is like the later ones */
        struct block *block = &blocks[roll(count)];
        allocator->release(block);
        block->size = some_size(SMALLEST_BITS, 12);
        allocator->acquire(block);
    }
    clock_t start = clock();
    for (int i = 0; i < PAIRS; i++) {
        struct block *block = &blocks[roll(count)];
        allocator->release(block);
        block->size = some_size(SMALLEST_BITS, 12);
        allocator->acquire(block);
    }
    double taken = (double)(clock() - start) / CLOCKS_PER_SEC;
    end(allocator, count);
    return taken * 1e9 / PAIRS;
}

static double least_ns(const struct allocator *allocator, size_t count)
{
    double least = pair_ns(allocator, count);
    for (int i = 1; i < ROUNDS; i++) {
        double taken = pair_ns(allocator, count);
        least = taken < least ? taken : least;
    }
    return least;
}

static void measure_time(void)
{
    static const size_t counts[] = {10, 1000, 100000, 1000000};
    printf("%-12s %16s %16s %16s\n", "in use", "ranges, ns/pair", "by log2(in use)", "malloc, ns/pair");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double with_ranges = least_ns(&of_ranges, counts[i]);
        double with_malloc = least_ns(&of_malloc, counts[i]);
        printf("%-12zu %16.0f %16.1f %16.0f\n", counts[i], with_ranges, with_ranges / log2((double)counts[i]),
               with_malloc);
    }
}

/* ---- space ---- */

/* Bytes that malloc has allocated from the system; 0 where that is not known. */
static uint64_t malloc_size(void)
{
#ifdef HAVE_MALLINFO2
    struct mallinfo2 info = mallinfo2();
    return (uint64_t)info.arena + (uint64_t)info.hblkhd;
#else
    return 0;
#endif
}

static uint64_t size_at(int step)
{
    if (step / (STEPS / 3) == 1)
        return some_size(SMALLEST_BITS, 10);
    return step < STEPS / 3 ? some_size(SMALLEST_BITS, 16) : some_size(14, 16);
}

static void measure_space(const struct allocator *allocator)
{
    struct um_extents_stats figures;
    uint64_t in_use = 0;
    uint64_t most_in_use = 0;
    size_t count = 0;
    begin();
    uint64_t before = malloc_size();
    uint64_t most_memory = 0;
    for (int step = 0; step < STEPS; step++) {
        uint64_t size = size_at(step);
        while (in_use + size > CONTENTS || count == BLOCKS_LIMIT) {
            struct block *block = &blocks[roll(count)];
            allocator->release(block);
            in_use -= block->size;
            *block = blocks[--count];
        }
        blocks[count].size = size;
        allocator->acquire(&blocks[count++]);
        in_use += size;
        most_in_use = in_use > most_in_use ? in_use : most_in_use;
        if (step % 1000 == 0 && malloc_size() > before + most_memory)
            most_memory = malloc_size() - before;
    }
    um_extents_get_stats(ranges, &figures);
    uint64_t taken = allocator == &of_ranges ? highest : most_memory;
    printf("%-12s %12.1f MiB of %.1f MiB: %.2f", allocator->name, (double)taken / MEBIBYTE,
           (double)most_in_use / MEBIBYTE, (double)taken / (double)most_in_use);
    if (allocator == &of_ranges)
        printf(" (%zu free ranges beside %zu in use)", figures.free_extents, figures.used_extents);
    printf("\n");
    end(allocator, count);
}

int main(void)
{
    /* Space first: what the other leaves of malloc's heap would count. */
    measure_space(&of_ranges);
    if (malloc_size() != 0)
        measure_space(&of_malloc);
    printf("\n");
    measure_time();
    return 0;
}
