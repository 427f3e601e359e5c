/* block.get and block.set of many numbers: in slices, all of one moment, and counted as work. */
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
#include "rpc/call/engine_state.h"
#include "umem_errors.h"

enum {
    COUNT = 9000,
    SLICE = 1024,     /* floats in one */
    FLOAT_COST = 256, /* protocol.md, batches */
    SMALL_COST = 64
};

static const char number[] = "-1.2345678901234567e-300";

/* The message of a block.set of so many numbers, the last of which is `last`; to be freed. */
static char *set_message(const char *type, size_t count, const char *repeated, const char *last)
{
    size_t size = strlen(repeated) + 1;
    char *text = malloc(count * size + strlen(last) + 200);
    char *at;

    assert_non_null(text);
    at = text +
         sprintf(text,
                 "{\"id\":\"set\",\"method\":\"block.set\",\"params\":{\"block\":\"b\",\"offset\":8,\"type\":"
                 "\"%s\",\"values\":[",
                 type);
    for (size_t i = 1; i < count; i++)
        at += sprintf(at, "%s,", repeated);
    sprintf(at, "%s]}}", last);
    return text;
}

static void begin_set(struct um_session *session, const char *type, size_t count, const char *repeated,
                      const char *last)
{
    char *text = set_message(type, count, repeated, last);

    feed_message(session, text, strlen(text), 0);
    free(text);
    expect_no_message(session);
    assert_false(um_session_is_ready(session));
}

/* Feeds a message, which is freed, and lets it run to its end. */
static void feed_long(struct um_session *session, char *text)
{
    feed_message(session, text, strlen(text), 0);
    free(text);
    work(session->rpc);
}

/* Runs a call that has been begun to its end, and returns how many slices it took. */
static unsigned count_slices(struct um_session *session)
{
    unsigned slices = 0;

    while (session->job != NULL) {
        um_rpc_work(session->rpc);
        assert_true(++slices < 10000);
    }
    return slices;
}

static void fill_with_numbers(struct fixture *fixture, uint64_t block, size_t count)
{
    double value = -1.2345678901234567e-300;

    for (size_t i = 0; i < count; i++)
        memcpy(block_bytes(fixture, block) + 8 * i, &value, sizeof value);
}

/* ---- block.get ---- */

static void test_many_are_printed_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":72000,\"name\":\"b\"}");
    const cJSON *values;
    const cJSON *value;

    fill_with_numbers(fixture, block, COUNT);
    send_message(session, MESSAGE("block.get", "[\"b\",0,\"f64\",9000]"));
    expect_no_message(session);
    assert_false(um_session_is_ready(session));
    assert_true(um_rpc_work(fixture->rpc));
    /* Others are served between, and what they do is not seen. */
    expect_no_message(session);
    expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",0]"));
    assert_int_equal(count_slices(session), (COUNT + SLICE - 1) / SLICE - 1);
    values = member(take_result(session), "values");
    assert_int_equal(cJSON_GetArraySize(values), COUNT);
    cJSON_ArrayForEach(value, values)
    {
        assert_true(value->valuedouble == -1.2345678901234567e-300);
    }
    assert_true(um_session_is_ready(session));
    assert_true(fixture->rpc->reserved_bytes == 0);
}

static void test_up_to_how_many_are_printed_at_once(void **state)
{
    static const struct {
        const char *type;
        unsigned count; /* that are answered at once */
    } types[] = {{"u8", 16384}, {"i16", 16384}, {"u32", 16384}, {"f32", 4096}, {"i64", 4096}, {"f64", 4096}};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_block(session, "{\"size\":131072,\"name\":\"b\"}");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (unsigned more = 0; more < 2; more++) {
            send_message(session, MESSAGE("block.get", "[\"b\",0,\"%s\",%u]"), types[i].type,
                         types[i].count + more);
            assert_int_equal(session->job != NULL, more);
            work(fixture->rpc);
            assert_int_equal(cJSON_GetArraySize(member(take_result(session), "values")),
                             types[i].count + more);
        }
    }
}

/* What was there when the call came is answered, whatever becomes of the block. */
static void test_the_block_is_freed_while_it_is_printed(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":72000,\"name\":\"b\"}");

    fill_with_numbers(fixture, block, COUNT);
    send_message(session, MESSAGE("block.get", "[\"b\",0,\"f64\",9000]"));
    assert_true(um_rpc_work(fixture->rpc));
    expect_result(&fixture->other, MESSAGE("block.free", "[\"b\"]"));
    work(fixture->rpc);
    assert_int_equal(cJSON_GetArraySize(member(take_result(session), "values")), COUNT);
}

/* What is being printed counts as unsent: many such calls at once do not pass the limit of all sessions. */
static void test_what_is_printed_is_promised(void **state)
{
    struct fixture *fixture = *state;

    fixture->limits.unsent_total_bytes = 400000;
    new_block(&fixture->session, "{\"size\":72000,\"name\":\"b\"}");
    send_message(&fixture->session, MESSAGE("block.get", "[\"b\",0,\"f64\",9000]"));
    assert_string_equal(string_of(expect_error(&fixture->other, UMEM_E_LIMIT_EXCEEDED,
                                               MESSAGE("block.get", "[\"b\",0,\"f64\",4000]")),
                                  "limit"),
                        "unsent_total_bytes");
    work(fixture->rpc);
    take_result(&fixture->session);
    expect_result(&fixture->other, MESSAGE("block.get", "[\"b\",0,\"f64\",4000]"));
}

