/* Calls that take long: in slices, with others served between them. */
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
#include "rpc/call/engine_state.h"
#include "umem_errors.h"
#include "wire/frame.h"

static struct um_session *session_of(void **state)
{
    return &((struct fixture *)*state)->session;
}

enum { LARGE = 3000000, SLICE = 262144 };

/* Begins a call that takes long as request 1, and lets its first slice run. */
static void begin(struct um_session *session, const char *method, const char *params)
{
    send_message(session, MESSAGE_OF("1", "%s", "%s"), method, params);
    expect_no_message(session);
    assert_false(um_session_is_ready(session));
    assert_true(um_session_is_waiting(session));
    assert_true(um_rpc_work(session->rpc));
    expect_no_message(session);
}

/* Bytes of this value from the front. */
static size_t count_bytes(struct fixture *fixture, uint64_t block, unsigned char value, size_t limit)
{
    const unsigned char *bytes = block_bytes(fixture, block);
    size_t count = 0;

    while (count < limit && bytes[count] == value)
        count++;
    return count;
}

/* Other sessions are served between two slices, and see how far it has come. */
static void test_others_are_served_in_between(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":3000000,\"name\":\"b\"}");

    begin(session, "block.fill", "[\"b\",1]");
    assert_int_equal(count_bytes(fixture, block, 1, LARGE), SLICE);
    expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",2,0,4]"));
    read_hex(&fixture->other, block, SLICE - 1, 2, "0100");
    read_hex(&fixture->other, block, 0, 5, "0202020201");
    work(fixture->rpc);
    assert_int_equal(uint_of(take_result(session), "size"), LARGE);
    assert_true(um_session_is_ready(session));
    assert_int_equal(block_bytes(fixture, block)[0], 2);
    assert_int_equal(block_bytes(fixture, block)[LARGE - 1], 1);
}

/* Several long calls take turns: none waits for another to end. */
static void test_long_calls_take_turns(void **state)
{
    struct fixture *fixture = *state;
    uint64_t left = new_block(&fixture->session, "{\"size\":3000000,\"name\":\"l\"}");
    uint64_t right = new_block(&fixture->session, "{\"size\":3000000,\"name\":\"r\"}");

    begin(&fixture->session, "block.fill", "[\"l\",1]");
    begin(&fixture->other, "block.fill", "[\"r\",1]");
    for (int i = 0; i < 4; i++)
        assert_true(um_rpc_work(fixture->rpc));
    assert_in_range(count_bytes(fixture, left, 1, LARGE), 3 * SLICE, 4 * SLICE);
    assert_in_range(count_bytes(fixture, right, 1, LARGE), 2 * SLICE, 3 * SLICE);
    work(fixture->rpc);
    take_result(&fixture->session);
    take_result(&fixture->other);
}

/* Up to 1 MiB, and in a batch, a call runs as a whole. */
static void test_what_runs_at_once(void **state)
{
    static const char *const calls[] = {
        MESSAGE("block.fill", "[\"b\",1,5,1048576]"),
        MESSAGE("block.copy", "[\"b\",\"c\",5,9,1048576]"),
        MESSAGE("block.compare", "[\"b\",\"c\",5,9,1048576]"),
        MESSAGE("block.find", "[\"b\",\"AQ==\",1951424]"),
    };
    static const char *const long_calls[] = {
        MESSAGE("block.fill", "[\"b\",1,5,1048577]"),
        MESSAGE("block.copy", "[\"b\",\"c\",5,9,1048577]"),
        MESSAGE("block.compare", "[\"b\",\"c\",5,9,1048577]"),
        MESSAGE("block.find", "[\"b\",\"AQ==\",1951423]"),
        MESSAGE("heap.validate", "[]"),
    };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    fixture->limits.batch_bytes = 4 << 20;
    new_block(session, "{\"size\":3000000,\"name\":\"b\"}");
    new_block(session, "{\"size\":3000000,\"name\":\"c\"}");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        send_message(session, "%s", calls[i]);
        take_result(session);
    }
    for (size_t i = 0; i < sizeof long_calls / sizeof long_calls[0]; i++) {
        send_message(session, "%s", long_calls[i]);
        expect_no_message(session);
        assert_false(um_session_is_ready(session));
        work(fixture->rpc);
        take_result(session);
    }
    for (size_t i = 0; i + 1 < sizeof long_calls / sizeof long_calls[0]; i++) {
        send_message(session, "[%s]", long_calls[i]);
        assert_true(cJSON_HasObjectItem(cJSON_GetArrayItem(take(session), 0), "result"));
    }
}

