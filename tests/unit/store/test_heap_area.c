/* The memory of a heap: what is handed out is zero and nothing is cleared twice; what is free goes back in time, and not before; and what the
 * system refuses. The segment is one of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/memory/heap_area.h"
#include "store/memory/poison.h"

enum { UNIT = 4096, UNITS = 1024, LENGTH = UNIT * UNITS, MARK = 0xee };

static struct {
    struct um_heap_area area;
    struct um_run_map runs;
    unsigned char *allocated;
    unsigned char *memory; /* of this, from a unit's start on */
    unsigned char touched[UNITS / 8];
    unsigned char idle[UNITS / 8];
    uint64_t decommitted; /* bytes */
    uint64_t largest;     /* piece of these */
    bool refuses;
} fake;

/* The system's memory is zero when it comes. Here it has a mark, so that a second clearing shows. */
static bool decommit(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    if (fake.refuses)
        return false;
    assert_true(offset % UNIT == 0 && size % UNIT == 0 && offset + size <= LENGTH);
    UM_UNPOISON(segment->start + offset, size);
    memset(segment->start + offset, MARK, (size_t)size);
    fake.decommitted += size;
    fake.largest = size > fake.largest ? size : fake.largest;
    return true;
}

static const struct um_segment_ops private_ops = {
    .decommit = decommit, .is_private = true, .renewed_size = UINT64_MAX};

static int setup(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.allocated = malloc(LENGTH + UNIT);
    assert_non_null(fake.allocated);
    fake.memory = fake.allocated + (UNIT - (uintptr_t)fake.allocated % UNIT);
    memset(fake.memory, MARK, LENGTH);
    fake.area.segment = (struct um_segment){
        .ops = &private_ops, .start = fake.memory, .touched = fake.touched, .idle = fake.idle, .unit = UNIT};
    assert_true(um_run_map_init(&fake.runs, LENGTH));
    assert_true(um_area_init(&fake.area, &fake.runs, 16, 0));
    assert_true(um_allocator_add(fake.area.allocator, 0, LENGTH));
    return 0;
}

static int teardown(void **state)
{
    size_t all = SIZE_MAX;

    (void)state;
    um_area_end(&fake.area);
    assert_false(um_area_end_step(&fake.area, &all));
    assert_false(um_run_map_deinit_step(&fake.runs, &all));
    UM_UNPOISON(fake.memory, LENGTH);
    free(fake.allocated);
    assert_false(um_purge_is_pending());
    assert_false(um_purge_is_listed());
    return 0;
}

static bool is_all(const unsigned char *bytes, size_t size, unsigned char value)
{
    return size == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static unsigned char *alloc(uint64_t size)
{
    unsigned char *block = um_area_alloc(&fake.area, size);

    assert_non_null(block);
    return block;
}

static void purge_all(void)
{
    unsigned runs = 0;

    while (um_purge_is_pending()) {
        um_purge_run();
        assert_in_range(++runs, 1, 10000);
    }
}

static void pass_period(void)
{
    um_purge_tick();
    purge_all();
}

static uint64_t committed(void)
{
    struct um_heap_memory_stats stats;

    um_area_get_stats(&fake.area, &stats);
    return stats.committed;
}

/* ---- zeros ---- */

/* The mark stays where the system's page has not been used before, and is cleared where it has. */
static void test_pages_that_are_fresh_are_not_cleared_again(void **state)
{
    unsigned char *block = alloc(30 * UNIT);

    (void)state;
    assert_true(is_all(block, 30 * UNIT, MARK));
    memset(block, 1, 30 * UNIT);
    um_area_free(&fake.area, block, 30 * UNIT);
    assert_ptr_equal(alloc(30 * UNIT), block);
    assert_true(is_all(block, 30 * UNIT, 0));
    um_area_free(&fake.area, block, 30 * UNIT);
    assert_ptr_equal(alloc(40 * UNIT), block);
    assert_true(is_all(block, 30 * UNIT, 0));
    assert_true(is_all(block + 30 * UNIT, 10 * UNIT, MARK));
    /* What grows into pages that are fresh, likewise. */
    assert_true(um_area_resize(&fake.area, block, 40 * UNIT, 50 * UNIT, false));
    assert_true(is_all(block + 40 * UNIT, 10 * UNIT, MARK));
}

static void test_slots_are_zero(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        unsigned char *blocks[200];

        for (int i = 0; i < 200; i++) {
            blocks[i] = alloc((uint64_t)i);
            if (round != 0)
                assert_true(is_all(blocks[i], (size_t)i, 0) || is_all(blocks[i], (size_t)i, MARK));
            memset(blocks[i], i | 1, (size_t)i);
        }
        for (int i = 0; i < 200; i++) {
            assert_true(is_all(blocks[i], (size_t)i, (unsigned char)(i | 1)));
            um_area_free(&fake.area, blocks[i], (uint64_t)i);
        }
    }
}

/* ---- decay ---- */

static void test_what_is_free_for_a_period_goes_back(void **state)
{
    unsigned char *block = alloc(100 * UNIT);

    (void)state;
    assert_false(um_purge_is_listed());
    um_area_free(&fake.area, block, 100 * UNIT);
    assert_true(um_purge_is_listed());
    assert_int_equal(committed(), 100 * UNIT);
    pass_period();
    assert_int_equal(fake.decommitted, 0); /* it may have been freed just before */
    pass_period();
    assert_int_equal(fake.decommitted, 100 * UNIT);
    assert_int_equal(committed(), 0);
    pass_period();
    assert_false(um_purge_is_listed()); /* nothing wakes a daemon that is idle */
    assert_int_equal(fake.decommitted, 100 * UNIT);
}

