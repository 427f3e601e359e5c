/* What is counted of calls: for their methods, with the time that they took; for their sessions; and for the heaps that they are about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "rpc/call/engine_state.h"
#include "umem_errors.h"

static uint64_t now_us;

static uint64_t clock_ns(void *context)
{
    (void)context;
    return 1000 * now_us;
}

static int set_up(void **state)
{
    int result = fixture_setup(state);

    ((struct fixture *)*state)->rpc->meter.clock_ns = clock_ns;
    now_us = 1000;
    return result;
}

static struct um_call_meter *meter_of(void **state)
{
    return &((struct fixture *)*state)->rpc->meter;
}

static const struct um_method_stats *stats_of(void **state, const struct um_method *method)
{
    return &meter_of(state)->methods[um_table_place(method)];
}

/* How many calls are in the bucket with this bound. */
static uint64_t at_most(const struct um_method_stats *stats, uint64_t bound_us)
{
    for (size_t i = 0; i < UM_METER_BOUNDS; i++) {
        if (um_meter_bound_us(i) == bound_us)
            return stats->buckets[i];
    }
    return stats->buckets[UM_METER_BOUNDS];
}

static uint64_t measured(const struct um_method_stats *stats)
{
    uint64_t sum = 0;

    for (size_t i = 0; i <= UM_METER_BOUNDS; i++)
        sum += stats->buckets[i];
    return sum;
}

/* ---- the table ---- */

static void every_method_has_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_METHOD_COUNT; i++)
        assert_int_equal(um_table_place(um_table_at(i)), i);
    assert_null(um_table_at(UM_METHOD_COUNT));
    assert_int_equal(um_table_place(NULL), UM_METHOD_COUNT);
    assert_int_equal(um_table_place(&(struct um_method){.name = "block.read"}), UM_METHOD_COUNT);
}

static void bounds_grow(void **state)
{
    (void)state;
    for (size_t i = 1; i < UM_METER_BOUNDS; i++)
        assert_true(um_meter_bound_us(i) > um_meter_bound_us(i - 1));
}

/* ---- methods ---- */

/* Calls of one method, one after the other in a step, have their average. */
static void a_run_has_its_average(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    const struct um_method_stats *stats = stats_of(state, &um_method_server_ping);

    for (int i = 0; i < 4; i++) {
        send_message(session, MESSAGE("server.ping", "[]"));
        now_us += i == 0 ? 10 : 1; /* 10, 1, 1, 1 */
        take_result(session);
    }
    um_rpc_end_step(((struct fixture *)*state)->rpc);
    assert_int_equal(stats->calls, 4);
    assert_int_equal(stats->ns, 13000);
    assert_int_equal(at_most(stats, 5), 4);
    assert_int_equal(stats->longest_ns, 3250);
    /* What passes between two steps is no call's. */
    now_us += 1000000;
    send_message(session, MESSAGE("server.ping", "[]"));
    now_us += 20;
    um_rpc_end_step(((struct fixture *)*state)->rpc);
    take_result(session);
    assert_int_equal(stats->calls, 5);
    assert_int_equal(at_most(stats, 20), 1);
    assert_int_equal(stats->longest_ns, 20000);
}

static void a_run_ends_after_some_calls(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    const struct um_method_stats *stats = stats_of(state, &um_method_server_ping);

    for (int i = 0; i < UM_METER_RUN_LIMIT; i++) {
        now_us += i == UM_METER_RUN_LIMIT - 1 ? 10U * UM_METER_RUN_LIMIT : 0U;
        call(session, MESSAGE("server.ping", "[]"));
    }
    assert_int_equal(stats->calls, UM_METER_RUN_LIMIT);
    assert_int_equal(at_most(stats, 10), UM_METER_RUN_LIMIT);
    call(session, MESSAGE("server.ping", "[]"));
    assert_int_equal(stats->calls, UM_METER_RUN_LIMIT);
}

