/* Numbers in blocks: read, written, added and exchanged. */
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

static const char *read_as(struct um_session *session, uint64_t block, const char *encoding)
{
    return string_of(
        expect_result(session, "{\"method\":\"block.read\",\"params\":{\"block\":%llu,\"encoding\":\"%s\"}}",
                      (ULL)block, encoding),
        "data");
}

static void test_numbers(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[16]");
    cJSON *values;

    expect_result(session,
                  "{\"method\":\"block.set\",\"params\":[%llu,0,[-1,\"9223372036854775807\"],\"i64\"]}",
                  (ULL)block);
    assert_string_equal(read_as(session, block, "hex"), "ffffffffffffffffffffffffffffff7f");
    values =
        member(expect_result(session, "{\"method\":\"block.get\",\"params\":[%llu,0,\"u64\",2]}", (ULL)block),
               "values");
    assert_string_equal(cJSON_GetArrayItem(values, 0)->valuestring, "18446744073709551615");
    values = member(expect_result(session, "{\"method\":\"block.get\",\"params\":[%llu,7]}", (ULL)block),
                    "values");
    assert_int_equal((int)cJSON_GetArrayItem(values, 0)->valuedouble, 255);
    expect_result(session, "{\"method\":\"block.set\",\"params\":[%llu,3,[1.5,\"-Infinity\"],\"f32\"]}",
                  (ULL)block);
    values =
        member(expect_result(session, "{\"method\":\"block.get\",\"params\":[%llu,3,\"f32\",2]}", (ULL)block),
               "values");
    assert_true(cJSON_GetArrayItem(values, 0)->valuedouble > 1.4);
    assert_string_equal(cJSON_GetArrayItem(values, 1)->valuestring, "-Infinity");
    expect_error(session, UMEM_E_INVALID_PARAMS, "{\"method\":\"block.set\",\"params\":[%llu,0,[1,256]]}",
                 (ULL)block);
    expect_error(session, UMEM_E_INVALID_PARAMS, "{\"method\":\"block.set\",\"params\":[%llu,0,[-1]]}",
                 (ULL)block);
    expect_error(session, UMEM_E_INVALID_PARAMS, "{\"method\":\"block.set\",\"params\":[%llu,0,[1.5]]}",
                 (ULL)block);
    expect_error(session, UMEM_E_INVALID_PARAMS,
                 "{\"method\":\"block.set\",\"params\":[%llu,0,[9007199254740992],\"u64\"]}", (ULL)block);
}

static void test_the_largest_float_comes_back(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[4]");

    expect_result(session, "{\"method\":\"block.set\",\"params\":[%llu,0,[-3.40282347e+38],\"f32\"]}",
                  (ULL)block);
    assert_string_equal(read_as(session, block, "hex"), "ffff7fff");
    expect_error(session, UMEM_E_INVALID_PARAMS,
                 "{\"method\":\"block.set\",\"params\":[%llu,0,[3.4028236e+38],\"f32\"]}", (ULL)block);
}

/* ---- block.add ---- */

/* One addition at offset 3, where nothing is aligned: the number there before, what is added, the type, and
 * what comes of it. */
static void check_add(struct um_session *session, const char *type, const char *before, const char *value,
                      const char *after)
{
    const cJSON *result;

    expect_result(session, MESSAGE("block.set", "[\"b\",3,[%s],\"%s\"]"), before, type);
    result = expect_result(session, MESSAGE("block.add", "[\"b\",3,%s,\"%s\"]"), value, type);
    assert_string_equal(cJSON_PrintUnformatted(member(result, "old")), before);
    assert_string_equal(cJSON_PrintUnformatted(member(result, "new")), after);
    result = expect_result(session, MESSAGE("block.get", "[\"b\",3,\"%s\"]"), type);
    assert_string_equal(cJSON_PrintUnformatted(cJSON_GetArrayItem(member(result, "values"), 0)), after);
}

