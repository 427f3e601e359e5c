/* Heaps in shared memory: what their blocks are to other processes, and what other processes cannot do to
 * them. */
#include "shared_heap_fixture.h"

#include <string.h>

#include "umem_errors.h"

static void test_blocks_are_found_by_other_processes(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *first = make_block(f->store, heap, f->owners[0], 100);
    struct um_block *second = make_block(f->store, heap, f->owners[0], 5000);
    struct segment segment = segment_of(f->store, first);

    memcpy(um_block_bytes(first), "from the daemon", 15);
    assert_memory_equal(segment.bytes + place_of(f->store, first).offset, "from the daemon", 15);
    memcpy(segment.bytes + place_of(f->store, second).offset + 4985, "from the client", 15);
    assert_memory_equal(um_block_bytes(second) + 4985, "from the client", 15);
    assert_string_equal(place_of(f->store, first).name, place_of(f->store, second).name);
    segment_close(&segment);
}

static void test_what_others_left_is_not_handed_out(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], SHARED_LENGTH, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 10);
    struct segment segment = segment_of(f->store, block);
    static const uint64_t sizes[] = {11, 16, 17, 3 * UNIT, 3 * UNIT + 5, 14 * UNIT, 9, 15 * UNIT};
    uint64_t size = 10;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(segment.bytes, 0xee, SHARED_LENGTH);
        memset(um_block_bytes(block), 1, (size_t)size);
        assert_int_equal(um_block_resize(f->store, block, sizes[i], 0, NULL), 0);
        if (sizes[i] > size)
            assert_true(is_zero(um_block_bytes(block) + size, sizes[i] - size));
        size = sizes[i];
    }
    um_block_free(f->store, block);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(segment.bytes, 0xee, SHARED_LENGTH);
        block = make_block(f->store, heap, f->owners[0], sizes[i]);
        assert_true(is_zero(um_block_bytes(block), sizes[i]));
        um_block_free(f->store, block);
    }
    segment_close(&segment);
}

static void test_blocks_are_aligned_in_the_object(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 4096);

    for (int i = 0; i < 10; i++) {
        struct um_block *block = make_block(f->store, heap, f->owners[0], (uint64_t)i * 700);

        assert_int_equal(place_of(f->store, block).offset % 4096, 0);
        assert_int_equal((uintptr_t)um_block_bytes(block) % 4096, 0);
    }
    assert_int_equal(validate_all(f->store, heap, 3, NULL), 0);
}

static void test_figures_are_the_tables_and_not_the_memorys(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *first = make_block(f->store, heap, f->owners[0], UNIT);
    struct um_block *second = make_block(f->store, heap, f->owners[0], 2 * UNIT);
    struct segment segment = segment_of(f->store, first);
    struct um_heap_memory_stats figures = figures_of(heap);

    assert_int_equal(figures.reserved, SHARED_LENGTH);
    assert_int_equal(figures.committed, 3 * UNIT);
    assert_int_equal(figures.free_bytes, SHARED_LENGTH - 3 * UNIT);
    assert_int_equal(figures.free_ranges, 1);
    um_block_free(f->store, first);
    memset(segment.bytes, 0xff, 3 * UNIT);
    figures = figures_of(heap);
    assert_int_equal(figures.free_bytes, SHARED_LENGTH - 2 * UNIT);
    assert_int_equal(figures.free_ranges, 2);
    assert_int_equal(figures.largest_free, SHARED_LENGTH - 3 * UNIT);
    assert_false(figures.corrupted);
    assert_int_equal(um_block_size(second), 2 * UNIT);
    assert_int_equal(validate_all(f->store, heap, 100, NULL), 0);
    segment_close(&segment);
}

static void test_compacting_returns_free_memory(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *first = make_block(f->store, heap, f->owners[0], 3 * UNIT + 1);
    struct um_block *second = make_block(f->store, heap, f->owners[0], UNIT);
    uint64_t committed = figures_of(heap).committed;

    memset(um_block_bytes(second), 7, UNIT);
    um_block_free(f->store, first);
    assert_int_equal(compact(heap), figures_of(heap).largest_free);
    /* Sections of Windows keep what they have. */
    assert_true(figures_of(heap).committed == committed ||
                figures_of(heap).committed == committed - 3 * UNIT);
    for (int i = 0; i < UNIT; i++)
        assert_int_equal(um_block_bytes(second)[i], 7);
    first = make_block(f->store, heap, f->owners[0], 3 * UNIT + 1);
    assert_true(is_zero(um_block_bytes(first), 3 * UNIT + 1));
    assert_int_equal(figures_of(heap).committed, committed);
}

