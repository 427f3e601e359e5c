/* What umem call - knows of the requests that it passes on, and of their answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/transfer/unanswered.h"

static struct cli_unanswered pending;

/* A copy, because the text may be changed. */
static void request(const char *text)
{
    char copy[512];

    snprintf(copy, sizeof copy, "%s", text);
    cli_unanswered_request(&pending, copy, strlen(copy));
}

static void answer(const char *text)
{
    char copy[512];

    snprintf(copy, sizeof copy, "%s", text);
    cli_unanswered_answer(&pending, copy, strlen(copy));
}

static int tear_down(void **state)
{
    (void)state;
    cli_unanswered_deinit(&pending);
    return 0;
}

static void test_requests_that_are_followed(void **state)
{
    (void)state;
    request("{\"id\":1,\"method\":\"a\"}");
    request(" {\"method\":\"a\",\"params\":{\"id\":3},\"id\":\"one\"} ");
    assert_int_equal(cli_unanswered_count(&pending), 2);
    /* These are not answered under an id that is known for sure. */
    request("{\"method\":\"a\"}");
    request("{\"id\":null,\"method\":\"a\"}");
    request("{\"id\":2}");
    request("{\"id\":2,\"id\":3,\"method\":\"a\"}");
    request("{\"id\":1.5,\"method\":\"a\"}");
    request("{\"id\":\"\\u0061\",\"method\":\"a\"}");
    request("{\"id\":4,\"method\":5}");
    request("[{\"id\":4,\"method\":\"a\"}]");
    request("{\"id\":4,\"method\":\"a\"");
    request("");
    assert_int_equal(cli_unanswered_count(&pending), 2);
    answer("{\"id\":\"one\",\"result\":{}}");
    answer("{\"id\":1,\"error\":{}}");
    assert_int_equal(cli_unanswered_count(&pending), 0);
}

static void test_messages_that_are_no_answer(void **state)
{
    (void)state;
    request("{\"id\":1,\"method\":\"a\"}");
    answer("{\"method\":\"block.changed\",\"id\":1}");
    answer("{\"id\":2,\"result\":1}");
    answer("{\"id\":\"1\",\"result\":1}");
    answer("not JSON");
    assert_int_equal(cli_unanswered_count(&pending), 1);
    /* An error without an id may have been for it. */
    answer("{\"id\":null,\"error\":{}}");
    assert_int_equal(cli_unanswered_count(&pending), 0);
}

static void test_calls_that_may_wait(void **state)
{
    (void)state;
    request("{\"id\":1,\"method\":\"block.wait\"}");
    request("{\"id\":2,\"method\":\"heap.lock\"}");
    request("{\"id\":3,\"method\":\"server.ping\"}");
    assert_int_equal(pending.waiting, 2);
    answer("{\"id\":3,\"result\":{}}");
    answer("{\"id\":2,\"result\":{}}");
    assert_int_equal(pending.waiting, 1);
    answer("{\"id\":1,\"result\":{}}");
    assert_int_equal(pending.waiting, 0);
}

/* One request stays unanswered, while many others are sent and answered, at first more and more of them at one time. */
static void test_many_requests(void **state)
{
    enum { ROUNDS = 300 };
    char text[64];
    int sent = 0;
    int answered = 0;

    (void)state;
    request("{\"id\":\"waits\",\"method\":\"block.wait\"}");
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < round % 7 + 3; i++) {
            snprintf(text, sizeof text, "{\"id\":%d,\"method\":\"a\"}", sent++);
            request(text);
        }
        for (int i = 0; i < round % 5 + 2 && answered < sent; i++) {
            snprintf(text, sizeof text, "{\"id\":%d,\"result\":{}}", answered++);
            answer(text);
        }
        assert_int_equal(cli_unanswered_count(&pending), 1 + sent - answered);
    }
    while (answered < sent) {
        snprintf(text, sizeof text, "{\"id\":%d,\"result\":{}}", answered++);
        answer(text);
    }
    assert_int_equal(cli_unanswered_count(&pending), 1);
    assert_string_equal(pending.entries[pending.first].id, "\"waits\"");
    answer("{\"id\":\"waits\",\"error\":{}}");
    assert_int_equal(cli_unanswered_count(&pending), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_requests_that_are_followed, tear_down),
        cmocka_unit_test_teardown(test_messages_that_are_no_answer, tear_down),
        cmocka_unit_test_teardown(test_calls_that_may_wait, tear_down),
        cmocka_unit_test_teardown(test_many_requests, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
