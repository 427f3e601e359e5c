/* Every method does what protocol.md states. */
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
#include "rpc/schema/table.h"
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

static void test_server_methods(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = session_of(state);
    cJSON *result = expect_result(session, "{\"method\":\"server.info\"}");

    assert_string_equal(string_of(result, "name"), "umemd");
    assert_string_equal(string_of(result, "pipe"), "nowhere");
    assert_int_equal(uint_of(member(result, "limits"), "message_bytes"), 1 << 20);
    new_block(session, "[10]");
    expect_error(session, UMEM_E_METHOD_NOT_FOUND, "{\"method\":\"x\"}");
    result = expect_result(session, "{\"method\":\"server.stats\"}");
    assert_int_equal(uint_of(result, "blocks"), 1);
    assert_int_equal(uint_of(result, "bytes"), 10);
    assert_int_equal(uint_of(result, "requests"), 4);
    assert_int_equal(uint_of(result, "errors"), 1);
    result = expect_result(session, "{\"method\":\"server.reload\"}");
    assert_string_equal(string_of(result, "config"), "a.conf");
    assert_int_equal(cJSON_GetArraySize(member(result, "applied")), 1);
    assert_string_equal(cJSON_GetArrayItem(member(result, "applied"), 0)->valuestring, "log-level");
    assert_int_equal(cJSON_GetArraySize(member(result, "restart")), 1);
    assert_string_equal(cJSON_GetArrayItem(member(result, "restart"), 0)->valuestring, "pipe");
    fixture->refuses_reload = true;
    expect_error(session, UMEM_E_BAD_SETTINGS, "{\"method\":\"server.reload\"}");
    expect_result(session, "{\"method\":\"server.shutdown\"}");
    assert_int_equal(fixture->shutdowns, 1);
}

static void test_discover_lists_every_method(void **state)
{
    cJSON *methods = member(expect_result(session_of(state), "{\"method\":\"rpc.discover\"}"), "methods");
    size_t count = 0;

    while (um_table_at(count) != NULL)
        count++;
    assert_int_equal(cJSON_GetArraySize(methods), (int)count);
    for (size_t i = 0; i < count; i++) {
        const cJSON *method = cJSON_GetArrayItem(methods, (int)i);

        assert_string_equal(string_of(method, "name"), um_table_at(i)->name);
        assert_int_equal(cJSON_GetArraySize(member(method, "params")), (int)um_table_at(i)->param_count);
    }
}

static void test_heap_life(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t heap = new_heap(
        session, "{\"name\":\"cache\",\"maximum_size\":100,\"flags\":[\"zero_memory\"],\"alignment\":64}");
    cJSON *result;

    new_block(session, "{\"size\":60,\"heap\":\"cache\"}");
    expect_error(session, UMEM_E_NO_MEMORY, "{\"method\":\"block.alloc\",\"params\":[41,%llu]}", (ULL)heap);
    new_block(session, "{\"size\":40,\"heap\":\"cache\"}");
    result = expect_result(session, "{\"method\":\"heap.info\",\"params\":{\"heap\":\"cache\"}}");
    assert_int_equal(uint_of(result, "heap"), heap);
    assert_int_equal(uint_of(result, "bytes"), 100);
    assert_int_equal(uint_of(result, "blocks"), 2);
    assert_int_equal(uint_of(result, "alignment"), 64);
    assert_string_equal(string_of(result, "kind"), "private");
    assert_int_equal(uint_of(member(result, "owner"), "pid"), 77);
    assert_int_equal(cJSON_GetArraySize(member(result, "flags")), 1);
    result = expect_result(session, "{\"method\":\"heap.destroy\",\"params\":[\"cache\"]}");
    assert_int_equal(uint_of(result, "blocks"), 2);
    assert_int_equal(uint_of(result, "bytes"), 100);
    expect_error(session, UMEM_E_STALE_HANDLE, "{\"method\":\"heap.destroy\",\"params\":[%llu]}", (ULL)heap);
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"heap.destroy\",\"params\":[\"cache\"]}");
}

