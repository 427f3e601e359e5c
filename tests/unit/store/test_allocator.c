/* The allocator: random operations beside a model, the rules one by one, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocator_model.h"

/* The allocator is compiled into this test, so that its memory can be made to run out. */
static size_t allocations_left = SIZE_MAX;
static size_t allocations; /* not freed */

static bool may_allocate(void)
{
    if (allocations_left == 0)
        return false;
    allocations_left--;
    allocations++;
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

static void counted_free(void *piece)
{
    allocations -= piece != NULL;
    free(piece);
}

#define malloc(size) scarce_malloc(size)
#define calloc(count, size) scarce_calloc(count, size)
#define free(piece) counted_free(piece)
#include "store/memory/allocator.c"
#include "store/memory/extents.c"
#include "store/memory/run_map.c"
#undef malloc
#undef calloc
#undef free

enum { SEEDS = 40, STEPS = 1500, MANY = 20000, MIB = 1024 * 1024 };

static uint64_t roll(uint64_t *random, uint64_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 33) % below;
}

/* ---- beside a model ---- */

static uint64_t some_size(uint64_t *random)
{
    static const uint64_t limits[] = {40, 300, 2100, 20000, 100000};
    static const uint64_t odd[] = {
        0, 16384, 16385, UINT64_MAX, UINT64_MAX - 15, UINT64_C(1) << 63, UINT64_C(1) << 40};

    if (roll(random, 50) == 0)
        return odd[roll(random, 7)];
    return roll(random, limits[roll(random, 5)]);
}

static const char *take_step(struct allocator_model *model, uint64_t *random)
{
    size_t block = (size_t)roll(random, ALLOCATOR_MODEL_BLOCKS);
    size_t piece = (size_t)roll(random, ALLOCATOR_MODEL_PIECES);

    switch (roll(random, 40)) {
    case 0:
        return allocator_model_add(model, piece);
    case 1:
        return allocator_model_remove(model, piece);
    case 2:
        return allocator_model_age(model, roll(random, 2) == 0, (size_t)roll(random, 20));
    case 3:
        return allocator_model_restore(model, block, roll(random, ALLOCATOR_MODEL_PLACES) * 16,
                                       some_size(random));
    default:
        if (!model->blocks[block].used)
            return allocator_model_acquire(model, block, some_size(random));
        return roll(random, 3) == 0 ? allocator_model_resize(model, block, some_size(random))
                                    : allocator_model_release(model, block);
    }
}

static void expect_agreement(uint64_t seed, const char *disagreement)
{
    if (disagreement != NULL)
        print_error("seed %llu: %s\n", (unsigned long long)seed, disagreement);
    assert_null(disagreement);
}

static void run_beside_model(uint64_t seed)
{
    static struct allocator_model model;
    uint64_t random = seed;
    uint32_t alignment = seed % 2 == 0 ? 16 : UINT32_C(16) << roll(&random, 13);

    assert_true(allocator_model_init(&model, alignment, seed % 3 == 0 ? 8 : 0));
    for (size_t piece = 0; piece < ALLOCATOR_MODEL_PIECES / 2; piece++)
        expect_agreement(seed, allocator_model_add(&model, piece));
    for (int i = 0; i < STEPS; i++) {
        expect_agreement(seed, take_step(&model, &random));
        if (i % 8 == 0)
            expect_agreement(seed, allocator_model_check(&model));
    }
    for (size_t block = 0; block < ALLOCATOR_MODEL_BLOCKS; block++)
        expect_agreement(seed, allocator_model_release(&model, block));
    expect_agreement(seed, allocator_model_check(&model));
    expect_agreement(seed, allocator_model_age(&model, true, SIZE_MAX));
    for (size_t piece = 0; piece < ALLOCATOR_MODEL_PIECES; piece++)
        expect_agreement(seed, allocator_model_remove(&model, piece));
    expect_agreement(seed, allocator_model_check(&model));
    for (size_t piece = 0; piece < ALLOCATOR_MODEL_PIECES; piece++)
        assert_false(model.is_added[piece]); /* all joined, so that all could go */
    allocator_model_deinit(&model);
    assert_int_equal(allocations, 0);
}

