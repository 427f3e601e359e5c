/* Sessions, what they hold, and what is left of them. */
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

/* ---- sessions ---- */

static void test_session_info(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *client = &fixture->session;
    cJSON *result;

    new_block(client, "[10]");
    new_block(client, "[20]");
    new_block(&fixture->other, "[40]");
    result = expect_result(client, MESSAGE("session.info", "[]"));
    assert_int_equal(uint_of(result, "session"), 1);
    assert_int_equal(uint_of(result, "pid"), 77);
    assert_string_equal(string_of(result, "program"), "tester");
    assert_string_equal(string_of(result, "user"), "me");
    assert_int_equal(uint_of(result, "opened"), 1000);
    assert_int_equal(uint_of(result, "blocks"), 2);
    assert_int_equal(uint_of(result, "bytes"), 30);
}

static void test_sessions_come_in_pages(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *client = &fixture->session;
    struct um_session_options options = {.pid = 5, .program = "p", .user = "u"};
    struct um_session more[5];
    uint64_t after = 0;
    uint64_t seen = 0;
    cJSON *result;

    for (int i = 0; i < 5; i++)
        assert_int_equal(um_session_open(fixture->rpc, &more[i], &options), UMEM_OK);
    um_session_close(&more[1]);
    for (int page = 0; page < 3; page++) {
        result = expect_result(client, MESSAGE("session.list", "[%llu,2]"), (ULL)after);
        for (int i = 0; i < 2; i++) {
            const cJSON *session = cJSON_GetArrayItem(member(result, "sessions"), i);
            static const unsigned wanted[] = {1, 2, 3, 5, 6, 7};

            assert_int_equal(uint_of(session, "session"), wanted[seen]);
            seen++;
        }
        if (page < 2)
            after = uint_of(result, "next");
    }
    assert_true(is_null(result, "next"));
    /* session.list continues after the id of a closed session. */
    result = expect_result(client, MESSAGE("session.list", "[4]"));
    assert_int_equal(cJSON_GetArraySize(member(result, "sessions")), 3);
    result = expect_result(client, MESSAGE("session.list", "[7]"));
    assert_int_equal(cJSON_GetArraySize(member(result, "sessions")), 0);
    assert_true(is_null(result, "next"));
    expect_error(client, UMEM_E_INVALID_PARAMS, MESSAGE("session.list", "[0,0]"));
    for (int i = 0; i < 5; i++) {
        if (i != 1)
            um_session_close(&more[i]);
    }
}

/* What the connection was requested to do. */
static struct um_session *closed;

static void on_close(struct um_session *client)
{
    closed = client;
}

static void test_session_close(void **state)
{
    static const struct um_session_events events = {.close = on_close};
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5, .events = &events};
    struct um_session third;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    third.queued_bytes = 103;
    closed = NULL;
    expect_error(&fixture->session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("session.close", "[0]"));
    assert_int_equal(
        uint_of(expect_error(&fixture->session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("session.close", "[4]")),
                "session"),
        4);
    assert_null(closed);
    expect_result(&fixture->session, MESSAGE("session.close", "[3]"));
    assert_ptr_equal(closed, &third);
    closed = NULL;
    assert_int_equal(uint_of(expect_result(&third, MESSAGE("session.info", "[]")), "queued_bytes"), 103);
    expect_result(&third, MESSAGE("session.close", "[3]"));
    assert_ptr_equal(closed, &third);
    um_session_close(&third);
    expect_error(&fixture->session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("session.close", "[3]"));
}

/* ---- holds and orphans ---- */

static void expect_block(struct um_session *client, const char *name, uint64_t session, unsigned holders,
                         bool orphaned)
{
    const cJSON *info = expect_result(client, MESSAGE("block.info", "[%s]"), name);

    assert_int_equal(uint_of(member(info, "owner"), "session"), session);
    assert_int_equal(uint_of(info, "holders"), holders);
    assert_int_equal(bool_of(info, "orphaned"), orphaned);
}

static uint64_t count_orphans(struct um_session *client)
{
    return uint_of(expect_result(client, MESSAGE("server.stats", "[]")), "orphaned_blocks");
}

static void test_holding_and_releasing(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *client = &fixture->session;
    struct um_session *other = &fixture->other;
    char block[32];

    snprintf(block, sizeof block, "%llu", (ULL)new_block(client, "[8]"));
    expect_block(client, block, 1, 1, false);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(uint_of(expect_result(client, MESSAGE("block.hold", "[%s]"), block), "holders"),
                         i == 0 ? 1 : 2);
        assert_int_equal(uint_of(expect_result(other, MESSAGE("block.hold", "[%s]"), block), "holders"), 2);
    }
    assert_int_equal(uint_of(expect_result(client, MESSAGE("block.release", "[%s]"), block), "holders"), 1);
    assert_int_equal(uint_of(expect_result(client, MESSAGE("block.release", "[%s]"), block), "holders"), 1);
    expect_block(client, block, 1, 1, false);
    expect_error(client, UMEM_E_DENIED, MESSAGE("block.free", "[%s,true]"), block);
    assert_int_equal(uint_of(expect_result(other, MESSAGE("block.release", "[%s]"), block), "holders"), 0);
    expect_block(client, block, 1, 0, true);
    assert_int_equal(count_orphans(client), 1);
    assert_int_equal(uint_of(expect_result(client, MESSAGE("block.hold", "[%s]"), block), "holders"), 1);
    assert_int_equal(count_orphans(client), 0);
    expect_result(client, MESSAGE("block.release", "[%s]"), block);
    /* A name keeps it from being an orphan, too. */
    expect_result(client, MESSAGE("block.change", "[%s,\"n\"]"), block);
    expect_result(client, MESSAGE("block.release", "[\"n\"]"));
    expect_block(client, block, 1, 0, false);
    expect_error(client, UMEM_E_DENIED, MESSAGE("block.free", "[\"n\",true]"));
    expect_result(client, MESSAGE("block.free", "[\"n\",false]"));
}

