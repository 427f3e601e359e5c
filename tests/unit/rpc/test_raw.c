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

#include "fixture.h"
#include "umem_errors.h"

/* Sends a message that `size` raw bytes follow, without the bytes. */
static void begin(struct um_peer *peer, uint64_t size, const char *format, uint64_t block)
{
    char message[256];

    snprintf(message, sizeof message, "{\"id\":1,\"method\":\"block.write\",\"params\":");
    snprintf(message + strlen(message), sizeof message - strlen(message), "{\"block\":%llu%s}}", (ULL)block,
             format);
    um_peer_message(peer, message, strlen(message), size);
}

static void send_bytes(struct um_peer *peer, const char *bytes, size_t size)
{
    while (size != 0) {
        size_t room = 0;
        char *space = um_peer_payload_space(peer, &room);

        assert_true(room >= 1);
        /* One byte at a time: any cut is a good cut. */
        *space = *bytes++;
        um_peer_payload_received(peer, 1);
        size--;
    }
}

static void expect_out(struct um_peer *peer, const char *part)
{
    um_buf_append_byte(&peer->out, '\0');
    if (strstr(peer->out.data, part) == NULL)
        print_error("%s\n", peer->out.data);
    assert_non_null(strstr(peer->out.data, part));
    um_buf_truncate(&peer->out, 0);
}

static void test_raw_write_goes_into_the_block(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->other;
    uint64_t block = new_block(&fixture->peer, "[8]");

    begin(peer, 4, ",\"encoding\":\"raw\",\"offset\":2,\"size\":4", block);
    assert_int_equal(um_peer_payload_left(peer), 4);
    assert_false(um_peer_is_ready(peer));
    send_bytes(peer, "\x01\x02\x03\x04", 4);
    assert_true(um_peer_is_ready(peer));
    expect_out(peer, "\"result\":{\"size\":4}");
    assert_string_equal(
        string_of(expect_result(&fixture->peer, "{\"method\":\"block.read\",\"params\":[%llu,0,8,\"hex\"]}",
                                (ULL)block),
                  "data"),
        "0000010203040000");
}

static void test_a_payload_nobody_wants_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->other;
    uint64_t block = new_block(&fixture->peer, "[8]");
    char ping[] = "{\"id\":1,\"method\":\"server.ping\"}";
    char garbage[] = "{";
    char batch[] = "[{\"id\":1,\"method\":\"server.ping\"}]";

    begin(peer, 4, ",\"encoding\":\"raw\",\"offset\":6", block);
    expect_out(peer, "out_of_range");
    send_bytes(peer, "abcd", 4);
    begin(peer, 4, ",\"encoding\":\"raw\",\"size\":3", block);
    expect_out(peer, "invalid_params");
    send_bytes(peer, "abcd", 4);
    begin(peer, 4, ",\"data\":\"AA==\"", block);
    expect_out(peer, "invalid_params");
    send_bytes(peer, "abcd", 4);
    um_peer_message(peer, ping, strlen(ping), 2);
    expect_out(peer, "invalid_params");
    send_bytes(peer, "ab", 2);
    um_peer_message(peer, garbage, strlen(garbage), 1);
    expect_out(peer, "parse_error");
    send_bytes(peer, "a", 1);
    um_peer_message(peer, batch, strlen(batch), 1);
    expect_out(peer, "invalid_request");
    send_bytes(peer, "a", 1);
    assert_true(um_peer_is_ready(peer));
    assert_int_equal(peer->out.size, 0);
}

static void test_a_block_freed_while_its_bytes_come(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->other;
    uint64_t block = new_block(&fixture->peer, "[8]");

    begin(peer, 4, ",\"encoding\":\"raw\"", block);
    send_bytes(peer, "ab", 2);
    expect_result(&fixture->peer, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)block);
    send_bytes(peer, "cd", 2);
    expect_out(peer, "stale_handle");
    assert_true(um_peer_is_ready(peer));
}

static void test_a_peer_that_goes_away_in_the_middle(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer_options options = {.pid = 5};
    struct um_peer third;
    uint64_t block = new_block(&fixture->peer, "[8]");

    assert_int_equal(um_peer_open(fixture->rpc, &third, &options), UMEM_OK);
    third.framing = UM_FRAMING_HEADERS;
    begin(&third, 4, ",\"encoding\":\"raw\"", block);
    send_bytes(&third, "ab", 2);
    um_peer_close(&third);
    assert_string_equal(
        string_of(expect_result(&fixture->peer, "{\"method\":\"block.read\",\"params\":[%llu,0,3,\"hex\"]}",
                                (ULL)block),
                  "data"),
        "616200");
}

static void test_raw_read_small_and_large(void **state)
{
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->other;
    uint64_t block = new_block(&fixture->peer, "{\"size\":100000,\"data\":\"abc\",\"encoding\":\"utf8\"}");
    char message[128];

    snprintf(message, sizeof message, "{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,3,\"raw\"]}",
             (ULL)block);
    um_peer_message(peer, message, strlen(message), 0);
    assert_null(peer->tail.bytes);
    expect_out(peer, "Payload-Length: 3\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":3}}abc");
    snprintf(message, sizeof message,
             "{\"id\":1,\"method\":\"block.read\",\"params\":[%llu,0,100000,\"raw\"]}", (ULL)block);
    um_peer_message(peer, message, strlen(message), 0);
    assert_int_equal(peer->tail.size, 100000);
    assert_false(um_peer_is_ready(peer));
    expect_out(peer, "Payload-Length: 100000\r\n");
    /* The memory stays while it is being sent, whatever happens to the block. */
    expect_result(&fixture->peer, "{\"method\":\"block.free\",\"params\":[%llu]}", (ULL)block);
    assert_memory_equal(peer->tail.bytes, "abc\0", 4);
    um_peer_tail_sent(peer);
    assert_true(um_peer_is_ready(peer));
}

/* An answer that comes while the bytes of another one are still being sent has none of them. */
static void test_a_wait_is_answered_behind_raw_bytes(void **state)
{
    static char bytes[100000];
    struct fixture *fixture = *state;
    struct um_peer *peer = &fixture->other;

    new_block(&fixture->peer, "{\"size\":100000,\"name\":\"b\"}");
    begin_wait(peer, "[\"b\",0,0,\"u8\"]");
    tell(peer, MESSAGE_OF("2", "block.read", "[\"b\",0,100000,\"raw\"]"));
    assert_int_equal(peer->tail.size, 100000);
    expect_result(&fixture->peer, MESSAGE("block.set", "[\"b\",0,[5]]"));
    assert_int_equal(uint_of(take_raw(peer, bytes, 100000), "id"), 2);
    take_value(peer, "5");
    expect_silence(peer);
}

static void test_raw_is_not_for_lines(void **state)
{
    struct fixture *fixture = *state;
    uint64_t block = new_block(&fixture->peer, "[8]");

    expect_error(&fixture->peer, UMEM_E_UNSUPPORTED,
                 "{\"method\":\"block.read\",\"params\":[%llu,0,1,\"raw\"]}", (ULL)block);
    expect_error(&fixture->peer, UMEM_E_UNSUPPORTED,
                 "{\"method\":\"block.write\",\"params\":{\"block\":%llu,\"encoding\":\"raw\"}}", (ULL)block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_raw_write_goes_into_the_block, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_payload_nobody_wants_is_passed_over, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_block_freed_while_its_bytes_come, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_peer_that_goes_away_in_the_middle, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_raw_read_small_and_large, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_wait_is_answered_behind_raw_bytes, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_raw_is_not_for_lines, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
