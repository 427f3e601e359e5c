/* No call takes more steps than it is counted for, however many there are of everything; and what takes many goes in slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"
#include "umem_errors.h"
#include "world.h"

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

static void make_waits(struct um_peer *peer, const char *method, const char *params)
{
    for (int i = 0; i < MANY; i++)
        say(peer, "{\"id\":\"%s%d\",\"method\":\"%s\",\"params\":%s}", long_id, i, method, params);
}

/* Session 0 has heaps and blocks, all hold block "b", 1 watches, 2 waits, 3 has locked heap "q", for which 4 queues. */
static void crowd(struct world *world)
{
    memset(long_id, 'x', LONG_ID);
    say(&world->peers[0], CALL("heap.create", "{\"name\":\"q\"}"));
    say(&world->peers[0], CALL("heap.create", "{\"name\":\"h\"}"));
    say(&world->peers[0], CALL("block.alloc", "{\"size\":64,\"name\":\"b\"}"));
    say(&world->peers[0], CALL("block.alloc", "{\"size\":64,\"name\":\"w\"}"));
    say(&world->peers[0], CALL("block.alloc", "{\"size\":2097152,\"name\":\"large\"}"));
    say_often(&world->peers[0], CALL("heap.create", "{}"), MANY);
    say_often(&world->peers[0], CALL("block.alloc", "[8]"), 3 * MANY);
    for (int i = 1; i < PEERS; i++)
        say(&world->peers[i], CALL("block.hold", "[\"b\"]"));
    for (int i = 0; i < MANY; i++)
        say(&world->peers[1], CALL("session.watch", "{\"block\":\"b\"}"));
    say(&world->peers[3], CALL("heap.lock", "[\"q\"]"));
    make_waits(&world->peers[2], "block.wait", "[\"w\",0,0]");
    make_waits(&world->peers[4], "heap.lock", "[\"q\",1000000]");
    /* Long calls at work on the process heap. */
    for (int i = 10; i < PEERS; i++)
        say(&world->peers[i], CALL("block.fill", "[\"large\",1]"));
    turn(world);
}

/* ---- every method at its worst ---- */