/* What takes long without a limit on how long is not for batches. */
static void test_not_for_batches(void **state)
{
    struct um_session *session = session_of(state);
    cJSON *answers;

    new_block(session, "{\"size\":8,\"name\":\"b\"}");
    send_message(session, "[" MESSAGE("heap.validate", "[]") "," MESSAGE("block.at", "[1]") "," MESSAGE(
                              "heap.validate", "{\"block\":\"b\"}") "]");
    answers = take(session);
    for (int i = 0; i < 2; i++)
        assert_string_equal(
            string_of(member(member(cJSON_GetArrayItem(answers, i), "error"), "data"), "name"),
            "unsupported");
    assert_true(bool_of(member(cJSON_GetArrayItem(answers, 2), "result"), "valid"));
}

/* ---- what happens in the middle ---- */

static const char *const long_calls[][2] = {
    {"block.fill", "[\"b\",0]"},        {"block.copy", "[\"b\",\"c\"]"},
    {"block.copy", "[\"c\",\"b\"]"},    {"block.compare", "[\"b\",\"c\"]"},
    {"block.compare", "[\"c\",\"b\"]"}, {"block.find", "[\"b\",\"AQ==\"]"},
};

static void test_the_block_is_freed_between_slices(void **state)
{
    struct fixture *fixture = *state;

    new_block(&fixture->session, "{\"size\":3000000,\"name\":\"c\"}");
    for (size_t i = 0; i < sizeof long_calls / sizeof long_calls[0]; i++) {
        new_block(&fixture->session, "{\"size\":3000000,\"name\":\"b\"}");
        begin(&fixture->session, long_calls[i][0], long_calls[i][1]);
        expect_result(&fixture->other, MESSAGE("block.free", "[\"b\"]"));
        assert_false(um_rpc_work(fixture->rpc));
        take_error(&fixture->session, UMEM_E_STALE_HANDLE);
        assert_true(um_session_is_ready(&fixture->session));
    }
}

static void test_the_heap_is_destroyed_between_slices(void **state)
{
    struct fixture *fixture = *state;

    new_block(&fixture->session, "{\"size\":3000000,\"name\":\"c\"}");
    for (size_t i = 0; i < sizeof long_calls / sizeof long_calls[0]; i++) {
        new_heap(&fixture->session, "{\"name\":\"h\"}");
        new_block(&fixture->session, "{\"size\":3000000,\"name\":\"b\",\"heap\":\"h\"}");
        begin(&fixture->session, long_calls[i][0], long_calls[i][1]);
        expect_result(&fixture->other, MESSAGE("heap.destroy", "[\"h\"]"));
        work(fixture->rpc);
        take_error(&fixture->session, UMEM_E_STALE_HANDLE);
    }
}

/* Made smaller it is out of range; larger, or moved, it does not matter. */
static void test_the_block_is_resized_in_the_middle(void **state)
{
    struct fixture *fixture = *state;

    new_block(&fixture->session, "{\"size\":3000000,\"name\":\"c\"}");
    for (size_t i = 0; i < sizeof long_calls / sizeof long_calls[0]; i++) {
        uint64_t block = new_block(&fixture->session, "{\"size\":3000000,\"name\":\"b\"}");

        begin(&fixture->session, long_calls[i][0], long_calls[i][1]);
        expect_result(&fixture->other, MESSAGE("block.resize", "[\"b\",2999999]"));
        assert_false(um_rpc_work(fixture->rpc));
        assert_int_equal(uint_of(take_error(&fixture->session, UMEM_E_OUT_OF_RANGE), "block"), block);

        expect_result(&fixture->other, MESSAGE("block.resize", "[\"b\",3000000]"));
        begin(&fixture->session, long_calls[i][0], long_calls[i][1]);
        expect_result(&fixture->other, MESSAGE("block.resize", "[\"b\",6000000]"));
        work(fixture->rpc);
        take_result(&fixture->session);
        expect_result(&fixture->other, MESSAGE("block.free", "[\"b\"]"));
    }
}

