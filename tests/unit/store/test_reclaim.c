/* What is left when blocks, heaps and owners end: pins, reclaiming, events, names. */
#include "store_fixture.h"

#include <string.h>

#include "store/records/reclaim.h"
#include "store/records/records.h"
#include "store/store.h"

static void destroy(struct fixture *f, struct um_heap *heap)
{
    uint64_t blocks;
    uint64_t bytes;
    assert_int_equal(um_heap_destroy(f->store, heap, &blocks, &bytes, NULL), 0);
}

static struct um_pin *pin_filled(struct fixture *f, struct um_block *block)
{
    struct um_pin *pin;
    memset(um_block_bytes(block), 0x77, (size_t)um_block_size(block));
    assert_int_equal(um_pin_new(f->store, block, &pin), 0);
    assert_true(um_pin_is_current(pin));
    assert_ptr_equal(um_pin_bytes(pin), um_block_bytes(block));
    return pin;
}

static void expect_filled(const struct um_pin *pin, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(um_pin_bytes(pin)[i], 0x77);
}

/* Memory that a client does not read stays counted: under a limit of 10,000 bytes, 6,000 that are pinned leave
 * 4,000. */
static void test_pinned_memory_counts(void **state)
{
    struct fixture *f = *state;
    struct um_owner *owner = f->owners[0];
    struct um_block *block = make_block(f->store, NULL, owner, 6000);
    const struct um_block_options fits = {.size = 4000};
    const struct um_block_options too_much = {.size = 4001};
    struct um_pin *pin = pin_filled(f, block);
    struct um_block *made = NULL;
    struct um_fault fault;

    f->store->bytes_limit = 10000;
    assert_int_equal(stats_of(f->store).pinned_bytes, 0);
    um_block_free(f->store, block);
    assert_int_equal(stats_of(f->store).bytes, 0);
    assert_int_equal(stats_of(f->store).pinned_bytes, 6000);
    assert_int_equal(um_block_alloc(f->store, f->store->process, f->owners[1], &too_much, &made, &fault),
                     UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(fault.limit, "bytes");
    assert_int_equal(fault.used, 6000);
    assert_int_equal(um_block_alloc(f->store, f->store->process, f->owners[1], &fits, &made, NULL), 0);
    um_block_free(f->store, made);

    /* It is the maker's, as the block was, even when that has ended. */
    f->store->bytes_limit = 100000;
    f->store->owner_bytes_limit = 10000;
    assert_int_equal(um_block_alloc(f->store, f->store->process, owner, &too_much, &made, &fault),
                     UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(fault.limit, "session_bytes");
    assert_int_equal(um_block_alloc(f->store, f->store->process, f->owners[1], &too_much, &made, NULL), 0);
    close_fixture_owner(f, 0);
    reclaim_all(f->store);
    assert_int_equal(stats_of(f->store).pinned_bytes, 6000);
    expect_filled(pin, 6000);
    um_pin_release(f->store, pin);
    assert_int_equal(stats_of(f->store).pinned_bytes, 0);
}

/* A pinned block that is resized leaves what it had to the pin: both count. */
static void test_a_resize_does_not_multiply_pinned_memory(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 4000);
    struct um_pin *pins[2];
    struct um_fault fault;

    f->store->bytes_limit = 10000;
    pins[0] = pin_filled(f, block);
    assert_int_equal(um_block_resize(f->store, block, 4100, 0, NULL), 0);
    assert_int_equal(stats_of(f->store).pinned_bytes, 4000);
    pins[1] = pin_filled(f, block);
    assert_int_equal(um_block_resize(f->store, block, 4000, 0, &fault), UMEM_E_LIMIT_EXCEEDED);
    assert_int_equal(fault.used, 8100);
    um_pin_release(f->store, pins[0]);
    assert_int_equal(um_block_resize(f->store, block, 4000, 0, NULL), 0);
    um_pin_release(f->store, pins[1]);
    assert_int_equal(stats_of(f->store).pinned_bytes, 0);
}

/* Destroying the heap does not avoid the limit, whether its memory is returned at once or block by block. */
static void test_pinned_memory_of_a_destroyed_heap_counts(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options kinds[] = {{.kind = UM_HEAP_PRIVATE},
                                            {.kind = UM_HEAP_SHARED, .maximum_size = 65536}};

    for (int i = 0; i < 2; i++) {
        struct um_heap *heap = NULL;
        uint64_t blocks;
        uint64_t bytes;

        assert_int_equal(um_heap_create(f->store, f->owners[0], &kinds[i], &heap, NULL), 0);
        struct um_pin *pin = pin_filled(f, make_block(f->store, heap, f->owners[0], 5000));
        make_block(f->store, heap, f->owners[0], 100);
        assert_int_equal(um_heap_destroy(f->store, heap, &blocks, &bytes, NULL), 0);
        reclaim_all(f->store);
        assert_in_range(stats_of(f->store).pinned_bytes, 5000, 5100);
        um_pin_release(f->store, pin);
        reclaim_all(f->store);
        assert_int_equal(stats_of(f->store).pinned_bytes, 0);
    }
}

static void test_pinned_memory_survives_free(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 1000);
    um_handle handle = um_block_handle(f->store, block);
    struct um_pin *pin = pin_filled(f, block);
    um_block_free(f->store, block);
    assert_int_equal(block_verdict(f->store, handle), UMEM_E_STALE_HANDLE);
    assert_false(um_pin_is_current(pin));
    for (int i = 0; i < 10; i++)
        make_block(f->store, NULL, f->owners[0], 1000);
    expect_filled(pin, 1000);
    um_pin_release(f->store, pin);
}