static void test_process_heap_cannot_be_destroyed(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t process = uint_of(expect_result(session, "{\"method\":\"heap.process\"}"), "heap");
    uint64_t block = new_block(session, "[1]");

    expect_error(session, UMEM_E_DENIED, "{\"method\":\"heap.destroy\",\"params\":[\"process\"]}");
    assert_int_equal(
        uint_of(expect_result(session, "{\"method\":\"block.info\",\"params\":[%llu]}", (ULL)block), "heap"),
        process);
}

static void test_lists_come_in_pages(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t seen = 0;
    uint64_t after = 0;
    cJSON *result;

    for (int i = 0; i < 5; i++)
        new_block(session, "[1]");
    for (int page = 0; page < 3; page++) {
        result = expect_result(session, "{\"method\":\"block.list\",\"params\":{\"limit\":2,\"after\":%llu}}",
                               (ULL)after);
        seen += (uint64_t)cJSON_GetArraySize(member(result, "blocks"));
        if (page < 2)
            after = uint_of(result, "next");
    }
    assert_true(cJSON_IsNull(member(result, "next")));
    assert_int_equal(seen, 5);
    new_heap(session, "{}");
    result = expect_result(session, "{\"method\":\"heap.list\",\"params\":{\"limit\":1}}");
    assert_string_equal(string_of(cJSON_GetArrayItem(member(result, "heaps"), 0), "kind"), "process");
    result =
        expect_result(session, "{\"method\":\"heap.list\",\"params\":[%llu]}", (ULL)uint_of(result, "next"));
    assert_int_equal(cJSON_GetArraySize(member(result, "heaps")), 1);
    assert_true(cJSON_IsNull(member(result, "next")));
}

static void test_block_life(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "{\"size\":4,\"name\":\"greeting\",\"data\":\"aGk=\"}");
    cJSON *result;

    assert_string_equal(read_as(session, block, "hex"), "68690000");
    result = expect_result(session, "{\"method\":\"block.info\",\"params\":[\"greeting\"]}");
    assert_int_equal(uint_of(result, "block"), block);
    assert_int_equal(uint_of(result, "holders"), 1);
    assert_true(cJSON_IsFalse(member(result, "orphaned")));
    assert_int_equal(uint_of(result, "created"), 1000);
    assert_string_equal(string_of(member(result, "owner"), "program"), "tester");
    expect_error(session, UMEM_E_DENIED, "{\"method\":\"block.free\",\"params\":[\"greeting\",true]}");
    assert_int_equal(
        uint_of(expect_result(session, "{\"method\":\"block.free\",\"params\":[\"greeting\"]}"), "size"), 4);
}

static void test_session_lifetime_ends_with_the_session(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    uint64_t gone;
    uint64_t kept;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    gone = new_block(&third, "{\"size\":1,\"lifetime\":\"session\"}");
    kept = new_block(&third, "[1]");
    um_session_close(&third);
    expect_error(&fixture->session, UMEM_E_STALE_HANDLE, "{\"method\":\"block.info\",\"params\":[%llu]}",
                 (ULL)gone);
    assert_true(cJSON_IsTrue(
        member(expect_result(&fixture->session, "{\"method\":\"block.info\",\"params\":[%llu]}", (ULL)kept),
               "orphaned")));
    assert_int_equal(
        cJSON_GetArraySize(member(expect_result(&fixture->session, "{\"method\":\"block.list\",\"params\":"
                                                                   "{\"orphaned\":true}}"),
                                  "blocks")),
        1);
    expect_result(&fixture->session, "{\"method\":\"block.free\",\"params\":[%llu,true]}", (ULL)kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_server_methods, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_discover_lists_every_method, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_heap_life, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_process_heap_cannot_be_destroyed, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_lists_come_in_pages, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_block_life, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_session_lifetime_ends_with_the_session, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