static void test_a_full_heap_reports_it(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 4096);
    struct um_block *blocks[SHARED_LENGTH / 4096];
    const int count = SHARED_LENGTH / 4096;
    struct um_fault fault = {0};

    /* Each takes up a page, so the heap is full long before its sizes add up to the maximum. */
    for (int i = 0; i < count; i++)
        blocks[i] = make_block(f->store, heap, f->owners[0], 1);
    try_block(f->store, heap, f->owners[0], 1, UMEM_E_NO_MEMORY);
    assert_int_equal(um_block_resize(f->store, blocks[0], 5000, 0, &fault), UMEM_E_NO_MEMORY);
    assert_non_null(strstr(fault.what, "no free range"));
    um_block_free(f->store, blocks[7]);
    assert_int_equal(um_block_resize(f->store, blocks[6], 5000, 0, NULL), 0);
    assert_int_equal(um_block_resize(f->store, blocks[6], 100, 0, NULL), 0);
    try_block(f->store, heap, f->owners[0], 4097, UMEM_E_NO_MEMORY);
    try_block(f->store, heap, f->owners[0], 4096, 0);
    assert_int_equal(figures_of(heap).free_bytes, 0);
}

static void test_a_block_moves_with_its_bytes(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 1000);
    struct um_block *wall = make_block(f->store, heap, f->owners[0], 1);
    uint64_t before = place_of(f->store, block).offset;

    memset(um_block_bytes(block), 5, 1000);
    assert_int_equal(um_block_resize(f->store, block, 2000, UM_FLAG_REALLOC_IN_PLACE_ONLY, NULL),
                     UMEM_E_NO_MEMORY);
    assert_int_equal(um_block_resize(f->store, block, 2000, 0, NULL), 0);
    assert_int_not_equal(place_of(f->store, block).offset, before);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(um_block_bytes(block)[i], 5);
    assert_true(is_zero(um_block_bytes(block) + 1000, 1000));
    um_block_free(f->store, wall);
}

static void test_a_destroyed_heap_stays_mapped_for_others(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 100);
    uint64_t offset = place_of(f->store, block).offset;
    struct segment segment = segment_of(f->store, block);
    struct segment again;
    char name[128];

    strcpy(name, place_of(f->store, block).name);
    memset(um_block_bytes(block), 9, 100);
    destroy_heap(f->store, heap);
    for (int i = 0; i < 100; i++)
        assert_int_equal(segment.bytes[offset + (uint64_t)i], 9);
    segment.bytes[offset] = 1;
    segment_close(&segment);
    assert_int_equal(segment_open(&again, name, SHARED_LENGTH), -1);
    assert_int_equal(stats_of(f->store).blocks, 0);
}

static void test_a_shared_heap_has_a_maximum(void **state)
{
    struct fixture *f = *state;
    struct um_heap_options options = {.kind = UM_HEAP_SHARED};
    struct um_heap *heap = NULL;
    struct um_fault fault = {0};

    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, &fault), UMEM_E_INVALID_PARAMS);
    assert_non_null(strstr(fault.what, "maximum_size"));
    options.maximum_size = (UINT64_C(1) << 53) - 1;
    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, &fault), UMEM_E_NO_MEMORY);
    assert_null(heap);
    options.maximum_size = 1;
    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, NULL), 0);
    try_block(f->store, heap, f->owners[0], 1, 0);
    try_block(f->store, heap, f->owners[0], 1, UMEM_E_NO_MEMORY);
}

static void test_there_is_a_limit_for_shared_heaps(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED, .maximum_size = 1};
    struct um_heap *heap = NULL;
    struct um_fault fault = {0};

    for (int i = 0; i < 4; i++)
        assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, NULL), 0);
    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, &fault), UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(fault.limit, "shared_heaps");
    assert_int_equal(fault.used, 4);
    destroy_heap(f->store, heap);
    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, NULL), 0);
}

static void test_other_heaps_cannot_be_mapped(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 1);
    struct um_place place;

    assert_int_equal(um_block_locate(f->store, block, &place, NULL), UMEM_E_UNSUPPORTED);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_blocks_are_found_by_other_processes),
        WITH_FIXTURE(test_what_others_left_is_not_handed_out),
        WITH_FIXTURE(test_blocks_are_aligned_in_the_object),
        WITH_FIXTURE(test_figures_are_the_tables_and_not_the_memorys),
        WITH_FIXTURE(test_compacting_returns_free_memory),
        WITH_FIXTURE(test_a_full_heap_reports_it),
        WITH_FIXTURE(test_a_block_moves_with_its_bytes),
        WITH_FIXTURE(test_a_destroyed_heap_stays_mapped_for_others),
        WITH_FIXTURE(test_a_shared_heap_has_a_maximum),
        WITH_FIXTURE(test_there_is_a_limit_for_shared_heaps),
        WITH_FIXTURE(test_other_heaps_cannot_be_mapped),
    };
    return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
