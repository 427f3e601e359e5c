/* Bytes of blocks: read, written, filled, copied, compared and found. */
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

static struct um_session *session_of(void **state)
{
    return &((struct fixture *)*state)->session;
}

static const char *read_as(struct um_session *session, uint64_t block, const char *encoding)
{
    return string_of(
        expect_result(session, "{\"method\":\"block.read\",\"params\":{\"block\":%llu,\"encoding\":\"%s\"}}",
                      (ULL)block, encoding),
        "data");
}

static void test_a_block_of_no_bytes(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[0]");

    assert_string_equal(read_as(session, block, "base64"), "");
    expect_error(session, UMEM_E_OUT_OF_RANGE, "{\"method\":\"block.read\",\"params\":[%llu,0,1]}",
                 (ULL)block);
    expect_result(session, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)block);
}

static void test_encodings(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[6]");

    expect_result(session, "{\"method\":\"block.write\",\"params\":[%llu,\"Zm9vYmFy\"]}", (ULL)block);
    assert_string_equal(read_as(session, block, "utf8"), "foobar");
    expect_result(session, "{\"method\":\"block.write\",\"params\":[%llu,\"00fF\",4,\"hex\"]}", (ULL)block);
    assert_string_equal(read_as(session, block, "hex"), "666f6f6200ff");
    assert_string_equal(read_as(session, block, "base64"), "Zm9vYgD/");
    assert_int_equal(
        uint_of(expect_error(session, UMEM_E_UNSUPPORTED,
                             "{\"method\":\"block.read\",\"params\":[%llu,0,6,\"utf8\"]}", (ULL)block),
                "offset"),
        5);
    expect_result(session, "{\"method\":\"block.write\",\"params\":[%llu,\"\\u00e4\\\"\\n\",1,\"utf8\"]}",
                  (ULL)block);
    assert_string_equal(read_as(session, block, "hex"), "66c3a4220aff");
}

/* ---- block.fill ---- */

static void test_fill(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block =
        new_block(session, "{\"size\":6,\"name\":\"b\",\"data\":\"abcdef\",\"encoding\":\"utf8\"}");

    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.fill", "[\"b\",255,1,2]")), "size"), 2);
    read_hex(session, block, 0, 6, "61ffff646566");
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.fill", "[\"b\",1,4]")), "size"), 2);
    read_hex(session, block, 0, 6, "61ffff640101");
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.fill", "[\"b\",7,6]")), "size"), 0);
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.fill", "[\"b\",7,5,2]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.fill", "[\"b\",256]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.fill", "[\"b\",-1]"));
    read_hex(session, block, 0, 6, "61ffff640101");
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.fill", "[\"b\"]")), "size"), 6);
    read_hex(session, block, 0, 6, "000000000000");
}

/* ---- block.copy ---- */

static void test_copy_may_overlap(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "{\"size\":6,\"data\":\"abcdef\",\"encoding\":\"utf8\"}");

    expect_result(session,
                  "{\"method\":\"block.copy\",\"params\":{\"source\":%llu,\"target\":%llu,\"target_offset\":"
                  "2,\"size\":4}}",
                  (ULL)block, (ULL)block);
    assert_string_equal(read_as(session, block, "utf8"), "ababcd");
    expect_error(
        session, UMEM_E_OUT_OF_RANGE,
        "{\"method\":\"block.copy\",\"params\":{\"source\":%llu,\"target\":%llu,\"target_offset\":1}}",
        (ULL)block, (ULL)block);
}

enum { PATTERN_SIZE = 2 << 20 };

/* Bytes in which no two neighbouring ranges are alike. */
static const unsigned char *pattern(void)
{
    static unsigned char bytes[PATTERN_SIZE];

    for (size_t i = 0; bytes[1] == 0 && i < PATTERN_SIZE; i++)
        bytes[PATTERN_SIZE - 1 - i] = (unsigned char)(i * 7 + i / 251 + i / 65521 + 1);
    return bytes;
}

static void check_overlap(void **state, uint64_t size, uint64_t source, uint64_t target)
{
    struct um_session *session = session_of(state);
    uint64_t end = size + (source > target ? source : target);
    unsigned char *wanted = malloc((size_t)end);
    char params[64];
    uint64_t block;

    assert_non_null(wanted);
    assert_true(end <= PATTERN_SIZE);
    snprintf(params, sizeof params, "[%llu]", (ULL)end);
    block = new_block(session, params);
    memcpy(block_bytes(*state, block), pattern(), (size_t)end);
    memcpy(wanted, pattern(), (size_t)end);
    memmove(wanted + target, wanted + source, (size_t)size);
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.copy", "[%llu,%llu,%llu,%llu,%llu]"),
                                           (ULL)block, (ULL)block, (ULL)source, (ULL)target, (ULL)size),
                             "size"),
                     size);
    if (memcmp(block_bytes(*state, block), wanted, (size_t)end) != 0)
        fail_msg("a copy of %llu bytes from %llu to %llu is wrong", (ULL)size, (ULL)source, (ULL)target);
    expect_result(session, MESSAGE("block.free", "[%llu]"), (ULL)block);
    free(wanted);
}