/* What it wrote so far stays. */
static void test_what_was_written_stays(void **state)
{
    struct fixture *fixture = *state;
    uint64_t block = new_block(&fixture->session, "{\"size\":3000000,\"name\":\"b\"}");

    begin(&fixture->session, "block.fill", "[\"b\",1]");
    expect_result(&fixture->other, MESSAGE("block.resize", "[\"b\",2000000]"));
    work(fixture->rpc);
    take_error(&fixture->session, UMEM_E_OUT_OF_RANGE);
    assert_int_equal(count_bytes(fixture, block, 1, 2000000), SLICE);
}

static void test_the_session_ends_between_slices(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    uint64_t block = new_block(&fixture->session, "{\"size\":3000000,\"name\":\"b\"}");

    new_block(&fixture->session, "{\"size\":3000000,\"name\":\"c\"}");
    for (size_t i = 0; i < sizeof long_calls / sizeof long_calls[0]; i++) {
        struct um_session third;

        assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
        begin(&third, long_calls[i][0], long_calls[i][1]);
        um_session_close(&third);
        assert_false(um_rpc_work(fixture->rpc));
        expect_result(&fixture->session, MESSAGE("block.resize", "[\"b\",3000000]"));
    }
    read_hex(&fixture->session, block, 0, 1, "00");
    answers_forget();
}

/* Pending calls and watches are notified slice by slice. */
static void test_events_come_slice_by_slice(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *other = &fixture->other;
    cJSON *params;

    new_block(&fixture->session, "{\"size\":3000000,\"name\":\"b\"}");
    expect_result(other, MESSAGE("session.watch", "{\"block\":\"b\"}"));
    begin_wait(other, "[\"b\",300000,0,\"u8\"]");
    begin(&fixture->session, "block.fill", "[\"b\",1]");
    params = take_notification(other, "block.changed");
    assert_int_equal(uint_of(params, "offset"), 0);
    assert_int_equal(uint_of(params, "size"), SLICE);
    expect_no_message(other);
    assert_true(um_rpc_work(fixture->rpc));
    take_value(other, "1");
    params = take_notification(other, "block.changed");
    assert_int_equal(uint_of(params, "offset"), SLICE);
    work(fixture->rpc);
    take_result(&fixture->session);
    params = take_notification(other, "block.changed");
    assert_int_equal(uint_of(params, "offset") + uint_of(params, "size"), LARGE);
}

/* ---- validating and looking for an address ---- */

static void test_the_heap_is_destroyed_before_it_is_validated(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    new_heap(session, "{\"name\":\"h\"}");
    new_block(session, "[10,\"h\"]");
    send_message(session, MESSAGE_OF("1", "heap.validate", "[\"h\"]"));
    expect_error(&fixture->other, UMEM_E_LOCKED, MESSAGE("heap.lock", "[\"h\"]"));
    expect_result(&fixture->other, MESSAGE("heap.destroy", "[\"h\"]"));
    work(fixture->rpc);
    take_error(session, UMEM_E_STALE_HANDLE);
}

/* The memory is with the system when the call is answered, and others are served meanwhile. */
static void test_a_heap_is_compacted_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t blocks[32];
    uint64_t before;
    uint64_t after;
    unsigned slices = 0;

    new_heap(session, "{\"kind\":\"shared\",\"maximum_size\":40000000,\"name\":\"s\"}");
    for (int i = 0; i < 32; i++)
        blocks[i] = new_block(session, "{\"size\":1000000,\"heap\":\"s\"}");
    for (int i = 1; i < 32; i++)
        expect_result(session, MESSAGE("block.free", "[%llu]"), (unsigned long long)blocks[i]);
    before = uint_of(expect_result(session, MESSAGE("heap.info", "[\"s\"]")), "committed");
    assert_in_range(before, 32000000, 40000000);
    um_rpc_end_turn(fixture->rpc);
    send_message(session, MESSAGE_OF("1", "heap.compact", "[\"s\"]"));
    for (; session->out.size == 0; slices++) {
        assert_in_range(slices, 0, 100);
        expect_result(&fixture->other, MESSAGE("server.ping", "[]"));
        um_rpc_work(fixture->rpc);
    }
    assert_in_range(uint_of(take_result(session), "largest_free"), 30000000, 40000000);
    after = uint_of(expect_result(session, MESSAGE("heap.info", "[\"s\"]")), "committed");
    /* Sections of Windows keep what they have. */
    assert_true(after == before || (after < 2000000 && slices > 2));
}

