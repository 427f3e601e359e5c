/* The role "model": what model.h says; here blocks and heaps come and go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role.h"
#include "role_model.h"

enum { SMALL_MAX = 4096, MIDDLE_MAX = 49152, LARGE_MAX = 1600000, HEAP_MAX = 400000 };

struct model_block *model_pick(struct model *model)
{
    unsigned start = (unsigned)soak_below(model->soak, MODEL_BLOCKS);

    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        struct model_block *block = &model->blocks[(start + i) % MODEL_BLOCKS];

        if (block->handle != 0)
            return block;
    }
    return NULL;
}

umem_handle model_pick_freed(struct model *model)
{
    unsigned kept = model->freed_count < MODEL_FREED ? model->freed_count : MODEL_FREED;

    return kept != 0 ? model->freed[soak_below(model->soak, kept)] : 0;
}

uint64_t model_heap_bytes(const struct model *model, uint64_t *blocks)
{
    uint64_t bytes = 0;

    *blocks = 0;
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        if (model->blocks[i].handle != 0 && model->blocks[i].is_in_heap) {
            bytes += model->blocks[i].size;
            (*blocks)++;
        }
    }
    return bytes;
}

static uint64_t pick_size(struct soak *soak)
{
    switch (soak_below(soak, 16)) {
    case 0:
        return 0;
    case 1:
        return soak_below(soak, LARGE_MAX);
    case 2:
    case 3:
    case 4:
        return soak_below(soak, MIDDLE_MAX);
    default:
        return soak_below(soak, SMALL_MAX);
    }
}

/* Whether the model's heap has no room for so many bytes more: the one thing that makes a call no_memory here. */
static bool is_over_quota(const struct model *model, const struct model_block *block, uint64_t size)
{
    uint64_t blocks;
    uint64_t used = model_heap_bytes(model, &blocks);

    if (!block->is_in_heap)
        return false;
    if (block->handle != 0)
        used -= block->size;
    return used + size > model->heap_limit;
}

/* Blocks of a shared heap lie in ranges, of which none may be large enough although the quota is. */
static bool is_in_pieces(const struct model *model, const struct model_block *block, int code)
{
    return code == UMEM_E_NO_MEMORY && block->is_in_heap && model->heap_is_shared;
}

static void allocate(struct model *model, struct model_block *block)
{
    struct soak *soak = model->soak;
    struct umem_block_options options = {0};
    uint64_t size = pick_size(soak);
    char name[UMEM_NAME_SIZE];
    umem_handle handle = 0;
    int code;

    block->is_in_heap = model->heap != 0 && soak_chance(soak, 2);
    block->is_named = soak_chance(soak, 6);
    options.heap = block->is_in_heap ? model->heap : UMEM_PROCESS_HEAP;
    options.lifetime = soak_chance(soak, 3) ? UMEM_LIFETIME_SESSION : UMEM_LIFETIME_SERVER;
    snprintf(name, sizeof name, "%s.%u.%u", soak->name, soak->member, model->names);
    if (block->is_named) {
        options.name = name;
        model->names++;
    }
    if (is_over_quota(model, block, size)) {
        code = umem_block_alloc(soak->client, size, &options, &handle);
        /* Where the daemon is full as well, that may be told first. */
        if (code != UMEM_E_LIMIT_EXCEEDED)
            EXPECT(soak, UMEM_E_NO_MEMORY, code);
        return;
    }
    code = umem_block_alloc(soak->client, size, &options, &handle);
    if (is_in_pieces(model, block, code) || !MADE(soak, code))
        return;
    block->handle = handle;
    block->size = size;
    block->bytes = calloc((size_t)size + 1, 1);
    if (block->bytes == NULL)
        FAIL(soak, "no memory");
    if (block->is_named) {
        EXPECT(soak, UMEM_E_NAME_TAKEN, umem_block_alloc(soak->client, 1, &options, &handle));
        EXPECT(soak, UMEM_OK, umem_block_lookup(soak->client, name, &handle));
        REQUIRE(soak, handle == block->handle);
    }
}

static void forget(struct model *model, struct model_block *block)
{
    model->freed[model->freed_count++ % MODEL_FREED] = block->handle;
    free(block->bytes);
    *block = (struct model_block){0};
}

static void check_whole(struct model *model, struct model_block *block)
{
    unsigned char *bytes = malloc((size_t)block->size + 1);

    if (bytes == NULL)
        FAIL(model->soak, "no memory");
    EXPECT(model->soak, UMEM_OK,
           umem_block_read(model->soak->client, block->handle, 0, bytes, (size_t)block->size));
    REQUIRE(model->soak, memcmp(bytes, block->bytes, (size_t)block->size) == 0);
    free(bytes);
}

