/* Publishing by name: put, get and open, whatever others do meanwhile. */
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
#include "umem_errors.h"

/* Parameters that begin a raw put of "b". */
#define RAW_PUT "{\"name\":\"b\",\"encoding\":\"raw\",\"if_exists\":\"replace\"}"

static uint64_t put(struct um_session *session, const char *text)
{
    const cJSON *result = expect_result(
        session,
        MESSAGE("block.alloc",
                "{\"name\":\"b\",\"data\":\"%s\",\"encoding\":\"utf8\",\"if_exists\":\"replace\"}"),
        text);

    assert_true(bool_of(result, "created"));
    return uint_of(result, "block");
}

static void expect_text(struct um_session *session, const char *text)
{
    assert_string_equal(
        string_of(expect_result(session, MESSAGE("block.read", "{\"block\":\"b\",\"encoding\":\"utf8\"}")),
                  "data"),
        text);
}

static uint64_t stat_of(struct um_session *session, const char *name)
{
    return uint_of(expect_result(session, "{\"method\":\"server.stats\"}"), name);
}

static void begin_raw(struct um_session *session, const char *params, uint64_t size)
{
    char message[256];
    int length =
        snprintf(message, sizeof message, "{\"id\":1,\"method\":\"block.alloc\",\"params\":%s}", params);

    feed_message(session, message, (size_t)length, size);
}

static void test_put_and_get(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    uint64_t first = put(session, "one");
    const cJSON *result;

    expect_text(session, "one");
    result = expect_result(
        session, MESSAGE("block.alloc", "{\"name\":\"b\",\"data\":\"dHdv\",\"if_exists\":\"replace\"}"));
    assert_int_equal(uint_of(result, "replaced"), first);
    assert_int_equal(uint_of(result, "size"), 3);
    expect_text(session, "two");
    expect_error(session, UMEM_E_STALE_HANDLE, MESSAGE("block.read", "[%llu]"), (ULL)first);
    assert_int_equal(stat_of(session, "blocks"), 1);
    assert_int_equal(stat_of(session, "bytes"), 3);
    assert_int_equal(stat_of(session, "orphaned_blocks"), 0);
}

/* Of the same size by the same session: what others have on the old block ends, and each block has a handle of its own. */
static void test_many_puts_of_one_size(void **state)
{
    enum { TIMES = 300 };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    static const char write[] = MESSAGE_OF("1", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\"}");
    uint64_t blocks[TIMES];
    const cJSON *result;

    blocks[0] = put(session, "text 000");
    for (int i = 1; i < TIMES; i++) {
        char text[16];
        uint64_t watch;

        snprintf(text, sizeof text, "text %03d", i);
        watch = i % 50 == 3 ? new_watch(session, "{\"block\":\"b\"}") : 0;
        if (i % 50 == 4)
            expect_result(other, MESSAGE("block.hold", "[\"b\"]"));
        if (i % 50 == 5)
            expect_result(session, MESSAGE("block.release", "[\"b\"]"));
        if (i % 50 == 6)
            put(other, text);
        blocks[i] = put(i % 50 == 7 ? other : session, text);
        if (watch != 0) {
            um_watch_notify(session);
            assert_int_equal(uint_of(take_notification(session, "block.freed"), "block"), blocks[i - 1]);
        }
        expect_text(session, text);
        result = expect_result(session, MESSAGE("block.info", "[\"b\"]"));
        assert_int_equal(uint_of(result, "block"), blocks[i]);
        assert_int_equal(uint_of(result, "holders"), 1);
        assert_int_equal(uint_of(member(result, "owner"), "session"), i % 50 == 7 ? other->id : session->id);
        for (int k = 0; k < i; k++)
            assert_true(blocks[k] != blocks[i]);
        expect_error(session, UMEM_E_STALE_HANDLE, MESSAGE("block.info", "[%llu]"), (ULL)blocks[i - 1]);
    }
    assert_int_equal(stat_of(session, "blocks"), 1);
    assert_int_equal(stat_of(session, "bytes"), 8);
    assert_int_equal(stat_of(session, "holds"), 0);
    assert_int_equal(stat_of(session, "orphaned_blocks"), 0);
    /* Fewer bytes than the block has: the others are zero, and not those of the block before. */
    expect_result(
        session,
        MESSAGE("block.alloc", "{\"name\":\"b\",\"size\":8,\"data\":\"YWI=\",\"if_exists\":\"replace\"}"));
    read_hex(session, uint_of(expect_result(session, MESSAGE("block.info", "[\"b\"]")), "block"), 0, 8,
             "6162000000000000");
    /* Bytes that are still to come for the old block do not go into the new one. */
    feed_message(other, write, sizeof write - 1, 4);
    feed_payload(other, "ab", 2, 2);
    put(session, "12345678");
    feed_payload(other, "cd", 2, 2);
    take_error(other, UMEM_E_STALE_HANDLE);
    expect_text(session, "12345678");
}

