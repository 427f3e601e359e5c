/* Blocks of headers, and the texts and payloads behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame_trace.h"
#include "umem_errors.h"

static void test_headers(void **state)
{
    (void)state;
    expect("Content-Length: 2\r\n\r\n{}", "M{}|E|");
    expect("Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\n[\n1]", "M{}|M[\n1]|E|");
    expect("cONTENT-lENGTH:2\r\n\r\n{}", "M{}|E|");
    expect("Content-Length: \t 2 \t \r\n\r\n{}", "M{}|E|");
    expect("Content-Length: 002\r\n\r\n{}", "M{}|E|");
    expect("Content-Length: 0\r\n\r\nContent-Length: 1\r\n\r\n7", "M|M7|E|");
    expect("Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\nX:\r\n\r\n{}",
           "M{}|E|");
    expect("X-Utf8: \xC3\xA9\tz\r\nContent-Length: 2\r\n\r\n{}", "M{}|E|");
    expect("A-very-very-long-header-name-indeed: 1\r\nContent-Length: 2\r\n\r\n{}", "M{}|E|");
    expect("Content-Lengthy: x\r\nontent-length: x\r\nContent-Length: 2\r\n\r\n{}", "M{}|E|");
}

static void test_payloads(void **state)
{
    (void)state;
    expect("Content-Length: 2\r\nPayload-Length: 5\r\n\r\n{}a\nb\rcContent-Length: 2\r\n\r\n[]",
           "M{}|Pa\nb\rc|M[]|E|");
    expect("payload-length: 1\r\ncontent-length: 2\r\n\r\n{}x", "M{}|Px|E|");
    expect("Content-Length: 2\r\nPayload-Length: 0\r\n\r\n{}Content-Length: 2\r\n\r\n[]", "M{}|M[]|E|");
    expect("Content-Length: 0\r\nPayload-Length: 2\r\n\r\nab", "M|Pab|E|");
}

static void test_payload_read_past_the_frame(void **state)
{
    static const char head[] = "Content-Length: 2\r\nPayload-Length: 9\r\n\r\n{}abc";
    struct trace trace;

    (void)state;
    trace_init(&trace);
    trace_feed(&trace, head, strlen(head));
    assert_int_equal(um_frame_payload_left(&trace.frame), 6);
    um_frame_payload_consumed(&trace.frame, 4);
    trace_feed(&trace, "hi", 2);
    assert_int_equal(um_frame_payload_left(&trace.frame), 0);
    trace_feed(&trace, "Content-Length: 1\r\n\r\n1", 22);
    trace_expect(&trace, "M{}|Pabchi|M1|");
    trace_deinit(&trace);
}

/* A payload can be used where it is once all of it is there, however it is followed. */
static void test_payload_that_is_whole(void **state)
{
    char text[] = "Content-Length: 2\r\nPayload-Length: 3\r\n\r\n{}abcContent-Length: 2\r\n\r\n[]";
    const size_t head_size = strlen("Content-Length: 2\r\nPayload-Length: 3\r\n\r\n{}");
    struct um_frame_message message;
    struct um_frame frame;

    (void)state;
    for (size_t size = head_size; size <= strlen(text); size++) {
        um_frame_init(&frame, 100, 100);
        assert_int_equal(um_frame_feed(&frame, text, size), UMEM_OK);
        assert_null(um_frame_whole_payload(&frame));
        assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
        if (size < head_size + 3) {
            assert_null(um_frame_whole_payload(&frame));
            assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_PAYLOAD);
        } else {
            assert_memory_equal(um_frame_whole_payload(&frame), "abc", 3);
            um_frame_skip_payload(&frame);
            assert_null(um_frame_whole_payload(&frame));
            assert_int_equal(um_frame_next(&frame, &message),
                             size == strlen(text) ? UM_FRAME_MESSAGE : UM_FRAME_MORE);
        }
        um_frame_deinit(&frame);
    }
}

static void test_cut_header_message_does_not_count(void **state)
{
    (void)state;
    expect("Content-Le", "E|");
    expect("Content-Length: 2\r\n", "E|");
    expect("Content-Length: 2\r\n\r\n{", "E|");
    expect("Content-Length: 2\r\nPayload-Length: 5\r\n\r\n{}abc", "M{}|PabcE|");
}

