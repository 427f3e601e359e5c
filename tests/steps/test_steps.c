/* No call takes more steps than it is counted for, however many there are of everything; and what takes many goes in slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/schema/table.h"
#include "step_fixture.h"
#include "umem_errors.h"

enum {
    MANY = 1000,           /* of each thing that calls look for */
    OFTEN = 40,            /* times that a batch repeats a call */
    FREE_STEPS = 150,      /* that any call may take */
    WORK_OF_A_STEP = 8,    /* that it must be counted for, at least, for more: 2 ns */
    STEPS_A_TURN = 400000, /* of what nobody is counted for: a few milliseconds */
    LONG_ID = 1000         /* bytes */
};

#define ULL unsigned long long
#define CALL(method, params) "{\"id\":1,\"method\":\"" method "\",\"params\":" params "}"

/* ---- a crowded engine ---- */

static char long_id[LONG_ID + 1];

static void make_waits(struct um_session *session, const char *method, const char *params)
{
    for (int i = 0; i < MANY; i++)
        send_message(session, "{\"id\":\"%s%d\",\"method\":\"%s\",\"params\":%s}", long_id, i, method,
                     params);
}

/* Session 0 has heaps and blocks, all hold block "b", 1 watches, 2 waits, 3 has locked heap "q", for which 4 queues. */
static void add_many(struct fixture *fixture)
{
    memset(long_id, 'x', LONG_ID);
    send_message(&fixture->sessions[0], CALL("heap.create", "{\"name\":\"q\"}"));
    send_message(&fixture->sessions[0], CALL("heap.create", "{\"name\":\"h\"}"));
    send_message(&fixture->sessions[0], CALL("block.alloc", "{\"size\":64,\"name\":\"b\"}"));
    send_message(&fixture->sessions[0], CALL("block.alloc", "{\"size\":64,\"name\":\"w\"}"));
    send_message(&fixture->sessions[0], CALL("block.alloc", "{\"size\":2097152,\"name\":\"large\"}"));
    send_batch(&fixture->sessions[0], CALL("heap.create", "{}"), MANY);
    send_batch(&fixture->sessions[0], CALL("block.alloc", "[8]"), 3 * MANY);
    for (int i = 1; i < SESSIONS; i++)
        send_message(&fixture->sessions[i], CALL("block.hold", "[\"b\"]"));
    for (int i = 0; i < MANY; i++)
        send_message(&fixture->sessions[1], CALL("session.watch", "{\"block\":\"b\"}"));
    send_message(&fixture->sessions[3], CALL("heap.lock", "[\"q\"]"));
    make_waits(&fixture->sessions[2], "block.wait", "[\"w\",0,0]");
    make_waits(&fixture->sessions[4], "heap.lock", "[\"q\",1000000]");
    /* Long calls at work on the process heap. */
    for (int i = 10; i < SESSIONS; i++)
        send_message(&fixture->sessions[i], CALL("block.fill", "[\"large\",1]"));
    turn(fixture);
}

/* ---- every method at its worst ---- */

