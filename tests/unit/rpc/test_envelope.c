/* JSON-RPC 2.0 as it stands in its specification: ids, notifications, batches, positional parameters, the short form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "umem_errors.h"

/* Feeds a message and compares the answer to the letter. */
static void expect(struct um_session *session, const char *message, const char *wanted)
{
    char *text = fixture_text(session, message, strlen(message));

    assert_string_equal(text, wanted);
    free(text);
}

#define PONG(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}"

static void test_ids_come_back_as_they_were(void **state)
{
    static const char *const numbers[] = {"9007199254740992",
                                          "-9223372036854775808",
                                          "6129484611666145821",
                                          "1.5",
                                          "1e400",
                                          "-0",
                                          "1E+02",
                                          "0.10"};
    struct um_session *session = &((struct fixture *)*state)->session;

    expect(session, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"server.ping\"}", PONG("7") "\n");
    expect(session, "{\"jsonrpc\":\"2.0\",\"id\":-9007199254740991,\"method\":\"server.ping\"}",
           PONG("-9007199254740991") "\n");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char message[128];
        char pong[128];

        snprintf(message, sizeof message, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"server.ping\"}",
                 numbers[i]);
        snprintf(pong, sizeof pong, PONG("%s") "\n", numbers[i]);
        expect(session, message, pong);
        snprintf(message, sizeof message, "[{\"id\": %s ,\"method\":\"server.ping\"}]", numbers[i]);
        snprintf(pong, sizeof pong, "[" PONG("%s") "]\n", numbers[i]);
        expect(session, message, pong);
    }
    expect(session, "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"\\u00e4\",\"method\":\"server.ping\"}",
           PONG("\"a\\\"\xc3\xa4\"") "\n");
    expect(session, "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"server.ping\"}", PONG("null") "\n");
    expect(session, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\",\"params\":[]}",
           PONG("1") "\n");
    expect(session, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\",\"params\":{}}",
           PONG("1") "\n");
    expect(session, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\",\"params\":null}",
           PONG("1") "\n");
    expect(session, "{\"traceparent\":\"x\",\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"}",
           PONG("1") "\n");
}

static void test_notifications_are_done_and_not_answered(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    uint64_t block = new_block(session, "[4]");
    char message[128];

    snprintf(message, sizeof message,
             "{\"jsonrpc\":\"2.0\",\"method\":\"block.set\",\"params\":[%llu,0,[9]]}",
             (unsigned long long)block);
    expect(session, message, "");
    expect(session, "{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}", "");
    expect(session, "{\"jsonrpc\":\"2.0\",\"method\":\"block.free\",\"params\":[1]}", "");
    assert_string_equal(
        string_of(expect_result(session, "{\"method\":\"block.read\",\"params\":{\"block\":%llu}}",
                                (unsigned long long)block),
                  "data"),
        "CQAAAA==");
}

static void test_short_form_is_always_answered(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;

    expect(session, "{\"method\":\"server.ping\"}", PONG("null") "\n");
    expect(session, "{\"method\":\"server.ping\",\"id\":3}", PONG("3") "\n");
}

static void test_batches(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;

    expect(session,
           "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"},{\"jsonrpc\":\"2.0\",\"method\":"
           "\"server.ping\"},"
           "{\"method\":\"server.ping\",\"id\":\"z\"}]",
           "[" PONG("1") "," PONG("\"z\"") "]\n");
    expect(session, "[{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}]", "");
    expect_error(session, UMEM_E_INVALID_REQUEST, "[]");
    cJSON *answers = call(session, "[1,{\"id\":5,\"method\":\"server.ping\"},{}]");
    assert_int_equal(cJSON_GetArraySize(answers), 3);
    assert_int_equal((int)member(member(cJSON_GetArrayItem(answers, 0), "error"), "code")->valuedouble,
                     -32600);
    assert_int_equal((int)member(member(cJSON_GetArrayItem(answers, 2), "error"), "code")->valuedouble,
                     -32600);
}

