/* Going through the blocks, in pages and with filters. */
#include "store_fixture.h"

static void test_lists_go_by_slots_and_filters(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    for (int i = 0; i < 30; i++)
        make_block(f->store, i % 2 == 0 ? NULL : heap, f->owners[i % 3], 1);
    const struct um_block_filter filters[] = {
        {0}, {.heap = heap}, {.owner_id = 2}, {.heap = heap, .owner_id = 3}, {.orphaned_only = true}};
    const int expected[] = {30, 15, 10, 5, 10};
    close_fixture_owner(f, 0);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        size_t budget = 1000;
        um_handle next = 1;
        um_handle after = 0;
        int count = 0;
        for (;;) {
            struct um_block *block = um_store_next_block(f->store, &filters[i], after, &budget, &next);
            assert_int_equal(next, 0);
            if (block == NULL)
                break;
            after = um_block_handle(f->store, block);
            count++;
        }
        assert_int_equal(count, expected[i]);
        assert_int_equal(budget, 970);
    }
}

static void test_a_list_stops_at_the_end_of_its_budget_and_continues(void **state)
{
    struct fixture *f = *state;
    const struct um_block_filter filter = {.owner_id = 2};
    struct um_block *last = NULL;
    um_handle after = 0;
    int stops = 0;
    for (int i = 0; i < 25; i++)
        last = make_block(f->store, NULL, f->owners[i == 24], 1);
    for (;;) {
        size_t budget = 10;
        um_handle next;
        struct um_block *block = um_store_next_block(f->store, &filter, after, &budget, &next);
        if (block != NULL) {
            assert_ptr_equal(block, last);
            after = um_block_handle(f->store, block);
            continue;
        }
        if (next == 0)
            break;
        assert_int_equal(budget, 0);
        after = next;
        stops++;
    }
    assert_int_equal(stops, 2);
    size_t none = 0;
    um_handle next = 5;
    assert_null(um_store_next_block(f->store, &filter, UINT64_MAX, &none, &next));
    assert_int_equal(next, 0);
}

static void test_a_list_continues_after_a_freed_block(void **state)
{
    struct fixture *f = *state;
    const struct um_block_filter all = {0};
    struct um_block *blocks[3];
    size_t budget = 100;
    um_handle next;
    for (int i = 0; i < 3; i++)
        blocks[i] = make_block(f->store, NULL, f->owners[0], 1);
    um_handle first = um_block_handle(f->store, blocks[0]);
    um_block_free(f->store, blocks[0]);
    um_block_free(f->store, blocks[1]);
    assert_ptr_equal(um_store_next_block(f->store, &all, first, &budget, &next), blocks[2]);
}

static void test_what_is_expected_may_be_anything(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 100000 };
    um_handle handles[16] = {0, 1, UINT64_MAX, UINT64_MAX >> 11, handle_of(um_store_process_heap(f->store))};
    struct um_owner *owner;
    struct um_store *store = small_store(UINT64_MAX, COUNT, 1, &owner);

    for (int i = 0; i < COUNT; i++) {
        struct um_block *block;
        assert_false(um_store_is_large(store));
        um_store_prefetch(store, handles, 16);
        block = make_block(store, NULL, owner, (uint64_t)i % 1000);
        handles[5 + i % 11] = um_block_handle(store, block);
        if (i % 1000 == 0)
            assert_int_equal(um_block_observe(store, block), 0);
        if (i % 5 == 1) {
            um_block_free(store, block); /* its handle stays among them */
            make_block(store, NULL, owner, 0);
        }
    }
    assert_true(um_store_is_large(store));
    um_store_prefetch(store, handles, 0);
    assert_int_equal(stats_of(store).blocks, COUNT);
    small_close(store, owner);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_what_is_expected_may_be_anything),
        WITH_FIXTURE(test_lists_go_by_slots_and_filters),
        WITH_FIXTURE(test_a_list_stops_at_the_end_of_its_budget_and_continues),
        WITH_FIXTURE(test_a_list_continues_after_a_freed_block),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
