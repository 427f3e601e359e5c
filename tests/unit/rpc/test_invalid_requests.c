/* Bad input of every kind is answered with its documented error and changes nothing. */
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

static void test_double_free(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[4]");
    cJSON *data;

    expect_result(session, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)block);
    data = expect_error(session, UMEM_E_STALE_HANDLE, "{\"method\":\"block.free\",\"params\":[%llu]}",
                        (ULL)block);
    assert_int_equal(uint_of(data, "handle"), block);
    assert_string_equal(string_of(data, "param"), "block");
}

/* A client that does not read its answers must not make the daemon keep long texts. */
static void test_long_texts_are_not_repeated(void **state)
{
    enum { LENGTH = 5000 };
    struct um_session *session = session_of(state);
    char text[LENGTH + 1];
    cJSON *data;

    /* Of the last character that fits, the first byte is the 254th. */
    memset(text, 'x', LENGTH);
    memcpy(text + 253, "\xe2\x82\xac", 3);
    text[LENGTH] = '\0';
    data = expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("block.free", "[\"%s\"]"), text);
    assert_int_equal(strlen(string_of(data, "handle")), 253);
    assert_memory_equal(string_of(data, "handle"), text, 253);
    text[255] = 'x';
    text[254] = '\xa9';
    text[253] = '\xc3';
    data = expect_error(session, UMEM_E_INVALID_PARAMS, MESSAGE("block.free", "{\"%s\":1}"), text);
    assert_int_equal(strlen(string_of(data, "param")), 255);
    assert_memory_equal(string_of(data, "param"), text, 255);
}

static void test_use_after_free(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[4]");

    expect_result(session, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)block);
    expect_error(session, UMEM_E_STALE_HANDLE, "{\"method\":\"block.read\",\"params\":[%llu]}", (ULL)block);
    expect_error(session, UMEM_E_STALE_HANDLE, "{\"method\":\"block.write\",\"params\":[%llu,\"AA==\"]}",
                 (ULL)block);
    for (int i = 0; i < 50; i++) {
        uint64_t other = new_block(session, "[4]");

        assert_int_not_equal(other, block);
        expect_error(session, UMEM_E_STALE_HANDLE, "{\"method\":\"block.read\",\"params\":[%llu]}",
                     (ULL)block);
        expect_result(session, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)other);
    }
}

static void test_a_block_handle_where_a_heap_is_wanted(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[4]");
    uint64_t heap = new_heap(session, "{}");

    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"heap.destroy\",\"params\":[%llu]}",
                 (ULL)block);
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"block.alloc\",\"params\":[4,%llu]}",
                 (ULL)block);
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)heap);
}

static void test_an_offset_past_the_end(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[8]");
    cJSON *data = expect_error(session, UMEM_E_OUT_OF_RANGE,
                               "{\"method\":\"block.read\",\"params\":[%llu,6,4]}", (ULL)block);

    assert_int_equal(uint_of(data, "block_size"), 8);
    assert_int_equal(uint_of(data, "offset"), 6);
    assert_int_equal(uint_of(data, "size"), 4);
    expect_error(session, UMEM_E_OUT_OF_RANGE, "{\"method\":\"block.read\",\"params\":[%llu,9]}", (ULL)block);
    expect_error(session, UMEM_E_OUT_OF_RANGE, "{\"method\":\"block.write\",\"params\":[%llu,\"AAAA\",6]}",
                 (ULL)block);
    expect_error(session, UMEM_E_OUT_OF_RANGE,
                 "{\"method\":\"block.read\",\"params\":[%llu,1,9007199254740991]}", (ULL)block);
    expect_error(session, UMEM_E_OUT_OF_RANGE, "{\"method\":\"block.get\",\"params\":[%llu,1,\"i64\"]}",
                 (ULL)block);
    expect_error(session, UMEM_E_OUT_OF_RANGE, "{\"method\":\"block.set\",\"params\":[%llu,8,[1]]}",
                 (ULL)block);
    assert_int_equal(
        uint_of(expect_result(session, "{\"method\":\"block.read\",\"params\":[%llu,8]}", (ULL)block),
                "size"),
        0);
}

