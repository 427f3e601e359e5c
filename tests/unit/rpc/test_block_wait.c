/* block.wait: which writes answer it. */
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

static struct um_session *session_of(void **state)
{
    return &((struct fixture *)*state)->session;
}

static void test_no_need_to_wait(void **state)
{
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":16,\"name\":\"b\",\"data\":\"05\",\"encoding\":\"hex\"}");
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.wait", "[\"b\",0,4,\"i64\"]")), "value"),
                     5);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.wait", "[\"b\",0,4,\"u8\",0]")), "value"),
                     5);
    assert_false(um_session_is_waiting(session));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.wait", "[\"b\",9,0,\"i64\"]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.wait", "[\"b\",16,0,\"u8\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.wait", "[\"b\",0,256,\"u8\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.wait", "[\"b\",0,5,\"u8\",-1]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.wait", "[\"b\",0]"));
}

/* Every kind of write, first beside the number, then into its last byte. */
static void test_every_kind_of_write_answers(void **state)
{
    static const char *const writes[][2] = {
        {MESSAGE("block.write", "[\"b\",\"AQ==\",10]"), MESSAGE("block.write", "[\"b\",\"AQ==\",9]")},
        {MESSAGE("block.write", "[\"b\",\"01\",1,\"hex\"]"),
         MESSAGE("block.write", "[\"b\",\"0000000000000001\",2,\"hex\"]")},
        {MESSAGE("block.set", "[\"b\",0,[1,1]]"), MESSAGE("block.set", "[\"b\",8,[256],\"u16\"]")},
        {MESSAGE("block.fill", "[\"b\",1,10]"), MESSAGE("block.fill", "[\"b\",1,9,1]")},
        {MESSAGE("block.copy", "[\"ones\",\"b\",0,10,6]"), MESSAGE("block.copy", "[\"ones\",\"b\",0,9,2]")},
        {MESSAGE("block.copy", "[\"b\",\"b\",10,0,2]"), MESSAGE("block.copy", "[\"ones\",\"b\",0,9,1]")},
        {MESSAGE("block.add", "[\"b\",10,1,\"u16\"]"), MESSAGE("block.add", "[\"b\",8,256,\"u16\"]")},
        {MESSAGE("block.add", "[\"b\",0,1,\"u16\"]"), MESSAGE("block.add", "[\"b\",9,257,\"i64\"]")},
        {MESSAGE("block.exchange", "[\"b\",0,1,null,\"u16\"]"),
         MESSAGE("block.exchange", "[\"b\",9,1,0,\"u8\"]")},
        {MESSAGE("block.exchange", "[\"b\",9,1,7,\"u8\"]"),
         MESSAGE("block.exchange", "[\"b\",9,1,null,\"u8\"]")},
        {"[" MESSAGE("block.fill", "[\"b\",1,10]") "]",
         "[" MESSAGE("server.ping", "[]") "," MESSAGE("block.fill", "[\"b\",1,9,1]") "]"},
    };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_block(
        session,
        "{\"size\":16,\"name\":\"ones\",\"data\":\"01010101010101010101010101010101\",\"encoding\":\"hex\"}");
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        new_block(session, "{\"size\":32,\"name\":\"b\"}");
        begin_wait(&fixture->other, "[\"b\",2,0,\"i64\"]");
        call(session, "%s", writes[i][0]);
        expect_no_message(&fixture->other);
        call(session, "%s", writes[i][1]);
        take_value(&fixture->other, "\"72057594037927936\"");
        /* Once is enough. */
        call(session, MESSAGE("block.fill", "[\"b\",9]"));
        expect_no_message(&fixture->other);
        expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    }
}

static void write_raw(struct um_session *session, const char *bytes, size_t size)
{
    static const char message[] = MESSAGE_OF("1", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\"}");

    feed_message(session, message, sizeof message - 1, size);
    feed_payload(session, bytes, size, 1);
    assert_int_equal(uint_of(take_result(session), "size"), size);
}

static void test_raw_writes_answer(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    static const char batch[] =
        "[" MESSAGE("block.write", "{\"block\":\"b\",\"encoding\":\"raw\",\"size\":2,\"offset\":3}") "]";

    new_block(&fixture->session, "{\"size\":16,\"name\":\"b\"}");
    begin_wait(&fixture->session, "[\"b\",4,0,\"u16\"]");
    write_raw(other, "abcd", 4);
    expect_no_message(&fixture->session);
    write_raw(other, "abcde", 5);
    take_value(&fixture->session, "101");

    begin_wait(&fixture->session, "[\"b\",4,101,\"u8\"]");
    feed_message(other, batch, sizeof batch - 1, 2);
    feed_payload(other, "xy", 2, 1);
    take(other);
    take_value(&fixture->session, "121");
}

