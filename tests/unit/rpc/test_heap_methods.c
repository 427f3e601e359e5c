/* Heaps: their options, their maker, and the methods that maintain them. */
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

static void test_flags_and_lifetimes(void **state)
{
    struct um_session *session = session_of(state);
    cJSON *result;

    new_heap(session,
             "{\"name\":\"h\",\"flags\":[\"generate_exceptions\",\"no_serialize\"],\"initial_size\":5,"
             "\"maximum_size\":10,"
             "\"lifetime\":\"session\",\"alignment\":4096}");
    result = expect_result(session, MESSAGE("heap.info", "[\"h\"]"));
    assert_string_equal(cJSON_PrintUnformatted(member(result, "flags")),
                        "[\"no_serialize\",\"generate_exceptions\"]");
    assert_string_equal(string_of(result, "name"), "h");
    assert_string_equal(string_of(result, "lifetime"), "session");
    assert_int_equal(uint_of(result, "initial_size"), 5);
    assert_int_equal(uint_of(result, "maximum_size"), 10);
    assert_int_equal(uint_of(result, "alignment"), 4096);
    result = expect_result(session, MESSAGE("block.alloc", "[3,\"h\"]"));
    assert_int_equal(uint_of(result, "address") % 4096, 0);
    result = expect_result(session, MESSAGE("heap.info", "[\"process\"]"));
    assert_string_equal(string_of(result, "kind"), "process");
    assert_true(is_null(result, "owner"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("heap.create", "{\"alignment\":24}"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("heap.create", "{\"alignment\":131072}"));
    expect_error(session, UMEM_E_INVALID_PARAMS,
                 MESSAGE("heap.create", "{\"initial_size\":11,\"maximum_size\":10}"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("heap.create", "{\"kind\":\"process\"}"));
}

/* A heap of lifetime session ends with its session, and with it every block on it, of any maker and lifetime. */
static void test_a_heap_ends_with_its_session(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    uint64_t heap;
    uint64_t block;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    heap = new_heap(&third, "{\"lifetime\":\"session\"}");
    new_heap(&third, "{\"name\":\"kept\"}");
    block = uint_of(expect_result(&fixture->session, MESSAGE("block.alloc", "[8,%llu]"), (ULL)heap), "block");
    um_session_close(&third);
    expect_error(&fixture->session, UMEM_E_STALE_HANDLE, MESSAGE("heap.info", "[%llu]"), (ULL)heap);
    expect_error(&fixture->session, UMEM_E_STALE_HANDLE, MESSAGE("block.info", "[%llu]"), (ULL)block);
    assert_int_equal(
        uint_of(member(expect_result(&fixture->session, MESSAGE("heap.info", "[\"kept\"]")), "owner"),
                "session"),
        3);
}

/* The makers stay known after their sessions have ended. */
static void test_the_maker_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 4711, .program = "prog\"ram", .user = "us\\er"};
    struct um_session third;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_heap(&third, "{\"name\":\"h\"}");
    new_block(&third, "{\"size\":8,\"name\":\"b\",\"heap\":\"h\"}");
    um_session_close(&third);
    for (int i = 0; i < 4; i++) {
        static const char *const messages[] = {MESSAGE("heap.info", "[\"h\"]"),
                                               MESSAGE("block.info", "[\"b\"]"), MESSAGE("heap.list", "[]"),
                                               MESSAGE("block.list", "[\"h\"]")};
        static const char *const lists[] = {NULL, NULL, "heaps", "blocks"};
        const cJSON *entry = expect_result(&fixture->session, "%s", messages[i]);
        const cJSON *owner;

        if (lists[i] != NULL)
            entry = cJSON_GetArrayItem(member(entry, lists[i]), i == 2 ? 1 : 0);
        owner = member(entry, "owner");
        assert_int_equal(uint_of(owner, "session"), 3);
        assert_int_equal(uint_of(owner, "pid"), 4711);
        assert_string_equal(string_of(owner, "program"), "prog\"ram");
        assert_string_equal(string_of(owner, "user"), "us\\er");
    }
    /* Not known is 0 and "". */
    assert_int_equal(um_session_open(fixture->rpc, &third, &(struct um_session_options){.pid = 0}), UMEM_OK);
    new_block(&third, "{\"size\":8,\"name\":\"c\",\"heap\":\"h\"}");
    um_session_close(&third);
    assert_string_equal(cJSON_PrintUnformatted(member(
                            expect_result(&fixture->session, MESSAGE("block.info", "[\"c\"]")), "owner")),
                        "{\"session\":4,\"pid\":0,\"program\":\"\",\"user\":\"\"}");
}

/* ---- heap.validate, heap.compact, block.at ---- */

static void test_validate(void **state)
{
    struct um_session *session = session_of(state);
    cJSON *data;

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":8,\"name\":\"b\",\"heap\":\"h\"}");
    new_block(session, "{\"size\":0,\"name\":\"c\"}");
    new_block(session, "{\"size\":5000000,\"name\":\"large\",\"heap\":\"h\"}");
    assert_true(bool_of(expect_result(session, MESSAGE("heap.validate", "[]")), "valid"));
    assert_true(bool_of(expect_result(session, MESSAGE("heap.validate", "[\"h\"]")), "valid"));
    assert_true(bool_of(expect_result(session, MESSAGE("heap.validate", "[\"h\",\"b\"]")), "valid"));
    assert_true(bool_of(expect_result(session, MESSAGE("heap.validate", "[null,\"b\"]")), "valid"));
    assert_true(bool_of(expect_result(session, MESSAGE("heap.validate", "[\"process\",\"c\"]")), "valid"));
    assert_true(bool_of(expect_result(session, MESSAGE("heap.validate", "[\"h\",\"large\"]")), "valid"));
    data = expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("heap.validate", "[\"process\",\"b\"]"));
    assert_true(uint_of(data, "block") != 0);
}

