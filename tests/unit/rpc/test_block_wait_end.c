/* How calls that wait end without what they wait for, or are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "answer_schema.h"
#include "engine_fixture.h"
#include "umem_errors.h"

static struct um_session *session_of(void **state)
{
    return &((struct fixture *)*state)->session;
}

/* ---- the time, the block, the session ---- */

static void test_timeout(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    set_time(fixture, 5000);
    assert_true(um_rpc_next_deadline(fixture->rpc) == UINT64_MAX);
    send_message(session, MESSAGE_OF("1", "block.wait", "[\"b\",0,0,\"i64\",200]"));
    send_message(session, MESSAGE_OF("2", "block.wait", "[\"b\",0,0,\"i64\",100]"));
    send_message(session, MESSAGE_OF("3", "block.wait", "[\"b\",0,0,\"i64\",9007199254740991]"));
    send_message(session, MESSAGE_OF("4", "block.wait", "[\"b\",0,0,\"i64\"]"));
    assert_int_equal(um_rpc_next_deadline(fixture->rpc), 5100);
    set_time(fixture, 5099);
    expect_no_message(session);
    set_time(fixture, 5100);
    assert_int_equal(uint_of(take(session), "id"), 2);
    assert_int_equal(um_rpc_next_deadline(fixture->rpc), 5200);
    set_time(fixture, 9999);
    take_error(session, UMEM_E_TIMEOUT);
    assert_int_equal(um_rpc_next_deadline(fixture->rpc), 5000 + 9007199254740991);
    set_time(fixture, 9007199254740991);
    expect_no_message(session);
    set_time(fixture, UINT64_MAX - 1);
    assert_int_equal(uint_of(take(session), "id"), 3);
    assert_true(um_rpc_next_deadline(fixture->rpc) == UINT64_MAX);
    /* Past the end of the clock is for ever. */
    send_message(session, MESSAGE_OF("5", "block.wait", "[\"b\",0,0,\"i64\",100]"));
    assert_true(um_rpc_next_deadline(fixture->rpc) == UINT64_MAX);
    expect_no_message(session);
    expect_result(session, MESSAGE("block.fill", "[\"b\",1]"));
    assert_int_equal(uint_of(take(session), "id"), 4);
    assert_int_equal(uint_of(take(session), "id"), 5);
}

static int code_at(const cJSON *answers, int index)
{
    return (int)cJSON_GetNumberValue(member(member(cJSON_GetArrayItem(answers, index), "error"), "code"));
}

static void test_timeout_at_once(void **state)
{
    struct fixture *fixture = *state;
    const cJSON *answers;

    new_block(&fixture->session, "{\"size\":16,\"name\":\"b\"}");
    set_time(fixture, 5000);
    expect_error(&fixture->session, UMEM_E_TIMEOUT, MESSAGE_OF("1", "block.wait", "[\"b\",0,0,\"i64\",0]"));
    assert_true(um_rpc_next_deadline(fixture->rpc) == UINT64_MAX);
    /* So it is no call that waits: neither a batch nor the limit on those keeps it out. */
    send_message(&fixture->session, "[" MESSAGE_OF("2", "block.wait", "[\"b\",0,0,\"i64\",0]") "," MESSAGE_OF(
                                        "3", "block.wait", "[\"b\",0,0,\"i64\",1]") "]");
    answers = take(&fixture->session);
    assert_int_equal(code_at(answers, 0), UMEM_E_TIMEOUT);
    assert_int_equal(code_at(answers, 1), UMEM_E_UNSUPPORTED);
    fixture->limits.waits = 0;
    expect_error(&fixture->session, UMEM_E_TIMEOUT, MESSAGE_OF("4", "block.wait", "[\"b\",0,0,\"i64\",0]"));
}