static void another_method_is_another_run(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;

    call(session, MESSAGE("server.ping", "[]"));
    now_us += 2;
    call(session, MESSAGE("session.info", "[]"));
    now_us += 50;
    call(session, MESSAGE("no.method", "[]"));
    now_us += 7000;
    call(session, "nonsense");
    um_rpc_end_step(((struct fixture *)*state)->rpc);
    assert_int_equal(at_most(stats_of(state, &um_method_server_ping), 2), 1);
    assert_int_equal(at_most(stats_of(state, &um_method_session_info), 50), 1);
    assert_int_equal(stats_of(state, NULL)->calls, 2);
    assert_int_equal(stats_of(state, NULL)->errors, 2);
    assert_int_equal(at_most(stats_of(state, NULL), 5000), 2);
}

/* A long message is not measured with its neighbours: what reading it takes is its own. */
static void a_long_message_is_measured_alone(void **state)
{
    struct um_call_meter *meter = meter_of(state);
    struct um_method_stats *ping = &meter->methods[um_table_place(&um_method_server_ping)];
    char text[2 * UM_METER_LONG_SIZE];

    memset(text, ' ', sizeof text);
    um_meter_message(meter, text, sizeof text);
    um_meter_method(meter, &um_method_server_ping);
    um_meter_answered(meter, false);
    now_us += 3;
    um_meter_message(meter, text, sizeof text);
    assert_int_equal(at_most(ping, 5), 1);
    now_us += 400; /* it is read */
    um_meter_method(meter, &um_method_block_write);
    um_meter_answered(meter, false);
    /* Short ones that come together are. */
    text[100] = '\n';
    um_meter_message(meter, text, sizeof text);
    assert_int_equal(stats_of(state, &um_method_block_write)->calls, 0);
    um_meter_stop(meter);
    um_meter_stop(meter);
    assert_int_equal(at_most(stats_of(state, &um_method_block_write), 500), 1);
}

static void calls_in_slices_are_measured_alone(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    const struct um_method_stats *stats = stats_of(state, &um_method_block_fill);

    new_block(session, "{\"size\":3000000,\"name\":\"large\"}");
    send_message(session, MESSAGE_OF("1", "block.fill", "[\"large\",1]"));
    now_us += 100;
    call(&fixture->other, MESSAGE("server.ping", "[]"));
    um_rpc_end_step(fixture->rpc);
    now_us += 1500;
    work(fixture->rpc);
    take_result(session);
    assert_int_equal(stats->calls, 1);
    assert_int_equal(stats->longest_ns, 1600000);
    assert_int_equal(at_most(stats, 2000), 1);
    assert_int_equal(stats->waited, 0);
}

/* Their time says nothing of the daemon. */
static void calls_that_wait_are_not_measured(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    const struct um_method_stats *stats = stats_of(state, &um_method_block_wait);

    new_block(session, "{\"size\":64,\"name\":\"b\"}");
    begin_wait(session, "{\"block\":\"b\",\"offset\":0,\"value\":0}");
    now_us += 10000000;
    expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",1,0,1]"));
    take_value(session, "1");
    assert_int_equal(stats->calls, 1);
    assert_int_equal(stats->waited, 1);
    assert_int_equal(measured(stats), 0);
    /* One that need not wait is. */
    call(session, MESSAGE("block.wait", "[\"b\",0,0]"));
    um_rpc_end_step(fixture->rpc);
    assert_int_equal(stats->calls, 2);
    assert_int_equal(stats->waited, 1);
    assert_int_equal(measured(stats), 1);
}

