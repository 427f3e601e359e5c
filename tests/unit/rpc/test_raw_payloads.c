/* Raw bytes beside messages, with the header framing. */
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

/* Sends a message that `size` raw bytes follow, without the bytes. */
static void begin(struct um_session *session, uint64_t size, const char *format, uint64_t block)
{
    char message[256];

    snprintf(message, sizeof message, "{\"id\":1,\"method\":\"block.write\",\"params\":");
    snprintf(message + strlen(message), sizeof message - strlen(message), "{\"block\":%llu%s}}", (ULL)block,
             format);
    um_dispatch_message(session, message, strlen(message), size);
}

static void send_bytes(struct um_session *session, const char *bytes, size_t size)
{
    while (size != 0) {
        size_t capacity = 0;
        char *space = um_payload_reserve(session, &capacity);

        assert_true(capacity >= 1);
        /* One byte at a time: any cut is a good cut. */
        *space = *bytes++;
        um_payload_commit(session, 1);
        size--;
    }
}

static void expect_out(struct um_session *session, const char *part)
{
    um_buf_append_byte(&session->out, '\0');
    if (strstr(session->out.data, part) == NULL)
        print_error("%s\n", session->out.data);
    assert_non_null(strstr(session->out.data, part));
    um_buf_truncate(&session->out, 0);
}

static void test_raw_write_is_stored_in_the_block(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(&fixture->session, "[8]");

    begin(session, 4, ",\"encoding\":\"raw\",\"offset\":2,\"size\":4", block);
    assert_int_equal(um_payload_left(session), 4);
    assert_false(um_session_is_ready(session));
    send_bytes(session, "\x01\x02\x03\x04", 4);
    assert_true(um_session_is_ready(session));
    expect_out(session, "\"result\":{\"size\":4}");
    assert_string_equal(
        string_of(expect_result(&fixture->session,
                                "{\"method\":\"block.read\",\"params\":[%llu,0,8,\"hex\"]}", (ULL)block),
                  "data"),
        "0000010203040000");
}

/* Bytes that have come with their message are taken from where they are; nothing is left to be received. */
static void test_bytes_that_come_with_the_message(void **state)
{
    static const unsigned char bytes[] = {1, 2, 3, 4};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(&fixture->session, "[8]");
    char ping[] = "{\"id\":1,\"method\":\"server.ping\"}";
    char garbage[] = "{";
    char alloc[] = "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"encoding\":\"raw\",\"name\":\"n\"}}";

    /* Also as a request of a known shape. */
    for (int i = 0; i < 10; i++) {
        session->payload_here = bytes;
        begin(session, 4, i < 8 ? ",\"encoding\":\"raw\",\"offset\":2" : ",\"encoding\":\"raw\",\"offset\":5",
              block);
        assert_null(session->payload_here);
        assert_true(um_session_is_ready(session) && um_payload_left(session) == 0);
        expect_out(session, i < 8 ? "\"result\":{\"size\":4}" : "out_of_range");
    }
    read_hex(&fixture->session, block, 0, 8, "0000010203040000");

    session->payload_here = bytes;
    um_dispatch_message(session, alloc, strlen(alloc), 4);
    assert_null(session->payload_here);
    expect_out(session, "\"result\":{");
    assert_string_equal(
        string_of(expect_result(&fixture->session,
                                MESSAGE("block.read", "{\"block\":\":n\",\"encoding\":\"hex\"}")),
                  "data"),
        "01020304");

    session->payload_here = bytes;
    um_dispatch_message(session, ping, strlen(ping), 2);
    assert_null(session->payload_here);
    expect_out(session, "takes no payload");
    session->payload_here = bytes;
    um_dispatch_message(session, garbage, strlen(garbage), 1);
    assert_null(session->payload_here);
    expect_out(session, "-32700");
    assert_true(um_session_is_ready(session));
}

