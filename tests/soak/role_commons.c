/*
 * The role "commons": blocks without an owner. Every member fills them whole with one byte, resizes them, and frees
 * those of others at any moment. A read therefore returns a row of one byte and then zeros, or the block does not exist
 * any more.
 */
#include <string.h>

#include "role.h"

enum { SEEN_MAX = 64, SIZE_MAX_BYTES = 16384 };

struct seen {
    umem_handle blocks[SEEN_MAX];
    unsigned count;
    umem_handle heap;
};

static int see(const struct umem_block_info *block, void *context)
{
    struct seen *seen = context;

    seen->blocks[seen->count++] = block->block;
    return seen->count == SEEN_MAX ? 1 : 0;
}

static void look_around(struct soak *soak, struct seen *seen)
{
    struct umem_block_filter filter = {.heap = seen->heap, .orphaned_only = soak_chance(soak, 3)};
    int code;

    seen->count = 0;
    code = umem_block_list(soak->client, &filter, see, seen);
    if (code != 1)
        EXPECT(soak, UMEM_OK, code);
}

/* Whether the block is still there; `other` is an error that is allowed besides. */
static bool is_there(struct soak *soak, int code, int other)
{
    soak->counters[COUNTER_CHECKS]++;
    if (code == UMEM_E_STALE_HANDLE || code == other)
        return false;
    EXPECT(soak, UMEM_OK, code);
    return true;
}

static void read_one(struct soak *soak, umem_handle block)
{
    unsigned char bytes[SIZE_MAX_BYTES];
    struct umem_block_info info;
    uint64_t at = 1;

    if (!is_there(soak, umem_block_info(soak->client, block, &info), 0) ||
        !is_there(soak, umem_block_read(soak->client, block, 0, bytes, (size_t)info.size),
                  UMEM_E_OUT_OF_RANGE))
        return;
    while (at < info.size && bytes[at] == bytes[0])
        at++;
    while (at < info.size && bytes[at] == 0)
        at++;
    if (at < info.size)
        FAIL(soak, "block %llu of %llu bytes has %u at %llu and began with %u", (unsigned long long)block,
             (unsigned long long)info.size, bytes[at], (unsigned long long)at, bytes[0]);
}

static void resize_one(struct soak *soak, umem_handle block)
{
    int code = umem_block_resize(soak->client, block, soak_below(soak, SIZE_MAX_BYTES), 0);

    if (code == UMEM_E_LIMIT_EXCEEDED)
        soak_check_limit(soak, soak->client);
    else
        (void)is_there(soak, code, UMEM_E_NO_MEMORY);
}

static void allocate_one(struct soak *soak, umem_handle heap)
{
    struct umem_block_options options = {.heap = heap};
    umem_handle block;
    int code;

    options.lifetime = soak_chance(soak, 2) ? UMEM_LIFETIME_SESSION : UMEM_LIFETIME_SERVER;
    code = umem_block_alloc(soak->client, soak_below(soak, SIZE_MAX_BYTES), &options, &block);
    if (code == UMEM_E_NO_MEMORY || !MADE(soak, code))
        return;
    (void)is_there(soak, umem_block_fill(soak->client, block, 0, 7, UMEM_TO_END), 0);
}

static void touch_one(struct soak *soak, umem_handle block)
{
    static const enum umem_lifetime lifetimes[] = {UMEM_LIFETIME_SERVER, UMEM_LIFETIME_SESSION};
    uint64_t holders;

    switch (soak_below(soak, 8)) {
    case 0:
        (void)is_there(soak, umem_block_free(soak->client, block), 0);
        break;
    case 1:
        if (is_there(soak, umem_block_free_orphan(soak->client, block), UMEM_E_DENIED))
            EXPECT(soak, UMEM_E_STALE_HANDLE, umem_block_free(soak->client, block));
        break;
    case 2:
        resize_one(soak, block);
        break;
    case 3:
        if (is_there(soak, umem_block_hold(soak->client, block, &holders), 0))
            REQUIRE(soak, holders != 0);
        break;
    case 4:
        (void)is_there(soak, umem_block_release(soak->client, block, &holders), 0);
        break;
    case 5:
        (void)is_there(
            soak, umem_block_change(soak->client, block, NULL, &lifetimes[soak_below(soak, 2)], NULL), 0);
        break;
    case 6:
        (void)is_there(
            soak, umem_block_fill(soak->client, block, 0, (uint8_t)(soak_below(soak, 255) + 1), UMEM_TO_END),
            0);
        break;
    default:
        read_one(soak, block);
    }
}

static void run(struct soak *soak)
{
    struct seen seen = {.count = 0};

    EXPECT(soak, UMEM_OK, umem_heap_lookup(soak->client, "commons", &seen.heap));
    while (soak_next_step(soak)) {
        if (seen.count == 0 || soak_chance(soak, 16))
            look_around(soak, &seen);
        if (soak_chance(soak, 4) || seen.count == 0)
            allocate_one(soak, seen.heap);
        else
            touch_one(soak, seen.blocks[soak_below(soak, seen.count)]);
    }
}

const struct role role_commons = {
    .name = "commons", .members = 2, .steps = 800, .may_be_killed = true, .run = run};
