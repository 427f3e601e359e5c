/* The client library's calls for what clients share: sizes, comparing, numbers, waits, locks, holds, sessions, watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"

static umem_handle alloc(umem_client *client, uint64_t size)
{
    umem_handle block = 0;

    ok(client, umem_block_alloc(client, size, NULL, &block));
    return block;
}

static void test_heaps(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_client *other = daemon_connect(*state);
    struct umem_heap_info info;
    struct umem_block_options on_heap = {0};
    umem_handle heap = 0;
    umem_handle block = 0;
    uint64_t largest_free = 0;

    ok(client, umem_heap_create(client, NULL, &heap));
    on_heap.heap = heap;
    ok(client, umem_block_alloc(client, 8, &on_heap, &block));
    ok(client, umem_heap_validate(client, heap, 0));
    ok(client, umem_heap_validate(client, heap, block));
    ok(client, umem_heap_validate(client, UMEM_PROCESS_HEAP, 0));
    ok(client, umem_heap_compact(client, heap, &largest_free));
    ok(client, umem_heap_lock(client, heap, 0));
    ok(client, umem_heap_lock(client, heap, UMEM_FOREVER));
    ok(client, umem_heap_info(other, heap, &info));
    assert_true(info.locked);
    assert_string_equal(info.owner.program[0] != '\0' ? "known" : "", "known");
    assert_int_equal(umem_heap_lock(other, heap, 0), UMEM_E_LOCKED);
    assert_int_equal(umem_heap_lock(other, heap, 10), UMEM_E_TIMEOUT);
    assert_int_equal(umem_block_free(other, block), UMEM_E_LOCKED);
    assert_int_equal(umem_heap_unlock(other, heap), UMEM_E_DENIED);
    ok(client, umem_heap_unlock(client, heap));
    ok(client, umem_heap_unlock(client, heap));
    ok(other, umem_heap_lock(other, heap, 10000));
    umem_client_free(other);
    /* A lock ends with its connection. */
    ok(client, umem_heap_lock(client, heap, 10000));
    ok(client, umem_heap_unlock(client, heap));
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client);
}

static void test_bytes(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle left = alloc(client, 8);
    umem_handle right = alloc(client, 4);
    uint64_t offset = 0;
    char bytes[13] = "";

    ok(client, umem_block_write(client, left, 0, "abcdefgh", 8));
    ok(client, umem_block_resize(client, left, 12, 0));
    ok(client, umem_block_read(client, left, 0, bytes, 12));
    assert_memory_equal(bytes, "abcdefgh\0\0\0\0", 12);
    ok(client, umem_block_fill(client, left, 8, 'x', UMEM_TO_END));
    assert_int_equal(umem_block_fill(client, left, 8, 'y', 5), UMEM_E_OUT_OF_RANGE);
    ok(client, umem_block_read(client, left, 6, bytes, 6));
    assert_memory_equal(bytes, "ghxxxx", 6);
    ok(client, umem_block_write(client, right, 0, "cdeX", 4));
    ok(client, umem_block_compare(client, left, 2, right, 0, 3, &offset));
    assert_true(offset == UMEM_NONE);
    ok(client, umem_block_compare(client, left, 2, right, 0, 4, &offset));
    assert_int_equal(offset, 3);
    ok(client, umem_block_find(client, left, 1, "gh", 2, &offset));
    assert_int_equal(offset, 6);
    ok(client, umem_block_find(client, left, 7, "gh", 2, &offset));
    assert_true(offset == UMEM_NONE);
    assert_int_equal(umem_block_find(client, left, 13, "gh", 2, &offset), UMEM_E_OUT_OF_RANGE);
    umem_client_free(client);
}

/* What is looked for, and what comes as text, has a bound of its own. */
static void test_bounds_of_one_call(void **state)
{
    enum { NEEDLE_LIMIT = 1 << 20 };
    umem_client *client = daemon_connect(*state);
    umem_handle block = alloc(client, NEEDLE_LIMIT + 1);
    unsigned char *needle = calloc(1, NEEDLE_LIMIT + 1);
    uint64_t offset = 1;

    assert_non_null(needle);
    ok(client, umem_block_find(client, block, 0, needle, NEEDLE_LIMIT, &offset));
    assert_int_equal(offset, 0);
    assert_int_equal(umem_block_find(client, block, 0, needle, NEEDLE_LIMIT + 1, &offset),
                     UMEM_E_INVALID_PARAMS);
    ok(client, umem_block_find(client, block, 7, needle, 0, &offset));
    assert_int_equal(offset, 7);
    free(needle);
    umem_client_free(client);
}