/* Those of a batch are received as ever: it is kept until it is whole. */
static void test_a_batchs_bytes_are_received(void **state)
{
    static const unsigned char bytes[] = {1, 2, 3, 4};
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(&fixture->session, "[8]");
    char message[256];

    snprintf(
        message, sizeof message,
        "[{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":%llu,\"encoding\":\"raw\",\"size\":4}}]",
        (ULL)block);
    session->payload_here = bytes;
    um_dispatch_message(session, message, strlen(message), 4);
    assert_ptr_equal(session->payload_here, bytes);
    session->payload_here = NULL;
    assert_int_equal(um_payload_left(session), 4);
    send_bytes(session, (const char *)bytes, 4);
    expect_out(session, "\"result\":{\"size\":4}");
    read_hex(&fixture->session, block, 0, 4, "01020304");
}

static void test_an_unwanted_payload_is_skipped(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(&fixture->session, "[8]");
    char ping[] = "{\"id\":1,\"method\":\"server.ping\"}";
    char garbage[] = "{";
    char batch[] = "[{\"id\":1,\"method\":\"server.ping\"}]";

    begin(session, 4, ",\"encoding\":\"raw\",\"offset\":6", block);
    expect_out(session, "out_of_range");
    send_bytes(session, "abcd", 4);
    begin(session, 4, ",\"encoding\":\"raw\",\"size\":3", block);
    expect_out(session, "invalid_params");
    send_bytes(session, "abcd", 4);
    begin(session, 4, ",\"data\":\"AA==\"", block);
    expect_out(session, "invalid_params");
    send_bytes(session, "abcd", 4);
    um_dispatch_message(session, ping, strlen(ping), 2);
    expect_out(session, "invalid_params");
    send_bytes(session, "ab", 2);
    um_dispatch_message(session, garbage, strlen(garbage), 1);
    expect_out(session, "parse_error");
    send_bytes(session, "a", 1);
    um_dispatch_message(session, batch, strlen(batch), 1);
    expect_out(session, "invalid_request");
    send_bytes(session, "a", 1);
    assert_true(um_session_is_ready(session));
    assert_int_equal(session->out.size, 0);
}

static void test_a_block_freed_while_its_bytes_come(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(&fixture->session, "[8]");

    begin(session, 4, ",\"encoding\":\"raw\"", block);
    send_bytes(session, "ab", 2);
    expect_result(&fixture->session, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)block);
    send_bytes(session, "cd", 2);
    expect_out(session, "stale_handle");
    assert_true(um_session_is_ready(session));
}

static void test_a_peer_that_disconnects_during_a_payload(void **state)
{
    struct fixture *fixture = *state;
    struct um_session_options options = {.pid = 5};
    struct um_session third;
    uint64_t block = new_block(&fixture->session, "[8]");

    assert_int_equal(um_session_open(fixture->rpc, &third, &options), UMEM_OK);
    third.framing = UM_FRAMING_HEADERS;
    begin(&third, 4, ",\"encoding\":\"raw\"", block);
    send_bytes(&third, "ab", 2);
    um_session_close(&third);
    assert_string_equal(
        string_of(expect_result(&fixture->session,
                                "{\"method\":\"block.read\",\"params\":[%llu,0,3,\"hex\"]}", (ULL)block),
                  "data"),
        "616200");
}

static void test_raw_read_small_and_large(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(&fixture->session, "{\"size\":100000,\"data\":\"abc\",\"encoding\":\"utf8\"}");
    char message[128];

    snprintf(message, sizeof message, "{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,3,\"raw\"]}",
             (ULL)block);
    um_dispatch_message(session, message, strlen(message), 0);
    assert_null(session->tail.bytes);
    expect_out(session, "Payload-Length: 3\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":3}}abc");
    snprintf(message, sizeof message,
             "{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,100000,\"raw\"]}", (ULL)block);
    um_dispatch_message(session, message, strlen(message), 0);
    assert_int_equal(session->tail.size, 100000);
    assert_false(um_session_is_ready(session));
    expect_out(session, "Payload-Length: 100000\r\n");
    /* The memory stays while it is being sent, whatever happens to the block. */
    expect_result(&fixture->session, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)block);
    assert_memory_equal(session->tail.bytes, "abc\0", 4);
    um_session_tail_sent(session);
    assert_true(um_session_is_ready(session));
}

