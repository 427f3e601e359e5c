/* block.resize. */
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

static void test_growing_and_shrinking(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block =
        new_block(session, "{\"size\":4,\"name\":\"b\",\"data\":\"abcd\",\"encoding\":\"utf8\"}");
    cJSON *result = expect_result(session, MESSAGE("block.resize", "[\"b\",8]"));

    assert_int_equal(uint_of(result, "block"), block);
    assert_int_equal(uint_of(result, "size"), 8);
    read_hex(session, block, 0, 8, "6162636400000000");
    expect_result(session, MESSAGE("block.fill", "[\"b\",255]"));
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.resize", "[\"b\",3]")), "size"), 3);
    /* What was cut off does not come back. */
    expect_result(session, MESSAGE("block.resize", "[\"b\",6]"));
    read_hex(session, block, 0, 6, "ffffff000000");
    expect_result(session, MESSAGE("block.resize", "[\"b\",0]"));
    read_hex(session, block, 0, 0, "");
    expect_result(session, MESSAGE("block.resize", "[\"b\",5]"));
    read_hex(session, block, 0, 5, "0000000000");
    /* The name and all else stay. */
    result = expect_result(session, MESSAGE("block.info", "[\"b\"]"));
    assert_int_equal(uint_of(result, "block"), block);
    assert_int_equal(uint_of(result, "size"), 5);
    assert_int_equal(uint_of(result, "holders"), 1);
    result = expect_result(session, MESSAGE("server.stats", "[]"));
    assert_int_equal(uint_of(result, "bytes"), 5);
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.resize", "[\"b\"]"));
    expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.resize", "[\"b\",-1]"));
}

/* Across the size from which a block is memory of its own, and back. */
static void test_sizes_of_all_kinds(void **state)
{
    static const uint64_t sizes[] = {1,       100,   1048575, 1048576, 1048577, 5000000,
                                     1048576, 70000, 1500000, 3,       0,       2000000};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "{\"size\":0,\"name\":\"b\"}");
    uint64_t kept = 0;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t size = sizes[i];
        const unsigned char *bytes;

        expect_result(session, MESSAGE("block.resize", "[\"b\",%llu]"), (ULL)size);
        if (kept > size)
            kept = size;
        bytes = block_bytes(fixture, block);
        for (uint64_t j = 0; j < size; j++) {
            if (bytes[j] != (j < kept ? 0xa5 : 0))
                fail_msg("byte %llu is wrong at size %llu", (ULL)j, (ULL)size);
        }
        memset(block_bytes(fixture, block), 0xa5, (size_t)size);
        kept = size;
    }
}

static void test_what_does_not_fit(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block;
    cJSON *data;

    new_heap(session, "{\"name\":\"h\",\"maximum_size\":100}");
    block = new_block(session, "{\"size\":60,\"heap\":\"h\",\"name\":\"b\",\"data\":\"YQ==\"}");
    data = expect_error(session, UMEM_E_NO_MEMORY, MESSAGE("block.resize", "[\"b\",101]"));
    assert_int_equal(uint_of(data, "block"), block);
    assert_int_equal(uint_of(data, "maximum"), 100);
    assert_int_equal(uint_of(data, "used"), 60);
    assert_int_equal(uint_of(data, "asked"), 41);
    assert_false(cJSON_HasObjectItem(data, "ntstatus"));
    data = expect_error(session, UMEM_E_NO_MEMORY,
                        MESSAGE("block.resize", "[\"b\",101,[\"generate_exceptions\"]]"));
    assert_string_equal(string_of(data, "ntstatus"), "0xC0000017");
    new_block(session, "{\"size\":1,\"name\":\"d\"}");
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, MESSAGE("block.resize", "[\"d\",9007199254740991]"));
    assert_string_equal(string_of(data, "limit"), "bytes");
    read_hex(session, block, 0, 2, "6100");
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.info", "[\"b\"]")), "size"), 60);
    expect_result(session, MESSAGE("block.resize", "[\"b\",100]"));

    new_heap(session, "{\"name\":\"g\",\"maximum_size\":100,\"flags\":[\"generate_exceptions\"]}");
    new_block(session, "{\"size\":60,\"heap\":\"g\",\"name\":\"c\"}");
    data = expect_error(session, UMEM_E_NO_MEMORY, MESSAGE("block.resize", "[\"c\",101]"));
    assert_string_equal(string_of(data, "ntstatus"), "0xC0000017");
    data = expect_error(
        session, UMEM_E_NO_MEMORY,
        MESSAGE("block.alloc", "{\"size\":101,\"heap\":\"h\",\"flags\":[\"generate_exceptions\"]}"));
    assert_string_equal(string_of(data, "ntstatus"), "0xC0000017");
}