/* What each is asked by session 5, and by which other one where it matters. */
static const struct worst {
    const char *request;
    int session; /* 0: number 5 */
} worst[] = {
    {CALL("rpc.discover", "[]"), 0},
    {CALL("$/cancelRequest", "[\"nobody\"]"), 2},
    {CALL("$/cancelRequest", "[7]"), 4},
    {CALL("server.ping", "[]"), 0},
    {CALL("server.info", "[]"), 0},
    {CALL("server.stats", "[]"), 0},
    {CALL("server.shutdown", "[]"), 0},
    {CALL("heap.process", "[]"), 0},
    {CALL("heap.create", "{}"), 0},
    {CALL("heap.create", "{\"name\":\"q\"}"), 0},
    {CALL("heap.list", "[]"), 0},
    {CALL("heap.list", "{\"limit\":1}"), 0},
    {CALL("heap.info", "[\"q\"]"), 0},
    {CALL("heap.validate", "{\"block\":\"b\"}"), 0},
    {CALL("heap.compact", "[]"), 0},
    {CALL("heap.lock", "[\"process\"]"), 0},
    {CALL("heap.lock", "[\"q\"]"), 0},
    {CALL("heap.lock", "[\"q\"]"), 3},
    {CALL("heap.unlock", "[\"q\"]"), 0},
    {CALL("heap.destroy", "[\"none\"]"), 0},
    {CALL("block.alloc", "[8]"), 0},
    {CALL("block.alloc", "{\"size\":9007199254740991}"), 0},
    {CALL("block.resize", "[\"b\",64]"), 0},
    {CALL("block.info", "[\"b\"]"), 0},
    {CALL("block.list", "[]"), 0},
    {CALL("block.list", "{\"orphaned\":true}"), 0},
    {CALL("block.list", "{\"session\":3,\"limit\":1}"), 0},
    {CALL("block.at", "[1]"), 0},
    {CALL("block.change", "{\"block\":\"w\",\"lifetime\":\"server\"}"), 0},
    {CALL("block.read", "[\"b\"]"), 0},
    {CALL("block.write", "[\"b\",\"AAAA\"]"), 0},
    {CALL("block.get", "[\"b\",0]"), 0},
    {CALL("block.set", "[\"b\",0,[1]]"), 0},
    {CALL("block.fill", "[\"b\",1]"), 0},
    {CALL("block.copy", "[\"w\",\"b\"]"), 0},
    {CALL("block.compare", "[\"w\",\"b\"]"), 0},
    {CALL("block.find", "[\"b\",\"AAAA\"]"), 0},
    {CALL("block.add", "[\"b\",0,1]"), 0},
    {CALL("block.exchange", "[\"b\",0,1]"), 0},
    {CALL("block.wait", "[\"b\",0,77]"), 0},
    {CALL("block.hold", "[\"b\"]"), 0},
    {CALL("block.release", "[\"large\"]"), 0},
    {CALL("block.map", "[\"b\"]"), 0},
    {CALL("block.wake", "[\"w\"]"), 0},
    {CALL("block.wake", "[\"b\"]"), 0},
    {CALL("session.info", "[]"), 0},
    {CALL("session.list", "[]"), 0},
    {CALL("session.list", "{\"after\":290,\"limit\":1}"), 0},
    {CALL("session.watch", "{\"block\":\"w\"}"), 0},
    {CALL("session.unwatch", "[123456]"), 1},
    {CALL("session.close", "[123456]"), 0},
    {CALL("block.free", "[\"b\"]"), 0}, /* last: all its holds and watches end */
};

enum { WORST = sizeof worst / sizeof worst[0] };

static void expect_counted(const char *request, unsigned calls, uint64_t steps, uint64_t work)
{
    uint64_t allowed = (uint64_t)calls * FREE_STEPS + work / WORK_OF_A_STEP;

    if (steps <= allowed)
        return;
    print_error("%u x %s: %llu steps, and it was counted for %llu\n", calls, request, (ULL)steps,
                (ULL)allowed);
    fail();
}

static void ask_once(struct um_session *session, const char *request, unsigned count)
{
    session->work = 0;
    count_from_here();
    if (count == 1)
        send_message(session, "%s", request);
    else
        send_batch(session, request, count);
    expect_counted(request, count, steps_so_far(), session->work);
}

static void test_no_call_takes_more_than_it_is_counted_for(void **state)
{
    struct fixture *fixture = *state;

    add_many(fixture);
    for (int i = 0; i < WORST; i++) {
        struct um_session *session = &fixture->sessions[worst[i].session != 0 ? worst[i].session : 5];

        ask_once(session, worst[i].request, 1);
        /* What was long goes on; those of the add_many that are at work stay so. */
        for (int turns = 0; !um_session_is_ready(session); turns++) {
            assert_in_range(turns, 0, 100000);
            um_rpc_work(fixture->rpc);
        }
        turn(fixture);
        ask_once(session, worst[i].request, OFTEN);
        turn(fixture);
    }
}