/* Up to 1 MiB at once, above in slices; each forwards, backwards, and onto itself. */
static void test_copy_overlaps_both_ways(void **state)
{
    static const uint64_t sizes[] = {5, 1048576, 1048577, 1600000};
    static const uint64_t distances[] = {0, 1, 3, 100000, 262144, 262145};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof distances / sizeof distances[0]; j++) {
            check_overlap(state, sizes[i], distances[j], 0);
            check_overlap(state, sizes[i], 0, distances[j]);
            check_overlap(state, sizes[i], distances[j] + 2, 1);
        }
    }
}

static void test_copy_in_a_batch_overlaps_both_ways(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block =
        new_block(session, "{\"size\":8,\"name\":\"b\",\"data\":\"abcdefgh\",\"encoding\":\"utf8\"}");
    uint64_t large;

    fixture->limits.batch_bytes = 4 << 20;
    call(session, "[" MESSAGE("block.copy", "[\"b\",\"b\",0,1,7]") "," MESSAGE("block.copy",
                                                                               "[\"b\",\"b\",2,0,6]") "]");
    read_hex(session, block, 0, 8, "6263646566676667");
    large = new_block(session, "[2000000]");
    memcpy(block_bytes(*state, large), pattern(), 2000000);
    send_message(session, "[" MESSAGE("block.copy", "[%llu,%llu,0,5,1999995]") "]", (ULL)large, (ULL)large);
    assert_int_equal(uint_of(member(cJSON_GetArrayItem(take(session), 0), "result"), "size"), 1999995);
    assert_memory_equal(block_bytes(*state, large) + 5, pattern(), 1999995);
}

static void test_copy_checks_both_ranges(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t target = new_block(session, "{\"size\":4,\"name\":\"t\"}");
    cJSON *data;

    new_block(session, "{\"size\":8,\"name\":\"s\",\"data\":\"abcdefgh\",\"encoding\":\"utf8\"}");
    data = expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.copy", "[\"s\",\"t\"]"));
    assert_int_equal(uint_of(data, "block"), target);
    assert_int_equal(uint_of(data, "size"), 8);
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.copy", "[\"s\",\"t\",9]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.copy", "[\"s\",\"t\",6,0,3]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.copy", "[\"s\",\"t\",0,1,4]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.copy", "[\"s\",\"t\",0,9007199254740991,1]"));
    read_hex(session, target, 0, 4, "00000000");
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.copy", "[\"s\",\"t\",5,1]")), "size"), 3);
    read_hex(session, target, 0, 4, "00666768");
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.copy", "[\"s\",\"t\",8,4]")), "size"), 0);
}

/* ---- block.compare ---- */

static void expect_difference(struct um_session *session, const char *params, int64_t offset)
{
    cJSON *result = expect_result(session, MESSAGE("block.compare", "%s"), params);

    assert_int_equal(bool_of(result, "equal"), offset < 0);
    if (offset < 0)
        assert_true(is_null(result, "offset"));
    else
        assert_int_equal(uint_of(result, "offset"), offset);
}

static void test_compare(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t right;

    new_block(session, "{\"size\":6,\"name\":\"l\",\"data\":\"abcdef\",\"encoding\":\"utf8\"}");
    right = new_block(session, "{\"size\":8,\"name\":\"r\",\"data\":\"abcdeX12\",\"encoding\":\"utf8\"}");
    expect_difference(session, "[\"l\",\"r\"]", 5);
    expect_difference(session, "[\"l\",\"r\",0,0,5]", -1);
    expect_difference(session, "[\"l\",\"r\",1,0]", 0);
    expect_difference(session, "[\"l\",\"r\",3,3]", 2);
    expect_difference(session, "[\"l\",\"l\"]", -1);
    expect_difference(session, "[\"l\",\"r\",6,8]", -1);
    expect_difference(session, "[\"l\",\"r\",0,0,0]", -1);
    /* Without a size it is what is left of the left one, which must fit both. */
    assert_int_equal(
        uint_of(expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.compare", "[\"l\",\"r\",0,3]")),
                "block"),
        right);
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.compare", "[\"r\",\"l\"]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.compare", "[\"l\",\"r\",7]"));
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.compare", "[\"l\",\"r\",0,0,7]"));
}