static void test_the_block_is_freed_before_it_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t address =
        uint_of(expect_result(session, MESSAGE("block.alloc", "{\"size\":64,\"name\":\"b\"}")), "address");

    send_message(session, MESSAGE_OF("1", "block.at", "[%llu]"), (ULL)address);
    assert_false(um_session_is_ready(session));
    expect_result(&fixture->other, MESSAGE("block.free", "[\"b\"]"));
    work(fixture->rpc);
    take_error(session, UMEM_E_UNKNOWN_HANDLE);
}

/* A shared heap's first memory is allocated in slices: the answer comes with the last, and the heap is there before. */
static void test_a_heap_with_much_memory_to_begin_with(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    const struct um_session_options options = {.pid = 5};
    unsigned slices = 0;

    send_message(
        session,
        MESSAGE("heap.create",
                "{\"kind\":\"shared\",\"name\":\"s\",\"maximum_size\":33554432,\"initial_size\":33554432}"));
    for (; !um_session_is_ready(session); slices++) {
        expect_no_message(session);
        expect_result(&fixture->other, MESSAGE("heap.info", "[\"s\"]"));
        um_rpc_work(fixture->rpc);
    }
    assert_in_range(slices, 8, 20);
    member(take_result(session), "heap");
    assert_int_equal(uint_of(expect_result(session, MESSAGE("heap.info", "[\"s\"]")), "committed"), 33554432);
    /* A heap that is not answered yet ends with its session. */
    send_message(
        &fixture->other,
        MESSAGE("heap.create",
                "{\"kind\":\"shared\",\"name\":\"u\",\"maximum_size\":33554432,\"initial_size\":33554432}"));
    um_rpc_work(fixture->rpc);
    um_session_close(&fixture->other);
    answers_forget_session(&fixture->other);
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("heap.info", "[\"u\"]"));
    work(fixture->rpc);
    assert_int_equal(um_session_open(fixture->rpc, &fixture->other, &options), UMEM_OK);
    /* If another session destroys it meanwhile, the call is answered at once. */
    send_message(
        session,
        MESSAGE("heap.create",
                "{\"kind\":\"shared\",\"name\":\"t\",\"maximum_size\":33554432,\"initial_size\":33554432}"));
    um_rpc_work(fixture->rpc);
    expect_result(&fixture->other, MESSAGE("heap.destroy", "[\"t\"]"));
    work(fixture->rpc);
    member(take_result(session), "heap");
}

/* ---- bytes as text ---- */

enum { TEXT_SIZE = 2 * LARGE };

/* A request of one method with this many characters of data: `pattern` (4 of them) again and again. */
static char *data_request(const char *method, const char *rest, const char *pattern, size_t size)
{
    char *text = malloc(size + 256);
    size_t at =
        (size_t)snprintf(text, 256, "{\"id\":1,\"method\":\"%s\",\"params\":{%s,\"data\":\"", method, rest);

    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[at++] = pattern[i % 4];
    strcpy(text + at, "\"}}");
    return text;
}

/* Feeds a message that is read in steps, and frees it. */
static void feed_text(struct um_session *session, char *text)
{
    feed_message(session, text, strlen(text), 0);
    free(text);
}

static void test_many_bytes_are_read_in_slices(void **state)
{
    enum { READ = LARGE - 3 }; /* bytes, up to the block's end */
    static const struct {
        const char *encoding;
        char first;
        char last;   /* of 'z' */
        size_t size; /* characters */
    } encodings[] = {
        {"base64", 'Q', '6', READ / 3 * 4}, {"hex", '4', 'a', 2 * READ}, {"utf8", 'A', 'z', READ}};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":3000000,\"name\":\"b\"}");

    fixture->limits.message_bytes = 16 << 20;
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        const char *data;
        cJSON *result;
        char params[64];

        for (size_t at = 0; at < LARGE; at++)
            block_bytes(fixture, block)[at] = (unsigned char)('A' + at % 3);
        snprintf(params, sizeof params, "{\"block\":\"b\",\"offset\":3,\"encoding\":\"%s\"}",
                 encodings[i].encoding);
        begin(session, "block.read", params);
        um_rpc_work(fixture->rpc);
        /* What is written meanwhile shows where it was not read yet, and nothing else does. */
        expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",122,0,100]"));
        expect_result(&fixture->other, MESSAGE("block.fill", "[\"b\",122,2999900,100]"));
        expect_result(&fixture->other, MESSAGE("block.free", "[\"b\"]"));
        (void)new_block(&fixture->other, "{\"size\":3000000,\"name\":\"c\"}");
        work(fixture->rpc);
        expect_result(&fixture->other, MESSAGE("block.free", "[\"c\"]"));
        result = take_result(session);
        assert_int_equal(uint_of(result, "size"), READ);
        data = string_of(result, "data");
        assert_int_equal(strlen(data), encodings[i].size);
        assert_int_equal(data[0], encodings[i].first);
        assert_int_equal(data[encodings[i].size - 1], encodings[i].last);
        for (size_t at = 0; at + 12 < encodings[i].size - 200; at++)
            assert_true(data[at] == data[at + 12]);
        block = new_block(session, "{\"size\":3000000,\"name\":\"b\"}");
    }
    assert_int_equal(fixture->rpc->reserved_bytes, 0);
}

