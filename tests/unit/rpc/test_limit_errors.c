/* Limits that all sessions share: what is refused, the data of the error, and the counters of server.stats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "rpc/call/engine_state.h"
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"

enum { SESSIONS = 3 };

/* Sessions beside the fixture's two. */
static struct um_session sessions[SESSIONS];

static void open_peers(struct fixture *fixture)
{
    static const char *const programs[SESSIONS] = {"first", "second", "third"};

    for (int i = 0; i < SESSIONS; i++) {
        struct um_session_options options = {.pid = 100 + i, .program = programs[i], .user = "me"};

        assert_int_equal(um_session_open(fixture->rpc, &sessions[i], &options), UMEM_OK);
    }
}

static void close_peers(void)
{
    for (int i = 0; i < SESSIONS; i++)
        um_session_close(&sessions[i]);
}

static uint64_t refusals_of(struct um_session *session, const char *limit)
{
    return uint_of(member(expect_result(session, MESSAGE("server.stats", "[]")), "refusals"), limit);
}

/* The error is about this limit, of which so much is in use. */
static void assert_limit(const cJSON *data, const char *limit, uint64_t maximum, uint64_t used)
{
    assert_string_equal(string_of(data, "limit"), limit);
    assert_int_equal(uint_of(data, "maximum"), maximum);
    assert_int_equal(uint_of(data, "used"), used);
}

/* It names this one of the sessions as the one that uses most. */
static void assert_most(const cJSON *data, int session, const char *program, uint64_t used)
{
    const cJSON *most = member(data, "most");

    assert_int_equal(uint_of(most, "session"), sessions[session].id);
    assert_int_equal(uint_of(most, "pid"), 100 + session);
    assert_string_equal(string_of(most, "program"), program);
    assert_int_equal(uint_of(most, "used"), used);
}

static void test_waits_of_all_together(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *data;

    open_peers(fixture);
    fixture->limits.waits_total = 4;
    new_block(session, "{\"size\":16,\"name\":\"b\"}");
    send_message(&sessions[0], MESSAGE_OF("1", "block.wait", "[\"b\",0,0]"));
    for (int i = 0; i < 3; i++)
        send_message(&sessions[1], MESSAGE_OF("%d", "block.wait", "[\"b\",0,0]"), i);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("server.stats", "[]")), "waits"), 4);
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE_OF("9", "block.wait", "[\"b\",0,0]"));
    assert_limit(data, "waits_total", 4, 4);
    assert_most(data, 1, "second", 3);
    assert_int_equal(refusals_of(session, "waits_total"), 1);
    assert_int_equal(refusals_of(session, "waits"), 0);
    um_session_close(&sessions[1]);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("server.stats", "[]")), "waits"), 1);
    send_message(session, MESSAGE_OF("10", "block.wait", "[\"b\",0,0]"));
    expect_no_message(session);
    um_session_close(&sessions[0]);
    um_session_close(&sessions[2]);
}

static void test_watches_of_all_together(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *data;
    uint64_t id;

    open_peers(fixture);
    fixture->limits.watches_total = 3;
    new_watch(&sessions[2], "[]");
    id = new_watch(&sessions[2], "[]");
    new_watch(&sessions[0], "[]");
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("session.watch", "[]"));
    assert_limit(data, "watches_total", 3, 3);
    assert_most(data, 2, "third", 2);
    expect_result(&sessions[2], MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    new_watch(session, "[]");
    close_peers();
    assert_int_equal(uint_of(expect_result(session, MESSAGE("server.stats", "[]")), "watches"), 1);
}

/* A write pays for each watch and wait on its block, on the block's heap, and on everything: each has its limit. */
static void test_observers_of_one_thing(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t id;

    open_peers(fixture);
    fixture->limits.observers = 2;
    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":16,\"name\":\"b\",\"heap\":\"h\"}");
    new_block(session, "{\"size\":16,\"name\":\"c\",\"heap\":\"h\"}");
    id = new_watch(&sessions[0], "{\"block\":\"b\"}");
    send_message(&sessions[1], MESSAGE_OF("1", "block.wait", "[\"b\",0,0]"));
    assert_limit(expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("session.watch", "{\"block\":\"b\"}")),
                 "observers", 2, 2);
    assert_limit(expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.wait", "[\"b\",8,0]")),
                 "observers", 2, 2);
    assert_int_equal(refusals_of(session, "observers"), 2);
    new_watch(session, "{\"block\":\"c\"}");

    /* The heap has its own limit; a call queued for its lock counts. */
    new_watch(session, "{\"heap\":\"h\"}");
    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    send_message(&sessions[2], MESSAGE_OF("1", "heap.lock", "[\"h\",1000]"));
    assert_limit(expect_error(&sessions[0], UMEM_E_LIMIT_EXCEEDED, MESSAGE("heap.lock", "[\"h\",1000]")),
                 "observers", 2, 2);
    expect_result(session, MESSAGE("heap.unlock", "[\"h\"]"));
    take_result(&sessions[2]);
    new_watch(&sessions[2], "{\"heap\":\"h\"}");

    /* And so has everything. */
    new_watch(session, "[]");
    new_watch(session, "[]");
    assert_limit(expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("session.watch", "[]")), "observers", 2,
                 2);

    /* Ending an observer frees its place. */
    expect_result(&sessions[2], MESSAGE("heap.unlock", "[\"h\"]"));
    expect_result(&sessions[0], MESSAGE("session.unwatch", "[%llu]"), (ULL)id);
    new_watch(session, "{\"block\":\"b\"}");
    close_peers();
}