/* What each is asked by session 5, and by which other one where it matters. */
static const struct worst {
    const char *request;
    int peer; /* 0: number 5 */
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

static void ask_once(struct um_peer *peer, const char *request, unsigned count)
{
    peer->work = 0;
    count_from_here();
    if (count == 1)
        say(peer, "%s", request);
    else
        say_often(peer, request, count);
    expect_counted(request, count, steps_so_far(), peer->work);
}

static void test_no_call_takes_more_than_it_is_counted_for(void **state)
{
    struct world *world = *state;

    crowd(world);
    for (int i = 0; i < WORST; i++) {
        struct um_peer *peer = &world->peers[worst[i].peer != 0 ? worst[i].peer : 5];

        ask_once(peer, worst[i].request, 1);
        /* What was long goes on; those of the crowd that are at work stay so. */
        for (int turns = 0; !um_peer_is_ready(peer); turns++) {
            assert_in_range(turns, 0, 100000);
            um_rpc_work(world->rpc);
        }
        turn(world);
        ask_once(peer, worst[i].request, OFTEN);
        turn(world);
    }
}

static void test_every_method_is_asked(void **state)
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
static unsigned run_in_slices(struct world *world)
{
    unsigned turns = 0;
    bool more = true;

    while (more) {
        turn(world);
        count_from_here();
        more = um_rpc_work(world->rpc);
        assert_in_range(steps_so_far(), 0, STEPS_A_TURN);
        assert_in_range(++turns, 1, 100000);
    }
    return turns;
}

static void close_peer(struct um_peer *peer)
{
    struct um_rpc *rpc = peer->rpc;
    const struct um_peer_options options = {.pid = 77};

    count_from_here();
    um_peer_close(peer);
    assert_in_range(steps_so_far(), 0, STEPS_A_TURN);
    assert_int_equal(um_peer_open(rpc, peer, &options), UMEM_OK);
}

static uint64_t count_of(struct world *world, const char *what)
{
    return ask(&world->peers[9], what, "%s", CALL("server.stats", "[]"));
}

static void watch_everything(struct world *world, int count)
{
    for (int i = 0; i < count; i++)
        say(&world->peers[1], CALL("session.watch", "{}"));
    turn(world);
}

static void test_a_session_with_many_heaps_ends(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;

    watch_everything(world, MANY);
    for (int i = 0; i < 5; i++) {
        say_often(&world->peers[0], CALL("heap.create", "{\"lifetime\":\"session\"}"), 1599);
        last = ask(&world->peers[0], "heap",
                   CALL("heap.create", "{\"lifetime\":\"session\",\"name\":\"n%d\"}"), i);
        say(&world->peers[0], "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":1,\"heap\":%llu}}",
            (ULL)last);
    }
    turn(world);
    close_peer(&world->peers[0]);
    /* All of it is stale at once. */
    assert_int_equal((int)ask(&world->peers[2], "code",
                              "{\"id\":1,\"method\":\"heap.info\",\"params\":[%llu]}", (ULL)last),
                     UMEM_E_STALE_HANDLE);
    say(&world->peers[2], CALL("heap.create", "{\"name\":\"n4\"}"));
    assert_true(run_in_slices(world) > 1);
    assert_int_equal(count_of(world, "heaps"), 2);
    assert_int_equal(count_of(world, "blocks"), 0);
}

static void test_a_session_with_many_locks_ends(void **state)
{
    struct world *world = *state;
    char request[128];
    uint64_t first = 0;

    memset(long_id, 'x', LONG_ID);
    say(&world->peers[0], CALL("heap.create", "{\"name\":\"q\"}"));
    say(&world->peers[3], CALL("heap.lock", "[\"q\"]"));
    make_waits(&world->peers[4], "heap.lock", "[\"q\",1000000]");
    for (int i = 0; i < 20000; i++) {
        uint64_t heap = ask(&world->peers[5], "heap", "%s", CALL("heap.create", "{}"));

        first = first != 0 ? first : heap;
        snprintf(request, sizeof request, "{\"id\":1,\"method\":\"heap.lock\",\"params\":[%llu]}", (ULL)heap);
        say(&world->peers[6], "%s", request);
    }
    snprintf(request, sizeof request, "{\"id\":1,\"method\":\"heap.lock\",\"params\":[%llu,1000]}",
             (ULL)first);
    say(&world->peers[7], "%s", request);
    assert_true(um_peer_is_waiting(&world->peers[7]));
    turn(world);
    close_peer(&world->peers[6]);
    assert_true(run_in_slices(world) > 1);
    assert_false(um_peer_is_waiting(&world->peers[7]));
    assert_int_equal(world->peers[4].later_count, MANY);
}

static void test_a_session_with_many_holds_ends(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 20000; i++) {
        uint64_t block = ask(&world->peers[0], "block", "%s", CALL("block.alloc", "[1]"));

        say(&world->peers[5], "{\"id\":1,\"method\":\"block.hold\",\"params\":[%llu]}", (ULL)block);
    }
    turn(world);
    close_peer(&world->peers[5]);
    assert_true(run_in_slices(world) > 1);
    assert_int_equal(count_of(world, "holds"), 0);
    assert_int_equal(count_of(world, "orphaned_blocks"), 0);
    close_peer(&world->peers[0]);
    run_in_slices(world);
    assert_int_equal(count_of(world, "orphaned_blocks"), 20000);
}

/* 20 sessions watch 1,000 blocks each, which go with their heap or with its session. */
static void test_many_watched_blocks_go_at_once(void **state)
{
    struct world *world = *state;

    for (int round = 0; round < 2; round++) {
        say(&world->peers[0], CALL("heap.create", "{\"name\":\"h\",\"lifetime\":\"session\"}"));
        for (int i = 0; i < 20000; i++) {
            uint64_t block =
                ask(&world->peers[0], "block", "%s", CALL("block.alloc", "{\"size\":1,\"heap\":\"h\"}"));

            say(&world->peers[10 + i % 20],
                "{\"id\":1,\"method\":\"session.watch\",\"params\":{\"block\":%llu}}", (ULL)block);
        }
        turn(world);
        count_from_here();
        if (round == 0)
            say(&world->peers[0], CALL("heap.destroy", "[\"h\"]"));
        else
            close_peer(&world->peers[0]);
        assert_in_range(steps_so_far(), 0, STEPS_A_TURN);
        assert_int_equal(count_of(world, "blocks"), 0);
        assert_true(run_in_slices(world) > 1);
        assert_false(um_store_has_work(world->store));
        for (int i = 10; i < 30; i++) {
            assert_true(um_peer_has_news(&world->peers[i]));
            close_peer(&world->peers[i]);
        }
    }
}

