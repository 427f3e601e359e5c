/* Which connections may be read from, and what becomes of messages that are not whole in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/budget.h"

enum { LIMIT = 1000000, MESSAGE_MS = 500, ENTRIES = 2 };

static struct um_traffic traffic;
static struct um_budget budget;
static struct um_budget_group groups[3];
static struct um_budget_entry entries[3][ENTRIES];
static const struct um_budget_entry *woken; /* the last one */

static void on_wake(struct um_budget_entry *entry)
{
    woken = entry;
}

static int set_up(void **state)
{
    (void)state;
    traffic = (struct um_traffic){0};
    budget = (struct um_budget){
        .traffic = &traffic, .gathered_limit = LIMIT, .message_ms = MESSAGE_MS, .wake = on_wake};
    um_budget_init(&budget);
    for (int i = 0; i < 3; i++) {
        um_budget_init_group(&groups[i]);
        for (int j = 0; j < ENTRIES; j++)
            um_budget_init_entry(&entries[i][j], &groups[i]);
    }
    woken = NULL;
    return 0;
}

/* A connection has gathered so much of a message that is not whole, at a time. */
static void gather(struct um_budget_entry *entry, uint64_t bytes, uint64_t now_ms)
{
    struct um_budget_usage usage = {.gathered = bytes, .wants_bytes = true, .is_in_message = bytes != 0};

    um_budget_update(&budget, entry, &usage, now_ms);
}

static uint64_t read_limit(struct um_budget_entry *entry)
{
    return um_budget_read_limit(&budget, entry, (struct um_budget_read){.is_exempt = false});
}

static void test_sums_and_peaks(void **state)
{
    struct um_budget_usage usage = {.gathered = 10, .unsent = 300};

    (void)state;
    gather(&entries[0][0], 5000, 0);
    gather(&entries[0][1], 7000, 0);
    um_budget_update(&budget, &entries[0][0], &usage, 0);
    assert_int_equal(traffic.gathered_bytes, 7010);
    assert_int_equal(traffic.peak_gathered_bytes, 12000);
    assert_int_equal(traffic.unsent_bytes, 300);
    assert_int_equal(groups[0].gathered, 7010);
    assert_int_equal(groups[0].unsent, 300);
    um_budget_forget(&budget, &entries[0][0]);
    um_budget_forget(&budget, &entries[0][1]);
    assert_int_equal(traffic.gathered_bytes, 0);
    assert_int_equal(traffic.unsent_bytes, 0);
    assert_int_equal(groups[0].unsent, 0);
}

static void test_a_group_has_half_of_what_the_others_leave(void **state)
{
    (void)state;
    gather(&entries[0][0], LIMIT / 2 - 1, 0);
    assert_false(budget.is_scarce);
    assert_int_equal(read_limit(&entries[0][0]), UINT64_MAX);
    gather(&entries[0][0], LIMIT / 2, 0);
    assert_true(budget.is_scarce);
    assert_false(um_budget_has_quota(&budget, &groups[0]));
    /* There is always some for another group. */
    assert_true(um_budget_has_quota(&budget, &groups[1]));
    gather(&entries[1][0], LIMIT / 4, 0);
    assert_false(um_budget_has_quota(&budget, &groups[1]));
    assert_true(um_budget_has_quota(&budget, &groups[2]));
}

static void test_a_little_is_always_read(void **state)
{
    struct um_budget_read exempt = {.is_exempt = true};

    (void)state;
    gather(&entries[0][0], LIMIT, 0);
    gather(&entries[1][0], UM_BUDGET_MINIMUM, 0);
    assert_int_equal(read_limit(&entries[1][0]), UM_BUDGET_MINIMUM);
    assert_int_equal(um_budget_read_limit(&budget, &entries[0][0], exempt), UINT64_MAX);
}

static void test_one_is_favoured_until_its_message_is_done(void **state)
{
    struct um_budget_usage done = {.wants_bytes = true, .has_served = true};
    struct um_budget_read has_end = {.has_end = true};

    (void)state;
    gather(&entries[0][0], LIMIT / 2, 0);
    gather(&entries[1][0], LIMIT / 2, 0);
    assert_int_equal(read_limit(&entries[0][0]), UM_BUDGET_MINIMUM);
    assert_int_equal(um_budget_read_limit(&budget, &entries[0][0], has_end), UINT64_MAX);
    assert_int_equal(read_limit(&entries[1][0]), 0);
    um_budget_update(&budget, &entries[0][0], &done, 0);
    assert_ptr_equal(woken, &entries[1][0]);
    assert_int_not_equal(read_limit(&entries[1][0]), 0);
}

