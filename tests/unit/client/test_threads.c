/* One client, several threads, and what must not stop or crash between them. The daemon answers by a script; the preset tsan runs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "client_fixture.h"
#include "lib/connection/client.h"

#define EVENT "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":5,\"block\":7}}\n"

enum {
    LOOKS_MAXIMUM = 100000000,
    EVENTS_BETWEEN = 2000 /* more than one read takes */
};

#define OTHERS_EVENT "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":6,\"block\":7}}\n"

static bool is_reading(const umem_client *client)
{
    return client->is_reading;
}

static bool has_waiter(const umem_client *client)
{
    return client->waiters != NULL;
}

/* Looks until another thread has come to where it is to be. */
static void look_until(bool (*holds)(const umem_client *client))
{
    bool held = false;

    for (int i = 0; i < LOOKS_MAXIMUM && !held; i++) {
        um_mutex_lock(fixture.client->lock);
        held = holds(fixture.client);
        um_mutex_unlock(fixture.client->lock);
        uv_sleep(0);
    }
    assert_true(held);
}

/* ---- a watcher that waits for another thread's call ---- */

static struct {
    uv_thread_t polling;
    uv_thread_t calling;
    uv_sem_t is_called; /* the watcher is */
    uv_sem_t is_over;   /* the other thread's call is */
    int poll_code;
    int call_code;
} threads;

static void on_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
    uv_sem_post(&threads.is_called);
    uv_sem_wait(&threads.is_over);
}

static void run_poll(void *context)
{
    (void)context;
    threads.poll_code = umem_poll(fixture.client, UMEM_FOREVER, NULL);
}

static void run_call(void *context)
{
    (void)context;
    threads.call_code = umem_server_ping(fixture.client);
    uv_sem_post(&threads.is_over);
}

static void test_a_watcher_that_waits_for_a_call(void **state)
{
    static char text[sizeof EVENT + EVENTS_BETWEEN * sizeof OTHERS_EVENT + 256];
    static const struct fake_step steps[] = {
        {.text = RESULT("1", "{\"watch\":5}")},
        {.text = NULL},
        {.text = text},
    };
    umem_calls *calls;
    uint64_t watch = 0;
    size_t size = (size_t)snprintf(text, sizeof text, "%s", EVENT);

    (void)state;
    for (int i = 0; i < EVENTS_BETWEEN; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s", OTHERS_EVENT);
    snprintf(text + size, sizeof text - size, "%s", RESULT("2", "{}") RESULT("3", "{}"));
    BEGIN(steps, .timeout_ms = 60000);
    assert_int_equal(umem_session_watch(fixture.client, NULL, on_event, NULL, &watch), UMEM_OK);
    assert_int_equal(uv_sem_init(&threads.is_called, 0), 0);
    assert_int_equal(uv_sem_init(&threads.is_over, 0), 0);
    assert_int_equal(uv_thread_create(&threads.polling, run_poll, NULL), 0);
    look_until(is_reading);
    assert_int_equal(uv_thread_create(&threads.calling, run_call, NULL), 0);
    look_until(has_waiter);
    calls = umem_calls_new(fixture.client, UMEM_PIPELINE);
    assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_calls_send(calls), UMEM_OK);
    /* The watcher is in the thread that has read until now; so the calling thread must read the remaining bytes. */
    uv_sem_wait(&threads.is_called);
    uv_thread_join(&threads.calling);
    uv_thread_join(&threads.polling);
    assert_int_equal(threads.call_code, UMEM_OK);
    assert_int_equal(threads.poll_code, UMEM_OK);
    assert_int_equal(umem_collect_all(calls), UMEM_OK);
    umem_calls_free(calls);
    uv_sem_destroy(&threads.is_called);
    uv_sem_destroy(&threads.is_over);
    fixture_end();
}

/* ---- events for a watch that was requested while the connection was renewed ---- */

static void test_events_without_a_row(void **state)
{
    struct um_event_watch *watch = calloc(1, sizeof *watch);
    char text[] = EVENT;
    struct um_event_queue events = {.watches = NULL};
    struct um_arena arena = {NULL, 0, NULL};
    struct um_answer notification;
    struct umem_event event;
    umem_watcher *watcher;
    void *context;
    const char *what;

    (void)state;
    assert_non_null(watch);
    watch->id = 5;
    watch->watcher = on_event;
    assert_int_equal(um_event_queue_prepare(&events), UMEM_OK);
    um_event_queue_clear(&events);
    um_event_queue_add_watch(&events, watch);
    assert_int_equal(um_answer_read(text, strlen(text), &arena, &notification, &what), UMEM_OK);
    um_event_queue_push(&events, &notification);
    assert_true(um_event_queue_pop(&events, &event, &watcher, &context));
    assert_int_equal(event.kind, UMEM_EVENT_FREED);
    assert_int_equal(event.block, 7);
    assert_false(um_event_queue_pop(&events, &event, &watcher, &context));
    um_event_queue_clear(&events);
    um_arena_deinit(&arena);
}

/* ---- deadlines and what is taken back ---- */

/* A daemon that never stops talking does not keep a call past its deadline. */
static void test_deadline_while_the_daemon_talks(void **state)
{
    enum { MORE_WITHIN_MS = 5000 };
    static const struct fake_step steps[] = {{.text = EVENT, .repeat = 500000}};
    umem_calls *calls;

    (void)state;
    BEGIN(steps);
    calls = umem_calls_new(fixture.client, UMEM_PIPELINE);
    assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_calls_send(calls), UMEM_OK);
    um_mutex_lock(fixture.client->lock);
    assert_int_equal(um_client_read(fixture.client, UM_NO_DEADLINE), UMEM_OK);
    um_mutex_unlock(fixture.client->lock);
    umem_set_timeout(fixture.client, 5);
    assert_int_equal(umem_collect(calls), UMEM_E_DEADLINE);
    /* Reads the messages that are still unread. */
    um_mutex_lock(fixture.client->lock);
    assert_int_equal(um_client_read(fixture.client, um_transport_now_ms() + MORE_WITHIN_MS), UMEM_OK);
    um_mutex_unlock(fixture.client->lock);
    umem_calls_free(calls);
    fixture_end();
}

/* A lock call that was cancelled is not waited for, however long others hold the lock. */
static void test_a_lock_that_is_taken_back(void **state)
{
    static const struct fake_step steps[] = {
        {.text = NULL},
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32800,\"message\":\"m\"}}\n"},
        {.text = RESULT("2", "{}")},
    };
    umem_calls *calls;

    (void)state;
    BEGIN(steps);
    calls = umem_calls_new(fixture.client, UMEM_PIPELINE);
    assert_int_equal(umem_submit_heap_lock(calls, 1, UMEM_FOREVER), UMEM_OK);
    assert_int_equal(umem_calls_send(calls), UMEM_OK);
    umem_calls_free(calls);
    assert_true(umem_is_connected(fixture.client));
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    fixture_end();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_watcher_that_waits_for_a_call),
        cmocka_unit_test(test_events_without_a_row),
        cmocka_unit_test(test_deadline_while_the_daemon_talks),
        cmocka_unit_test(test_a_lock_that_is_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
