/*
 * Calls on a loop, their deadlines above all: when the timer is set, and for what, and what happens when it comes. The clock and the
 * timer are the test's own, so that no test waits for them; the daemon answers by a script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "fake_daemon.h"
#include "test_process.h"
#include "uv/uv_client.h"

enum { TIMEOUT_MS = 1000, ENDS_MAXIMUM = 16 };

#define RESULT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}\n"
#define FAILURE(id, error) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":" error "}\n"
#define EVENT(block) \
    "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":5,\"block\":" block "}}\n"

uint64_t fake_uv_hrtime(void);
int fake_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_due, uint64_t timeout_ms, uint64_t repeat_ms);
int fake_uv_timer_stop(uv_timer_t *timer);

/* The clock, and the one timer. */
static struct {
    uint64_t now_ms;
    bool is_set;
    uint64_t due_ms;
    uv_timer_cb on_due;
} fake;

uint64_t fake_uv_hrtime(void)
{
    return fake.now_ms * 1000000;
}

int fake_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_due, uint64_t timeout_ms, uint64_t repeat_ms)
{
    (void)timer;
    assert_int_equal(repeat_ms, 0);
    fake.is_set = true;
    fake.due_ms = fake.now_ms + timeout_ms;
    fake.on_due = on_due;
    return 0;
}

int fake_uv_timer_stop(uv_timer_t *timer)
{
    (void)timer;
    fake.is_set = false;
    return 0;
}

/* How one call has ended. */
struct end {
    const char *call; /* its name in the test */
    int code;
    char message[128];
    char data[256];
};

static struct {
    struct fake_daemon daemon;
    uv_loop_t loop;
    umem_uv *client;
    struct end ends[ENDS_MAXIMUM];
    size_t end_count;
    umem_handle events[ENDS_MAXIMUM]; /* the blocks of the events received */
    size_t event_count;
    bool is_closed;
} fixture;

static void on_done(umem_uv *client, const struct umem_failure *failure, void *context)
{
    struct end *end = &fixture.ends[fixture.end_count++];

    (void)client;
    assert_true(fixture.end_count <= ENDS_MAXIMUM);
    end->call = context;
    end->code = failure->code;
    snprintf(end->message, sizeof end->message, "%s", failure->message);
    snprintf(end->data, sizeof end->data, "%s", failure->data);
}

static void on_closed(void *context)
{
    (void)context;
    fixture.is_closed = true;
}

static void on_event(const struct umem_event *event, void *context)
{
    (void)context;
    assert_true(fixture.event_count < ENDS_MAXIMUM);
    fixture.events[fixture.event_count++] = event->block;
}

/* Runs the loop until so many calls have ended. */
static void run_until_ended(size_t count)
{
    while (fixture.end_count < count)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.end_count, count);
}

/* Runs the loop until everything is written. */
static void run_until_written(void)
{
    const struct um_request *request = fixture.client->channel.first;

    while (request != NULL) {
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        request = fixture.client->channel.first;
        while (request != NULL && !((const struct um_uv_call *)(const void *)request)->is_writing)
            request = request->next;
    }
}

static void begin(const struct fake_step *steps, size_t count, uint32_t timeout_ms)
{
    struct umem_uv_options options = {.timeout_ms = timeout_ms};

    memset(&fixture, 0, sizeof fixture);
    memset(&fake, 0, sizeof fake);
    fake.now_ms = 1000000;
    fake_daemon_start(&fixture.daemon, steps, count);
    assert_int_equal(uv_loop_init(&fixture.loop), 0);
    options.pipe = fixture.daemon.pipe;
    fixture.client = umem_uv_new(&fixture.loop, &options);
    assert_non_null(fixture.client);
    assert_int_equal(umem_uv_connect(fixture.client, on_done, "connect"), UMEM_OK);
    run_until_ended(1);
    assert_int_equal(fixture.ends[0].code, UMEM_OK);
    fixture.end_count = 0;
}

#define BEGIN(steps, timeout_ms) begin(steps, sizeof(steps) / sizeof((steps)[0]), timeout_ms)

static void end(void)
{
    umem_uv_close(fixture.client, on_closed, NULL);
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    assert_true(fixture.is_closed);
    assert_int_equal(uv_loop_close(&fixture.loop), 0);
    fake_daemon_stop(&fixture.daemon);
}

static umem_calls *call(const char *name)
{
    return umem_uv_call(fixture.client, on_done, (void *)(uintptr_t)name);
}

static void ping(const char *name)
{
    assert_int_equal(umem_submit_call(call(name), "server.ping", NULL, NULL), UMEM_OK);
}

static void wait_for(const char *name, uint32_t timeout_ms)
{
    const uint8_t zero = 0;

    assert_int_equal(umem_submit_block_wait(call(name), 1, 0, UMEM_TYPE_U8, &zero, timeout_ms, NULL),
                     UMEM_OK);
}

static void expect_end(size_t index, const char *name, int code)
{
    assert_true(index < fixture.end_count);
    assert_string_equal(fixture.ends[index].call, name);
    assert_int_equal(fixture.ends[index].code, code);
}