/* The first difference is found at every offset: at the borders of slices above all. */
static void test_compare_large_blocks(void **state)
{
    static const uint64_t places[] = {0,      1,       262143,  262144,  262145,
                                      524288, 1048575, 1048576, 1999999, 1310720};
    enum { SIZE = 2000000 };
    struct um_session *session = session_of(state);
    uint64_t left = new_block(session, "{\"size\":2000000,\"name\":\"l\"}");
    uint64_t right = new_block(session, "{\"size\":2000000,\"name\":\"r\"}");
    unsigned char *bytes = block_bytes(*state, left);

    memcpy(bytes, pattern(), SIZE);
    memcpy(block_bytes(*state, right), bytes, SIZE);
    expect_difference(session, "[\"l\",\"r\"]", -1);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bytes[places[i]] ^= 0x80;
        /* A later difference does not count. */
        bytes[SIZE - 1] ^= 1;
        expect_difference(session, "[\"l\",\"r\"]", (int64_t)places[i]);
        bytes[SIZE - 1] ^= 1;
        bytes[places[i]] ^= 0x80;
    }
    bytes[1500000] ^= 1;
    expect_difference(session, "[\"l\",\"r\",1000000,1000000]", 500000);
    expect_difference(session, "[\"l\",\"r\",0,0,1500000]", -1);
}

/* ---- block.find ---- */

static void expect_found(struct um_session *session, const char *params, int64_t offset)
{
    cJSON *result = expect_result(session, MESSAGE("block.find", "%s"), params);

    if (offset < 0)
        assert_true(is_null(result, "offset"));
    else
        assert_int_equal(uint_of(result, "offset"), offset);
}

static void test_find(void **state)
{
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":8,\"name\":\"b\",\"data\":\"abcabcd\",\"encoding\":\"utf8\"}");
    new_block(session, "{\"size\":0,\"name\":\"none\"}");
    expect_found(session, "[\"b\",\"YWJj\"]", 0);
    expect_found(session, "[\"b\",\"YWJj\",1]", 3);
    expect_found(session, "[\"b\",\"abcd\",0,\"utf8\"]", 3);
    expect_found(session, "[\"b\",\"6400\",0,\"hex\"]", 6);
    expect_found(session, "[\"b\",\"6400\",7,\"hex\"]", -1);
    expect_found(session, "[\"b\",\"x\",0,\"utf8\"]", -1);
    /* No bytes stand everywhere. */
    expect_found(session, "[\"b\",\"\"]", 0);
    expect_found(session, "[\"b\",\"\",5]", 5);
    expect_found(session, "[\"b\",\"\",8]", 8);
    expect_found(session, "[\"none\",\"\"]", 0);
    expect_found(session, "[\"none\",\"AA==\"]", -1);
    expect_found(session, "[\"b\",\"abcabcabcabc\",0,\"utf8\"]", -1);
    expect_found(session, "[\"b\",\"616263616263640000\",0,\"hex\"]", -1);
    expect_found(session, "[\"b\",\"6162636162636400\",0,\"hex\"]", 0);
    expect_error(session, UMEM_E_OUT_OF_RANGE, MESSAGE("block.find", "[\"b\",\"AA==\",9]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.find", "[\"b\",\"A\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.find", "[\"b\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.find", "[\"b\",\"\",0,\"raw\"]"));
}

/* At every offset, across the borders of slices above all. */
static void test_find_in_a_large_block(void **state)
{
    static const uint64_t places[] = {0,      262139,  262140,  262141,  262143,  262144, 262145,
                                      524285, 1048571, 1048572, 1048576, 1310719, 1999995};
    struct um_session *session = session_of(state);
    unsigned char *bytes = block_bytes(*state, new_block(session, "{\"size\":2000000,\"name\":\"b\"}"));

    /* Its beginning stands everywhere. */
    for (uint64_t i = 0; i < 2000000; i++)
        bytes[i] = i % 2 == 0 ? 'a' : 'b';
    expect_found(session, "[\"b\",\"abX\",0,\"utf8\"]", -1);
    expect_found(session, "[\"b\",\"\",2000000]", 2000000);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        unsigned char kept[5];

        memcpy(kept, bytes + places[i], 5);
        memcpy(bytes + places[i], "ababX", 5);
        expect_found(session, "[\"b\",\"ababX\",0,\"utf8\"]", (int64_t)places[i]);
        memcpy(bytes + places[i], kept, 5);
    }
    memcpy(bytes + 1999995, "ababX", 5);
    expect_found(session, "[\"b\",\"ababXa\",0,\"utf8\"]", -1);
    expect_found(session, "[\"b\",\"ababX\",1999996,\"utf8\"]", -1);
}