/* UMEM_TEST_SEED repeats one run, or tries another. */
static void test_the_allocator_and_the_model_agree(void **state)
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

struct space {
    struct um_run_map map;
    struct um_allocator *allocator;
};

static struct space *open_space(uint64_t length, uint32_t alignment, uint32_t loose_limit)
{
    /* The allocator keeps the address of the map. */
    static struct space space;

    space = (struct space){0};
    assert_true(um_run_map_init(&space.map, length));
    space.allocator = um_allocator_new(&space.map, alignment, loose_limit);
    assert_non_null(space.allocator);
    assert_true(um_allocator_add(space.allocator, 0, length));
    return &space;
}

static void close_space(struct space *space)
{
    size_t all = SIZE_MAX;

    um_allocator_free(space->allocator);
    assert_false(um_run_map_deinit_step(&space->map, &all));
    assert_int_equal(allocations, 0);
}

static uint64_t acquire(struct space *space, uint64_t size)
{
    uint64_t offset;

    assert_true(um_allocator_acquire(space->allocator, size, &offset));
    return offset;
}

static struct um_allocator_stats stats_of(const struct space *space)
{
    struct um_allocator_stats stats;

    um_allocator_get_stats(space->allocator, &stats);
    return stats;
}

/* Less than an eighth of a slot is not asked for, whatever the size; where sizes are small, 15 bytes. */
static void test_slots_waste_less_than_an_eighth(void **state)
{
    struct space *space = open_space(64 * MIB, 16, 0);
    unsigned before = 0;

    (void)state;
    for (uint32_t size = 1; size <= SMALL_SIZE; size++) {
        unsigned class = class_of_size(size);

        assert_in_range(class, before, before + 1);
        assert_in_range(slot_size_of(class), size, UM_SIZE_CLASSES * SMALL_SIZE);
        assert_int_equal(slot_size_of(class) % 16, 0);
        assert_true(slot_size_of(class) - size < 16 ||
                    (slot_size_of(class) - size) * 8 < slot_size_of(class));
        before = class;
    }
    assert_int_equal(before, UM_SIZE_CLASSES - 1);
    assert_int_equal(slot_size_of(before), SMALL_SIZE);
    close_space(space);
}

/* Whatever the class and however much of it there is, little of a run lies behind its last slot. */
static void test_runs_waste_little(void **state)
{
    struct space *space = open_space(64 * MIB, 16, 0);

    (void)state;
    for (unsigned class = 0; class < UM_SIZE_CLASSES; class ++) {
        for (uint32_t used = 0; used < 100000; used = used * 3 + 1) {
            uint32_t size;

            space->allocator->classes[class].used = used;
            size = run_size(space->allocator, class);
            assert_in_range(size, RUN_SLOTS * slot_size_of(class), RUN_SIZE_LIMIT);
            if (size > 2 * RUN_SIZE) {
                assert_in_range(size / slot_size_of(class), RUN_SLOTS, RUN_SLOTS_LIMIT);
                assert_true((uint64_t)size * RUN_SHARE <= (uint64_t)used * slot_size_of(class));
            }
            assert_int_equal(size % UM_RUN_UNIT, 0);
            assert_true(size % slot_size_of(class) * 10 <= size);
        }
        space->allocator->classes[class].used = 0;
    }
    close_space(space);
}

static void test_a_class_has_runs_from_its_limit_on(void **state)
{
    struct space *space = open_space(MIB, 16, 4);
    uint64_t offsets[5];

    (void)state;
    for (int i = 0; i < 4; i++)
        offsets[i] = acquire(space, 100);
    assert_int_equal(stats_of(space).class_count, 0);
    offsets[4] = acquire(space, 100);
    assert_int_equal(stats_of(space).class_count, 1);
    assert_int_equal(stats_of(space).classes[0].size, 112);
    assert_int_equal(stats_of(space).classes[0].used, 1);
    for (int i = 0; i < 5; i++)
        um_allocator_release(space->allocator, offsets[i], 100);
    assert_int_equal(stats_of(space).largest_free, MIB); /* what nothing uses is free as a whole */
    close_space(space);
}

