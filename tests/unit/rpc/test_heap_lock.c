/* Locks on heaps: which sessions are blocked, and which is next. */
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

/* ---- what a lock keeps others from ---- */

static void test_others_are_kept_out(void **state)
{
    static const char *const refused[] = {
        MESSAGE("heap.lock", "[\"h\"]"),
        MESSAGE("heap.destroy", "[\"h\"]"),
        MESSAGE("heap.validate", "[\"h\"]"),
        MESSAGE("heap.validate", "{\"block\":\"b\"}"),
        MESSAGE("heap.compact", "[\"h\"]"),
        MESSAGE("block.alloc", "[1,\"h\"]"),
        MESSAGE("block.resize", "[\"b\",3]"),
        MESSAGE("block.change", "[\"b\",\"\"]"),
        MESSAGE("block.read", "[\"b\"]"),
        MESSAGE("block.write", "[\"b\",\"AA==\"]"),
        MESSAGE("block.get", "[\"b\",0]"),
        MESSAGE("block.set", "[\"b\",0,[1]]"),
        MESSAGE("block.fill", "[\"b\"]"),
        MESSAGE("block.copy", "[\"b\",\"free\"]"),
        MESSAGE("block.copy", "[\"free\",\"b\"]"),
        MESSAGE("block.compare", "[\"b\",\"free\"]"),
        MESSAGE("block.compare", "[\"free\",\"b\"]"),
        MESSAGE("block.find", "[\"b\",\"AA==\"]"),
        MESSAGE("block.add", "[\"b\",0,1]"),
        MESSAGE("block.exchange", "[\"b\",0,1]"),
        MESSAGE("block.wait", "[\"b\",0,1]"),
        MESSAGE("block.map", "[\"b\"]"),
        MESSAGE("block.wake", "[\"b\"]"),
        MESSAGE("block.free", "[\"b\"]"),
        MESSAGE("session.watch", "[\"h\"]"),
        MESSAGE("session.watch", "{\"block\":\"b\"}"),
    };
    static const char *const allowed[] = {
        MESSAGE("heap.info", "[\"h\"]"),     MESSAGE("heap.list", "[]"),
        MESSAGE("block.info", "[\"b\"]"),    MESSAGE("block.list", "[\"h\"]"),
        MESSAGE("block.hold", "[\"b\"]"),    MESSAGE("block.release", "[\"b\"]"),
        MESSAGE("block.read", "[\"free\"]"), MESSAGE("session.watch", "[]"),
    };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t heap = new_heap(session, "{\"name\":\"h\"}");

    new_block(session, "{\"size\":8,\"heap\":\"h\",\"name\":\"b\"}");
    new_block(session, "{\"size\":8,\"name\":\"free\"}");
    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_int_equal(uint_of(expect_error(&fixture->other, UMEM_E_LOCKED, "%s", refused[i]), "heap"),
                         heap);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        expect_result(&fixture->other, "%s", allowed[i]);
    expect_error(&fixture->other, UMEM_E_DENIED, MESSAGE("heap.unlock", "[\"h\"]"));
    /* The holder of the lock is not restricted. */
    expect_result(session, MESSAGE("block.fill", "[\"b\",1]"));
    assert_true(bool_of(expect_result(&fixture->other, MESSAGE("heap.info", "[\"h\"]")), "locked"));
    expect_result(session, MESSAGE("heap.unlock", "[\"h\"]"));
    assert_false(bool_of(expect_result(&fixture->other, MESSAGE("heap.info", "[\"h\"]")), "locked"));
    expect_result(&fixture->other, MESSAGE("block.read", "[\"b\"]"));
}

static void test_locks_are_counted(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_heap(session, "{\"name\":\"h\"}");
    expect_error(session, UMEM_E_DENIED, MESSAGE("heap.unlock", "[\"h\"]"));
    for (int i = 0; i < 3; i++)
        expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    for (int i = 0; i < 3; i++) {
        expect_error(&fixture->other, UMEM_E_LOCKED, MESSAGE("heap.lock", "[\"h\"]"));
        expect_result(session, MESSAGE("heap.unlock", "[\"h\"]"));
    }
    expect_error(session, UMEM_E_DENIED, MESSAGE("heap.unlock", "[\"h\"]"));
    expect_result(&fixture->other, MESSAGE("heap.lock", "[\"h\"]"));
    expect_error(session, UMEM_E_LOCKED, MESSAGE("heap.lock", "[\"h\"]"));
}