static void test_floating_point_is_added(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle block = alloc(client, 16);
    const double step = 0.5;
    const float small = -0.25F;
    double after = 0;
    float before = 1;

    ok(client, umem_block_add(client, block, 0, UMEM_TYPE_F64, &step, NULL, NULL));
    ok(client, umem_block_add(client, block, 0, UMEM_TYPE_F64, &step, NULL, &after));
    assert_true(after >= 1 && after <= 1);
    ok(client, umem_block_add(client, block, 8, UMEM_TYPE_F32, &small, NULL, NULL));
    ok(client, umem_block_add(client, block, 8, UMEM_TYPE_F32, &small, &before, NULL));
    assert_true(before >= small && before <= small);
    umem_client_free(client);
}

static void test_numbers(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle block = alloc(client, 16);
    const int64_t step = -3;
    int64_t before = 1;
    int64_t after = 1;
    const uint64_t large = UINT64_MAX;
    const uint64_t one = 1;
    uint64_t old = 1;
    const uint8_t byte = 7;
    uint8_t now = 0;
    bool exchanged = true;

    ok(client, umem_block_add(client, block, 0, UMEM_TYPE_I64, &step, &before, &after));
    assert_true(before == 0 && after == -3);
    ok(client, umem_block_exchange(client, block, 8, UMEM_TYPE_U64, &large, NULL, &old, &exchanged));
    assert_true(old == 0 && exchanged);
    ok(client, umem_block_add(client, block, 8, UMEM_TYPE_U64, &one, &old, NULL));
    assert_true(old == UINT64_MAX);
    ok(client, umem_block_exchange(client, block, 8, UMEM_TYPE_U64, &large, &large, &old, &exchanged));
    assert_true(old == 0 && !exchanged);
    ok(client, umem_block_wait(client, block, 8, UMEM_TYPE_U8, &byte, UMEM_FOREVER, &now));
    assert_int_equal(now, 0);
    assert_int_equal(umem_block_wait(client, block, 8, UMEM_TYPE_U8, &now, 10, NULL), UMEM_E_TIMEOUT);
    assert_int_equal(umem_block_add(client, block, 9, UMEM_TYPE_I64, &step, NULL, NULL), UMEM_E_OUT_OF_RANGE);
    umem_client_free(client);
}

static void test_lives(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_client *other = daemon_connect(*state);
    const enum umem_lifetime session = UMEM_LIFETIME_SESSION;
    struct umem_block_info info;
    umem_handle block = alloc(client, 4);
    umem_handle found = 0;
    uint64_t holders = 0;

    ok(other, umem_block_hold(other, block, &holders));
    assert_int_equal(holders, 2);
    ok(other, umem_block_hold(other, block, &holders));
    assert_int_equal(holders, 2);
    ok(client, umem_block_release(client, block, &holders));
    assert_int_equal(holders, 1);
    assert_int_equal(umem_block_free_orphan(client, block), UMEM_E_DENIED);
    ok(client, umem_block_change(client, block, "named", NULL, &info));
    assert_string_equal(info.name, "named");
    ok(other, umem_block_at(other, info.address, &found));
    assert_true(found == block);
    ok(other, umem_block_release(other, block, NULL));
    ok(client, umem_block_change(client, block, "", &session, &info));
    assert_string_equal(info.name, "");
    assert_int_equal(info.lifetime, UMEM_LIFETIME_SESSION);
    umem_client_free(client);
    umem_client_free(other);
}

/* ---- sessions ---- */

struct sessions {
    uint64_t self;
    int count;
    bool has_self;
};

static int on_session(const struct umem_session_info *session, void *context)
{
    struct sessions *sessions = context;

    sessions->count++;
    if (session->session == sessions->self)
        sessions->has_self = session->pid != 0 && session->program[0] != '\0';
    return 0;
}

