/* A client that writes random bytes all over a shared heap, while blocks come and go in it: what the store
 * says of handles, sizes and free space is what a model says. `unit_store_scribble OPERATIONS` does more of
 * it. */
#include "shared_heap_fixture.h"

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

struct model {
    struct fixture *f;
    struct um_heap *heap;
    struct segment segment;
    struct entry entries[BLOCKS];
    uint64_t random;
};

static unsigned long operations = 3000;

static uint64_t draw(struct model *model, uint64_t limit)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return model->random % limit;
}

static void scribble(struct model *model)
{
    for (size_t i = 0; i + sizeof model->random <= SHARED_LENGTH; i += sizeof model->random) {
        draw(model, 2);
        memcpy(model->segment.bytes + i, &model->random, sizeof model->random);
    }
}

static uint64_t taken(uint64_t size)
{
    return size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Most are small, some are a good part of the heap. */
static uint64_t draw_size(struct model *model)
{
    return draw(model, 4) == 0 ? draw(model, SHARED_LENGTH / 3) : draw(model, 5000);
}

static struct um_block *find(struct model *model, const struct entry *entry)
{
    struct um_block *block = NULL;

    assert_int_equal(um_store_find_block(model->f->store, entry->handle, &block, NULL), 0);
    return block;
}

/* The place is nobody else's. */
static void check_place(struct model *model, struct entry *entry, const struct um_block *block)
{
    entry->offset = place_of(model->f->store, block).offset;
    assert_int_equal(entry->offset % ALIGNMENT, 0);
    assert_true(entry->offset + taken(entry->size) <= SHARED_LENGTH);
    for (int i = 0; i < BLOCKS; i++) {
        const struct entry *other = &model->entries[i];

        if (other != entry && other->alive)
            assert_true(entry->offset + taken(entry->size) <= other->offset ||
                        other->offset + taken(other->size) <= entry->offset);
    }
}

static void alloc(struct model *model, struct entry *entry)
{
    const struct um_block_options options = {.size = draw_size(model)};
    uint64_t largest = figures_of(model->heap).largest_free;
    struct um_block *block = NULL;
    int code = um_block_alloc(model->f->store, model->heap, model->f->people[0], &options, &block, NULL);

    assert_int_equal(code, taken(options.size) <= largest ? 0 : UMEM_E_NO_MEMORY);
    if (code != 0)
        return;
    assert_true(is_zero(um_block_bytes(block), options.size));
    *entry = (struct entry){um_block_handle(model->f->store, block), options.size, 0, true};
    check_place(model, entry, block);
}

static void resize(struct model *model, struct entry *entry)
{
    struct um_block *block = find(model, entry);
    uint64_t size = draw_size(model);
    uint64_t kept = size < entry->size ? size : entry->size;
    unsigned char *before = malloc((size_t)kept + 1);
    int code;

    memcpy(before, um_block_bytes(block), (size_t)kept);
    code = um_block_resize(model->f->store, block, size, 0, NULL);
    assert_true(code == 0 || (code == UMEM_E_NO_MEMORY && size > entry->size));
    if (code == 0) {
        assert_memory_equal(um_block_bytes(block), before, (size_t)kept);
        if (size > entry->size)
            assert_true(is_zero(um_block_bytes(block) + entry->size, size - entry->size));
        entry->size = size;
        check_place(model, entry, block);
    }
    free(before);
}

static void check(struct model *model)
{
    struct um_heap_memory_stats figures = figures_of(model->heap);
    struct um_store_stats stats = stats_of(model->f->store);
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    uint64_t used = 0;

    for (int i = 0; i < BLOCKS; i++) {
        const struct entry *entry = &model->entries[i];

        if (entry->handle == 0)
            continue;
        assert_int_equal(block_verdict(model->f->store, entry->handle),
                         entry->alive ? 0 : UMEM_E_STALE_HANDLE);
        if (!entry->alive)
            continue;
        assert_int_equal(um_block_size(find(model, entry)), entry->size);
        assert_int_equal(place_of(model->f->store, find(model, entry)).offset, entry->offset);
        blocks++;
        bytes += entry->size;
        used += taken(entry->size);
    }
    assert_int_equal(stats.blocks, blocks);
    assert_int_equal(stats.bytes, bytes);
    assert_int_equal(figures.free_bytes, SHARED_LENGTH - used);
    assert_true(figures.largest_free <= figures.free_bytes);
    assert_false(figures.corrupted);
    assert_int_equal(validate_all(model->f->store, model->heap, 1000, NULL), 0);
}

static void test_scribbling_changes_no_answer(void **state)
{
    struct model model = {.f = *state, .random = 88172645463325252};
    struct um_block *first;

    model.heap = make_shared(model.f->store, model.f->people[0], SHARED_LENGTH, ALIGNMENT);
    first = make_block(model.f->store, model.heap, model.f->people[0], 1);
    model.segment = segment_of(model.f->store, first);
    um_block_free(model.f->store, first);
    for (unsigned long i = 0; i < operations; i++) {
        struct entry *entry = &model.entries[draw(&model, BLOCKS)];

        if (i % SCRIBBLE_EVERY == 0)
            scribble(&model);
        if (!entry->alive) {
            alloc(&model, entry);
        } else if (draw(&model, 3) == 0) {
            resize(&model, entry);
        } else {
            um_block_free(model.f->store, find(&model, entry));
            entry->alive = false;
        }
        check(&model);
    }
    segment_close(&model.segment);
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