static void test_every_method_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; um_table_at(i) != NULL; i++) {
        char wanted[80];
        bool found = false;

        snprintf(wanted, sizeof wanted, "\"method\":\"%s\"", um_table_at(i)->name);
        for (int j = 0; j < WORST; j++)
            found = found || strstr(worst[j].request, wanted) != NULL;
        if (!found)
            print_error("no worst case of %s\n", um_table_at(i)->name);
        assert_true(found);
    }
}

/* ---- what grows with both of two numbers ---- */

/* Runs what is left in turns, none of which takes too many steps. Returns how many there were. */
static unsigned run_in_slices(struct fixture *fixture)
{
    unsigned turns = 0;
    bool more = true;

    while (more) {
        turn(fixture);
        count_from_here();
        more = um_rpc_work(fixture->rpc);
        assert_in_range(steps_so_far(), 0, STEPS_A_TURN);
        assert_in_range(++turns, 1, 100000);
    }
    return turns;
}

static void close_peer(struct um_session *session)
{
    struct um_rpc *rpc = session->rpc;
    const struct um_session_options options = {.pid = 77};

    count_from_here();
    um_session_close(session);
    assert_in_range(steps_so_far(), 0, STEPS_A_TURN);
    assert_int_equal(um_session_open(rpc, session, &options), UMEM_OK);
}

static uint64_t count_of(struct fixture *fixture, const char *what)
{
    return number_in_answer(&fixture->sessions[9], what, "%s", CALL("server.stats", "[]"));
}

static void watch_everything(struct fixture *fixture, int count)
{
    for (int i = 0; i < count; i++)
        send_message(&fixture->sessions[1], CALL("session.watch", "{}"));
    turn(fixture);
}

static void test_a_session_with_many_heaps_ends(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = 0;

    watch_everything(fixture, MANY);
    for (int i = 0; i < 5; i++) {
        send_batch(&fixture->sessions[0], CALL("heap.create", "{\"lifetime\":\"session\"}"), 1599);
        last = number_in_answer(&fixture->sessions[0], "heap",
                                CALL("heap.create", "{\"lifetime\":\"session\",\"name\":\"n%d\"}"), i);
        send_message(&fixture->sessions[0],
                     "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":1,\"heap\":%llu}}",
                     (ULL)last);
    }
    turn(fixture);
    close_peer(&fixture->sessions[0]);
    /* All of it is stale at once. */
    assert_int_equal((int)number_in_answer(&fixture->sessions[2], "code",
                                           "{\"id\":1,\"method\":\"heap.info\",\"params\":[%llu]}",
                                           (ULL)last),
                     UMEM_E_STALE_HANDLE);
    send_message(&fixture->sessions[2], CALL("heap.create", "{\"name\":\"n4\"}"));
    assert_true(run_in_slices(fixture) > 1);
    assert_int_equal(count_of(fixture, "heaps"), 2);
    assert_int_equal(count_of(fixture, "blocks"), 0);
}

static void test_a_session_with_many_locks_ends(void **state)
{
    struct fixture *fixture = *state;
    char request[128];
    uint64_t first = 0;

    memset(long_id, 'x', LONG_ID);
    send_message(&fixture->sessions[0], CALL("heap.create", "{\"name\":\"q\"}"));
    send_message(&fixture->sessions[3], CALL("heap.lock", "[\"q\"]"));
    make_waits(&fixture->sessions[4], "heap.lock", "[\"q\",1000000]");
    for (int i = 0; i < 20000; i++) {
        uint64_t heap = number_in_answer(&fixture->sessions[5], "heap", "%s", CALL("heap.create", "{}"));

        first = first != 0 ? first : heap;
        snprintf(request, sizeof request, "{\"id\":1,\"method\":\"heap.lock\",\"params\":[%llu]}", (ULL)heap);
        send_message(&fixture->sessions[6], "%s", request);
    }
    snprintf(request, sizeof request, "{\"id\":1,\"method\":\"heap.lock\",\"params\":[%llu,1000]}",
             (ULL)first);
    send_message(&fixture->sessions[7], "%s", request);
    assert_true(um_session_is_waiting(&fixture->sessions[7]));
    turn(fixture);
    close_peer(&fixture->sessions[6]);
    assert_true(run_in_slices(fixture) > 1);
    assert_false(um_session_is_waiting(&fixture->sessions[7]));
    assert_int_equal(fixture->sessions[4].pending_count, MANY);
}

