/* Operations that visit everything in slices: validating a heap and looking for an address. */
#include "store_fixture.h"

#include "store/records/block_extra.h"
#include "store/records/records.h"
#include "store/store.h"

static void test_sound_heaps_validate(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 100);
    make_block(f->store, NULL, f->owners[0], 100);
    assert_int_equal(validate_all(f->store, heap, SIZE_MAX, NULL), 0);
    assert_int_equal(um_heap_validate(f->store, heap, block, NULL), 0);
    assert_int_equal(validate_all(f->store, um_store_process_heap(f->store), SIZE_MAX, NULL), 0);
    assert_int_equal(um_heap_validate(f->store, um_store_process_heap(f->store), block, NULL),
                     UMEM_E_INVALID_PARAMS);
    compact(heap);
}

static void test_damaged_records_are_found(void **state)
{
    struct fixture *f = *state;
    struct um_fault fault = {0};
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    make_block(f->store, heap, f->owners[0], 100);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 100);
    unsigned char *address = um_address_of(block);
    um_block_set_address(block, address + 8);
    assert_int_equal(validate_all(f->store, heap, SIZE_MAX, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(fault.block, um_block_handle(f->store, block));
    assert_int_equal(um_heap_validate(f->store, heap, block, &fault), UMEM_E_CORRUPTED);
    um_block_set_address(block, address);
    heap->bytes++;
    assert_int_equal(validate_all(f->store, heap, SIZE_MAX, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(fault.block, 0);
    heap->bytes--;
    assert_int_equal(validate_all(f->store, heap, SIZE_MAX, &fault), 0);
}

static void step(struct fixture *f, struct um_heap_check *check, size_t budget, bool expected_more)
{
    bool more = !expected_more;
    assert_int_equal(um_heap_check_step(f->store, check, budget, &more, NULL), 0);
    assert_true(more == expected_more);
}

static void test_each_kind_of_damage_is_found_in_slices_of_any_size(void **state)
{
    struct fixture *f = *state;
    struct um_fault fault = {0};
    struct um_block *blocks[5];
    for (int i = 0; i < 5; i++)
        blocks[i] = make_block(f->store, NULL, f->owners[0], 100);
    const struct um_heap *heap = um_store_process_heap(f->store);
    struct um_block *block = blocks[2];
    struct um_block_links *links = um_links_of(f->store, block->slot.link);
    const struct um_block sound = *block;
    const struct um_block_links sound_links = *links;
    const struct {
        struct um_block block;
        struct um_block_links links;
    } damaged[] = {
        {{.account = UINT32_MAX, .memory = sound.memory}, sound_links},
        {{.account = 12345, .memory = sound.memory}, sound_links},
        {{.account = sound.account, .memory = 0}, sound_links},
        {sound, {.next = sound_links.next, .prev = 99}},
        {sound, {.next = 99, .prev = sound_links.prev}},
        {sound, {.next = sound_links.next, .prev = UM_SLOT_NONE}},
        {sound, {.next = blocks[0]->slot.link, .prev = sound_links.prev}}, /* 1 would be right */
        {sound, {.next = sound_links.next, .prev = 1}},
    };
    for (size_t budget = 1; budget <= 7; budget++) {
        for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
            block->account = damaged[i].block.account;
            block->memory = damaged[i].block.memory;
            *links = damaged[i].links;
            fault.heap = 0;
            assert_int_equal(validate_all(f->store, heap, budget, &fault), UMEM_E_CORRUPTED);
            assert_int_equal(fault.heap, handle_of(heap));
            assert_true(fault.block != 0);
            *block = sound;
            *links = sound_links;
            assert_int_equal(validate_all(f->store, heap, budget, &fault), 0);
        }
    }
}

static void test_counts_are_compared_where_nothing_changed_in_between(void **state)
{
    struct fixture *f = *state;
    struct um_heap_check check;
    struct um_fault fault = {0};
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    bool more = false;
    for (int i = 0; i < 3; i++) {
        make_block(f->store, heap, f->owners[0], 10);
        make_block(f->store, NULL, f->owners[0], 10);
    }
    heap->blocks++;
    assert_int_equal(validate_all(f->store, heap, 6, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(validate_all(f->store, heap, 1, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(fault.block, 0);
    assert_int_equal(validate_all(f->store, um_store_process_heap(f->store), 1, NULL), 0);
    heap->blocks--;
    um_heap_check_begin(&check, heap);
    step(f, &check, 4, true);
    assert_int_equal(um_block_resize(f->store, make_block(f->store, heap, f->owners[0], 10), 5, 0, NULL), 0);
    assert_int_equal(um_heap_check_step(f->store, &check, 0, &more, NULL), 0);
    assert_true(more);
    step(f, &check, 4, false);
}

static void test_blocks_come_and_go_between_two_steps(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 40 };
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_block *blocks[COUNT];
    struct um_heap_check check;
    for (int i = 0; i < COUNT; i++)
        blocks[i] = make_block(f->store, heap, f->owners[i % 3], 10);
    um_heap_check_begin(&check, heap);
    for (int i = 0; i < COUNT; i++) {
        if (i % 2 == 0)
            um_block_free(f->store, blocks[i]); /* right before it is looked at */
        step(f, &check, 1, i < COUNT - 1);
        if (i % 2 != 0)
            um_block_free(f->store, blocks[i]); /* right after */
        if (i % 4 == 0)
            make_block(f->store, heap, f->owners[0], 20);
    }
    assert_int_equal(validate_all(f->store, heap, 3, NULL), 0);
}

static void test_a_heap_destroyed_in_between_is_stale(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_heap_check check;
    struct um_fault fault = {0};
    uint64_t blocks;
    uint64_t bytes;
    bool more = true;
    um_handle handle = handle_of(heap);
    make_block(f->store, heap, f->owners[0], 10);
    make_block(f->store, heap, f->owners[0], 10);
    um_heap_check_begin(&check, heap);
    step(f, &check, 1, true);
    assert_int_equal(um_heap_destroy(f->store, heap, &blocks, &bytes, NULL), 0);
    assert_int_equal(um_heap_check_step(f->store, &check, 1, &more, &fault), UMEM_E_STALE_HANDLE);
    assert_int_equal(fault.heap, handle);
    reclaim_all(f->store);
    make_heap(f->store, f->owners[0], NULL, 0); /* perhaps in the same slot */
    assert_int_equal(um_heap_check_step(f->store, &check, 1, &more, NULL), UMEM_E_STALE_HANDLE);
    assert_true(more);
}

static bool whole_is_sound;
static unsigned whole_looks;

static bool validate_whole(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)size;
    (void)memory;
    (void)alignment;
    whole_looks += address == NULL;
    return address != NULL || whole_is_sound;
}

static void test_the_system_looks_at_the_whole_in_the_last_step(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    const struct um_heap_ops *sound = heap->ops;
    struct um_heap_ops looking = *sound;
    struct um_heap_check check;
    struct um_fault fault = {0};
    bool more = true;
    looking.validates_whole = true;
    looking.validate = validate_whole;
    heap->ops = &looking;
    make_block(f->store, heap, f->owners[0], 10);
    make_block(f->store, heap, f->owners[0], 10);
    whole_looks = 0;
    whole_is_sound = true;
    um_heap_check_begin(&check, heap);
    step(f, &check, 1, true);
    assert_int_equal(whole_looks, 0);
    step(f, &check, 1, false);
    assert_int_equal(whole_looks, 1);
    whole_is_sound = false;
    um_heap_check_begin(&check, heap);
    assert_int_equal(um_heap_check_step(f->store, &check, 2, &more, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(fault.block, 0);
    assert_true(more);
    heap->ops = sound;
}

static void test_an_address_is_found_in_slices_of_any_size(void **state)
{
    struct fixture *f = *state;
    struct um_block *blocks[10];
    struct um_block *found;
    for (int i = 0; i < 10; i++)
        blocks[i] = make_block(f->store, NULL, f->owners[0], 100);
    for (size_t budget = 1; budget <= 11; budget++) {
        for (int i = 0; i < 10; i++) {
            assert_int_equal(find_at(f->store, info_of(f->store, blocks[i]).address, budget, &found), 0);
            assert_ptr_equal(found, blocks[i]);
        }
        uint64_t inside = info_of(f->store, blocks[9]).address + 1;
        assert_int_equal(find_at(f->store, inside, budget, &found), UMEM_E_UNKNOWN_HANDLE);
    }
}

static void test_an_address_is_looked_for_while_blocks_go(void **state)
{
    struct fixture *f = *state;
    struct um_block *first = make_block(f->store, NULL, f->owners[0], 100);
    struct um_block *second = make_session_block(f->store, NULL, f->owners[1], 100);
    struct um_block *last = make_block(f->store, NULL, f->owners[0], 100);
    struct um_block *found = first;
    uint64_t gone = info_of(f->store, second).address;
    um_handle after = 0;
    assert_int_equal(
        um_store_find_block_at(f->store, info_of(f->store, last).address, 1, &after, &found, NULL), 0);
    assert_null(found);
    um_block_free(f->store, first);
    close_fixture_owner(f, 1);
    assert_int_equal(
        um_store_find_block_at(f->store, info_of(f->store, last).address, 2, &after, &found, NULL), 0);
    assert_ptr_equal(found, last);
    assert_int_equal(find_at(f->store, gone, 1, &found), UMEM_E_UNKNOWN_HANDLE);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_sound_heaps_validate),
        WITH_FIXTURE(test_damaged_records_are_found),
        WITH_FIXTURE(test_each_kind_of_damage_is_found_in_slices_of_any_size),
        WITH_FIXTURE(test_counts_are_compared_where_nothing_changed_in_between),
        WITH_FIXTURE(test_blocks_come_and_go_between_two_steps),
        WITH_FIXTURE(test_a_heap_destroyed_in_between_is_stale),
        WITH_FIXTURE(test_the_system_looks_at_the_whole_in_the_last_step),
        WITH_FIXTURE(test_an_address_is_found_in_slices_of_any_size),
        WITH_FIXTURE(test_an_address_is_looked_for_while_blocks_go),
    };
    return cmocka_run_group_tests_name("slices", tests, NULL, NULL);
}
