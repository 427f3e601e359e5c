/* The share of a turn that each group of connections has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/scheduler.h"

enum { SHARE_MESSAGES = 10, SHARE_WORK = 1000000, ITEMS = 3 };

static struct um_scheduler scheduler;
static struct um_scheduler_group groups[2];
static struct um_scheduled items[2][ITEMS];
static const struct um_scheduled *run[16]; /* in this order */
static unsigned run_count;
static unsigned wake_count;
static uint64_t work_of_run;   /* what each item costs when it runs */
static bool enqueues_again;    /* each item is ready again when it has run */
static bool removes_the_group; /* the item that runs is the last of its group */

static void on_run(struct um_scheduled *item)
{
    run[run_count++] = item;
    um_scheduler_charge(item->group, 1, work_of_run);
    if (enqueues_again)
        um_scheduler_enqueue(item);
    if (removes_the_group)
        um_scheduler_remove_group(item->group);
}

static void on_wake(struct um_scheduler *woken)
{
    assert_ptr_equal(woken, &scheduler);
    wake_count++;
}

static int set_up(void **state)
{
    (void)state;
    scheduler = (struct um_scheduler){
        .share_messages = SHARE_MESSAGES, .share_work = SHARE_WORK, .run = on_run, .wake = on_wake};
    um_scheduler_init(&scheduler);
    for (int i = 0; i < 2; i++) {
        um_scheduler_add_group(&scheduler, &groups[i]);
        for (int j = 0; j < ITEMS; j++) {
            items[i][j] = (struct um_scheduled){.group = &groups[i]};
            um_list_init(&items[i][j].in_ready);
        }
    }
    run_count = 0;
    wake_count = 0;
    work_of_run = 0;
    enqueues_again = false;
    removes_the_group = false;
    um_scheduler_begin_turn(&scheduler);
    return 0;
}

static void test_a_group_has_its_share_and_no_more(void **state)
{
    (void)state;
    assert_true(um_scheduler_has_share(&groups[0], SHARE_MESSAGES - 1, SHARE_WORK - 1));
    assert_false(um_scheduler_has_share(&groups[0], SHARE_MESSAGES, 0));
    assert_false(um_scheduler_has_share(&groups[0], 0, SHARE_WORK));
    um_scheduler_charge(&groups[0], SHARE_MESSAGES - 1, SHARE_WORK - 1);
    assert_true(um_scheduler_may_run(&items[0][0]));
    um_scheduler_charge(&groups[0], 1, 0);
    assert_false(um_scheduler_may_run(&items[0][0]));
    assert_true(um_scheduler_may_run(&items[1][0]));
}

static void test_the_turn_has_an_end(void **state)
{
    (void)state;
    um_scheduler_charge(&groups[0], 0, UM_SCHEDULER_POLL_SHARES * SHARE_WORK - 1);
    assert_true(um_scheduler_has_share(&groups[1], 0, 0));
    assert_false(um_scheduler_has_share(&groups[1], 0, 1));
    um_scheduler_charge(&groups[0], 0, 1);
    assert_false(um_scheduler_may_run(&items[1][0]));
    /* For those that wait there is a share whatever was done while the loop polled. */
    um_scheduler_charge(&groups[0], 0, 10 * SHARE_WORK);
    um_scheduler_enqueue(&items[1][0]);
    um_scheduler_run(&scheduler);
    assert_int_equal(run_count, 1);
}

static void test_what_was_too_much_is_made_up_for(void **state)
{
    (void)state;
    um_scheduler_charge(&groups[0], 0, 3 * SHARE_WORK);
    for (int turn = 0; turn < 2; turn++) {
        um_scheduler_begin_turn(&scheduler);
        assert_false(um_scheduler_may_run(&items[0][0]));
    }
    um_scheduler_begin_turn(&scheduler);
    assert_true(um_scheduler_may_run(&items[0][0]));
    assert_true(um_scheduler_has_share(&groups[0], 0, SHARE_WORK - 1));
}

static void test_those_that_wait_go_first(void **state)
{
    (void)state;
    um_scheduler_enqueue(&items[0][1]);
    um_scheduler_enqueue(&items[0][1]);
    assert_int_equal(wake_count, 2);
    assert_false(um_scheduler_may_run(&items[0][0]));
    assert_true(um_scheduler_may_run(&items[1][0]));
    um_scheduler_run(&scheduler);
    assert_int_equal(run_count, 1);
    assert_true(um_scheduler_may_run(&items[0][0]));
}

/* Of many that became ready in one turn, each may be read from as the loop calls for it; then those of the next turn. What one was
 * queued for is done with that. */
