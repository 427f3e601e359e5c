/* Blocks of a shared heap that are read and written through a mapping, beside this process's own memory, and beside
 * Redis, to which requests for the same bytes have to be sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect.h"
#include "figures.h"

enum {
    CELL = 64,   /* bytes of one read */
    CELLS = 64,  /* blocks that are read in turn */
    PIECES = 10, /* turns of each in a round: what disturbs one disturbs both */
    GOES = 16    /* through all cells before the clock is looked at */
};

/* Called through pointers that may change, so that no compiler sees that a copy is never used and leaves it out. */
static void copy_cell(void *to, const void *from)
{
    memcpy(to, from, CELL);
}

static void (*volatile copy_small)(void *to, const void *from) = copy_cell;
static void *(*volatile copy_large)(void *to, const void *from, size_t size) = memcpy;

/* What is measured: the same bytes in both places. */
struct setup {
    umem_client *client;
    umem_handle heap;
    const unsigned char *mapped[CELLS]; /* blocks of CELL bytes each */
    const unsigned char *own[CELLS];    /* cells of an array */
    unsigned char *array;               /* that array, which begins as cache lines do, as the heap does */
    void *allocated;                    /* what it was allocated in */
    uint64_t sum;                       /* of what one pass reads */
};

static void must(const struct setup *setup, int code)
{
    if (code != UMEM_OK)
        give_up("shared memory: %s", umem_last_error(setup->client)->message);
}

static void add(struct results *results, const char *name, const char *target, size_t size, unsigned round,
                double value, const char *unit)
{
    results_add(results, &(struct record){.group = "mapped",
                                          .name = name,
                                          .target = target,
                                          .size = size,
                                          .depth = 1,
                                          .connections = 1,
                                          .round = round,
                                          .value = value,
                                          .unit = unit});
}

/* ---- 64 bytes ---- */

/* Reads all cells and adds up their first and their last number. */
static uint64_t read_cells(const unsigned char *const *cells)
{
    uint64_t sum = 0;

    for (int i = 0; i < CELLS; i++) {
        uint64_t numbers[CELL / sizeof(uint64_t)];

        copy_small(numbers, cells[i]);
        sum += numbers[0] + numbers[CELL / sizeof(uint64_t) - 1];
    }
    return sum;
}

/* A turn; adds to *count how many were read and returns how long it took. */
static uint64_t measure_cells(const struct effort *effort, const struct setup *setup,
                              const unsigned char *const *cells, double *count)
{
    uint64_t begin = now_ns();
    uint64_t elapsed;

    do {
        uint64_t sum = 0;

        for (int i = 0; i < GOES; i++)
            sum += read_cells(cells);
        if (sum != GOES * setup->sum)
            give_up("wrong bytes were read from memory");
        *count += GOES * CELLS;
        elapsed = now_ns() - begin;
    } while (elapsed < effort->slice_ns / PIECES);
    return elapsed;
}

static void measure_small(const struct effort *effort, struct results *results, const struct setup *setup,
                          unsigned round)
{
    double counts[2] = {0, 0};
    uint64_t elapsed[2] = {0, 0};

    for (unsigned piece = 0; piece < 2 * PIECES; piece++) {
        unsigned which = (piece + round) % 2;

        elapsed[which] +=
            measure_cells(effort, setup, which == 0 ? setup->mapped : setup->own, &counts[which]);
    }
    add(results, "read", "mapped block", CELL, round, (double)elapsed[0] / counts[0], "ns");
    add(results, "read", "own array", CELL, round, (double)elapsed[1] / counts[1], "ns");
    results->answers += (uint64_t)(counts[0] + counts[1]);
}

/* One GETRANGE after the other. */
static void measure_redis(const struct effort *effort, struct results *results, const struct server *server,
                          const unsigned char *bytes, unsigned round)
{
    static struct drive_result timing;
    const struct dialect *dialect = &dialects[REDIS];
    struct keys keys = {.server = server, .letter = 'm', .count = CELLS, .size = CELL, .bytes = bytes};
    struct drive drive_reads = {server->path, NULL, 1, 1, effort->slice_ns, 0};
    struct ring ring;

    ring_init(&ring, dialect->name);
    dialect->make(&keys, CELLS);
    for (unsigned key = 0; key < CELLS; key++)
        dialect->append_step(&ring, dialect, &keys, &(struct step){.kind = STEP_READ, .key = key});
    drive_reads.source = &ring.source;
    drive(&drive_reads, &timing);
    dialect->drop(&keys);
    ring_deinit(&ring);
    add(results, "read", dialect->name, CELL, round, (double)timing.elapsed_ns / (double)timing.requests,
        "ns");
    results->answers += timing.requests;
}

