/* Notes for the operator: clients cause any number of them, and few go through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/log_limiter.h"

enum { MANY = 100000, DAY_MS = 86400000 };

struct heard {
    struct um_log_limiter notes;
    unsigned count;
    char last[UM_LOG_LIMITER_TEXT_SIZE];
};

static void on_note(void *context, enum um_server_log note, const char *text)
{
    struct heard *heard = context;

    (void)note;
    heard->count++;
    snprintf(heard->last, sizeof heard->last, "%s", text);
}

static void init(struct heard *heard)
{
    memset(heard, 0, sizeof *heard);
    heard->notes = (struct um_log_limiter){.listener = on_note, .context = heard};
}

UM_PRINTF(3, 4)
static void add(struct heard *heard, uint64_t now_ms, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    um_log_limiter_add(&heard->notes, now_ms, UM_SERVER_WARNING, format, list);
    va_end(list);
}

static void a_few_go_through_at_once(void **state)
{
    struct heard heard;

    (void)state;
    init(&heard);
    for (int i = 0; i < MANY; i++)
        add(&heard, 5, "refused %d", i);
    assert_int_equal(heard.count, UM_LOG_LIMITER_BURST);
    assert_string_equal(heard.last, "refused 9");
    /* The next one says how many there were. */
    um_log_limiter_report(&heard.notes, 5);
    assert_int_equal(heard.count, UM_LOG_LIMITER_BURST);
    add(&heard, 5 + UM_LOG_LIMITER_INTERVAL_MS, "refused %d", MANY);
    assert_int_equal(heard.count, UM_LOG_LIMITER_BURST + 1);
    assert_string_equal(heard.last, "refused 100000 (99990 more like this were left out before)");
}

static void kinds_are_limited_separately(void **state)
{
    struct heard heard;

    (void)state;
    init(&heard);
    for (int i = 0; i < MANY; i++)
        add(&heard, 0, "refused %d", i);
    add(&heard, 0, "the pipe is gone");
    assert_string_equal(heard.last, "the pipe is gone");
}

/* Nobody comes again: then it is told all the same. */
static void what_was_left_out_is_reported(void **state)
{
    struct heard heard;

    (void)state;
    init(&heard);
    for (int i = 0; i < MANY; i++)
        add(&heard, 0, "refused %d", i);
    um_log_limiter_report(&heard.notes, UM_LOG_LIMITER_INTERVAL_MS);
    assert_string_equal(heard.last, "99990 more like this were left out: refused 9");
    heard.count = 0;
    um_log_limiter_report(&heard.notes, 2 * UM_LOG_LIMITER_INTERVAL_MS);
    assert_int_equal(heard.count, 0);
}

static void a_day_of_them_is_bounded(void **state)
{
    struct heard heard;

    (void)state;
    init(&heard);
    for (uint64_t now_ms = 0; now_ms < DAY_MS; now_ms += 100)
        add(&heard, now_ms, "refused %d", 1);
    assert_in_range(heard.count, DAY_MS / UM_LOG_LIMITER_INTERVAL_MS,
                    DAY_MS / UM_LOG_LIMITER_INTERVAL_MS + UM_LOG_LIMITER_BURST);
    /* After a pause there are as many at once as at first. */
    heard.count = 0;
    for (int i = 0; i < MANY; i++)
        add(&heard, UINT64_C(2) * DAY_MS, "refused %d", 1);
    assert_int_equal(heard.count, UM_LOG_LIMITER_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_go_through_at_once),
        cmocka_unit_test(kinds_are_limited_separately),
        cmocka_unit_test(what_was_left_out_is_reported),
        cmocka_unit_test(a_day_of_them_is_bounded),
    };

    return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