/* Many deadlines in no order come due in order. */
static void test_deadlines_come_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    for (unsigned i = 0; i < 100; i++)
        send_message(session, MESSAGE_OF("%u", "block.wait", "[\"b\",0,0,\"i64\",%u]"), i * 37 % 100,
                     i * 37 % 100);
    /* Every third is taken back. */
    for (unsigned i = 0; i < 100; i += 3) {
        send_message(session, "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":[%u]}", i);
        assert_int_equal(uint_of(take(session), "id"), i);
    }
    for (unsigned i = 0; i < 100; i++) {
        set_time(fixture, i);
        if (i % 3 != 0)
            assert_int_equal(uint_of(take(session), "id"), i);
        expect_no_message(session);
    }
    assert_true(um_rpc_next_deadline(fixture->rpc) == UINT64_MAX);
}

static void test_the_block_is_freed(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session_options options = {.pid = 5};
    struct um_session third;

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    begin_wait(&fixture->other, "[\"b\",0,0,\"i64\"]");
    expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    take_error(&fixture->other, UMEM_E_STALE_HANDLE);

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":16,\"name\":\"b\",\"heap\":\"h\"}");
    begin_wait(&fixture->other, "[\"b\",0,0,\"i64\"]");
    expect_result(session, MESSAGE("heap.destroy", "[\"h\"]"));
    take_error(&fixture->other, UMEM_E_STALE_HANDLE);

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_block(&third, "{\"size\":16,\"name\":\"b\",\"lifetime\":\"session\"}");
    begin_wait(&fixture->other, "[\"b\",0,0,\"i64\"]");
    um_session_close(&third);
    take_error(&fixture->other, UMEM_E_STALE_HANDLE);

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_heap(&third, "{\"name\":\"h\",\"lifetime\":\"session\"}");
    new_block(&third, "{\"size\":16,\"name\":\"b\",\"heap\":\"h\"}");
    begin_wait(&fixture->other, "[\"b\",0,0,\"i64\"]");
    um_session_close(&third);
    take_error(&fixture->other, UMEM_E_STALE_HANDLE);
    assert_false(um_session_is_waiting(&fixture->other));
}

/* Its session ends: the call is not answered, and the block stays. */
static void test_the_session_ends(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;

    new_block(&fixture->session, "{\"size\":16,\"name\":\"b\"}");
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    send_message(&third, MESSAGE_OF("1", "block.wait", "[\"b\",0,0,\"i64\",100]"));
    send_message(&third, MESSAGE_OF("2", "block.wait", "[\"b\",0,0,\"i64\"]"));
    begin_wait(&fixture->other, "[\"b\",0,0,\"i64\"]");
    um_session_close(&third);
    assert_true(um_rpc_next_deadline(fixture->rpc) == UINT64_MAX);
    set_time(fixture, 1000);
    expect_result(&fixture->session, MESSAGE("block.fill", "[\"b\",1]"));
    take_value(&fixture->other, "\"72340172838076673\"");
    answers_forget();
}

/* While another session holds the heap's lock, its changes are not visible to waits. */
static void test_a_locked_heap_is_not_looked_at(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;

    new_heap(session, "{\"name\":\"h\"}");
    new_heap(session, "{\"name\":\"h2\"}");
    new_block(session, "{\"size\":16,\"name\":\"b\",\"heap\":\"h\"}");
    begin_wait(other, "[\"b\",0,0,\"i64\"]");
    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    expect_result(session, MESSAGE("block.fill", "[\"b\",1]"));
    expect_no_message(other);
    /* Another heap's end of a lock does not matter. */
    expect_result(session, MESSAGE("heap.lock", "[\"h2\"]"));
    expect_result(session, MESSAGE("heap.unlock", "[\"h2\"]"));
    expect_no_message(other);
    expect_result(session, MESSAGE("block.fill", "[\"b\",0]"));
    expect_result(session, MESSAGE("heap.unlock", "[\"h\"]"));
    expect_no_message(other);

    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    expect_result(session, MESSAGE("block.fill", "[\"b\",1]"));
    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    expect_result(session, MESSAGE("heap.unlock", "[\"h\"]"));
    expect_no_message(other);
    expect_result(session, MESSAGE("heap.unlock", "[\"h\"]"));
    take_value(other, "\"72340172838076673\"");

    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    expect_error(other, UMEM_E_LOCKED, MESSAGE("block.wait", "[\"b\",0,0,\"i64\"]"));
    expect_result(session, MESSAGE("block.fill", "[\"b\",0]"));
    expect_result(session, MESSAGE("heap.unlock", "[\"h\"]"));
    begin_wait(other, "[\"b\",0,0,\"i64\"]");
    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    expect_result(session, MESSAGE("block.fill", "[\"b\",1]"));
    expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    take_error(other, UMEM_E_STALE_HANDLE);
}

