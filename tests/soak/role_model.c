/* The role "model" of role_model.h; this file makes and frees blocks and heaps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role.h"
#include "role_model.h"

enum { SMALL_MAX = 4096, MIDDLE_MAX = 49152, LARGE_MAX = 1600000, HEAP_MAX = 400000 };

struct model_block *mirror_pick(struct mirror *mirror)
{
    int block = model_some_block(&mirror->model, &mirror->soak->random);

    return block != MODEL_NONE ? &mirror->model.blocks[block] : NULL;
}

umem_handle mirror_pick_freed(const struct mirror *mirror)
{
    const struct model *model = &mirror->model;
    unsigned kept = model->stale_block_count < MODEL_STALE ? model->stale_block_count : MODEL_STALE;

    return kept != 0 ? model->stale_blocks[soak_below(mirror->soak, kept)] : 0;
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

/* Whether so many bytes more are over the heap's maximum: the one thing that makes a call no_memory here. */
static bool is_over_maximum(const struct mirror *mirror, int heap, uint64_t more)
{
    return model_check_growth(&mirror->model, heap, more) != 0;
}

/* Blocks of a shared heap take ranges, of which none may be large enough although the maximum is. */
static bool is_in_pieces(const struct mirror *mirror, int heap, int code)
{
    return code == UMEM_E_NO_MEMORY && mirror->model.heaps[heap].is_shared;
}

static void allocate(struct mirror *mirror, int place)
{
    struct soak *soak = mirror->soak;
    struct umem_block_options options = {0};
    uint64_t size = pick_size(soak);
    int heap = mirror->model.heaps[OWN_HEAP].alive && soak_chance(soak, 2) ? OWN_HEAP : 0;
    bool is_named = soak_chance(soak, 6);
    struct model_block block = {.heap = heap, .name = MODEL_NONE, .size = size};
    char name[UMEM_NAME_SIZE];
    umem_handle handle = 0;
    int code;

    options.heap = mirror->model.heaps[heap].handle;
    options.lifetime = soak_chance(soak, 3) ? UMEM_LIFETIME_SESSION : UMEM_LIFETIME_SERVER;
    snprintf(name, sizeof name, "%s.%u.%u", soak->name, soak->member, mirror->names);
    if (is_named) {
        options.name = name;
        mirror->names++;
    }
    code = umem_block_alloc(soak->client, size, &options, &handle);
    if (is_over_maximum(mirror, heap, size)) {
        /* If the daemon is full as well, it may report that first. */
        if (code != UMEM_E_LIMIT_EXCEEDED)
            EXPECT(soak, UMEM_E_NO_MEMORY, code);
        return;
    }
    if (is_in_pieces(mirror, heap, code) || !MADE(soak, code))
        return;
    block.handle = handle;
    model_add_block(&mirror->model, place, &block);
    if (is_named) {
        EXPECT(soak, UMEM_E_NAME_TAKEN, umem_block_alloc(soak->client, 1, &options, &handle));
        EXPECT(soak, UMEM_OK, umem_block_lookup(soak->client, name, &handle));
        REQUIRE(soak, handle == block.handle);
    }
}

static void check_whole(struct mirror *mirror, const struct model_block *block)
{
    unsigned char *bytes = malloc((size_t)block->size + 1);

    if (bytes == NULL)
        FAIL(mirror->soak, "no memory");
    EXPECT(mirror->soak, UMEM_OK,
           umem_block_read(mirror->soak->client, block->handle, 0, bytes, (size_t)block->size));
    REQUIRE(mirror->soak, memcmp(bytes, block->bytes, (size_t)block->size) == 0);
    free(bytes);
}

static void release(struct mirror *mirror, int place)
{
    const struct model_block *block = &mirror->model.blocks[place];
    umem_handle handle = block->handle;

    if (soak_chance(mirror->soak, 4))
        check_whole(mirror, block);
    /* It is held by this session, or has a name: it is no orphan. */
    if (soak_chance(mirror->soak, 8))
        EXPECT(mirror->soak, UMEM_E_DENIED, umem_block_free_orphan(mirror->soak->client, handle));
    EXPECT(mirror->soak, UMEM_OK, umem_block_free(mirror->soak->client, handle));
    if (soak_chance(mirror->soak, 4))
        EXPECT(mirror->soak, UMEM_E_STALE_HANDLE, umem_block_free(mirror->soak->client, handle));
    model_free_block(&mirror->model, place);
}

