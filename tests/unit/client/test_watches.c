/* Watches and waits, against a daemon that sends events by a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "client_fixture.h"

#define EVENT(method, params) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params "}\n"
#define CHANGED(block, offset, size) \
    EVENT("block.changed", "{\"watch\":5,\"block\":" block ",\"offset\":" offset ",\"size\":" size "}")

enum { EVENTS_MAXIMUM = 2048 };

/* What the watcher was called with. */
static struct {
    struct umem_event event[EVENTS_MAXIMUM];
    size_t count;
    int pings; /* how many calls it is to make itself */
} delivered_events;

static void on_event(const struct umem_event *event, void *context)
{
    assert_ptr_equal(context, &delivered_events);
    assert_true(delivered_events.count < EVENTS_MAXIMUM);
    delivered_events.event[delivered_events.count++] = *event;
    if (delivered_events.pings > 0) {
        delivered_events.pings--;
        assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    }
}

static void start(const struct fake_step *steps, size_t count)
{
    memset(&delivered_events, 0, sizeof delivered_events);
    fixture_begin(steps, count, (struct umem_options){.timeout_ms = 10000});
}

#define START(steps) start(steps, sizeof(steps) / sizeof((steps)[0]))

static void watch_everything(void)
{
    uint64_t watch = 0;

    assert_int_equal(umem_session_watch(fixture.client, NULL, on_event, &delivered_events, &watch), UMEM_OK);
    assert_int_equal(watch, 5);
}

static void poll_for(uint32_t timeout_ms, size_t expected)
{
    size_t delivered = 77;

    assert_int_equal(umem_poll(fixture.client, timeout_ms, &delivered), UMEM_OK);
    assert_int_equal(delivered, expected);
}

/* Events that come together with answers are kept for umem_poll(); those of other watches are passed over. */
static void test_kinds(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"watch\":5}") CHANGED("7", "8", "4") EVENT(
             "block.freed", "{\"watch\":5,\"block\":7}") EVENT("heap.destroyed", "{\"watch\":5,\"heap\":9}")},
        {.text = EVENT("watch.overflow", "{\"watch\":5}") EVENT("block.freed", "{\"watch\":6,\"block\":7}")
             EVENT("block.freed", "[]") EVENT("newer.event", "{\"watch\":5}") RESULT("2", "{}")},
    };

    (void)state;
    START(steps);
    poll_for(0, 0);
    watch_everything();
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    assert_int_equal(delivered_events.count, 0);
    poll_for(0, 4);
    poll_for(0, 0);
    assert_int_equal(delivered_events.count, 4);
    assert_int_equal(delivered_events.event[0].kind, UMEM_EVENT_CHANGED);
    assert_true(delivered_events.event[0].block == 7 && delivered_events.event[0].offset == 8 &&
                delivered_events.event[0].size == 4);
    assert_int_equal(delivered_events.event[1].kind, UMEM_EVENT_FREED);
    assert_int_equal(delivered_events.event[2].kind, UMEM_EVENT_HEAP_DESTROYED);
    assert_true(delivered_events.event[2].heap == 9 && delivered_events.event[2].block == 0);
    assert_int_equal(delivered_events.event[3].kind, UMEM_EVENT_OVERFLOW);
    fixture_end();
}

static void test_changes_are_joined(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"watch\":5}") CHANGED("7", "8", "4") CHANGED("7", "0", "2")
             CHANGED("7", "20", "1") CHANGED("8", "0", "1") CHANGED("7", "0", "1")},
    };

    (void)state;
    START(steps);
    watch_everything();
    poll_for(10000, 3);
    assert_true(delivered_events.event[0].block == 7 && delivered_events.event[0].offset == 0 &&
                delivered_events.event[0].size == 21);
    assert_true(delivered_events.event[1].block == 8);
    assert_true(delivered_events.event[2].block == 7 && delivered_events.event[2].size == 1);
    fixture_end();
}

/* More than is kept: what is kept, then one overflow; and then all is as before. */
static void test_overflow(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"watch\":5}")},
        {.text = CHANGED("7", "0", "1") CHANGED("8", "0", "1"), .repeat = 700},
        {.text = RESULT("2", "{}") RESULT("3", "{}") CHANGED("9", "0", "1")},
    };

    (void)state;
    START(steps);
    watch_everything();
    umem_set_timeout(fixture.client, 300);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_E_DEADLINE);
    umem_set_timeout(fixture.client, 10000);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    while (delivered_events.count < 1025)
        assert_int_equal(umem_poll(fixture.client, 10000, NULL), UMEM_OK);
    assert_int_equal(delivered_events.event[1023].kind, UMEM_EVENT_CHANGED);
    assert_int_equal(delivered_events.event[1024].kind, UMEM_EVENT_OVERFLOW);
    fixture_end();
}

/* A watcher may use the client; what comes then is for the next time. */
static void test_calls_of_a_watcher(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"watch\":5}") CHANGED("7", "0", "1")},
        {.text = CHANGED("8", "0", "1") RESULT("2", "{}")},
    };

    (void)state;
    START(steps);
    watch_everything();
    delivered_events.pings = 1;
    poll_for(10000, 1);
    poll_for(10000, 1);
    assert_int_equal(delivered_events.event[1].block, 8);
    fixture_end();
}

static void test_unwatch(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"watch\":5}") CHANGED("7", "0", "1")},
        {.text = CHANGED("8", "0", "1") RESULT("2", "{}") CHANGED("9", "0", "1")},
    };

    (void)state;
    START(steps);
    watch_everything();
    assert_int_equal(umem_session_unwatch(fixture.client, 5), UMEM_OK);
    poll_for(20, 0);
    assert_int_equal(umem_session_unwatch(fixture.client, 0), UMEM_E_BAD_ARGUMENT);
    fixture_end();
}

/* Events that came before the connection's end are delivered before the end is reported. */
static void test_lost(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"watch\":5}") CHANGED("7", "0", "1"), .hang_up = 1},
        {.text = RESULT("2", "{}") CHANGED("7", "0", "1")},
    };

    (void)state;
    START(steps);
    watch_everything();
    poll_for(10000, 1);
    assert_int_equal(umem_poll(fixture.client, 10000, NULL), UMEM_E_CONNECTION_LOST);
    assert_int_equal(umem_poll(fixture.client, 0, NULL), UMEM_E_CONNECTION_LOST);
    assert_string_equal(umem_last_error(fixture.client)->name, "connection_lost");
    /* A watch ends with its connection. */
    assert_int_equal(umem_connect(fixture.client), UMEM_OK);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    poll_for(20, 0);
    fixture_end();
}

static void test_bad_watches(void **state)
{
    static const char *const answers[] = {RESULT("1", "{}"), RESULT("1", "{\"watch\":-1}"),
                                          RESULT("1", "{\"watch\":null}")};

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct fake_step steps[] = {{.text = answers[i]}};
        uint64_t watch = 77;

        START(steps);
        assert_int_equal(umem_session_watch(fixture.client, NULL, on_event, &delivered_events, &watch),
                         UMEM_E_BAD_ANSWER);
        assert_int_equal(watch, 77);
        fixture_end();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),       cmocka_unit_test(test_changes_are_joined),
        cmocka_unit_test(test_overflow),    cmocka_unit_test(test_calls_of_a_watcher),
        cmocka_unit_test(test_unwatch),     cmocka_unit_test(test_lost),
        cmocka_unit_test(test_bad_watches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
