/* Purging: the order of the sources, the end of a purge, and the sources' flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/memory/purge.h"

static unsigned pieces[2]; /* left of each source */
static unsigned runs[2];

static bool run_first(struct um_purge_source *source)
{
    (void)source;
    runs[0]++;
    return --pieces[0] != 0;
}

static bool run_second(struct um_purge_source *source)
{
    (void)source;
    runs[1]++;
    return --pieces[1] != 0;
}

static struct um_purge_source sources[] = {{.run = run_first}, {.run = run_second}};

static void add(unsigned which, unsigned count)
{
    pieces[which] = count;
    runs[which] = 0;
    um_purge_set_pending(&sources[which], true);
}

static void test_each_source_returns_a_piece_in_each_run(void **state)
{
    (void)state;
    assert_false(um_purge_is_pending());
    um_purge_run();
    add(0, 3);
    add(1, 1);
    um_purge_set_pending(&sources[1], true); /* set twice */
    um_purge_run();
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
    assert_true(um_purge_is_pending());
    um_purge_run();
    um_purge_run();
    assert_int_equal(runs[0], 3);
    assert_int_equal(runs[1], 1);
    assert_false(um_purge_is_pending());
}

static void test_a_source_may_end_otherwise(void **state)
{
    (void)state;
    um_purge_set_pending(&sources[0], false); /* it was not */
    add(0, 5);
    um_purge_set_pending(&sources[0], false);
    assert_false(um_purge_is_pending());
    um_purge_run();
    assert_int_equal(runs[0], 0);
}

/* A source that ends and begins again within its own piece waits for the next run. */
static bool run_anew(struct um_purge_source *source);
static struct um_purge_source anew = {.run = run_anew};

static bool run_anew(struct um_purge_source *source)
{
    (void)source;
    runs[0]++;
    um_purge_set_pending(&anew, false);
    um_purge_set_pending(&anew, true);
    return true;
}

static void test_a_source_that_begins_anew_waits_for_the_next_run(void **state)
{
    (void)state;
    add(1, 1);
    runs[0] = 0;
    um_purge_set_pending(&anew, true);
    um_purge_run();
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
    um_purge_set_pending(&anew, false);
    assert_false(um_purge_is_pending());
}

static void test_flags_are_set_when_there_is_something_to_return(void **state)
{
    struct um_purge_watcher watchers[2];
    bool flags[2] = {false, false};

    (void)state;
    um_purge_watch(&watchers[0], &flags[0]);
    um_purge_watch(&watchers[1], &flags[1]);
    add(0, 2);
    assert_true(flags[0] && flags[1]);
    flags[0] = false;
    add(1, 1); /* there was something already */
    assert_false(flags[0]);
    um_purge_unwatch(&watchers[1]);
    flags[1] = false;
    um_purge_run();
    um_purge_run();
    assert_false(um_purge_is_pending());
    assert_false(flags[0]);
    add(1, 1);
    assert_true(flags[0]);
    assert_false(flags[1]);
    um_purge_run();
    um_purge_unwatch(&watchers[0]);
}

/* ---- ticks ---- */

static void tick_until_empty(struct um_purge_source *source)
{
    unsigned which = source == &sources[1];

    runs[which]++;
    um_purge_set_listed(source, --pieces[which] != 0);
}

static void test_ticks_come_while_a_source_is_listed(void **state)
{
    (void)state;
    sources[0].tick = tick_until_empty;
    sources[1].tick = tick_until_empty;
    pieces[0] = 2;
    pieces[1] = 1;
    runs[0] = runs[1] = 0;
    assert_false(um_purge_is_listed());
    um_purge_tick();
    assert_int_equal(runs[0], 0);
    um_purge_set_listed(&sources[0], true);
    um_purge_set_listed(&sources[1], true);
    um_purge_set_listed(&sources[1], true); /* set twice */
    um_purge_tick();
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
    assert_true(um_purge_is_listed());
    um_purge_tick();
    assert_int_equal(runs[0], 2);
    assert_int_equal(runs[1], 1);
    assert_false(um_purge_is_listed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_source_returns_a_piece_in_each_run),
        cmocka_unit_test(test_a_source_may_end_otherwise),
        cmocka_unit_test(test_ticks_come_while_a_source_is_listed),
        cmocka_unit_test(test_a_source_that_begins_anew_waits_for_the_next_run),
        cmocka_unit_test(test_flags_are_set_when_there_is_something_to_return),
    };
    return cmocka_run_group_tests_name("purge", tests, NULL, NULL);
}