static void test_locks_in_batches(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *answers;

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":8,\"heap\":\"h\",\"name\":\"b\"}");
    send_message(session, "[" MESSAGE("heap.lock", "[\"h\",100]") "," MESSAGE("block.fill", "[\"b\",1]") "]");
    take(session);
    send_message(&fixture->other,
                 "[" MESSAGE("heap.lock", "[\"h\"]") "," MESSAGE("heap.lock", "[\"h\",100]") "]");
    answers = take(&fixture->other);
    assert_string_equal(string_of(member(member(cJSON_GetArrayItem(answers, 0), "error"), "data"), "name"),
                        "locked");
    assert_string_equal(string_of(member(member(cJSON_GetArrayItem(answers, 1), "error"), "data"), "name"),
                        "unsupported");
    assert_false(um_session_is_waiting(&fixture->other));
    /* A pending lock call comes before a session that unlocks and locks again within a batch. */
    send_message(&fixture->other, MESSAGE_OF("1", "heap.lock", "[\"h\",100]"));
    send_message(session, "[" MESSAGE("heap.unlock", "[\"h\"]") "," MESSAGE("heap.lock", "[\"h\"]") "]");
    answers = take(session);
    assert_string_equal(string_of(member(member(cJSON_GetArrayItem(answers, 1), "error"), "data"), "name"),
                        "locked");
    take_result(&fixture->other);
}

/* ---- the queue ---- */

enum { QUEUE = 4 };

static void open_queue(struct fixture *fixture, struct um_session *sessions)
{
    struct um_session_options options = {.pid = 5};

    for (int i = 0; i < QUEUE; i++)
        assert_int_equal(um_session_open(fixture->rpc, &sessions[i], &options), UMEM_OK);
    new_heap(&fixture->session, "{\"name\":\"h\"}");
    expect_result(&fixture->session, MESSAGE("heap.lock", "[\"h\"]"));
}

static void expect_silent_queue(struct um_session *sessions, int first)
{
    for (int i = first; i < QUEUE; i++)
        expect_no_message(&sessions[i]);
}

static void close_queue(struct um_session *sessions)
{
    for (int i = 0; i < QUEUE; i++)
        um_session_close(&sessions[i]);
    answers_forget();
}

