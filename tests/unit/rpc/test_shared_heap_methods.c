/* Shared heaps through the protocol: the results of block.map and heap.info, and how pending calls are woken. */
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
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"

static struct um_session *session_of(void **state)
{
    return &((struct fixture *)*state)->session;
}

static uint64_t new_shared(struct um_session *session)
{
    return new_heap(session,
                    "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":1000000,\"alignment\":64}");
}

/* Writes to a block as a client does that has mapped it: the daemon does not notice. */
static void write_behind(struct fixture *fixture, uint64_t handle, size_t offset, const void *bytes,
                         size_t size)
{
    struct um_block *block = NULL;

    assert_int_equal(um_store_find_block(fixture->store, handle, &block, NULL), UMEM_OK);
    memcpy(um_block_bytes(block) + offset, bytes, size);
}

static void test_map_gives_where_blocks_are(void **state)
{
    struct um_session *session = session_of(state);
    cJSON *first;
    cJSON *second;

    new_shared(session);
    new_block(session, "{\"size\":100,\"heap\":\"s\",\"name\":\"a\"}");
    new_block(session, "{\"size\":7,\"heap\":\"s\",\"name\":\"b\"}");
    first = expect_result(session, MESSAGE("block.map", "[\"a\"]"));
    second = expect_result(session, MESSAGE("block.map", "[\"b\"]"));
    assert_int_equal(uint_of(first, "size"), 100);
    assert_int_equal(uint_of(second, "size"), 7);
    assert_int_equal(uint_of(second, "offset") - uint_of(first, "offset"), 128);
    assert_non_null(strstr(string_of(first, "name"), "umemd-"));
    assert_string_equal(string_of(first, "name"), string_of(second, "name"));
    expect_result(session, MESSAGE("block.resize", "[\"a\",1000]"));
    second = expect_result(session, MESSAGE("block.map", "[\"a\"]"));
    assert_int_equal(uint_of(second, "size"), 1000);
    assert_int_not_equal(uint_of(second, "offset"), uint_of(first, "offset"));
    expect_error(session, UMEM_E_UNSUPPORTED, MESSAGE("block.map", "[%llu]"), (ULL)new_block(session, "[1]"));
}

static void test_info_gives_how_the_memory_is_used(void **state)
{
    struct um_session *session = session_of(state);
    cJSON *info;

    new_shared(session);
    new_block(session, "{\"size\":100,\"heap\":\"s\",\"name\":\"a\"}");
    new_block(session, "{\"size\":100,\"heap\":\"s\"}");
    expect_result(session, MESSAGE("block.free", "[\"a\"]"));
    info = expect_result(session, MESSAGE("heap.info", "[\"s\"]"));
    assert_string_equal(string_of(info, "kind"), "shared");
    assert_int_equal(uint_of(info, "reserved"), 1048576);
    assert_int_equal(uint_of(info, "committed"), 65536);
    assert_int_equal(uint_of(info, "free"), 1048576 - 128);
    assert_int_equal(uint_of(info, "free_ranges"), 2);
    assert_int_equal(uint_of(info, "largest_free"), 1048576 - 256);
    assert_true(cJSON_IsFalse(member(info, "corrupted")));
}

static void test_a_wait_sees_what_was_mapped_when_it_is_woken(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t block;

    new_shared(session);
    block = new_block(session, "{\"size\":100,\"heap\":\"s\",\"name\":\"a\"}");
    send_message(session, MESSAGE_OF("1", "block.wait", "[\"a\",8,0,\"u8\"]"));
    expect_no_message(session);
    /* A session wakes without a change, or for other bytes. */
    expect_result(other, MESSAGE("block.wake", "[\"a\"]"));
    expect_no_message(session);
    write_behind(fixture, block, 8, "\5", 1);
    expect_no_message(session);
    expect_result(other, MESSAGE("block.wake", "[\"a\",0,8]"));
    expect_no_message(session);
    expect_result(other, MESSAGE("block.wake", "[\"a\",8,1]"));
    assert_int_equal(uint_of(take_result(session), "value"), 5);
}

static void test_a_watch_reports_what_was_woken(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t watch;
    cJSON *notification;

    new_shared(session);
    new_block(session, "{\"size\":100,\"heap\":\"s\",\"name\":\"a\"}");
    watch = new_watch(session, "{\"heap\":\"s\"}");
    expect_result(&fixture->other, MESSAGE("block.wake", "[\"a\",10,20]"));
    notification = take_notification(session, "block.changed");
    assert_int_equal(uint_of(notification, "watch"), watch);
    assert_int_equal(uint_of(notification, "offset"), 10);
    assert_int_equal(uint_of(notification, "size"), 20);
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.wake", "[\"a\",90,11]"));
}