static void test_a_batch_cannot_wait(void **state)
{
    struct um_session *session = session_of(state);
    cJSON *answers;

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    send_message(session,
                 "[" MESSAGE("block.wait", "[\"b\",0,0,\"i64\"]") "," MESSAGE(
                     "block.fill", "[\"b\",1]") "," MESSAGE("block.wait", "[\"b\",0,0,\"i64\"]") "]");
    answers = take(session);
    assert_string_equal(string_of(member(member(cJSON_GetArrayItem(answers, 0), "error"), "data"), "name"),
                        "unsupported");
    assert_string_equal(string_of(member(cJSON_GetArrayItem(answers, 2), "result"), "value"),
                        "72340172838076673");
    assert_false(um_session_is_waiting(session));
}

static void test_as_many_as_the_limit_allows(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *data;

    fixture->limits.waits = 2;
    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    send_message(session, MESSAGE_OF("1", "block.wait", "[\"b\",0,0,\"i64\"]"));
    send_message(session, MESSAGE_OF("2", "block.wait", "[\"b\",0,0,\"i64\"]"));
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE_OF("3", "block.wait", "[\"b\",0,0,\"i64\"]"));
    assert_string_equal(string_of(data, "limit"), "waits");
    assert_int_equal(uint_of(data, "maximum"), 2);
    assert_int_equal(uint_of(data, "used"), 2);
    begin_wait(&fixture->other, "[\"b\",0,0,\"i64\"]");
    send_message(session, MESSAGE_OF("4", "$/cancelRequest", "[1]"));
    take_result(session);
    take_error(session, UMEM_E_CANCELLED);
    send_message(session, MESSAGE_OF("5", "block.wait", "[\"b\",0,0,\"i64\"]"));
    expect_no_message(session);
}

/* A notification has no answer that could end the wait. */
static void test_a_notification_does_not_wait(void **state)
{
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    send_message(session, "{\"jsonrpc\":\"2.0\",\"method\":\"block.wait\",\"params\":[\"b\",0,0]}");
    assert_false(um_session_is_waiting(session));
    expect_result(session, MESSAGE("block.fill", "[\"b\",1]"));
    expect_no_message(session);
}

/* ---- $/cancelRequest ---- */

