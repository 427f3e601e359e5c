/* Lines for the log: clients cause any number of them, and few pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/log_limiter.h"

enum { MANY = 100000, DAY_MS = 86400000 };

struct received {
    struct um_log_limiter limiter;
    unsigned count;
    char last[UM_LOG_LIMITER_TEXT_SIZE];
};

static void on_log(void *context, enum um_log_severity severity, const char *text)
{
    struct received *received = context;

    (void)severity;
    received->count++;
    snprintf(received->last, sizeof received->last, "%s", text);
}

static void init(struct received *received)
{
    memset(received, 0, sizeof *received);
    received->limiter = (struct um_log_limiter){.listener = on_log, .context = received};
}

UM_PRINTF(3, 4)
static void add(struct received *received, uint64_t now_ms, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    um_log_limiter_add(&received->limiter, now_ms, UM_SEVERITY_WARNING, format, list);
    va_end(list);
}

static void test_a_burst_passes(void **state)
{
    struct received received;

    (void)state;
    init(&received);
    for (int i = 0; i < MANY; i++)
        add(&received, 5, "refused %d", i);
    assert_int_equal(received.count, UM_LOG_LIMITER_BURST);
    assert_string_equal(received.last, "refused 9");
    /* The next report has their number. */
    um_log_limiter_report(&received.limiter, 5);
    assert_int_equal(received.count, UM_LOG_LIMITER_BURST);
    add(&received, 5 + UM_LOG_LIMITER_INTERVAL_MS, "refused %d", MANY);
    assert_int_equal(received.count, UM_LOG_LIMITER_BURST + 1);
    assert_string_equal(received.last, "refused 100000 (99990 more like this were left out before)");
}

static void test_each_kind_has_its_own_limit(void **state)
{
    struct received received;

    (void)state;
    init(&received);
    for (int i = 0; i < MANY; i++)
        add(&received, 0, "refused %d", i);
    add(&received, 0, "the pipe is gone");
    assert_string_equal(received.last, "the pipe is gone");
}

/* No other line follows: the number is reported all the same. */
static void test_suppressed_lines_are_reported(void **state)
{
    struct received received;

    (void)state;
    init(&received);
    for (int i = 0; i < MANY; i++)
        add(&received, 0, "refused %d", i);
    um_log_limiter_report(&received.limiter, UM_LOG_LIMITER_INTERVAL_MS);
    assert_string_equal(received.last, "99990 more like this were left out: refused 9");
    received.count = 0;
    um_log_limiter_report(&received.limiter, 2 * UM_LOG_LIMITER_INTERVAL_MS);
    assert_int_equal(received.count, 0);
}

static void test_a_day_of_lines_is_bounded(void **state)
{
    struct received received;

    (void)state;
    init(&received);
    for (uint64_t now_ms = 0; now_ms < DAY_MS; now_ms += 100)
        add(&received, now_ms, "refused %d", 1);
    assert_in_range(received.count, DAY_MS / UM_LOG_LIMITER_INTERVAL_MS,
                    DAY_MS / UM_LOG_LIMITER_INTERVAL_MS + UM_LOG_LIMITER_BURST);
    /* After a pause there are as many at once as at first. */
    received.count = 0;
    for (int i = 0; i < MANY; i++)
        add(&received, UINT64_C(2) * DAY_MS, "refused %d", 1);
    assert_int_equal(received.count, UM_LOG_LIMITER_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_passes),
        cmocka_unit_test(test_each_kind_has_its_own_limit),
        cmocka_unit_test(test_suppressed_lines_are_reported),
        cmocka_unit_test(test_a_day_of_lines_is_bounded),
    };

    return cmocka_run_group_tests_name("log_limiter", tests, NULL, NULL);
}
