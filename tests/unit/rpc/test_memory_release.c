/* Memory of large freed blocks: it is returned to the system in pieces, but never slower than clients allocate other
 * memory. Where it is returned at once (Windows), there is less to see. */
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
#include "store/memory/purge.h"
#include "store/store.h"

enum { MEBIBYTE = 1024 * 1024 };

/* What a turn of the server's does after it has served. Returns whether work is left. */
static bool end_turn(struct fixture *fixture)
{
    bool more = um_rpc_work(fixture->rpc);

    um_rpc_end_turn(fixture->rpc);
    return more;
}

static void what_batches_free_is_released_in_their_turn(void **state)
{
    static const char round[] = "[" MESSAGE(
        "block.alloc",
        "{\"size\":4800000,\"name\":\"%s\",\"heap\":\"%"
        "s\"}") "," MESSAGE("block.fill",
                            "[\"%s\",7]") "," MESSAGE("block.free",
                                                      "[\"%s\"]") "," MESSAGE("block.alloc",
                                                                              "{\"size\":4800000,\"name\":\"%"
                                                                              "s\",\"heap\":\"%"
                                                                              "s\"}") "," MESSAGE("block."
                                                                                                  "fill",
                                                                                                  "[\"%s\","
                                                                                                  "7]") "," MESSAGE("bloc"
                                                                                                                    "k."
                                                                                                                    "fre"
                                                                                                                    "e",
                                                                                                                    "[\"%"
                                                                                                                    "s\""
                                                                                                                    "]") "]";
    static const char *const heaps[] = {"process", "shared"};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    fixture->limits.batch_bytes = 64 * MEBIBYTE;
    new_heap(session, "{\"kind\":\"shared\",\"maximum_size\":33554432,\"name\":\"shared\"}");
    for (size_t i = 0; i < sizeof heaps / sizeof *heaps; i++) {
        for (int turn = 0; turn < 10; turn++) {
            send_message(session, round, "a", heaps[i], "a", "a", "b", heaps[i], "b", "b");
            assert_non_null(strstr(session->out.data, "4800000"));
            assert_null(strstr(session->out.data, "error"));
            um_buf_truncate(&session->out, 0);
            assert_false(end_turn(fixture));
        }
    }
}

static void what_is_destroyed_does_so_as_well(void **state)
{
    static const char round[] = "[" MESSAGE(
        "heap.create",
        "{\"kind\":\"shared\",\"maximum_size\":1073741824,\"name\":"
        "\"h\"}") "," MESSAGE("block.alloc",
                              "{\"size\":9000000,"
                              "\"name\":\"b\",\"heap\":"
                              "\"h\"}") "," MESSAGE("block.fill", "[\"b\",7]") "," MESSAGE("heap.destroy",
                                                                                           "[\"h\"]") "]";
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    fixture->limits.batch_bytes = 64 * MEBIBYTE;
    for (int turn = 0; turn < 10; turn++) {
        send_message(session, "%s", round);
        assert_null(strstr(session->out.data, "error"));
        um_buf_truncate(&session->out, 0);
        assert_false(end_turn(fixture));
    }
}

/* Bit by bit, and not faster for what was touched in earlier turns. */
static void a_large_block_does_not_hold_up_others(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    for (int turn = 0; turn < 100; turn++) {
        new_block(session, "{\"size\":1000000,\"name\":\"small\"}");
        expect_result(session, MESSAGE("block.free", "[\"small\"]"));
        um_rpc_end_turn(fixture->rpc);
    }
    new_block(session, "{\"size\":50000000,\"name\":\"b\"}");
    um_rpc_end_turn(fixture->rpc);
    expect_result(session, MESSAGE("block.free", "[\"b\"]"));
    if (!um_store_has_work(fixture->store))
        return;
    for (int turn = 0; turn < 8; turn++)
        assert_true(end_turn(fixture));
}

/* Memory that was kept while it was being sent is returned once it is sent, without a further request. */
static void memory_is_returned_once_it_is_sent(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *reader = &fixture->other;
    unsigned before;

    new_block(&fixture->session, "{\"size\":20000000,\"name\":\"b\"}");
    send_message(reader, MESSAGE_OF("1", "block.read", "[\"b\",0,20000000,\"raw\"]"));
    assert_non_null(reader->tail.bytes);
    expect_result(&fixture->session, MESSAGE("block.free", "[\"b\"]"));
    assert_false(um_store_has_work(fixture->store));
    before = fixture->works;
    um_session_tail_sent(reader);
    um_buf_truncate(&reader->out, 0);
    if (um_store_has_work(fixture->store))
        assert_true(fixture->works > before);
}

/* Free memory as the engine's clock sees it: a source that counts how often it is asked. */
static unsigned ticks;

static void count_tick(struct um_purge_source *source)
{
    ticks++;
    um_purge_set_listed(source, ticks < 3);
}

static void free_memory_is_looked_at_once_a_period(void **state)
{
    struct fixture *fixture = *state;
    struct um_purge_source source = {.tick = count_tick};

    ticks = 0;
    set_time(fixture, 1000);
    um_rpc_end_turn(fixture->rpc);
    assert_true(um_rpc_next_tick(fixture->rpc) == UINT64_MAX); /* an idle daemon is not woken */
    um_purge_set_listed(&source, true);
    set_time(fixture, 1200);
    um_rpc_end_turn(fixture->rpc);
    assert_int_equal(um_rpc_next_tick(fixture->rpc), 1200 + UM_STORE_TICK_MS);
    set_time(fixture, 1199 + UM_STORE_TICK_MS);
    um_rpc_end_turn(fixture->rpc);
    assert_int_equal(ticks, 0);
    assert_int_equal(um_rpc_next_tick(fixture->rpc), 1200 + UM_STORE_TICK_MS);
    for (unsigned i = 1; i <= 3; i++) {
        set_time(fixture, 1200 + i * UM_STORE_TICK_MS);
        um_rpc_end_turn(fixture->rpc);
        assert_int_equal(ticks, i);
        set_time(fixture, 1201 + i * UM_STORE_TICK_MS);
        um_rpc_end_turn(fixture->rpc);
        assert_int_equal(ticks, i);
    }
    assert_false(um_store_wants_tick(fixture->store));
    assert_true(um_rpc_next_tick(fixture->rpc) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_batches_free_is_released_in_their_turn, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_destroyed_does_so_as_well, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_large_block_does_not_hold_up_others, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(memory_is_returned_once_it_is_sent, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(free_memory_is_looked_at_once_a_period, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests_name("giving back", tests, NULL, NULL);
}
