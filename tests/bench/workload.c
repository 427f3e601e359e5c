#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "churn.h"
#include "echo.h"
#include "steady.h"

enum {
    SETS = 3,
    RING_SIZE = 256, /* requests in a ring: as many as the largest depth */
    LARGE_SIZE = 1 << 20,
    LARGE_KEYS = 4, /* so that the bytes are in no cache that the smaller ones are not in */
    BATCH = 100,
    STEADY_LOAD = 16 /* requests that another program sends each millisecond */
};

/* Keys that a workload works on. */
struct set {
    unsigned count;
    unsigned filled; /* how many have their bytes at first; the others are zeros */
    size_t size;     /* 0: the row's */
    bool numbers;
    bool twins; /* the second half's bytes are the first half's */
    bool named;
};

/* What is done. What each server is sent for a step stands beside step_kind, the texts in dialect_*.c; every answer is
 * compared with the right one byte by byte. */
struct workload {
    const char *name;
    struct set sets[SETS];
    /* Fills the ring with `count` requests, or as many as it takes; keys[i] are those of sets[i]. */
    void (*fill)(struct ring *ring, const struct dialect *dialect, const struct keys *keys, unsigned count);
    int verified; /* the set whose keys must hold their bytes afterwards; -1: none */
};

static void append_step(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                        struct step step)
{
    dialect->append_step(ring, dialect, keys, &step);
}

static void fill_reads(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        append_step(ring, dialect, keys, (struct step){.kind = STEP_READ, .key = i % keys->count});
}

static void fill_writes(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                        unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        append_step(ring, dialect, keys, (struct step){.kind = STEP_WRITE, .key = i % keys->count});
}

static void fill_puts(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                      unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        append_step(ring, dialect, keys, (struct step){.kind = STEP_PUT, .key = i % keys->count});
}

static void fill_gets(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                      unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        append_step(ring, dialect, keys, (struct step){.kind = STEP_GET, .key = i % keys->count});
}

/* Up and down again, so that the answers are the same each time round. */
static void fill_adds(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                      unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int before = i / keys->count % 2 == 0 ? 0 : 1;

        append_step(
            ring, dialect, keys,
            (struct step){
                .kind = STEP_ADD, .key = i % keys->count, .value = before == 0 ? 1 : -1, .before = before});
    }
}

static void fill_copies(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                        unsigned count)
{
    unsigned half = keys->count / 2;

    for (unsigned i = 0; i < count; i++)
        append_step(ring, dialect, keys,
                    (struct step){.kind = STEP_COPY, .key = i % half, .target = half + i % half});
}

static void fill_batches(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                         unsigned count)
{
    for (unsigned i = 0; i < count / 16; i++)
        dialect->append_batch(ring, keys, 16 * i, BATCH);
}

/* Of 20 requests 12 read 64 bytes, 4 write 64 bytes, 2 count, one reads and one writes 4 KiB. */
static void fill_mixed(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                       unsigned count)
{
    count += count / 4; /* whole turns, and an even number of them */
    for (unsigned i = 0; i < count; i++) {
        unsigned turn = i / 20;
        unsigned kind = i * 7 % 20;

        if (kind < 12)
            append_step(ring, dialect, &keys[0], (struct step){.kind = STEP_READ, .key = i % 64});
        else if (kind < 16)
            append_step(ring, dialect, &keys[0], (struct step){.kind = STEP_WRITE, .key = i % 64});
        else if (kind < 18)
            append_step(ring, dialect, &keys[1],
                        (struct step){.kind = STEP_ADD,
                                      .key = kind % 2,
                                      .value = turn % 2 == 0 ? 1 : -1,
                                      .before = (int)(turn % 2)});
        else
            append_step(ring, dialect, &keys[2],
                        (struct step){.kind = kind == 18 ? STEP_READ : STEP_WRITE, .key = turn % 4});
    }
}

/* What Redis and memcached do where umemd allocates and frees: for umemd, see run_pairs(). */
static void fill_pairs(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                       unsigned count)
{
    for (unsigned first = 0; first < count; first += 64) {
        for (unsigned i = 0; i < 64; i++)
            append_step(ring, dialect, keys, (struct step){.kind = STEP_MAKE, .key = first + i});
        for (unsigned i = 0; i < 64; i++)
            append_step(ring, dialect, keys, (struct step){.kind = STEP_DROP, .key = first + i});
    }
}

