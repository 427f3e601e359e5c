/* A client that writes random bytes all over a shared heap, while blocks come and go in it: what the store
 * says of handles, sizes and free space is what a model says. `test_store_scribble OPERATIONS` does more of
 * it. */
#include "shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "umem_errors.h"

enum { BLOCKS = 64, ALIGNMENT = 16, SCRIBBLE_EVERY = 8 };

struct entry {
    um_handle handle; /* 0: never used */
    uint64_t size;
    uint64_t offset;
    bool alive;
};

struct world {
    struct fixture *f;
    struct um_heap *heap;
    struct segment segment;
    struct entry entries[BLOCKS];
    uint64_t random;
};

static unsigned long operations = 3000;

static uint64_t draw(struct world *world, uint64_t limit)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random % limit;
}

static void scribble(struct world *world)
{
    for (size_t i = 0; i + sizeof world->random <= SHARED_LENGTH; i += sizeof world->random) {
        draw(world, 2);
        memcpy(world->segment.bytes + i, &world->random, sizeof world->random);
    }
}

static uint64_t taken(uint64_t size)
{
    return size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Most are small, some are a good part of the heap. */
static uint64_t draw_size(struct world *world)
{
    return draw(world, 4) == 0 ? draw(world, SHARED_LENGTH / 3) : draw(world, 5000);
}

static struct um_block *find(struct world *world, const struct entry *entry)
{
    struct um_block *block = NULL;

    assert_int_equal(um_store_find_block(world->f->store, entry->handle, &block, NULL), 0);
    return block;
}

/* The place is nobody else's. */
static void check_place(struct world *world, struct entry *entry, const struct um_block *block)
{
    entry->offset = place_of(world->f->store, block).offset;
    assert_int_equal(entry->offset % ALIGNMENT, 0);
    assert_true(entry->offset + taken(entry->size) <= SHARED_LENGTH);
    for (int i = 0; i < BLOCKS; i++) {
        const struct entry *other = &world->entries[i];

        if (other != entry && other->alive)
            assert_true(entry->offset + taken(entry->size) <= other->offset ||
                        other->offset + taken(other->size) <= entry->offset);
    }
}

static void alloc(struct world *world, struct entry *entry)
{
    const struct um_block_options options = {.size = draw_size(world)};
    uint64_t largest = figures_of(world->heap).largest_free;
    struct um_block *block = NULL;
    int code = um_block_alloc(world->f->store, world->heap, world->f->people[0], &options, &block, NULL);

    assert_int_equal(code, taken(options.size) <= largest ? 0 : UMEM_E_NO_MEMORY);
    if (code != 0)
        return;
    assert_true(is_zero(um_block_bytes(block), options.size));
    *entry = (struct entry){um_block_handle(world->f->store, block), options.size, 0, true};
    check_place(world, entry, block);
}

static void resize(struct world *world, struct entry *entry)
{
    struct um_block *block = find(world, entry);
    uint64_t size = draw_size(world);
    uint64_t kept = size < entry->size ? size : entry->size;
    unsigned char *before = malloc((size_t)kept + 1);
    int code;

    memcpy(before, um_block_bytes(block), (size_t)kept);
    code = um_block_resize(world->f->store, block, size, 0, NULL);
    assert_true(code == 0 || (code == UMEM_E_NO_MEMORY && size > entry->size));
    if (code == 0) {
        assert_memory_equal(um_block_bytes(block), before, (size_t)kept);
        if (size > entry->size)
            assert_true(is_zero(um_block_bytes(block) + entry->size, size - entry->size));
        entry->size = size;
        check_place(world, entry, block);
    }
    free(before);
}

static void check(struct world *world)
{
    struct um_heap_figures figures = figures_of(world->heap);
    struct um_store_stats stats = stats_of(world->f->store);
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    uint64_t used = 0;

    for (int i = 0; i < BLOCKS; i++) {
        const struct entry *entry = &world->entries[i];

        if (entry->handle == 0)
            continue;
        assert_int_equal(block_verdict(world->f->store, entry->handle),
                         entry->alive ? 0 : UMEM_E_STALE_HANDLE);
        if (!entry->alive)
            continue;
        assert_int_equal(um_block_size(find(world, entry)), entry->size);
        assert_int_equal(place_of(world->f->store, find(world, entry)).offset, entry->offset);
        blocks++;
        bytes += entry->size;
        used += taken(entry->size);
    }
    assert_int_equal(stats.blocks, blocks);
    assert_int_equal(stats.bytes, bytes);
    assert_int_equal(figures.free_bytes, SHARED_LENGTH - used);
    assert_true(figures.largest_free <= figures.free_bytes);
    assert_false(figures.corrupted);
    assert_int_equal(validate_all(world->f->store, world->heap, 1000, NULL), 0);
}

static void test_scribbling_changes_no_answer(void **state)
{
    struct world world = {.f = *state, .random = 88172645463325252};
    struct um_block *first;

    world.heap = make_shared(world.f->store, world.f->people[0], SHARED_LENGTH, ALIGNMENT);
    first = make_block(world.f->store, world.heap, world.f->people[0], 1);
    world.segment = segment_of(world.f->store, first);
    um_block_free(world.f->store, first);
    for (unsigned long i = 0; i < operations; i++) {
        struct entry *entry = &world.entries[draw(&world, BLOCKS)];

        if (i % SCRIBBLE_EVERY == 0)
            scribble(&world);
        if (!entry->alive) {
            alloc(&world, entry);
        } else if (draw(&world, 3) == 0) {
            resize(&world, entry);
        } else {
            um_block_free(world.f->store, find(&world, entry));
            entry->alive = false;
        }
        check(&world);
    }
    segment_close(&world.segment);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scribbling_changes_no_answer, fixture_setup, fixture_teardown),
    };

    if (argc > 1)
        operations = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests_name("scribble", tests, NULL, NULL);
}