/* Of what the daemon divides itself, it is known how. */
static void test_info_gives_size_classes(void **state)
{
    struct um_session *session = session_of(state);
    cJSON *classes;
    cJSON *info;

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":100,\"heap\":\"h\"}");
    for (int i = 0; i < 3; i++)
        new_block(session, "{\"size\":60,\"heap\":\"h\"}");
    new_block(session, "{\"size\":100000,\"heap\":\"h\"}");
    info = expect_result(session, MESSAGE("heap.info", "[\"h\"]"));
    classes = cJSON_GetObjectItemCaseSensitive(info, "size_classes");
    if (classes == NULL) /* Win32's */
        return;
    assert_int_equal(cJSON_GetArraySize(classes), 2);
    assert_int_equal(uint_of(cJSON_GetArrayItem(classes, 0), "size"), 64);
    assert_int_equal(uint_of(cJSON_GetArrayItem(classes, 0), "used"), 3);
    assert_true(uint_of(cJSON_GetArrayItem(classes, 0), "free") != 0);
    assert_int_equal(uint_of(cJSON_GetArrayItem(classes, 1), "size"), 112);
    assert_int_equal(uint_of(cJSON_GetArrayItem(classes, 1), "used"), 1);
    assert_true(uint_of(info, "reserved") >= uint_of(info, "committed"));
    assert_true(uint_of(info, "committed") >= 100000);
    assert_true(uint_of(info, "free") >= 64 * uint_of(cJSON_GetArrayItem(classes, 0), "free"));
    /* A page of a list is no place for so much. */
    info = expect_result(session, MESSAGE("heap.list", "[]"));
    assert_null(cJSON_GetObjectItemCaseSensitive(
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(info, "heaps"), 1), "size_classes"));
}

static void test_compact(void **state)
{
    struct um_session *session = session_of(state);

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":100000,\"name\":\"b\",\"heap\":\"h\"}");
    expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    expect_result(session, MESSAGE("heap.compact", "[\"h\"]"));
    expect_result(session, MESSAGE("heap.compact", "[]"));
    send_message(session, "[" MESSAGE("heap.compact", "[\"h\"]") "]");
    assert_string_equal(
        string_of(member(member(cJSON_GetArrayItem(take(session), 0), "error"), "data"), "name"),
        "unsupported");
}

static void test_at(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t blocks[20];
    uint64_t addresses[20];

    new_heap(session, "{\"name\":\"h\"}");
    for (unsigned i = 0; i < 20; i++) {
        const cJSON *result = expect_result(session, MESSAGE("block.alloc", "[%u,\"%s\"]"), i * 100,
                                            i % 2 == 0 ? "h" : "process");

        blocks[i] = uint_of(result, "block");
        addresses[i] = uint_of(result, "address");
    }
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(
            uint_of(expect_result(session, MESSAGE("block.at", "[%llu]"), (ULL)addresses[i]), "block"),
            blocks[i]);
        /* It has to start there. */
        expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.at", "[%llu]"), (ULL)addresses[i] + 1);
    }
    expect_result(session, MESSAGE("block.free", "[%llu]"), (ULL)blocks[7]);
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.at", "[%llu]"), (ULL)addresses[7]);
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.at", "[0]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.at", "[\"x\"]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flags_and_lifetimes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_heap_ends_with_its_session, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_maker_is_remembered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_validate, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_info_gives_size_classes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_compact, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_at, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
