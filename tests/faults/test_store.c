/*
 * The store where memory runs out: each allocation of each scene fails once, alone and with all behind it. The call says
 * no_memory and has changed nothing, or does without; then it succeeds when it is called again, and nothing is leaked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocate.h"
#include "fixture.h"
#include "store_internal.h"
#include "store_scenes.h"
#include "store_state.h"
#include "umem_errors.h"

static unsigned long injected; /* failures, in all scenes */

struct play {
    struct stage stage;
    void *fixture;
    char *before; /* the state, with handles */
};

static void begin(struct play *play, const struct scene *scene)
{
    fixture_setup(&play->fixture);
    stage_prepare(&play->stage, play->fixture);
    if (scene->prepare != NULL)
        scene->prepare(&play->stage);
    state_make_faulty(play->stage.store);
    play->stage.aligned->backend = play->stage.store->backends[UM_HEAP_PRIVATE];
    play->stage.private->backend = play->stage.store->backends[UM_HEAP_PRIVATE];
    play->stage.shared->backend = play->stage.store->backends[UM_HEAP_SHARED];
    play->before = state_of(play->stage.store, true);
}

static void end(struct play *play)
{
    free(play->before);
    fixture_teardown(&play->fixture);
}

static void expect_state(const struct scene *scene, struct um_store *store, bool with_handles,
                         const char *expected)
{
    char *state = state_of(store, with_handles);

    if (strcmp(state, expected) != 0)
        fail_msg("%s: the state is\n%sand not\n%s", scene->name, state, expected);
    free(state);
}

/* The state after the scene where nothing fails. */
static char *play_well(const struct scene *scene)
{
    struct play play;
    char *state;

    begin(&play, scene);
    assert_int_equal(scene->act(&play.stage), 0);
    state = state_of(play.stage.store, false);
    end(&play);
    return state;
}

/* Returns whether something has failed. */
static bool play_with(const struct scene *scene, unsigned long nth, bool and_all_after, const char *after)
{
    struct play play;
    unsigned long failed;
    int code;

    begin(&play, scene);
    fault_arm(nth, and_all_after);
    code = scene->act(&play.stage);
    failed = fault_disarm();
    injected += failed != 0;
    if (code != 0) {
        if (code != UMEM_E_NO_MEMORY || failed == 0)
            fail_msg("%s: %s at allocation %lu", scene->name, umem_error_name(code), nth);
        if (scene != &store_crowd) {
            expect_state(scene, play.stage.store, true, play.before);
            assert_int_equal(scene->act(&play.stage), 0);
        }
    }
    expect_state(scene, play.stage.store, false, after);
    end(&play);
    return failed != 0;
}

static void play_all(const struct scene *scene)
{
    char *after = play_well(scene);
    long live = fault_live();

    for (int and_all_after = 0; and_all_after <= (scene != &store_crowd); and_all_after++) {
        unsigned long nth = 1;

        while (play_with(scene, nth, and_all_after != 0, after)) {
            if (!scene->allocates)
                fail_msg("%s: this cannot fail, so it should not need memory", scene->name);
            nth++;
        }
    }
    free(after);
    if (fault_live() != live)
        fail_msg("%s: %ld pieces of memory were leaked", scene->name, fault_live() - live);
}

static void test_every_scene(void **state)
{
    (void)state;
    for (size_t i = 0; store_scenes[i].name != NULL; i++)
        play_all(&store_scenes[i]);
    print_message("%lu failures injected\n", injected);
}

/* Thousands of allocations, of which most are of blocks: the first ones, and then some here and there. */
static void test_a_crowd(void **state)
{
    char *after = play_well(&store_crowd);
    unsigned long nth = 1;

    (void)state;
    while (play_with(&store_crowd, nth, false, after))
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
        cmocka_unit_test(test_every_scene),
        cmocka_unit_test(test_a_crowd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
