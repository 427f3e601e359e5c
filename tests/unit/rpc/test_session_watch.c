/* session.watch: which notifications come, and which are joined. */
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

static void expect_notification(struct um_session *session, const char *method, uint64_t id, const char *key,
                                uint64_t handle)
{
    const cJSON *params = take_notification(session, method);

    assert_int_equal(uint_of(params, "watch"), id);
    if (key != NULL)
        assert_int_equal(uint_of(params, key), handle);
}

/* ---- which notifications come ---- */

static void test_a_block(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t block = new_block(session, "{\"size\":64,\"name\":\"b\"}");
    uint64_t id;

    new_block(session, "{\"size\":64,\"name\":\"c\"}");
    id = new_watch(other, "{\"block\":\"b\"}");
    expect_no_message(other);
    expect_result(session, MESSAGE("block.fill", "[\"c\",1]"));
    expect_no_message(other);
    expect_result(session, MESSAGE("block.write", "[\"b\",\"AAAA\",5]"));
    expect_changed(other, id, block, 5, 3);
    expect_result(session, MESSAGE("block.set", "[\"b\",8,[1,2],\"i32\"]"));
    expect_changed(other, id, block, 8, 8);
    expect_result(session, MESSAGE("block.fill", "[\"b\",0,60]"));
    expect_changed(other, id, block, 60, 4);
    expect_result(session, MESSAGE("block.copy", "[\"c\",\"b\",0,1,2]"));
    expect_changed(other, id, block, 1, 2);
    expect_result(session, MESSAGE("block.add", "[\"b\",3,1,\"u16\"]"));
    expect_changed(other, id, block, 3, 2);
    expect_result(session, MESSAGE("block.exchange", "[\"b\",3,1,7,\"u16\"]"));
    expect_no_message(other);
    expect_result(session, MESSAGE("block.exchange", "[\"b\",3,1,1,\"u16\"]"));
    expect_changed(other, id, block, 3, 2);
    /* Nothing is written, or only read. */
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,64]"));
    expect_result(session, MESSAGE("block.write", "[\"b\",\"\",5]"));
    expect_result(session, MESSAGE("block.read", "[\"b\"]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.fill", "[\"b\",1,65]"));
    expect_no_message(other);
    /* A session is notified of its own changes, too: after the answer. */
    send_message(other, MESSAGE_OF("4", "block.fill", "[\"b\",1]"));
    assert_int_equal(uint_of(take(other), "id"), 4);
    expect_changed(other, id, block, 0, 64);
    expect_result(session, MESSAGE("block.resize", "[\"b\",70]"));
    expect_changed(other, id, block, 64, 6);
    expect_result(session, MESSAGE("block.resize", "[\"b\",10]"));
    expect_changed(other, id, block, 10, 60);
    expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    expect_notification(other, "block.freed", id, "block", block);
    expect_no_message(other);
    /* The watch stays, and can still be ended once. */
    expect_result(other, MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    expect_error(other, UMEM_E_UNKNOWN_HANDLE, MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
}

static void test_a_range_of_a_block(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t block = new_block(session, "{\"size\":64,\"name\":\"b\"}");
    uint64_t id = new_watch(other, "{\"block\":\"b\",\"offset\":10,\"size\":4}");
    uint64_t last_watch;

    expect_result(session, MESSAGE("block.fill", "[\"b\",1,0,10]"));
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,14]"));
    expect_no_message(other);
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,9,2]"));
    expect_changed(other, id, block, 9, 2);
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,13,20]"));
    expect_changed(other, id, block, 13, 20);
    expect_result(session, MESSAGE("block.resize", "[\"b\",14]"));
    expect_no_message(other);
    expect_result(session, MESSAGE("block.resize", "[\"b\",13]"));
    expect_changed(other, id, block, 13, 1);
    /* No bytes are never written. */
    last_watch = new_watch(other, "{\"block\":\"b\",\"offset\":5,\"size\":0}");
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,3,5]"));
    expect_no_message(other);
    expect_result(other, MESSAGE("session.unwatch", "[%llu]"), (ULL)last_watch);
    /* To the end is wherever the block ends at the time. */
    last_watch = new_watch(other, "{\"block\":\"b\",\"offset\":12}");
    expect_result(session, MESSAGE("block.resize", "[\"b\",100]"));
    take_notification(other, "block.changed");
    expect_changed(other, last_watch, block, 13, 87);
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,90]"));
    expect_changed(other, last_watch, block, 90, 10);
    expect_no_message(other);
    expect_error(other, UMEM_E_OUT_OF_RANGE, MESSAGE("session.watch", "{\"block\":\"b\",\"offset\":101}"));
    expect_error(other, UMEM_E_OUT_OF_RANGE,
                 MESSAGE("session.watch", "{\"block\":\"b\",\"offset\":1,\"size\":100}"));
    expect_error(other, UMEM_E_INVALID_PARAMS,
                 MESSAGE("session.watch", "{\"block\":\"b\",\"heap\":\"process\"}"));
    expect_error(other, UMEM_E_INVALID_PARAMS,
                 MESSAGE("session.watch", "{\"heap\":\"process\",\"offset\":1}"));
    expect_error(other, UMEM_E_INVALID_PARAMS, MESSAGE("session.watch", "{\"size\":1}"));
    expect_error(other, UMEM_E_UNKNOWN_HANDLE, MESSAGE("session.watch", "{\"block\":\"x\"}"));
}