static void resize(struct mirror *mirror, int place)
{
    const struct model_block *block = &mirror->model.blocks[place];
    uint64_t size = pick_size(mirror->soak);
    bool is_over = size > block->size && is_over_maximum(mirror, block->heap, size - block->size);
    int code = umem_block_resize(mirror->soak->client, block->handle, size, 0);

    if (code == UMEM_E_NO_MEMORY || code == UMEM_E_LIMIT_EXCEEDED) {
        if (code == UMEM_E_LIMIT_EXCEEDED)
            soak_check_limit(mirror->soak, mirror->soak->client);
        else
            REQUIRE(mirror->soak, is_over || is_in_pieces(mirror, block->heap, code));
        check_whole(mirror, block);
        return;
    }
    EXPECT(mirror->soak, UMEM_OK, code);
    REQUIRE(mirror->soak, !is_over);
    model_resize(&mirror->model, place, size);
}

static void create_heap(struct mirror *mirror)
{
    struct soak *soak = mirror->soak;
    struct umem_heap_options options = {0};
    umem_handle heap = 0;

    options.maximum_size = HEAP_MAX + soak_below(soak, HEAP_MAX);
    options.lifetime = soak_chance(soak, 2) ? UMEM_LIFETIME_SESSION : UMEM_LIFETIME_SERVER;
    options.kind = soak_chance(soak, 4) ? UMEM_HEAP_SHARED : UMEM_HEAP_PRIVATE;
    if (!MADE(soak, umem_heap_create(soak->client, &options, &heap)))
        return;
    model_add_heap(&mirror->model, OWN_HEAP,
                   &(struct model_heap){.is_shared = options.kind == UMEM_HEAP_SHARED,
                                        .name = MODEL_NONE,
                                        .handle = heap,
                                        .maximum_size = options.maximum_size});
}

static void change_heap(struct mirror *mirror)
{
    const struct model_heap *heap = &mirror->model.heaps[OWN_HEAP];
    struct soak *soak = mirror->soak;
    uint64_t blocks;
    uint64_t bytes;

    if (!heap->alive) {
        create_heap(mirror);
        return;
    }
    if (!soak_chance(soak, 4))
        return;
    EXPECT(soak, UMEM_OK, umem_heap_validate(soak->client, heap->handle, 0));
    EXPECT(soak, UMEM_OK, umem_heap_destroy(soak->client, heap->handle, &blocks, &bytes));
    REQUIRE(soak, blocks == model_count_blocks(&mirror->model, OWN_HEAP, 0) &&
                      bytes == model_sum_bytes(&mirror->model, OWN_HEAP, 0));
    EXPECT(soak, UMEM_E_STALE_HANDLE, umem_heap_destroy(soak->client, heap->handle, NULL, NULL));
    model_destroy_heap(&mirror->model, OWN_HEAP);
}

static void run_step(struct mirror *mirror)
{
    int place = (int)soak_below(mirror->soak, MIRROR_BLOCKS);
    bool is_there = mirror->model.blocks[place].alive;

    switch (soak_below(mirror->soak, 16)) {
    case 0:
    case 1:
    case 2:
        if (!is_there)
            allocate(mirror, place);
        else
            release(mirror, place);
        break;
    case 3:
        if (is_there)
            resize(mirror, place);
        break;
    case 4:
        change_heap(mirror);
        break;
    default:
        mirror_run_calls(mirror);
    }
}

static void run(struct soak *soak)
{
    static struct mirror mirror;

    mirror.soak = soak;
    mirror.model.block_places = MIRROR_BLOCKS;
    mirror.model.bytes_limit = UINT64_MAX; /* the daemon's, others use up as well */
    model_add_heap(&mirror.model, 0, &(struct model_heap){.name = MODEL_NONE, .handle = UMEM_PROCESS_HEAP});
    while (soak_next_step(soak))
        run_step(&mirror);
    /* Leaves all there, as a program may that ends. */
    if (soak_chance(soak, 2))
        return;
    for (int i = 0; i < MIRROR_BLOCKS; i++) {
        if (mirror.model.blocks[i].alive) {
            check_whole(&mirror, &mirror.model.blocks[i]);
            release(&mirror, i);
        }
    }
    if (mirror.model.heaps[OWN_HEAP].alive)
        EXPECT(soak, UMEM_OK,
               umem_heap_destroy(soak->client, mirror.model.heaps[OWN_HEAP].handle, NULL, NULL));
}

const struct role role_model = {
    .name = "model", .members = 1, .steps = 600, .may_be_killed = true, .run = run};
