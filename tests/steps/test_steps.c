/* No call takes more steps than it is counted for, however many records there are; and a call that takes many runs in
 * slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/engine/job.h"
#include "rpc/schema/table.h"
#include "step_fixture.h"
#include "umem_errors.h"

enum {
    MANY = 1000,           /* of each thing that calls look for */
    OFTEN = 40,            /* times that a batch repeats a call */
    FREE_STEPS = 150,      /* that any call may take */
    WORK_OF_A_STEP = 8,    /* that it must be counted for, at least, for more: 2 ns */
    STEPS_A_TURN = 400000, /* that are counted for no session: a few milliseconds */
    LONG_ID = 1000         /* bytes */
};

#define ULL unsigned long long
#define CALL(method, params) "{\"id\":1,\"method\":\"" method "\",\"params\":" params "}"

/* ---- a full engine ---- */

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

/* The request of each method by session 5, or by another one where it matters. */
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
    {CALL("server.methods", "[]"), 0},
    {CALL("server.reload", "[]"), 0},
    {CALL("server.shutdown", "[]"), 0},
    {CALL("heap.process", "[]"), 0},
    {CALL("heap.create", "{}"), 0},
    {CALL("heap.create", "{\"name\":\"q\"}"), 0},
    {CALL("heap.list", "[]"), 0},
    {CALL("heap.list", "{\"limit\":1}"), 0},
    {CALL("heap.info", "[\"q\"]"), 0},
    {CALL("heap.validate", "{\"block\":\"b\"}"), 0},
    {CALL("heap.compact", "[]"), 0},
    {CALL("heap.flush", "[\"q\"]"), 0},
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
    {CALL("heap.create", "{\"name\":\"h\",\"if_exists\":\"open\"}"), 0},
    {CALL("block.alloc", "{\"name\":\"b\",\"size\":64,\"if_exists\":\"open\"}"), 0},
    {CALL("block.read", "{\"block\":\"b\",\"at_most\":8}"), 0},
    /* Last: all holds, watches and waits end. */
    {CALL("block.free", "[\"b\"]"), 0},
    {CALL("block.alloc", "{\"name\":\"w\",\"data\":\"AAAA\",\"if_exists\":\"replace\"}"), 0},
    {CALL("block.change", "{\"block\":\"w\",\"name\":\"large\",\"if_exists\":\"replace\"}"), 0},
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

static void call_once(struct um_session *session, const char *request, unsigned count)
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

        call_once(session, worst[i].request, 1);
        /* A long call continues; those of the add_many that are at work stay so. */
        for (int turns = 0; !um_session_is_ready(session); turns++) {
            assert_in_range(turns, 0, 100000);
            um_rpc_work(fixture->rpc);
        }
        turn(fixture);
        call_once(session, worst[i].request, OFTEN);
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
            print_error("%s is not called in a full engine: add it to `worst`\n", um_table_at(i)->name);
        assert_true(found);
    }
}

/* ---- every method on its largest argument ---- */

enum {
    MESSAGE_BYTES =
        4 << 20, /* limits.message_bytes: what it bounds, and what it does not, shows as well as at 16 MiB */
    TOUCHED_A_TURN = UM_JOB_SLICE_MAXIMUM, /* bytes that one turn may work on */
    COPIED_A_TURN = 8 << 20, /* and copy at one moment: 8 for each number that a message may hold */
    TEXT_A_MESSAGE = MESSAGE_BYTES - 256 /* characters of data */
};

/* The request of each method by session 5, with `data` of so many characters or so many numbers where its text has a
 * place for them. Several of one method stand one behind the other. */