enum { READ, WRITE, PUT, GET, ADD, COPY, BATCH_READ, MIXED, PAIRS, STEADY_READ, STEADY_WRITE };

static const struct workload workloads[] = {
    [READ] = {"read", {{.count = KEYS_MAX, .filled = KEYS_MAX}}, fill_reads, 0},
    [WRITE] = {"write", {{.count = KEYS_MAX}}, fill_writes, 0},
    [PUT] = {"put", {{.count = KEYS_MAX, .named = true}}, fill_puts, 0},
    [GET] = {"get", {{.count = KEYS_MAX, .filled = KEYS_MAX, .named = true}}, fill_gets, 0},
    [ADD] = {"add", {{.count = 64, .size = 8, .numbers = true}}, fill_adds, -1},
    [COPY] = {"copy", {{.count = 2 * LARGE_KEYS, .filled = LARGE_KEYS, .twins = true}}, fill_copies, 0},
    [BATCH_READ] = {"batch of 100 reads", {{.count = KEYS_MAX, .filled = KEYS_MAX}}, fill_batches, -1},
    [MIXED] = {"mixed",
               {{.count = 64, .filled = 64},
                {.count = 2, .size = 8, .numbers = true},
                {.count = 4, .filled = 4, .size = 4096}},
               fill_mixed,
               -1},
    [PAIRS] = {"alloc and free", {{.count = KEYS_MAX}}, fill_pairs, -1},
    [STEADY_READ] = {"read beside 16 a ms", {{.count = KEYS_MAX, .filled = KEYS_MAX}}, fill_reads, 0},
    [STEADY_WRITE] = {"write beside 16 a ms", {{.count = KEYS_MAX}}, fill_writes, -1},
};

#define BIT(dialect) (1U << (dialect))
#define ALL_UMEMD \
    (BIT(UMEMD_LINES_BASE64) | BIT(UMEMD_LINES_HEX) | BIT(UMEMD_HEADERS_BASE64) | BIT(UMEMD_HEADERS_RAW))
#define OTHERS (BIT(REDIS) | BIT(MEMCACHED))
#define SIZES (ALL_UMEMD | OTHERS)
#define LINES (BIT(UMEMD_LINES_BASE64) | OTHERS)
/* What writes to the disk, beside the same that does not. */
#define DISK \
    (BIT(UMEMD_SHARED) | BIT(UMEMD_DURABLE) | BIT(UMEMD_ALWAYS) | BIT(REDIS_EVERYSEC) | BIT(REDIS_ALWAYS))
#define ECHOES (BIT(ECHO_LINES) | BIT(ECHO_RAW))

/* A workload under one load, and the dialects that run it. */
struct row {
    int workload;
    size_t size;
    unsigned depth;
    unsigned connections;
    unsigned dialects_mask; /* BIT() of dialects */
};

