/* session.watch: what is told, joined and left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "answers.h"
#include "fixture.h"
#include "umem_errors.h"

static struct um_peer *peer_of(void **state)
{
    return &((struct fixture *)*state)->peer;
}

static uint64_t watch(struct um_peer *peer, const char *params)
{
    return uint_of(expect_result(peer, MESSAGE("session.watch", "%s"), params), "watch");
}

static void expect_changed(struct um_peer *peer, uint64_t id, uint64_t block, uint64_t offset, uint64_t size)
{
    const cJSON *params = take_notification(peer, "block.changed");

    assert_int_equal(uint_of(params, "watch"), id);
    assert_int_equal(uint_of(params, "block"), block);
    assert_int_equal(uint_of(params, "offset"), offset);
    assert_int_equal(uint_of(params, "size"), size);
}

static void expect_told(struct um_peer *peer, const char *method, uint64_t id, const char *key,
                        uint64_t handle)
{
    const cJSON *params = take_notification(peer, method);

    assert_int_equal(uint_of(params, "watch"), id);
    if (key != NULL)
        assert_int_equal(uint_of(params, key), handle);
}

/* ---- what is told ---- */

static void test_a_block(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    struct um_peer *other = &fixture->other;
    uint64_t block = new_block(peer, "{\"size\":64,\"name\":\"b\"}");
    uint64_t id;

    new_block(peer, "{\"size\":64,\"name\":\"c\"}");
    id = watch(other, "{\"block\":\"b\"}");
    expect_silence(other);
    expect_result(peer, MESSAGE("block.fill", "[\"c\",1]"));
    expect_silence(other);
    expect_result(peer, MESSAGE("block.write", "[\"b\",\"AAAA\",5]"));
    expect_changed(other, id, block, 5, 3);
    expect_result(peer, MESSAGE("block.set", "[\"b\",8,[1,2],\"i32\"]"));
    expect_changed(other, id, block, 8, 8);
    expect_result(peer, MESSAGE("block.fill", "[\"b\",0,60]"));
    expect_changed(other, id, block, 60, 4);
    expect_result(peer, MESSAGE("block.copy", "[\"c\",\"b\",0,1,2]"));
    expect_changed(other, id, block, 1, 2);
    expect_result(peer, MESSAGE("block.add", "[\"b\",3,1,\"u16\"]"));
    expect_changed(other, id, block, 3, 2);
    expect_result(peer, MESSAGE("block.exchange", "[\"b\",3,1,7,\"u16\"]"));
    expect_silence(other);
    expect_result(peer, MESSAGE("block.exchange", "[\"b\",3,1,1,\"u16\"]"));
    expect_changed(other, id, block, 3, 2);
    /* Nothing is written, or only read. */
    expect_result(peer, MESSAGE("block.fill", "[\"b\",1,64]"));
    expect_result(peer, MESSAGE("block.write", "[\"b\",\"\",5]"));
    expect_result(peer, MESSAGE("block.read", "[\"b\"]"));
    expect_error(peer, UMEM_E_OUT_OF_RANGE, MESSAGE("block.fill", "[\"b\",1,65]"));
    expect_silence(other);
    /* What a session does itself is told, too: after the answer. */
    tell(other, MESSAGE_OF("4", "block.fill", "[\"b\",1]"));
    assert_int_equal(uint_of(take(other), "id"), 4);
    expect_changed(other, id, block, 0, 64);
    expect_result(peer, MESSAGE("block.resize", "[\"b\",70]"));
    expect_changed(other, id, block, 64, 6);
    expect_result(peer, MESSAGE("block.resize", "[\"b\",10]"));
    expect_changed(other, id, block, 10, 60);
    expect_result(peer, MESSAGE("block.free", "[\"b\"]"));
    expect_told(other, "block.freed", id, "block", block);
    expect_silence(other);
    /* The watch stays, and can still be ended once. */
    expect_result(other, MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    expect_error(other, UMEM_E_UNKNOWN_HANDLE, MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
}

static void test_a_range_of_a_block(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    struct um_peer *other = &fixture->other;
    uint64_t block = new_block(peer, "{\"size\":64,\"name\":\"b\"}");
    uint64_t id = watch(other, "{\"block\":\"b\",\"offset\":10,\"size\":4}");
    uint64_t rest;

    expect_result(peer, MESSAGE("block.fill", "[\"b\",1,0,10]"));
    expect_result(peer, MESSAGE("block.fill", "[\"b\",1,14]"));
    expect_silence(other);
    expect_result(peer, MESSAGE("block.fill", "[\"b\",1,9,2]"));
    expect_changed(other, id, block, 9, 2);
    expect_result(peer, MESSAGE("block.fill", "[\"b\",1,13,20]"));
    expect_changed(other, id, block, 13, 20);
    expect_result(peer, MESSAGE("block.resize", "[\"b\",14]"));
    expect_silence(other);
    expect_result(peer, MESSAGE("block.resize", "[\"b\",13]"));
    expect_changed(other, id, block, 13, 1);
    /* To the end is wherever the block ends at the time. */
    rest = watch(other, "{\"block\":\"b\",\"offset\":12}");
    expect_result(peer, MESSAGE("block.resize", "[\"b\",100]"));
    take_notification(other, "block.changed");
    expect_changed(other, rest, block, 13, 87);
    expect_result(peer, MESSAGE("block.fill", "[\"b\",1,90]"));
    expect_changed(other, rest, block, 90, 10);
    expect_silence(other);
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
    struct um_peer *peer = &fixture->peer;
    struct um_peer *other = &fixture->other;
    uint64_t heap = new_heap(peer, "{\"name\":\"h\"}");
    uint64_t id = watch(other, "[\"h\"]");
    uint64_t block = new_block(peer, "{\"size\":64,\"heap\":\"h\",\"name\":\"b\"}");
    uint64_t second = new_block(peer, "{\"size\":64,\"heap\":\"h\",\"name\":\"c\"}");

    new_block(peer, "{\"size\":64,\"name\":\"elsewhere\"}");
    expect_result(peer, MESSAGE("block.fill", "[\"elsewhere\",1]"));
    expect_silence(other);
    expect_result(peer, MESSAGE("block.fill", "[\"b\",1]"));
    expect_changed(other, id, block, 0, 64);
    expect_result(peer, MESSAGE("block.free", "[\"b\"]"));
    expect_told(other, "block.freed", id, "block", block);
    expect_result(peer, MESSAGE("block.fill", "[\"c\",1,3]"));
    expect_result(peer, MESSAGE("heap.destroy", "[\"h\"]"));
    expect_changed(other, id, second, 3, 61);
    expect_told(other, "heap.destroyed", id, "heap", heap);
    expect_silence(other);
}

static void test_everything(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    struct um_peer *other = &fixture->other;
    uint64_t id = watch(other, "[]");
    uint64_t heap = new_heap(peer, "{\"name\":\"h\"}");
    uint64_t block = new_block(peer, "{\"size\":64,\"heap\":\"h\",\"name\":\"b\"}");
    uint64_t second = new_block(peer, "{\"size\":64,\"name\":\"c\"}");

    expect_silence(other);
    expect_result(peer, MESSAGE("block.copy", "[\"b\",\"c\",0,10,4]"));
    expect_result(peer, MESSAGE("block.free", "[\"c\"]"));
    expect_result(peer, MESSAGE("heap.destroy", "[\"h\"]"));
    expect_changed(other, id, second, 10, 4);
    expect_told(other, "block.freed", id, "block", second);
    expect_told(other, "heap.destroyed", id, "heap", heap);
    expect_silence(other);
    (void)block;
    expect_result(other, MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    new_block(peer, "{\"size\":64,\"name\":\"c\"}");
    expect_result(peer, MESSAGE("block.fill", "[\"c\"]"));
    expect_silence(other);
}

/* A block that is watched by itself is told of even where its heap goes; both watches are told. */
static void test_a_block_that_goes_with_its_heap(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    uint64_t heap = new_heap(peer, "{\"name\":\"h\"}");
    uint64_t block = new_block(peer, "{\"size\":64,\"heap\":\"h\",\"name\":\"b\"}");
    uint64_t id = watch(peer, "{\"block\":\"b\"}");
    uint64_t whole = watch(&fixture->other, "[\"h\"]");

    expect_result(peer, MESSAGE("heap.destroy", "[\"h\"]"));
    expect_told(peer, "block.freed", id, "block", block);
    expect_told(&fixture->other, "block.freed", whole, "block", block);
    expect_told(&fixture->other, "heap.destroyed", whole, "heap", heap);
    expect_silence(peer);
    expect_silence(&fixture->other);
}

/* ---- joining ---- */

static void test_changes_are_joined(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    struct um_peer *other = &fixture->other;
    uint64_t block = new_block(peer, "{\"size\":1000,\"name\":\"b\"}");
    uint64_t second = new_block(peer, "{\"size\":1000,\"name\":\"c\"}");
    uint64_t id = watch(other, "[]");

    for (unsigned i = 0; i < 500; i++) {
        expect_result(peer, MESSAGE("block.fill", "[\"b\",1,%u,2]"), 500 - i);
        expect_result(peer, MESSAGE("block.fill", "[\"c\",1,%u,1]"), 100 + i);
    }
    expect_changed(other, id, block, 1, 501);
    expect_changed(other, id, second, 100, 500);
    expect_silence(other);
    /* Joined or not, what was freed comes after. */
    expect_result(peer, MESSAGE("block.fill", "[\"b\",1,0,1]"));
    expect_result(peer, MESSAGE("block.fill", "[\"b\",1,900,1]"));
    expect_result(peer, MESSAGE("block.free", "[\"b\"]"));
    expect_result(peer, MESSAGE("block.fill", "[\"c\",1,0,1]"));
    expect_changed(other, id, block, 0, 901);
    expect_told(other, "block.freed", id, "block", block);
    expect_changed(other, id, second, 0, 1);
}

/* Sixteen are told one by one; one more, and one notification stands for all. */
static void test_too_much_overflows(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    struct um_peer *other = &fixture->other;
    uint64_t id;

    for (int i = 0; i < 17; i++)
        expect_result(peer, MESSAGE("block.alloc", "{\"size\":8,\"name\":\"%d\"}"), i);
    id = watch(other, "[\"process\"]");
    for (int i = 0; i < 16; i++)
        expect_result(peer, MESSAGE("block.fill", "[\"%d\",1]"), i);
    for (int i = 0; i < 16; i++)
        take_notification(other, "block.changed");
    expect_silence(other);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 17; i++)
            expect_result(peer, MESSAGE("block.fill", "[\"%d\",1]"), i);
    }
    expect_told(other, "watch.overflow", id, NULL, 0);
    expect_silence(other);
    /* After that it begins anew. */
    expect_result(peer, MESSAGE("block.fill", "[\"3\",1]"));
    take_notification(other, "block.changed");
    expect_silence(other);
}

/* A session's end takes much at once. */
static void test_a_sessions_end(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *other = &fixture->other;
    struct um_peer_options options = {.pid = 5};
    struct um_peer third;
    uint64_t everything = watch(other, "[]");
    uint64_t of_heap;
    uint64_t of_block;
    uint64_t block;
    uint64_t heap;

    assert_int_equal(um_peer_open(fixture->rpc, &third, &options), UMEM_OK);
    new_heap(&fixture->peer, "{\"name\":\"h\"}");
    of_heap = watch(other, "[\"h\"]");
    block = new_block(&third, "{\"size\":8,\"heap\":\"h\",\"name\":\"b\",\"lifetime\":\"session\"}");
    of_block = watch(other, "{\"block\":\"b\"}");
    heap = new_heap(&third, "{\"lifetime\":\"session\"}");
    watch(&third, "[]");
    um_peer_close(&third);
    um_peer_notify(other);
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
    expect_silence(other);
    (void)heap;
    answers_forget();
}

/* ---- beginning, end, limits ---- */

static void test_several_watches(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    struct um_peer *other = &fixture->other;
    uint64_t block = new_block(peer, "{\"size\":64,\"name\":\"b\"}");
    uint64_t ids[] = {watch(other, "{\"block\":\"b\"}"), watch(other, "{\"block\":\"b\",\"size\":4}"),
                      watch(other, "[\"process\"]"), watch(other, "[]")};
    uint64_t mine = watch(peer, "{\"block\":\"b\"}");

    tell(peer, MESSAGE("block.fill", "[\"b\",1]"));
    take_result(peer);
    expect_changed(peer, mine, block, 0, 64);
    for (int i = 0; i < 4; i++)
        expect_changed(other, ids[i], block, 0, 64);
    expect_silence(other);
    /* What has not been told yet is not told after the end of a watch. */
    tell(peer, MESSAGE("block.fill", "[\"b\",1]"));
    take_result(peer);
    tell(other, MESSAGE("session.unwatch", "[%llu]"), (ULL)ids[0]);
    take_result(other);
    for (int i = 1; i < 4; i++)
        expect_changed(other, ids[i], block, 0, 64);
    expect_silence(other);
    expect_error(peer, UMEM_E_UNKNOWN_HANDLE, MESSAGE("session.unwatch", "[%llu]"), (ULL)ids[1]);
}

static void test_as_many_as_the_limit_allows(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    uint64_t id;
    cJSON *data;

    fixture->limits.watches = 2;
    id = watch(peer, "[]");
    watch(peer, "[]");
    data = expect_error(peer, UMEM_E_LIMIT_EXCEEDED, MESSAGE("session.watch", "[]"));
    assert_string_equal(string_of(data, "limit"), "watches");
    assert_int_equal(uint_of(data, "used"), 2);
    watch(&fixture->other, "[]");
    expect_result(peer, MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    assert_true(watch(peer, "[]") > id + 2);
}

/* Notifications stop at what may wait for a client; the rest waits, joined, until it has taken some. */
static void test_a_client_that_does_not_read(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->peer;
    struct um_peer *other = &fixture->other;
    size_t size;
    unsigned told = 0;

    fixture->limits.unsent_bytes = 1024;
    new_block(peer, "{\"size\":64,\"name\":\"b\"}");
    for (int i = 0; i < 100; i++)
        watch(other, "{\"block\":\"b\"}");
    for (unsigned i = 0; i < 64; i++) {
        expect_result(peer, MESSAGE("block.fill", "[\"b\",1,%u,1]"), i);
        um_peer_notify(other);
    }
    size = other->out.size;
    assert_in_range(size, 1024, 1024 + 200);
    for (; other->out.size != 0; told++) {
        assert_string_equal(string_of(take(other), "method"), "block.changed");
        um_peer_notify(other);
    }
    /* Those that had been told of the first byte are told of the rest, the others of all at once. */
    assert_in_range(told, 101, 100 + 1224 / 100);
}

/* A batch's answer is one message; what is told comes before or behind it. */
static void test_never_inside_of_a_batch(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peers[] = {&fixture->peer, &fixture->other};
    uint64_t block = new_block(&fixture->peer, "{\"size\":64,\"name\":\"b\"}");

    for (int i = 0; i < 2; i++) {
        uint64_t id = watch(peers[i], "{\"block\":\"b\"}");

        tell(peers[i],
             "[" MESSAGE("block.fill", "[\"b\",1,0,4]") "," MESSAGE("block.fill", "[\"b\",2,8,4]") "]");
        assert_int_equal(cJSON_GetArraySize(take(peers[i])), 2);
        expect_changed(peers[i], id, block, 0, 12);
        expect_silence(peers[i]);
        expect_result(peers[i], MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    }
}

/* A watch that begins or ends within a batch. */
static void test_watching_in_a_batch(void **state)
{
    struct um_peer *peer = peer_of(state);
    uint64_t block = new_block(peer, "{\"size\":64,\"name\":\"b\"}");
    uint64_t id;

    tell(peer, "[" MESSAGE("block.fill", "[\"b\",1,0,4]") "," MESSAGE("session.watch", "[]") "," MESSAGE(
                   "block.fill", "[\"b\",2,8,4]") "]");
    id = uint_of(member(cJSON_GetArrayItem(take(peer), 1), "result"), "watch");
    expect_changed(peer, id, block, 8, 4);
    tell(peer, "[" MESSAGE("block.fill", "[\"b\",1,0,4]") "," MESSAGE("session.unwatch", "[%llu]") "]",
         (ULL)id);
    take(peer);
    expect_silence(peer);
}

static void test_a_raw_write_is_told_at_its_end(void **state)
{
    struct fixture *fixture = *state;
    static const char message[] =
        MESSAGE("block.write", "{\"block\":\"b\",\"encoding\":\"raw\",\"offset\":3}");
    uint64_t block = new_block(&fixture->peer, "{\"size\":64,\"name\":\"b\"}");
    uint64_t id = watch(&fixture->peer, "[]");

    feed_message(&fixture->other, message, sizeof message - 1, 4);
    feed_payload(&fixture->other, "abc", 3, 1);
    expect_silence(&fixture->peer);
    feed_payload(&fixture->other, "d", 1, 1);
    take_result(&fixture->other);
    expect_changed(&fixture->peer, id, block, 3, 4);
    /* One that the block's new size cuts off has written nothing that is still there. */
    feed_message(&fixture->other, message, sizeof message - 1, 4);
    feed_payload(&fixture->other, "abc", 3, 1);
    expect_result(&fixture->peer, MESSAGE("block.resize", "[\"b\",4]"));
    expect_changed(&fixture->peer, id, block, 4, 60);
    feed_payload(&fixture->other, "d", 1, 1);
    take_error(&fixture->other, UMEM_E_OUT_OF_RANGE);
    expect_changed(&fixture->peer, id, block, 3, 1);
    expect_silence(&fixture->peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_block, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_range_of_a_block, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_heap, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_everything, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_block_that_goes_with_its_heap, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_changes_are_joined, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_too_much_overflows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_sessions_end, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_several_watches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_as_many_as_the_limit_allows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_does_not_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_never_inside_of_a_batch, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_watching_in_a_batch, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_write_is_told_at_its_end, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
