/* Ranges of a segment: random operations beside a model, the rules one by one, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "extents_model.h"

/* The allocator is compiled into this test, so that its memory can be made to run out. */
static size_t allocations_left = SIZE_MAX;

static bool may_allocate(void)
{
    if (allocations_left == 0)
        return false;
    allocations_left--;
    return true;
}

static void *scarce_malloc(size_t size)
{
    return may_allocate() ? malloc(size) : NULL;
}

static void *scarce_calloc(size_t count, size_t size)
{
    return may_allocate() ? calloc(count, size) : NULL;
}

#define malloc scarce_malloc
#define calloc scarce_calloc
#include "store/memory/extents.c"
#undef malloc
#undef calloc

enum { SEEDS = 150, STEPS = 400, MANY = 20000 };

/* ---- beside a model ---- */

static uint64_t roll(uint64_t *random, uint64_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 33) % below;
}

/* Sizes around the alignment's multiples, and some that never fit. */
static uint64_t some_size(const struct range_model *model, uint64_t *random)
{
    static const uint64_t too_large[] = {UINT64_MAX, UINT64_MAX - 15, UINT64_C(1) << 63, UINT64_C(1) << 40};
    uint64_t most = roll(random, 20) == 0 ? model->places : 1 + model->places / 16;
    if (roll(random, 100) == 0)
        return too_large[roll(random, 4)];
    return roll(random, most + 1) * model->alignment + roll(random, 4) * (model->alignment - 1) / 3;
}

static void expect_agreement(uint64_t seed, const char *disagreement)
{
    if (disagreement != NULL)
        print_error("seed %llu: %s\n", (unsigned long long)seed, disagreement);
    assert_null(disagreement);
}

static void run_beside_model(uint64_t seed)
{
    static struct range_model model;
    uint64_t random = seed;
    uint32_t alignment = UM_EXTENTS_ALIGNMENT_MINIMUM << roll(&random, 13);
    uint64_t places = seed % 3 == 0 ? roll(&random, 20) : roll(&random, RANGE_MODEL_PLACES);
    assert_true(range_model_init(&model, places * alignment + roll(&random, alignment), alignment));
    expect_agreement(seed, range_model_check(&model));
    for (int i = 0; i < STEPS; i++) {
        size_t block = (size_t)roll(&random, RANGE_MODEL_BLOCKS);
        uint64_t size = some_size(&model, &random);
        const char *disagreement = NULL;
        if (!model.blocks[block].used)
            disagreement = range_model_acquire(&model, block, size);
        else if (roll(&random, 3) == 0)
            disagreement = range_model_resize(&model, block, size);
        else
            disagreement = range_model_release(&model, block);
        expect_agreement(seed, disagreement);
        expect_agreement(seed, range_model_check(&model));
    }
    for (size_t block = 0; block < RANGE_MODEL_BLOCKS; block++)
        expect_agreement(seed, range_model_release(&model, block));
    expect_agreement(seed, range_model_check(&model));
    range_model_deinit(&model);
}

