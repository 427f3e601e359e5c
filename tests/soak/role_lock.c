/*
 * The role "lock": several processes change two numbers, one after the other, under a heap's lock. A read without the
 * lock returns equal numbers, or fails with `locked`. A process that is killed in between leaves its session's number
 * there, and the session has ended.
 */
#include <string.h>

#include "role.h"

enum { MEMBERS = 3, OWNER = 0, FIRST = 1, SECOND = 2, CELLS = 3 };

static void open_group(struct soak *supervisor)
{
    struct umem_heap_options heap = {0};
    struct umem_block_options options = {0};
    char name[UMEM_NAME_SIZE];
    umem_handle block;

    heap.name = soak_name(supervisor, "heap", name);
    while (!MADE(supervisor, umem_heap_create(supervisor->client, &heap, &options.heap)))
        soak_pause();
    options.name = soak_name(supervisor, "cells", name);
    while (!MADE(supervisor, umem_block_alloc(supervisor->client, CELLS * 8, &options, &block)))
        soak_pause();
}

/* What must hold where no other session is between its two changes. */
static void check(struct soak *soak, const uint64_t *cells)
{
    if (cells[OWNER] == 0) {
        REQUIRE(soak, cells[FIRST] == cells[SECOND]);
        return;
    }
    REQUIRE(soak, cells[FIRST] - cells[SECOND] <= 1);
    if (soak_session_is_open(soak, cells[OWNER]))
        FAIL(soak, "session %llu is at work in the heap, and this one was let in",
             (unsigned long long)cells[OWNER]);
}

static void close_group(struct soak *supervisor)
{
    char name[UMEM_NAME_SIZE];
    umem_handle block = soak_find(supervisor, "cells");
    struct umem_heap_info info;
    uint64_t cells[CELLS];
    umem_handle heap;

    EXPECT(supervisor, UMEM_OK,
           umem_heap_lookup(supervisor->client, soak_name(supervisor, "heap", name), &heap));
    EXPECT(supervisor, UMEM_OK, umem_heap_info(supervisor->client, heap, &info));
    REQUIRE(supervisor, !info.locked);
    EXPECT(supervisor, UMEM_OK, umem_block_get(supervisor->client, block, 0, UMEM_TYPE_U64, cells, CELLS));
    check(supervisor, cells);
    EXPECT(supervisor, UMEM_OK, umem_heap_destroy(supervisor->client, heap, NULL, NULL));
}

static void put(struct soak *soak, umem_handle block, int cell, uint64_t value)
{
    EXPECT(soak, UMEM_OK, umem_block_set(soak->client, block, (uint64_t)cell * 8, UMEM_TYPE_U64, &value, 1));
}

static void work(struct soak *soak, umem_handle heap, umem_handle block)
{
    uint64_t cells[CELLS];
    uint64_t again[CELLS];
    uint64_t both;

    EXPECT(soak, UMEM_OK, umem_block_get(soak->client, block, 0, UMEM_TYPE_U64, cells, CELLS));
    check(soak, cells);
    both = cells[FIRST] + 1;
    put(soak, block, SECOND, cells[FIRST]);
    put(soak, block, OWNER, soak->session);
    put(soak, block, FIRST, both);
    if (soak_chance(soak, 4)) {
        EXPECT(soak, UMEM_OK, umem_heap_lock(soak->client, heap, 0));
        EXPECT(soak, UMEM_OK, umem_heap_unlock(soak->client, heap));
    }
    EXPECT(soak, UMEM_OK, umem_block_get(soak->client, block, 0, UMEM_TYPE_U64, again, CELLS));
    REQUIRE(soak, again[OWNER] == soak->session && again[FIRST] == both && again[SECOND] == both - 1);
    put(soak, block, SECOND, both);
    put(soak, block, OWNER, 0);
    EXPECT(soak, UMEM_OK, umem_heap_unlock(soak->client, heap));
    if (soak_chance(soak, 8))
        EXPECT(soak, UMEM_E_DENIED, umem_heap_unlock(soak->client, heap));
}

/* What the lock has to keep out. */
static void intrude(struct soak *soak, umem_handle heap, umem_handle block)
{
    struct umem_block_options options = {.heap = heap, .lifetime = UMEM_LIFETIME_SESSION};
    uint64_t cells[CELLS];
    umem_handle other;
    int code = umem_block_get(soak->client, block, 0, UMEM_TYPE_U64, cells, CELLS);

    if (code != UMEM_E_LOCKED) {
        EXPECT(soak, UMEM_OK, code);
        check(soak, cells);
    }
    code = umem_block_alloc(soak->client, soak_below(soak, 4096), &options, &other);
    if (code == UMEM_E_LOCKED || !MADE(soak, code))
        return;
    code = umem_block_free(soak->client, other);
    if (code != UMEM_E_LOCKED)
        EXPECT(soak, UMEM_OK, code);
}

static void run(struct soak *soak)
{
    char name[UMEM_NAME_SIZE];
    umem_handle block = soak_find(soak, "cells");
    umem_handle heap;

    EXPECT(soak, UMEM_OK, umem_heap_lookup(soak->client, soak_name(soak, "heap", name), &heap));
    while (soak_next_step(soak)) {
        uint32_t wait_ms = soak_chance(soak, 3) ? 0 : (uint32_t)soak_below(soak, 1000) + 1;
        int code = umem_heap_lock(soak->client, heap, wait_ms);

        if (code == UMEM_OK)
            work(soak, heap, block);
        else
            EXPECT(soak, wait_ms == 0 ? UMEM_E_LOCKED : UMEM_E_TIMEOUT, code);
        if (soak_chance(soak, 3))
            intrude(soak, heap, block);
    }
}

const struct role role_lock = {.name = "lock",
                               .members = MEMBERS,
                               .steps = 400,
                               .may_be_killed = true,
                               .open = open_group,
                               .close = close_group,
                               .run = run};
