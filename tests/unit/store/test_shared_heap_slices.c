/* Large shared heaps: what is allocated, cleared and released in slices. */
#include "shared_heap_fixture.h"

#include <string.h>

#include "store/memory/heap_shared.h"
#include "store/memory/purge.h"
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"

enum { MEBIBYTE = 1024 * 1024 };

static struct um_heap *make_large(struct um_store *store, struct um_owner *owner, uint64_t size)
{
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED, .maximum_size = size};
    struct um_heap *heap = NULL;

    assert_int_equal(um_heap_create(store, owner, &options, &heap, NULL), 0);
    return heap;
}

/* Begins an allocation that must run in steps; those of the store are made small before. */
static struct um_alloc *begin(struct fixture *f, struct um_heap *heap, uint64_t size, const char *name)
{
    const struct um_block_options options = {.size = size, .name = name};
    struct um_alloc *alloc = NULL;
    struct um_block *block = NULL;

    f->store->cleared_at_once = 100;
    assert_int_equal(um_alloc_begin(f->store, heap, f->owners[0], &options, &alloc, &block, NULL), 0);
    assert_non_null(alloc);
    assert_null(block);
    return alloc;
}

/* Takes steps to the end. Returns how many, or the error. */
static int run(struct um_store *store, struct um_alloc *alloc, uint64_t budget)
{
    bool more = true;
    int steps = 0;

    while (more) {
        int code = um_alloc_step(store, alloc, budget, &more, NULL);

        if (code != 0)
            return code;
        assert_true(++steps < 10000);
    }
    return steps;
}

static void test_a_block_is_there_after_the_last_step(void **state)
{
    struct fixture *f = *state;
    static const uint64_t budgets[] = {1000, UNIT, UNIT + 1, 3 * UNIT, UINT64_MAX};
    const uint64_t size = 5 * UNIT + 7;

    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
        struct um_block *first = make_block(f->store, heap, f->owners[0], 10);
        struct segment segment = segment_of(f->store, first);
        struct um_alloc *alloc;
        struct um_block *block = NULL;
        bool more = true;

        memset(segment.bytes, 0xee, SHARED_LENGTH);
        memset(um_block_bytes(first), 1, 10);
        alloc = begin(f, heap, size, "n");
        assert_int_equal(um_alloc_step(f->store, alloc, 500, &more, NULL), 0);
        assert_true(more);
        assert_true(is_zero(um_alloc_bytes(alloc), 500));
        memset(um_alloc_bytes(alloc), 7, 500);
        assert_int_equal(stats_of(f->store).blocks, 1);
        assert_int_equal(um_store_find_block_by_name(f->store, "n", &block, NULL), UMEM_E_UNKNOWN_HANDLE);
        assert_true(run(f->store, alloc, budgets[i]) > 0);
        assert_int_equal(um_store_find_block_by_name(f->store, "n", &block, NULL), 0);
        assert_ptr_equal(um_alloc_block(alloc), block);
        um_alloc_end(f->store, alloc);

        assert_int_equal(um_block_size(block), size);
        assert_true(um_block_bytes(block)[0] == 7 && um_block_bytes(block)[499] == 7);
        assert_true(is_zero(um_block_bytes(block) + 500, size - 500));
        assert_int_equal(um_block_bytes(first)[9], 1);
        assert_int_equal(stats_of(f->store).bytes, size + 10);
        assert_int_equal(f->store->reserved, 0);
        assert_int_equal(validate_all(f->store, heap, 100, NULL), 0);
        segment_close(&segment);
        destroy_heap(f->store, heap);
    }
}

/* Each has a descriptor, which the limit is there to bound. */
static void test_destroyed_heaps_count_until_they_are_reclaimed(void **state)
{
    struct fixture *f = *state;
    unsigned most = 0;

    for (int i = 0; i < 50; i++) {
        um_store_set_time(f->store, i); /* another turn */
        destroy_heap(f->store, make_large(f->store, f->owners[0], 64 * MEBIBYTE));
        if (um_heap_shared_ending() > most)
            most = (unsigned)um_heap_shared_ending();
    }
    assert_true(most <= f->store->shared_heaps_limit);
    reclaim_all(f->store);
    assert_int_equal(um_heap_shared_ending(), 0);
}

static void test_little_and_other_heaps_need_no_steps(void **state)
{
    struct fixture *f = *state;
    struct um_heap *shared = make_shared(f->store, f->owners[0], 0, 0);
    struct um_heap *private = make_heap(f->store, f->owners[0], NULL, 0);
    const struct um_block_options small = {.size = 100};
    const struct um_block_options large = {.size = 3 * UNIT};
    struct um_alloc *alloc = (struct um_alloc *)f;
    struct um_block *block = NULL;

    f->store->cleared_at_once = 100;
    assert_int_equal(um_alloc_begin(f->store, shared, f->owners[0], &small, &alloc, &block, NULL), 0);
    assert_null(alloc);
    assert_int_equal(um_block_size(block), 100);
    alloc = (struct um_alloc *)f;
    assert_int_equal(um_alloc_begin(f->store, private, f->owners[0], &large, &alloc, &block, NULL), 0);
    assert_null(alloc);
    assert_int_equal(um_block_size(block), 3 * UNIT);
}

