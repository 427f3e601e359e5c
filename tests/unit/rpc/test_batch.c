/* Batches, and the raw bytes that they share. */
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

/* Sends a batch with a payload in pieces of "step" bytes. */
static void send_batch(struct um_session *session, const char *batch, const char *payload, size_t step)
{
    feed_message(session, batch, strlen(batch), strlen(payload));
    assert_int_equal(um_payload_left(session), strlen(payload));
    feed_payload(session, payload, strlen(payload), step);
    assert_true(um_session_is_ready(session));
}

static void expect_name(const cJSON *answers, int index, const char *name)
{
    const cJSON *answer = cJSON_GetArrayItem(answers, index);

    assert_non_null(answer);
    if (name == NULL)
        member(answer, "result");
    else
        assert_string_equal(string_of(member(member(answer, "error"), "data"), "name"), name);
}

#define RAW_WRITE(block, offset, size) \
    MESSAGE("block.write", \
            "{\"block\":\"" block "\",\"encoding\":\"raw\",\"offset\":" offset ",\"size\":" size "}")
#define RAW_READ(block, offset, size) MESSAGE("block.read", "[\"" block "\"," offset "," size ",\"raw\"]")

/* Raw writes take their bytes in order, however they come; raw reads' bytes are joined in order. */
static void test_writes_and_reads(void **state)
{
    static const char batch[] =
        "[" RAW_WRITE("b", "0", "3") "," RAW_READ("b", "1", "4") "," RAW_WRITE("c", "2", "4") "," MESSAGE(
            "block.read", "[\"b\",0,2,\"utf8\"]") "," RAW_READ("c", "0", "6") "," RAW_READ("c", "0", "0") "]";
    static const size_t steps[] = {1, 2, 3, 100};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;

    new_block(session, "{\"size\":8,\"name\":\"b\"}");
    new_block(session, "{\"size\":8,\"name\":\"c\"}");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char bytes[11] = "";
        const cJSON *answers;

        send_batch(session, batch, "abcdefg", steps[i]);
        answers = take_raw(session, bytes, 10);
        assert_int_equal(cJSON_GetArraySize(answers), 6);
        assert_memory_equal(bytes, "bc\0\0\0\0defg", 10);
        assert_int_equal(uint_of(member(cJSON_GetArrayItem(answers, 1), "result"), "size"), 4);
        assert_int_equal(uint_of(member(cJSON_GetArrayItem(answers, 2), "result"), "size"), 4);
        assert_string_equal(string_of(member(cJSON_GetArrayItem(answers, 3), "result"), "data"), "ab");
        assert_int_equal(uint_of(member(cJSON_GetArrayItem(answers, 5), "result"), "size"), 0);
        expect_no_message(session);
        expect_result(session, MESSAGE("block.fill", "[\"c\"]"));
    }
}

/* Nothing is done before the last byte has come, and nothing at all where it does not come. */
static void test_it_begins_when_all_bytes_have_come(void **state)
{
    static const char batch[] = "[" MESSAGE("block.free", "[\"c\"]") "," RAW_WRITE("b", "0", "4") "]";
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    uint64_t block = new_block(&fixture->session, "{\"size\":8,\"name\":\"b\"}");

    new_block(&fixture->session, "{\"size\":8,\"name\":\"c\"}");
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    third.framing = UM_FRAMING_HEADERS;
    feed_message(&third, batch, sizeof batch - 1, 4);
    assert_false(um_session_is_ready(&third));
    feed_payload(&third, "abc", 3, 3);
    read_hex(&fixture->session, block, 0, 4, "00000000");
    expect_result(&fixture->session, MESSAGE("block.info", "[\"c\"]"));
    um_session_close(&third);
    read_hex(&fixture->session, block, 0, 4, "00000000");
    expect_result(&fixture->session, MESSAGE("block.info", "[\"c\"]"));
    answers_forget();
}

