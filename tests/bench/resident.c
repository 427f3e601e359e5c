/* What stays resident of memory that was freed, one second after; and what small heaps and blocks take. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench_server.h"
#include "dialect.h"
#include "drive.h"
#include "growth.h"
#include "umem_client.h"

enum { GROUP = 256 /* requests that are collected at one time */ };

/* A daemon, and blocks of one size in it. */
struct stock {
    struct server server;
    umem_client *client;
    umem_calls *calls;
    umem_handle heap; /* 0: the process heap */
    uint64_t size;    /* bytes of each block */
    size_t count;
    umem_handle *blocks;
};

static void must(const struct stock *stock, int code)
{
    if (code != UMEM_OK)
        give_up("%s", umem_last_error(stock->client)->message);
}

static void begin(struct stock *stock, uint64_t size, size_t count)
{
    *stock = (struct stock){.size = size, .count = count};
    server_start(&stock->server, SERVER_UMEMD);
    stock->client = umemd_connect(&stock->server);
    stock->calls = umem_calls_new(stock->client, UMEM_PIPELINE);
    if (stock->calls == NULL)
        give_up("no memory");
    stock->blocks = must_alloc(count * sizeof *stock->blocks);
}

static void end(struct stock *stock)
{
    umem_calls_free(stock->calls);
    umem_client_free(stock->client);
    server_stop(&stock->server);
    free(stock->blocks);
}

/* Allocates all blocks and writes to every byte, so that they have memory. */
static void fill(struct stock *stock)
{
    const struct umem_block_options options = {.heap = stock->heap};

    for (size_t first = 0; first < stock->count; first += GROUP) {
        size_t last = first + GROUP < stock->count ? first + GROUP : stock->count;

        for (size_t i = first; i < last; i++)
            must(stock, umem_submit_block_alloc(stock->calls, stock->size, &options, &stock->blocks[i]));
        must(stock, umem_collect_all(stock->calls));
        for (size_t i = first; i < last; i++)
            must(stock, umem_submit_block_fill(stock->calls, stock->blocks[i], 0, 7, UMEM_TO_END));
        must(stock, umem_collect_all(stock->calls));
    }
}

/* Frees all blocks but every one whose number is a multiple of `kept`, in an order that is not theirs. */
static void free_but(struct stock *stock, size_t kept)
{
    const size_t step = 7919; /* a prime that divides none of the counts */
    size_t submitted = 0;

    for (size_t i = 0; i < stock->count; i++) {
        size_t at = i * step % stock->count;

        if (at % kept == 0)
            continue;
        must(stock, umem_submit_block_free(stock->calls, stock->blocks[at]));
        if (++submitted % GROUP == 0)
            must(stock, umem_collect_all(stock->calls));
    }
    must(stock, umem_collect_all(stock->calls));
}

/* Another session asks the daemon for a second, and sees how much processor time is spent between two of its answers: no turn takes
 * more. */
static uint64_t wait_a_second(const struct effort *effort, const struct stock *stock)
{
    uint64_t end_ns = now_ns() + (effort->is_short ? 10000000 : 1000000000);
    int handle = connect_to(stock->server.path);
    uint64_t before = server_busy_ns(&stock->server);
    uint64_t most = 0;

    if (handle < 0)
        give_up("cannot connect");
    do {
        uint64_t busy;

        if (!server_ping(&stock->server, handle))
            give_up("server.ping: no answer");
        busy = server_busy_ns(&stock->server);
        most = busy - before > most ? busy - before : most;
        before = busy;
        poll(NULL, 0, 1);
    } while (now_ns() < end_ns);
    close(handle);
    return most;
}

static void add(struct results *results, const char *name, uint64_t count, double value, const char *unit)
{
    results_add(results, &(struct record){.group = "figure",
                                          .name = name,
                                          .target = "umemd",
                                          .count = count,
                                          .value = value,
                                          .unit = unit});
}

static void add_resident(const struct effort *effort, struct results *results, const struct stock *stock,
                         const char *name, const char *turn)
{
    uint64_t most = wait_a_second(effort, stock);
    uint64_t resident = server_resident_bytes(&stock->server);

    if (resident != 0)
        add(results, name, stock->count, (double)resident / (1 << 20), "MiB");
    add(results, turn, stock->count, (double)most / 1e6, "ms");
}

static void freed_but_one(const struct effort *effort, struct results *results)
{
    struct stock stock;

    begin(&stock, 65536, effort->is_short ? 600 : 60000);
    fill(&stock);
    free_but(&stock, stock.count);
    add_resident(effort, results, &stock, "resident 1 s after: blocks of 64 KiB freed but one",
                 "longest turn after: blocks of 64 KiB freed but one");
    end(&stock);
}

static void freed_but_every_thousandth(const struct effort *effort, struct results *results)
{
    struct stock stock;

    begin(&stock, 4000, effort->is_short ? 10000 : 1000000);
    fill(&stock);
    free_but(&stock, 1000);
    add_resident(effort, results, &stock, "resident 1 s after: blocks of 4,000 bytes freed but every 1,000th",
                 "longest turn after: blocks of 4,000 bytes freed but every 1,000th");
    end(&stock);
}

static void destroyed_beside_others(const struct effort *effort, struct results *results)
{
    const struct umem_block_options elsewhere = {.heap = UMEM_PROCESS_HEAP};
    struct stock stock;
    umem_handle other;

    begin(&stock, 64, effort->blocks_destroy);
    must(&stock, umem_heap_create(stock.client, NULL, &stock.heap));
    for (size_t i = 0; i < 20000; i++) {
        must(&stock, umem_submit_block_alloc(stock.calls, 64, &elsewhere, &other));
        if (i % GROUP == GROUP - 1)
            must(&stock, umem_collect_all(stock.calls));
    }
    must(&stock, umem_collect_all(stock.calls));
    fill(&stock);
    must(&stock, umem_heap_destroy(stock.client, stock.heap, NULL, NULL));
    add_resident(effort, results, &stock, "resident 1 s after: a heap destroyed beside 20,000 small blocks",
                 "longest turn after: a heap destroyed beside 20,000 small blocks");
    end(&stock);
}

static void small_heaps(const struct effort *effort, struct results *results)
{
    struct umem_block_options options = {.heap = 0};
    struct stock stock;
    uint64_t empty;
    uint64_t full;
    umem_handle block;

    begin(&stock, 64, effort->heaps);
    empty = server_private_bytes(&stock.server);
    for (size_t first = 0; first < stock.count; first += GROUP) {
        size_t last = first + GROUP < stock.count ? first + GROUP : stock.count;

        for (size_t i = first; i < last; i++)
            must(&stock, umem_submit_heap_create(stock.calls, NULL, &stock.blocks[i]));
        must(&stock, umem_collect_all(stock.calls));
        for (size_t i = first; i < last; i++) {
            options.heap = stock.blocks[i];
            must(&stock, umem_submit_block_alloc(stock.calls, stock.size, &options, &block));
        }
        must(&stock, umem_collect_all(stock.calls));
    }
    full = server_private_bytes(&stock.server);
    if (full > empty)
        add(results, "memory of a heap with one block", stock.count,
            (double)(full - empty) / (double)stock.count, "bytes");
    end(&stock);
}

void growth_of_resident(const struct effort *effort, struct results *results)
{
    fputs("growth: resident memory\n", stderr);
    freed_but_one(effort, results);
    freed_but_every_thousandth(effort, results);
    destroyed_beside_others(effort, results);
    small_heaps(effort, results);
}
