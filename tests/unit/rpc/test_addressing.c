/* What names a heap or a block: handles, also as strings, and names, also of digits. And what a number's type is where it is left
 * out. */
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
#include "rpc/call/value.h"
#include "rpc/schema/table.h"
#include "umem_errors.h"

static struct um_session *session_of(void **state)
{
    struct fixture *fixture = *state;

    return &fixture->session;
}

/* The block that a string names. */
static uint64_t found(struct um_session *session, const char *text)
{
    return uint_of(expect_result(session, MESSAGE("block.info", "[\"%s\"]"), text), "block");
}

static const char *handle_text(uint64_t handle)
{
    static char text[24];

    snprintf(text, sizeof text, "%llu", (ULL)handle);
    return text;
}

static void expect_unknown(struct um_session *session, const char *text)
{
    const cJSON *data = expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.info", "[\"%s\"]"), text);

    assert_string_equal(string_of(data, "handle"), text);
}

static void test_a_handle_as_a_string(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t heap = new_heap(session, "{\"name\":\"h\"}");
    char params[64];
    uint64_t block;

    snprintf(params, sizeof params, "{\"size\":4,\"heap\":\"%llu\"}", (ULL)heap);
    block = new_block(session, params);
    assert_int_equal(found(session, handle_text(block)), block);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("heap.info", "[\"%llu\"]"), (ULL)heap), "blocks"),
                     1);
    expect_result(session, MESSAGE("block.list", "{\"heap\":\"%llu\"}"), (ULL)heap);
    expect_result(session, MESSAGE("session.watch", "{\"block\":\"%llu\"}"), (ULL)block);
    expect_result(session, MESSAGE("block.copy", "[\"%llu\",\"%llu\"]"), (ULL)block, (ULL)block);
    /* A block's is none of a heap's. */
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("heap.info", "[\"%llu\"]"), (ULL)block);
    expect_result(session, MESSAGE("block.free", "[\"%llu\"]"), (ULL)block);
    expect_error(session, UMEM_E_STALE_HANDLE, MESSAGE("block.info", "[\"%llu\"]"), (ULL)block);
    take_all(session);
}

/* Digits that no handle is written with are names and nothing else. */
static void test_what_is_no_handle(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[4]");
    char text[64];

    snprintf(text, sizeof text, "0%llu", (ULL)block);
    expect_unknown(session, text);
    snprintf(text, sizeof text, "+%llu", (ULL)block);
    expect_unknown(session, text);
    snprintf(text, sizeof text, " %llu", (ULL)block);
    expect_unknown(session, text);
    snprintf(text, sizeof text, "%llu.0", (ULL)block);
    expect_unknown(session, text);
    expect_unknown(session, "0");
    expect_unknown(session, "");
    expect_unknown(session, "9007199254740992");
    expect_unknown(session, "18446744073709551617");
    /* The low bits of a number that is too large are not looked at. */
    snprintf(text, sizeof text, "1844674407370955%llu", (ULL)block);
    expect_unknown(session, text);
}

/* A name comes first, a number is a handle, and a mark makes a name of anything. */
static void test_a_name_of_digits(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[4]");
    char params[64];
    char marked[32];
    uint64_t named;

    snprintf(marked, sizeof marked, ":%llu", (ULL)block);
    expect_unknown(session, marked);
    snprintf(params, sizeof params, "{\"size\":4,\"name\":\"%llu\"}", (ULL)block);
    named = new_block(session, params);
    assert_int_equal(found(session, handle_text(block)), named);
    assert_int_equal(found(session, marked), named);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.info", "[%llu]"), (ULL)block), "block"),
                     block);
    expect_result(session, MESSAGE("block.free", "[\"%s\"]"), marked);
    expect_unknown(session, marked);
    assert_int_equal(found(session, handle_text(block)), block);
}

static void test_marks(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "{\"size\":4,\"name\":\"a:b\"}");

    assert_int_equal(found(session, "a:b"), block);
    assert_int_equal(found(session, ":a:b"), block);
    expect_unknown(session, "::a:b");
    expect_unknown(session, ":");
    expect_result(session, MESSAGE("heap.info", "[\":process\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.change", "[\"a:b\",\":c\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("heap.create", "[\":c\"]"));
    expect_result(session, MESSAGE("block.change", "[\"a:b\",\"\"]"));
    expect_unknown(session, "a:b");
}

/* Wherever a number's type may be left out, the same one is meant. */
static void test_one_type(void **state)
{
    struct um_session *session = session_of(state);
    size_t types = 0;

    for (size_t i = 0; um_table_at(i) != NULL; i++) {
        const struct um_method *method = um_table_at(i);

        for (size_t n = 0; n < method->param_count; n++) {
            if (method->params[n].words != um_value_words)
                continue;
            assert_int_equal(method->params[n].fallback, UM_U8);
            types++;
        }
    }
    assert_int_equal(types, 5);
    new_block(session, "{\"size\":2,\"name\":\"b\"}");
    expect_result(session, MESSAGE("block.set", "[\"b\",1,[255]]"));
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.add", "[\"b\",1,3]")), "new"), 2);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.exchange", "[\"b\",1,7,2]")), "old"), 2);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.wait", "[\"b\",1,0]")), "value"), 7);
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.add", "[\"b\",1,256]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_handle_as_a_string, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_handle, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_name_of_digits, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_marks, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_one_type, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