/* With realloc_in_place_only, on the call or on the heap, the block is never found elsewhere. */
static void check_in_place(struct um_session *session, const char *name, const char *flags)
{
    uint64_t address = uint_of(expect_result(session, MESSAGE("block.info", "[\"%s\"]"), name), "address");
    uint64_t size = 100;

    /* Sooner or later something may stand in the way. */
    for (; size < 40000000; size *= 2) {
        const cJSON *answer =
            call(session, MESSAGE("block.resize", "[\"%s\",%llu%s]"), name, (ULL)size, flags);

        if (cJSON_HasObjectItem(answer, "error")) {
            assert_non_null(strstr(string_of(member(answer, "error"), "message"), "realloc_in_place_only"));
            break;
        }
        assert_int_equal(uint_of(member(answer, "result"), "address"), address);
    }
    assert_int_equal(uint_of(expect_result(session, MESSAGE("block.info", "[\"%s\"]"), name), "address"),
                     address);
    assert_int_equal(
        uint_of(expect_result(session, MESSAGE("block.resize", "[\"%s\",1%s]"), name, flags), "address"),
        address);
}

static void test_in_place_only(void **state)
{
    struct um_session *session = session_of(state);

    new_heap(session, "{\"name\":\"h\",\"flags\":[\"realloc_in_place_only\"]}");
    new_block(session, "{\"size\":100,\"name\":\"b\"}");
    new_block(session, "{\"size\":100,\"name\":\"c\",\"heap\":\"h\"}");
    check_in_place(session, "b", ",[\"realloc_in_place_only\"]");
    check_in_place(session, "c", "");
}

/* ---- large blocks that have to be copied ---- */

enum { LARGE = 3000000 };

/* Reads "b" so that its memory is still being sent, which is why it cannot be resized where it is. */
static void pin(struct um_session *session, uint64_t size)
{
    send_message(session, MESSAGE_OF("9", "block.read", "{\"block\":\"b\",\"encoding\":\"raw\"}"));
    assert_int_equal(session->tail.size, size);
}

static void unpin(struct um_session *session, size_t size, unsigned char wanted)
{
    unsigned char *bytes = malloc(size);

    assert_non_null(bytes);
    take_raw(session, bytes, size);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != wanted)
            fail_msg("byte %zu of a raw read is wrong", i);
    }
    free(bytes);
}

/* A raw read sends the memory as it was when it began; the block continues elsewhere. */
static void test_pinned_by_a_raw_read(void **state)
{
    static const uint64_t sizes[] = {LARGE, 100000};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    for (size_t i = 0; i < 2; i++) {
        uint64_t size = sizes[i];
        uint64_t block;
        char params[64];

        snprintf(params, sizeof params, "{\"size\":%llu,\"name\":\"b\"}", (ULL)size);
        block = new_block(session, params);
        expect_result(session, MESSAGE("block.fill", "[\"b\",7]"));
        pin(&fixture->other, size);
        expect_error(session, UMEM_E_NO_MEMORY,
                     MESSAGE("block.resize", "[\"b\",%llu,[\"realloc_in_place_only\"]]"), (ULL)size / 2);
        expect_result(session, MESSAGE("block.resize", "[\"b\",%llu]"), (ULL)size + 10);
        expect_result(session, MESSAGE("block.fill", "[\"b\",8,0,%llu]"), (ULL)size);
        read_hex(session, block, size - 1, 11, "0800000000000000000000");
        unpin(&fixture->other, (size_t)size, 7);
        pin(&fixture->other, size + 10);
        expect_result(session, MESSAGE("block.resize", "[\"b\",5]"));
        expect_result(session, MESSAGE("block.free", "[\"b\"]"));
        um_session_tail_sent(&fixture->other);
        um_buf_truncate(&fixture->other.out, 0);
        answers_forget();
    }
}