/* One that fails uses up its bytes. */
static void test_failures_use_up_their_bytes(void **state)
{
    static const char batch[] = "[" RAW_WRITE("nothing", "0", "2") "," RAW_WRITE("b", "7", "2") "," MESSAGE(
        "block.write",
        "{\"block"
        "\":\"b\","
        "\"encodin"
        "g\":"
        "\"raw\","
        "\"size\":"
        "2,\"x\":"
        "1}") "," MESSAGE("block.write",
                          "[\"b\",null,0,\"raw\",1]") "," MESSAGE("no.method",
                                                                  "{\"encoding\":\"raw\","
                                                                  "\"size\":9}") ","
                                                                                 "{\"jsonrpc\":"
                                                                                 "\"1."
                                                                                 "0\",\"method\":"
                                                                                 "\"block."
                                                                                 "write\","
                                                                                 "\"params\":["
                                                                                 "\"b\","
                                                                                 "null,1,\"raw\","
                                                                                 "1]}"
                                                                                 ","
                                                                                 "{\"jsonrpc\":"
                                                                                 "\"2."
                                                                                 "0\",\"method\":"
                                                                                 "\"block."
                                                                                 "write\","
                                                                                 "\"params\":["
                                                                                 "\"b\","
                                                                                 "null,2,\"raw\","
                                                                                 "1]},"
                                                                                 "7," RAW_WRITE("b", "3",
                                                                                                "1") "]";
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(session, "{\"size\":8,\"name\":\"b\"}");
    const cJSON *answers;

    fixture->limits.batch_requests = 9;
    send_batch(session, batch, "aabbccdxef", 1);
    answers = take(session);
    expect_name(answers, 0, "unknown_handle");
    expect_name(answers, 1, "out_of_range");
    expect_name(answers, 2, "invalid_params");
    expect_name(answers, 3, NULL);
    expect_name(answers, 4, "method_not_found");
    expect_name(answers, 5, "invalid_request");
    expect_name(answers, 6, "invalid_request");
    expect_name(answers, 7, NULL);
    assert_null(cJSON_GetArrayItem(answers, 8));
    read_hex(session, block, 0, 5, "6400656600");
}

static void test_sizes_that_do_not_match(void **state)
{
    static const char *const batches[] = {
        "[" RAW_WRITE("b", "0", "3") "]",
        "[" RAW_WRITE("b", "0", "5") "]",
        "[" RAW_WRITE("b", "0", "2") "," RAW_WRITE("b", "0", "3") "]",
        "[" RAW_WRITE("b", "0", "9007199254740991") "," RAW_WRITE("b", "0", "9007199254740991") "]",
        "[" RAW_WRITE("b", "0", "4") "," MESSAGE("block.write", "{\"block\":\"b\",\"encoding\":\"raw\"}") "]",
        "[" RAW_WRITE("b", "0", "4") "," MESSAGE("block.write",
                                                 "{\"block\":\"b\",\"encoding\":\"raw\",\"size\":\"0\"}") "]",
        "[" RAW_WRITE("b", "0", "4") "," MESSAGE("block.write",
                                                 "{\"block\":\"b\",\"encoding\":\"raw\",\"size\":0.5}") "]",
        "[" MESSAGE("block.fill", "[\"b\",1]") "]",
        "[]",
    };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(session, "{\"size\":8,\"name\":\"b\"}");

    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        feed_message(session, batches[i], strlen(batches[i]), 4);
        take_error(session, UMEM_E_INVALID_REQUEST);
        /* The bytes are passed over. */
        feed_payload(session, "abcd", 4, 3);
        assert_true(um_session_is_ready(session));
        expect_no_message(session);
        answers_forget();
    }
    read_hex(session, block, 0, 4, "00000000");
}

/* Without a payload there are no bytes to attribute: each write is answered for itself. */
static void test_without_a_payload(void **state)
{
    static const char batch[] =
        "[" RAW_WRITE("b", "0", "4") "," MESSAGE_OF("7", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\",\"size\":2}") "," MESSAGE(
            "block.write",
            "{\"block\":\"b\",\"encoding\":\"raw\"}") "," RAW_WRITE("b", "8", "0") "," MESSAGE("server.ping",
                                                                                               "[]") "]";
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(session, "{\"size\":8,\"name\":\"b\"}");
    const cJSON *answers;

    send_message(session, "%s", batch);
    answers = take(session);
    expect_name(answers, 0, "invalid_params");
    expect_name(answers, 1, "invalid_params");
    assert_int_equal(uint_of(cJSON_GetArrayItem(answers, 1), "id"), 7);
    assert_non_null(strstr(string_of(member(cJSON_GetArrayItem(answers, 1), "error"), "message"),
                           "is 2, but 0 bytes are given; Payload-Length says"));
    expect_name(answers, 2, NULL);
    expect_name(answers, 3, NULL);
    expect_name(answers, 4, NULL);
    read_hex(session, block, 0, 4, "00000000");
}

static void test_not_on_lines(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    const cJSON *answers;

    new_block(session, "{\"size\":8,\"name\":\"b\"}");
    send_message(session, "[" RAW_WRITE("b", "0", "4") "," RAW_READ("b", "0", "4") "," MESSAGE("server.ping",
                                                                                               "[]") "]");
    answers = take(session);
    expect_name(answers, 0, "unsupported");
    expect_name(answers, 1, "unsupported");
    expect_name(answers, 2, NULL);
}