static void test_holds_of_all_together(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *data;

    open_peers(fixture);
    fixture->store->holds_limit = 3;
    for (int i = 0; i < 4; i++)
        expect_result(session, MESSAGE("block.alloc", "{\"size\":16,\"name\":\"b%d\"}"), i);
    expect_result(&sessions[0], MESSAGE("block.hold", "[\"b0\"]"));
    expect_result(&sessions[1], MESSAGE("block.hold", "[\"b0\"]"));
    expect_result(&sessions[1], MESSAGE("block.hold", "[\"b1\"]"));
    data = expect_error(&sessions[2], UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.hold", "[\"b2\"]"));
    assert_limit(data, "holds", 3, 3);
    assert_most(data, 1, "second", 2);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("server.stats", "[]")), "holds"), 3);
    /* A repeated block.hold is no second hold, the maker's own is none, and a new owner leaves the maker with one. */
    expect_result(&sessions[1], MESSAGE("block.hold", "[\"b1\"]"));
    expect_result(session, MESSAGE("block.release", "[\"b3\"]"));
    expect_result(session, MESSAGE("block.hold", "[\"b3\"]"));
    data = expect_error(&sessions[2], UMEM_E_LIMIT_EXCEEDED,
                        MESSAGE("block.change", "{\"block\":\"b3\",\"lifetime\":\"session\"}"));
    assert_limit(data, "holds", 3, 3);
    /* Holds on freed blocks are returned before a hold is refused. */
    expect_result(session, MESSAGE("block.free", "[\"b0\"]"));
    expect_result(&sessions[2], MESSAGE("block.hold", "[\"b2\"]"));
    close_peers();
}

static void test_holds_on_a_destroyed_heap(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    open_peers(fixture);
    fixture->store->holds_limit = 1;
    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"size\":16,\"name\":\"b\",\"heap\":\"h\"}");
    new_block(session, "{\"size\":16,\"name\":\"c\"}");
    expect_result(&sessions[0], MESSAGE("block.hold", "[\"b\"]"));
    expect_result(session, MESSAGE("heap.destroy", "[\"h\"]"));
    expect_result(&sessions[0], MESSAGE("block.hold", "[\"c\"]"));
    close_peers();
}

static void test_bytes_of_one_session(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *data;

    open_peers(fixture);
    fixture->store->owner_bytes_limit = 1000;
    new_block(&sessions[0], "{\"size\":600,\"name\":\"b\"}");
    data = expect_error(&sessions[0], UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.alloc", "[401]"));
    assert_limit(data, "session_bytes", 1000, 600);
    assert_int_equal(uint_of(data, "asked"), 401);
    assert_null(cJSON_GetObjectItemCaseSensitive(data, "most"));
    new_block(&sessions[1], "[1000]");
    /* Usage counts for the maker of the block, not for the session that resizes it. */
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.resize", "[\"b\",1001]"));
    assert_limit(data, "session_bytes", 1000, 600);
    expect_result(&sessions[1], MESSAGE("block.resize", "[\"b\",1000]"));
    expect_result(&sessions[0], MESSAGE("block.resize", "[\"b\",100]"));
    new_block(&sessions[0], "[900]");
    /* Nor does a session pass the limit by taking a block over. */
    data = expect_error(&sessions[1], UMEM_E_LIMIT_EXCEEDED,
                        MESSAGE("block.change", "{\"block\":\"b\",\"lifetime\":\"session\"}"));
    assert_limit(data, "session_bytes", 1000, 1000);
    assert_int_equal(uint_of(data, "asked"), 100);
    /* What an ended session has left counts for no session. */
    um_session_close(&sessions[0]);
    expect_result(session, MESSAGE("block.resize", "[\"b\",5000]"));
    um_session_close(&sessions[1]);
    um_session_close(&sessions[2]);
}