static void test_a_pin_ends_and_the_block_stays(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 100);
    struct um_pin *one = pin_filled(f, block);
    struct um_pin *two = pin_filled(f, block);
    um_pin_release(f->store, one);
    assert_true(um_pin_is_current(two));
    um_pin_release(f->store, two);
    assert_null(um_extra_of(block));
    assert_int_equal(um_block_bytes(block)[99], 0x77);
}

static void test_a_pinned_block_moves_when_it_is_resized(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 150);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 100);
    struct um_pin *old = pin_filled(f, block);
    assert_int_equal(um_block_resize(f->store, block, 150, 0, NULL), 0);
    assert_false(um_pin_is_current(old));
    assert_ptr_not_equal(um_pin_bytes(old), um_block_bytes(block));
    assert_int_equal(um_block_bytes(block)[99], 0x77);
    assert_true(is_zero(um_block_bytes(block) + 100, 50));
    struct um_pin *present = pin_filled(f, block);
    assert_ptr_not_equal(present, old);
    assert_int_equal(um_block_resize(f->store, block, 40, 0, NULL), 0);
    expect_filled(old, 100);
    expect_filled(present, 150);
    um_pin_release(f->store, old);
    expect_filled(present, 150);
    um_pin_release(f->store, present);
}

static void test_a_pinned_block_may_change_owners(void **state)
{
    struct fixture *f = *state;
    const enum um_lifetime session = UM_LIFETIME_SESSION;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 100);
    struct um_pin *pin = pin_filled(f, block);
    assert_int_equal(um_block_change(f->store, block, f->owners[1],
                                     &(struct um_block_changes){.lifetime = &session}, NULL),
                     0);
    assert_true(um_pin_is_current(pin));
    close_fixture_owner(f, 1);
    assert_false(um_pin_is_current(pin));
    expect_filled(pin, 100);
    um_pin_release(f->store, pin); /* before its block is reclaimed */
    reclaim_all(f->store);
}

static void test_pinned_memory_survives_its_heap(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_block *blocks[3];
    struct um_pin *pins[3];
    for (int i = 0; i < 3; i++) {
        blocks[i] = make_block(f->store, heap, f->owners[0], 1000);
        pins[i] = pin_filled(f, blocks[i]);
    }
    um_block_free(f->store, blocks[2]);
    destroy(f, heap);
    for (int i = 0; i < 3; i++) {
        assert_false(um_pin_is_current(pins[i]));
        expect_filled(pins[i], 1000);
    }
    um_pin_release(f->store, pins[0]);
    reclaim_all(f->store);
    expect_filled(pins[1], 1000);
    expect_filled(pins[2], 1000);
    assert_true(heap->memory_open);
    um_pin_release(f->store, pins[2]);
    expect_filled(pins[1], 1000);
    um_pin_release(f->store, pins[1]);
    assert_false(um_slot_is_live(&heap->slot));
}