static int on_method(const struct umem_method_stats *method, void *context)
{
    struct umem_method_stats *ping = context;
    uint64_t measured = 0;

    for (uint32_t i = 0; i < method->latency_count; i++)
        measured += method->latencies[i].calls;
    assert_int_equal(measured + method->waited, method->calls);
    assert_int_equal(method->latencies[method->latency_count - 1].at_most_us, UMEM_NONE);
    if (strcmp(method->method, "server.ping") == 0)
        *ping = *method;
    return 0;
}

/* What the daemon has counted of calls: by method, session and heap. */
static void test_counted_calls(void **state)
{
    enum { CALLS = 20 };
    umem_client *client = daemon_connect(*state);
    struct umem_method_stats ping = {.calls = 0};
    struct umem_server_stats stats;
    struct umem_session_info session;
    struct umem_heap_info heap;
    umem_handle block = alloc(client, 100);
    char bytes[100];

    for (int i = 0; i < CALLS; i++)
        ok(client, umem_server_ping(client));
    assert_int_equal(umem_block_free(client, 1), UMEM_E_UNKNOWN_HANDLE);
    ok(client, umem_block_read(client, block, 0, bytes, sizeof bytes));
    ok(client, umem_session_info(client, &session));
    assert_int_equal(session.calls, CALLS + 3);
    assert_int_equal(session.errors, 1);
    assert_true(session.bytes_read > CALLS * 20 && session.bytes_written > CALLS * 20);
    assert_true(session.last_used >= session.opened);
    ok(client, umem_heap_info(client, 0, &heap));
    assert_true(heap.calls >= 3 && heap.touched_bytes >= sizeof bytes && heap.last_used >= session.opened);
    ok(client, umem_server_methods(client, on_method, &ping));
    assert_int_equal(ping.calls, CALLS);
    assert_int_equal(ping.errors + ping.waited, 0);
    assert_true(ping.total_us >= ping.longest_us);
    ok(client, umem_server_stats(client, &stats));
    assert_true(stats.resident_bytes > 100000);
    umem_client_free(client);
}

static void test_sessions(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_client *other = daemon_connect(*state);
    struct umem_session_info info;
    struct sessions sessions = {0};
    int code = UMEM_OK;

    alloc(other, 100);
    ok(other, umem_session_info(other, &info));
    assert_int_equal(info.blocks, 1);
    assert_int_equal(info.bytes, 100);
    assert_true(info.opened > 1000000000);
    sessions.self = info.session;
    ok(client, umem_session_list(client, on_session, &sessions));
    assert_int_equal(sessions.count, 2);
    assert_true(sessions.has_self);
    ok(client, umem_session_close(client, info.session));
    assert_int_equal(umem_server_ping(other), UMEM_E_CONNECTION_LOST);
    /* It ends in a moment: closing it once more until then is fine. */
    for (int i = 0; i < 1000 && code == UMEM_OK; i++)
        code = umem_session_close(client, info.session);
    assert_int_equal(code, UMEM_E_UNKNOWN_HANDLE);
    umem_client_free(client);
    umem_client_free(other);
}

/* ---- watches ---- */

static void on_event(const struct umem_event *event, void *context)
{
    struct umem_event *last = context;

    *last = *event;
}

static void test_watches(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_client *other = daemon_connect(*state);
    umem_handle block = alloc(client, 100);
    struct umem_watch_target target = {.block = block, .offset = 10, .size = 10};
    struct umem_event last = {0};
    uint64_t watch = 0;
    size_t delivered = 0;

    ok(client, umem_session_watch(client, &target, on_event, &last, &watch));
    ok(other, umem_block_write(other, block, 0, "0123456789", 10));
    ok(other, umem_block_write(other, block, 15, "0123456789", 10));
    ok(client, umem_poll(client, 10000, &delivered));
    assert_int_equal(delivered, 1);
    assert_int_equal(last.kind, UMEM_EVENT_CHANGED);
    assert_true(last.watch == watch && last.block == block);
    assert_true(last.offset <= 15 && last.offset + last.size >= 20);
    ok(other, umem_block_free(other, block));
    ok(client, umem_poll(client, 10000, &delivered));
    assert_int_equal(last.kind, UMEM_EVENT_FREED);
    ok(client, umem_session_watch(client, NULL, on_event, &last, &watch));
    ok(client, umem_session_unwatch(client, watch));
    assert_int_equal(umem_session_unwatch(client, watch), UMEM_E_UNKNOWN_HANDLE);
    umem_client_free(client);
    umem_client_free(other);
}