static void test_two_to_the_53(void **state)
{
    struct um_session *session = session_of(state);

    expect_error(session, UMEM_E_INVALID_PARAMS,
                 "{\"method\":\"block.alloc\",\"params\":[9007199254740992]}");
    expect_error(session, UMEM_E_LIMIT_EXCEEDED,
                 "{\"method\":\"block.alloc\",\"params\":[9007199254740991]}");
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"block.free\",\"params\":[9007199254740992]}");
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"block.free\",\"params\":[1e300]}");
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"block.free\",\"params\":[-1]}");
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"block.free\",\"params\":[1.5]}");
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"block.free\",\"params\":[0]}");
}

static void test_parameters_of_the_wrong_kind(void **state)
{
    static const char *const messages[] = {
        "{\"method\":\"server.ping\",\"params\":[1]}",
        "{\"method\":\"server.ping\",\"params\":{\"x\":1}}",
        "{\"method\":\"block.alloc\"}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":null}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":\"4\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":-1}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":1.5}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"size\":4}}",
        "{\"method\":\"block.alloc\",\"params\":{\"Size\":4}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"heap\":true}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"a\\u0000b\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"a\\nb\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"lifetime\":\"forever\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"flags\":\"zero_memory\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"flags\":[\"zero\"]}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"flags\":[\"zero_memory\",\"zero_memory\"]}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"data\":\"A\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"data\":\"abc\",\"encoding\":\"hex\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"data\":\"a\\u0000\",\"encoding\":\"utf8\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"data\":\"\",\"encoding\":\"raw\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"name\":\"a\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"if_exists\":\"replace\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"if_exists\":\"open\"}}",
        "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"a\",\"if_exists\":\"overwrite\"}}",
        "{\"method\":\"heap.create\",\"params\":{\"if_exists\":\"open\"}}",
        "{\"method\":\"heap.create\",\"params\":{\"name\":\"a\",\"if_exists\":\"replace\"}}",
        ("{\"method\":\"heap.create\",\"params\":{\"name\":\"process\",\"alignment\":48,\"if_exists\":"
         "\"open\"}}"),
        "{\"method\":\"heap.create\",\"params\":{\"alignment\":8}}",
        "{\"method\":\"block.list\",\"params\":{\"limit\":0}}",
        "{\"method\":\"block.list\",\"params\":{\"limit\":1001}}",
        "{\"method\":\"block.free\",\"params\":[null]}",
        "{\"method\":\"block.free\",\"params\":[[]]}",
    };
    struct um_session *session = session_of(state);

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        expect_error(session, UMEM_E_INVALID_PARAMS, "%s", messages[i]);
    assert_int_equal(uint_of(expect_result(session, "{\"method\":\"server.stats\"}"), "blocks"), 0);
}

static void test_null_is_as_if_left_out(void **state)
{
    struct um_session *session = session_of(state);

    assert_true(new_block(session, "{\"size\":4,\"heap\":null,\"flags\":null,\"name\":null,\"data\":null}") !=
                0);
}

static void test_names_are_taken_once(void **state)
{
    struct um_session *session = session_of(state);

    new_block(session, "{\"size\":1,\"name\":\"a\"}");
    expect_error(session, UMEM_E_NAME_TAKEN,
                 "{\"method\":\"block.alloc\",\"params\":{\"size\":1,\"name\":\"a\"}}");
    new_heap(session, "{\"name\":\"a\"}");
    expect_error(session, UMEM_E_NAME_TAKEN, "{\"method\":\"heap.create\",\"params\":{\"name\":\"a\"}}");
    expect_error(session, UMEM_E_NAME_TAKEN,
                 "{\"method\":\"heap.create\",\"params\":{\"name\":\"process\"}}");
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, "{\"method\":\"block.info\",\"params\":[\"b\"]}");
}

