/* Shared heaps where the system has no memory for them: the failure is reported, and changes nothing. */
#include <string.h>

#include "fake_shm.h"
#include "shared_heap_fixture.h"
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"

static int setup(void **state)
{
    fake_shm_units = 4;
    fake_shm_refuses = false;
    fake_shm_is_cut = false;
    return fixture_setup(state);
}

static int teardown(void **state)
{
    int failed = fixture_teardown(state);

    assert_int_equal(fake_shm_objects, 0);
    return failed;
}

static void test_a_heap_that_cannot_be_made(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options options = {
        .kind = UM_HEAP_SHARED, .initial_size = 5 * UNIT, .maximum_size = SHARED_LENGTH};
    struct um_heap *heap = NULL;
    struct um_fault fault = {0};

    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, &fault), UMEM_E_NO_MEMORY);
    assert_non_null(strstr(fault.what, "shared memory"));
    fake_shm_refuses = true;
    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(stats_of(f->store).heaps, 1);
    assert_int_equal(fake_shm_objects, 0);
}

static void test_blocks_without_memory_are_not_handed_out(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 3 * UNIT);
    struct um_heap_memory_stats before = figures_of(heap);
    struct um_heap_memory_stats after;
    struct um_fault fault = {0};

    memset(um_block_bytes(block), 1, 3 * UNIT);
    try_block(f->store, heap, f->owners[0], 2 * UNIT, UMEM_E_NO_MEMORY);
    assert_int_equal(um_block_resize(f->store, block, 5 * UNIT, 0, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.asked, 2 * UNIT);
    assert_non_null(strstr(fault.what, "system"));
    after = figures_of(heap);
    assert_int_equal(after.committed, before.committed);
    assert_int_equal(after.free_bytes, before.free_bytes);
    assert_int_equal(after.free_ranges, before.free_ranges);
    assert_int_equal(after.largest_free, before.largest_free);
    assert_int_equal(um_block_size(block), 3 * UNIT);
    for (int i = 0; i < 3 * UNIT; i++)
        assert_int_equal(um_block_bytes(block)[i], 1);
    /* The last unit is still to be had. */
    assert_int_equal(um_block_resize(f->store, block, 3 * UNIT + 1, 0, NULL), 0);
    assert_int_equal(fake_shm_units, 0);
    try_block(f->store, heap, f->owners[0], 100, 0);
}

static void test_returned_memory_is_used(void **state)
{
    struct fixture *f = *state;
    struct um_heap *left = make_shared(f->store, f->owners[0], 0, 0);
    struct um_heap *right = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, left, f->owners[0], 4 * UNIT);

    try_block(f->store, right, f->owners[0], 1, UMEM_E_NO_MEMORY);
    um_block_free(f->store, block);
    /* What a block leaves stays with its heap, for the next, until another heap needs it. */
    assert_int_equal(figures_of(left).committed, 4 * UNIT);
    um_block_free(f->store, try_block(f->store, right, f->owners[0], 1, 0));
    assert_int_equal(figures_of(left).committed, 0);
    assert_int_equal(compact(right), SHARED_LENGTH);
    assert_int_equal(figures_of(right).committed, 0);
    block = try_block(f->store, right, f->owners[0], 4 * UNIT, 0);
    assert_true(is_zero(um_block_bytes(block), 4 * UNIT));
}

/* The memory of a large freed block is returned later; an allocation before then can use it. */
static void test_what_is_still_to_go_back_is_used(void **state)
{
    struct fixture *f = *state;
    const struct um_block_options large = {.size = SHARED_LENGTH};
    const struct um_heap_options all = {
        .kind = UM_HEAP_SHARED, .initial_size = 9 * UNIT, .maximum_size = SHARED_LENGTH};
    struct um_heap *left;
    struct um_heap *right;
    struct um_heap *third = NULL;
    struct um_block *block;
    struct um_alloc *alloc = NULL;
    struct um_resize *resize = NULL;
    bool more = true;

    fake_shm_units = 16;
    f->store->cleared_at_once = UNIT;
    f->store->grown_at_once = UNIT;
    left = make_shared(f->store, f->owners[0], 0, 0);
    right = make_shared(f->store, f->owners[0], 0, 0);
    um_block_free(f->store, make_block(f->store, left, f->owners[0], SHARED_LENGTH));
    assert_int_equal(fake_shm_units, 0);
    assert_int_equal(um_alloc_begin(f->store, right, f->owners[0], &large, &alloc, &block, NULL), 0);
    while (more)
        assert_int_equal(um_alloc_step(f->store, alloc, UNIT, &more, NULL), 0);
    block = um_alloc_block(alloc);
    um_alloc_end(f->store, alloc);

    um_block_free(f->store, block);
    fake_shm_units = 1;
    block = make_block(f->store, left, f->owners[0], 100);
    assert_int_equal(um_resize_begin(f->store, block, SHARED_LENGTH - UNIT, 0, &resize, NULL), 0);
    assert_non_null(resize);
    for (more = true; more;)
        assert_int_equal(um_resize_step(f->store, resize, UNIT, &more, NULL), 0);
    um_resize_end(f->store, resize);

    um_block_free(f->store, block);
    fake_shm_units = 16;
    um_block_free(f->store, make_block(f->store, left, f->owners[0], SHARED_LENGTH));
    fake_shm_units = 0;
    assert_int_equal(um_heap_create(f->store, f->owners[0], &all, &third, NULL), 0);
    assert_int_equal(um_heap_create(f->store, f->owners[0], &all, &third, NULL), UMEM_E_NO_MEMORY);
}

static void test_large_blocks_are_renewed(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap;
    struct um_block *block;

    fake_shm_units = 16;
    heap = make_shared(f->store, f->owners[0], 0, 0);
    block = make_block(f->store, heap, f->owners[0], SHARED_LENGTH);
    assert_true(is_zero(um_block_bytes(block), SHARED_LENGTH));
    memset(um_block_bytes(block), 1, SHARED_LENGTH);
    um_block_free(f->store, block);
    assert_int_equal(fake_shm_units, 0);
    block = make_block(f->store, heap, f->owners[0], SHARED_LENGTH);
    assert_true(is_zero(um_block_bytes(block), SHARED_LENGTH));
    assert_int_equal(fake_shm_units, 0);
}

static void test_a_cut_heap_gives_nothing_more(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 100);
    struct um_place place;
    struct um_fault fault = {0};

    fake_shm_is_cut = true;
    try_block(f->store, heap, f->owners[0], 1, UMEM_E_CORRUPTED);
    assert_int_equal(um_block_resize(f->store, block, 200, 0, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(um_block_locate(f->store, block, &place, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(validate_all(f->store, heap, 100, &fault), UMEM_E_CORRUPTED);
    um_block_free(f->store, block);
    destroy_heap(f->store, heap);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_a_heap_that_cannot_be_made),
        WITH_FIXTURE(test_blocks_without_memory_are_not_handed_out),
        WITH_FIXTURE(test_returned_memory_is_used),
        WITH_FIXTURE(test_what_is_still_to_go_back_is_used),
        WITH_FIXTURE(test_large_blocks_are_renewed),
        WITH_FIXTURE(test_a_cut_heap_gives_nothing_more),
    };
    return cmocka_run_group_tests_name("exhaustion", tests, NULL, NULL);
}