static const struct row rows[] = {
    {READ, 64, 1, 1, SIZES | ECHOES},
    {READ, 64, 16, 1, SIZES},
    {READ, 64, 64, 1, SIZES | ECHOES},
    {READ, 64, 256, 1, SIZES},
    {READ, 4096, 1, 1, SIZES | ECHOES},
    {READ, 4096, 16, 1, SIZES},
    {READ, 4096, 64, 1, SIZES},
    {READ, 4096, 256, 1, SIZES},
    {READ, LARGE_SIZE, 1, 1, SIZES | ECHOES},
    {READ, LARGE_SIZE, 16, 1, SIZES},
    {WRITE, 64, 1, 1, SIZES | ECHOES | DISK},
    {WRITE, 64, 16, 1, SIZES},
    {WRITE, 64, 64, 1, SIZES | ECHOES | DISK},
    {WRITE, 64, 256, 1, SIZES},
    {WRITE, 4096, 1, 1, SIZES | ECHOES},
    {WRITE, 4096, 16, 1, SIZES},
    {WRITE, 4096, 64, 1, SIZES},
    {WRITE, 4096, 256, 1, SIZES},
    {WRITE, LARGE_SIZE, 1, 1, SIZES | ECHOES},
    {WRITE, LARGE_SIZE, 16, 1, SIZES},
    {READ, 64, 1, 10, LINES | BIT(ECHO_LINES)},
    {READ, 64, 1, 50, LINES | BIT(ECHO_LINES)},
    {READ, 64, 1, 1000, LINES | BIT(ECHO_LINES)},
    {READ, 64, 16, 50, LINES},
    {WRITE, 64, 1, 50, LINES},
    {PUT, 64, 1, 1, LINES | DISK},
    {PUT, 64, 64, 1, LINES | DISK},
    {PUT, 4096, 64, 1, LINES | DISK},
    {GET, 64, 1, 1, LINES},
    {GET, 64, 64, 1, LINES | BIT(UMEMD_SHARED)},
    {PAIRS, 64, 1, 1, LINES | DISK},
    {PAIRS, 64, 64, 1, LINES | DISK},
    {ADD, 8, 1, 1, LINES},
    {ADD, 8, 64, 1, LINES},
    {COPY, LARGE_SIZE, 1, 1, BIT(UMEMD_LINES_BASE64) | BIT(REDIS)},
    {BATCH_READ, 64, 1, 1, LINES},
    {BATCH_READ, 64, 16, 1, LINES},
    {MIXED, 64, 1, 1, LINES},
    {MIXED, 64, 64, 1, LINES},
    {STEADY_READ, 64, 1, 1, LINES | BIT(UMEMD_HEADERS_RAW)},
    {STEADY_WRITE, 64, 1, 1, LINES | BIT(UMEMD_HEADERS_RAW)},
};

/* Whether another program sends the same requests meanwhile. */
static bool is_steady(const struct row *row)
{
    return row->workload == STEADY_READ || row->workload == STEADY_WRITE;
}

enum { ROWS = sizeof rows / sizeof *rows };

/* ---- one row against one server ---- */

static void keys_init(struct keys *keys, const struct set *set, const struct row *row, unsigned index,
                      const struct dialect *dialect, const struct server *server)
{
    unsigned count = set->count;

    *keys = (struct keys){.server = server,
                          .letter = (char)('a' + index),
                          .numbers = set->numbers,
                          .named = set->named,
                          .heap_kind = dialect->heap_kind};
    keys->size = set->size != 0 ? set->size : row->size;
    if (keys->size >= LARGE_SIZE && !set->twins)
        count = LARGE_KEYS;
    keys->count = count;
    /* For the bare server, whose requests should be as long as umemd's. */
    for (unsigned key = 0; key < count; key++)
        keys->blocks[key] = UINT64_C(1371062393864194);
    unsigned char *bytes = must_alloc(count * keys->size);
    for (unsigned key = 0; key < count; key++)
        fill_bytes(bytes + key * keys->size, keys->size, set->twins ? key % (count / 2) : key + 1000 * index);
    keys->bytes = bytes;
}

static void record(struct results *results, const struct row *row, const struct dialect *dialect,
                   unsigned round, const struct drive_result *timing)
{
    results_add(results,
                &(struct record){.group = is_steady(row) ? "steady" : "load",
                                 .name = workloads[row->workload].name,
                                 .target = dialect->name,
                                 .size = row->size,
                                 .depth = row->depth,
                                 .connections = row->connections,
                                 .round = round,
                                 .value = (double)timing->requests * 1e9 / (double)timing->elapsed_ns,
                                 .unit = "requests/s",
                                 .timing = timing});
}

/* umemd's blocks are freed by the handle that the allocation gave. */
static void run_pairs(const struct drive *drive_row, const struct dialect *dialect,
                      const struct server *server, struct drive_result *timing)
{
    umem_client *client = umemd_connect(server);
    umem_handle heap = umemd_make_heap(client, dialect->heap_kind);
    struct churn *churn = churn_new(CHURN_BLOCKS, heap, CHURN_DEPTH_MAX, false);
    struct drive drive_pairs = *drive_row;

    drive_pairs.source = &churn->source;
    drive(&drive_pairs, timing);
    churn_all(churn, CHURN_DRAIN, drive_row->path);
    churn_free(churn);
    umemd_drop_heap(client, heap);
    umem_client_free(client);
}

