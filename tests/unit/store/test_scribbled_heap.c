/* A client that writes random bytes all over a shared heap, while blocks are allocated and freed in it: the handles,
 * sizes and free space of the store are those of a model. `unit_store_scribbled_heap OPERATIONS` does more of
 * it. */
#include "shared_heap_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "model.h"
#include "umem_errors.h"

enum { BLOCKS = 64, ALIGNMENT = 16, SCRIBBLE_EVERY = 8, HEAP = 1 /* in the model */ };

struct run {
    struct fixture *f;
    struct um_heap *heap;
    struct segment segment;
    struct model model;
    uint64_t random;
};

static unsigned long operations = 3000;

static void scribble(struct run *run)
{
    for (size_t i = 0; i + sizeof run->random <= SHARED_LENGTH; i += sizeof run->random) {
        chance_roll(&run->random, 2);
        memcpy(run->segment.bytes + i, &run->random, sizeof run->random);
    }
}

/* Most are small, some are a good part of the heap. */
static uint64_t draw_size(struct run *run)
{
    return chance_roll(&run->random, 4) == 0 ? chance_roll(&run->random, SHARED_LENGTH / 3)
                                             : chance_roll(&run->random, 5000);
}

static struct um_block *find(struct run *run, int number)
{
    struct um_block *block = NULL;

    assert_int_equal(um_store_find_block(run->f->store, run->model.blocks[number].handle, &block, NULL), 0);
    return block;
}

/* The place is no other block's. */
static void check_place(struct run *run, int number)
{
    run->model.blocks[number].offset = place_of(run->f->store, find(run, number)).offset;
    assert_true(model_place_is_right(&run->model, number));
}

static void alloc(struct run *run, int number)
{
    const struct um_block_options options = {.size = draw_size(run)};
    uint64_t largest = figures_of(run->heap).largest_free;
    struct um_block *block = NULL;
    int code = um_block_alloc(run->f->store, run->heap, run->f->owners[0], &options, &block, NULL);

    assert_int_equal(code,
                     model_taken(&run->model.heaps[HEAP], options.size) <= largest ? 0 : UMEM_E_NO_MEMORY);
    if (code != 0)
        return;
    assert_true(is_zero(um_block_bytes(block), options.size));
    model_add_block(&run->model, number,
                    &(struct model_block){.heap = HEAP,
                                          .name = MODEL_NONE,
                                          .handle = um_block_handle(run->f->store, block),
                                          .size = options.size});
    check_place(run, number);
}

static void resize(struct run *run, int number)
{
    struct um_block *block = find(run, number);
    uint64_t old_size = run->model.blocks[number].size;
    uint64_t size = draw_size(run);
    uint64_t kept = size < old_size ? size : old_size;
    unsigned char *before = malloc((size_t)kept + 1);
    int code;

    memcpy(before, um_block_bytes(block), (size_t)kept);
    code = um_block_resize(run->f->store, block, size, 0, NULL);
    assert_true(code == 0 || (code == UMEM_E_NO_MEMORY && size > old_size));
    if (code == 0) {
        assert_memory_equal(um_block_bytes(block), before, (size_t)kept);
        if (size > old_size)
            assert_true(is_zero(um_block_bytes(block) + old_size, size - old_size));
        model_resize(&run->model, number, size);
        check_place(run, number);
    }
    free(before);
}

static void check_dead(struct run *run)
{
    for (int i = 0; i < MODEL_STALE; i++) {
        if (run->model.stale_blocks[i] != 0)
            assert_int_equal(block_verdict(run->f->store, run->model.stale_blocks[i]), UMEM_E_STALE_HANDLE);
    }
}

static void check(struct run *run)
{
    struct um_heap_memory_stats figures = figures_of(run->heap);
    struct um_store_stats stats = stats_of(run->f->store);
    struct model_gaps gaps = model_find_gaps(&run->model, HEAP);

    for (int i = 0; i < BLOCKS; i++) {
        const struct model_block *it = &run->model.blocks[i];

        if (!it->alive)
            continue;
        assert_int_equal(um_block_size(find(run, i)), it->size);
        assert_int_equal(place_of(run->f->store, find(run, i)).offset, it->offset);
    }
    check_dead(run);
    assert_int_equal(stats.blocks, model_count_blocks(&run->model, HEAP, 0));
    assert_int_equal(stats.bytes, model_sum_bytes(&run->model, HEAP, 0));
    assert_int_equal(figures.free_bytes, gaps.bytes);
    assert_int_equal(figures.largest_free, gaps.largest);
    assert_false(figures.corrupted);
    assert_int_equal(validate_all(run->f->store, run->heap, 1000, NULL), 0);
}

static void start(struct run *run)
{
    struct um_block *first;

    run->heap = make_shared(run->f->store, run->f->owners[0], SHARED_LENGTH, ALIGNMENT);
    first = make_block(run->f->store, run->heap, run->f->owners[0], 1);
    run->segment = segment_of(run->f->store, first);
    um_block_free(run->f->store, first);
    run->model.block_places = BLOCKS;
    model_add_heap(
        &run->model, HEAP,
        &(struct model_heap){
            .name = MODEL_NONE, .is_shared = true, .maximum_size = SHARED_LENGTH, .alignment = ALIGNMENT});
}

static void test_scribbling_changes_no_answer(void **state)
{
    static struct run run;

    run = (struct run){.f = *state, .random = 88172645463325252};
    start(&run);
    for (unsigned long i = 0; i < operations; i++) {
        int number = (int)chance_roll(&run.random, BLOCKS);

        if (i % SCRIBBLE_EVERY == 0)
            scribble(&run);
        if (!run.model.blocks[number].alive) {
            alloc(&run, number);
        } else if (chance_roll(&run.random, 3) == 0) {
            resize(&run, number);
        } else {
            um_block_free(run.f->store, find(&run, number));
            model_free_block(&run.model, number);
        }
        check(&run);
    }
    model_deinit(&run.model);
    segment_close(&run.segment);
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