static void test_groups_that_want_quota_take_turns(void **state)
{
    struct um_budget_usage done = {.gathered = LIMIT / 2, .wants_bytes = false, .has_served = true};

    (void)state;
    gather(&entries[0][0], LIMIT / 2, 0);
    gather(&entries[0][1], LIMIT / 4, 0);
    gather(&entries[1][0], LIMIT / 2, 0);
    assert_int_not_equal(read_limit(&entries[0][0]), 0);
    assert_int_equal(read_limit(&entries[0][1]), 0);
    assert_int_equal(read_limit(&entries[1][0]), 0);
    um_budget_update(&budget, &entries[0][0], &done, 0);
    assert_ptr_equal(woken, &entries[1][0]);
    assert_int_equal(read_limit(&entries[0][1]), 0);
    assert_int_not_equal(read_limit(&entries[1][0]), 0);
}

/* Among connections of one process, the message that began first is served first. */
static void test_the_oldest_message_is_first(void **state)
{
    (void)state;
    gather(&entries[0][0], LIMIT / 2, 0);
    gather(&entries[0][1], LIMIT / 2, 0);
    assert_int_not_equal(read_limit(&entries[0][1]), 0);
    assert_int_not_equal(read_limit(&entries[0][0]), 0);
    assert_int_equal(read_limit(&entries[0][1]), 0);
}

static void test_a_long_message_that_is_whole_is_first(void **state)
{
    struct um_budget_read is_long = {.is_long = true};

    (void)state;
    gather(&entries[0][0], LIMIT, 0);
    assert_int_equal(um_budget_read_limit(&budget, &entries[0][0], is_long), 0);
    assert_int_not_equal(read_limit(&entries[0][0]), 0);
}

static void test_closing_frees_capacity(void **state)
{
    (void)state;
    gather(&entries[0][0], LIMIT / 2, 0);
    gather(&entries[1][0], LIMIT / 2, 0);
    assert_int_not_equal(read_limit(&entries[0][0]), 0);
    assert_int_equal(read_limit(&entries[1][0]), 0);
    um_budget_withdraw(&budget, &entries[0][0]);
    assert_int_equal(traffic.gathered_bytes, LIMIT);
    assert_int_not_equal(read_limit(&entries[1][0]), 0);
    um_budget_forget(&budget, &entries[0][0]);
    assert_int_equal(traffic.gathered_bytes, LIMIT / 2);
}

static void test_time_is_counted_from_the_first_byte(void **state)
{
    (void)state;
    assert_int_equal(budget.deadline_ms, UINT64_MAX);
    gather(&entries[0][0], 100, 7);
    gather(&entries[1][0], 100, 8);
    gather(&entries[0][0], 200, 9);
    assert_int_equal(budget.deadline_ms, 7 + MESSAGE_MS);
    assert_null(um_budget_expired(&budget, 6 + MESSAGE_MS));
    assert_ptr_equal(um_budget_expired(&budget, 7 + MESSAGE_MS), &entries[0][0]);
    gather(&entries[0][0], 0, 10);
    assert_int_equal(budget.deadline_ms, 8 + MESSAGE_MS);
    gather(&entries[1][0], 0, 10);
    assert_int_equal(budget.deadline_ms, UINT64_MAX);
}

static void test_what_held_a_message_up(void **state)
{
    (void)state;
    /* The server reads, and nothing comes. */
    gather(&entries[0][0], 100, 0);
    assert_int_equal(um_budget_judge(&budget, &entries[0][0], true, MESSAGE_MS), UM_BUDGET_STALLED);
    assert_int_equal(budget.deadline_ms, UINT64_MAX);
    /* The server does not read, for want of quota. */
    gather(&entries[0][0], LIMIT / 2, 0);
    gather(&entries[1][0], LIMIT / 2, 0);
    assert_int_not_equal(read_limit(&entries[0][0]), 0);
    assert_int_equal(read_limit(&entries[1][0]), 0);
    assert_int_equal(um_budget_judge(&budget, &entries[1][0], false, MESSAGE_MS), UM_BUDGET_NO_QUOTA);
    /* The server does not read, because the client does not. */
    gather(&entries[2][0], 100, 0);
    assert_int_equal(um_budget_judge(&budget, &entries[2][0], false, 100), UM_BUDGET_RESTARTED);
    assert_int_equal(entries[2][0].begun_ms, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sums_and_peaks, set_up),
        cmocka_unit_test_setup(test_a_group_has_half_of_what_the_others_leave, set_up),
        cmocka_unit_test_setup(test_a_little_is_always_read, set_up),
        cmocka_unit_test_setup(test_one_is_favoured_until_its_message_is_done, set_up),
        cmocka_unit_test_setup(test_groups_that_want_quota_take_turns, set_up),
        cmocka_unit_test_setup(test_the_oldest_message_is_first, set_up),
        cmocka_unit_test_setup(test_a_long_message_that_is_whole_is_first, set_up),
        cmocka_unit_test_setup(test_closing_frees_capacity, set_up),
        cmocka_unit_test_setup(test_time_is_counted_from_the_first_byte, set_up),
        cmocka_unit_test_setup(test_what_held_a_message_up, set_up),
    };

    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