/* Notifications are done, and have no place in the answer: neither they nor their raw bytes. */
static void test_notifications(void **state)
{
    static const char batch[] =
        "[{\"jsonrpc\":\"2.0\",\"method\":\"block.write\",\"params\":[\"b\",null,0,\"raw\",2]},"
        "{\"jsonrpc\":\"2.0\",\"method\":\"block.read\",\"params\":[\"b\",0,2,\"raw\"]},"
        "{\"jsonrpc\":\"2.0\",\"method\":\"block.read\",\"params\":[\"b\",99]}]";
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(session, "{\"size\":8,\"name\":\"b\"}");

    send_batch(session, batch, "ab", 1);
    expect_no_message(session);
    read_hex(session, block, 0, 2, "6162");
}

/* ---- limits ---- */

static void test_bytes_of_a_batch(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    const cJSON *answers;
    cJSON *data;
    char bytes[4096];

    new_block(session, "{\"size\":5000,\"name\":\"b\"}");
    send_message(
        session,
        "[" MESSAGE("block.fill", "[\"b\",1,0,4000]") "," MESSAGE("block.fill", "[\"b\",2,0,97]") "," MESSAGE(
            "block.fill", "[\"b\",3,0,96]") "," MESSAGE("block.get", "[\"b\",0]") "," MESSAGE("server.ping",
                                                                                              "[]") "]");
    answers = take(session);
    expect_name(answers, 0, NULL);
    expect_name(answers, 1, "limit_exceeded");
    expect_name(answers, 2, NULL);
    expect_name(answers, 3, "limit_exceeded");
    expect_name(answers, 4, NULL);
    data = member(member(cJSON_GetArrayItem(answers, 1), "error"), "data");
    assert_string_equal(string_of(data, "limit"), "batch_bytes");
    assert_int_equal(uint_of(data, "maximum"), 4096);
    assert_int_equal(uint_of(data, "asked"), 97);
    send_message(session, "[" RAW_READ("b", "0", "4096") "," RAW_READ("b", "0", "1") "]");
    answers = take_raw(session, bytes, 4096);
    expect_name(answers, 0, NULL);
    expect_name(answers, 1, "limit_exceeded");
    assert_int_equal(bytes[95], 3);
    assert_int_equal(bytes[96], 1);
}

/* Every call that touches bytes counts them, and a whole batch that passes the limit with its payload is
 * refused. */
static void test_every_call_counts(void **state)
{
    static const char *const calls[] = {
        MESSAGE("block.alloc", "[4097]"),
        MESSAGE("block.resize", "[\"b\",4097]"),
        MESSAGE("block.read", "[\"b\",0,4097]"),
        MESSAGE("block.get", "[\"b\",0,\"u8\",4097]"),
        MESSAGE("block.fill", "[\"b\",0,0,4097]"),
        MESSAGE("block.copy", "[\"b\",\"b\",0,0,4097]"),
        MESSAGE("block.compare", "[\"b\",\"b\",0,0,4097]"),
        MESSAGE("block.find", "[\"b\",\"\",903]"),
    };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;

    new_block(session, "{\"size\":5000,\"name\":\"b\"}");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const cJSON *answers = call(session, "[%s]", calls[i]);

        expect_name(answers, 0, "limit_exceeded");
    }
    assert_int_equal(uint_of(expect_result(session, MESSAGE("server.stats", "[]")), "blocks"), 1);
}

static void test_a_payload_past_the_limit(void **state)
{
    static const char batch[] = "[" RAW_WRITE("b", "0", "4097") "]";
    static const char good[] = "[" RAW_WRITE("b", "0", "4096") "]";
    static char bytes[4097];
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    cJSON *data;

    new_block(session, "{\"size\":5000,\"name\":\"b\"}");
    feed_message(session, batch, sizeof batch - 1, sizeof bytes);
    data = take_error(session, UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(string_of(data, "limit"), "batch_bytes");
    assert_int_equal(uint_of(data, "asked"), 4097);
    feed_payload(session, bytes, sizeof bytes, 1000);
    assert_true(um_session_is_ready(session));
    answers_forget();
    feed_message(session, good, sizeof good - 1, 4096);
    feed_payload(session, bytes, 4096, 1000);
    expect_name(take(session), 0, NULL);
}

/* Memory for a batch's bytes grows with those received, not with the declared size. */
static void test_nothing_of_a_declared_length(void **state)
{
    static const char batch[] = "[" RAW_WRITE("b", "0", "16777216") "]";
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    static char bytes[100000];
    size_t capacity = 0;

    fixture->limits.batch_bytes = 16 << 20;
    new_block(session, "{\"size\":16777216,\"name\":\"b\"}");
    feed_message(session, batch, sizeof batch - 1, 16 << 20);
    um_payload_reserve(session, &capacity);
    assert_in_range(capacity, 1, 1 << 17);
    feed_payload(session, bytes, sizeof bytes, 1000);
    um_payload_reserve(session, &capacity);
    assert_in_range(capacity, 1, 1 << 18);
    answers_forget();
}

static void test_as_many_requests_as_the_limit_allows(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *data;

    fixture->limits.batch_requests = 2;
    send_message(session, "[" MESSAGE("server.ping", "[]") "," MESSAGE("server.ping", "[]") "]");
    assert_int_equal(cJSON_GetArraySize(take(session)), 2);
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, "[1,2,3]");
    assert_string_equal(string_of(data, "limit"), "batch_requests");
    assert_int_equal(uint_of(data, "maximum"), 2);
    assert_int_equal(uint_of(data, "asked"), 3);
}