static void test_a_heap(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t heap = new_heap(session, "{\"name\":\"h\"}");
    uint64_t id = new_watch(other, "[\"h\"]");
    uint64_t block = new_block(session, "{\"size\":64,\"heap\":\"h\",\"name\":\"b\"}");
    uint64_t second = new_block(session, "{\"size\":64,\"heap\":\"h\",\"name\":\"c\"}");

    new_block(session, "{\"size\":64,\"name\":\"elsewhere\"}");
    expect_result(session, MESSAGE("block.fill", "[\"elsewhere\",1]"));
    expect_no_message(other);
    expect_result(session, MESSAGE("block.fill", "[\"b\",1]"));
    expect_changed(other, id, block, 0, 64);
    expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    expect_notification(other, "block.freed", id, "block", block);
    expect_result(session, MESSAGE("block.fill", "[\"c\",1,3]"));
    expect_result(session, MESSAGE("heap.destroy", "[\"h\"]"));
    expect_changed(other, id, second, 3, 61);
    expect_notification(other, "heap.destroyed", id, "heap", heap);
    expect_no_message(other);
}

static void test_everything(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t id = new_watch(other, "[]");
    uint64_t heap = new_heap(session, "{\"name\":\"h\"}");
    uint64_t block = new_block(session, "{\"size\":64,\"heap\":\"h\",\"name\":\"b\"}");
    uint64_t second = new_block(session, "{\"size\":64,\"name\":\"c\"}");

    expect_no_message(other);
    expect_result(session, MESSAGE("block.copy", "[\"b\",\"c\",0,10,4]"));
    expect_result(session, MESSAGE("block.free", "[\"c\"]"));
    expect_result(session, MESSAGE("heap.destroy", "[\"h\"]"));
    expect_changed(other, id, second, 10, 4);
    expect_notification(other, "block.freed", id, "block", second);
    expect_notification(other, "heap.destroyed", id, "heap", heap);
    expect_no_message(other);
    (void)block;
    expect_result(other, MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    new_block(session, "{\"size\":64,\"name\":\"c\"}");
    expect_result(session, MESSAGE("block.fill", "[\"c\"]"));
    expect_no_message(other);
}

/* A watch of a block is notified even if its heap is destroyed; so is the watch of the heap. */
static void test_a_block_that_is_freed_with_its_heap(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t heap = new_heap(session, "{\"name\":\"h\"}");
    uint64_t block = new_block(session, "{\"size\":64,\"heap\":\"h\",\"name\":\"b\"}");
    uint64_t id = new_watch(session, "{\"block\":\"b\"}");
    uint64_t whole = new_watch(&fixture->other, "[\"h\"]");

    expect_result(session, MESSAGE("heap.destroy", "[\"h\"]"));
    expect_notification(session, "block.freed", id, "block", block);
    /* A watch of the heap is not notified of each block, even if another session watches one of them. */
    expect_notification(&fixture->other, "heap.destroyed", whole, "heap", heap);
    expect_no_message(session);
    expect_no_message(&fixture->other);
}

/* ---- joining ---- */

static void test_changes_are_joined(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t block = new_block(session, "{\"size\":1000,\"name\":\"b\"}");
    uint64_t second = new_block(session, "{\"size\":1000,\"name\":\"c\"}");
    uint64_t id = new_watch(other, "[]");

    for (unsigned i = 0; i < 500; i++) {
        expect_result(session, MESSAGE("block.fill", "[\"b\",1,%u,2]"), 500 - i);
        expect_result(session, MESSAGE("block.fill", "[\"c\",1,%u,1]"), 100 + i);
    }
    expect_changed(other, id, block, 1, 501);
    expect_changed(other, id, second, 100, 500);
    expect_no_message(other);
    /* Joined or not, what was freed comes after. */
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,0,1]"));
    expect_result(session, MESSAGE("block.fill", "[\"b\",1,900,1]"));
    expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    expect_result(session, MESSAGE("block.fill", "[\"c\",1,0,1]"));
    expect_changed(other, id, block, 0, 901);
    expect_notification(other, "block.freed", id, "block", block);
    expect_changed(other, id, second, 0, 1);
}