/* The block is copied in slices. Bytes written meanwhile are kept, and no session sees the new size before the end. */
static void test_in_slices(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    uint64_t block = new_block(session, "{\"size\":3000000,\"name\":\"b\"}");

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    expect_result(session, MESSAGE("block.fill", "[\"b\",7]"));
    pin(&fixture->other, LARGE);
    send_message(session, MESSAGE_OF("1", "block.resize", "[\"b\",4000000]"));
    assert_false(um_session_is_ready(session));
    assert_true(um_rpc_work(fixture->rpc));
    assert_int_equal(uint_of(expect_result(&third, MESSAGE("block.info", "[\"b\"]")), "size"), LARGE);
    expect_error(&third, UMEM_E_OUT_OF_RANGE, MESSAGE("block.fill", "[\"b\",1,3000000,1]"));
    expect_result(&third, MESSAGE("block.fill", "[\"b\",8,10,2]"));
    expect_result(&third, MESSAGE("block.fill", "[\"b\",9,2999999,1]"));
    work(fixture->rpc);
    assert_int_equal(uint_of(take_result(session), "size"), 4000000);
    read_hex(session, block, 9, 4, "07080807");
    read_hex(session, block, 2999998, 3, "070900");
    um_session_close(&third);
}

static void test_it_ends_in_the_middle(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_block(&fixture->session, "{\"size\":3000000,\"name\":\"b\"}");
    pin(&fixture->other, LARGE);
    send_message(&fixture->session, MESSAGE_OF("1", "block.resize", "[\"b\",4000000]"));
    assert_true(um_rpc_work(fixture->rpc));
    expect_result(&third, MESSAGE("block.free", "[\"b\"]"));
    work(fixture->rpc);
    take_error(&fixture->session, UMEM_E_STALE_HANDLE);
    unpin(&fixture->other, LARGE, 0);

    /* Its session ends: the block stays as it was. */
    new_block(&fixture->session, "{\"size\":3000000,\"name\":\"b\"}");
    pin(&fixture->other, LARGE);
    send_message(&third, MESSAGE_OF("1", "block.resize", "[\"b\",4000000]"));
    assert_true(um_rpc_work(fixture->rpc));
    um_session_close(&third);
    assert_int_equal(uint_of(expect_result(&fixture->session, MESSAGE("block.info", "[\"b\"]")), "size"),
                     LARGE);
    assert_int_equal(uint_of(expect_result(&fixture->session, MESSAGE("server.stats", "[]")), "bytes"),
                     LARGE);
    unpin(&fixture->other, LARGE, 0);
    answers_forget();
}

/* The notification covers the bytes added or removed since the last size, even with another resize in between. */
static void test_watchers_get_the_right_range(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    cJSON *params;

    fixture->limits.batch_bytes = 16 << 20;
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    new_block(session, "{\"size\":3000000,\"name\":\"b\"}");
    expect_result(&third, MESSAGE("session.watch", "{\"block\":\"b\"}"));
    expect_result(session, MESSAGE("block.resize", "[\"b\",3000002]"));
    params = take_notification(&third, "block.changed");
    assert_int_equal(uint_of(params, "offset"), LARGE);
    assert_int_equal(uint_of(params, "size"), 2);
    expect_result(session, MESSAGE("block.resize", "[\"b\",3000000]"));
    params = take_notification(&third, "block.changed");
    assert_int_equal(uint_of(params, "offset"), LARGE);
    assert_int_equal(uint_of(params, "size"), 2);

    pin(&fixture->other, LARGE);
    send_message(session, MESSAGE_OF("1", "block.resize", "[\"b\",4000000]"));
    assert_true(um_rpc_work(fixture->rpc));
    expect_no_message(&third);
    send_message(&third, "[" MESSAGE("block.resize", "[\"b\",2000000]") "]");
    take(&third);
    params = take_notification(&third, "block.changed");
    assert_int_equal(uint_of(params, "offset"), 2000000);
    assert_int_equal(uint_of(params, "size"), 1000000);
    work(fixture->rpc);
    assert_int_equal(uint_of(take_result(session), "size"), 4000000);
    params = take_notification(&third, "block.changed");
    assert_int_equal(uint_of(params, "offset"), 2000000);
    assert_int_equal(uint_of(params, "size"), 2000000);
    um_session_close(&third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_growing_and_shrinking, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_sizes_of_all_kinds, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_does_not_fit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_in_place_only, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_pinned_by_a_raw_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_in_slices, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_it_ends_in_the_middle, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_watchers_get_the_right_range, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