static void test_many_bytes_that_are_no_text(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":3000000,\"name\":\"b\"}");
    unsigned char *bytes = block_bytes(fixture, block);

    fixture->limits.message_bytes = 16 << 20;
    /* A character across the border of two slices is read as one. */
    memset(bytes, 'x', LARGE);
    memcpy(bytes + SLICE - 1, "\xe2\x82\xac", 3);
    memcpy(bytes + LARGE - 2, "\xc3\xa4", 2);
    assert_int_equal(
        uint_of(expect_result(session, MESSAGE("block.read", "{\"block\":\"b\",\"encoding\":\"utf8\"}")),
                "size"),
        LARGE);
    /* Also where it is the last. */
    memcpy(bytes + 5 * SLICE - 1, "\xc3\xa4", 2);
    assert_int_equal(
        uint_of(expect_result(session, MESSAGE("block.read", "[\"b\",0,1310721,\"utf8\"]")), "size"),
        1310721);
    bytes[2000000] = 0xff;
    assert_int_equal(uint_of(expect_error(session, UMEM_E_UNSUPPORTED,
                                          MESSAGE("block.read", "{\"block\":\"b\",\"encoding\":\"utf8\"}")),
                             "offset"),
                     2000000);
    bytes[2000000] = 'x';
    bytes[LARGE - 1] = 'x';
    assert_int_equal(uint_of(expect_error(session, UMEM_E_UNSUPPORTED,
                                          MESSAGE("block.read", "{\"block\":\"b\",\"encoding\":\"utf8\"}")),
                             "offset"),
                     LARGE - 2);
    /* Escapes make it too long for an answer. */
    memset(bytes, 1, LARGE);
    assert_string_equal(
        string_of(expect_error(session, UMEM_E_TOO_LARGE,
                               MESSAGE("block.read", "{\"block\":\"b\",\"encoding\":\"utf8\"}")),
                  "limit"),
        "message_bytes");
    assert_int_equal(fixture->rpc->reserved_bytes, 0);
}

/* The text is decoded in slices; the bytes are written at once, when all are known to be right. */
static void test_many_bytes_are_written_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":4500000,\"name\":\"b\"}");
    uint64_t requests = fixture->rpc->requests;
    unsigned slices = 0;

    feed_text(session, data_request("block.write", "\"block\":\"b\"", "QUJD", TEXT_SIZE));
    assert_false(um_session_is_ready(session));
    for (; !um_session_is_ready(session); slices++) {
        expect_no_message(session);
        assert_true(um_session_gathered(session) >= TEXT_SIZE);
        assert_int_equal(block_bytes(fixture, block)[0], 0);
        um_rpc_work(fixture->rpc);
    }
    assert_in_range(slices, 10, 20);
    assert_int_equal(uint_of(take_result(session), "size"), 4500000);
    assert_int_equal(fixture->rpc->requests, requests + 1);
    assert_int_equal(um_session_gathered(session), 0);
    for (size_t i = 0; i < 4500000; i++)
        assert_true(block_bytes(fixture, block)[i] == 'A' + i % 3);
    feed_text(session,
              data_request("block.write", "\"block\":\"b\",\"encoding\":\"hex\"", "5a5A", TEXT_SIZE));
    work(fixture->rpc);
    assert_int_equal(uint_of(take_result(session), "size"), 3000000);
    assert_int_equal(count_bytes(fixture, block, 'Z', 4500000), 3000000);
    feed_text(session, data_request("block.alloc", "\"size\":4500000,\"name\":\"c\"", "QUJD", TEXT_SIZE));
    work(fixture->rpc);
    read_hex(session, uint_of(take_result(session), "block"), 4499997, 3, "414243");
    feed_text(session, data_request("block.find", "\"block\":\"c\"", "QUJD", TEXT_SIZE));
    work(fixture->rpc);
    assert_string_equal(string_of(take_error(session, UMEM_E_INVALID_PARAMS), "param"), "data");
}

