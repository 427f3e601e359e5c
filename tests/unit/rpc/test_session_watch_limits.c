/* session.watch: beginning, end and limits, and when notifications come. */
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

static struct um_session *session_of(void **state)
{
    return &((struct fixture *)*state)->session;
}

static void test_several_watches(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t block = new_block(session, "{\"size\":64,\"name\":\"b\"}");
    uint64_t ids[] = {new_watch(other, "{\"block\":\"b\"}"), new_watch(other, "{\"block\":\"b\",\"size\":4}"),
                      new_watch(other, "[\"process\"]"), new_watch(other, "[]")};
    uint64_t mine = new_watch(session, "{\"block\":\"b\"}");

    send_message(session, MESSAGE("block.fill", "[\"b\",1]"));
    take_result(session);
    expect_changed(session, mine, block, 0, 64);
    for (int i = 0; i < 4; i++)
        expect_changed(other, ids[i], block, 0, 64);
    expect_no_message(other);
    /* Pending notifications of a watch are dropped when it ends. */
    send_message(session, MESSAGE("block.fill", "[\"b\",1]"));
    take_result(session);
    send_message(other, MESSAGE("session.unwatch", "[%llu]"), (ULL)ids[0]);
    take_result(other);
    for (int i = 1; i < 4; i++)
        expect_changed(other, ids[i], block, 0, 64);
    expect_no_message(other);
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("session.unwatch", "[%llu]"), (ULL)ids[1]);
}

static void test_as_many_as_the_limit_allows(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t id;
    cJSON *data;

    fixture->limits.watches = 2;
    id = new_watch(session, "[]");
    new_watch(session, "[]");
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("session.watch", "[]"));
    assert_string_equal(string_of(data, "limit"), "watches");
    assert_int_equal(uint_of(data, "used"), 2);
    new_watch(&fixture->other, "[]");
    expect_result(session, MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    assert_true(new_watch(session, "[]") > id + 2);
}

/* Notifications stop at the limit of unsent bytes; the others wait, joined, until the client has taken some. */
static void test_a_client_that_does_not_read(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    size_t size;
    unsigned notified = 0;

    fixture->limits.unsent_bytes = 1024;
    new_block(session, "{\"size\":64,\"name\":\"b\"}");
    for (int i = 0; i < 100; i++)
        new_watch(other, "{\"block\":\"b\"}");
    for (unsigned i = 0; i < 64; i++) {
        expect_result(session, MESSAGE("block.fill", "[\"b\",1,%u,1]"), i);
        um_watch_notify(other);
    }
    size = other->out.size;
    assert_in_range(size, 1024, 1024 + 200);
    for (; other->out.size != 0; notified++) {
        assert_string_equal(string_of(take(other), "method"), "block.changed");
        um_watch_notify(other);
    }
    /* Watches notified of the first byte are notified of the following ones, the others of all at once. */
    assert_in_range(notified, 101, 100 + 1224 / 100);
}

/* A batch's answer is one message; notifications come before or behind it. */
static void test_never_inside_of_a_batch(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *sessions[] = {&fixture->session, &fixture->other};
    uint64_t block = new_block(&fixture->session, "{\"size\":64,\"name\":\"b\"}");

    for (int i = 0; i < 2; i++) {
        uint64_t id = new_watch(sessions[i], "{\"block\":\"b\"}");

        send_message(sessions[i], "[" MESSAGE("block.fill", "[\"b\",1,0,4]") "," MESSAGE(
                                      "block.fill", "[\"b\",2,8,4]") "]");
        assert_int_equal(cJSON_GetArraySize(take(sessions[i])), 2);
        expect_changed(sessions[i], id, block, 0, 12);
        expect_no_message(sessions[i]);
        expect_result(sessions[i], MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    }
}

/* A watch that begins or ends within a batch. */
static void test_watching_in_a_batch(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "{\"size\":64,\"name\":\"b\"}");
    uint64_t id;

    send_message(session, "[" MESSAGE("block.fill", "[\"b\",1,0,4]") "," MESSAGE(
                              "session.watch", "[]") "," MESSAGE("block.fill", "[\"b\",2,8,4]") "]");
    id = uint_of(member(cJSON_GetArrayItem(take(session), 1), "result"), "watch");
    expect_changed(session, id, block, 8, 4);
    send_message(session,
                 "[" MESSAGE("block.fill", "[\"b\",1,0,4]") "," MESSAGE("session.unwatch", "[%llu]") "]",
                 (ULL)id);
    take(session);
    expect_no_message(session);
}

static void test_a_raw_write_raises_its_event_at_its_end(void **state)
{
    struct fixture *fixture = *state;
    static const char message[] =
        MESSAGE("block.write", "{\"block\":\"b\",\"encoding\":\"raw\",\"offset\":3}");
    uint64_t block = new_block(&fixture->session, "{\"size\":64,\"name\":\"b\"}");
    uint64_t id = new_watch(&fixture->session, "[]");

    feed_message(&fixture->other, message, sizeof message - 1, 4);
    feed_payload(&fixture->other, "abc", 3, 1);
    expect_no_message(&fixture->session);
    feed_payload(&fixture->other, "d", 1, 1);
    take_result(&fixture->other);
    expect_changed(&fixture->session, id, block, 3, 4);
    /* One that the block's new size cuts off has written nothing that is still there. */
    feed_message(&fixture->other, message, sizeof message - 1, 4);
    feed_payload(&fixture->other, "abc", 3, 1);
    expect_result(&fixture->session, MESSAGE("block.resize", "[\"b\",4]"));
    expect_changed(&fixture->session, id, block, 4, 60);
    feed_payload(&fixture->other, "d", 1, 1);
    take_error(&fixture->other, UMEM_E_OUT_OF_RANGE);
    expect_changed(&fixture->session, id, block, 3, 1);
    expect_no_message(&fixture->session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_several_watches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_as_many_as_the_limit_allows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_does_not_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_never_inside_of_a_batch, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_watching_in_a_batch, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_write_raises_its_event_at_its_end, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