/* Sixteen changes are notified one by one; with one more, one notification stands for all. */
static void test_too_much_overflows(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t id;

    for (int i = 0; i < 17; i++)
        expect_result(session, MESSAGE("block.alloc", "{\"size\":8,\"name\":\"%d\"}"), i);
    id = new_watch(other, "[\"process\"]");
    for (int i = 0; i < 16; i++)
        expect_result(session, MESSAGE("block.fill", "[\"%d\",1]"), i);
    for (int i = 0; i < 16; i++)
        take_notification(other, "block.changed");
    expect_no_message(other);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 17; i++)
            expect_result(session, MESSAGE("block.fill", "[\"%d\",1]"), i);
    }
    expect_notification(other, "watch.overflow", id, NULL, 0);
    expect_no_message(other);
    /* After that it begins anew. */
    expect_result(session, MESSAGE("block.fill", "[\"3\",1]"));
    take_notification(other, "block.changed");
    expect_no_message(other);
}

/* A session's end takes much at once. */
static void test_a_sessions_end(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    uint64_t everything = new_watch(other, "[]");
    uint64_t of_heap;
    uint64_t of_block;
    uint64_t block;
    uint64_t heap;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_heap(&fixture->session, "{\"name\":\"h\"}");
    of_heap = new_watch(other, "[\"h\"]");
    block = new_block(&third, "{\"size\":8,\"heap\":\"h\",\"name\":\"b\",\"lifetime\":\"session\"}");
    of_block = new_watch(other, "{\"block\":\"b\"}");
    heap = new_heap(&third, "{\"lifetime\":\"session\"}");
    new_watch(&third, "[]");
    um_session_close(&third);
    um_watch_notify(other);
    for (int i = 0; i < 3; i++) {
        const cJSON *message = take(other);
        const cJSON *params = member(message, "params");
        bool is_of_block = uint_of(params, "watch") == of_block;

        assert_string_equal(string_of(message, "method"), is_of_block ? "block.freed" : "watch.overflow");
        assert_true(is_of_block || uint_of(params, "watch") == of_heap ||
                    uint_of(params, "watch") == everything);
        if (is_of_block)
            assert_int_equal(uint_of(params, "block"), block);
    }
    expect_no_message(other);
    (void)heap;
    answers_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_block, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_range_of_a_block, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_heap, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_everything, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_block_that_is_freed_with_its_heap, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_changes_are_joined, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_too_much_overflows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_sessions_end, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