static void test_text_is_checked_and_sent_from_a_copy(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block;

    new_shared(session);
    block = new_block(session, "{\"size\":4,\"heap\":\"s\",\"name\":\"a\"}");
    write_behind(fixture, block, 0, "a\"\n\xc3", 4);
    assert_int_equal(
        uint_of(expect_error(session, UMEM_E_UNSUPPORTED, MESSAGE("block.read", "[\"a\",0,4,\"utf8\"]")),
                "offset"),
        3);
    assert_string_equal(
        string_of(expect_result(session, MESSAGE("block.read", "[\"a\",0,3,\"utf8\"]")), "data"), "a\"\n");
    assert_string_equal(
        string_of(expect_result(session, MESSAGE("block.read", "[\"a\",0,0,\"utf8\"]")), "data"), "");
}

/* A large block is allocated and cleared in slices: others are served meanwhile, and no session sees it before it is answered. */
static void test_a_large_block_is_made_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *made;
    uint64_t block;

    new_heap(session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":20000000}");
    send_message(session,
                 MESSAGE_OF("1", "block.alloc", "{\"size\":12000000,\"heap\":\"s\",\"name\":\"a\"}"));
    expect_no_message(session);
    assert_true(um_session_is_waiting(session));
    assert_true(um_rpc_work(fixture->rpc));
    expect_no_message(session);
    expect_error(&fixture->other, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.info", "[\"a\"]"));
    expect_error(&fixture->other, UMEM_E_NO_MEMORY, MESSAGE("block.alloc", "[12000000,\"s\"]"));
    work(fixture->rpc);
    made = take_result(session);
    assert_int_equal(uint_of(made, "size"), 12000000);
    block = uint_of(made, "block");
    assert_int_equal(uint_of(expect_result(&fixture->other, MESSAGE("block.info", "[\"a\"]")), "block"),
                     block);
    expect_result(session, MESSAGE("block.free", "[\"a\"]"));
}

static void test_a_large_block_begins_with_its_data(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_block *block = NULL;
    cJSON *made;

    new_heap(session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":20000000}");
    send_message(session,
                 MESSAGE_OF("1", "block.alloc",
                            "{\"size\":6000000,\"heap\":\"s\",\"data\":\"abc\",\"encoding\":\"utf8\"}"));
    expect_no_message(session);
    work(fixture->rpc);
    made = take_result(session);
    assert_int_equal(um_store_find_block(fixture->store, uint_of(made, "block"), &block, NULL), UMEM_OK);
    assert_memory_equal(um_block_bytes(block), "abc\0\0", 5);
    assert_int_equal(um_block_bytes(block)[5999999], 0);
}

/* A failure between two steps is reported, and leaves nothing. */
static void test_a_large_block_that_is_not_made(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_store_stats stats;

    new_heap(session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":20000000}");
    send_message(session,
                 MESSAGE_OF("1", "block.alloc", "{\"size\":12000000,\"heap\":\"s\",\"name\":\"a\"}"));
    expect_no_message(session);
    assert_true(um_rpc_work(fixture->rpc));
    new_block(&fixture->other, "{\"size\":1,\"name\":\"a\"}");
    work(fixture->rpc);
    take_error(session, UMEM_E_NAME_TAKEN);
    send_message(session, MESSAGE_OF("1", "block.alloc", "{\"size\":12000000,\"heap\":\"s\"}"));
    expect_no_message(session);
    expect_result(&fixture->other, MESSAGE("heap.destroy", "[\"s\"]"));
    work(fixture->rpc);
    take_error(session, UMEM_E_STALE_HANDLE);
    new_heap(session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":20000000}");
    send_message(session, MESSAGE_OF("1", "block.alloc",
                                     "{\"size\":12000000,\"heap\":\"s\"}")); /* dropped with its session */
    expect_no_message(session);
    um_store_get_stats(fixture->store, &stats);
    assert_int_equal(stats.blocks, 1);
}

/* Bytes that come may be anything, and a part of anything. */
static void test_looking_ahead_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] =
        "{\"block\":\"block\":18446744073709551615,\"block\":12x\"block\": 1:::\"block\":";
    struct um_store_stats stats;

    for (int i = 0; i < 100; i++)
        expect_result(&fixture->session, MESSAGE("block.alloc", "[1]"));
    fixture->store->large_blocks = 1;
    um_store_set_time(fixture->store, 1);
    assert_true(um_store_get_status(fixture->store)->is_large);
    for (size_t from = 0; from < sizeof text; from++) {
        for (size_t size = 0; size < sizeof text - from; size++) {
            char *bytes =
                malloc(size != 0 ? size : 1); /* of just this size, so that a look past its end is found */

            assert_non_null(bytes);
            memcpy(bytes, text + from, size);
            um_rpc_prefetch(fixture->rpc, bytes, size);
            free(bytes);
        }
    }
    um_store_get_stats(fixture->store, &stats);
    assert_int_equal(stats.blocks, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_map_gives_where_blocks_are, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_info_gives_how_the_memory_is_used, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_wait_sees_what_was_mapped_when_it_is_woken, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_watch_reports_what_was_woken, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_large_block_is_made_in_slices, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_large_block_begins_with_its_data, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_large_block_that_is_not_made, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_looking_ahead_changes_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_text_is_checked_and_sent_from_a_copy, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