/* Who has mapped the old block sees its bytes, and not those of the new one as they come. */
static void test_a_mapped_block_is_not_written_over(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    static const char alloc[] =
        MESSAGE("block.alloc", "{\"name\":\"b\",\"heap\":\"s\",\"size\":100,\"if_exists\":\"replace\"}");
    uint64_t offset;

    new_heap(session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":100000}");
    expect_result(session, alloc);
    offset = uint_of(expect_result(session, MESSAGE("block.map", "[\"b\"]")), "offset");
    expect_result(session, alloc);
    assert_true(uint_of(expect_result(session, MESSAGE("block.map", "[\"b\"]")), "offset") != offset);
}

/* Without if_exists nothing is told of it. */
static void test_a_plain_alloc_answers_as_ever(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    const cJSON *result = expect_result(session, MESSAGE("block.alloc", "{\"name\":\"b\",\"size\":3}"));

    assert_null(cJSON_GetObjectItem(result, "created"));
    assert_null(cJSON_GetObjectItem(result, "replaced"));
    result =
        expect_result(session, MESSAGE("block.alloc", "{\"name\":\"c\",\"size\":3,\"if_exists\":\"fail\"}"));
    assert_true(bool_of(result, "created"));
    expect_error(session, UMEM_E_NAME_TAKEN,
                 MESSAGE("block.alloc", "{\"name\":\"b\",\"size\":3,\"if_exists\":\"fail\"}"));
}

/* The name of the last block of its account, whose end is the account's. */
static void test_the_account_of_the_replaced_block_ends(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t named;

    new_heap(session, "{\"name\":\"h\"}");
    new_block(&fixture->other, "{\"heap\":\"h\",\"size\":1,\"name\":\"b\",\"lifetime\":\"session\"}");
    put(session, "x");
    new_block(session, "{\"heap\":\"h\",\"size\":1,\"name\":\"c\",\"lifetime\":\"session\"}");
    named = new_block(session, "{\"heap\":\"h\",\"size\":1,\"lifetime\":\"session\"}");
    expect_result(
        session,
        MESSAGE("block.change",
                "{\"block\":%llu,\"name\":\"c\",\"lifetime\":\"server\",\"if_exists\":\"replace\"}"),
        (ULL)named);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.info", "[\"c\"]")), "block"), named);
    assert_int_equal(stat_of(session, "blocks"), 2);
}

/* Raw bytes arrive one by one: until the last has come, readers see the old block, and then the new one. */
static void test_a_raw_put_shows_at_its_last_byte(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    uint64_t old = put(&fixture->session, "old");

    begin_raw(other, RAW_PUT, 6);
    for (int i = 0; i < 6; i++) {
        expect_text(&fixture->session, "old");
        assert_int_equal(stat_of(&fixture->session, "blocks"), 1);
        feed_payload(other, &"brandy"[i], 1, 1);
    }
    assert_int_equal(uint_of(take_result(other), "replaced"), old);
    expect_text(&fixture->session, "brandy");
    assert_true(um_session_is_ready(other));
}