/* 10 sessions queue for one heap's lock, or wait for one number, and what they wait for comes, or their time is up. */
static void test_many_calls_end_at_once(void **state)
{
    struct world *world = *state;
    uint64_t waits = 10 * MANY;

    memset(long_id, 'x', LONG_ID);
    for (int round = 0; round < 3; round++) {
        unsigned turns = 1;

        for (int i = 10; i < 20; i++) {
            say(&world->peers[0],
                "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":8,\"name\":\"w%d\"}}", i);
            for (int j = 0; j < MANY; j++)
                say(&world->peers[i],
                    "{\"id\":%d,\"method\":\"block.wait\",\"params\":{\"block\":\"w%d\",\"offset\":0,"
                    "\"value\":0,\"timeout_ms\":5000}}",
                    j, i);
        }
        assert_int_equal(count_of(world, "waits"), waits);
        turn(world);
        count_from_here();
        if (round == 0) {
            world->now_ms += 5000;
            turn(world);
            um_rpc_expire(world->rpc);
        } else {
            for (int i = 10; i < 20; i++) {
                if (round == 1)
                    say(&world->peers[0], "{\"id\":1,\"method\":\"block.add\",\"params\":[\"w%d\",0,1]}", i);
                say(&world->peers[0], "{\"id\":1,\"method\":\"block.free\",\"params\":[\"w%d\"]}", i);
            }
        }
        for (uint64_t left = count_of(world, "waits"); left != 0; turns++) {
            uint64_t now;

            assert_in_range(steps_so_far(), 0, STEPS_A_TURN);
            assert_in_range(turns, 1, 1000);
            turn(world);
            count_from_here();
            um_rpc_expire(world->rpc);
            (void)um_rpc_work(world->rpc);
            now = count_of(world, "waits");
            assert_in_range(left - now, 0, 5000);
            left = now;
        }
        assert_true(turns > 2);
        for (int i = 10; i < 20; i++) {
            um_buf_truncate(&world->peers[i].out, 0);
            assert_false(um_peer_is_waiting(&world->peers[i]));
            if (round == 0)
                say(&world->peers[0], "{\"id\":1,\"method\":\"block.free\",\"params\":[\"w%d\"]}", i);
        }
    }
}

/* A batch that writes 10,000 times where 1,000 watch. */
static void test_many_writes_with_many_watches(void **state)
{
    struct world *world = *state;

    say(&world->peers[0], CALL("block.alloc", "{\"size\":64,\"name\":\"b\"}"));
    watch_everything(world, MANY);
    ask_once(&world->peers[5], CALL("block.fill", "[\"b\",1]"), 10000);
}

/* Watches that overflow hear nothing more until that was told. */
static void test_an_overflow_is_told_before_anything_else(void **state)
{
    struct world *world = *state;
    struct um_peer *peer = &world->peers[1];
    uint64_t before;

    watch_everything(world, MANY);
    say_often(&world->peers[0], CALL("block.alloc", "{\"size\":1,\"name\":\"c\"}"), 1);
    for (int i = 0; i < 17; i++) {
        say(&world->peers[0], CALL("block.free", "[\"c\"]"));
        say(&world->peers[0], CALL("block.alloc", "{\"size\":1,\"name\":\"c\"}"));
    }
    count_from_here();
    say(&world->peers[0], CALL("block.free", "[\"c\"]"));
    before = steps_so_far();
    assert_in_range(before, 0, FREE_STEPS);
    /* They are told in pieces, and hear of what comes then. */
    for (int turns = 0; um_peer_has_news(peer); turns++) {
        um_peer_notify(peer);
        assert_in_range(peer->out.size, 1, 256 * 256);
        um_buf_truncate(&peer->out, 0);
        assert_in_range(turns, 0, MANY);
    }
    say(&world->peers[0], CALL("block.alloc", "{\"size\":1,\"name\":\"c\"}"));
    say(&world->peers[0], CALL("block.free", "[\"c\"]"));
    assert_true(um_peer_has_news(peer));
}

int main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method_is_asked),
        IN_A_WORLD(test_no_call_takes_more_than_it_is_counted_for),
        IN_A_WORLD(test_a_session_with_many_heaps_ends),
        IN_A_WORLD(test_a_session_with_many_locks_ends),
        IN_A_WORLD(test_a_session_with_many_holds_ends),
        IN_A_WORLD(test_many_watched_blocks_go_at_once),
        IN_A_WORLD(test_many_calls_end_at_once),
        IN_A_WORLD(test_many_writes_with_many_watches),
        IN_A_WORLD(test_an_overflow_is_told_before_anything_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
