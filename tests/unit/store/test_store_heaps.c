/* Heaps: making, finding, limits, names, locks, validation, destruction. */
#include "store_fixture.h"

#include <string.h>

#include "store/records/records.h"
#include "store/store.h"

static int create(struct fixture *f, struct um_heap_options options, struct um_fault *fault)
{
    struct um_heap *heap = NULL;
    int code = um_heap_create(f->store, f->owners[0], &options, &heap, fault);
    assert_true((code == 0) == (heap != NULL));
    return code;
}

static void destroy(struct fixture *f, struct um_heap *heap)
{
    uint64_t blocks;
    uint64_t bytes;
    assert_int_equal(um_heap_destroy(f->store, heap, &blocks, &bytes, NULL), 0);
}

static void test_the_process_heap_is_there(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap;
    struct um_heap_info info;
    assert_int_equal(um_store_find_heap_by_name(f->store, "process", &heap, NULL), 0);
    assert_ptr_equal(heap, um_store_process_heap(f->store));
    um_heap_get_info(heap, &info);
    assert_string_equal(info.name, "process");
    assert_int_equal(info.kind, UM_HEAP_PROCESS);
    assert_null(info.owner);
    assert_int_equal(info.alignment, 16);
    assert_int_equal(heap_verdict(f->store, info.heap), 0);
    assert_int_equal(stats_of(f->store).heaps, 1);
    (void)um_store_system_heaps(f->store);
}

static void test_the_process_heap_cannot_be_destroyed(void **state)
{
    struct fixture *f = *state;
    uint64_t blocks = 77;
    uint64_t bytes = 77;
    struct um_fault fault = {0};
    int code = um_heap_destroy(f->store, um_store_process_heap(f->store), &blocks, &bytes, &fault);
    assert_int_equal(code, UMEM_E_DENIED);
    assert_non_null(fault.what);
    assert_int_equal(blocks, 77);
}

static void test_a_heap_has_its_options(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options options = {.kind = UM_HEAP_PRIVATE,
                                            .flags = UM_FLAG_GENERATE_EXCEPTIONS | UM_FLAG_NO_SERIALIZE,
                                            .initial_size = 1000,
                                            .maximum_size = 5000,
                                            .alignment = 64,
                                            .name = "mine",
                                            .lifetime = UM_LIFETIME_SESSION};
    struct um_heap *heap;
    struct um_heap *found;
    struct um_heap_info info;
    assert_int_equal(um_heap_create(f->store, f->owners[1], &options, &heap, NULL), 0);
    um_heap_get_info(heap, &info);
    assert_string_equal(info.name, "mine");
    assert_int_equal(info.kind, UM_HEAP_PRIVATE);
    assert_int_equal(info.flags, options.flags);
    assert_int_equal(info.initial_size, 1000);
    assert_int_equal(info.maximum_size, 5000);
    assert_int_equal(info.alignment, 64);
    assert_int_equal(info.lifetime, UM_LIFETIME_SESSION);
    assert_ptr_equal(info.owner, f->owners[1]);
    assert_null(info.locked_by);
    assert_int_equal(um_store_find_heap_by_name(f->store, "mine", &found, NULL), 0);
    assert_ptr_equal(found, heap);
}

static void test_bad_options_are_refused(void **state)
{
    struct fixture *f = *state;
    char name[UM_NAME_SIZE_LIMIT + 2];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    const struct um_heap_options bad[] = {
        {.kind = UM_HEAP_PROCESS},
        {.kind = (enum um_heap_kind)17},
        {.kind = UM_HEAP_PRIVATE, .flags = 1 << 9},
        {.kind = UM_HEAP_PRIVATE, .alignment = 8},
        {.kind = UM_HEAP_PRIVATE, .alignment = 48},
        {.kind = UM_HEAP_PRIVATE, .alignment = 131072},
        {.kind = UM_HEAP_PRIVATE, .initial_size = 11, .maximum_size = 10},
        {.kind = UM_HEAP_PRIVATE, .name = ""},
        {.kind = UM_HEAP_PRIVATE, .name = name},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct um_fault fault = {0};
        assert_int_equal(create(f, bad[i], &fault), UMEM_E_INVALID_PARAMS);
        assert_non_null(fault.what);
        assert_int_equal(create(f, bad[i], NULL), UMEM_E_INVALID_PARAMS);
    }
    assert_int_equal(stats_of(f->store).heaps, 1);
    name[UM_NAME_SIZE_LIMIT] = '\0';
    assert_int_equal(create(f, (struct um_heap_options){.kind = UM_HEAP_PRIVATE, .name = name}, NULL), 0);
}

