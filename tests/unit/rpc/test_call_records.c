/* What is recorded of calls for an access log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "rpc/call/call_record.h"
#include "rpc/call/engine_state.h"
#include "umem_errors.h"

enum { TEXT_SIZE = 4096 };

static char recorded[TEXT_SIZE]; /* a line for each record */
static uint64_t now_us;

/* Each look at the clock takes a microsecond. */
static uint64_t clock_ns(void *context)
{
    (void)context;
    return 1000 * now_us++;
}

static void on_call_ended(void *context, const struct um_call_record *record)
{
    size_t used = strlen(recorded);

    (void)context;
    used += (size_t)snprintf(recorded + used, sizeof recorded - used, "%llu %s", (ULL)record->session,
                             record->method != NULL ? record->method : "-");
    for (size_t i = 0; i < record->subject_count; i++)
        used += (size_t)snprintf(recorded + used, sizeof recorded - used, " %s=%s", record->subjects[i].param,
                                 record->subjects[i].text);
    if (record->size != UM_RECORD_NO_SIZE)
        used +=
            (size_t)snprintf(recorded + used, sizeof recorded - used, " size=%lld", (long long)record->size);
    if (record->has_waited)
        used += (size_t)snprintf(recorded + used, sizeof recorded - used, " waited");
    used += (size_t)snprintf(recorded + used, sizeof recorded - used, " %lluus %s\n", (ULL)record->us,
                             record->code != UMEM_OK ? umem_error_name(record->code) : "ok");
    assert_true(used < sizeof recorded);
}

static int set_up(void **state)
{
    int result = fixture_setup(state);
    struct um_rpc *rpc = ((struct fixture *)*state)->rpc;

    rpc->meter.clock_ns = clock_ns;
    rpc->events.call_ended = on_call_ended;
    recorded[0] = '\0';
    now_us = 0;
    return result;
}

/* Blocks and heaps that are there before the recording begins. */
static struct um_session *begin(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":64,\"name\":\"b\",\"heap\":\"h\"}");
    new_block(session, "{\"size\":64,\"name\":\"c\"}");
    new_block(session, "{\"size\":3000000,\"name\":\"large\"}");
    um_rpc_record_calls(fixture->rpc, true);
    return session;
}

static void expect_records(const char *expected)
{
    assert_string_equal(recorded, expected);
    recorded[0] = '\0';
}

static void what_a_call_is_about(void **state)
{
    struct um_session *session = begin(state);

    call(session, MESSAGE("server.ping", "{}"));
    call(session, MESSAGE("block.read", "[\"b\"]"));
    call(session, MESSAGE("block.read", "{\"size\":3,\"offset\":1,\"block\":\"b\"}"));
    call(session, MESSAGE("block.read", "[{\"block\":\"b\",\"offset\":60}]"));
    call(session, MESSAGE("block.write", "{\"block\":\"c\",\"data\":\"AAAA\"}"));
    call(session, MESSAGE("block.copy", "{\"source\":\"b\",\"target\":\"c\",\"size\":5}"));
    call(session, MESSAGE("block.alloc", "{\"size\":10,\"heap\":\"h\",\"name\":\"n\"}"));
    call(session, MESSAGE("block.change", "{\"block\":\"n\",\"name\":\"m\"}"));
    call(session, MESSAGE("session.close", "[77]"));
    call(&((struct fixture *)*state)->session, MESSAGE("heap.info", "[\"process\"]"));
    expect_records("1 server.ping 1us ok\n"
                   "1 block.read block=b size=64 1us ok\n"
                   "1 block.read block=b size=3 1us ok\n"
                   "1 block.read block=b size=4 1us ok\n"
                   "1 block.write block=c size=3 1us ok\n"
                   "1 block.copy source=b target=c size=5 1us ok\n"
                   "1 block.alloc heap=h name=n size=10 1us ok\n"
                   "1 block.change block=n name=m 1us ok\n"
                   "1 session.close session=77 1us unknown_handle\n"
                   "1 heap.info heap=process 1us ok\n");
}