/* ---- block.set ---- */

static void test_many_are_read_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":72008,\"name\":\"b\"}");
    double last;

    begin_set(session, "f64", COUNT, number, "\"-Infinity\"");
    assert_true(um_rpc_work(fixture->rpc));
    /* Others are served between, and see nothing of it. */
    expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",1]"));
    for (unsigned i = 1; i < COUNT / SLICE; i++) {
        assert_true(um_rpc_work(fixture->rpc));
        read_hex(&fixture->other, block, 8, 8, "0101010101010101");
    }
    assert_int_equal(count_slices(session), 1);
    assert_int_equal(uint_of(take_result(session), "size"), 72000);
    read_hex(&fixture->other, block, 0, 8, "0101010101010101");
    memcpy(&last, block_bytes(fixture, block) + 8, sizeof last);
    assert_true(last == -1.2345678901234567e-300);
    memcpy(&last, block_bytes(fixture, block) + 72000, sizeof last);
    assert_true(last < -1e308);
    assert_true(um_session_is_ready(session));
}

/* Texts that are long cost more, so that fewer of them are read in one slice. */
static void test_long_numbers_are_read_in_smaller_slices(void **state)
{
    char digits[601] = "0.";
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    memset(digits + 2, '7', sizeof digits - 3);
    fixture->limits.message_bytes = 1 << 22;
    new_block(session, "{\"size\":72008,\"name\":\"b\"}");
    begin_set(session, "f64", 2000, digits, digits);
    assert_in_range(count_slices(session), 2000 / 28, 2000 / 26 + 1);
    take_result(session);
    assert_true(um_session_is_ready(session));
}

static void test_one_of_many_is_wrong(void **state)
{
    static const char *const wrong[] = {"1e400", "\"x\"", "null", "[]", "{\"a\":1}"};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":72008,\"name\":\"b\"}");

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const cJSON *error;

        begin_set(session, "f64", COUNT, number, wrong[i]);
        work(fixture->rpc);
        error = member(take(session), "error");
        assert_int_equal((int)member(error, "code")->valuedouble, UMEM_E_INVALID_PARAMS);
        assert_non_null(strstr(string_of(error, "message"), "parameter \"values\" (f64) at index 8999 "));
        assert_string_equal(string_of(member(error, "data"), "param"), "values");
        read_hex(&fixture->other, block, 0, 24, "000000000000000000000000000000000000000000000000");
    }
}

static void test_the_block_changes_while_they_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_block(session, "{\"size\":72008,\"name\":\"b\"}");
    begin_set(session, "f64", COUNT, number, number);
    assert_true(um_rpc_work(fixture->rpc));
    expect_result(&fixture->other, MESSAGE("block.resize", "[\"b\",72007]"));
    work(fixture->rpc);
    take_error(session, UMEM_E_OUT_OF_RANGE);
    feed_long(session, set_message("f64", COUNT, number, number));
    take_error(session, UMEM_E_OUT_OF_RANGE);
    expect_result(&fixture->other, MESSAGE("block.resize", "[\"b\",80000]"));
    begin_set(session, "f64", COUNT, number, number);
    /* It keeps the heap from being locked, and is kept from it where others wait for the lock. */
    expect_error(&fixture->other, UMEM_E_LOCKED, MESSAGE("heap.lock", "[\"process\"]"));
    work(fixture->rpc);
    take_result(session);
    begin_set(session, "f64", COUNT, number, number);
    expect_result(&fixture->other, MESSAGE("block.free", "[\"b\"]"));
    work(fixture->rpc);
    take_error(session, UMEM_E_STALE_HANDLE);
}

static void test_the_session_ends_while_they_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    uint64_t block = new_block(&fixture->session, "{\"size\":72008,\"name\":\"b\"}");
    struct um_session third;

    for (unsigned slices = 0; slices < 3; slices++) {
        assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
        begin_set(&third, "f64", COUNT, number, number);
        for (unsigned i = 0; i < slices; i++)
            assert_true(um_rpc_work(fixture->rpc));
        um_session_close(&third);
        assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
        send_message(&third, MESSAGE("block.get", "[\"b\",0,\"f64\",9000]"));
        for (unsigned i = 0; i < slices; i++)
            assert_true(um_rpc_work(fixture->rpc));
        um_session_close(&third);
        assert_true(fixture->rpc->reserved_bytes == 0);
    }
    read_hex(&fixture->session, block, 8, 8, "0000000000000000");
}

