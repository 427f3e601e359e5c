/*
 * The store where memory runs out: each allocation of each scenario fails once, alone and with all behind it. The call
 * fails with no_memory and has changed nothing, or does without; then it succeeds when it is called again, and nothing
 * is leaked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "store/records/records.h"
#include "store/store.h"
#include "store_dump.h"
#include "store_fault_scenarios.h"
#include "store_fixture.h"
#include "umem_errors.h"

static unsigned long injected; /* failures, in all scenarios */

struct play {
    struct harness harness;
    void *fixture;
    char *before; /* the state, with handles */
};

static void begin(struct play *play, const struct scenario *scenario)
{
    fixture_setup(&play->fixture);
    harness_prepare(&play->harness, play->fixture);
    if (scenario->prepare != NULL)
        scenario->prepare(&play->harness);
    state_make_faulty(play->harness.store);
    play->harness.aligned->ops = play->harness.store->heap_ops[UM_HEAP_PRIVATE];
    play->harness.private->ops = play->harness.store->heap_ops[UM_HEAP_PRIVATE];
    play->harness.shared->ops = play->harness.store->heap_ops[UM_HEAP_SHARED];
    play->before = state_of(play->harness.store, true);
}

static void end(struct play *play)
{
    free(play->before);
    fixture_teardown(&play->fixture);
}

static void expect_state(const struct scenario *scenario, struct um_store *store, bool with_handles,
                         const char *expected)
{
    char *state = state_of(store, with_handles);

    if (strcmp(state, expected) != 0)
        fail_msg("%s: the state is\n%sand not\n%s", scenario->name, state, expected);
    free(state);
}

/* The state after the scenario where nothing fails. */
static char *play_well(const struct scenario *scenario)
{
    struct play play;
    char *state;

    begin(&play, scenario);
    assert_int_equal(scenario->act(&play.harness), 0);
    state = state_of(play.harness.store, false);
    end(&play);
    return state;
}

/* Returns whether something has failed. */
static bool play_with(const struct scenario *scenario, unsigned long nth, bool and_all_after,
                      const char *after)
{
    struct play play;
    unsigned long failed;
    int code;

    begin(&play, scenario);
    fault_arm(nth, and_all_after);
    code = scenario->act(&play.harness);
    failed = fault_disarm();
    injected += failed != 0;
    if (code != 0) {
        if (code != UMEM_E_NO_MEMORY || failed == 0)
            fail_msg("%s: %s at allocation %lu", scenario->name, umem_error_name(code), nth);
        if (scenario != &store_many_blocks) {
            expect_state(scenario, play.harness.store, true, play.before);
            assert_int_equal(scenario->act(&play.harness), 0);
        }
    }
    expect_state(scenario, play.harness.store, false, after);
    end(&play);
    return failed != 0;
}

static void play_all(const struct scenario *scenario)
{
    char *after = play_well(scenario);
    long live = fault_live();

    for (int and_all_after = 0; and_all_after <= (scenario != &store_many_blocks); and_all_after++) {
        unsigned long nth = 1;

        while (play_with(scenario, nth, and_all_after != 0, after)) {
            if (!scenario->allocates)
                fail_msg("%s: this cannot fail, so it should not need memory", scenario->name);
            nth++;
        }
    }
    free(after);
    if (fault_live() != live)
        fail_msg("%s: %ld pieces of memory were leaked", scenario->name, fault_live() - live);
}

static void test_every_scenario(void **state)
{
    (void)state;
    for (size_t i = 0; store_fault_scenarios[i].name != NULL; i++)
        play_all(&store_fault_scenarios[i]);
    print_message("%lu failures injected\n", injected);
}

/* Thousands of allocations, of which most are of blocks: the first ones, and then some here and there. */
static void test_many_blocks(void **state)
{
    char *after = play_well(&store_many_blocks);
    unsigned long nth = 1;

    (void)state;
    while (play_with(&store_many_blocks, nth, false, after))
        nth += nth < 50 ? 1 : 61;
    free(after);
    print_message("%lu failures injected\n", injected);
}

static void test_a_new_store(void **state)
{
    const struct um_store_options options = {
        .bytes_limit = 1000, .blocks_limit = 10, .heaps_limit = 10, .shared_heaps_limit = 1, .seed = 1};
    struct um_store *store = NULL;
    long live = fault_live();
    unsigned long nth = 0;
    int code;

    (void)state;
    do {
        fault_arm(++nth, false);
        code = um_store_new(&options, &store);
        injected += fault_disarm();
        assert_true(code == 0 || (code == UMEM_E_NO_MEMORY && store == NULL));
    } while (code != 0);
    assert_in_range(nth, 4, 100);
    um_store_free(store);
    assert_int_equal(fault_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_store),
        cmocka_unit_test(test_every_scenario),
        cmocka_unit_test(test_many_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