/* A session that changes an orphan adopts it. */
static void test_adopting(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *client = &fixture->session;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    char block[32];
    const cJSON *info;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    snprintf(block, sizeof block, "%llu", (ULL)new_block(&third, "[8]"));
    um_session_close(&third);
    expect_block(client, block, 3, 0, true);
    info = expect_result(client, MESSAGE("block.list", "{\"orphaned\":true}"));
    assert_int_equal(cJSON_GetArraySize(member(info, "blocks")), 1);
    info = expect_result(client, MESSAGE("block.list", "{\"session\":3}"));
    assert_int_equal(cJSON_GetArraySize(member(info, "blocks")), 1);
    info = expect_result(client, MESSAGE("block.change", "[%s]"), block);
    assert_int_equal(uint_of(member(info, "owner"), "session"), 1);
    assert_int_equal(uint_of(info, "holders"), 1);
    expect_block(&fixture->other, block, 1, 1, false);
    /* Naming a block that is no orphan does not change its owner. */
    expect_result(&fixture->other, MESSAGE("block.change", "[%s,\"n\"]"), block);
    expect_block(client, block, 1, 1, false);
    expect_result(&fixture->other, MESSAGE("block.change", "[%s,\"\"]"), block);
    /* With lifetime session, the caller becomes the owner; the former one still holds it. */
    info = expect_result(&fixture->other, MESSAGE("block.change", "{\"block\":%s,\"lifetime\":\"session\"}"),
                         block);
    assert_string_equal(string_of(info, "lifetime"), "session");
    expect_block(client, block, 2, 2, false);
}

/* Its new owner's end frees a block of lifetime session, though the former holds it. */
static void test_a_hold_does_not_lengthen_a_session(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    uint64_t block = new_block(&fixture->session, "[8]");

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    expect_result(&third, MESSAGE("block.change", "{\"block\":%llu,\"lifetime\":\"session\",\"name\":\"n\"}"),
                  (ULL)block);
    expect_result(&fixture->other, MESSAGE("block.hold", "[\"n\"]"));
    expect_result(&fixture->session, MESSAGE("block.hold", "[\"n\"]"));
    um_session_close(&third);
    expect_error(&fixture->session, UMEM_E_STALE_HANDLE, MESSAGE("block.info", "[%llu]"), (ULL)block);
    expect_error(&fixture->session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.info", "[\"n\"]"));
    /* The name is free again. */
    new_block(&fixture->session, "{\"size\":8,\"name\":\"n\"}");
}

static void test_changing_names(void **state)
{
    struct um_session *client = session_of(state);
    uint64_t block = new_block(client, "{\"size\":8,\"name\":\"a\"}");
    uint64_t second = new_block(client, "[8]");

    expect_error(client, UMEM_E_NAME_TAKEN, MESSAGE("block.change", "[%llu,\"a\"]"), (ULL)second);
    assert_string_equal(string_of(expect_result(client, MESSAGE("block.change", "[\"a\",\"a\"]")), "name"),
                        "a");
    assert_string_equal(string_of(expect_result(client, MESSAGE("block.change", "[\"a\",\"b\"]")), "name"),
                        "b");
    expect_error(client, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.info", "[\"a\"]"));
    assert_int_equal(uint_of(expect_result(client, MESSAGE("block.info", "[\"b\"]")), "block"), block);
    assert_string_equal(
        string_of(expect_result(client, MESSAGE("block.change", "[%llu,\"a\"]"), (ULL)second), "name"), "a");
    assert_true(is_null(expect_result(client, MESSAGE("block.change", "[\"b\",\"\"]")), "name"));
    expect_error(client, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.info", "[\"b\"]"));
    expect_error(client, UMEM_E_INVALID_PARAMS, MESSAGE("block.change", "[\"a\",\"a\\nb\"]"));
    /* A failed change changes neither the name nor the lifetime. */
    expect_error(client, UMEM_E_NAME_TAKEN, MESSAGE("block.change", "[%llu,\"a\",\"session\"]"), (ULL)block);
    assert_string_equal(
        string_of(expect_result(client, MESSAGE("block.info", "[%llu]"), (ULL)block), "lifetime"), "server");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_session_info, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_sessions_come_in_pages, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_session_close, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_holding_and_releasing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_adopting, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_hold_does_not_lengthen_a_session, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_changing_names, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