static void test_one_given_up_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_alloc *alloc = begin(f, heap, 10 * UNIT, "n");
    const struct um_block_options too_much = {.size = 7 * UNIT};
    struct um_alloc *other = NULL;
    struct um_block *block = NULL;
    bool more = true;

    assert_int_equal(um_alloc_begin(f->store, heap, f->owners[0], &too_much, &other, &block, NULL),
                     UMEM_E_NO_MEMORY); /* the first one's bytes count */
    assert_int_equal(um_alloc_step(f->store, alloc, UNIT, &more, NULL), 0);
    um_alloc_end(f->store, alloc);
    assert_int_equal(stats_of(f->store).blocks, 0);
    assert_int_equal(figures_of(heap).free_bytes, SHARED_LENGTH);
    assert_int_equal(f->store->reserved, 0);
    assert_int_equal(heap->reserved, 0);
    f->store->cleared_at_once = SHARED_LENGTH;
    make_block(f->store, heap, f->owners[0], SHARED_LENGTH);
}

static void test_what_others_do_in_between(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_alloc *alloc = begin(f, heap, 10 * UNIT, "n");
    struct um_fault fault = {0};
    bool more = true;

    assert_int_equal(um_alloc_step(f->store, alloc, UNIT, &more, NULL), 0);
    make_named(f->store, f->owners[1], 10, "n");
    assert_int_equal(run(f->store, alloc, UNIT), UMEM_E_NAME_TAKEN);
    um_alloc_end(f->store, alloc);
    assert_int_equal(figures_of(heap).free_bytes, SHARED_LENGTH);
    assert_int_equal(f->store->reserved, 0);

    alloc = begin(f, heap, 10 * UNIT, "m");
    assert_int_equal(um_alloc_step(f->store, alloc, UNIT, &more, NULL), 0);
    destroy_heap(f->store, heap);
    assert_int_equal(um_alloc_step(f->store, alloc, UNIT, &more, &fault), UMEM_E_STALE_HANDLE);
    assert_non_null(fault.what);
    assert_true(more);
    um_alloc_end(f->store, alloc);
    assert_int_equal(f->store->reserved, 0);
    assert_int_equal(stats_of(f->store).blocks, 1);
}

/* Resizes in steps; returns how many, or the error. */
static int resize(struct fixture *f, struct um_block *block, uint64_t size)
{
    struct um_resize *resize = NULL;
    bool more = true;
    int steps = 0;

    assert_int_equal(um_resize_begin(f->store, block, size, 0, &resize, NULL), 0);
    while (resize != NULL && more) {
        int code = um_resize_step(f->store, resize, UNIT / 2, &more, NULL);

        assert_int_equal(code, 0);
        if (more) {
            um_block_bytes(block)[50] = (unsigned char)++steps;
            um_block_wrote(f->store, block, 50, 1);
        }
    }
    um_resize_end(f->store, resize);
    return steps;
}

static void test_a_block_grows_by_much_in_steps(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_large(f->store, f->owners[0], 64 * UNIT);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 2 * UNIT + 5);
    struct segment segment = segment_of(f->store, block);
    uint64_t before = place_of(f->store, block).offset;
    int steps;

    f->store->grown_at_once = UNIT;
    memset(segment.bytes, 0xee, SHARED_LENGTH);
    memset(um_block_bytes(block), 3, 2 * UNIT + 5);
    assert_int_equal(resize(f, block, 3 * UNIT), 0); /* not much */
    assert_int_equal(place_of(f->store, block).offset, before);
    assert_true(is_zero(um_block_bytes(block) + 2 * UNIT + 5, UNIT - 5));
    memset(um_block_bytes(block), 3, 3 * UNIT);
    steps = resize(f, block, 30 * UNIT);
    assert_true(steps >= 6);
    assert_int_not_equal(place_of(f->store, block).offset, before);
    assert_int_equal(um_block_bytes(block)[50], steps);
    assert_int_equal(um_block_bytes(block)[51], 3);
    assert_int_equal(um_block_bytes(block)[3 * UNIT - 1], 3);
    assert_true(is_zero(um_block_bytes(block) + 3 * UNIT, 27 * UNIT));
    assert_int_equal(figures_of(heap).free_bytes, 34 * UNIT);

    /* It cannot move, but grow where it is: in steps, too. */
    before = place_of(f->store, block).offset;
    memset(um_block_bytes(block), 3, 30 * UNIT);
    steps = resize(f, block, 60 * UNIT);
    assert_true(steps >= 2);
    assert_int_equal(place_of(f->store, block).offset, before);
    assert_int_equal(um_block_bytes(block)[50], steps);
    assert_int_equal(um_block_bytes(block)[30 * UNIT - 1], 3);
    assert_true(is_zero(um_block_bytes(block) + 30 * UNIT, 30 * UNIT));
    assert_int_equal(f->store->reserved, 0);
    segment_close(&segment);
}