/* The bytes received so far stay, so that a call waiting for one of them is answered. */
static void test_a_raw_write_that_ends_too_soon_answers(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    static const char message[] = MESSAGE_OF("1", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\"}");

    new_block(&fixture->session, "{\"size\":16,\"name\":\"b\"}");
    begin_wait(&fixture->session, "[\"b\",1,0,\"u8\"]");
    begin_wait(&fixture->other, "[\"b\",2,0,\"u8\"]");
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    third.framing = UM_FRAMING_HEADERS;
    feed_message(&third, message, sizeof message - 1, 8);
    feed_payload(&third, "ab", 2, 1);
    expect_no_message(&fixture->session);
    um_session_close(&third);
    take_value(&fixture->session, "98");
    expect_no_message(&fixture->other);
}

static void test_resizing_answers(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    begin_wait(&fixture->other, "[\"b\",8,0,\"i64\"]");
    expect_result(session, MESSAGE("block.resize", "[\"b\",17]"));
    expect_result(session, MESSAGE("block.resize", "[\"b\",16]"));
    expect_no_message(&fixture->other);
    expect_result(session, MESSAGE("block.resize", "[\"b\",15]"));
    take_error(&fixture->other, UMEM_E_OUT_OF_RANGE);
    expect_no_message(&fixture->other);
}

/* A block that is cut and grows again within a batch is whole when anybody looks. */
static void test_a_batch_that_changes_back_wakes_no_waiter(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    begin_wait(&fixture->other, "[\"b\",8,0,\"i64\"]");
    send_message(session, "[" MESSAGE("block.fill", "[\"b\",1]") "," MESSAGE(
                              "block.resize", "[\"b\",4]") "," MESSAGE("block.resize", "[\"b\",16]") "]");
    assert_int_equal(cJSON_GetArraySize(take(session)), 3);
    expect_no_message(&fixture->other);
    send_message(session, "[" MESSAGE("block.fill", "[\"b\",1]") "," MESSAGE("block.fill", "[\"b\",2]") "]");
    take(session);
    take_value(&fixture->other, "\"144680345676153346\"");
}

/* In one session, the answer to the write comes first. */
static void test_ones_own_write_answers(void **state)
{
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    begin_wait(session, "[\"b\",0,0,\"i64\"]");
    send_message(session, MESSAGE_OF("8", "block.set", "[\"b\",0,[3]]"));
    assert_int_equal(uint_of(take(session), "id"), 8);
    take_value(session, "3");
}

static void test_several_waiters(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    for (int i = 0; i < 3; i++) {
        send_message(session, MESSAGE_OF("%d", "block.wait", "[\"b\",%d,0,\"u8\"]"), i, i);
        send_message(&fixture->other, MESSAGE_OF("%d", "block.wait", "[\"b\",%d,0,\"u8\"]"), 10 + i, i);
    }
    expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",1,1,1]"));
    assert_int_equal(uint_of(take(session), "id"), 1);
    assert_int_equal(uint_of(take(&fixture->other), "id"), 11);
    expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",1]"));
    assert_int_equal(uint_of(take(session), "id"), 0);
    assert_int_equal(uint_of(take(session), "id"), 2);
    assert_int_equal(uint_of(take(&fixture->other), "id"), 10);
    assert_int_equal(uint_of(take(&fixture->other), "id"), 12);
    expect_no_message(session);
    expect_no_message(&fixture->other);
}

static void test_floats_are_compared_bit_by_bit(void **state)
{
    struct fixture *fixture = *state;

    new_block(&fixture->session, "{\"size\":16,\"name\":\"b\"}");
    expect_result(&fixture->session, MESSAGE("block.set", "[\"b\",0,[\"NaN\"],\"f64\"]"));
    begin_wait(&fixture->other, "[\"b\",0,\"NaN\",\"f64\"]");
    expect_result(&fixture->session, MESSAGE("block.set", "[\"b\",0,[\"NaN\"],\"f64\"]"));
    expect_no_message(&fixture->other);
    expect_result(&fixture->session, MESSAGE("block.set", "[\"b\",0,[0],\"f64\"]"));
    take_value(&fixture->other, "0");
    begin_wait(&fixture->other, "[\"b\",0,0,\"f64\"]");
    expect_result(&fixture->session, MESSAGE("block.set", "[\"b\",7,[128]]"));
    take_value(&fixture->other, "-0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_need_to_wait, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_every_kind_of_write_answers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_raw_writes_answer, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_write_that_ends_too_soon_answers, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_resizing_answers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_batch_that_changes_back_wakes_no_waiter, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ones_own_write_answers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_several_waiters, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_floats_are_compared_bit_by_bit, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
