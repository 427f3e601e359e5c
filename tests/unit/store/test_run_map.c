/* Which run an offset lies in: random runs beside a plain array, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The table is compiled into this test, so that its memory can be made to run out. */
static size_t allocations_left = SIZE_MAX;
static size_t allocations_held = 0;

static void *scarce_calloc(size_t count, size_t size)
{
    void *memory = allocations_left == 0 ? NULL : calloc(count, size);

    if (allocations_left != 0)
        allocations_left--;
    allocations_held += memory != NULL;
    return memory;
}

static void counted_free(void *memory)
{
    allocations_held -= memory != NULL;
    free(memory);
}

#define calloc scarce_calloc
#define free counted_free
#include "store/memory/run_map.c"
#undef calloc
#undef free

enum {
    LEAVES = 3,
    UNITS = LEAVES * UM_RUN_MAP_PART * UM_RUN_MAP_LEAF, /* units of the segment */
    RUNS = 64,                                          /* live at once */
    STEPS = 4000,
    SEEDS = 20
};

struct run {
    uint64_t first; /* unit */
    uint64_t count; /* units; 0: not there */
};

struct fixture {
    struct um_run_map map;
    struct run runs[RUNS];
    struct run *units[UNITS]; /* the model */
};

static uint64_t roll(uint64_t *random, uint64_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 33) % below;
}

static void begin(struct fixture *it)
{
    *it = (struct fixture){.runs[0].count = 0};
    allocations_left = SIZE_MAX;
    assert_true(um_run_map_init(&it->map, (uint64_t)UNITS * UM_RUN_UNIT));
}

static void end(struct fixture *it)
{
    size_t budget = 1;

    for (int steps = 0; um_run_map_deinit_step(&it->map, &budget); steps++) {
        assert_true(steps < LEAVES);
        assert_int_equal(budget, 0);
        budget = 1;
    }
    assert_int_equal(allocations_held, 0);
}

static bool is_free(const struct fixture *it, const struct run *run)
{
    for (uint64_t unit = run->first; unit < run->first + run->count; unit++) {
        if (it->units[unit] != NULL)
            return false;
    }
    return true;
}

static void note(struct fixture *it, const struct run *run, struct run *value)
{
    for (uint64_t unit = run->first; unit < run->first + run->count; unit++)
        it->units[unit] = value;
}

/* Every unit, by its first byte and by its last. */
static void check(const struct fixture *it)
{
    for (uint64_t unit = 0; unit < UNITS; unit++) {
        if (um_run_map_get(&it->map, unit * UM_RUN_UNIT) != it->units[unit])
            fail_msg("unit %u has another run at its beginning", (unsigned)unit);
        if (um_run_map_get(&it->map, unit * UM_RUN_UNIT + UM_RUN_UNIT - 1) != it->units[unit])
            fail_msg("unit %u has another run at its end", (unsigned)unit);
    }
}

/* A size and a place of every kind: within a part, over several, over a leaf's end, at the segment's end. */
static struct run some_run(uint64_t *random)
{
    static const uint64_t most[] = {1, UM_RUN_MAP_PART, 3 * UM_RUN_MAP_PART,
                                    UNITS / LEAVES + UM_RUN_MAP_PART};
    struct run made = {.count = 1 + roll(random, most[roll(random, 4)])};

    made.first = roll(random, 8) == 0 ? UNITS - made.count : roll(random, UNITS - made.count + 1);
    if (roll(random, 2) == 0)
        made.first -= made.first % UM_RUN_MAP_PART;
    return made;
}

static void change(struct fixture *it, uint64_t *random)
{
    struct run *run = &it->runs[roll(random, RUNS)];
    struct run wanted = some_run(random);

    if (run->count != 0) {
        um_run_map_clear(&it->map, run->first * UM_RUN_UNIT, run->count * UM_RUN_UNIT);
        note(it, run, NULL);
        run->count = 0;
    } else if (is_free(it, &wanted)) {
        allocations_left = roll(random, 4) == 0 ? roll(random, 5) : SIZE_MAX;
        if (um_run_map_set(&it->map, wanted.first * UM_RUN_UNIT, wanted.count * UM_RUN_UNIT, run)) {
            *run = wanted;
            note(it, run, run);
        } else {
            assert_int_equal(allocations_left, 0);
        }
    }
}

static void test_beside_a_model(void **state)
{
    struct fixture *it = malloc(sizeof *it);

    (void)state;
    assert_non_null(it);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t random = seed;

        print_message("seed %u\n", (unsigned)seed);
        begin(it);
        for (int step = 0; step < STEPS; step++) {
            change(it, &random);
            if (step % (STEPS / 8) == 0)
                check(it);
        }
        check(it);
        for (int i = 0; i < RUNS; i++) {
            if (it->runs[i].count != 0)
                um_run_map_clear(&it->map, it->runs[i].first * UM_RUN_UNIT, it->runs[i].count * UM_RUN_UNIT);
        }
        end(it);
    }
    free(it);
}

/* A run that shares its first part and its last with others: whatever allocation fails, theirs stay as they are. */
static void test_without_memory(void **state)
{
    struct fixture *it = malloc(sizeof *it);
    const uint64_t part = (uint64_t)UM_RUN_MAP_PART;
    struct run before = {.first = part * UM_RUN_MAP_LEAF - 2, .count = 1};
    struct run wanted = {.first = part * UM_RUN_MAP_LEAF - 1, .count = 2};
    size_t failed = 0;

    (void)state;
    assert_non_null(it);
    for (size_t left = 0;; left++) {
        bool done;

        begin(it);
        assert_true(um_run_map_set(&it->map, before.first * UM_RUN_UNIT, UM_RUN_UNIT, &it->runs[0]));
        note(it, &before, &it->runs[0]);
        allocations_left = left;
        done = um_run_map_set(&it->map, wanted.first * UM_RUN_UNIT, wanted.count * UM_RUN_UNIT, &it->runs[1]);
        if (done)
            note(it, &wanted, &it->runs[1]);
        check(it);
        if (done)
            um_run_map_clear(&it->map, wanted.first * UM_RUN_UNIT, wanted.count * UM_RUN_UNIT);
        um_run_map_clear(&it->map, before.first * UM_RUN_UNIT, UM_RUN_UNIT);
        end(it);
        failed += !done;
        if (done)
            break;
    }
    assert_int_equal(failed, 2); /* the second leaf, the units of its first part */
    free(it);
}

static void test_no_memory_for_the_table(void **state)
{
    struct um_run_map map = {.leaf_count = 7};

    (void)state;
    allocations_left = 0;
    assert_false(um_run_map_init(&map, UM_RUN_UNIT));
    assert_int_equal(map.leaf_count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_a_model),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_no_memory_for_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