/* ---- waiting in one thread while others call, in one client ---- */

struct waiter {
    umem_client *client;
    umem_handle block;
    umem_handle heap;
    int code;
    uint8_t now;
};

static void run_wait(void *context)
{
    struct waiter *waiter = context;
    const uint8_t zero = 0;

    waiter->code =
        umem_block_wait(waiter->client, waiter->block, 0, UMEM_TYPE_U8, &zero, UMEM_FOREVER, &waiter->now);
}

static uint64_t count_requests(umem_client *client)
{
    struct umem_server_stats stats = {0};

    ok(client, umem_server_stats(client, &stats));
    return stats.requests;
}

/* Turns until the daemon has had `wanted` requests beside those that read its counter. */
static void await_requests(umem_client *client, uint64_t before, uint64_t wanted)
{
    for (uint64_t asked = 1; asked < 1000000; asked++) {
        if (count_requests(client) - before - asked >= wanted)
            return;
    }
    fail_msg("the daemon has not had %llu more requests", (unsigned long long)wanted);
}

static void test_waits_among_threads(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct waiter waiters[4];
    uv_thread_t threads[4];
    const uint8_t one = 1;
    uint64_t before;

    for (int i = 0; i < 4; i++)
        waiters[i] = (struct waiter){.client = client, .block = alloc(client, 1)};
    before = count_requests(client);
    for (int i = 0; i < 4; i++)
        assert_int_equal(uv_thread_create(&threads[i], run_wait, &waiters[i]), 0);
    /* One that came only after the new connection would wait there. */
    await_requests(client, before, 4);
    ok(client, umem_block_set(client, waiters[0].block, 0, UMEM_TYPE_U8, &one, 1));
    ok(client, umem_block_free(client, waiters[1].block));
    uv_thread_join(&threads[0]);
    uv_thread_join(&threads[1]);
    assert_int_equal(waiters[0].code, UMEM_OK);
    assert_int_equal(waiters[0].now, 1);
    assert_int_equal(waiters[1].code, UMEM_E_STALE_HANDLE);
    ok(client, umem_server_ping(client));
    /* And those that are left end with the connection. */
    ok(client, umem_connect(client));
    uv_thread_join(&threads[2]);
    uv_thread_join(&threads[3]);
    assert_int_equal(waiters[2].code, UMEM_E_CONNECTION_LOST);
    assert_int_equal(waiters[3].code, UMEM_E_CONNECTION_LOST);
    ok(client, umem_server_ping(client));
    umem_client_free(client);
}

/* A wait that the pipeline submits comes in its order, while others are answered before it. */
static void test_waits_in_a_pipeline(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);
    umem_handle block = alloc(client, 8);
    char params[128];
    const int64_t one = 1;
    int64_t after = 0;

    snprintf(params, sizeof params, "{\"block\":%llu,\"offset\":0,\"value\":0}", (unsigned long long)block);
    ok(client, umem_submit_call(calls, "block.wait", params, NULL));
    ok(client, umem_submit_block_add(calls, block, 0, UMEM_TYPE_I64, &one, NULL, &after));
    ok(client, umem_collect(calls));
    ok(client, umem_collect(calls));
    assert_int_equal(after, 1);
    /* Taken back, and not in the way of what follows. */
    snprintf(params, sizeof params, "{\"block\":%llu,\"offset\":0,\"value\":1}", (unsigned long long)block);
    ok(client, umem_submit_call(calls, "block.wait", params, NULL));
    ok(client, umem_calls_send(calls));
    umem_calls_free(calls);
    ok(client, umem_server_ping(client));
    calls = umem_calls_new(client, UMEM_BATCH);
    ok(client, umem_submit_call(calls, "block.wait", params, NULL));
    assert_int_equal(umem_collect(calls), UMEM_E_UNSUPPORTED);
    umem_calls_free(calls);
    umem_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_heaps, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_bytes, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_bounds_of_one_call, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_floating_point_is_added, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_numbers, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_lives, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_counted_calls, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_sessions, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_watches, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_waits_among_threads, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_waits_in_a_pipeline, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