static void test_the_top_consumer(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    cJSON *data;

    open_peers(fixture);
    new_block(&sessions[0], "[16777216]");
    new_block(&sessions[1], "{\"size\":33554432,\"name\":\"b\"}");
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.alloc", "[%d]"), 1 << 26);
    assert_limit(data, "bytes", 1 << 26, 3 << 24);
    assert_most(data, 1, "second", 1 << 25);
    /* It is looked for anew in every turn. */
    expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    set_time(fixture, 1);
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.alloc", "[%d]"), 1 << 26);
    assert_most(data, 0, "first", 1 << 24);
    for (int i = 0; i < 10; i++)
        new_heap(&sessions[2], "{}");
    assert_most(expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("heap.create", "{}")), 2, "third", 10);
    assert_int_equal(refusals_of(session, "bytes"), 2);
    assert_int_equal(refusals_of(session, "heaps"), 1);
    close_peers();
    /* What no open session uses counts for no session. */
    set_time(fixture, 2);
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("heap.create", "{}"));
    assert_null(cJSON_GetObjectItemCaseSensitive(data, "most"));
}

/* Where clients do not read, small answers are given all the same. */
static void test_answers_that_wait(void **state)
{
    struct fixture *fixture = *state;
    struct um_traffic traffic = {.unsent_bytes = 90000};
    struct um_session *session = &fixture->session;
    cJSON *data;

    fixture->rpc->traffic = &traffic;
    fixture->limits.unsent_total_bytes = 100000;
    new_block(session, "{\"size\":100000,\"name\":\"b\"}");
    expect_result(session, MESSAGE("block.read", "[\"b\",0,6000]"));
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.read", "[\"b\",0,9000]"));
    assert_limit(data, "unsent_total_bytes", 100000, 90000);
    assert_in_range(uint_of(data, "asked"), 12000, 12100);
    expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.get", "[\"b\",0,\"u8\",1000]"));
    traffic.unsent_bytes = 200000;
    expect_result(session, MESSAGE("block.read", "[\"b\",0,3000]"));
    expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.read", "[\"b\",0,6000]"));
    assert_int_equal(um_session_unsent_limit(session), 4096);
    /* A list ends its page, and no batch is begun. */
    expect_result(session, MESSAGE("block.list", "[]"));
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, "[{\"id\":7,\"method\":\"server.ping\"}]");
    assert_limit(data, "unsent_total_bytes", 100000, 200000);
    traffic.unsent_bytes = 20000;
    assert_int_equal(um_session_unsent_limit(session), 20000);
    expect_result(session, MESSAGE("block.read", "[\"b\",0,9000]"));
    fixture->limits.unsent_bytes = 2000;
    assert_int_equal(um_session_unsent_limit(session), 2000);
    assert_int_equal(refusals_of(session, "unsent_total_bytes"), 4);
}

/* A batch's raw bytes are kept apart until its end, and count as its answers do. */
static void test_raw_bytes_of_a_batch_that_wait(void **state)
{
    static const char read[] = MESSAGE_OF("1", "block.read", "[\"b\",0,6000,\"raw\"]");
    struct fixture *fixture = *state;
    struct um_traffic traffic = {.unsent_bytes = 90000};
    struct um_session *session = &fixture->other;
    unsigned char bytes[6000];
    const cJSON *answers;

    fixture->rpc->traffic = &traffic;
    fixture->limits.unsent_total_bytes = 100000;
    fixture->limits.batch_bytes = 100000;
    new_block(&fixture->session, "{\"size\":6000,\"name\":\"b\"}");
    send_message(session, "[%s,%s]", read, read);
    answers = take_raw(session, bytes, sizeof bytes);
    assert_int_equal(uint_of(member(cJSON_GetArrayItem(answers, 0), "result"), "size"), 6000);
    assert_limit(member(member(cJSON_GetArrayItem(answers, 1), "error"), "data"), "unsent_total_bytes",
                 100000, 90000);
    expect_no_message(session);
}

/* docs/clients.md names these sizes. */
static void test_the_largest_reads_as_text(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    const unsigned long long block = new_block(session, "{\"size\":16777216}");

    fixture->limits.message_bytes = 16777216;
    fixture->limits.unsent_total_bytes = 268435456;
    expect_result(session, "{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,12582864]}", block);
    expect_error(session, UMEM_E_TOO_LARGE,
                 "{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,12582865]}", block);
    expect_result(session, "{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,8388576,\"hex\"]}", block);
    expect_error(session, UMEM_E_TOO_LARGE,
                 "{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,8388577,\"hex\"]}", block);
    /* Numbers count as 26 bytes each before one is printed, of any type. */
    fixture->limits.message_bytes = 26 * 10000 + 64;
    expect_result(session, "{\"id\":1,\"method\":\"block.get\",\"params\":[%llu,0,\"u8\",10000]}", block);
    expect_error(session, UMEM_E_TOO_LARGE,
                 "{\"id\":1,\"method\":\"block.get\",\"params\":[%llu,0,\"u8\",10003]}", block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_largest_reads_as_text, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_waits_of_all_together, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_watches_of_all_together, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_observers_of_one_thing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_holds_of_all_together, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_holds_on_a_destroyed_heap, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bytes_of_one_session, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_top_consumer, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_answers_that_wait, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_raw_bytes_of_a_batch_that_wait, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
