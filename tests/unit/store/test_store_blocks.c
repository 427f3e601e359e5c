/* Blocks: allocating, finding, resizing, freeing, and each error. */
#include "store_fixture.h"

#include <string.h>

#include "store/records/records.h"
#include "store/store.h"

static int alloc(struct fixture *f, struct um_heap *heap, struct um_block_options options,
                 struct um_fault *fault)
{
    struct um_block *block = NULL;
    int code = um_block_alloc(f->store, heap != NULL ? heap : um_store_process_heap(f->store), f->owners[0],
                              &options, &block, fault);
    assert_true((code == 0) == (block != NULL));
    return code;
}

static void expect_counts(const struct um_store *store, uint64_t blocks, uint64_t bytes)
{
    assert_int_equal(stats_of(store).blocks, blocks);
    assert_int_equal(stats_of(store).bytes, bytes);
}

static void test_a_block_has_its_options(void **state)
{
    struct fixture *f = *state;
    um_store_set_time(f->store, 1700000000);
    struct um_block *block = make_named(f->store, f->owners[0], 100, "it");
    struct um_block_info info = info_of(f->store, block);
    struct um_heap_info heap;
    struct um_block *found;
    um_heap_get_info(um_block_heap(f->store, block), &heap);
    assert_int_equal(info.block, um_block_handle(f->store, block));
    assert_string_equal(info.name, "it");
    assert_int_equal(info.heap, heap.heap);
    assert_int_equal(info.size, 100);
    assert_int_equal(info.address, (uintptr_t)um_block_bytes(block));
    assert_int_equal(info.lifetime, UM_LIFETIME_SERVER);
    assert_ptr_equal(info.owner, f->owners[0]);
    assert_int_equal(info.holders, 1);
    assert_false(info.orphaned);
    assert_true(info.created == 1700000000);
    assert_int_equal(um_block_size(block), 100);
    assert_int_equal(um_store_find_block_by_name(f->store, "it", &found, NULL), 0);
    assert_ptr_equal(found, block);
    assert_int_equal(find_at(f->store, info.address, 1, &found), 0);
    assert_ptr_equal(found, block);
    assert_int_equal(find_at(f->store, info.address + 1, 1, &found), UMEM_E_UNKNOWN_HANDLE);
}

static void test_double_free_and_use_after_free_are_stale(void **state)
{
    struct fixture *f = *state;
    struct um_fault fault = {0};
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 10);
    um_handle handle = um_block_handle(f->store, block);
    assert_int_equal(block_verdict(f->store, handle), 0);
    um_block_free(f->store, block);
    assert_int_equal(um_store_find_block(f->store, handle, &block, &fault), UMEM_E_STALE_HANDLE);
    assert_int_equal(fault.block, handle);
    struct um_block *next = make_block(f->store, NULL, f->owners[0], 10); /* in the same slot */
    assert_int_equal(um_handle_slot(um_block_handle(f->store, next)), um_handle_slot(handle));
    assert_int_equal(block_verdict(f->store, handle), UMEM_E_STALE_HANDLE);
}