/* UMEM_TEST_SEED repeats one run, or tries another. */
static void test_ranges_and_the_model_agree(void **state)
{
    const char *seed = getenv("UMEM_TEST_SEED");
    (void)state;
    if (seed != NULL) {
        run_beside_model(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t i = 0; i < SEEDS; i++)
        run_beside_model(i);
}

/* ---- the rules ---- */

static uint64_t acquire(struct um_extents *ranges, uint64_t size)
{
    uint64_t offset;
    assert_true(um_extents_acquire(ranges, size, &offset));
    return offset;
}

static struct um_extents_stats figures_of(const struct um_extents *ranges)
{
    struct um_extents_stats figures;
    um_extents_get_stats(ranges, &figures);
    return figures;
}

static void test_every_alignment_is_kept(void **state)
{
    (void)state;
    for (uint32_t alignment = 16; alignment <= 65536; alignment *= 2) {
        struct um_extents *ranges = um_extents_new((uint64_t)alignment * 4 + alignment - 1, alignment);
        assert_non_null(ranges);
        assert_int_equal(figures_of(ranges).length, (uint64_t)alignment * 4);
        assert_int_equal(acquire(ranges, 1), 0);
        assert_int_equal(acquire(ranges, alignment), alignment);
        assert_int_equal(acquire(ranges, (uint64_t)alignment + 1), (uint64_t)alignment * 2);
        assert_int_equal(figures_of(ranges).free_bytes, 0);
        um_extents_free(ranges);
    }
}

static void test_a_range_of_no_bytes_has_a_place_of_its_own(void **state)
{
    uint64_t offset = 77;
    struct um_extents *ranges = um_extents_new(48, 16);
    (void)state;
    assert_int_equal(acquire(ranges, 0), 0);
    assert_int_equal(acquire(ranges, 0), 16);
    assert_int_equal(acquire(ranges, 0), 32);
    assert_false(um_extents_acquire(ranges, 0, &offset));
    assert_int_equal(offset, 77);
    um_extents_release(ranges, 16, 0);
    assert_int_equal(figures_of(ranges).free_bytes, 16);
    assert_int_equal(acquire(ranges, 0), 16);
    um_extents_free(ranges);
}

static void test_the_smallest_range_that_fits_is_used(void **state)
{
    struct um_extents *ranges = um_extents_new(4096, 16);
    (void)state;
    uint64_t large = acquire(ranges, 256);
    acquire(ranges, 16);
    uint64_t middle = acquire(ranges, 64);
    acquire(ranges, 16);
    uint64_t small = acquire(ranges, 32);
    acquire(ranges, 16);
    uint64_t same = acquire(ranges, 64);
    acquire(ranges, 16);
    um_extents_release(ranges, large, 256);
    um_extents_release(ranges, same, 64);
    um_extents_release(ranges, middle, 64);
    um_extents_release(ranges, small, 32);
    assert_int_equal(acquire(ranges, 60), middle); /* the lower of two that are the same */
    assert_int_equal(acquire(ranges, 60), same);
    assert_int_equal(acquire(ranges, 60), large);
    assert_int_equal(acquire(ranges, 20), small);
    um_extents_free(ranges);
}

static void test_a_segment_too_small_for_anything_refuses_everything(void **state)
{
    uint64_t offset;
    uint64_t size;
    (void)state;
    for (uint64_t length = 0; length < 16; length++) {
        struct um_extents *ranges = um_extents_new(length, 16);
        assert_non_null(ranges);
        assert_false(um_extents_acquire(ranges, 0, &offset));
        assert_false(um_extents_acquire(ranges, 1, &offset));
        assert_false(um_extents_next_free(ranges, 0, &offset, &size));
        assert_int_equal(figures_of(ranges).largest_free, 0);
        um_extents_free(ranges);
    }
    um_extents_free(NULL);
}

static void test_the_largest_segment_can_be_used_whole(void **state)
{
    uint64_t offset;
    struct um_extents *ranges = um_extents_new(UM_EXTENTS_LENGTH_LIMIT, 65536);
    (void)state;
    assert_false(um_extents_acquire(ranges, UM_EXTENTS_LENGTH_LIMIT + 1, &offset));
    assert_false(um_extents_acquire(ranges, UINT64_MAX, &offset));
    assert_int_equal(acquire(ranges, 1), 0);
    assert_false(um_extents_resize(ranges, 0, 1, UINT64_MAX));
    assert_true(um_extents_resize(ranges, 0, 1, UM_EXTENTS_LENGTH_LIMIT));
    assert_int_equal(figures_of(ranges).free_extents, 0);
    assert_true(um_extents_resize(ranges, 0, UM_EXTENTS_LENGTH_LIMIT, 0));
    assert_int_equal(figures_of(ranges).free_bytes, UM_EXTENTS_LENGTH_LIMIT - 65536);
    um_extents_free(ranges);
}

/* ---- memory that runs out ---- */

static void test_a_new_segment_without_memory_leaves_nothing(void **state)
{
    (void)state;
    for (size_t left = 0; left < 2; left++) {
        allocations_left = left;
        assert_null(um_extents_new(4096, 16));
    }
    allocations_left = 2;
    struct um_extents *ranges = um_extents_new(4096, 16);
    allocations_left = SIZE_MAX;
    assert_non_null(ranges);
    um_extents_free(ranges);
}

static void test_without_memory_nothing_is_acquired_and_nothing_changes(void **state)
{
    static struct range_model model;
    uint64_t offset = 77;
    (void)state;
    assert_true(range_model_init(&model, 16 * 1024, 16));
    for (size_t block = 0; block < RANGE_MODEL_BLOCKS; block++) {
        allocations_left = 0;
        assert_false(um_extents_acquire(model.ranges, 40, &offset));
        allocations_left = SIZE_MAX;
        assert_int_equal(offset, 77);
        assert_null(range_model_check(&model));
        assert_null(range_model_acquire(&model, block, 40));
    }
    range_model_deinit(&model);
}

/* Every other range is released first: as many free ranges as there can be. */
static void test_without_memory_all_can_be_released_and_resized(void **state)
{
    static struct range_model model;
    (void)state;
    for (size_t step = 1; step <= 3; step++) {
        assert_true(range_model_init(&model, (uint64_t)RANGE_MODEL_BLOCKS * 64, 16));
        for (size_t block = 0; block < RANGE_MODEL_BLOCKS; block++)
            assert_null(range_model_acquire(&model, block, 64));
        allocations_left = 0;
        for (size_t first = 0; first < step; first++) {
            for (size_t block = first; block < RANGE_MODEL_BLOCKS; block += step) {
                assert_null(range_model_resize(&model, block, 20 + block % 3 * 16));
                assert_null(range_model_check(&model));
            }
        }
        for (size_t first = 0; first < step; first++) {
            for (size_t block = first; block < RANGE_MODEL_BLOCKS; block += step) {
                assert_null(range_model_release(&model, block));
                assert_null(range_model_check(&model));
            }
        }
        allocations_left = SIZE_MAX;
        assert_int_equal(figures_of(model.ranges).largest_free, RANGE_MODEL_BLOCKS * 64);
        range_model_deinit(&model);
    }
}

/* The nodes that are kept follow the ranges in use, down as well as up. */
static void test_memory_follows_what_is_in_use(void **state)
{
    struct um_extents *ranges = um_extents_new(UINT64_C(1) << 40, 16);
    size_t spares = 0;
    (void)state;
    for (int i = 0; i < MANY; i++)
        acquire(ranges, 16);
    for (int i = 0; i < MANY; i++)
        um_extents_release(ranges, (uint64_t)i * 16, 16);
    for (const struct um_extent *spare = ranges->spares; spare != NULL; spare = spare->place.next)
        spares++;
    assert_in_range(spares, 0, EXTRA_LIMIT);
    assert_int_equal(figures_of(ranges).free_extents, 1);
    um_extents_free(ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_and_the_model_agree),
        cmocka_unit_test(test_every_alignment_is_kept),
        cmocka_unit_test(test_a_range_of_no_bytes_has_a_place_of_its_own),
        cmocka_unit_test(test_the_smallest_range_that_fits_is_used),
        cmocka_unit_test(test_a_segment_too_small_for_anything_refuses_everything),
        cmocka_unit_test(test_the_largest_segment_can_be_used_whole),
        cmocka_unit_test(test_a_new_segment_without_memory_leaves_nothing),
        cmocka_unit_test(test_without_memory_nothing_is_acquired_and_nothing_changes),
        cmocka_unit_test(test_without_memory_all_can_be_released_and_resized),
        cmocka_unit_test(test_memory_follows_what_is_in_use),
    };
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