static const struct largest {
    const char *method;
    const char *params;
    const char *pattern; /* again and again in place of `@` */
    size_t size;         /* characters in all */
} largest[] = {
    {"rpc.discover", "[]", NULL, 0},
    {"$/cancelRequest", "[1]", NULL, 0},
    {"server.ping", "[]", NULL, 0},
    {"server.info", "[]", NULL, 0},
    {"server.stats", "[]", NULL, 0},
    {"server.methods", "[]", NULL, 0},
    {"server.reload", "[]", NULL, 0},
    {"server.shutdown", "[]", NULL, 0},
    {"heap.process", "[]", NULL, 0},
    {"heap.create", "{\"kind\":\"shared\",\"maximum_size\":16777216,\"initial_size\":16777216}", NULL, 0},
    {"heap.list", "{\"limit\":1000}", NULL, 0},
    {"heap.info", "[\"many\"]", NULL, 0},
    {"heap.validate", "[\"many\"]", NULL, 0},
    {"heap.compact", "[\"many\"]", NULL, 0},
    {"heap.flush", "[\"many\"]", NULL, 0},
    {"heap.lock", "[\"many\"]", NULL, 0},
    {"heap.unlock", "[\"many\"]", NULL, 0},
    {"heap.destroy", "[\"many\"]", NULL, 0},
    {"block.alloc", "{\"size\":16777216}", NULL, 0},
    {"block.alloc", "{\"size\":16777216,\"data\":\"@\"}", "AQID", TEXT_A_MESSAGE},
    {"block.resize", "[\"big\",33554432]", NULL, 0},
    {"block.resize", "[\"big\",16777216]", NULL, 0},
    {"block.info", "[\"big\"]", NULL, 0},
    {"block.list", "{\"limit\":1000}", NULL, 0},
    {"block.at", "[1]", NULL, 0},
    {"block.change", "{\"block\":\"big\",\"lifetime\":\"server\"}", NULL, 0},
    {"block.read", "[\"big\",0,3000000]", NULL, 0},
    {"block.read", "[\"big\",0,2000000,\"hex\"]", NULL, 0},
    {"block.read", "[\"big\",0,4000000,\"utf8\"]", NULL, 0},
    {"block.write", "{\"block\":\"big\",\"data\":\"@\"}", "YWJj", TEXT_A_MESSAGE},
    {"block.write", "{\"block\":\"big\",\"data\":\"@\",\"encoding\":\"hex\"}", "6162", TEXT_A_MESSAGE},
    {"block.write", "{\"block\":\"big\",\"data\":\"@\",\"encoding\":\"utf8\"}", "abcd", TEXT_A_MESSAGE},
    {"block.get", "{\"block\":\"big\",\"offset\":0,\"type\":\"f64\",\"count\":160000}", NULL, 0},
    {"block.set", "{\"block\":\"big\",\"offset\":0,\"type\":\"f64\",\"values\":[@0]}", "1.5,", 3200000},
    {"block.fill", "[\"big\",97]", NULL, 0},
    {"block.copy", "[\"big\",\"other\"]", NULL, 0},
    {"block.compare", "[\"big\",\"other\"]", NULL, 0},
    {"block.find", "[\"big\",\"AAAA\"]", NULL, 0},
    {"block.find", "{\"block\":\"big\",\"data\":\"@\"}", "AAAA", 1398100},
    {"block.add", "[\"big\",0,1]", NULL, 0},
    {"block.exchange", "[\"big\",0,1]", NULL, 0},
    {"block.wait", "[\"big\",0,77]", NULL, 0},
    {"block.hold", "[\"big\"]", NULL, 0},
    {"block.release", "[\"big\"]", NULL, 0},
    {"block.map", "[\"mapped\"]", NULL, 0},
    {"block.wake", "[\"big\"]", NULL, 0},
    {"block.free", "[\"big\"]", NULL, 0},
    {"session.info", "[]", NULL, 0},
    {"session.list", "{\"limit\":1000}", NULL, 0},
    {"session.watch", "{\"block\":\"other\"}", NULL, 0},
    {"session.unwatch", "[123456]", NULL, 0},
    {"session.close", "[123456]", NULL, 0},
};

enum { LARGEST = sizeof largest / sizeof largest[0] };

/* A request, to be freed. */
static char *largest_request(const struct largest *it, size_t *size)
{
    const char *place = it->pattern != NULL ? strchr(it->params, '@') : it->params + strlen(it->params);
    char *text = malloc(it->size + 512);
    size_t at;

    assert_non_null(text);
    at = (size_t)snprintf(text, 256, "{\"id\":1,\"method\":\"%s\",\"params\":%.*s", it->method,
                          (int)(place - it->params), it->params);
    for (size_t i = 0; i < it->size; i++)
        text[at++] = it->pattern[i % 4];
    at += (size_t)snprintf(text + at, 128, "%s}", it->pattern != NULL ? place + 1 : "");
    *size = at;
    return text;
}

static void expect_bounded(const struct largest *it)
{
    if (bytes_touched_so_far() <= TOUCHED_A_TURN && bytes_copied_so_far() <= COPIED_A_TURN &&
        steps_so_far() <= STEPS_A_TURN)
        return;
    print_error("%s %.80s: one turn took %llu steps, worked on %llu bytes and copied %llu\n", it->method,
                it->params, (ULL)steps_so_far(), (ULL)bytes_touched_so_far(), (ULL)bytes_copied_so_far());
    fail();
}