static void test_handles_never_given_out_are_unknown(void **state)
{
    struct fixture *f = *state;
    struct um_fault fault = {0};
    struct um_block *block;
    struct um_heap_info heap;
    um_heap_get_info(um_store_process_heap(f->store), &heap);
    assert_int_equal(um_store_find_block(f->store, heap.heap, &block, &fault), UMEM_E_UNKNOWN_HANDLE);
    assert_non_null(strstr(fault.what, "handle of a heap"));
    assert_int_equal(block_verdict(f->store, 0), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(block_verdict(f->store, 12345), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(block_verdict(f->store, UINT64_C(1) << 53), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(block_verdict(f->store, UINT64_MAX), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(um_store_find_block_by_name(f->store, "nobody", &block, &fault), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(find_at(f->store, 0, 1, &block), UMEM_E_UNKNOWN_HANDLE);
}

static void test_a_handle_of_an_earlier_store_is_unknown(void **state)
{
    struct fixture *f = *state;
    um_handle handle = um_block_handle(f->store, make_block(f->store, NULL, f->owners[0], 10));
    for (uint64_t seed = 100; seed < 200; seed++) {
        struct um_store *store;
        struct um_owner *owner;
        const struct um_store_options options = {
            .bytes_limit = 1000, .blocks_limit = 100, .heaps_limit = 10, .seed = seed};
        const struct um_owner_options who = {.id = 1};
        assert_int_equal(um_store_new(&options, &store), 0);
        assert_int_equal(um_owner_open(store, &who, &owner), 0);
        make_block(store, NULL, owner, 10);
        int code = block_verdict(store, handle);
        assert_true(code == UMEM_E_STALE_HANDLE || code == UMEM_E_UNKNOWN_HANDLE);
        small_close(store, owner);
    }
}

static void test_blocks_have_the_alignment_of_their_heap(void **state)
{
    struct fixture *f = *state;
    for (uint32_t alignment = 16; alignment <= UM_ALIGNMENT_MAXIMUM; alignment *= 2) {
        const struct um_heap_options options = {.kind = UM_HEAP_PRIVATE, .alignment = alignment};
        struct um_heap *heap;
        assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, NULL), 0);
        for (uint64_t size = 0; size < 3000000; size = size * 7 + 1) {
            struct um_block *block = make_block(f->store, heap, f->owners[0], size);
            assert_int_equal((uintptr_t)um_block_bytes(block) % alignment, 0);
            assert_int_equal(um_block_resize(f->store, block, size * 2 + 1, 0, NULL), 0);
            assert_int_equal((uintptr_t)um_block_bytes(block) % alignment, 0);
            assert_true(is_zero(um_block_bytes(block), size * 2 + 1));
        }
    }
}

static void test_reused_memory_is_zero(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    for (int i = 0; i < 200; i++) {
        uint64_t size = (uint64_t)(i % 20) * 50 + 10;
        struct um_block *block = make_block(f->store, heap, f->owners[0], size);
        assert_true(is_zero(um_block_bytes(block), size));
        memset(um_block_bytes(block), 0xff, (size_t)size);
        um_block_free(f->store, block);
    }
}

static void test_a_block_of_no_bytes_is_a_block(void **state)
{
    struct fixture *f = *state;
    struct um_block *one = make_block(f->store, NULL, f->owners[0], 0);
    struct um_block *two = make_block(f->store, NULL, f->owners[0], 0);
    assert_non_null(um_block_bytes(one));
    assert_ptr_not_equal(um_block_bytes(one), um_block_bytes(two));
    expect_counts(f->store, 2, 0);
    assert_int_equal(um_block_resize(f->store, one, 5, 0, NULL), 0);
    assert_true(is_zero(um_block_bytes(one), 5));
    assert_int_equal(um_block_resize(f->store, one, 0, 0, NULL), 0);
    um_block_free(f->store, one);
    um_block_free(f->store, two);
    expect_counts(f->store, 0, 0);
}

static void test_sizes_that_cannot_be_are_refused(void **state)
{
    struct fixture *f = *state;
    struct um_fault fault = {0};
    const uint64_t sizes[] = {UINT64_C(1) << 53, (UINT64_C(1) << 53) - 1, UINT64_MAX, UINT64_MAX - 15,
                              (UINT64_C(1) << 40) + 1};
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 100);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(alloc(f, NULL, (struct um_block_options){.size = sizes[i]}, &fault),
                         UMEM_E_LIMIT_EXCEEDED);
        assert_string_equal(fault.limit, "bytes");
        assert_int_equal(fault.maximum, UINT64_C(1) << 40);
        assert_int_equal(fault.used, 100);
        assert_int_equal(fault.asked, sizes[i]);
        assert_int_equal(um_block_resize(f->store, block, sizes[i], 0, &fault), UMEM_E_LIMIT_EXCEEDED);
        assert_int_equal(fault.asked, sizes[i] - 100);
    }
    expect_counts(f->store, 1, 100);
}

static void test_limits_cannot_be_passed_by_wrapping(void **state)
{
    (void)state;
    struct um_owner *owner;
    struct um_store *store = small_store(UINT64_MAX, UINT32_MAX, 10, &owner);
    struct um_block *block = make_block(store, NULL, owner, 100);
    struct um_block *second;
    const struct um_block_options options = {.size = UINT64_MAX - 50};
    assert_int_equal(um_block_alloc(store, um_store_process_heap(store), owner, &options, &second, NULL),
                     UMEM_E_LIMIT_EXCEEDED);
    assert_int_equal(um_block_resize(store, block, UINT64_MAX, 0, NULL), UMEM_E_LIMIT_EXCEEDED);
    expect_counts(store, 1, 100);
    small_close(store, owner);
}

static void test_the_heaps_maximum_is_kept(void **state)
{
    struct fixture *f = *state;
    struct um_fault fault = {0};
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 1000);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 600);
    struct um_heap_info info;
    um_heap_get_info(heap, &info);
    assert_int_equal(alloc(f, heap, (struct um_block_options){.size = 401}, &fault), UMEM_E_NO_MEMORY);
    assert_string_equal(fault.limit, "maximum_size");
    assert_int_equal(fault.heap, info.heap);
    assert_int_equal(fault.maximum, 1000);
    assert_int_equal(fault.used, 600);
    assert_int_equal(fault.asked, 401);
    assert_int_equal(fault.ntstatus, 0);
    assert_int_equal(alloc(f, heap, (struct um_block_options){.size = UINT64_MAX}, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(um_block_resize(f->store, block, 1001, 0, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.block, um_block_handle(f->store, block));
    assert_int_equal(um_block_resize(f->store, block, 1000, 0, &fault), 0);
    assert_int_equal(alloc(f, heap, (struct um_block_options){.size = 1}, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(alloc(f, heap, (struct um_block_options){.size = 0}, &fault), 0);
    um_block_free(f->store, block);
    assert_int_equal(alloc(f, heap, (struct um_block_options){.size = 1000}, &fault), 0);
    um_heap_get_info(heap, &info);
    assert_int_equal(info.peak_bytes, 1000);
    assert_int_equal(info.blocks, 2);
}

static void test_a_heap_is_filled_to_its_maximum(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 1 << 20);
    uint64_t bytes = 0;
    while (alloc(f, heap, (struct um_block_options){.size = 777}, NULL) == 0)
        bytes += 777;
    assert_int_equal(bytes, (1 << 20) / 777 * 777);
    struct um_fault fault = {0};
    assert_int_equal(alloc(f, heap, (struct um_block_options){.size = 777}, &fault), UMEM_E_NO_MEMORY);
    assert_string_equal(fault.limit, "maximum_size");
}

static void test_the_limits_of_the_daemon_are_kept(void **state)
{
    (void)state;
    struct um_owner *owner;
    struct um_fault fault = {0};
    struct um_store *store = small_store(1000, 3, 10, &owner);
    struct um_heap *process = um_store_process_heap(store);
    struct um_block *block = make_block(store, NULL, owner, 500);
    struct um_block *second;
    struct um_block_options options = {.size = 501};
    assert_int_equal(um_block_alloc(store, process, owner, &options, &second, &fault), UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(fault.limit, "bytes");
    make_block(store, NULL, owner, 1);
    make_block(store, NULL, owner, 1);
    options.size = 0;
    assert_int_equal(um_block_alloc(store, process, owner, &options, &second, &fault), UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(fault.limit, "blocks");
    assert_int_equal(fault.maximum, 3);
    assert_int_equal(fault.used, 3);
    assert_int_equal(um_block_resize(store, block, 999, 0, &fault), UMEM_E_LIMIT_EXCEEDED);
    assert_int_equal(um_block_resize(store, block, 998, 0, &fault), 0);
    assert_int_equal(um_block_resize(store, block, 0, 0, &fault), 0);
    assert_int_equal(stats_of(store).peak_bytes, 1000);
    small_close(store, owner);
}

static void test_a_failed_allocation_carries_what_win32_raises(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options raising = {
        .kind = UM_HEAP_PRIVATE, .maximum_size = 10, .flags = UM_FLAG_GENERATE_EXCEPTIONS};
    struct um_heap *heap;
    struct um_heap *quiet = make_heap(f->store, f->owners[0], NULL, 10);
    struct um_fault fault = {0};
    struct um_block_options options = {.size = 11};
    assert_int_equal(um_heap_create(f->store, f->owners[0], &raising, &heap, NULL), 0);
    assert_int_equal(alloc(f, heap, options, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.ntstatus, UM_STATUS_NO_MEMORY);
    assert_int_equal(alloc(f, quiet, options, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.ntstatus, 0);
    options.flags = UM_FLAG_GENERATE_EXCEPTIONS;
    assert_int_equal(alloc(f, quiet, options, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.ntstatus, UM_STATUS_NO_MEMORY);
    struct um_block *block = make_block(f->store, quiet, f->owners[0], 5);
    assert_int_equal(um_block_resize(f->store, block, 11, UM_FLAG_GENERATE_EXCEPTIONS, &fault),
                     UMEM_E_NO_MEMORY);
    assert_int_equal(fault.ntstatus, UM_STATUS_NO_MEMORY);
    assert_int_equal(alloc(f, quiet, options, NULL), UMEM_E_NO_MEMORY);
}

static void test_names_are_taken_checked_and_given_back(void **state)
{
    struct fixture *f = *state;
    char name[UM_NAME_SIZE_LIMIT + 2];
    struct um_fault fault = {0};
    struct um_block *block = make_named(f->store, f->owners[0], 1, "a");
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(alloc(f, NULL, (struct um_block_options){.size = 1, .name = "a"}, &fault),
                     UMEM_E_NAME_TAKEN);
    assert_int_equal(fault.block, um_block_handle(f->store, block));
    assert_int_equal(alloc(f, NULL, (struct um_block_options){.name = ""}, &fault), UMEM_E_INVALID_PARAMS);
    assert_int_equal(alloc(f, NULL, (struct um_block_options){.name = name}, &fault), UMEM_E_INVALID_PARAMS);
    name[UM_NAME_SIZE_LIMIT] = '\0';
    assert_int_equal(alloc(f, NULL, (struct um_block_options){.name = name}, &fault), 0);
    assert_int_equal(alloc(f, NULL, (struct um_block_options){.name = "process"}, &fault), 0);
    expect_counts(f->store, 3, 1);
    um_block_free(f->store, block);
    assert_int_equal(um_store_find_block_by_name(f->store, "a", &block, NULL), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(alloc(f, NULL, (struct um_block_options){.name = "a"}, &fault), 0);
}

static void test_resizing_keeps_handle_and_bytes(void **state)
{
    struct fixture *f = *state;
    const uint64_t sizes[] = {10, 5, 8, 0, 3, 2000000, 1999990, 1999999, 100, 300};
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 0);
    um_handle handle = um_block_handle(f->store, block);
    uint64_t size = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(um_block_resize(f->store, block, sizes[i], 0, NULL), 0);
        assert_int_equal(um_block_handle(f->store, block), handle);
        expect_counts(f->store, 1, sizes[i]);
        uint64_t kept = size < sizes[i] ? size : sizes[i];
        for (uint64_t k = 0; k < kept; k++)
            assert_int_equal(um_block_bytes(block)[k], 0x5a);
        assert_true(is_zero(um_block_bytes(block) + kept, sizes[i] - kept));
        size = sizes[i];
        memset(um_block_bytes(block), 0x5a, (size_t)size);
    }
}

static void test_in_place_only_does_not_move(void **state)
{
    struct fixture *f = *state;
    struct um_fault fault = {0};
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 100);
    struct um_pin *pin;
    unsigned char *bytes = um_block_bytes(block);
    assert_int_equal(um_block_resize(f->store, block, 50, UM_FLAG_REALLOC_IN_PLACE_ONLY, &fault), 0);
    assert_ptr_equal(um_block_bytes(block), bytes);
    int code = um_block_resize(f->store, block, 10000000, UM_FLAG_REALLOC_IN_PLACE_ONLY, &fault);
    assert_true(code == 0 || code == UMEM_E_NO_MEMORY);
    assert_ptr_equal(um_block_bytes(block), bytes);
    assert_int_equal(um_pin_new(f->store, block, &pin), 0);
    code = um_block_resize(f->store, block, 60, UM_FLAG_REALLOC_IN_PLACE_ONLY, &fault);
    assert_int_equal(code, UMEM_E_NO_MEMORY);
    assert_non_null(strstr(fault.what, "realloc_in_place_only"));
    um_pin_release(f->store, pin);
}

/* One block after the other has the name, its bytes zero, and the one before is gone: also where an answer still goes out of it. */
static void test_a_block_is_replaced_by_one_as_large(void **state)
{
    enum { SIZE = 40, TIMES = 200 };
    struct fixture *f = *state;
    struct um_block_options options = {.size = SIZE, .name = "n"};
    struct um_block *block = NULL;
    struct um_pin *pin;
    unsigned char *pinned;
    struct um_heap *heap = um_store_process_heap(f->store);
    assert_int_equal(um_block_alloc(f->store, heap, f->owners[0], &options, &block, NULL), 0);
    for (int i = 0; i < TIMES; i++) {
        um_handle former = um_block_handle(f->store, block);
        memset(um_block_bytes(block), 0x5a, SIZE);
        f->store->now_seconds++;
        options.replaced = block;
        assert_int_equal(um_block_alloc(f->store, heap, f->owners[0], &options, &block, NULL), 0);
        assert_true(is_zero(um_block_bytes(block), SIZE));
        assert_int_equal(um_store_find_block(f->store, former, &options.replaced, NULL), UMEM_E_STALE_HANDLE);
        expect_counts(f->store, 1, SIZE);
        assert_int_equal(stats_of(f->store).peak_bytes, 2 * SIZE);
        struct um_block_info info;
        um_block_get_info(f->store, block, &info);
        assert_int_equal(info.created, f->store->now_seconds);
        assert_int_equal(um_store_find_block_by_name(f->store, "n", &options.replaced, NULL), 0);
        assert_ptr_equal(options.replaced, block);
    }
    memset(um_block_bytes(block), 0x5a, SIZE);
    pinned = um_block_bytes(block);
    assert_int_equal(um_pin_new(f->store, block, &pin), 0);
    options.replaced = block;
    assert_int_equal(um_block_alloc(f->store, heap, f->owners[0], &options, &block, NULL), 0);
    assert_true(um_block_bytes(block) != pinned);
    for (int i = 0; i < SIZE; i++)
        assert_int_equal(pinned[i], 0x5a);
    um_pin_release(f->store, pin);
}

static void *alloc_nothing(void *memory, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)size;
    (void)alignment;
    return NULL;
}

static bool resize_nothing(void *memory, void **address, uint64_t old_size, uint64_t new_size,
                           uint32_t alignment, bool in_place_only)
{
    (void)memory;
    (void)address;
    (void)old_size;
    (void)new_size;
    (void)alignment;
    (void)in_place_only;
    return false;
}

static void test_memory_that_the_system_refuses_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 10);
    struct um_heap_ops broken = *heap->ops;
    const struct um_heap_ops *sound = heap->ops;
    struct um_pin *pin;
    struct um_fault fault = {0};
    broken.alloc = alloc_nothing;
    broken.resize = resize_nothing;
    heap->ops = &broken;
    assert_int_equal(alloc(f, heap, (struct um_block_options){.size = 5, .name = "n"}, &fault),
                     UMEM_E_NO_MEMORY);
    assert_null(fault.limit);
    assert_int_equal(um_block_resize(f->store, block, 20, 0, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(um_pin_new(f->store, block, &pin), 0);
    assert_int_equal(um_block_resize(f->store, block, 20, 0, &fault), UMEM_E_NO_MEMORY);
    assert_true(um_pin_is_current(pin));
    um_pin_release(f->store, pin);
    expect_counts(f->store, 1, 10);
    assert_int_equal(um_block_size(block), 10);
    heap->ops = sound;
    assert_int_equal(alloc(f, heap, (struct um_block_options){.size = 5, .name = "n"}, &fault), 0);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_a_block_has_its_options),
        WITH_FIXTURE(test_double_free_and_use_after_free_are_stale),
        WITH_FIXTURE(test_handles_never_given_out_are_unknown),
        WITH_FIXTURE(test_a_handle_of_an_earlier_store_is_unknown),
        WITH_FIXTURE(test_blocks_have_the_alignment_of_their_heap),
        WITH_FIXTURE(test_reused_memory_is_zero),
        WITH_FIXTURE(test_a_block_of_no_bytes_is_a_block),
        WITH_FIXTURE(test_sizes_that_cannot_be_are_refused),
        cmocka_unit_test(test_limits_cannot_be_passed_by_wrapping),
        WITH_FIXTURE(test_the_heaps_maximum_is_kept),
        WITH_FIXTURE(test_a_heap_is_filled_to_its_maximum),
        cmocka_unit_test(test_the_limits_of_the_daemon_are_kept),
        WITH_FIXTURE(test_a_failed_allocation_carries_what_win32_raises),
        WITH_FIXTURE(test_names_are_taken_checked_and_given_back),
        WITH_FIXTURE(test_resizing_keeps_handle_and_bytes),
        WITH_FIXTURE(test_in_place_only_does_not_move),
        WITH_FIXTURE(test_a_block_is_replaced_by_one_as_large),
        WITH_FIXTURE(test_memory_that_the_system_refuses_leaves_no_trace),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