/* A small segment is not used up by runs of a few blocks each. */
static void test_a_small_segment_holds_many_sizes(void **state)
{
    struct space *space = open_space(65536, 16, 32);
    uint64_t asked = 0;

    (void)state;
    for (uint64_t size = 16; asked + size <= 60000; size += 16, asked += size)
        acquire(space, size);
    close_space(space);
}

static void test_a_full_segment_is_full_to_the_last_byte(void **state)
{
    struct space *space = open_space(MIB, 16, 0);
    uint64_t offset;
    uint64_t count = 0;

    (void)state;
    while (um_allocator_acquire(space->allocator, 64, &offset))
        count++;
    assert_int_equal(count, MIB / 64);
    assert_int_equal(stats_of(space).free_bytes, 0);
    close_space(space);
}

/* Where an empty run is kept for the next block of its size, another size may have its place. */
static void test_kept_runs_make_room(void **state)
{
    struct space *space = open_space(65536, 16, 0);

    (void)state;
    um_allocator_release(space->allocator, acquire(space, 16), 16);
    um_allocator_release(space->allocator, acquire(space, 2000), 2000);
    assert_int_equal(stats_of(space).class_count, 2);
    assert_in_range(stats_of(space).largest_free, 1, 65535);
    assert_int_equal(acquire(space, 65536), 0);
    assert_int_equal(stats_of(space).class_count, 0);
    close_space(space);
}

/* Blocks are put back in any order where they were, with slots and extents alike; then the allocator goes on with the rest. */
static void test_a_heap_is_restored(void **state)
{
    static struct allocator_model_block blocks[ALLOCATOR_MODEL_BLOCKS];
    uint64_t random = 5;
    struct space *space = open_space(16 * MIB, 16, 8);

    (void)state;
    for (int i = 0; i < ALLOCATOR_MODEL_BLOCKS; i++) {
        blocks[i].size = roll(&random, 3) == 0 ? roll(&random, 50000) : roll(&random, 200);
        blocks[i].offset = acquire(space, blocks[i].size);
    }
    assert_true(stats_of(space).class_count > 3);
    close_space(space);
    space = open_space(16 * MIB, 16, 8);
    for (int i = 0; i < ALLOCATOR_MODEL_BLOCKS; i++) {
        const struct allocator_model_block *block = &blocks[(i * 7 + 3) % ALLOCATOR_MODEL_BLOCKS];

        assert_true(um_allocator_restore(space->allocator, block->offset, block->size));
        assert_false(um_allocator_restore(space->allocator, block->offset, block->size));
        assert_false(um_allocator_restore(space->allocator, block->offset, 1));
    }
    for (int i = 0; i < ALLOCATOR_MODEL_BLOCKS; i++) {
        uint64_t offset = acquire(space, 100);

        for (int j = 0; j < ALLOCATOR_MODEL_BLOCKS; j++)
            assert_true(offset + 100 <= blocks[j].offset || offset >= blocks[j].offset + blocks[j].size);
        um_allocator_release(space->allocator, offset, 100);
    }
    for (int i = 0; i < ALLOCATOR_MODEL_BLOCKS; i++)
        um_allocator_release(space->allocator, blocks[i].offset, blocks[i].size);
    assert_int_equal(stats_of(space).largest_free, 16 * MIB);
    close_space(space);
}

static void test_what_cannot_be_restored(void **state)
{
    static const struct {
        uint64_t offset, size;
    } cases[] = {{8, 16},         {MIB, 1},  {MIB - 16, 17}, {UINT64_MAX - 15, 16},
                 {0, UINT64_MAX}, {16, MIB}, {UINT64_MAX, 0}};
    struct space *space = open_space(MIB, 16, 0);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_false(um_allocator_restore(space->allocator, cases[i].offset, cases[i].size));
    assert_int_equal(stats_of(space).largest_free, MIB);
    assert_true(um_allocator_restore(space->allocator, MIB - 16, 0));
    um_allocator_release(space->allocator, MIB - 16, 0);
    close_space(space);
}

/* ---- ageing ---- */

static uint64_t part_bytes;

static void count_part(void *context, uint64_t offset, uint64_t size)
{
    (void)context;
    (void)offset;
    part_bytes += size;
}