/* Whatever the heap, and however large. */
static void test_a_raw_put_of_a_large_block(void **state)
{
    enum { SIZE = 5000000 };
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    char *bytes = malloc(SIZE);

    assert_non_null(bytes);
    new_heap(&fixture->session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":12000000}");
    for (int round = 0; round < 4; round++) {
        const char *heap = round % 2 == 0 ? "s" : "process";
        char params[128];
        uint64_t block;

        memset(bytes, 'a' + round, SIZE);
        snprintf(
            params, sizeof params,
            "{\"name\":\"b\",\"heap\":\"%s\",\"encoding\":\"raw\",\"size\":%d,\"if_exists\":\"replace\"}",
            heap, SIZE);
        begin_raw(other, params, SIZE);
        feed_payload(other, bytes, SIZE, 300000);
        block = uint_of(take_result(other), "block");
        assert_memory_equal(block_bytes(fixture, block), bytes, SIZE);
        assert_int_equal(stat_of(&fixture->session, "blocks"), 1);
    }
    assert_int_equal(stat_of(&fixture->session, "bytes"), SIZE);
    free(bytes);
}

static void test_a_client_that_dies_in_a_put_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;

    put(&fixture->session, "old");
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    third.framing = UM_FRAMING_HEADERS;
    begin_raw(&third, RAW_PUT, 100);
    feed_payload(&third, "ab", 2, 2);
    um_session_close(&third);
    work(fixture->rpc);
    expect_text(&fixture->session, "old");
    assert_int_equal(stat_of(&fixture->session, "blocks"), 1);
    assert_int_equal(stat_of(&fixture->session, "bytes"), 3);
    /* What it had reserved is free again. */
    new_heap(&fixture->session, "{\"name\":\"h\",\"maximum_size\":100}");
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    third.framing = UM_FRAMING_HEADERS;
    begin_raw(&third, "{\"heap\":\"h\",\"encoding\":\"raw\"}", 100);
    expect_error(&fixture->session, UMEM_E_NO_MEMORY, MESSAGE("block.alloc", "[1,\"h\"]"));
    um_session_close(&third);
    new_block(&fixture->session, "[100,\"h\"]");
}

static void test_what_happens_to_the_heap_while_bytes_come(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    static const char params[] =
        "{\"name\":\"b\",\"heap\":\"h\",\"encoding\":\"raw\",\"if_exists\":\"replace\"}";

    put(session, "old");
    new_heap(session, "{\"name\":\"h\"}");
    begin_raw(other, params, 4);
    feed_payload(other, "ab", 2, 2);
    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    feed_payload(other, "cd", 2, 2);
    take_error(other, UMEM_E_LOCKED);
    expect_result(session, MESSAGE("heap.unlock", "[\"h\"]"));
    begin_raw(other, params, 4);
    feed_payload(other, "ab", 2, 2);
    expect_result(session, MESSAGE("heap.destroy", "[\"h\"]"));
    feed_payload(other, "cd", 2, 2);
    take_error(other, UMEM_E_STALE_HANDLE);
    assert_true(um_session_is_ready(other));
    expect_text(session, "old");
    work(fixture->rpc);
    assert_int_equal(stat_of(session, "blocks"), 1);
}

/* The old block is in a heap that another session has locked: before, and while bytes come. */
static void test_a_locked_block_is_not_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t spare = new_block(other, "[1]");

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "{\"name\":\"b\",\"heap\":\"h\",\"size\":3}");
    begin_raw(other, RAW_PUT, 2);
    feed_payload(other, "a", 1, 1);
    expect_result(session, MESSAGE("heap.lock", "[\"h\"]"));
    feed_payload(other, "b", 1, 1);
    take_error(other, UMEM_E_LOCKED);
    expect_error(other, UMEM_E_LOCKED,
                 MESSAGE("block.alloc", "{\"name\":\"b\",\"size\":1,\"if_exists\":\"replace\"}"));
    expect_error(other, UMEM_E_LOCKED,
                 MESSAGE("block.alloc", "{\"name\":\"b\",\"size\":1,\"if_exists\":\"open\"}"));
    expect_error(other, UMEM_E_LOCKED,
                 MESSAGE("block.change", "{\"block\":%llu,\"name\":\"b\",\"if_exists\":\"replace\"}"),
                 (ULL)spare);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.info", "[\"b\"]")), "size"), 3);
    assert_true(is_null(expect_result(session, MESSAGE("block.info", "[%llu]"), (ULL)spare), "name"));
    put(session, "mine");
}