/* Makes the row's requests in the dialect; for the bare server, in as many bytes as those. */
static void fill_ring(struct ring *ring, const struct row *row, const struct dialect *dialect,
                      const struct keys *keys, unsigned depth)
{
    unsigned count = RING_SIZE;

    if (row->size >= LARGE_SIZE)
        count = depth > LARGE_KEYS ? depth : LARGE_KEYS;
    if (dialect->like == NULL) {
        workloads[row->workload].fill(ring, dialect, keys, count);
        return;
    }
    struct ring other;
    ring_init(&other, dialect->like->name);
    workloads[row->workload].fill(&other, dialect->like, keys, count);
    echo_like(ring, &other);
    ring_deinit(&other);
}

static void drive_steadily(const struct row *row, const struct drive *drive_row, struct drive_result *timing)
{
    pid_t load = 0;

    if (is_steady(row))
        load = steady_start(drive_row->path, drive_row->source, STEADY_LOAD);
    drive(drive_row, timing);
    if (load != 0)
        steady_stop(load);
}

static void run_row(const struct effort *effort, const struct row *row, const struct dialect *dialect,
                    const struct server *server, struct drive_result *timing)
{
    const struct workload *workload = &workloads[row->workload];
    struct drive drive_row = {server->path, NULL, row->connections, row->depth, effort->slice_ns, 0};
    struct keys keys[SETS];
    unsigned sets = 0;
    struct ring ring;

    if (row->connections > effort->connections)
        drive_row.connections = effort->connections;
    if (row->size >= LARGE_SIZE && row->depth > effort->large_depth)
        drive_row.depth = effort->large_depth;
    if (row->workload == PAIRS && dialect->make == umemd_make) {
        run_pairs(&drive_row, dialect, server, timing);
        return;
    }
    ring_init(&ring, dialect->name);
    for (; sets < SETS && workload->sets[sets].count > 0; sets++) {
        keys_init(&keys[sets], &workload->sets[sets], row, sets, dialect, server);
        if (dialect->make != NULL && row->workload != PAIRS)
            dialect->make(&keys[sets], workload->sets[sets].filled < keys[sets].count
                                           ? workload->sets[sets].filled
                                           : keys[sets].count);
    }
    fill_ring(&ring, row, dialect, keys, drive_row.depth);
    drive_row.source = &ring.source;
    drive_steadily(row, &drive_row, timing);
    if (dialect->verify != NULL && workload->verified >= 0) {
        uint64_t done = timing->requests / drive_row.connections;
        unsigned count = keys[workload->verified].count;

        if (workload->sets[workload->verified].twins)
            count = done < count / 2 ? count / 2 + (unsigned)done : count;
        else if (done < count && workload->sets[0].filled < count)
            count = (unsigned)done;
        dialect->verify(&keys[workload->verified], count);
    }
    for (unsigned i = 0; i < sets; i++) {
        if (dialect->drop != NULL && row->workload != PAIRS)
            dialect->drop(&keys[i]);
        free((void *)(uintptr_t)keys[i].bytes);
    }
    ring_deinit(&ring);
}

static bool is_wanted(const struct effort *effort, const struct row *row)
{
    char text[128];

    snprintf(text, sizeof text, "%s %zu %u %u", workloads[row->workload].name, row->size, row->depth,
             row->connections);
    return effort->row == NULL || strncmp(text, effort->row, strlen(effort->row)) == 0;
}

void workloads_run(const struct effort *effort, struct results *results, const struct server *servers)
{
    static struct drive_result timing;

    for (unsigned round = 0; round < effort->rounds; round++) {
        fprintf(stderr, "\rload: round %u of %u ", round + 1, effort->rounds);
        for (int i = 0; i < ROWS; i++) {
            if (!is_wanted(effort, &rows[i]))
                continue;
            for (unsigned turn = 0; turn < DIALECTS; turn++) {
                /* Another one is first in every round. */
                const struct dialect *dialect = &dialects[(turn + round) % DIALECTS];

                if ((rows[i].dialects_mask & BIT(dialect - dialects)) == 0 ||
                    servers[dialect->server].pid == 0)
                    continue;
                run_row(effort, &rows[i], dialect, &servers[dialect->server], &timing);
                record(results, &rows[i], dialect, round, &timing);
            }
        }
    }
    fputc('\n', stderr);
}
