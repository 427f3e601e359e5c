/*
 * What the allocator costs and how well it uses space, beside the C library's malloc and, where they are installed, mimalloc and jemalloc.
 *
 * Time: N blocks of 16 bytes to 4 KiB (every power of two as likely) are allocated; then one of them at random is freed and another of
 * a new size allocated, over and over. Printed is what such a pair takes: the least of several rounds, and in relation to malloc. A
 * block's bytes are never touched; malloc keeps its records between them, so that its figure has their cache misses in it.
 *
 * Space, two loads with 64 MiB in use on average, 900,000 steps, in each of which random blocks are freed until the next one is
 * within that:
 * - mixed: sizes from 16 bytes to 64 KiB all the time, every power of two as likely;
 * - torn: the same for a third of the steps, then small ones only (up to 1 KiB), for the last third large ones again (from 16 KiB on).
 *   No allocator that leaves blocks where they are can do well with it: when half of the small blocks are gone, nearly every page
 *   still has one. With blocks of 512 bytes, 8 in a page, and a part p of them left, 1 - (1 - p)^8 of the pages are in use, beside the
 *   (1 - p) of the large ones: 1.57 times the contents at p = 0.3, however good the rest is.
 * Printed is the highest byte that was ever in use, in relation to the most bytes that were: how much larger than its contents a segment would
 * have had to be; and the pages that had a block, which is the memory that cannot go back. For malloc it is the heap that it allocated from
 * the system.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/memory/allocator.h"

#ifdef HAVE_MALLINFO2
#include <malloc.h>
#endif
#ifdef HAVE_DLOPEN
#include <dlfcn.h>
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

/* One of those that are measured. */
struct allocator {
    const char *name;
    void (*acquire)(struct block *block);
    void (*release)(struct block *block);
    bool is_there;
};

#define COUNTED (UINT64_C(1) << 30) /* bytes of the segment of which the pages are counted */

enum { PAGE = 4096 };

static struct um_run_map runs;
static uint16_t in_page[COUNTED / PAGE]; /* blocks that lie in a page */
static uint64_t pages;                   /* that have any */
static uint64_t most_pages;
static struct um_allocator *own;
static uint64_t highest; /* end of a block, ever */
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
    fprintf(stderr, "bench_allocator: %s\n", what);
    exit(1);
}

static void acquire_own(struct block *block)
{
    if (!um_allocator_acquire(own, block->size, &block->offset))
        give_up("no place");
    if (block->offset + block->size > highest)
        highest = block->offset + block->size;
}

/* Counts the pages of a block that is there, or is no more. */
static void count_pages(const struct block *block, bool is_there)
{
    for (uint64_t page = block->offset / PAGE; page <= (block->offset + block->size - 1) / PAGE; page++) {
        if (is_there)
            pages += in_page[page]++ == 0;
        else
            pages -= --in_page[page] == 0;
    }
    most_pages = pages > most_pages ? pages : most_pages;
}