/* Both blocks count until the old one is freed. */
static void test_no_space_for_both(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;

    new_heap(session, "{\"name\":\"h\",\"maximum_size\":100}");
    new_block(session, "{\"name\":\"b\",\"heap\":\"h\",\"size\":60}");
    expect_error(
        session, UMEM_E_NO_MEMORY,
        MESSAGE("block.alloc", "{\"name\":\"b\",\"heap\":\"h\",\"size\":41,\"if_exists\":\"replace\"}"));
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.info", "[\"b\"]")), "size"), 60);
    expect_result(session, MESSAGE("block.alloc",
                                   "{\"name\":\"b\",\"heap\":\"h\",\"size\":40,\"if_exists\":\"replace\"}"));
}

/* Watches, waits, holds and raw writes of the old block end as when it is freed. */
static void test_what_others_have_on_the_replaced_block(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    static const char write[] = MESSAGE_OF("1", "block.write", "{\"block\":\"b\",\"encoding\":\"raw\"}");
    uint64_t old = put(session, "12345678");
    uint64_t watch = new_watch(session, "{\"block\":\"b\"}");
    const cJSON *freed;

    expect_result(other, MESSAGE("block.hold", "[\"b\"]"));
    begin_wait(session, "{\"block\":\"b\",\"offset\":0,\"value\":49,\"type\":\"u8\"}");
    feed_message(other, write, sizeof write - 1, 4);
    feed_payload(other, "ab", 2, 2);
    /* What is written so far is not notified before it is complete: the wait goes on. */
    put(session, "new");
    take_error(session, UMEM_E_STALE_HANDLE);
    um_watch_notify(session);
    freed = take_notification(session, "block.freed");
    assert_int_equal(uint_of(freed, "block"), old);
    assert_int_equal(uint_of(freed, "watch"), watch);
    feed_payload(other, "cd", 2, 2);
    take_error(other, UMEM_E_STALE_HANDLE);
    assert_int_equal(stat_of(session, "holds"), 0);
    expect_text(session, "new");
}

/* A large raw read goes out of the block itself, which is kept until then. */
static void test_a_read_that_has_begun_is_sent_whole(void **state)
{
    enum { SIZE = 100000 };
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    char *bytes = malloc(SIZE);
    uint64_t old = new_block(&fixture->session, "{\"name\":\"b\",\"size\":100000}");

    assert_non_null(bytes);
    memset(block_bytes(fixture, old), 'o', SIZE);
    send_message(other, MESSAGE_OF("1", "block.read", "{\"block\":\"b\",\"encoding\":\"raw\"}"));
    put(&fixture->session, "new");
    take_raw(other, bytes, SIZE);
    for (int i = 0; i < SIZE; i++)
        assert_int_equal(bytes[i], 'o');
    expect_text(&fixture->session, "new");
    free(bytes);
}

/* A large block of a shared heap is allocated in slices: the name is the old block's until the last. */
static void test_a_put_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t late;

    new_heap(session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":40000000}");
    put(session, "old");
    send_message(
        other,
        MESSAGE_OF(
            "1", "block.alloc",
            "{\"name\":\"b\",\"heap\":\"s\",\"size\":12000000,\"data\":\"YWJj\",\"if_exists\":\"replace\"}"));
    expect_text(session, "old");
    late = put(session, "late");
    assert_true(um_rpc_work(fixture->rpc));
    expect_text(session, "late");
    work(fixture->rpc);
    assert_int_equal(uint_of(take_result(other), "replaced"), late);
    assert_string_equal(
        string_of(expect_result(
                      session, MESSAGE("block.read", "{\"block\":\"b\",\"at_most\":4,\"encoding\":\"hex\"}")),
                  "data"),
        "61626300");
    assert_int_equal(stat_of(session, "blocks"), 1);
}

