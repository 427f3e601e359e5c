/* The role "mapped": blocks of a shared heap, used as memory and by requests, which must see the same. */
#include <stdlib.h>
#include <string.h>

#include "role.h"

enum { BLOCKS = 6, SIZE_LIMIT = 60000, HEAP_SIZE = 1 << 20 };

struct mapped {
    umem_handle handle; /* 0: there is none in this place */
    uint64_t size;
    unsigned char *bytes; /* the mapping; NULL: it is not mapped */
    unsigned char *copy;  /* what has to be there */
};

static void check(struct soak *soak, struct mapped *block)
{
    unsigned char *read = malloc((size_t)block->size + 1);

    EXPECT(soak, UMEM_OK, umem_block_read(soak->client, block->handle, 0, read, (size_t)block->size));
    REQUIRE(soak, memcmp(read, block->copy, (size_t)block->size) == 0);
    REQUIRE(soak, block->bytes == NULL || memcmp(block->bytes, block->copy, (size_t)block->size) == 0);
    free(read);
}

static void map(struct soak *soak, struct mapped *block)
{
    void *bytes;
    uint64_t size;

    if (block->bytes != NULL)
        return;
    EXPECT(soak, UMEM_OK, umem_map(soak->client, block->handle, &bytes, &size));
    REQUIRE(soak, size == block->size);
    block->bytes = bytes;
}

static void unmap(struct soak *soak, struct mapped *block)
{
    if (block->bytes != NULL)
        EXPECT(soak, UMEM_OK, umem_unmap(soak->client, block->bytes));
    block->bytes = NULL;
}

static void allocate(struct soak *soak, umem_handle heap, struct mapped *block)
{
    struct umem_block_options options = {.heap = heap};
    uint64_t size = soak_below(soak, SIZE_LIMIT) + 1;

    if (!MADE(soak, umem_block_alloc(soak->client, size, &options, &block->handle))) {
        block->handle = 0;
        return;
    }
    block->size = size;
    block->copy = calloc((size_t)size, 1);
    map(soak, block);
    check(soak, block);
}

static void release(struct soak *soak, struct mapped *block)
{
    check(soak, block);
    /* The next one must find zeros nevertheless. */
    if (block->bytes != NULL)
        memset(block->bytes, 0xEE, (size_t)block->size);
    unmap(soak, block);
    EXPECT(soak, UMEM_OK, umem_block_free(soak->client, block->handle));
    free(block->copy);
    *block = (struct mapped){0};
}

static void resize(struct soak *soak, struct mapped *block)
{
    uint64_t size = soak_below(soak, SIZE_LIMIT) + 1;

    unmap(soak, block);
    if (!MADE(soak, umem_block_resize(soak->client, block->handle, size, 0)))
        return;
    block->copy = realloc(block->copy, (size_t)size);
    if (size > block->size)
        memset(block->copy + block->size, 0, (size_t)(size - block->size));
    block->size = size;
    map(soak, block);
    check(soak, block);
}

static void write_one(struct soak *soak, struct mapped *block)
{
    uint64_t offset = soak_below(soak, block->size);
    uint64_t size = soak_below(soak, block->size - offset + 1);

    soak_random_bytes(soak, block->copy + offset, (size_t)size);
    if (block->bytes != NULL && soak_chance(soak, 2)) {
        memcpy(block->bytes + offset, block->copy + offset, (size_t)size);
        EXPECT(soak, UMEM_OK, umem_block_wake(soak->client, block->handle, offset, size));
    } else {
        EXPECT(soak, UMEM_OK,
               umem_block_write(soak->client, block->handle, offset, block->copy + offset, (size_t)size));
    }
    check(soak, block);
}

static void use_heap(struct soak *soak, umem_handle heap)
{
    struct mapped blocks[BLOCKS] = {{0}};
    uint64_t uses = soak_below(soak, 200);

    for (uint64_t i = 0; i < uses && soak_next_step(soak); i++) {
        struct mapped *block = &blocks[soak_below(soak, BLOCKS)];

        if (block->handle == 0)
            allocate(soak, heap, block);
        else if (soak_chance(soak, 8))
            release(soak, block);
        else if (soak_chance(soak, 8))
            resize(soak, block);
        else if (soak_chance(soak, 8))
            unmap(soak, block);
        else if (soak_chance(soak, 8))
            map(soak, block);
        else
            write_one(soak, block);
    }
    EXPECT(soak, UMEM_OK, umem_heap_validate(soak->client, heap, 0));
    for (int i = 0; i < BLOCKS; i++) {
        if (blocks[i].handle != 0)
            release(soak, &blocks[i]);
    }
}

static void run(struct soak *soak)
{
    struct umem_heap_options options = {.kind = UMEM_HEAP_SHARED, .maximum_size = HEAP_SIZE};
    uint64_t blocks;
    umem_handle heap;

    while (soak_next_step(soak)) {
        options.lifetime = soak_chance(soak, 2) ? UMEM_LIFETIME_SESSION : UMEM_LIFETIME_SERVER;
        if (!MADE(soak, umem_heap_create(soak->client, &options, &heap)))
            continue;
        use_heap(soak, heap);
        EXPECT(soak, UMEM_OK, umem_heap_destroy(soak->client, heap, &blocks, NULL));
        REQUIRE(soak, blocks == 0);
    }
}

const struct role role_mapped = {
    .name = "mapped", .members = 1, .steps = 400, .may_be_killed = true, .run = run};