static void age(struct space *space)
{
    size_t all = SIZE_MAX;

    part_bytes = 0;
    um_allocator_age_begin(space->allocator);
    assert_false(um_allocator_age_step(space->allocator, false, &all, count_part, NULL));
}

static void test_runs_age_that_nothing_is_done_with(void **state)
{
    struct space *space = open_space(MIB, 16, 0);
    uint64_t first = acquire(space, 64);
    uint64_t second = acquire(space, 64);

    (void)state;
    for (int i = 0; i < 3; i++) { /* in use: it never ages */
        um_allocator_release(space->allocator, second, 64);
        age(space);
        assert_int_equal(part_bytes, 0);
        second = acquire(space, 64);
    }
    um_allocator_release(space->allocator, second, 64);
    age(space);
    assert_int_equal(part_bytes, 0);
    age(space);
    assert_int_equal(part_bytes, 4096 - 64);
    assert_false(um_allocator_has_young(space->allocator));
    um_allocator_release(space->allocator, first, 64);
    age(space);
    assert_int_equal(stats_of(space).class_count, 1); /* for a block that may come soon */
    age(space);
    assert_int_equal(stats_of(space).class_count, 0);
    assert_int_equal(stats_of(space).largest_free, MIB);
    close_space(space);
}

/* ---- memory that runs out ---- */

static void test_without_memory_nothing_changes(void **state)
{
    (void)state;
    for (size_t allowed = 0; allowed < 4; allowed++) {
        struct space *space = open_space(MIB, 16, 0);
        struct um_allocator_stats before = stats_of(space);
        uint64_t offset = 77;
        bool is_done;

        allocations_left = 0;
        is_done = um_allocator_acquire(space->allocator, 100, &offset);
        allocations_left = SIZE_MAX;
        if (is_done) /* an extent, of which the entry is a spare */
            um_allocator_release(space->allocator, offset, 100);
        else
            assert_int_equal(offset, 77);
        assert_int_equal(stats_of(space).free_bytes, before.free_bytes);
        assert_int_equal(stats_of(space).largest_free, before.largest_free);
        close_space(space);
    }
}

static void test_without_memory_all_can_be_released(void **state)
{
    struct space *space = open_space(16 * MIB, 16, 8);
    static uint64_t offsets[MANY];

    (void)state;
    for (int i = 0; i < MANY; i++)
        offsets[i] = acquire(space, (uint64_t)(i % 50 * 13));
    allocations_left = 0;
    for (int i = 0; i < MANY; i++) {
        int which = (int)((unsigned)i * 7U % MANY);

        um_allocator_release(space->allocator, offsets[which], (uint64_t)(which % 50 * 13));
    }
    allocations_left = SIZE_MAX;
    assert_int_equal(stats_of(space).largest_free, 16 * MIB);
    close_space(space);
}

static void test_an_allocator_without_memory_is_none(void **state)
{
    struct um_run_map map = {0};

    (void)state;
    allocations_left = 0;
    assert_null(um_allocator_new(&map, 16, 0));
    allocations_left = SIZE_MAX;
    assert_int_equal(allocations, 0);
    um_allocator_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_allocator_and_the_model_agree),
        cmocka_unit_test(test_slots_waste_less_than_an_eighth),
        cmocka_unit_test(test_runs_waste_little),
        cmocka_unit_test(test_a_class_has_runs_from_its_limit_on),
        cmocka_unit_test(test_a_small_segment_holds_many_sizes),
        cmocka_unit_test(test_a_full_segment_is_full_to_the_last_byte),
        cmocka_unit_test(test_kept_runs_make_room),
        cmocka_unit_test(test_a_heap_is_restored),
        cmocka_unit_test(test_what_cannot_be_restored),
        cmocka_unit_test(test_runs_age_that_nothing_is_done_with),
        cmocka_unit_test(test_without_memory_nothing_changes),
        cmocka_unit_test(test_without_memory_all_can_be_released),
        cmocka_unit_test(test_an_allocator_without_memory_is_none),
    };

    return cmocka_run_group_tests_name("allocator", tests, NULL, NULL);
}