/* One session's answers: longer and shorter ones, with and without raw bytes, a Content-Type that comes, changes and goes. */
static void test_headers_of_answers(void **state)
{
    static const struct {
        const char *type;
        int id;
        int size; /* bytes that are read */
        const char *headers;
    } rows[] = {
        {"", 1, 3, "Content-Length: 44\r\nPayload-Length: 3\r\n\r\n"},
        {"", 2, 3, "Content-Length: 44\r\nPayload-Length: 3\r\n\r\n"},
        {"", 3, 4, "Content-Length: 44\r\nPayload-Length: 4\r\n\r\n"},
        {"", 4, 0, "Content-Length: 44\r\n\r\n"},
        {"", 12345, 4, "Content-Length: 48\r\nPayload-Length: 4\r\n\r\n"},
        {"a", 6, 10, "Content-Length: 45\r\nPayload-Length: 10\r\nContent-Type: a\r\n\r\n"},
        {"b", 7, 10, "Content-Length: 45\r\nPayload-Length: 10\r\nContent-Type: b\r\n\r\n"},
        {"b", 8, 10, "Content-Length: 45\r\nPayload-Length: 10\r\nContent-Type: b\r\n\r\n"},
        {"", 9, 10, "Content-Length: 45\r\nPayload-Length: 10\r\n\r\n"},
        {"", 1, 0, "Content-Length: 44\r\n\r\n"},
    };
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;

    new_block(&fixture->session,
              "{\"size\":10,\"data\":\"abcdefghij\",\"encoding\":\"utf8\",\"name\":\"b\"}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char message[128];
        char expected[256];

        um_session_set_content_type(session, rows[i].type);
        snprintf(message, sizeof message,
                 "{\"id\":%d,\"method\":\"block.read\",\"params\":[\"b\",0,%d,\"raw\"]}", rows[i].id,
                 rows[i].size);
        um_dispatch_message(session, message, strlen(message), 0);
        snprintf(expected, sizeof expected, "%s{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{\"size\":%d}}%.*s",
                 rows[i].headers, rows[i].id, rows[i].size, rows[i].size, "abcdefghij");
        um_buf_append_byte(&session->out, '\0');
        assert_string_equal(session->out.data, expected);
        um_buf_truncate(&session->out, 0);
    }
}

/* An answer that comes while the bytes of another one are still being sent has none of them. */
static void test_a_wait_is_answered_behind_raw_bytes(void **state)
{
    static char bytes[100000];
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;

    new_block(&fixture->session, "{\"size\":100000,\"name\":\"b\"}");
    begin_wait(session, "[\"b\",0,0,\"u8\"]");
    send_message(session, MESSAGE_OF("2", "block.read", "[\"b\",0,100000,\"raw\"]"));
    assert_int_equal(session->tail.size, 100000);
    expect_result(&fixture->session, MESSAGE("block.set", "[\"b\",0,[5]]"));
    assert_int_equal(uint_of(take_raw(session, bytes, 100000), "id"), 2);
    take_value(session, "5");
    expect_no_message(session);
}

static void test_raw_is_not_for_lines(void **state)
{
    struct fixture *fixture = *state;
    uint64_t block = new_block(&fixture->session, "[8]");

    expect_error(&fixture->session, UMEM_E_UNSUPPORTED,
                 "{\"method\":\"block.read\",\"params\":[%llu,0,1,\"raw\"]}", (ULL)block);
    expect_error(&fixture->session, UMEM_E_UNSUPPORTED,
                 "{\"method\":\"block.write\",\"params\":{\"block\":%llu,\"encoding\":\"raw\"}}", (ULL)block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_raw_write_is_stored_in_the_block, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bytes_that_come_with_the_message, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_batchs_bytes_are_received, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_unwanted_payload_is_skipped, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_block_freed_while_its_bytes_come, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_peer_that_disconnects_during_a_payload, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_raw_read_small_and_large, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_headers_of_answers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_wait_is_answered_behind_raw_bytes, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_raw_is_not_for_lines, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