static void release(struct model *model, struct model_block *block)
{
    umem_handle handle = block->handle;

    if (soak_chance(model->soak, 4))
        check_whole(model, block);
    /* It is held by this session, or has a name: it is no orphan. */
    if (soak_chance(model->soak, 8))
        EXPECT(model->soak, UMEM_E_DENIED, umem_block_free_orphan(model->soak->client, handle));
    EXPECT(model->soak, UMEM_OK, umem_block_free(model->soak->client, handle));
    if (soak_chance(model->soak, 4))
        EXPECT(model->soak, UMEM_E_STALE_HANDLE, umem_block_free(model->soak->client, handle));
    forget(model, block);
}

static void resize(struct model *model, struct model_block *block)
{
    uint64_t size = pick_size(model->soak);
    int code = umem_block_resize(model->soak->client, block->handle, size, 0);

    if (code == UMEM_E_NO_MEMORY || code == UMEM_E_LIMIT_EXCEEDED) {
        if (code == UMEM_E_LIMIT_EXCEEDED)
            soak_check_limit(model->soak, model->soak->client);
        else
            REQUIRE(model->soak, is_over_quota(model, block, size) || is_in_pieces(model, block, code));
        check_whole(model, block);
        return;
    }
    EXPECT(model->soak, UMEM_OK, code);
    REQUIRE(model->soak, !is_over_quota(model, block, size));
    block->bytes = realloc(block->bytes, (size_t)size + 1);
    if (block->bytes == NULL)
        FAIL(model->soak, "no memory");
    if (size > block->size)
        memset(block->bytes + block->size, 0, (size_t)(size - block->size));
    block->size = size;
}

static void change_heap(struct model *model)
{
    struct soak *soak = model->soak;
    struct umem_heap_options options = {0};
    umem_handle heap = model->heap;
    uint64_t blocks;
    uint64_t bytes;
    uint64_t wanted_blocks;
    uint64_t wanted_bytes;

    if (heap == 0) {
        options.maximum_size = model->heap_limit = HEAP_MAX + soak_below(soak, HEAP_MAX);
        options.lifetime = soak_chance(soak, 2) ? UMEM_LIFETIME_SESSION : UMEM_LIFETIME_SERVER;
        model->heap_is_shared = soak_chance(soak, 4);
        options.kind = model->heap_is_shared ? UMEM_HEAP_SHARED : UMEM_HEAP_PRIVATE;
        (void)MADE(soak, umem_heap_create(soak->client, &options, &model->heap));
        return;
    }
    if (!soak_chance(soak, 4))
        return;
    wanted_bytes = model_heap_bytes(model, &wanted_blocks);
    EXPECT(soak, UMEM_OK, umem_heap_validate(soak->client, heap, 0));
    EXPECT(soak, UMEM_OK, umem_heap_destroy(soak->client, heap, &blocks, &bytes));
    REQUIRE(soak, blocks == wanted_blocks && bytes == wanted_bytes);
    EXPECT(soak, UMEM_E_STALE_HANDLE, umem_heap_destroy(soak->client, heap, NULL, NULL));
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        if (model->blocks[i].handle != 0 && model->blocks[i].is_in_heap)
            forget(model, &model->blocks[i]);
    }
    model->heap = 0;
}

static void run(struct soak *soak)
{
    static struct model model;

    model.soak = soak;
    while (soak_next_step(soak)) {
        struct model_block *block = &model.blocks[soak_below(soak, MODEL_BLOCKS)];

        switch (soak_below(soak, 16)) {
        case 0:
        case 1:
        case 2:
            if (block->handle == 0)
                allocate(&model, block);
            else
                release(&model, block);
            break;
        case 3:
            if (block->handle != 0)
                resize(&model, block);
            break;
        case 4:
            change_heap(&model);
            break;
        default:
            model_run_calls(&model);
        }
    }
    /* Leaves all there, as a program may that ends. */
    if (soak_chance(soak, 2))
        return;
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        if (model.blocks[i].handle != 0) {
            check_whole(&model, &model.blocks[i]);
            release(&model, &model.blocks[i]);
        }
    }
    if (model.heap != 0)
        EXPECT(soak, UMEM_OK, umem_heap_destroy(soak->client, model.heap, NULL, NULL));
}

const struct role role_model = {
    .name = "model", .members = 1, .steps = 600, .may_be_killed = true, .run = run};