/* What is looked for is longer than a slice. */
static void test_find_much_in_a_large_block(void **state)
{
    enum { WANTED = 600000, WANTED_TEXT = 800000, AT = 1234567 };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    unsigned char *bytes = block_bytes(*state, new_block(session, "{\"size\":2000000,\"name\":\"b\"}"));
    static char message[WANTED_TEXT + 100];
    size_t size;

    /* "YWFh" is "aaa". */
    memset(bytes + AT, 'a', WANTED);
    strcpy(message, "{\"method\":\"block.find\",\"params\":[\"b\",\"");
    size = strlen(message);
    for (size_t i = 0; i < WANTED_TEXT; i += 4)
        memcpy(message + size + i, "YWFh", 4);
    strcpy(message + size + WANTED_TEXT, "\"]}");
    feed_message(session, message, strlen(message), 0);
    work(fixture->rpc);
    assert_int_equal(uint_of(take_result(session), "offset"), AT);
    bytes[AT + 1000] = 'b';
    feed_message(session, message, strlen(message), 0);
    work(fixture->rpc);
    assert_true(is_null(take_result(session), "offset"));
}

/* ---- long answers go out in parts ---- */

enum { LONG_SIZE = 300000 };

/* What the connection was given before the answers were whole, and how often; NULL: it takes nothing. */
static struct um_buf *sent;
static unsigned parts;
static size_t out_limit; /* of `out` from then on */

static void on_send_part(struct um_session *session)
{
    parts++;
    if (sent == NULL)
        return;
    um_buf_append(sent, session->out.data, session->out.size);
    um_buf_deinit(&session->out);
    session->out.size_limit = out_limit;
}

/* Sends a request of its own or in a batch; returns how many parts went out. What was answered is in `sent`. */
static unsigned read_in_parts(struct um_session *session, const char *request)
{
    parts = 0;
    feed_message(session, request, strlen(request), 0);
    um_buf_append(sent, session->out.data, session->out.size);
    um_buf_append_byte(sent, '\0');
    um_buf_truncate(&session->out, 0);
    return parts;
}

static void test_a_long_answer_in_parts(void **state)
{
    static const struct um_session_events events = {.send_part = on_send_part};
    static const char *const encodings[] = {"base64", "hex"};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "[300000]");
    unsigned char *bytes = block_bytes(fixture, block);
    struct um_buf whole;
    struct um_buf pieces;
    char request[256];

    for (size_t i = 0; i < LONG_SIZE; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    um_buf_init(&whole, SIZE_MAX);
    um_buf_init(&pieces, SIZE_MAX);
    out_limit = SIZE_MAX;
    for (int i = 0; i < 2; i++) {
        snprintf(request, sizeof request,
                 MESSAGE_OF("1", "block.read", "{\"block\":%llu,\"encoding\":\"%s\"}"), (ULL)block,
                 encodings[i]);
        session->events = NULL;
        sent = &whole;
        assert_int_equal(read_in_parts(session, request), 0);
        session->events = &events;
        sent = &pieces;
        assert_int_equal(read_in_parts(session, request), 3);
        assert_int_equal(pieces.size, whole.size);
        assert_memory_equal(pieces.data, whole.data, whole.size);
        um_buf_truncate(&whole, 0);
        um_buf_truncate(&pieces, 0);
    }

    /* Not where it is not alone or is no answer; nor with headers, which say how long it is. */
    snprintf(request, sizeof request, "[" MESSAGE_OF("1", "block.read", "[%llu]") "]", (ULL)block);
    assert_int_equal(read_in_parts(session, request), 0);
    snprintf(request, sizeof request, "{\"jsonrpc\":\"2.0\",\"method\":\"block.read\",\"params\":[%llu]}",
             (ULL)block);
    assert_int_equal(read_in_parts(session, request), 0);
    um_buf_append(&session->out, "{}\n", 3);
    snprintf(request, sizeof request, MESSAGE_OF("1", "block.read", "[%llu]"), (ULL)block);
    assert_int_equal(read_in_parts(session, request), 0);
    fixture->other.events = &events;
    assert_int_equal(read_in_parts(&fixture->other, request), 0);
    fixture->other.events = NULL;

    /* An answer that has begun cannot become an error: where memory runs out, the session ends. */
    out_limit = 1000;
    assert_true(um_session_is_ready(session));
    um_dispatch_message(session, request, strlen(request), 0);
    assert_true(session->broken);
    assert_int_equal(session->out.size, 0);
    session->events = NULL;
    sent = NULL;
    um_buf_deinit(&whole);
    um_buf_deinit(&pieces);
    take_all(&fixture->other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_block_of_no_bytes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_encodings, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_fill, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_copy_may_overlap, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_copy_overlaps_both_ways, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_copy_in_a_batch_overlaps_both_ways, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_copy_checks_both_ranges, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_compare, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_compare_large_blocks, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_find, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_find_in_a_large_block, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_find_much_in_a_large_block, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_long_answer_in_parts, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