static void test_many_bytes_with_one_that_is_wrong(void **state)
{
    static const struct {
        const char *encoding;
        const char *pattern;
        size_t at;
        const char *characters;
        const char *message;
    } wrongs[] = {
        {"base64", "AAAA", TEXT_SIZE - 5, "?", "character 5999995 "},
        {"base64", "AAAA", 3000001, "=", "character 3000001 "},
        {"base64", "AAAA", 262143, "=", "character 262143 "},
        /* Padding at a slice's end is wrong by itself, whatever bits the digit before it has. */
        {"base64", "BBBB", 262143, "=", "character 262143 "},
        {"base64", "AAAA", 262139, "=AAA=", "character 262139 "},
        {"base64", "AAAA", 262139, "=====", "character 262139 "},
        {"hex", "AAAA", 4000000, "g", "character 4000000 "},
        {"hex", "AAAA", TEXT_SIZE - 1, "g", "character 5999999 "},
    };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":4500000,\"name\":\"b\"}");

    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        char rest[64];
        char *text;
        cJSON *answer;

        snprintf(rest, sizeof rest, "\"block\":\"b\",\"encoding\":\"%s\"", wrongs[i].encoding);
        text = data_request("block.write", rest, wrongs[i].pattern, TEXT_SIZE);
        memcpy(strstr(text, wrongs[i].pattern) + wrongs[i].at, wrongs[i].characters,
               strlen(wrongs[i].characters));
        feed_text(session, text);
        work(fixture->rpc);
        answer = member(take(session), "error");
        assert_int_equal(member(answer, "code")->valueint, UMEM_E_INVALID_PARAMS);
        assert_non_null(strstr(string_of(answer, "message"), wrongs[i].message));
        assert_int_equal(count_bytes(fixture, block, 0, 4500000), 4500000);
    }
}

/* A long message's memory is taken over where it is offered, and a short one's stays. */
static void test_memory_of_a_long_message(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    char ping[] = "{\"id\":1,\"method\":\"server.ping\"}";
    size_t long_size = UM_FRAME_LONG_SIZE + 1;

    for (size_t size = strlen(ping); size <= long_size; size += long_size - strlen(ping)) {
        char *bytes = malloc(size);

        assert_non_null(bytes);
        memset(bytes, ' ', size);
        memcpy(bytes, ping, strlen(ping));
        session->text_here = bytes;
        um_dispatch_message(session, bytes, size, 0);
        assert_int_equal(session->text_here == NULL, size == long_size);
        free(session->text_here);
        session->text_here = NULL;
        while (!um_session_is_ready(session))
            (void)um_rpc_work(session->rpc);
        um_buf_append_byte(&session->out, '\0');
        assert_non_null(strstr(session->out.data, "\"result\":{}"));
        um_buf_truncate(&session->out, 0);
    }
}

/* A long answer is the same text whether its memory becomes that of the answers, or is copied behind one that waits, in either framing. */
static void test_memory_of_a_long_answer(void **state)
{
    static const char *const requests[] = {
        "{\"id\":\"\\n7\",\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"at_most\":3000000}}",
        "{\"id\":7,\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"utf8\"}}",
        "{\"id\":7,\"method\":\"block.get\",\"params\":[\"b\",0,\"i8\",600000]}",
        "{\"method\":\"block.read\",\"params\":{\"block\":\"b\"},\"jsonrpc\":\"2.0\"}",
    };
    static const char waiting[] = "an answer that waits";
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    fixture->limits.message_bytes = 16 << 20;
    new_block(session, "{\"size\":3000000,\"name\":\"b\"}");
    expect_result(session, MESSAGE("block.fill", "[\"b\",97]"));
    for (size_t i = 0; i < 2 * (sizeof requests / sizeof requests[0]); i++) {
        const char *request = requests[i / 2];
        struct um_buf first = {.size_limit = SIZE_MAX};

        session->framing = i % 2 == 0 ? UM_FRAMING_LINES : UM_FRAMING_HEADERS;
        feed_message(session, request, strlen(request), 0);
        work(fixture->rpc);
        um_buf_append(&first, session->out.data, session->out.size);
        um_buf_truncate(&session->out, 0);
        um_buf_append_string(&session->out, waiting);
        feed_message(session, request, strlen(request), 0);
        work(fixture->rpc);
        assert_int_equal(session->out.size, first.size + strlen(waiting));
        assert_memory_equal(session->out.data, waiting, strlen(waiting));
        assert_memory_equal(session->out.data + strlen(waiting), first.data, first.size);
        assert_true(i / 2 == 3 ? first.size == 0 : first.size > 600000);
        um_buf_truncate(&session->out, 0);
        um_buf_deinit(&first);
    }
    session->framing = UM_FRAMING_LINES;
}