static void test_executable_memory_is_denied(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options options = {.kind = UM_HEAP_PRIVATE, .flags = UM_FLAG_CREATE_ENABLE_EXECUTE};
    assert_int_equal(create(f, options, NULL), UMEM_E_DENIED);
}

static void test_a_kind_without_backend_is_unsupported(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED, .maximum_size = 4096};
    f->store->heap_ops[UM_HEAP_SHARED] = NULL;
    assert_int_equal(create(f, options, NULL), UMEM_E_UNSUPPORTED);
}

static void test_names_are_taken_and_given_back(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options options = {.kind = UM_HEAP_PRIVATE, .name = "a"};
    struct um_fault fault = {0};
    struct um_heap *heap = make_heap(f->store, f->owners[0], "a", 0);
    assert_int_equal(create(f, options, &fault), UMEM_E_NAME_TAKEN);
    assert_int_equal(fault.heap, handle_of(heap));
    assert_int_equal(create(f, (struct um_heap_options){.kind = UM_HEAP_PRIVATE, .name = "process"}, &fault),
                     UMEM_E_NAME_TAKEN);
    make_named(f->store, f->owners[0], 1, "b"); /* blocks' names are another namespace */
    assert_int_equal(create(f, (struct um_heap_options){.kind = UM_HEAP_PRIVATE, .name = "b"}, &fault), 0);
    destroy(f, heap);
    assert_int_equal(um_store_find_heap_by_name(f->store, "a", &heap, NULL), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(create(f, options, NULL), 0);
}

static void test_a_destroyed_heap_is_stale_with_its_blocks(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    um_handle handle = handle_of(heap);
    um_handle blocks[5];
    uint64_t count;
    uint64_t bytes;
    for (int i = 0; i < 5; i++)
        blocks[i] = um_block_handle(f->store, make_block(f->store, heap, f->owners[i % 3], 100));
    assert_int_equal(um_heap_destroy(f->store, heap, &count, &bytes, NULL), 0);
    assert_int_equal(count, 5);
    assert_int_equal(bytes, 500);
    for (int round = 0; round < 2; round++) {
        struct um_fault fault = {0};
        assert_int_equal(heap_verdict(f->store, handle), UMEM_E_STALE_HANDLE);
        for (int i = 0; i < 5; i++) {
            struct um_block *block;
            assert_int_equal(um_store_find_block(f->store, blocks[i], &block, &fault), UMEM_E_STALE_HANDLE);
            assert_int_equal(fault.block, blocks[i]);
        }
        assert_int_equal(stats_of(f->store).blocks, 0);
        assert_int_equal(stats_of(f->store).bytes, 0);
        assert_int_equal(stats_of(f->store).heaps, 1);
        reclaim_all(f->store);
    }
}

static void test_handles_of_the_wrong_kind_are_unknown(void **state)
{
    struct fixture *f = *state;
    struct um_fault fault = {0};
    struct um_heap *heap;
    um_handle block = um_block_handle(f->store, make_block(f->store, NULL, f->owners[0], 1));
    assert_int_equal(um_store_find_heap(f->store, block, &heap, &fault), UMEM_E_UNKNOWN_HANDLE);
    assert_non_null(strstr(fault.what, "handle of a block"));
    assert_int_equal(fault.heap, block);
    assert_int_equal(heap_verdict(f->store, 0), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(heap_verdict(f->store, UINT64_MAX), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(um_store_find_heap_by_name(f->store, "nobody", &heap, &fault), UMEM_E_UNKNOWN_HANDLE);
}

static void test_the_heaps_limit_counts_what_is_alive(void **state)
{
    (void)state;
    struct um_owner *owner;
    struct um_store *store = small_store(1000, 100, 2, &owner);
    const struct um_heap_options options = {.kind = UM_HEAP_PRIVATE};
    struct um_fault fault = {0};
    struct um_heap *heap = make_heap(store, owner, NULL, 0);
    struct um_heap *second;
    uint64_t blocks;
    uint64_t bytes;
    make_heap(store, owner, NULL, 0);
    assert_int_equal(um_heap_create(store, owner, &options, &second, &fault), UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(fault.limit, "heaps");
    assert_int_equal(fault.maximum, 2);
    assert_int_equal(fault.used, 2);
    assert_int_equal(fault.asked, 1);
    make_block(store, heap, owner, 10);
    assert_int_equal(um_heap_destroy(store, heap, &blocks, &bytes, NULL), 0);
    assert_int_equal(um_heap_create(store, owner, &options, &second, &fault), 0);
    small_close(store, owner);
}

static void test_initial_size_counts_against_the_bytes_limit(void **state)
{
    (void)state;
    struct um_owner *owner;
    struct um_store *store = small_store(1000, 100, 2, &owner);
    struct um_heap_options options = {.kind = UM_HEAP_PRIVATE, .initial_size = 1001};
    struct um_fault fault = {0};
    struct um_heap *heap;
    assert_int_equal(um_heap_create(store, owner, &options, &heap, &fault), UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(fault.limit, "bytes");
    options.initial_size = UINT64_MAX;
    assert_int_equal(um_heap_create(store, owner, &options, &heap, NULL), UMEM_E_LIMIT_EXCEEDED);
    options.initial_size = 1000;
    assert_int_equal(um_heap_create(store, owner, &options, &heap, NULL), 0);
    small_close(store, owner);
}

static struct um_heap *next_heap(struct fixture *f, um_handle after)
{
    size_t budget = SIZE_MAX;
    um_handle next;

    return um_store_next_heap(f->store, after, &budget, &next);
}

static void test_heaps_are_listed_in_order_of_slots(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heaps[3];
    for (int i = 0; i < 3; i++)
        heaps[i] = make_heap(f->store, f->owners[0], NULL, 0);
    um_handle middle = handle_of(heaps[1]);
    assert_ptr_equal(next_heap(f, 0), um_store_process_heap(f->store));
    assert_ptr_equal(next_heap(f, handle_of(um_store_process_heap(f->store))), heaps[0]);
    destroy(f, heaps[1]);
    assert_ptr_equal(next_heap(f, handle_of(heaps[0])), heaps[2]);
    assert_ptr_equal(next_heap(f, middle), heaps[2]);
    assert_null(next_heap(f, handle_of(heaps[2])));
    assert_null(next_heap(f, UINT64_MAX));
}

static void test_a_session_heap_ends_with_its_owner(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options options = {
        .kind = UM_HEAP_PRIVATE, .lifetime = UM_LIFETIME_SESSION, .name = "s"};
    struct um_heap *heap;
    struct um_heap *kept = make_heap(f->store, f->owners[0], "kept", 0);
    struct um_owner_info owner;
    struct um_heap_info info;
    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, NULL), 0);
    um_handle handle = handle_of(heap);
    um_handle block = um_block_handle(f->store, make_block(f->store, heap, f->owners[1], 10));
    close_fixture_owner(f, 0);
    assert_int_equal(heap_verdict(f->store, handle), UMEM_E_STALE_HANDLE);
    assert_int_equal(block_verdict(f->store, block), UMEM_E_STALE_HANDLE);
    um_heap_get_info(kept, &info);
    um_owner_get_info(info.owner, &owner);
    assert_false(owner.open);
    assert_int_equal(owner.pid, 100);
    assert_string_equal(owner.program, "tester");
    assert_string_equal(owner.user, "someone");
    destroy(f, kept);
}

static void test_locks_keep_others_out_and_count(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_owner *one = f->owners[0];
    struct um_owner *two = f->owners[1];
    struct um_fault fault = {0};
    assert_int_equal(um_heap_check_lock(heap, two, NULL), 0);
    assert_int_equal(um_heap_lock(heap, one, NULL), 0);
    assert_int_equal(um_heap_lock(heap, one, NULL), 0);
    assert_int_equal(um_heap_lock(heap, two, &fault), UMEM_E_LOCKED);
    assert_int_equal(fault.heap, handle_of(heap));
    assert_int_equal(um_heap_check_lock(heap, two, NULL), UMEM_E_LOCKED);
    assert_int_equal(um_heap_check_lock(heap, one, NULL), 0);
    assert_int_equal(um_heap_unlock(f->store, heap, two, NULL), UMEM_E_DENIED);
    assert_int_equal(um_heap_unlock(f->store, heap, one, NULL), 0);
    assert_int_equal(um_heap_check_lock(heap, two, NULL), UMEM_E_LOCKED);
    assert_int_equal(um_heap_unlock(f->store, heap, one, NULL), 0);
    assert_int_equal(um_heap_check_lock(heap, two, NULL), 0);
    assert_int_equal(um_heap_unlock(f->store, heap, one, NULL), UMEM_E_DENIED);
}

/* Finding a block for an owner is finding it and checking the lock. */
static void test_a_block_is_found_for_those_that_a_lock_lets_in(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    um_handle handle = um_block_handle(f->store, make_block(f->store, heap, f->owners[0], 8));
    struct um_block *block = NULL;
    struct um_fault fault = {0};

    assert_int_equal(um_owner_find_block(f->store, f->owners[1], handle, &block, NULL), 0);
    assert_int_equal(um_block_handle(f->store, block), handle);
    assert_int_equal(um_heap_lock(heap, f->owners[0], NULL), 0);
    block = NULL;
    assert_int_equal(um_owner_find_block(f->store, f->owners[1], handle, &block, &fault), UMEM_E_LOCKED);
    assert_int_equal(fault.heap, handle_of(heap));
    assert_null(block);
    assert_int_equal(um_owner_find_block(f->store, f->owners[0], handle, &block, NULL), 0);
    assert_int_equal(um_owner_find_block(f->store, f->owners[0], handle + 4, &block, &fault),
                     UMEM_E_UNKNOWN_HANDLE);
    destroy(f, heap);
    assert_int_equal(um_owner_find_block(f->store, f->owners[0], handle, &block, &fault),
                     UMEM_E_STALE_HANDLE);
    assert_int_equal(fault.block, handle);
}

/* The status that callers read in every turn agrees with the calls. */
static void test_the_status_follows_the_store(void **state)
{
    struct fixture *f = *state;
    const struct um_store_status *status = um_store_get_status(f->store);
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);

    make_block(f->store, heap, f->owners[0], 8);
    assert_false(status->has_work);
    assert_false(um_store_has_work(f->store));
    um_store_set_time(f->store, 1);
    assert_false(status->turn_is_used);
    destroy(f, heap);
    assert_true(status->turn_is_used);
    um_store_set_time(f->store, 1);
    assert_false(status->turn_is_used);
    close_fixture_owner(f, 2);
    assert_true(status->turn_is_used);
    assert_true(status->has_work);
    assert_true(um_store_has_work(f->store));
    while (um_store_reclaim(f->store, 1000))
        continue;
    assert_false(status->has_work);

    assert_false(status->is_large);
    f->store->large_blocks = 1;
    make_block(f->store, NULL, f->owners[0], 8);
    assert_false(status->is_large);
    um_store_set_time(f->store, 1);
    assert_true(status->is_large);
    assert_true(um_store_is_large(f->store));
}

static void test_a_lock_ends_with_its_owner_or_its_heap(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_heap *gone = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_heap_info info;
    assert_int_equal(um_heap_lock(heap, f->owners[1], NULL), 0);
    assert_int_equal(um_heap_lock(gone, f->owners[1], NULL), 0);
    um_heap_get_info(heap, &info);
    assert_ptr_equal(info.locked_by, f->owners[1]);
    destroy(f, gone);
    close_fixture_owner(f, 1);
    um_heap_get_info(heap, &info);
    assert_null(info.locked_by);
    assert_int_equal(um_heap_lock(heap, f->owners[2], NULL), 0);
}

static bool create_nothing(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
    (void)alignment;
    (void)initial_size;
    (void)maximum_size;
    (void)memory;
    return false;
}

static void test_a_heap_that_the_system_refuses_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    struct um_heap_ops broken = *f->store->heap_ops[UM_HEAP_PRIVATE];
    const struct um_heap_ops *sound = f->store->heap_ops[UM_HEAP_PRIVATE];
    struct um_heap_options options = {
        .kind = UM_HEAP_PRIVATE, .name = "n", .flags = UM_FLAG_GENERATE_EXCEPTIONS};
    struct um_fault fault = {0};
    broken.create = create_nothing;
    f->store->heap_ops[UM_HEAP_PRIVATE] = &broken;
    assert_int_equal(create(f, options, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.ntstatus, UM_STATUS_NO_MEMORY);
    assert_int_equal(stats_of(f->store).heaps, 1);
    f->store->heap_ops[UM_HEAP_PRIVATE] = sound;
    assert_int_equal(create(f, options, &fault), 0);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_the_process_heap_is_there),
        WITH_FIXTURE(test_the_process_heap_cannot_be_destroyed),
        WITH_FIXTURE(test_a_heap_has_its_options),
        WITH_FIXTURE(test_bad_options_are_refused),
        WITH_FIXTURE(test_executable_memory_is_denied),
        WITH_FIXTURE(test_a_kind_without_backend_is_unsupported),
        WITH_FIXTURE(test_names_are_taken_and_given_back),
        WITH_FIXTURE(test_a_destroyed_heap_is_stale_with_its_blocks),
        WITH_FIXTURE(test_handles_of_the_wrong_kind_are_unknown),
        cmocka_unit_test(test_the_heaps_limit_counts_what_is_alive),
        cmocka_unit_test(test_initial_size_counts_against_the_bytes_limit),
        WITH_FIXTURE(test_heaps_are_listed_in_order_of_slots),
        WITH_FIXTURE(test_a_session_heap_ends_with_its_owner),
        WITH_FIXTURE(test_locks_keep_others_out_and_count),
        WITH_FIXTURE(test_a_block_is_found_for_those_that_a_lock_lets_in),
        WITH_FIXTURE(test_the_status_follows_the_store),
        WITH_FIXTURE(test_a_lock_ends_with_its_owner_or_its_heap),
        WITH_FIXTURE(test_a_heap_that_the_system_refuses_leaves_no_trace),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