static void test_batches_have_limits(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    uint64_t block = new_block(session, "[4096]");
    cJSON *data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, "[1,1,1,1,1,1,1,1,1]");
    cJSON *answers;

    assert_string_equal(string_of(data, "limit"), "batch_requests");
    assert_int_equal(uint_of(data, "maximum"), 8);
    answers = call(session,
                   "[{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,4000]},"
                   "{\"id\":2,\"method\":\"block.read\",\"params\":[%llu,0,97]}]",
                   (unsigned long long)block, (unsigned long long)block);
    assert_int_equal(uint_of(member(cJSON_GetArrayItem(answers, 0), "result"), "size"), 4000);
    assert_int_equal((int)member(member(cJSON_GetArrayItem(answers, 1), "error"), "code")->valuedouble,
                     UMEM_E_LIMIT_EXCEEDED);
}

static void test_headers_frame_the_answer(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->other;

    expect(session, "{\"id\":1,\"method\":\"server.ping\"}", "Content-Length: 36\r\n\r\n" PONG("1"));
    expect(session,
           "{\"id\":\"0123456789012345678901234567890123456789012345678901234567890123456789\","
           "\"method\":\"server.ping\"}",
           "Content-Length: 107\r\n\r\n" PONG(
               "\"0123456789012345678901234567890123456789012345678901234567890123456789\""));
    expect(session, "{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}", "");
    expect(session, "[{\"id\":1,\"method\":\"server.ping\"}]", "Content-Length: 38\r\n\r\n[" PONG("1") "]");
    expect(session, "[{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}]", "");
}

static void test_bad_envelopes(void **state)
{
    static const char *const messages[] = {
        "1",
        "\"x\"",
        "null",
        "true",
        "{}",
        "{\"method\":1}",
        "{\"id\":1}",
        "{\"jsonrpc\":\"1.0\",\"method\":\"server.ping\"}",
        "{\"jsonrpc\":2,\"method\":\"server.ping\"}",
        "{\"method\":\"server.ping\",\"params\":1}",
        "{\"method\":\"server.ping\",\"params\":\"x\"}",
        "{\"method\":\"server.ping\",\"id\":[]}",
        "{\"method\":\"server.ping\",\"id\":{}}",
        "{\"method\":\"server.ping\",\"id\":true}",
        "{\"method\":\"server.ping\",\"id\":\"a\\u0000b\"}",
        "{\"method\":\"server.ping\",\"method\":\"server.ping\"}",
        "{\"id\":1,\"id\":2,\"method\":\"server.ping\"}",
        "{\"Method\":\"server.ping\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
    };
    struct um_session *session = &((struct fixture *)*state)->session;

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        expect_error(session, UMEM_E_INVALID_REQUEST, "%s", messages[i]);
    /* The answer has the id if it could be read. */
    assert_int_equal(uint_of(call(session, "{\"id\":5,\"method\":7}"), "id"), 5);
}

static void test_what_is_not_json(void **state)
{
    static const char *const messages[] = {
        "{", "{]", "[{\"method\":\"server.ping\"}}", "{'a':1}", "[1,", "\"\\ud800\"", "01"};
    struct um_session *session = &((struct fixture *)*state)->session;

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        expect_error(session, UMEM_E_PARSE_ERROR, "%s", messages[i]);
        assert_true(cJSON_IsNull(member(call(session, "%s", messages[i]), "id")));
    }
    expect(session, "{\"method\":\"server.ping\"}", PONG("null") "\n");
}

static void test_unknown_method(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;

    expect_error(session, UMEM_E_METHOD_NOT_FOUND, "{\"method\":\"block.Read\"}");
    expect_error(session, UMEM_E_METHOD_NOT_FOUND, "{\"method\":\"\"}");
    expect_error(session, UMEM_E_METHOD_NOT_FOUND, "{\"method\":\"server.ping\\u0000\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ids_come_back_as_they_were, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_notifications_are_done_and_not_answered, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_short_form_is_always_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_batches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_batches_have_limits, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_headers_frame_the_answer, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bad_envelopes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_json, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_unknown_method, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