static void test_add_wraps_around(void **state)
{
    static const char *const sums[][4] = {
        {"u8", "255", "1", "0"},
        {"u8", "200", "100", "44"},
        {"i8", "127", "1", "-128"},
        {"i8", "-128", "-1", "127"},
        {"u16", "65535", "2", "1"},
        {"i16", "32767", "1", "-32768"},
        {"i16", "-32768", "-32768", "0"},
        {"u32", "4294967295", "4294967295", "4294967294"},
        {"i32", "2147483647", "1", "-2147483648"},
        {"i32", "5", "-7", "-2"},
        {"u64", "\"18446744073709551615\"", "1", "0"},
        {"u64", "\"9007199254740992\"", "1", "\"9007199254740993\""},
        {"u64", "\"18446744073709551615\"", "\"18446744073709551615\"", "\"18446744073709551614\""},
        {"i64", "\"9223372036854775807\"", "1", "\"-9223372036854775808\""},
        {"i64", "\"-9223372036854775808\"", "-1", "\"9223372036854775807\""},
        {"i64", "-1", "1", "0"},
    };
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "{\"size\":16,\"name\":\"b\"}");

    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        check_add(session, sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
    /* Nothing beside the number was touched. */
    read_hex(session, block, 0, 3, "000000");
    read_hex(session, block, 11, 5, "0000000000");
}

static void test_add_of_floats(void **state)
{
    static const char *const sums[][4] = {
        {"f64", "1.5", "2.25", "3.75"},
        {"f64", "1e+308", "1e+308", "\"Infinity\""},
        {"f64", "\"Infinity\"", "\"-Infinity\"", "\"NaN\""},
        {"f64", "\"NaN\"", "1", "\"NaN\""},
        {"f64", "\"-Infinity\"", "5", "\"-Infinity\""},
        {"f32", "0.5", "-2", "-1.5"},
        {"f32", "16777216", "1", "16777216"},
        {"f32", "3e+38", "3e+38", "\"Infinity\""},
    };
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        check_add(session, sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
}

static void test_what_cannot_be_added(void **state)
{
    static const char *const params[] = {
        "[\"b\",0,-1,\"u8\"]",    "[\"b\",0,256,\"u8\"]",
        "[\"b\",0,128,\"i8\"]",   "[\"b\",0,1.5,\"i32\"]",
        "[\"b\",0,\"x\"]",        "[\"b\",0,true]",
        "[\"b\",0,\"NaN\"]",      "[\"b\",0,9007199254740992]",
        "[\"b\",0,\"1e3\"]",      "[\"b\",0,\"01\"]",
        "[\"b\",0,1e39,\"f32\"]", "[\"b\",0]",
        "[\"b\",0,[1]]",          "[\"b\",0,\"18446744073709551616\",\"u64\"]",
        "[\"b\",-1,1]",           "[\"b\",0,\"9223372036854775808\"]",
        "[\"b\",0,1,\"i128\"]",
    };
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "{\"size\":16,\"name\":\"b\"}");

    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.add", "%s"), params[i]);
        expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.exchange", "%s"), params[i]);
    }
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.add", "[\"b\",9,1,\"i64\"]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.add", "[\"b\",16,1,\"u8\"]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.add", "[\"b\",9007199254740991,1,\"u8\"]"));
    read_hex(session, block, 0, 16, "00000000000000000000000000000000");
}

/* ---- block.exchange ---- */

static void check_exchange(struct um_session *session, const char *params, const char *old, bool exchanges,
                           const char *hex)
{
    const cJSON *result = expect_result(session, MESSAGE("block.exchange", "%s"), params);

    assert_string_equal(cJSON_PrintUnformatted(member(result, "old")), old);
    assert_int_equal(bool_of(result, "exchanged"), exchanges);
    assert_string_equal(
        string_of(expect_result(session, MESSAGE("block.read", "[\"b\",1,8,\"hex\"]")), "data"), hex);
}