/* Bytes that the blocks of a heap take up. */
static uint64_t taken_up(struct um_store *store, struct um_heap *heap)
{
    const struct um_block_filter filter = {.heap = heap};
    uint64_t sum = 0;
    size_t budget = SIZE_MAX;
    um_handle next = 0;
    struct um_block *block = um_store_next_block(store, &filter, 0, &budget, &next);

    while (block != NULL) {
        sum += (um_block_size(block) + 15) / 16 * 16;
        block = um_store_next_block(store, &filter, um_block_handle(store, block), &budget, &next);
    }
    return sum;
}

/* A block that grows where it is, and what others do with it meanwhile. */
static void test_growing_in_place_may_end_early(void **state)
{
    struct fixture *f = *state;

    f->store->grown_at_once = UNIT;
    for (int what = 0; what < 5; what++) {
        struct um_heap *heap = make_large(f->store, f->owners[0], 64 * UNIT);
        struct um_block *block = make_block(f->store, heap, f->owners[0], UNIT);
        struct um_resize *growing = NULL;
        bool more = true;
        int code = 0;

        assert_int_equal(
            um_resize_begin(f->store, block, 50 * UNIT, UM_FLAG_REALLOC_IN_PLACE_ONLY, &growing, NULL), 0);
        assert_non_null(growing);
        assert_int_equal(um_resize_step(f->store, growing, 100, &more, NULL), 0);
        assert_true(more);
        assert_int_equal(um_block_size(block), UNIT);
        assert_int_equal(figures_of(heap).free_bytes, 14 * UNIT);
        if (what == 1)
            um_block_free(f->store, block);
        else if (what == 2)
            assert_int_equal(um_block_resize(f->store, block, 100, 0, NULL), 0);
        else if (what == 3)
            assert_int_equal(um_block_resize(f->store, block, UNIT + 10, 0, NULL), 0);
        else if (what == 4)
            destroy_heap(f->store, heap);
        for (more = what != 0; code == 0 && more;)
            code = um_resize_step(f->store, growing, 4 * UNIT, &more, NULL);
        um_resize_end(f->store, growing);
        /* If the block had to move in between, there is no free range behind it. */
        assert_int_equal(code, what == 1 || what == 4 ? UMEM_E_STALE_HANDLE
                               : what == 3            ? UMEM_E_NO_MEMORY
                                                      : 0);
        assert_int_equal(f->store->reserved, 0);
        if (what == 4)
            continue;
        assert_int_equal(figures_of(heap).free_bytes + taken_up(f->store, heap), 64 * UNIT);
        assert_int_equal(validate_all(f->store, heap, 100, NULL), 0);
        destroy_heap(f->store, heap);
        reclaim_all(f->store);
    }
}

static void test_freed_memory_is_returned(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_large(f->store, f->owners[0], 32 * MEBIBYTE);
    struct um_block *large = make_block(f->store, heap, f->owners[0], 24 * MEBIBYTE);
    struct um_block *last = make_block(f->store, heap, f->owners[0], MEBIBYTE);
    uint64_t committed = figures_of(heap).committed;
    struct um_block *new;

    assert_int_equal(committed, 25 * MEBIBYTE);
    memset(um_block_bytes(last), 1, MEBIBYTE);
    um_block_free(f->store, large);
    /* What is handed out again before its turn comes stays. */
    new = make_block(f->store, heap, f->owners[0], MEBIBYTE);
    memset(um_block_bytes(new), 2, MEBIBYTE);
    committed = figures_of(heap).committed;
    while (um_store_has_work(f->store)) {
        uint64_t now = figures_of(heap).committed;

        um_store_reclaim(f->store, 1000);
        assert_true(now - figures_of(heap).committed <= 8 * MEBIBYTE);
    }
    if (figures_of(heap).committed != committed) /* sections of Windows keep what they have */
        assert_int_equal(figures_of(heap).committed, 2 * MEBIBYTE);
    assert_int_equal(um_block_bytes(last)[MEBIBYTE - 1], 1);
    assert_int_equal(um_block_bytes(new)[MEBIBYTE - 1], 2);
    assert_int_equal(um_block_resize(f->store, new, 10, 0, NULL), 0);
    destroy_heap(f->store, heap); /* while it stands in line */
    reclaim_all(f->store);
}