static void test_too_large_is_skipped(void **state)
{
    (void)state;
    expect("Content-Length: 65\r\n\r\n"
           "[12345678901234567890123456789012345678901234567890123456789012]\n"
           "Content-Length: 2\r\n\r\n{}",
           "L|M{}|E|");
    expect("Content-Length: 2\r\nPayload-Length: 33\r\n\r\n{}"
           "012345678901234567890123456789012Content-Length: 2\r\n\r\n[]",
           "L|M[]|E|");
    expect(
        "Content-Length: 64\r\nPayload-Length: 32\r\n\r\n"
        "[12345678901234567890123456789012345678901234567890123456789012]"
        "01234567890123456789012345678901Content-Length: 2\r\n\r\n[]",
        "M[12345678901234567890123456789012345678901234567890123456789012]|P01234567890123456789012345678901|"
        "M[]|E|");
}

static void test_between_messages_nothing_is_kept(void **state)
{
    struct trace trace;

    (void)state;
    trace_init(&trace);
    assert_null(trace.frame.kept.data);
    trace_feed(&trace, "{", 1);
    assert_non_null(trace.frame.kept.data);
    trace_feed(&trace, "}\n  ", 4);
    assert_null(trace.frame.kept.data);
    trace_deinit(&trace);

    trace_init(&trace);
    trace_feed(&trace, "Content-Length: 2\r\nX: y\r\n\r", 26);
    assert_null(trace.frame.kept.data);
    trace_feed(&trace, "\n{", 2);
    assert_non_null(trace.frame.kept.data);
    trace_feed(&trace, "}Content-", 9);
    assert_null(trace.frame.kept.data);
    trace_deinit(&trace);
}

/* A length is believed only as its bytes arrive. */
static void test_lying_lengths_cost_nothing(void **state)
{
    struct trace trace;
    static const char block[] =
        "Content-Length: 9007199254740991\r\nPayload-Length: 9007199254740991\r\n\r\n";
    char piece[4096];

    (void)state;
    trace_init(&trace);
    trace_feed(&trace, block, strlen(block));
    memset(piece, '{', sizeof piece);
    for (int i = 0; i < 100; i++)
        trace_feed(&trace, piece, sizeof piece);
    assert_null(trace.frame.kept.data);
    um_frame_end(&trace.frame);
    trace_drain(&trace);
    trace_expect(&trace, "L|E|");
    trace_deinit(&trace);

    um_frame_init(&trace.frame, 1 << 30, UINT64_C(1) << 40);
    um_buf_init(&trace.text, TRACE_CAPACITY);
    trace_feed(&trace, "Content-Length: 1073741824\r\n\r\n{", 31);
    assert_true(trace.frame.kept.capacity <= 256);
    trace_deinit(&trace);
}

static void test_broken_headers(void **state)
{
    (void)state;
    expect("GET : 2\r\n", "Hit is HTTP|");
    expect("GETS / HTTP/1.1\r\n", "Ba byte that no header name may have|");
    expect("X: y\r\nGET / HTTP/1.1\r\n", "Ba byte that no header name may have|");
    expect("\"text\"\n", "Ba byte that no header name may have|");
    expect("Content Length: 2\r\n\r\n{}", "Ba byte that no header name may have|");
    expect("Content-Length : 2\r\n\r\n{}", "Ba byte that no header name may have|");
    expect("X: y\r\n folded\r\nContent-Length: 2\r\n\r\n{}", "Ba byte that no header name may have|");
    expect("\xC3\xA9: 1\r\n", "Ba byte that no header name may have|");
    expect("X\r\n", "Ba byte that no header name may have|");
    expect_bytes("\0", 1, "Ba byte that no header name may have|");
    expect(": 2\r\n", "Ba header has no name|");
    expect("Content-Length: 2\n\n{}", "Ba header ends in a bare LF|");
    expect("Content-Length: 2\r\nX\n", "Ba header ends in a bare LF|");
    expect("Content-Length: 2\r\n\n", "Ba header ends in a bare LF|");
    expect("X: y\n", "Ba header ends in a bare LF|");
    expect("X: y\rz\r\n", "Ba CR without its LF in a header|");
    expect("Content-Length: 2\r\n\r{}", "Ba CR without its LF in a header|");
    expect("X: \x01\r\n", "Ba control character in a header|");
    expect("X: \x7F\r\n", "Ba control character in a header|");
    expect_bytes("X: \0\r\n", 6, "Ba control character in a header|");
    expect("X: y\r\n\r\n", "Bthere is no Content-Length|");
    expect("Payload-Length: 2\r\n\r\nab", "Bthere is no Content-Length|");
}