/* Of what is wrong, too; and nothing that is no handle and no name. */
static void calls_that_fail(void **state)
{
    struct um_session *session = begin(state);
    char name[400];

    call(session, MESSAGE("block.read", "{\"block\":99,\"offset\":1}"));
    call(session, MESSAGE("block.read", "{\"block\":{\"a\":1},\"offset\":-1}"));
    call(session, MESSAGE("block.read", "[\"b\",\"x\"]"));
    call(session, MESSAGE("block.read", "[12345678901234567890123]"));
    call(session, MESSAGE("block.read", "[\"\\u001b\\n\"]"));
    call(session, MESSAGE("block.write", "[\"b\",\"AAAA\",64]"));
    call(session, MESSAGE("no.method", "[\"b\"]"));
    call(session, "{\"method\":7}");
    call(session, "nonsense");
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    expect_records("1 block.read block=99 1us unknown_handle\n"
                   "1 block.read 1us invalid_params\n"
                   "1 block.read block=b 1us invalid_params\n"
                   "1 block.read block=12345678901234567890123 1us unknown_handle\n"
                   "1 block.read block=\x1b\n 1us unknown_handle\n"
                   "1 block.write block=b size=3 1us out_of_range\n"
                   "1 - 1us method_not_found\n"
                   "1 - 1us invalid_request\n"
                   "1 - 1us parse_error\n");
    call(session, MESSAGE("block.read", "[\"%s\"]"), name);
    name[UM_RECORD_SUBJECT_SIZE - 1] = '\0';
    assert_non_null(strstr(recorded, name));
    assert_null(strstr(recorded, "xx unknown"));
    assert_true(strlen(recorded) < sizeof name);
}

static void batches_and_notifications(void **state)
{
    struct um_session *session = begin(state);

    call(session,
         "[" MESSAGE_OF("1", "block.info", "[\"b\"]") ",{\"jsonrpc\":\"2.0\",\"method\":\"block.fill\","
                                                      "\"params\":[\"b\",1]},7]");
    expect_records("1 block.info block=b 1us ok\n"
                   "1 block.fill block=b size=64 1us ok\n"
                   "1 - 1us invalid_request\n");
    call(session, "{\"jsonrpc\":\"2.0\",\"method\":\"block.fill\",\"params\":[\"nobody\",1]}");
    expect_records("1 block.fill block=nobody 1us unknown_handle\n");
}

/* The time goes from the request to the answer. */
static void calls_that_are_answered_later(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = begin(state);

    send_message(session, MESSAGE_OF("1", "block.fill", "[\"large\",1]"));
    now_us += 1000;
    expect_records("");
    work(fixture->rpc);
    take_result(session);
    expect_records("1 block.fill block=large size=3000000 1003us ok\n");
    begin_wait(session, "{\"block\":\"b\",\"offset\":0,\"value\":0}");
    um_rpc_end_step(fixture->rpc);
    now_us += 500;
    expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",1,0,1]"));
    take_value(session, "1");
    expect_records("2 block.fill block=b size=1 1us ok\n"
                   "1 block.wait block=b waited 505us ok\n");
}

/* What is not answered is not recorded, and leaves nothing behind. */
static void calls_whose_session_ends(void **state)
{
    struct fixture *fixture = *state;
    struct um_session third;
    const struct um_session_options options = {.pid = 78};

    begin(state);
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    begin_wait(&third, "{\"block\":\"b\",\"offset\":0,\"value\":0}");
    send_message(&third, MESSAGE_OF("1", "block.fill", "[\"large\",1]"));
    um_session_close(&third);
    work(fixture->rpc);
    expect_records("");
}

/* Recording may begin and end at any time. */
static void recording_begins_and_ends(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = begin(state);

    send_message(session, MESSAGE_OF("1", "block.fill", "[\"large\",1]"));
    um_rpc_record_calls(fixture->rpc, false);
    call(&fixture->other, MESSAGE("server.ping", "{}"));
    work(fixture->rpc);
    take_result(session);
    expect_records("1 block.fill block=large size=3000000 4us ok\n");
    send_message(session, MESSAGE_OF("1", "block.fill", "[\"large\",1]"));
    um_rpc_record_calls(fixture->rpc, true);
    call(&fixture->other, MESSAGE("server.ping", "{}"));
    work(fixture->rpc);
    take_result(session);
    /* When it came, nothing was noted of it. */
    expect_records("2 server.ping 1us ok\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_call_is_about),          TEST(calls_that_fail),          TEST(batches_and_notifications),
        TEST(calls_that_are_answered_later), TEST(calls_whose_session_ends), TEST(recording_begins_and_ends),
    };

    return cmocka_run_group_tests_name("call_records", tests, NULL, NULL);
}