static void test_a_client_that_allocates_in_a_loop_pays_nothing(void **state)
{
    (void)state;
    for (int period = 0; period < 10; period++) {
        for (int i = 0; i < 3; i++) {
            unsigned char *large = alloc(100 * UNIT);
            unsigned char *small = alloc(1000);

            um_area_free(&fake.area, large, 100 * UNIT);
            um_area_free(&fake.area, small, 1000);
        }
        pass_period();
    }
    assert_int_equal(fake.decommitted, 0);
    assert_true(um_purge_is_listed());
}

/* The same client, where most of what is free has not been in use for long. */
static void test_the_rest_goes_back_beside_a_loop(void **state)
{
    unsigned char *block = alloc(500 * UNIT);

    (void)state;
    um_area_free(&fake.area, block, 500 * UNIT);
    for (int period = 0; period < 3; period++) {
        um_area_free(&fake.area, alloc(20 * UNIT), 20 * UNIT);
        pass_period();
    }
    assert_int_equal(committed(), 20 * UNIT);
}

static void test_free_pages_of_a_run_go_back(void **state)
{
    unsigned char *blocks[400];

    (void)state;
    for (int i = 0; i < 400; i++)
        blocks[i] = alloc(4000);
    for (int i = 1; i < 400; i++) {
        if (i % 100 != 0)
            um_area_free(&fake.area, blocks[i], 4000);
    }
    pass_period();
    pass_period();
    assert_int_equal(committed(), 4 * UNIT);
    for (int i = 0; i < 400; i += 100)
        um_area_free(&fake.area, blocks[i], 4000);
}

static void test_what_was_committed_in_advance_stays_until_compacting(void **state)
{
    uint64_t largest = 0;
    unsigned steps = 0;

    (void)state;
    fake.area.kept = 64 * UNIT;
    assert_true(um_segment_commit(&fake.area.segment, 0, 64 * UNIT));
    um_area_free(&fake.area, alloc(100 * UNIT), 100 * UNIT);
    pass_period();
    pass_period();
    assert_int_equal(committed(), 64 * UNIT);
    um_area_compact_start(&fake.area);
    while (um_area_compact_step(&fake.area, &largest))
        assert_in_range(++steps, 1, 1000);
    assert_int_equal(committed(), 0);
    assert_int_equal(largest, LENGTH);
}

/* No wait where memory is short. */
static void test_what_was_just_freed_goes_back_when_memory_is_short(void **state)
{
    (void)state;
    um_area_free(&fake.area, alloc(100 * UNIT), 100 * UNIT);
    um_purge_expedite();
    purge_all();
    assert_int_equal(committed(), 0);
}

static void test_compacting_returns_every_page_and_is_sliced(void **state)
{
    unsigned char *blocks[200];
    uint64_t largest = 0;
    unsigned steps = 1;

    (void)state;
    for (int i = 0; i < 200; i++)
        blocks[i] = alloc(17 * 1024); /* no slot is so large */
    for (int i = 0; i < 200; i += 2)
        um_area_free(&fake.area, blocks[i], 17 * 1024);
    um_area_compact_start(&fake.area);
    while (um_area_compact_step(&fake.area, &largest))
        assert_in_range(++steps, 1, 1000);
    assert_in_range(steps, 2, 50);
    assert_in_range(fake.decommitted, 100 * 3 * UNIT, 100 * 5 * UNIT);
    for (int i = 1; i < 200; i += 2)
        um_area_free(&fake.area, blocks[i], 17 * 1024);
}

/* ---- what the system refuses ---- */

static void test_memory_that_the_system_does_not_take_back(void **state)
{
    unsigned char *block = alloc(100 * UNIT);

    (void)state;
    memset(block, 1, 100 * UNIT);
    um_area_free(&fake.area, block, 100 * UNIT);
    fake.refuses = true;
    pass_period();
    pass_period();
    assert_false(um_purge_is_listed()); /* no endless attempts */
    assert_int_equal(committed(), 100 * UNIT);
    assert_ptr_equal(alloc(100 * UNIT), block);
    assert_true(is_all(block, 100 * UNIT, 0));
    fake.refuses = false;
    um_area_free(&fake.area, block, 100 * UNIT);
    pass_period();
    pass_period();
    assert_int_equal(committed(), 0);
}

#define WITH_AREA(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_AREA(test_pages_that_are_fresh_are_not_cleared_again),
        WITH_AREA(test_slots_are_zero),
        WITH_AREA(test_what_is_free_for_a_period_goes_back),
        WITH_AREA(test_a_client_that_allocates_in_a_loop_pays_nothing),
        WITH_AREA(test_the_rest_goes_back_beside_a_loop),
        WITH_AREA(test_free_pages_of_a_run_go_back),
        WITH_AREA(test_what_was_committed_in_advance_stays_until_compacting),
        WITH_AREA(test_what_was_just_freed_goes_back_when_memory_is_short),
        WITH_AREA(test_compacting_returns_every_page_and_is_sliced),
        WITH_AREA(test_memory_that_the_system_does_not_take_back),
    };

    return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