static void test_compacting_resumes(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_large(f->store, f->owners[0], 32 * MEBIBYTE);
    struct um_block *blocks[8];
    uint64_t largest = 0;
    unsigned steps = 1;
    bool returns_memory;

    for (int i = 0; i < 8; i++)
        blocks[i] = make_block(f->store, heap, f->owners[0], MEBIBYTE);
    for (int i = 0; i < 8; i++)
        assert_int_equal(um_block_resize(f->store, blocks[i], MEBIBYTE / 2 - UNIT, 0, NULL), 0);
    um_heap_compact_start(heap);
    while (um_heap_compact_step(heap, &largest))
        assert_in_range(++steps, 1, 100);
    assert_int_equal(largest, figures_of(heap).largest_free);
    returns_memory = figures_of(heap).committed < 8 * MEBIBYTE;
    assert_true(!returns_memory || steps > 1); /* clients may have touched what was never committed */
    assert_int_equal(figures_of(heap).committed, returns_memory ? 4 * MEBIBYTE - 8 * UNIT : 8 * MEBIBYTE);
}

/* What a heap begins with is allocated in steps, too; one that the system refuses leaves a heap that can be destroyed. */
static void test_the_first_memory_is_allocated_in_steps(void **state)
{
    struct fixture *f = *state;
    const struct um_heap_options options = {
        .kind = UM_HEAP_SHARED, .maximum_size = 20 * MEBIBYTE, .initial_size = 18 * MEBIBYTE};
    struct um_heap *heap = NULL;
    uint64_t done = 0;
    bool more = true;

    f->store->bytes_limit = 100 * MEBIBYTE;
    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, NULL), 0);
    assert_int_equal(figures_of(heap).committed, 4 * MEBIBYTE);
    for (int steps = 1; more; steps++) {
        assert_int_equal(um_heap_commit_step(heap, 5 * MEBIBYTE, &done, &more, NULL), 0);
        assert_int_equal(more, steps < 4);
    }
    assert_int_equal(done, 18 * MEBIBYTE);
    assert_int_equal(figures_of(heap).committed, 18 * MEBIBYTE);
    destroy_heap(f->store, heap);
}

/* The tables of a heap with many blocks are freed piece by piece. */
static void test_many_blocks_go_in_pieces(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 3000, SIZE = 16 * 1024 + 1 /* too much for a slot */ };
    struct um_heap *heap = make_large(f->store, f->owners[0], 64 * MEBIBYTE);
    unsigned pieces = 0;

    f->store->bytes_limit = 64 * MEBIBYTE;
    for (int i = 0; i < COUNT; i++)
        make_block(f->store, heap, f->owners[0], SIZE);
    reclaim_all(f->store);
    destroy_heap(f->store, heap);
    while (um_purge_is_pending()) {
        um_purge_run();
        pieces++;
    }
    assert_in_range(pieces, 2, 100);
}

static void test_a_large_heap_is_released_in_pieces(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_large(f->store, f->owners[0], 70 * MEBIBYTE);
    struct um_block *block = make_block(f->store, heap, f->owners[0], MEBIBYTE);
    struct um_place place = place_of(f->store, block);
    struct segment segment;
    struct segment again;
    char name[128];

    strcpy(name, place.name);
    assert_int_equal(segment_open(&segment, name, MEBIBYTE), 0);
    memset(um_block_bytes(block), 9, MEBIBYTE);
    destroy_heap(f->store, heap);
    assert_int_equal(stats_of(f->store).blocks, 0);
    assert_int_equal(stats_of(f->store).heaps, 1);
    reclaim_all(f->store);
    for (int i = 0; i < MEBIBYTE; i++)
        assert_int_equal(segment.bytes[place.offset + (uint64_t)i], 9);
    segment_close(&segment);
    assert_int_equal(segment_open(&again, name, MEBIBYTE), -1);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_destroyed_heaps_count_until_they_are_reclaimed),
        WITH_FIXTURE(test_a_block_is_there_after_the_last_step),
        WITH_FIXTURE(test_little_and_other_heaps_need_no_steps),
        WITH_FIXTURE(test_one_given_up_leaves_nothing),
        WITH_FIXTURE(test_what_others_do_in_between),
        WITH_FIXTURE(test_a_block_grows_by_much_in_steps),
        WITH_FIXTURE(test_growing_in_place_may_end_early),
        WITH_FIXTURE(test_freed_memory_is_returned),
        WITH_FIXTURE(test_compacting_resumes),
        WITH_FIXTURE(test_the_first_memory_is_allocated_in_steps),
        WITH_FIXTURE(test_many_blocks_go_in_pieces),
        WITH_FIXTURE(test_a_large_heap_is_released_in_pieces),
    };
    return cmocka_run_group_tests_name("shared heaps in slices", tests, NULL, NULL);
}