static void test_exchange(void **state)
{
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    check_exchange(session, "[\"b\",1,-2,null,\"i64\"]", "0", true, "feffffffffffffff");
    check_exchange(session, "[\"b\",1,\"9223372036854775807\",-1,\"i64\"]", "-2", false, "feffffffffffffff");
    check_exchange(session, "[\"b\",1,\"9223372036854775807\",-2,\"i64\"]", "-2", true, "ffffffffffffff7f");
    check_exchange(session, "[\"b\",1,0,null,\"i64\"]", "\"9223372036854775807\"", true, "0000000000000000");
    check_exchange(session, "[\"b\",1,7,0,\"u8\"]", "0", true, "0700000000000000");
    check_exchange(session, "[\"b\",1,255,7,\"u16\"]", "7", true, "ff00000000000000");
    check_exchange(session, "[\"b\",2,-1,255,\"i16\"]", "0", false, "ff00000000000000");
    check_exchange(session, "[\"b\",1,-1,-1,\"i8\"]", "-1", true, "ff00000000000000");
    check_exchange(session, "[\"b\",5,\"4294967295\",\"0\",\"u32\"]", "0", true, "ff000000ffffffff");
    check_exchange(session, "[\"b\",1,\"0\",\"18446744069414584575\",\"u64\"]", "\"18446744069414584575\"",
                   true, "0000000000000000");
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.exchange", "[\"b\",9,1,null,\"i64\"]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.exchange", "[\"b\",9,1,0,\"i64\"]"));
    /* What is expected must be a number of the type, too. */
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.exchange", "[\"b\",1,1,256,\"u8\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.exchange", "[\"b\",1,1,\"x\"]"));
}

/* Floats are compared bit by bit: NaN is NaN, and 0 is not -0. */
static void test_exchange_compares_bits(void **state)
{
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    check_exchange(session, "[\"b\",1,\"NaN\",0,\"f64\"]", "0", true, "000000000000f87f");
    check_exchange(session, "[\"b\",1,1,\"NaN\",\"f64\"]", "\"NaN\"", true, "000000000000f03f");
    expect_result(session, MESSAGE("block.write", "[\"b\",\"010000000000f87f\",1,\"hex\"]"));
    check_exchange(session, "[\"b\",1,1,\"NaN\",\"f64\"]", "\"NaN\"", false, "010000000000f87f");
    expect_result(session, MESSAGE("block.write", "[\"b\",\"0000000000000080\",1,\"hex\"]"));
    check_exchange(session, "[\"b\",1,1,0,\"f64\"]", "-0", false, "0000000000000080");
    check_exchange(session, "[\"b\",1,1,-0.0,\"f64\"]", "-0", true, "000000000000f03f");
    check_exchange(session, "[\"b\",1,\"Infinity\",0,\"f32\"]", "0", true, "0000807f0000f03f");
}

/* ---- block.get and block.set ---- */

static void test_get_and_set_check_their_ranges(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "{\"size\":16,\"name\":\"b\"}");

    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.set", "[\"b\",16,[]]")), "size"), 0);
    assert_int_equal(cJSON_GetArraySize(member(
                         expect_result(session, MESSAGE("block.get", "[\"b\",16,\"f64\",0]")), "values")),
                     0);
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.get", "[\"b\",17,\"u8\",0]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.get", "[\"b\",0,\"u16\",9]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.set", "[\"b\",13,[1,2],\"u16\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.get", "[\"b\",0,\"u8\",1000001]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.set", "[\"b\",0,1]"));
    /* One bad number, and none is written. */
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.set", "[\"b\",0,[1,2,\"x\"]]"));
    read_hex(session, block, 0, 16, "00000000000000000000000000000000");
    assert_int_equal(
        uint_of(expect_result(session, MESSAGE("block.set", "[\"b\",12,[1,-2],\"i16\"]")), "size"), 4);
    read_hex(session, block, 11, 5, "000100feff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_largest_float_comes_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_add_wraps_around, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_add_of_floats, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_added, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_exchange, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_exchange_compares_bits, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_get_and_set_check_their_ranges, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