static void test_open(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    static const char *const unfit[][2] = {{"\"size\":9", "size"},
                                           {"\"data\":\"AAAAAAAAAAAA\"", "size"},
                                           {"\"size\":8,\"heap\":\"h\"", "heap"},
                                           {"\"size\":8,\"lifetime\":\"session\"", "lifetime"}};
    uint64_t block;
    const cJSON *result;

    new_heap(session, "{\"name\":\"h\"}");
    result = expect_result(
        session,
        MESSAGE("block.alloc", "{\"name\":\"b\",\"size\":8,\"data\":\"YQ==\",\"if_exists\":\"open\"}"));
    assert_true(bool_of(result, "created"));
    block = uint_of(result, "block");
    result = expect_result(
        other,
        MESSAGE("block.alloc",
                "{\"name\":\"b\",\"size\":5,\"data\":\"Yg==\",\"heap\":\"process\",\"lifetime\":\"server\","
                "\"if_exists\":\"open\"}"));
    assert_false(bool_of(result, "created"));
    assert_int_equal(uint_of(result, "block"), block);
    assert_int_equal(uint_of(result, "size"), 8);
    read_hex(session, block, 0, 8, "6100000000000000");
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        result =
            expect_error(other, UMEM_E_NAME_TAKEN,
                         MESSAGE("block.alloc", "{\"name\":\"b\",\"if_exists\":\"open\",%s}"), unfit[i][0]);
        assert_string_equal(string_of(result, "param"), unfit[i][1]);
        assert_int_equal(uint_of(result, "block"), block);
    }
    /* Raw bytes for a block that is there are skipped. */
    begin_raw(other, "{\"name\":\"b\",\"encoding\":\"raw\",\"if_exists\":\"open\"}", 3);
    assert_false(bool_of(take_result(other), "created"));
    feed_payload(other, "xyz", 3, 3);
    assert_true(um_session_is_ready(other));
    read_hex(session, block, 0, 8, "6100000000000000");
}

/* Two open one name: the one whose bytes come last finds the other one's block. */
static void test_open_finds_what_came_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    uint64_t block;
    const cJSON *result;

    begin_raw(other, "{\"name\":\"b\",\"encoding\":\"raw\",\"if_exists\":\"open\"}", 3);
    feed_payload(other, "x", 1, 1);
    block = put(&fixture->session, "first");
    feed_payload(other, "yz", 2, 2);
    result = take_result(other);
    assert_false(bool_of(result, "created"));
    assert_int_equal(uint_of(result, "block"), block);
    begin_raw(other, "{\"name\":\"c\",\"encoding\":\"raw\",\"if_exists\":\"open\"}", 3);
    new_block(&fixture->session, "{\"name\":\"c\",\"size\":2}");
    feed_payload(other, "xyz", 3, 3);
    assert_string_equal(string_of(take_error(other, UMEM_E_NAME_TAKEN), "param"), "size");
    assert_int_equal(stat_of(&fixture->session, "blocks"), 2);
}