static void test_a_session_with_many_holds_ends(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 20000; i++) {
        uint64_t block = number_in_answer(&fixture->sessions[0], "block", "%s", CALL("block.alloc", "[1]"));

        send_message(&fixture->sessions[5], "{\"id\":1,\"method\":\"block.hold\",\"params\":[%llu]}",
                     (ULL)block);
    }
    turn(fixture);
    close_peer(&fixture->sessions[5]);
    assert_true(run_in_slices(fixture) > 1);
    assert_int_equal(count_of(fixture, "holds"), 0);
    assert_int_equal(count_of(fixture, "orphaned_blocks"), 0);
    close_peer(&fixture->sessions[0]);
    run_in_slices(fixture);
    assert_int_equal(count_of(fixture, "orphaned_blocks"), 20000);
}

/* 20 sessions watch 1,000 blocks each, which go with their heap or with its session. */
static void test_many_watched_blocks_go_at_once(void **state)
{
    struct fixture *fixture = *state;

    for (int round = 0; round < 2; round++) {
        send_message(&fixture->sessions[0], CALL("heap.create", "{\"name\":\"h\",\"lifetime\":\"session\"}"));
        for (int i = 0; i < 20000; i++) {
            uint64_t block = number_in_answer(&fixture->sessions[0], "block", "%s",
                                              CALL("block.alloc", "{\"size\":1,\"heap\":\"h\"}"));

            send_message(&fixture->sessions[10 + i % 20],
                         "{\"id\":1,\"method\":\"session.watch\",\"params\":{\"block\":%llu}}", (ULL)block);
        }
        turn(fixture);
        count_from_here();
        if (round == 0)
            send_message(&fixture->sessions[0], CALL("heap.destroy", "[\"h\"]"));
        else
            close_peer(&fixture->sessions[0]);
        assert_in_range(steps_so_far(), 0, STEPS_A_TURN);
        assert_int_equal(count_of(fixture, "blocks"), 0);
        assert_true(run_in_slices(fixture) > 1);
        assert_false(um_store_has_work(fixture->store));
        for (int i = 10; i < 30; i++) {
            assert_false(um_list_is_empty(&fixture->sessions[i].due_watches));
            close_peer(&fixture->sessions[i]);
        }
    }
}