/* The timer comes after so many milliseconds: it does. */
static void expect_timer(uint64_t after_ms)
{
    assert_true(fake.is_set);
    assert_int_equal(fake.due_ms - fake.now_ms, after_ms);
    fake.now_ms = fake.due_ms;
    fake.is_set = false;
    fake.on_due(&fixture.client->timer);
}

/* ---- deadlines ---- */

/* The timer is set for the first that comes; what comes later is next. */
static void test_one_after_the_other(void **state)
{
    static const struct fake_step steps[] = {{.text = NULL}, {.text = NULL}, {.text = NULL}, {.text = NULL}};

    (void)state;
    BEGIN(steps, TIMEOUT_MS);
    assert_false(fake.is_set);
    wait_for("long", 300);
    wait_for("for ever", UMEM_FOREVER);
    fake.now_ms += 200;
    ping("short");
    run_until_written();
    expect_timer(TIMEOUT_MS);
    assert_int_equal(fixture.end_count, 1);
    expect_end(0, "short", UMEM_E_DEADLINE);
    assert_string_equal(fixture.ends[0].message, "the daemon did not answer in time");
    /* One millisecond too early, as a loop's own time may be, is not yet. */
    assert_true(fake.is_set);
    assert_int_equal(fake.due_ms - fake.now_ms, 100);
    fake.now_ms += 99;
    fake.on_due(&fixture.client->timer);
    assert_int_equal(fixture.end_count, 1);
    expect_timer(1);
    assert_int_equal(fixture.end_count, 2);
    expect_end(1, "long", UMEM_E_DEADLINE);
    /* The one without an end needs no timer. */
    assert_false(fake.is_set);
    end();
    expect_end(2, "for ever", UMEM_E_CONNECTION_LOST);
}

/* The timer may come when all has been answered. */
static void test_in_time(void **state)
{
    static const struct fake_step steps[] = {{.text = RESULT("1", "{}")}};

    (void)state;
    BEGIN(steps, TIMEOUT_MS);
    ping("a");
    run_until_ended(1);
    expect_end(0, "a", UMEM_OK);
    expect_timer(TIMEOUT_MS);
    assert_false(fake.is_set);
    assert_int_equal(fixture.end_count, 1);
    end();
    BEGIN(steps, 0);
    ping("a");
    assert_false(fake.is_set);
    run_until_ended(1);
    end();
}

/* When a wait's deadline passes, the client cancels the pending call, and no other call. */
static void test_a_wait_is_cancelled(void **state)
{
    static const struct fake_step steps[] = {
        {.text = NULL},
        {.text = NULL},
        {.text = FAILURE("2", "{\"code\":-32800,\"message\":\"m\"}")},
        {.text = RESULT("3", "{}") RESULT("1", "{}")},
    };
    const char *found;

    (void)state;
    BEGIN(steps, TIMEOUT_MS);
    ping("a");
    wait_for("b", 0);
    run_until_written();
    expect_timer(TIMEOUT_MS);
    expect_end(0, "a", UMEM_E_DEADLINE);
    expect_end(1, "b", UMEM_E_DEADLINE);
    /* What comes too late is passed over. */
    ping("c");
    run_until_ended(3);
    expect_end(2, "c", UMEM_OK);
    end();
    found = strstr(fixture.daemon.received, "$/cancelRequest\",\"params\":{\"id\":2}}");
    assert_non_null(found);
    assert_null(strstr(found + 1, "$/cancelRequest"));
}

/* A lock granted after the deadline would remain: so the connection is closed, and all calls on it end. */
static void test_a_lock_that_comes_too_late(void **state)
{
    static const struct fake_step steps[] = {{.text = NULL}, {.text = NULL}};

    (void)state;
    BEGIN(steps, TIMEOUT_MS);
    assert_int_equal(umem_submit_heap_lock(call("lock"), 1, 0), UMEM_OK);
    fake.now_ms += 10;
    ping("after it");
    run_until_written();
    expect_timer(TIMEOUT_MS - 10);
    run_until_ended(2);
    expect_end(0, "lock", UMEM_E_DEADLINE);
    expect_end(1, "after it", UMEM_E_DEADLINE);
    assert_int_equal(umem_submit_heap_unlock(call("none"), 1), UMEM_E_NOT_CONNECTED);
    end();
}

/* Raw bytes have begun to come to the caller's memory: nothing may write there after the callback. */
static void test_deadline_within_a_payload(void **state)
{
    static const struct fake_step steps[] = {{.text =
                                                  "Content-Length: 44\r\nPayload-Length: 4\r\n\r\n"
                                                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":4}}ab",
                                              .as_it_is = 1}};
    char bytes[4];

    (void)state;
    BEGIN(steps, TIMEOUT_MS);
    assert_int_equal(umem_submit_block_read(call("read"), 1, 0, bytes, sizeof bytes), UMEM_OK);
    while (fixture.client->channel.receiving == NULL)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    expect_timer(TIMEOUT_MS);
    run_until_ended(1);
    expect_end(0, "read", UMEM_E_DEADLINE);
    end();
}