static void test_first_come_first_served(void **state)
{
    struct fixture *fixture = *state;
    struct um_session sessions[QUEUE];

    open_queue(fixture, sessions);
    for (int i = 0; i < QUEUE; i++)
        send_message(&sessions[i], MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    expect_silent_queue(sessions, 0);
    expect_result(&fixture->session, MESSAGE("heap.unlock", "[\"h\"]"));
    for (int i = 0; i < QUEUE; i++) {
        take_result(&sessions[i]);
        expect_silent_queue(sessions, 0);
        /* The queue is in order, also for the last holder. */
        expect_error(&fixture->session, UMEM_E_LOCKED, MESSAGE("heap.lock", "[\"h\"]"));
        expect_result(&sessions[i], MESSAGE("heap.unlock", "[\"h\"]"));
    }
    expect_result(&fixture->session, MESSAGE("heap.lock", "[\"h\"]"));
    close_queue(sessions);
}

/* The order stays through other heaps' locks, after which all pending calls are checked again. */
static void test_other_locks_do_not_mix_up_the_queue(void **state)
{
    struct fixture *fixture = *state;
    struct um_session sessions[QUEUE];

    open_queue(fixture, sessions);
    new_heap(&fixture->session, "{\"name\":\"h2\"}");
    for (int i = 0; i < QUEUE; i++) {
        send_message(&sessions[i], MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
        expect_result(&fixture->other, MESSAGE("heap.lock", "[\"h2\"]"));
        expect_result(&fixture->other, MESSAGE("heap.unlock", "[\"h2\"]"));
    }
    for (int i = 0; i < QUEUE; i++) {
        expect_silent_queue(sessions, i);
        expect_result(i == 0 ? &fixture->session : &sessions[i - 1], MESSAGE("heap.unlock", "[\"h\"]"));
        take_result(&sessions[i]);
    }
    close_queue(sessions);
}

static void test_leaving_the_queue(void **state)
{
    struct fixture *fixture = *state;
    struct um_session sessions[QUEUE];

    open_queue(fixture, sessions);
    send_message(&sessions[0], MESSAGE_OF("1", "heap.lock", "[\"h\",100]"));
    send_message(&sessions[1], MESSAGE_OF("\"x\"", "heap.lock", "[\"h\",1000]"));
    send_message(&sessions[2], MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    send_message(&sessions[3], MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    set_time(fixture, 99);
    expect_silent_queue(sessions, 0);
    set_time(fixture, 100);
    take_error(&sessions[0], UMEM_E_TIMEOUT);
    expect_result(&sessions[1], MESSAGE("$/cancelRequest", "[\"x\"]"));
    take_error(&sessions[1], UMEM_E_CANCELLED);
    um_session_close(&sessions[2]);
    expect_result(&fixture->session, MESSAGE("heap.unlock", "[\"h\"]"));
    take_result(&sessions[3]);
    expect_no_message(&sessions[0]);
    expect_no_message(&sessions[1]);
    assert_int_equal(um_session_open(fixture->rpc, &sessions[2], &(struct um_session_options){.pid = 5}),
                     UMEM_OK);
    close_queue(sessions);
}

/* A lock ends with its session, however often it was taken. */
static void test_the_holder_dies(void **state)
{
    struct fixture *fixture = *state;
    struct um_session sessions[QUEUE];

    open_queue(fixture, sessions);
    expect_result(&fixture->session, MESSAGE("heap.unlock", "[\"h\"]"));
    expect_result(&sessions[0], MESSAGE("heap.lock", "[\"h\"]"));
    expect_result(&sessions[0], MESSAGE("heap.lock", "[\"h\"]"));
    for (int i = 1; i < QUEUE; i++)
        send_message(&sessions[i], MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    for (int i = 1; i < QUEUE; i++) {
        expect_silent_queue(sessions, 1);
        um_session_close(&sessions[i - 1]);
        take_result(&sessions[i]);
    }
    um_session_close(&sessions[QUEUE - 1]);
    expect_result(&fixture->session, MESSAGE("heap.lock", "[\"h\"]"));
    answers_forget();
}

/* A wait that came before the queue is answered before the next one locks, also where the holder's blocks vanish together with its
 * lock, which all observers of the heap are notified of. */
static void test_the_holder_dies_with_its_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct um_session sessions[QUEUE];

    open_queue(fixture, sessions);
    expect_result(&fixture->session, MESSAGE("heap.unlock", "[\"h\"]"));
    new_block(&sessions[1], "{\"size\":8,\"heap\":\"h\",\"name\":\"b\"}");
    new_block(&sessions[0], "{\"size\":8,\"heap\":\"h\",\"lifetime\":\"session\"}");
    begin_wait(&sessions[1], "[\"b\",0,0]");
    expect_result(&sessions[0], MESSAGE("heap.lock", "[\"h\"]"));
    expect_result(&sessions[0], MESSAGE("block.fill", "[\"b\",1]"));
    send_message(&sessions[2], MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    expect_silent_queue(sessions, 1);
    um_session_close(&sessions[0]);
    take_value(&sessions[1], "1");
    take_result(&sessions[2]);
    assert_int_equal(um_session_open(fixture->rpc, &sessions[0], &(struct um_session_options){.pid = 5}),
                     UMEM_OK);
    close_queue(sessions);
}

static void test_the_heap_is_destroyed_while_others_queue(void **state)
{
    struct fixture *fixture = *state;
    struct um_session sessions[QUEUE];

    open_queue(fixture, sessions);
    for (int i = 0; i < QUEUE; i++)
        send_message(&sessions[i], MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    expect_result(&fixture->session, MESSAGE("heap.destroy", "[\"h\"]"));
    for (int i = 0; i < QUEUE; i++)
        take_error(&sessions[i], UMEM_E_STALE_HANDLE);
    assert_true(um_rpc_next_deadline(fixture->rpc) == UINT64_MAX);
    close_queue(sessions);
}

/* A heap of lifetime session that its own session has locked. */
static void test_the_heap_ends_with_its_session(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_heap(&third, "{\"name\":\"h\",\"lifetime\":\"session\"}");
    expect_result(&third, MESSAGE("heap.lock", "[\"h\"]"));
    send_message(&fixture->session, MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    um_session_close(&third);
    take_error(&fixture->session, UMEM_E_STALE_HANDLE);
    expect_no_message(&fixture->session);
}

/* A session may stand in the queue more than once; then it has to unlock as often. */
static void test_one_session_queues_twice(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;

    new_heap(&fixture->session, "{\"name\":\"h\"}");
    expect_result(&fixture->session, MESSAGE("heap.lock", "[\"h\"]"));
    send_message(other, MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    send_message(other, MESSAGE_OF("2", "heap.lock", "[\"h\",1000]"));
    expect_result(&fixture->session, MESSAGE("heap.unlock", "[\"h\"]"));
    assert_int_equal(uint_of(take(other), "id"), 1);
    assert_int_equal(uint_of(take(other), "id"), 2);
    expect_result(other, MESSAGE("heap.unlock", "[\"h\"]"));
    expect_error(&fixture->session, UMEM_E_LOCKED, MESSAGE("heap.lock", "[\"h\"]"));
    expect_result(other, MESSAGE("heap.unlock", "[\"h\"]"));
    expect_result(&fixture->session, MESSAGE("heap.lock", "[\"h\"]"));
}

/* ---- long calls ---- */

/* A long call of another session stands against a lock, and a queue waits for its end. */
static void test_a_long_call_stands_against_a_lock(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session_options options = {.pid = 5};
    struct um_session third;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_heap(session, "{\"name\":\"h\"}");
    new_heap(session, "{\"name\":\"h2\"}");
    new_block(session, "{\"size\":3000000,\"heap\":\"h\",\"name\":\"b\"}");
    new_block(session, "{\"size\":3000000,\"heap\":\"h2\",\"name\":\"b2\"}");
    send_message(session, MESSAGE_OF("1", "block.copy", "[\"b\",\"b2\"]"));
    assert_false(um_session_is_ready(session));
    expect_error(&fixture->other, UMEM_E_LOCKED, MESSAGE("heap.lock", "[\"h\"]"));
    expect_error(&fixture->other, UMEM_E_LOCKED, MESSAGE("heap.lock", "[\"h2\",0]"));
    send_message(&fixture->other, MESSAGE_OF("2", "heap.lock", "[\"h2\",1000]"));
    send_message(&third, MESSAGE_OF("2", "heap.lock", "[\"h2\",1000]"));
    assert_true(um_rpc_work(fixture->rpc));
    expect_no_message(&fixture->other);
    work(fixture->rpc);
    take_result(session);
    take_result(&fixture->other);
    expect_no_message(&third);

    /* And it ends with its session. */
    expect_result(&fixture->other, MESSAGE("heap.unlock", "[\"h2\"]"));
    take_result(&third);
    send_message(&third, MESSAGE_OF("1", "block.fill", "[\"b2\",1]"));
    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    send_message(&fixture->other, MESSAGE_OF("2", "heap.lock", "[\"h2\",1000]"));
    um_session_close(&third);
    take_result(&fixture->other);
    assert_false(um_rpc_work(fixture->rpc));
    answers_forget();
}

/* A raw write that is being received does not stand against a lock: it ends as "locked". */
static void test_a_raw_write_being_received_is_locked_out(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    static const char message[] = MESSAGE_OF("1", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\"}");
    uint64_t block;

    new_heap(&fixture->session, "{\"name\":\"h\"}");
    block = new_block(&fixture->session, "{\"size\":8,\"heap\":\"h\",\"name\":\"b\"}");
    feed_message(other, message, sizeof message - 1, 4);
    feed_payload(other, "ab", 2, 2);
    expect_result(&fixture->session, MESSAGE("heap.lock", "[\"h\"]"));
    feed_payload(other, "cd", 2, 2);
    take_error(other, UMEM_E_LOCKED);
    assert_true(um_session_is_ready(other));
    read_hex(&fixture->session, block, 0, 4, "61620000");
}

/* Long calls of others, one after the other, would keep the heap from being locked for ever. */
static void test_long_calls_wait_for_the_queue(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    char heap[8] = "[\"h\"]";

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":4000000,\"heap\":\"h\",\"name\":\"b\"}");
    send_message(session, MESSAGE_OF("1", "block.fill", "[\"b\",1]"));
    send_message(other, MESSAGE_OF("2", "heap.lock", "[\"h\",1000]"));
    work(fixture->rpc);
    take_result(session);
    take_result(other);
    /* While it is locked and others queue, its holder may take as long as it likes. */
    send_message(session, MESSAGE_OF("3", "heap.lock", "[\"h\",1000]"));
    expect_result(other, MESSAGE("block.fill", "[\"b\",2]"));
    expect_result(other, MESSAGE("heap.unlock", "%s"), heap);
    take_result(session);
    expect_result(session, MESSAGE("heap.unlock", "%s"), heap);
}

static void test_a_long_call_does_not_pass_the_queue(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 3};
    struct um_session third;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_heap(&fixture->session, "{\"name\":\"h\"}");
    new_block(&fixture->session, "{\"size\":4000000,\"heap\":\"h\",\"name\":\"b\"}");
    send_message(&fixture->session, MESSAGE_OF("1", "block.fill", "[\"b\",1]"));
    send_message(&fixture->other, MESSAGE_OF("2", "heap.lock", "[\"h\",1000]"));
    expect_error(&third, UMEM_E_LOCKED, MESSAGE("block.fill", "[\"b\",2]"));
    /* A short one does no harm. */
    expect_result(&third, MESSAGE("block.fill", "[\"b\",2,0,10]"));
    work(fixture->rpc);
    take_result(&fixture->session);
    take_result(&fixture->other);
    um_session_close(&third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_others_are_kept_out, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_locks_are_counted, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_locks_in_batches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_first_come_first_served, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_other_locks_do_not_mix_up_the_queue, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_leaving_the_queue, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_holder_dies, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_holder_dies_with_its_blocks, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_heap_is_destroyed_while_others_queue, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_heap_ends_with_its_session, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_one_session_queues_twice, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_long_call_stands_against_a_lock, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_write_being_received_is_locked_out, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_long_calls_wait_for_the_queue, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_long_call_does_not_pass_the_queue, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