static void test_limits_are_named(void **state)
{
    struct um_session *session = session_of(state);
    cJSON *data;

    for (int i = 0; i < 100; i++)
        new_block(session, "[1]");
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, "{\"method\":\"block.alloc\",\"params\":[1]}");
    assert_string_equal(string_of(data, "limit"), "blocks");
    assert_int_equal(uint_of(data, "maximum"), 100);
    assert_int_equal(uint_of(data, "used"), 100);
    for (int i = 0; i < 10; i++)
        new_heap(session, "{}");
    data = expect_error(session, UMEM_E_LIMIT_EXCEEDED, "{\"method\":\"heap.create\"}");
    assert_string_equal(string_of(data, "limit"), "heaps");
}

static void test_a_full_heap_reports_the_ntstatus(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t heap = new_heap(session, "{\"maximum_size\":10,\"flags\":[\"generate_exceptions\"]}");
    cJSON *data = expect_error(session, UMEM_E_NO_MEMORY, "{\"method\":\"block.alloc\",\"params\":[11,%llu]}",
                               (ULL)heap);

    assert_string_equal(string_of(data, "ntstatus"), "0xC0000017");
    assert_int_equal(uint_of(data, "maximum"), 10);
    expect_error(session, UMEM_E_DENIED,
                 "{\"method\":\"heap.create\",\"params\":{\"flags\":[\"create_enable_execute\"]}}");
    expect_error(session, UMEM_E_INVALID_PARAMS,
                 "{\"method\":\"heap.create\",\"params\":{\"kind\":\"shared\"}}");
}

static void test_an_answer_that_would_be_too_long(void **state)
{
    struct um_session *session = session_of(state);
    uint64_t block = new_block(session, "[1048576]");

    expect_error(session, UMEM_E_TOO_LARGE, "{\"method\":\"block.read\",\"params\":[%llu]}", (ULL)block);
    expect_error(session, UMEM_E_TOO_LARGE, "{\"method\":\"block.get\",\"params\":[%llu,0,\"u8\",1000000]}",
                 (ULL)block);
    /* utf8 takes six characters for a control byte. */
    expect_error(session, UMEM_E_TOO_LARGE, "{\"method\":\"block.read\",\"params\":[%llu,0,200000,\"utf8\"]}",
                 (ULL)block);
    expect_result(session, "{\"method\":\"block.read\",\"params\":[%llu,0,700000]}", (ULL)block);
}

/* With all limits at their least, small answers still fit: those of a batch, and those of pending calls, which come all
 * at once. */
static void test_small_answers_fit(void **state)
{
    static const uint64_t least = 1024;
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    char batch[1024] = "[{\"method\":\"x\"}";

    fixture->limits.message_bytes = least;
    fixture->limits.unsent_bytes = least;
    fixture->limits.batch_bytes = least;
    fixture->limits.batch_requests = 100;
    fixture->limits.waits = 100;
    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    for (int i = 1; i < 60; i++)
        strcat(batch, ",{\"method\":\"x\"}");
    strcat(batch, "]");
    assert_int_equal(cJSON_GetArraySize(call(&third, "%s", batch)), 60);
    new_block(&fixture->session, "{\"size\":8,\"name\":\"b\"}");
    for (int i = 0; i < 100; i++)
        send_message(&third, MESSAGE_OF("%d", "block.wait", "[\"b\",0,0]"), i);
    expect_result(&fixture->session, MESSAGE("block.fill", "[\"b\",1]"));
    assert_false(third.broken);
    for (int i = 0; i < 100; i++)
        take_result(&third);
    um_session_close(&third);
}

static void test_a_message_that_the_framing_refused(void **state)
{
    struct um_session *session = session_of(state);

    um_dispatch_refuse(session, UMEM_E_TOO_LARGE, "too long");
    um_buf_append_byte(&session->out, '\0');
    assert_non_null(strstr(session->out.data, "\"code\":-32010"));
    assert_non_null(strstr(session->out.data, "\"id\":null"));
    um_buf_truncate(&session->out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_double_free, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_long_texts_are_not_repeated, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_use_after_free, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_block_handle_where_a_heap_is_wanted, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_offset_past_the_end, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_two_to_the_53, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_parameters_of_the_wrong_kind, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_null_is_as_if_left_out, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_names_are_taken_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_limits_are_named, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_full_heap_reports_the_ntstatus, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_answer_that_would_be_too_long, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_small_answers_fit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_message_that_the_framing_refused, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