/* Their memory counts as gathered, and where there is too much of that already, none are kept. */
static void test_too_much_is_kept_already(void **state)
{
    struct fixture *fixture = *state;
    struct um_traffic traffic = {.gathered_bytes = 1 << 20};
    const cJSON *data;

    fixture->rpc->traffic = &traffic;
    fixture->limits.gathered_bytes = (1 << 20) + 100000;
    new_block(&fixture->session, "{\"size\":72008,\"name\":\"b\"}");
    feed_long(&fixture->session, set_message("f64", COUNT, number, number));
    data = take_error(&fixture->session, UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(string_of(data, "limit"), "gathered_bytes");
    fixture->limits.gathered_bytes = 1 << 22;
    begin_set(&fixture->session, "f64", COUNT, number, number);
    /* The message, the tree, and what becomes of it. */
    assert_in_range(um_session_gathered(&fixture->session), COUNT * (sizeof number + 40 + 8), COUNT * 200);
    work(fixture->rpc);
    take_result(&fixture->session);
    assert_int_equal(um_session_gathered(&fixture->session), 0);
}

/* ---- what counts ---- */

static void test_numbers_and_messages_count_for_the_turn(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t before;
    char *text;

    new_block(session, "{\"size\":72008,\"name\":\"b\"}");
    session->work = 0;
    expect_result(session, MESSAGE("block.get", "[\"b\",0,\"f32\",4000]"));
    assert_in_range(session->work, 4000 * FLOAT_COST, 4000 * FLOAT_COST + 5000);
    session->work = 0;
    expect_result(session, MESSAGE("block.get", "[\"b\",0,\"u8\",4000]"));
    assert_in_range(session->work, 4000 * SMALL_COST, 4000 * SMALL_COST + 5000);
    session->work = 0;
    feed_long(session, set_message("f64", 4000, number, number));
    take_result(session);
    /* The numbers, the values of the message, and its bytes. */
    assert_in_range(session->work, 4000 * (FLOAT_COST + 128 + 2 * 25),
                    4000 * (FLOAT_COST + 128 + 2 * 25) + 5000);
    session->work = 0;
    expect_result(session, MESSAGE("block.exchange", "[\"b\",0,1,2,\"f64\"]"));
    before = session->work;
    assert_in_range(before, FLOAT_COST, FLOAT_COST + 3000);
    /* Unknown members count, too. */
    text = malloc(70000);
    assert_non_null(text);
    strcpy(text, "{\"id\":1,\"method\":\"server.ping\",\"ignored\":[");
    for (int i = 0; i < 3000; i++)
        strcat(text + strlen(text), "0.33333333333,");
    strcat(text, "1]}");
    session->work = 0;
    feed_long(session, text);
    take_result(session);
    assert_in_range(session->work, 3000 * (128 + 2 * 14), 3000 * (128 + 2 * 14) + 5000);
}

static void test_numbers_count_for_a_batch(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":72008,\"name\":\"b\"}");
    const cJSON *data;
    char *message;
    char batch[12000];

    fixture->limits.batch_bytes = 100000;
    send_message(session, "[" MESSAGE("block.get", "[\"b\",0,\"f64\",390]") "," MESSAGE(
                              "block.get", "[\"b\",0,\"u8\",3]") "]");
    data = take(session);
    assert_int_equal(cJSON_GetArraySize(member(member(cJSON_GetArrayItem(data, 0), "result"), "values")),
                     390);
    data = member(member(cJSON_GetArrayItem(data, 1), "error"), "data");
    assert_string_equal(string_of(data, "limit"), "batch_bytes");
    assert_int_equal(uint_of(data, "used"), 390 * FLOAT_COST);
    assert_int_equal(uint_of(data, "asked"), 3 * SMALL_COST);
    /* More than may be read: none is, be there a block for them or not. */
    for (int i = 0; i < 2; i++) {
        message = set_message("f64", 391, number, number);
        message[strstr(message, "\"b\"") - message + 1] = i == 0 ? 'b' : 'x';
        feed_message(session, batch, (size_t)snprintf(batch, sizeof batch, "[%s]", message), 0);
        data = member(member(cJSON_GetArrayItem(take(session), 0), "error"), "data");
        assert_string_equal(string_of(data, "limit"), "batch_bytes");
        assert_int_equal(uint_of(data, "asked"), 391 * FLOAT_COST);
        free(message);
    }
    read_hex(session, block, 8, 8, "0000000000000000");
    message = set_message("f64", 390, number, number);
    feed_message(session, batch, (size_t)snprintf(batch, sizeof batch, "[%s]", message), 0);
    assert_int_equal(uint_of(member(cJSON_GetArrayItem(take(session), 0), "result"), "size"), 390 * 8);
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        TEST(test_many_are_printed_in_slices),
        TEST(test_up_to_how_many_are_printed_at_once),
        TEST(test_the_block_is_freed_while_it_is_printed),
        TEST(test_what_is_printed_is_promised),
        TEST(test_many_are_read_in_slices),
        TEST(test_long_numbers_are_read_in_smaller_slices),
        TEST(test_one_of_many_is_wrong),
        TEST(test_the_block_changes_while_they_are_read),
        TEST(test_the_session_ends_while_they_are_read),
        TEST(test_too_much_is_kept_already),
        TEST(test_numbers_and_messages_count_for_the_turn),
        TEST(test_numbers_count_for_a_batch),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