static void test_those_that_have_waited_longest_go_first(void **state)
{
    (void)state;
    um_scheduler_enqueue(&items[0][0]);
    um_scheduler_enqueue(&items[0][1]);
    um_scheduler_begin_turn(&scheduler);
    um_scheduler_enqueue(&items[0][2]);
    um_scheduler_enqueue(&items[0][1]);
    um_scheduler_begin_turn(&scheduler);
    assert_false(um_scheduler_may_run(&items[0][2]));
    for (int i = 1; i >= 0; i--) {
        assert_true(um_scheduler_may_run(&items[0][i]));
        um_scheduler_run_now(&items[0][i]);
        assert_true(um_list_is_empty(&items[0][i].in_ready));
        if (i != 0)
            assert_false(um_scheduler_may_run(&items[0][i]));
    }
    assert_true(um_scheduler_may_run(&items[0][2]));
    um_scheduler_run(&scheduler);
    assert_int_equal(run_count, ITEMS);
    assert_ptr_equal(run[0], &items[0][1]);
    assert_ptr_equal(run[2], &items[0][2]);
}

/* Where it stands in the queue, it runs once, and where it becomes ready meanwhile, once more. */
static void test_one_that_runs_now_may_be_ready_again(void **state)
{
    (void)state;
    enqueues_again = true;
    um_scheduler_enqueue(&items[0][0]);
    um_scheduler_run_now(&items[0][0]);
    assert_int_equal(run_count, 1);
    assert_false(um_list_is_empty(&items[0][0].in_ready));
    um_scheduler_run(&scheduler);
    assert_int_equal(run_count, 2);
}

/* It was run, so that its next read does not wait behind others that have become ready meanwhile. */
static void test_one_that_ran_may_read_once(void **state)
{
    (void)state;
    um_scheduler_enqueue(&items[0][0]);
    um_scheduler_run(&scheduler);
    um_scheduler_enqueue(&items[0][1]);
    assert_true(um_scheduler_may_run(&items[0][0]));
    assert_false(um_scheduler_may_run(&items[0][0]));
}

static void test_groups_take_turns(void **state)
{
    (void)state;
    work_of_run = SHARE_WORK;
    for (int i = 0; i < ITEMS; i++)
        um_scheduler_enqueue(&items[0][i]);
    um_scheduler_enqueue(&items[1][0]);
    um_scheduler_run(&scheduler);
    assert_int_equal(run_count, 2);
    assert_ptr_equal(run[0], &items[0][0]);
    assert_ptr_equal(run[1], &items[1][0]);
    /* A share is a little less than what a visit and the work cost together: it is made up for in one turn more. */
    for (int turn = 0; turn < 4; turn++) {
        um_scheduler_begin_turn(&scheduler);
        um_scheduler_run(&scheduler);
    }
    assert_int_equal(run_count, 4);
    assert_ptr_equal(run[2], &items[0][1]);
    assert_ptr_equal(run[3], &items[0][2]);
}

static void test_each_runs_once_a_turn(void **state)
{
    (void)state;
    enqueues_again = true;
    for (int i = 0; i < ITEMS; i++)
        um_scheduler_enqueue(&items[0][i]);
    um_scheduler_run(&scheduler);
    assert_int_equal(run_count, ITEMS);
    um_scheduler_begin_turn(&scheduler);
    um_scheduler_run(&scheduler);
    assert_int_equal(run_count, 2 * ITEMS);
    assert_ptr_equal(run[ITEMS], &items[0][0]);
}

static void test_a_group_may_go_while_it_runs(void **state)
{
    (void)state;
    removes_the_group = true;
    um_scheduler_enqueue(&items[0][0]);
    um_scheduler_enqueue(&items[1][0]);
    um_scheduler_run(&scheduler);
    assert_int_equal(run_count, 2);
    assert_true(um_list_is_empty(&scheduler.active));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_group_has_its_share_and_no_more, set_up),
        cmocka_unit_test_setup(test_the_turn_has_an_end, set_up),
        cmocka_unit_test_setup(test_what_was_too_much_is_made_up_for, set_up),
        cmocka_unit_test_setup(test_those_that_wait_go_first, set_up),
        cmocka_unit_test_setup(test_those_that_have_waited_longest_go_first, set_up),
        cmocka_unit_test_setup(test_one_that_runs_now_may_be_ready_again, set_up),
        cmocka_unit_test_setup(test_one_that_ran_may_read_once, set_up),
        cmocka_unit_test_setup(test_groups_take_turns, set_up),
        cmocka_unit_test_setup(test_each_runs_once_a_turn, set_up),
        cmocka_unit_test_setup(test_a_group_may_go_while_it_runs, set_up),
    };

    return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