/* ---- large ---- */

/* Copies once, and looks at all that came. Returns GB/s. */
static double measure_copy(unsigned char *to, unsigned char *from, size_t size, unsigned round)
{
    uint64_t begin;
    uint64_t elapsed;

    from[round * 4099U % size]++;
    begin = now_ns();
    copy_large(to, from, size);
    elapsed = now_ns() - begin;
    if (memcmp(to, from, size) != 0)
        give_up("wrong bytes were copied");
    return (double)size / (double)elapsed;
}

static void measure_large(const struct effort *effort, struct results *results, unsigned char *mapped)
{
    size_t size = effort->mapped_bytes;
    unsigned char *own = must_alloc(size);
    unsigned char *other = must_alloc(size);

    fill_bytes(own, size, 1);
    memcpy(other, own, size);
    memcpy(mapped, own, size);
    for (unsigned round = 0; round < effort->rounds; round++) {
        fprintf(stderr, "\rmapped memory: large copies, round %u of %u ", round + 1, effort->rounds);
        for (unsigned turn = 0; turn < 3; turn++) {
            unsigned which = (turn + round) % 3;

            if (which == 0)
                add(results, "copy", "from a mapped block", size, round,
                    measure_copy(other, mapped, size, round), "GB/s");
            else if (which == 1)
                add(results, "copy", "into a mapped block", size, round,
                    measure_copy(mapped, own, size, round), "GB/s");
            else
                add(results, "copy", "own arrays", size, round, measure_copy(other, own, size, round),
                    "GB/s");
        }
    }
    results->answers += 3 * effort->rounds;
    free(own);
    free(other);
}

/* A mapped block, or NULL where the system has no shared memory for it. */
static unsigned char *new_mapped(const struct setup *setup, size_t size)
{
    const struct umem_block_options options = {.heap = setup->heap};
    umem_handle block = 0;
    void *bytes = NULL;
    int code = umem_block_alloc(setup->client, size, &options, &block);

    if (code == UMEM_E_NO_MEMORY)
        return NULL;
    must(setup, code);
    must(setup, umem_map(setup->client, block, &bytes, NULL));
    return bytes;
}

/* ---- all of it ---- */

static void make_cells(struct setup *setup)
{
    setup->allocated = must_alloc(CELLS * CELL + CELL);
    setup->array = (unsigned char *)setup->allocated + (CELL - (uintptr_t)setup->allocated % CELL) % CELL;
    fill_bytes(setup->array, CELLS * CELL, 1);
    for (int i = 0; i < CELLS; i++) {
        unsigned char *block = new_mapped(setup, CELL);

        if (block == NULL)
            give_up("there is no shared memory for blocks of %d bytes", CELL);
        memcpy(block, setup->array + i * CELL, CELL);
        setup->mapped[i] = block;
        setup->own[i] = setup->array + i * CELL;
    }
    setup->sum = read_cells(setup->own);
}

void figures_of_mapped(const struct effort *effort, struct results *results, const struct server *servers)
{
    struct setup setup = {.client = umemd_connect(&servers[SERVER_UMEMD])};
    const struct umem_heap_options options = {.maximum_size = effort->mapped_bytes + (1 << 20),
                                              .kind = UMEM_HEAP_SHARED};
    unsigned char *large;

    must(&setup, umem_heap_create(setup.client, &options, &setup.heap));
    make_cells(&setup);
    for (unsigned round = 0; round < effort->rounds; round++) {
        measure_small(effort, results, &setup, round);
        if (servers[SERVER_REDIS].pid != 0)
            measure_redis(effort, results, &servers[SERVER_REDIS], setup.array, round);
    }
    large = new_mapped(&setup, effort->mapped_bytes);
    if (large != NULL)
        measure_large(effort, results, large);
    else
        fprintf(stderr, "no large copies: the system has no %zu bytes of shared memory\n",
                effort->mapped_bytes);
    must(&setup, umem_heap_destroy(setup.client, setup.heap, NULL, NULL));
    umem_client_free(setup.client);
    free(setup.allocated);
    fputc('\n', stderr);
}