/* All answers of a batch together are one answer. */
static void test_an_answer_that_would_be_too_long(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    const cJSON *answers;

    fixture->limits.batch_bytes = 4 << 20;
    new_block(session, "{\"size\":500000,\"name\":\"b\"}");
    send_message(session, "[" MESSAGE("block.read", "[\"b\"]") "," MESSAGE(
                              "block.read", "[\"b\"]") "," MESSAGE("server.ping", "[]") "]");
    answers = take(session);
    expect_name(answers, 0, NULL);
    expect_name(answers, 1, "too_large");
    expect_name(answers, 2, NULL);
}

/* What is counted as answered with an error was counted as a request. */
static void test_refused_batches_are_counted(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *stats;

    fixture->limits.batch_requests = 2;
    expect_error(session, UMEM_E_INVALID_REQUEST, "[]");
    expect_error(session, UMEM_E_LIMIT_EXCEEDED, "[1,2,3]");
    expect_error(session, UMEM_E_PARSE_ERROR, "[");
    stats = expect_result(session, MESSAGE("server.stats", "[]"));
    assert_int_equal(uint_of(stats, "errors"), 3);
    assert_int_equal(uint_of(stats, "requests"), 4);
}

/* Each answer is within the limit, all of them together are not: the remaining calls of the batch are not done. */
static void test_answers_that_fill_the_message(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    const cJSON *answers;
    int refused = 0;

    new_block(session, "{\"size\":1,\"name\":\"b\"}");
    fixture->limits.message_bytes = 300000;
    fixture->limits.batch_bytes = 1 << 24;
    send_message(
        session,
        "[" MESSAGE("rpc.discover", "[]") "," MESSAGE("rpc.discover", "[]") "," MESSAGE(
            "rpc.discover",
            "[]") "," MESSAGE("rpc.discover",
                              "[]") "," MESSAGE("rpc.discover",
                                                "[]") "," MESSAGE("rpc.discover",
                                                                  "[]") "," MESSAGE("rpc.discover",
                                                                                    "[]") "," MESSAGE("block."
                                                                                                      "fill",
                                                                                                      "[\"b\""
                                                                                                      ",7]") "]");
    answers = take(session);
    assert_int_equal(cJSON_GetArraySize(answers), 8);
    for (int i = 0; i < 7; i++) {
        if (cJSON_HasObjectItem(cJSON_GetArrayItem(answers, i), "error")) {
            expect_name(answers, i, "too_large");
            refused++;
        }
    }
    assert_in_range(refused, 1, 6);
    /* A small answer fits where a large one did not. */
    expect_name(answers, 7, NULL);
    answers_forget();
}

static void test_no_request_runs_without_space_for_its_answer(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    const cJSON *answers;

    new_block(session, "{\"size\":1,\"name\":\"b\"}");
    fixture->limits.message_bytes = 1100;
    send_message(session, "[" MESSAGE("server.ping", "[]") "," MESSAGE("server.ping", "[]") "," MESSAGE(
                              "server.ping", "[]") "," MESSAGE("block.fill", "[\"b\",7]") "]");
    answers = take(session);
    expect_name(answers, 0, NULL);
    expect_name(answers, 3, "too_large");
    fixture->limits.message_bytes = 1 << 20;
    assert_string_equal(string_of(expect_result(session, MESSAGE("block.read", "[\"b\"]")), "data"), "AA==");
    answers_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_and_reads, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_it_begins_when_all_bytes_have_come, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_failures_use_up_their_bytes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_without_a_payload, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_sizes_that_do_not_match, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_not_on_lines, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_notifications, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bytes_of_a_batch, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_every_call_counts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_payload_past_the_limit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_nothing_of_a_declared_length, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_as_many_requests_as_the_limit_allows, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_answer_that_would_be_too_long, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_answers_that_fill_the_message, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_no_request_runs_without_space_for_its_answer, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refused_batches_are_counted, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