/* A session ends, or a block is freed, while a text is decoded. */
static void test_the_end_while_bytes_are_decoded(void **state)
{
    struct fixture *fixture = *state;
    const struct um_session_options options = {.pid = 5};
    struct um_session third;

    new_block(&fixture->session, "{\"size\":4500000,\"name\":\"b\"}");
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    feed_text(&third, data_request("block.write", "\"block\":\"b\"", "QUJD", TEXT_SIZE));
    um_rpc_work(fixture->rpc);
    um_session_close(&third);
    feed_text(&fixture->other, data_request("block.write", "\"block\":\"b\"", "QUJD", TEXT_SIZE));
    um_rpc_work(fixture->rpc);
    expect_result(&fixture->session, MESSAGE("block.free", "[\"b\"]"));
    work(fixture->rpc);
    take_error(&fixture->other, UMEM_E_UNKNOWN_HANDLE);
    answers_forget();
}

/* Slices are divided among the processes in turn, however many calls each has at work. */
static void test_processes_take_turns(void **state)
{
    enum { MEMBERS = 5, ROUNDS = 3 };
    struct fixture *fixture = *state;
    struct um_session_group many = {.sessions = 0};
    struct um_session_group alone = {.sessions = 0};
    struct um_session sessions[MEMBERS + 1];
    uint64_t blocks[MEMBERS + 1];

    for (int i = 0; i <= MEMBERS; i++) {
        struct um_session_options options = {.group = i < MEMBERS ? &many : &alone};
        char name[32];

        snprintf(name, sizeof name, "{\"size\":3000000,\"name\":\"p%d\"}", i);
        blocks[i] = new_block(&fixture->session, name);
        assert_int_equal(um_session_open(fixture->rpc, &sessions[i], &options), UMEM_OK);
        send_message(&sessions[i], MESSAGE_OF("1", "block.fill", "[\"p%d\",1]"), i);
    }
    assert_int_equal(many.sessions, MEMBERS);
    for (int i = 0; i < 2 * ROUNDS; i++)
        assert_true(um_rpc_work(fixture->rpc));
    assert_int_equal(count_bytes(fixture, blocks[MEMBERS], 1, LARGE), ROUNDS * SLICE);
    for (int i = 0; i < MEMBERS; i++)
        assert_int_equal(count_bytes(fixture, blocks[i], 1, LARGE), i < ROUNDS ? SLICE : 0);
    /* One of them ends before the others, which continue. */
    um_session_close(&sessions[1]);
    work(fixture->rpc);
    for (int i = 0; i <= MEMBERS; i++) {
        if (i == 1)
            continue;
        take_result(&sessions[i]);
        um_session_close(&sessions[i]);
    }
    assert_int_equal(many.sessions + alone.sessions, 0);
    answers_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_heap_with_much_memory_to_begin_with, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_others_are_served_in_between, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_long_calls_take_turns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_processes_take_turns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_runs_at_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_not_for_batches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_block_is_freed_between_slices, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_heap_is_destroyed_between_slices, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_block_is_resized_in_the_middle, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_written_stays, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_session_ends_between_slices, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_events_come_slice_by_slice, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_heap_is_destroyed_before_it_is_validated, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_bytes_are_read_in_slices, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_bytes_that_are_no_text, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_bytes_are_written_in_slices, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_bytes_with_one_that_is_wrong, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_memory_of_a_long_message, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_memory_of_a_long_answer, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_end_while_bytes_are_decoded, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_heap_is_compacted_in_slices, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_the_block_is_freed_before_it_is_found, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