static void test_cancel_by_id(void **state)
{
    struct um_session *session = session_of(state);
    static const char *const ids[] = {"5",
                                      "-9007199254740991",
                                      "\"5\"",
                                      "\"a\\u00e4 b\"",
                                      "\"\"",
                                      "5.0",
                                      "-9223372036854775808",
                                      "1e400",
                                      "1.5",
                                      "6129484611666145821",
                                      "-0"};
    /* No two of these were written alike, nor as one of the above. */
    static const char *const others[] = {"1",
                                         "6",
                                         "\"-9007199254740991\"",
                                         "5.00",
                                         "50e-1",
                                         "1e401",
                                         "1E400",
                                         "0",
                                         "-9223372036854775809",
                                         "6129484611666145822",
                                         "6129484611666145820.0"};

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        send_message(session, MESSAGE_OF("%s", "block.wait", "[\"b\",0,0,\"i64\"]"), ids[i]);
    /* None of these is the id of one that waits. */
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        expect_result(session, MESSAGE_OF("1", "$/cancelRequest", "[%s]"), others[i]);
    expect_no_message(session);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const cJSON *answer;
        char start[64];

        if (i % 2 == 0)
            expect_result(session, MESSAGE_OF("1", "$/cancelRequest", "[%s]"), ids[i]);
        else
            send_message(session,
                         "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":%s}}",
                         ids[i]);
        if (ids[i][0] != '"') {
            snprintf(start, sizeof start, "{\"jsonrpc\":\"2.0\",\"id\":%s,", ids[i]);
            assert_true(session->out.size > strlen(start));
            assert_memory_equal(session->out.data, start, strlen(start));
        }
        answer = take(session);
        if (ids[i][0] == '"')
            assert_true(cJSON_Compare(member(answer, "id"), cJSON_Parse(ids[i]), 1));
        assert_string_equal(string_of(member(member(answer, "error"), "data"), "name"), "cancelled");
        /* A second time there is nothing to take back. */
        expect_result(session, MESSAGE_OF("1", "$/cancelRequest", "[%s]"), ids[i]);
        expect_no_message(session);
    }
    assert_false(um_session_is_waiting(session));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE_OF("1", "$/cancelRequest", "[null]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE_OF("1", "$/cancelRequest", "[true]"));
}

/* Another session's calls are its own. */
static void test_cancel_is_for_ones_own_calls(void **state)
{
    struct fixture *fixture = *state;

    new_block(&fixture->session, "{\"size\":16,\"name\":\"b\"}");
    begin_wait(&fixture->other, "[\"b\",0,0,\"i64\"]");
    expect_result(&fixture->session, MESSAGE_OF("1", "$/cancelRequest", "[7]"));
    expect_no_message(&fixture->session);
    expect_no_message(&fixture->other);
    assert_true(um_session_is_waiting(&fixture->other));
}

/* The same id twice: each is answered, and taken back one by one, the older first. */
static void test_the_same_id_twice(void **state)
{
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    send_message(session, MESSAGE_OF("7", "block.wait", "[\"b\",0,0,\"i64\"]"));
    send_message(session, MESSAGE_OF("7", "block.wait", "[\"b\",8,0,\"i64\"]"));
    expect_result(session, MESSAGE_OF("1", "$/cancelRequest", "[7]"));
    take_error(session, UMEM_E_CANCELLED);
    expect_no_message(session);
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,0,8]"));
    expect_no_message(session);
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,8,1]"));
    take_value(session, "1");
}

/* A batch's answer stays whole. */
static void test_cancel_in_a_batch(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *sessions[] = {&fixture->session, &fixture->other};

    new_block(&fixture->session, "{\"size\":16,\"name\":\"b\"}");
    for (int i = 0; i < 2; i++) {
        begin_wait(sessions[i], "[\"b\",0,0,\"i64\"]");
        send_message(sessions[i], "[" MESSAGE_OF("1", "$/cancelRequest",
                                                 "[7]") "," MESSAGE_OF("2", "server.ping", "[]") "]");
        assert_int_equal(cJSON_GetArraySize(take(sessions[i])), 2);
        take_error(sessions[i], UMEM_E_CANCELLED);
        expect_no_message(sessions[i]);
        assert_false(um_session_is_waiting(sessions[i]));

        begin_wait(sessions[i], "[\"b\",0,0,\"i64\"]");
        send_message(sessions[i], "[{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":[7]},"
                                  "{\"jsonrpc\":\"2.0\",\"method\":\"block.fill\",\"params\":[\"b\",0]}]");
        take_error(sessions[i], UMEM_E_CANCELLED);
        expect_no_message(sessions[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_timeout, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_timeout_at_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_deadlines_come_in_order, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_block_is_freed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_session_ends, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_locked_heap_is_not_looked_at, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_batch_cannot_wait, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_as_many_as_the_limit_allows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_notification_does_not_wait, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_cancel_by_id, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_cancel_is_for_ones_own_calls, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_same_id_twice, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_cancel_in_a_batch, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