static void test_reclaiming_keeps_its_budget(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    for (int i = 0; i < 100; i++)
        make_block(f->store, heap, f->owners[i % 2], 10);
    assert_false(um_store_reclaim(f->store, 10));
    destroy(f, heap);
    int slices = 0;
    while (um_reclaim_is_pending(f->store)) { /* so little leaves purging to others */
        um_store_reclaim(f->store, 10);
        slices++;
    }
    assert_true(slices >= 10 && slices <= 11);
    assert_false(um_slot_is_live(&heap->slot));
    reclaim_all(f->store);
    assert_false(um_store_reclaim(f->store, 10));
}

static void test_allocating_reclaims_as_well(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 50; round++) {
        struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
        for (int i = 0; i < 100; i++)
            make_block(f->store, heap, f->owners[0], 10);
        destroy(f, heap);
    }
    assert_true(f->store->blocks.used <= 300);
    assert_true(f->store->heaps.used <= 5);
}

static void test_slots_that_wait_are_reclaimed_rather_than_missed(void **state)
{
    (void)state;
    struct um_owner *owner;
    struct um_store *store = small_store(1 << 20, 100, 10, &owner);
    store->blocks.limit = 100;
    struct um_heap *heap = make_heap(store, owner, NULL, 0);
    uint64_t blocks;
    uint64_t bytes;
    for (int i = 0; i < 100; i++)
        make_block(store, heap, owner, 1);
    assert_int_equal(um_heap_destroy(store, heap, &blocks, &bytes, NULL), 0);
    for (int i = 0; i < 100; i++)
        make_block(store, NULL, owner, 1);
    small_close(store, owner);
}

static void test_names_of_vanished_blocks_are_free_at_once(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    const struct um_block_options one = {.size = 1, .name = "one"};
    const struct um_block_options two = {.size = 1, .name = "two", .lifetime = UM_LIFETIME_SESSION};
    struct um_block *block;
    assert_int_equal(um_block_alloc(f->store, heap, f->owners[0], &one, &block, NULL), 0);
    assert_int_equal(um_block_alloc(f->store, heap, f->owners[1], &two, &block, NULL), 0);
    close_fixture_owner(f, 1);
    assert_int_equal(um_store_find_block_by_name(f->store, "two", &block, NULL), UMEM_E_UNKNOWN_HANDLE);
    destroy(f, heap);
    make_named(f->store, f->owners[0], 5, "two");
    struct um_block *taker = make_named(f->store, f->owners[0], 5, "one");
    reclaim_all(f->store);
    assert_int_equal(um_store_find_block_by_name(f->store, "one", &block, NULL), 0);
    assert_ptr_equal(block, taker);
    assert_int_equal(um_store_find_block_by_name(f->store, "two", &block, NULL), 0);
}

static void test_a_store_ends_with_everything_in_it(void **state)
{
    (void)state;
    struct um_owner *owner;
    struct um_store *store = small_store(1 << 20, 1000, 10, &owner);
    struct um_heap *heap = make_heap(store, owner, "h", 0);
    for (int i = 0; i < 50; i++) {
        make_block(store, heap, owner, 10);
        make_session_block(store, NULL, owner, 10);
    }
    assert_int_equal(um_block_observe(store, make_named(store, owner, 1, "n")), 0);
    um_owner_close(store, owner);
    um_store_free(store);
    um_store_free(NULL);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_pinned_memory_counts),
        WITH_FIXTURE(test_a_resize_does_not_multiply_pinned_memory),
        WITH_FIXTURE(test_pinned_memory_of_a_destroyed_heap_counts),
        WITH_FIXTURE(test_pinned_memory_survives_free),
        WITH_FIXTURE(test_a_pin_ends_and_the_block_stays),
        WITH_FIXTURE(test_a_pinned_block_moves_when_it_is_resized),
        WITH_FIXTURE(test_a_pinned_block_may_change_owners),
        WITH_FIXTURE(test_pinned_memory_survives_its_heap),
        WITH_FIXTURE(test_reclaiming_keeps_its_budget),
        WITH_FIXTURE(test_allocating_reclaims_as_well),
        cmocka_unit_test(test_slots_that_wait_are_reclaimed_rather_than_missed),
        WITH_FIXTURE(test_names_of_vanished_blocks_are_free_at_once),
        cmocka_unit_test(test_a_store_ends_with_everything_in_it),
    };
    return cmocka_run_group_tests_name("vanish", tests, NULL, NULL);
}