/* Bytes that come with their request are no wait for the client; those that come later are. */
static void bytes_that_come_later_are_a_wait(void **state)
{
    static const char write[] = MESSAGE_OF("1", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\"}");
    struct fixture *fixture = *state;
    const struct um_method_stats *stats = stats_of(state, &um_method_block_write);

    new_block(&fixture->session, "{\"size\":64,\"name\":\"b\"}");
    feed_message(&fixture->other, write, sizeof write - 1, 4);
    now_us += 5;
    feed_payload(&fixture->other, "abcd", 4, 4);
    take_result(&fixture->other);
    assert_int_equal(stats->calls, 1);
    assert_int_equal(stats->waited, 0);
    assert_int_equal(at_most(stats, 5), 1);
    feed_message(&fixture->other, write, sizeof write - 1, 4);
    um_rpc_set_time(fixture->rpc, 2000, 5000);
    now_us += 5000000;
    feed_payload(&fixture->other, "abcd", 4, 2);
    take_result(&fixture->other);
    assert_int_equal(stats->calls, 2);
    assert_int_equal(stats->waited, 1);
    assert_int_equal(measured(stats), 1);
}

static void batches_and_notifications_are_counted(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;

    call(session,
         "[" MESSAGE_OF("1", "server.ping", "[]") ",{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"},7]");
    um_rpc_end_step(((struct fixture *)*state)->rpc);
    assert_int_equal(stats_of(state, &um_method_server_ping)->calls, 2);
    assert_int_equal(stats_of(state, NULL)->calls, 1);
}

static void methods_are_listed(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    uint64_t after = 0;
    const cJSON *entry;
    cJSON *result;

    call(session, MESSAGE("server.ping", "[]"));
    now_us += 30;
    call(session, "nonsense");
    call(session, MESSAGE("block.read", "[77]"));
    result = expect_result(session, MESSAGE("server.methods", "[]"));
    assert_int_equal(cJSON_GetArraySize(member(result, "methods")), 3);
    assert_true(cJSON_IsNull(member(result, "next")));
    entry = cJSON_GetArrayItem(member(result, "methods"), 0);
    assert_string_equal(string_of(entry, "method"), "server.ping");
    assert_int_equal(uint_of(entry, "total_us"), 30);
    assert_int_equal(uint_of(entry, "longest_us"), 30);
    assert_int_equal(cJSON_GetArraySize(member(entry, "latency")), UM_METER_BOUNDS + 1);
    assert_int_equal(uint_of(cJSON_GetArrayItem(member(entry, "latency"), 5), "at_most_us"), 50);
    assert_int_equal(uint_of(cJSON_GetArrayItem(member(entry, "latency"), 5), "calls"), 1);
    assert_true(
        cJSON_IsNull(member(cJSON_GetArrayItem(member(entry, "latency"), UM_METER_BOUNDS), "at_most_us")));
    entry = cJSON_GetArrayItem(member(result, "methods"), 1);
    assert_string_equal(string_of(entry, "method"), "block.read");
    assert_int_equal(uint_of(entry, "errors"), 1);
    assert_true(cJSON_IsNull(member(cJSON_GetArrayItem(member(result, "methods"), 2), "method")));
    /* Page by page. */
    for (int i = 0; i < 3; i++) {
        result = expect_result(session, MESSAGE("server.methods", "[%llu,1]"), (ULL)after);
        assert_int_equal(cJSON_GetArraySize(member(result, "methods")), 1);
        after = uint_of(result, "next");
    }
    /* That method itself is the fourth. */
    result = expect_result(session, MESSAGE("server.methods", "[%llu,1]"), (ULL)after);
    assert_true(cJSON_IsNull(member(result, "next")));
    assert_true(cJSON_IsNull(member(cJSON_GetArrayItem(member(result, "methods"), 0), "method")));
}

/* ---- sessions and heaps ---- */