static void test_open_heaps(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    static const char *const unfit[][2] = {{"\"kind\":\"shared\",\"maximum_size\":1", "kind"},
                                           {"\"flags\":[\"no_serialize\"]", "flags"},
                                           {"\"maximum_size\":1001", "maximum_size"},
                                           {"\"alignment\":128", "alignment"},
                                           {"\"lifetime\":\"session\"", "lifetime"}};
    static const char *const fit[] = {
        "", ",\"kind\":\"private\",\"flags\":[],\"maximum_size\":1000,\"alignment\":32",
        ",\"lifetime\":\"server\",\"initial_size\":100000"};
    uint64_t heap;
    const cJSON *result;

    result = expect_result(
        session, MESSAGE("heap.create",
                         "{\"name\":\"h\",\"maximum_size\":1000,\"alignment\":64,\"if_exists\":\"open\"}"));
    assert_true(bool_of(result, "created"));
    heap = uint_of(result, "heap");
    for (size_t i = 0; i < sizeof fit / sizeof fit[0]; i++) {
        result = expect_result(session, MESSAGE("heap.create", "{\"name\":\"h\",\"if_exists\":\"open\"%s}"),
                               fit[i]);
        assert_false(bool_of(result, "created"));
        assert_int_equal(uint_of(result, "heap"), heap);
    }
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        result =
            expect_error(session, UMEM_E_NAME_TAKEN,
                         MESSAGE("heap.create", "{\"name\":\"h\",\"if_exists\":\"open\",%s}"), unfit[i][0]);
        assert_string_equal(string_of(result, "param"), unfit[i][1]);
        assert_int_equal(uint_of(result, "heap"), heap);
    }
    assert_int_equal(stat_of(session, "heaps"), 2);
    /* Opening commits nothing, and destroys nothing where it ends. */
    new_heap(session, "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":20000000}");
    result = expect_result(session, MESSAGE("heap.create",
                                            "{\"name\":\"s\",\"kind\":\"shared\",\"maximum_size\":20000000,"
                                            "\"initial_size\":10000000,\"if_exists\":\"open\"}"));
    assert_false(bool_of(result, "created"));
    expect_result(session, MESSAGE("heap.info", "[\"s\"]"));
}

static void test_publishing_a_block_that_is_filled(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t old = put(session, "old");
    uint64_t filled = new_block(&fixture->other, "{\"size\":3,\"lifetime\":\"session\",\"data\":\"bmV3\"}");
    const cJSON *result =
        expect_result(&fixture->other,
                      MESSAGE("block.change", "{\"block\":%llu,\"name\":\"b\",\"lifetime\":\"server\","
                                              "\"if_exists\":\"replace\"}"),
                      (ULL)filled);

    assert_int_equal(uint_of(result, "replaced"), old);
    assert_string_equal(string_of(result, "name"), "b");
    expect_text(session, "new");
    /* Its own name again, and none, replace nothing. */
    result = expect_result(
        session, MESSAGE("block.change", "{\"block\":\"b\",\"name\":\"b\",\"if_exists\":\"replace\"}"));
    assert_null(cJSON_GetObjectItem(result, "replaced"));
    result = expect_result(
        session, MESSAGE("block.change", "{\"block\":\"b\",\"name\":\"\",\"if_exists\":\"replace\"}"));
    assert_null(cJSON_GetObjectItem(result, "replaced"));
    assert_int_equal(stat_of(session, "blocks"), 1);
    expect_error(session, UMEM_E_INVALID_PARAMS,
                 MESSAGE("block.change", "{\"block\":%llu,\"if_exists\":\"replace\"}"), (ULL)filled);
}

/* In a batch, raw puts share its payload as raw writes do. */
static void test_raw_puts_in_a_batch(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    static const char batch[] =
        "[{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"name\":\"b\",\"encoding\":\"raw\",\"size\":3,"
        "\"if_exists\":\"replace\"}},"
        "{\"id\":2,\"method\":\"block.alloc\",\"params\":{\"name\":\"b\",\"encoding\":\"raw\",\"size\":4,"
        "\"if_exists\":\"replace\"}},"
        "{\"id\":3,\"method\":\"block.alloc\",\"params\":{\"encoding\":\"raw\",\"size\":0}}]";
    const cJSON *answers;

    feed_message(other, batch, sizeof batch - 1, 7);
    feed_payload(other, "onefour", 7, 2);
    answers = take(other);
    assert_int_equal(cJSON_GetArraySize(answers), 3);
    assert_int_equal(uint_of(member(cJSON_GetArrayItem(answers, 1), "result"), "replaced"),
                     uint_of(member(cJSON_GetArrayItem(answers, 0), "result"), "block"));
    expect_text(&fixture->session, "four");
}