/* 10 sessions queue for one heap's lock, or wait for one number, and what they wait for comes, or their time is up. */
static void test_many_calls_end_at_once(void **state)
{
    struct fixture *fixture = *state;
    uint64_t waits = 10 * MANY;

    memset(long_id, 'x', LONG_ID);
    for (int round = 0; round < 3; round++) {
        unsigned turns = 1;

        for (int i = 10; i < 20; i++) {
            send_message(&fixture->sessions[0],
                         "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":8,\"name\":\"w%d\"}}", i);
            for (int j = 0; j < MANY; j++)
                send_message(
                    &fixture->sessions[i],
                    "{\"id\":%d,\"method\":\"block.wait\",\"params\":{\"block\":\"w%d\",\"offset\":0,"
                    "\"value\":0,\"timeout_ms\":5000}}",
                    j, i);
        }
        assert_int_equal(count_of(fixture, "waits"), waits);
        turn(fixture);
        count_from_here();
        if (round == 0) {
            fixture->now_ms += 5000;
            turn(fixture);
            um_rpc_expire(fixture->rpc);
        } else {
            for (int i = 10; i < 20; i++) {
                if (round == 1)
                    send_message(&fixture->sessions[0],
                                 "{\"id\":1,\"method\":\"block.add\",\"params\":[\"w%d\",0,1]}", i);
                send_message(&fixture->sessions[0],
                             "{\"id\":1,\"method\":\"block.free\",\"params\":[\"w%d\"]}", i);
            }
        }
        for (uint64_t left = count_of(fixture, "waits"); left != 0; turns++) {
            uint64_t now;

            assert_in_range(steps_so_far(), 0, STEPS_A_TURN);
            assert_in_range(turns, 1, 1000);
            turn(fixture);
            count_from_here();
            um_rpc_expire(fixture->rpc);
            (void)um_rpc_work(fixture->rpc);
            now = count_of(fixture, "waits");
            assert_in_range(left - now, 0, 5000);
            left = now;
        }
        assert_true(turns > 2);
        for (int i = 10; i < 20; i++) {
            um_buf_truncate(&fixture->sessions[i].out, 0);
            assert_false(um_session_is_waiting(&fixture->sessions[i]));
            if (round == 0)
                send_message(&fixture->sessions[0],
                             "{\"id\":1,\"method\":\"block.free\",\"params\":[\"w%d\"]}", i);
        }
    }
}

/* A batch that writes 10,000 times where 1,000 watch. */
static void test_many_writes_with_many_watches(void **state)
{
    struct fixture *fixture = *state;

    send_message(&fixture->sessions[0], CALL("block.alloc", "{\"size\":64,\"name\":\"b\"}"));
    watch_everything(fixture, MANY);
    ask_once(&fixture->sessions[5], CALL("block.fill", "[\"b\",1]"), 10000);
}

/* Watches that overflow hear nothing more until that was told. */
static void test_an_overflow_event_comes_first(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->sessions[1];
    uint64_t before;

    watch_everything(fixture, MANY);
    send_batch(&fixture->sessions[0], CALL("block.alloc", "{\"size\":1,\"name\":\"c\"}"), 1);
    for (int i = 0; i < 17; i++) {
        send_message(&fixture->sessions[0], CALL("block.free", "[\"c\"]"));
        send_message(&fixture->sessions[0], CALL("block.alloc", "{\"size\":1,\"name\":\"c\"}"));
    }
    count_from_here();
    send_message(&fixture->sessions[0], CALL("block.free", "[\"c\"]"));
    before = steps_so_far();
    assert_in_range(before, 0, FREE_STEPS);
    /* They are told in pieces, and hear of what comes then. */
    for (int turns = 0; !um_list_is_empty(&session->due_watches); turns++) {
        um_watch_notify(session);
        assert_in_range(session->out.size, 1, 256 * 256);
        um_buf_truncate(&session->out, 0);
        assert_in_range(turns, 0, MANY);
    }
    send_message(&fixture->sessions[0], CALL("block.alloc", "{\"size\":1,\"name\":\"c\"}"));
    send_message(&fixture->sessions[0], CALL("block.free", "[\"c\"]"));
    assert_false(um_list_is_empty(&session->due_watches));
}

int main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method_is_counted),
        IN_A_WORLD(test_no_call_takes_more_than_it_is_counted_for),
        IN_A_WORLD(test_a_session_with_many_heaps_ends),
        IN_A_WORLD(test_a_session_with_many_locks_ends),
        IN_A_WORLD(test_a_session_with_many_holds_ends),
        IN_A_WORLD(test_many_watched_blocks_go_at_once),
        IN_A_WORLD(test_many_calls_end_at_once),
        IN_A_WORLD(test_many_writes_with_many_watches),
        IN_A_WORLD(test_an_overflow_event_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