/* It was done, or there was nothing of that number, or no durable heap, which no heap here is. */
static void expect_answer(const struct largest *it, struct um_session *session)
{
    assert_true(um_buf_append(&session->out, "", 1));
    if (strstr(session->out.data, "\"result\"") != NULL ||
        strstr(session->out.data, "unknown_handle") != NULL ||
        strstr(session->out.data, "only a durable heap") != NULL)
        return;
    print_error("%s %.80s: %.200s\n", it->method, it->params, session->out.data);
    fail();
}

static void test_no_turn_takes_long(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->sessions[5];

    fixture->limits.message_bytes = MESSAGE_BYTES;
    send_message(session, CALL("heap.create", "{\"name\":\"many\"}"));
    send_batch(session, CALL("block.alloc", "[8,\"many\"]"), 10000);
    send_batch(session, CALL("block.alloc", "[8,\"many\"]"), 10000);
    send_message(session, CALL("block.alloc", "{\"size\":16777216,\"name\":\"big\"}"));
    send_message(session, CALL("block.alloc", "{\"size\":16777216,\"name\":\"other\"}"));
    send_message(session,
                 CALL("heap.create", "{\"kind\":\"shared\",\"name\":\"s\",\"maximum_size\":1048576}"));
    send_message(session, CALL("block.alloc", "{\"size\":65536,\"heap\":\"s\",\"name\":\"mapped\"}"));
    send_message(session, CALL("block.fill", "[\"big\",97]"));
    while (!um_session_is_ready(session))
        um_rpc_work(fixture->rpc);
    um_buf_truncate(&session->out, 0);
    for (int i = 0; i < LARGEST; i++) {
        size_t size;
        char *text = largest_request(&largest[i], &size);

        turn(fixture);
        count_from_here();
        feed_text(session, text, size);
        expect_bounded(&largest[i]);
        free(text);
        for (int turns = 0; !um_session_is_ready(session); turns++) {
            assert_in_range(turns, 0, 100000);
            turn(fixture);
            count_from_here();
            um_rpc_work(fixture->rpc);
            expect_bounded(&largest[i]);
        }
        expect_answer(&largest[i], session);
        um_buf_truncate(&session->out, 0);
    }
}

static void test_every_method_has_its_largest_argument(void **state)
{
    bool all = true;

    (void)state;
    for (size_t i = 0; um_table_at(i) != NULL; i++) {
        bool found = false;

        for (int j = 0; j < LARGEST; j++)
            found = found || strcmp(largest[j].method, um_table_at(i)->name) == 0;
        if (!found)
            print_error("%s is not called with its largest argument: add it to `largest`\n",
                        um_table_at(i)->name);
        all = all && found;
    }
    assert_true(all);
}

/* A method runs at once, with a bounded part of a block's memory, or it has a job, which is sliced; or another
 * parameter decides which one that is. */
static void test_descriptors(void **state)
{
    (void)state;
    for (size_t i = 0; um_table_at(i) != NULL; i++) {
        const struct um_method *method = um_table_at(i);

        if ((method->run != NULL) == (method->job != NULL))
            fail_msg("%s must have either run or job", method->name);
        if (method->job != NULL && (method->job->begin == NULL || method->job->step == NULL ||
                                    method->job->answer == NULL || method->job->size > UM_JOB_SIZE_MAXIMUM))
            fail_msg("%s has a job that is not whole, or too large", method->name);
        for (size_t j = 0; j < method->param_count; j++) {
            const struct um_param *param = &method->params[j];
            bool is_decided = param->type == UM_DATA || param->type == UM_VALUE || param->type == UM_VALUES;

            if (is_decided != (param->by != 0) ||
                (param->by != 0 &&
                 (param->by > method->param_count || method->params[param->by - 1].type != UM_CHOICE)))
                fail_msg("%s: `by` of \"%s\" must be the parameter that says how it is written", method->name,
                         param->name);
        }
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

/* 20 sessions watch 1,000 blocks each, which are freed with their heap or with its session. */
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
    call_once(&fixture->sessions[5], CALL("block.fill", "[\"b\",1]"), 10000);
}

/* Watches that overflow receive nothing more until the overflow was sent. */
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
    /* The overflows are sent in pieces, and the watches then receive new events. */
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
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_every_method_is_counted),
        cmocka_unit_test(test_every_method_has_its_largest_argument),
        IN_A_WORLD(test_no_turn_takes_long),
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
