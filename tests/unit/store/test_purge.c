/* Purging: the order of the sources, the end of a purge, the flags, and periods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/memory/purge.h"

static unsigned pieces[2]; /* left of each source */
static unsigned runs[2];
static uint64_t charge; /* of each piece; 0: it is not counted */

static bool run_first(struct um_purge_source *source)
{
    (void)source;
    um_purge_charge(charge);
    runs[0]++;
    return --pieces[0] != 0;
}

static bool run_second(struct um_purge_source *source)
{
    (void)source;
    um_purge_charge(charge);
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

static void test_sources_take_turns(void **state)
{
    (void)state;
    assert_false(um_purge_is_pending());
    um_purge_run();
    add(0, 3);
    add(1, 1);
    um_purge_set_pending(&sources[1], true); /* set twice */
    um_purge_run();
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 0);
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

/* Small pieces of several sources make one run. */
static void test_small_pieces_make_a_run(void **state)
{
    (void)state;
    charge = UM_PURGE_PIECE / 4;
    add(0, 10);
    add(1, 1);
    um_purge_run();
    assert_int_equal(runs[0], 3);
    assert_int_equal(runs[1], 1);
    um_purge_run();
    assert_int_equal(runs[0], 7);
    /* However small they are, a run ends. */
    charge = 1;
    add(1, 1000);
    um_purge_run();
    assert_false(um_purge_is_pending() && pieces[0] != 0);
    assert_in_range(pieces[1], 900, 999);
    um_purge_set_pending(&sources[1], false);
    charge = 0;
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
    assert_int_equal(runs[0], 0);
    assert_int_equal(runs[1], 1);
    um_purge_run();
    assert_int_equal(runs[0], 1);
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
    for (int i = 0; i < 3; i++)
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

/* One of many sources, each listed for one tick. */
struct counted {
    struct um_purge_source source;
    unsigned ticks;
};

static void count_tick(struct um_purge_source *source)
{
    UM_LIST_ITEM(source, struct counted, source)->ticks++;
}

enum { MANY = 3000 };

static void test_many_sources_get_their_tick_in_runs(void **state)
{
    static struct counted many[MANY];
    struct um_purge_watcher watcher;
    bool flag = false;
    unsigned asked = 0;

    (void)state;
    um_purge_watch(&watcher, &flag);
    for (unsigned i = 0; i < MANY; i++) {
        many[i].source.tick = count_tick;
        um_purge_set_listed(&many[i].source, true);
    }
    um_purge_tick();
    for (unsigned i = 0; i < MANY; i++)
        asked += many[i].ticks;
    assert_in_range(asked, 1, 1000);
    assert_true(flag && um_purge_is_pending());
    /* One that is unlisted meanwhile is not asked; those that have been asked wait for the next period. */
    um_purge_set_listed(&many[MANY - 1].source, false);
    um_purge_tick();
    for (unsigned left = 10; um_purge_is_pending() && left != 0; left--)
        um_purge_run();
    assert_false(um_purge_is_pending());
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(many[i].ticks, i != MANY - 1);
        um_purge_set_listed(&many[i].source, false);
    }
    assert_false(um_purge_is_listed());
    um_purge_unwatch(&watcher);
}

/* Free bytes as an allocator has them: the fewest of a period are returned. */
struct decaying {
    struct um_purge_source source;
    uint64_t free;   /* bytes, not returned */
    uint64_t lowest; /* fewest since the last tick */
    uint64_t marked; /* bytes to return */
};

static void set_free(struct decaying *it, uint64_t bytes)
{
    it->free = bytes;
    it->lowest = bytes < it->lowest ? bytes : it->lowest;
    um_purge_set_listed(&it->source, bytes != 0);
}

static void mark(struct um_purge_source *source)
{
    struct decaying *it = UM_LIST_ITEM(source, struct decaying, source);

    it->marked = it->lowest;
    it->lowest = it->free;
    um_purge_set_pending(source, it->marked != 0);
}

static bool give_back(struct um_purge_source *source)
{
    struct decaying *it = UM_LIST_ITEM(source, struct decaying, source);

    set_free(it, it->free - it->marked);
    it->marked = 0;
    return false;
}

static void test_what_is_in_use_again_and_again_stays(void **state)
{
    struct decaying it = {.source = {.run = give_back, .tick = mark}};

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        set_free(&it, 1000);
        if (i % 10 == 9)
            um_purge_tick();
        assert_false(um_purge_is_pending());
        set_free(&it, 0); /* all of it is allocated */
        set_free(&it, 1000);
    }
    um_purge_tick(); /* it was in use for a part of this period, */
    assert_false(um_purge_is_pending());
    set_free(&it, 300);
    set_free(&it, 1000);
    um_purge_tick(); /* 700 of it for a part of this one, */
    assert_true(um_purge_is_pending());
    um_purge_run();
    assert_int_equal(it.free, 700);
    um_purge_tick(); /* and nothing of it was needed in this one */
    um_purge_run();
    assert_int_equal(it.free, 0);
    assert_false(um_purge_is_listed());
}

static void test_where_memory_is_short_nothing_waits_for_its_period(void **state)
{
    struct decaying it = {.source = {.run = give_back, .tick = mark}};

    (void)state;
    um_purge_expedite();
    set_free(&it, 1000);
    assert_false(um_purge_is_pending());
    um_purge_expedite();
    assert_true(um_purge_is_pending());
    um_purge_run();
    assert_int_equal(it.free, 0);
    assert_false(um_purge_is_listed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources_take_turns),
        cmocka_unit_test(test_small_pieces_make_a_run),
        cmocka_unit_test(test_a_source_may_end_otherwise),
        cmocka_unit_test(test_ticks_come_while_a_source_is_listed),
        cmocka_unit_test(test_many_sources_get_their_tick_in_runs),
        cmocka_unit_test(test_what_is_in_use_again_and_again_stays),
        cmocka_unit_test(test_where_memory_is_short_nothing_waits_for_its_period),
        cmocka_unit_test(test_a_source_that_begins_anew_waits_for_the_next_run),
        cmocka_unit_test(test_flags_are_set_when_there_is_something_to_return),
    };
    return cmocka_run_group_tests_name("purge", tests, NULL, NULL);
}