static void test_a_raw_alloc_is_as_its_payload(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;

    begin_raw(other, "{\"encoding\":\"raw\",\"size\":3}", 4);
    take_error(other, UMEM_E_INVALID_PARAMS);
    feed_payload(other, "abcd", 4, 4);
    begin_raw(other, "{\"size\":4}", 4);
    take_error(other, UMEM_E_INVALID_PARAMS);
    feed_payload(other, "abcd", 4, 4);
    expect_error(other, UMEM_E_INVALID_PARAMS, MESSAGE("block.alloc", "{\"encoding\":\"raw\",\"size\":3}"));
    assert_int_equal(uint_of(expect_result(other, MESSAGE("block.alloc", "{\"encoding\":\"raw\"}")), "size"),
                     0);
    expect_error(&fixture->session, UMEM_E_UNSUPPORTED, MESSAGE("block.alloc", "{\"encoding\":\"raw\"}"));
    begin_raw(other, "{\"encoding\":\"raw\",\"size\":4}", 4);
    feed_payload(other, "abcd", 4, 4);
    read_hex(&fixture->session, uint_of(take_result(other), "block"), 0, 4, "61626364");
}

static void test_get_in_one_round_trip(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session *other = &fixture->other;
    uint64_t block = put(session, "0123456789");
    const cJSON *result = expect_result(
        session, MESSAGE("block.read", "{\"block\":\"b\",\"at_most\":4,\"encoding\":\"utf8\"}"));
    char bytes[10];

    assert_string_equal(string_of(result, "data"), "0123");
    assert_int_equal(uint_of(result, "size"), 4);
    assert_int_equal(uint_of(result, "block"), block);
    assert_int_equal(uint_of(result, "block_size"), 10);
    send_message(other, MESSAGE_OF("1", "block.read",
                                   "{\"block\":\"b\",\"offset\":7,\"at_most\":4,\"encoding\":\"raw\"}"));
    result = member(take_raw(other, bytes, 3), "result");
    assert_memory_equal(bytes, "789", 3);
    assert_int_equal(uint_of(result, "block_size"), 10);
    result = expect_result(session, MESSAGE("block.read", "{\"block\":\"b\",\"at_most\":0}"));
    assert_int_equal(uint_of(result, "size"), 0);
    expect_error(session, UMEM_E_OUT_OF_RANGE,
                 MESSAGE("block.read", "{\"block\":\"b\",\"offset\":11,\"at_most\":4}"));
    expect_error(session, UMEM_E_INVALID_PARAMS,
                 MESSAGE("block.read", "{\"block\":\"b\",\"size\":1,\"at_most\":4}"));
    /* As text that is encoded in slices, too. */
    fixture->limits.message_bytes = 3000000;
    new_block(session, "{\"name\":\"large\",\"size\":3000000}");
    result = expect_result(
        session, MESSAGE("block.read", "{\"block\":\"large\",\"at_most\":1200000,\"encoding\":\"hex\"}"));
    assert_int_equal(uint_of(result, "size"), 1200000);
    assert_int_equal(uint_of(result, "block_size"), 3000000);
    assert_int_equal(strlen(string_of(result, "data")), 2400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put_and_get, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_puts_of_one_size, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_mapped_block_is_not_written_over, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_plain_alloc_answers_as_ever, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_account_of_the_replaced_block_ends, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_put_shows_at_its_last_byte, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_put_of_a_large_block, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_dies_in_a_put_leaves_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_happens_to_the_heap_while_bytes_come, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_locked_block_is_not_replaced, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_no_space_for_both, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_others_have_on_the_replaced_block, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_read_that_has_begun_is_sent_whole, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_put_in_slices, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_open, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_open_finds_what_came_meanwhile, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_open_heaps, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_publishing_a_block_that_is_filled, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_raw_puts_in_a_batch, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_alloc_is_as_its_payload, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_get_in_one_round_trip, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