static void sessions_have_their_calls(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *result = expect_result(session, MESSAGE("session.info", "[]"));

    assert_int_equal(uint_of(result, "calls"), 0);
    assert_true(cJSON_IsNull(member(result, "last_used")));
    call(session, MESSAGE("no.method", "[]"));
    um_rpc_set_time(fixture->rpc, 5000, 5);
    call(session, MESSAGE("server.ping", "[]"));
    um_rpc_set_time(fixture->rpc, 6000, 6);
    call(&fixture->other, MESSAGE("server.ping", "[]"));
    result = expect_result(session, MESSAGE("session.info", "[]"));
    assert_int_equal(uint_of(result, "calls"), 3);
    assert_int_equal(uint_of(result, "errors"), 1);
    assert_int_equal(uint_of(result, "last_used"), 5000);
}

static cJSON *heap_info(struct um_session *session)
{
    return expect_result(session, MESSAGE("heap.info", "[\"h\"]"));
}

static void heaps_have_their_calls(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *result;

    new_heap(session, "{\"name\":\"h\"}");
    um_rpc_set_time(fixture->rpc, 7000, 7);
    new_block(session, "{\"size\":64,\"name\":\"b\",\"heap\":\"h\"}");
    new_block(session, "{\"size\":64,\"name\":\"elsewhere\"}");
    new_block(session, "{\"heap\":\"h\",\"data\":\"aGVsbG8=\"}");
    result = heap_info(session); /* which counts itself */
    assert_int_equal(uint_of(result, "calls"), 3);
    assert_int_equal(uint_of(result, "touched_bytes"), 5);
    call(session, MESSAGE("block.read", "[\"b\",10]"));
    call(session, MESSAGE("block.write", "[\"b\",\"AAAA\"]"));
    call(session, MESSAGE("block.get", "[\"b\",0,\"u32\",2]"));
    call(session, MESSAGE("block.copy", "[\"b\",\"elsewhere\",0,0,5]"));
    call(session, MESSAGE("block.read", "[\"b\",60,5]")); /* out of range */
    call(session, MESSAGE("block.read", "[\"elsewhere\"]"));
    um_rpc_set_time(fixture->rpc, 8000, 8);
    result = heap_info(session);
    assert_int_equal(uint_of(result, "calls"), 9);
    assert_int_equal(uint_of(result, "touched_bytes"), 5 + 54 + 3 + 8 + 5);
    assert_int_equal(uint_of(result, "last_used"), 8000);
}

/* The slices of a call, and the pieces of what it waits for, are no calls. */
static void slices_are_no_calls(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *result;

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":5000000,\"name\":\"large\",\"heap\":\"h\"}");
    send_message(session, MESSAGE_OF("1", "block.fill", "[\"large\",1]"));
    while (um_rpc_work(fixture->rpc))
        continue;
    take_result(session);
    result = heap_info(session);
    assert_int_equal(uint_of(result, "calls"), 3);
    assert_int_equal(uint_of(result, "touched_bytes"), 5000000);
}

/* ---- the process ---- */

static void get_usage(void *context, struct um_process_usage *usage)
{
    (void)context;
    *usage = (struct um_process_usage){11, 22, 33};
}

static void the_process_is_described(void **state)
{
    struct fixture *fixture = *state;
    cJSON *result;

    fixture->rpc->events.get_process_usage = get_usage;
    result = expect_result(&fixture->session, MESSAGE("server.stats", "[]"));
    assert_int_equal(uint_of(result, "cpu_user_us"), 11);
    assert_int_equal(uint_of(result, "cpu_system_us"), 22);
    assert_int_equal(uint_of(result, "resident_bytes"), 33);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_method_has_a_place),
        TEST(bounds_grow),
        TEST(a_run_has_its_average),
        TEST(a_run_ends_after_some_calls),
        TEST(another_method_is_another_run),
        TEST(a_long_message_is_measured_alone),
        TEST(calls_in_slices_are_measured_alone),
        TEST(calls_that_wait_are_not_measured),
        TEST(bytes_that_come_later_are_a_wait),
        TEST(batches_and_notifications_are_counted),
        TEST(methods_are_listed),
        TEST(sessions_have_their_calls),
        TEST(heaps_have_their_calls),
        TEST(slices_are_no_calls),
        TEST(the_process_is_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