static void release_own(struct block *block)
{
    um_allocator_release(own, block->offset, block->size);
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

/* ---- other libraries ---- */

struct library {
    void *(*allocate)(size_t size);
    void (*release)(void *memory);
};

static struct library mimalloc;
static struct library jemalloc;

static void acquire_mimalloc(struct block *block)
{
    block->memory = mimalloc.allocate((size_t)block->size);
}

static void release_mimalloc(struct block *block)
{
    mimalloc.release(block->memory);
}

static void acquire_jemalloc(struct block *block)
{
    block->memory = jemalloc.allocate((size_t)block->size);
}

static void release_jemalloc(struct block *block)
{
    jemalloc.release(block->memory);
}

#ifdef HAVE_DLOPEN
static bool load(struct library *library, const char *file, const char *allocate, const char *release)
{
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    void *first = handle != NULL ? dlsym(handle, allocate) : NULL;
    void *second = handle != NULL ? dlsym(handle, release) : NULL;

    if (first == NULL || second == NULL) {
        printf("%s is left out: %s\n", file, handle == NULL ? dlerror() : "it has other functions");
        return false;
    }
    memcpy(&library->allocate, &first, sizeof first);
    memcpy(&library->release, &second, sizeof second);
    return true;
}
#else
static bool load(struct library *library, const char *file, const char *allocate, const char *release)
{
    (void)library;
    (void)allocate;
    (void)release;
    printf("%s cannot be loaded here: left out\n", file);
    return false;
}
#endif

enum { OWN, MALLOC, MIMALLOC, JEMALLOC, ALLOCATORS };

static struct allocator allocators[ALLOCATORS] = {
    [OWN] = {"umemd", acquire_own, release_own, true},
    [MALLOC] = {"malloc", acquire_memory, release_memory, true},
    [MIMALLOC] = {"mimalloc", acquire_mimalloc, release_mimalloc, false},
    [JEMALLOC] = {"jemalloc", acquire_jemalloc, release_jemalloc, false},
};

static void begin(void)
{
    random_state = UINT64_C(88172645463325252);
    highest = 0;
    blocks = calloc(BLOCKS_LIMIT, sizeof *blocks);
    if (blocks == NULL || !um_run_map_init(&runs, SEGMENT))
        give_up("no memory");
    own = um_allocator_new(&runs, UM_ALIGNMENT_MINIMUM, 0);
    if (own == NULL || !um_allocator_add(own, 0, SEGMENT))
        give_up("no memory");
}

static void end(const struct allocator *allocator, size_t count)
{
    size_t all = SIZE_MAX;

    for (size_t i = 0; i < count; i++)
        allocator->release(&blocks[i]);
    um_allocator_free(own);
    (void)um_run_map_deinit_step(&runs, &all);
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

    printf("%-12s", "ns a pair, of");
    for (int i = 0; i < ALLOCATORS; i++) {
        if (allocators[i].is_there)
            printf(" %10s", allocators[i].name);
    }
    printf(" %16s\n", "umemd by malloc");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double taken[ALLOCATORS] = {0};

        printf("%-12zu ", counts[i]);
        for (int which = 0; which < ALLOCATORS; which++) {
            if (!allocators[which].is_there)
                continue;
            taken[which] = least_ns(&allocators[which], counts[i]);
            printf(" %10.0f", taken[which]);
        }
        printf(" %16.2f\n", taken[OWN] / taken[MALLOC]);
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

static uint64_t size_at(int step, bool torn)
{
    if (!torn)
        return some_size(SMALLEST_BITS, 16);
    if (step / (STEPS / 3) == 1)
        return some_size(SMALLEST_BITS, 10);
    return step < STEPS / 3 ? some_size(SMALLEST_BITS, 16) : some_size(14, 16);
}

static void measure_space(const struct allocator *allocator, bool torn)
{
    bool is_own = allocator == &allocators[OWN];
    uint64_t in_use = 0;
    uint64_t most_in_use = 0;
    size_t count = 0;
    begin();
    uint64_t before = malloc_size();
    uint64_t most_memory = 0;
    for (int step = 0; step < STEPS; step++) {
        uint64_t size = size_at(step, torn);
        while (in_use + size > CONTENTS || count == BLOCKS_LIMIT) {
            struct block *block = &blocks[roll(count)];
            if (is_own)
                count_pages(block, false);
            allocator->release(block);
            in_use -= block->size;
            *block = blocks[--count];
        }
        blocks[count].size = size;
        allocator->acquire(&blocks[count]);
        if (is_own)
            count_pages(&blocks[count], true);
        count++;
        in_use += size;
        most_in_use = in_use > most_in_use ? in_use : most_in_use;
        if (step % 1000 == 0 && malloc_size() > before + most_memory)
            most_memory = malloc_size() - before;
    }
    uint64_t taken = is_own ? highest : most_memory;
    printf("%-8s %-8s %10.1f MiB of %.1f MiB: %.2f\n", torn ? "torn" : "mixed", allocator->name,
           (double)taken / MEBIBYTE, (double)most_in_use / MEBIBYTE, (double)taken / (double)most_in_use);
    if (is_own)
        printf("%-8s %-8s %10.1f MiB in pages that have a block: %.2f\n", torn ? "torn" : "mixed", "",
               (double)(most_pages * PAGE) / MEBIBYTE, (double)(most_pages * PAGE) / (double)most_in_use);
    memset(in_page, 0, sizeof in_page);
    pages = most_pages = 0;
    end(allocator, count);
}

/* With the word "torn": the space with that load, of malloc too, which cannot be told twice in one process. */
int main(int argc, char **argv)
{
    bool torn = argc > 1 && strcmp(argv[1], "torn") == 0;

    /* Space first: what the others leave of malloc's heap would count. */
    measure_space(&allocators[OWN], torn);
    if (malloc_size() != 0)
        measure_space(&allocators[MALLOC], torn);
    if (torn)
        return 0;
    printf("\n");
    allocators[MIMALLOC].is_there = load(&mimalloc, "libmimalloc.so.2", "mi_malloc", "mi_free");
    allocators[JEMALLOC].is_there = load(&jemalloc, "libjemalloc.so.2", "malloc", "free");
    measure_time();
    return 0;
}