/* How long connecting may take, which the thread pool looks at. */
static void test_connecting(void **state)
{
    static const struct fake_step steps[] = {{.text = NULL}};

    (void)state;
    BEGIN(steps, TIMEOUT_MS);
    assert_int_equal(fixture.client->connect_deadline_ms, fake.now_ms + TIMEOUT_MS);
    end();
    BEGIN(steps, 0);
    assert_true(fixture.client->connect_deadline_ms == UM_NO_DEADLINE);
    end();
}

/* ---- failures ---- */

/* A callback receives the daemon's whole error, and the next callback nothing of it. */
static void test_failures(void **state)
{
    static const struct fake_step steps[] = {
        {.text = FAILURE(
             "1",
             "{\"code\":-32001,\"message\":\"none\",\"data\":{\"name\":\"unknown_handle\",\"block\":7}}")},
        {.text = RESULT("2", "{}")},
        {.text = FAILURE("3", "{\"code\":-32005,\"message\":\"many\"}")},
    };
    uint64_t watch = 77;

    (void)state;
    BEGIN(steps, 0);
    assert_int_equal(umem_submit_block_free(call("refused"), 0), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_uv_last_error(fixture.client)->code, UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_submit_block_free(call("free"), 7), UMEM_OK);
    assert_int_equal(umem_uv_last_error(fixture.client)->code, UMEM_OK);
    assert_string_equal(umem_uv_last_error(fixture.client)->message, "");
    run_until_ended(1);
    expect_end(0, "free", UMEM_E_UNKNOWN_HANDLE);
    assert_string_equal(fixture.ends[0].message, "none");
    assert_string_equal(fixture.ends[0].data, "{\"name\":\"unknown_handle\",\"block\":7}");
    ping("ping");
    run_until_ended(2);
    expect_end(1, "ping", UMEM_OK);
    assert_string_equal(fixture.ends[1].message, "");
    assert_string_equal(fixture.ends[1].data, "{}");
    assert_int_equal(umem_uv_watch(fixture.client, NULL, on_event, NULL, &watch, on_done, "watch"), UMEM_OK);
    run_until_ended(3);
    expect_end(2, "watch", UMEM_E_LIMIT_EXCEEDED);
    assert_int_equal(watch, 77);
    end();
}

/* Each call has its own callback and context, and may have none. */
static void test_callbacks(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{}")}, {.text = RESULT("2", "{}")}, {.text = RESULT("3", "{}")}};

    (void)state;
    BEGIN(steps, 0);
    ping("first");
    assert_int_equal(umem_uv_last_call(fixture.client), 1);
    assert_int_equal(umem_submit_call(umem_uv_call(fixture.client, NULL, NULL), "server.ping", NULL, NULL),
                     UMEM_OK);
    ping("third");
    assert_int_equal(umem_uv_last_call(fixture.client), 3);
    run_until_ended(2);
    expect_end(0, "first", UMEM_OK);
    expect_end(1, "third", UMEM_OK);
    end();
}

/* ---- watches ---- */

/* All received events are delivered at once; and none after the watch has ended. */
static void test_events(void **state)
{
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"watch\":5}") EVENT("7") EVENT("8")},
        {.text = EVENT("9") RESULT("2", "{}")},
        {.text = EVENT("10") RESULT("3", "{}")},
    };
    uint64_t watch = 0;

    (void)state;
    BEGIN(steps, 0);
    assert_int_equal(umem_uv_watch(fixture.client, NULL, on_event, NULL, &watch, on_done, "watch"), UMEM_OK);
    run_until_ended(1);
    assert_int_equal(watch, 5);
    while (fixture.event_count < 2)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.events[0], 7);
    assert_int_equal(fixture.events[1], 8);
    assert_int_equal(umem_uv_unwatch(fixture.client, watch, on_done, "unwatch"), UMEM_OK);
    run_until_ended(2);
    ping("ping");
    run_until_ended(3);
    assert_int_equal(fixture.event_count, 2);
    end();
    assert_non_null(
        strstr(fixture.daemon.received, "\"method\":\"session.unwatch\",\"params\":{\"watch\":5}"));
}

/* ---- the end ---- */

/* A request that is still being written when its client is closed is reported once, and freed. */
static void test_closing_while_writing(void **state)
{
    enum { SIZE = 8 << 20 };
    static char bytes[SIZE];
    static const struct fake_step steps[] = {{.text = NULL}};

    (void)state;
    BEGIN(steps, TIMEOUT_MS);
    assert_int_equal(umem_submit_block_write(call("write"), 1, 0, bytes, SIZE), UMEM_OK);
    assert_true(((struct um_uv_call *)(void *)fixture.client->channel.first)->is_writing);
    end();
    assert_int_equal(fixture.end_count, 1);
    expect_end(0, "write", UMEM_E_CONNECTION_LOST);
    assert_string_equal(fixture.ends[0].message, "umem_uv_close() closed the connection");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_in_time),
        cmocka_unit_test(test_a_wait_is_cancelled),
        cmocka_unit_test(test_a_lock_that_comes_too_late),
        cmocka_unit_test(test_deadline_within_a_payload),
        cmocka_unit_test(test_connecting),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_closing_while_writing),
    };

    pipe_may_break();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