static void test_broken_lengths(void **state)
{
    (void)state;
    expect("Content-Length:\r\n", "Ba length is empty|");
    expect("Content-Length:  \r\n", "Ba length is empty|");
    expect("Content-Length: -2\r\n", "Ba length is not a whole number|");
    expect("Content-Length: +2\r\n", "Ba length is not a whole number|");
    expect("Content-Length: 2.0\r\n", "Ba length is not a whole number|");
    expect("Content-Length: 0x2\r\n", "Ba length is not a whole number|");
    expect("Content-Length: 2 2\r\n", "Ba length is not a whole number|");
    expect("Content-Length: 2, 2\r\n", "Ba length is not a whole number|");
    expect("Content-Length: two\r\n", "Ba length is not a whole number|");
    expect("Payload-Length: -1\r\n", "Ba length is not a whole number|");
    expect("Content-Length: 9007199254740992\r\n", "Ba length is over 2^53 - 1|");
    expect("Content-Length: 18446744073709551618\r\n", "Ba length is over 2^53 - 1|");
    expect("Payload-Length: 99999999999999999999999999999999\r\n", "Ba length is over 2^53 - 1|");
    expect("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "BContent-Length is given twice|");
    expect("Payload-Length: 2\r\nCONTENT-LENGTH: 2\r\npayload-length: 2\r\n\r\n{}",
           "BPayload-Length is given twice|");
}

/* A block of exactly `size` bytes, with one long header in it. */
static void block_of(size_t size, const char *expected)
{
    static const char tail[] = "\r\nContent-Length: 2\r\n\r\n";
    char *bytes = malloc(size + 2);

    assert_non_null(bytes);
    memset(bytes, 'x', size);
    bytes[1] = ':';
    memcpy(bytes + size - strlen(tail), tail, strlen(tail));
    memcpy(bytes + size, "{}", 2);
    expect_in_pieces(bytes, size + 2, 0, size + 2, expected);
    expect_in_pieces(bytes, size + 2, 0, 1, expected);
    free(bytes);
}

static void test_header_block_limit(void **state)
{
    (void)state;
    block_of(UM_FRAME_HEADERS_LIMIT, "M{}|E|");
    block_of(UM_FRAME_HEADERS_LIMIT + 1, "Bthe headers are longer than 8192 bytes|");
    block_of(3 * UM_FRAME_HEADERS_LIMIT, "Bthe headers are longer than 8192 bytes|");
}

static void test_broken_stays_broken(void **state)
{
    struct trace trace;
    struct um_frame_message message;

    (void)state;
    trace_init(&trace);
    assert_false(trace_feed(&trace, "!\nContent-Length: 2\r\n\r\n{}", 26));
    assert_int_equal(um_frame_next(&trace.frame, &message), UM_FRAME_BROKEN);
    um_frame_end(&trace.frame);
    assert_int_equal(um_frame_next(&trace.frame, &message), UM_FRAME_BROKEN);
    trace_deinit(&trace);
}

/* A client of HTTP is recognized, so that it can be answered in HTTP. */
static void test_requests_of_http(void **state)
{
    (void)state;
    expect("GET / HTTP/1.1\r\n", "Hit is HTTP|");
    expect("POST /rpc HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", "Hit is HTTP|");
    expect("OPTIONS * HTTP/1.1\r\n", "Hit is HTTP|");
    expect("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "Hit is HTTP|");
}

/* The content type of the block, as an answer can contain it. */
static void expect_type(const char *headers, const char *type)
{
    struct um_header_block block;
    enum um_header_block_result verdict = UM_HEADER_BLOCK_MORE;

    um_header_block_init(&block);
    for (const char *at = headers; *at != '\0'; at++) {
        assert_int_equal(verdict, UM_HEADER_BLOCK_MORE);
        verdict = um_header_block_feed(&block, *at);
    }
    assert_int_equal(verdict, UM_HEADER_BLOCK_WHOLE);
    assert_string_equal(block.content_type, type);
}

static void test_content_types(void **state)
{
    char line[256];
    char type[UM_FRAME_TYPE_CAPACITY];

    (void)state;
    expect_type("Content-Length: 2\r\n\r\n", "");
    expect_type("CONTENT-type: \tapplication/json; charset=utf-8 \t\r\nContent-Length: 2\r\n\r\n",
                "application/json; charset=utf-8");
    expect_type("Content-Length: 2\r\nContent-Type:x\r\nContent-Type: y\r\n\r\n", "y");
    expect_type("Content-Length: 2\r\nContent-Type: \r\n\r\n", "");
    expect_type("Content-Length: 2\r\nContent-Type: caf\xC3\xA9\r\n\r\n", "");
    memset(type, 't', sizeof type - 1);
    type[sizeof type - 1] = '\0';
    snprintf(line, sizeof line, "Content-Type: %s\r\nContent-Length: 2\r\n\r\n", type);
    expect_type(line, type);
    snprintf(line, sizeof line, "Content-Type: %st\r\nContent-Length: 2\r\n\r\n", type);
    expect_type(line, "");
}

/* A block that is written as the one before is not read anew. */
static void test_blocks_like_the_last_one(void **state)
{
    static const char *const types[] = {"x", "x", "x", "y", "x", "", ""};
    char text[512] = "";
    struct um_frame_message message;
    struct um_frame frame;

    (void)state;
    expect(
        "Content-Length: 2\r\n\r\n{}Content-Length: 2\r\n\r\n[]Content-Length: 3\r\n\r\n[1]Content-Length: "
        "3\r\n\r\n[2]",
        "M{}|M[]|M[1]|M[2]|E|");
    expect("Content-Length: 2\r\nPayload-Length: 1\r\n\r\n{}aContent-Length: 2\r\nPayload-Length: "
           "1\r\n\r\n[]bContent-Length: 2\r\nPayload-Length: 2\r\n\r\n{}cc",
           "M{}|Pa|M[]|Pb|M{}|Pcc|E|");
    expect("Content-Length: 2\r\n\r\n{}\xEF\xBB\xBF"
           "Content-Length: 2\r\n\r\n[]",
           "M{}|M[]|E|");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t size = strlen(text);

        snprintf(text + size, sizeof text - size, "Content-Length: 2\r\n%s%s%s\r\n{}",
                 types[i][0] != '\0' ? "Content-Type: " : "", types[i], types[i][0] != '\0' ? "\r\n" : "");
    }
    um_frame_init(&frame, 100, 100);
    assert_int_equal(um_frame_feed(&frame, text, strlen(text)), UMEM_OK);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
        assert_memory_equal(message.text, "{}", 2);
        assert_int_equal(message.size, 2);
        assert_string_equal(message.content_type, types[i]);
    }
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MORE);
    um_frame_deinit(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_of_http),
        cmocka_unit_test(test_content_types),
        cmocka_unit_test(test_blocks_like_the_last_one),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_payload_read_past_the_frame),
        cmocka_unit_test(test_payload_that_is_whole),
        cmocka_unit_test(test_cut_header_message_does_not_count),
        cmocka_unit_test(test_too_large_is_skipped),
        cmocka_unit_test(test_between_messages_nothing_is_kept),
        cmocka_unit_test(test_lying_lengths_cost_nothing),
        cmocka_unit_test(test_broken_headers),
        cmocka_unit_test(test_broken_lengths),
        cmocka_unit_test(test_header_block_limit),
        cmocka_unit_test(test_broken_stays_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
