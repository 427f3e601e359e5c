/* The framing: every case is fed whole, cut in two at each byte, and one byte at a time, and must tell the
 * same story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"
#include "umem_errors.h"

enum { MESSAGE_LIMIT = 64, PAYLOAD_LIMIT = 32, STORY_ROOM = 4096 };

/* What a frame told: "M<text>" and "P<payload bytes>" for each message, "L" too large, "B<why>" broken,
 * "E" the end; each with a "|" after it. */
struct story {
    struct um_frame frame;
    struct um_buf text;
};

static void story_init(struct story *story)
{
    um_frame_init(&story->frame, MESSAGE_LIMIT, PAYLOAD_LIMIT);
    um_buf_init(&story->text, STORY_ROOM);
}

static void story_deinit(struct story *story)
{
    um_frame_deinit(&story->frame);
    um_buf_deinit(&story->text);
}

static void tell_payload(struct story *story, const char *bytes, size_t size)
{
    um_buf_append(&story->text, bytes, size);
    if (um_frame_payload_left(&story->frame) == 0 && size != 0)
        um_buf_append_string(&story->text, "|");
}

/* Takes all that there is. Returns whether more may be fed. */
static bool listen_to(struct story *story)
{
    struct um_frame_message message;

    for (;;) {
        switch (um_frame_next(&story->frame, &message)) {
        case UM_FRAME_MORE:
            return true;
        case UM_FRAME_MESSAGE:
            um_buf_append_string(&story->text, "M");
            um_buf_append(&story->text, message.text, message.size);
            um_buf_append_string(&story->text, message.payload_size != 0 ? "|P" : "|");
            memset(message.text, '#', message.size); /* it may be changed */
            assert_int_equal(um_frame_payload_left(&story->frame), message.payload_size);
            break;
        case UM_FRAME_PAYLOAD: {
            char space[3];
            size_t size = um_frame_take_payload(&story->frame, space, sizeof space);

            tell_payload(story, space, size);
            if (size == 0)
                return true;
            break;
        }
        case UM_FRAME_TOO_LARGE:
            assert_non_null(message.what);
            um_buf_append_string(&story->text, "L|");
            break;
        case UM_FRAME_BROKEN:
            um_buf_append_string(&story->text, "B");
            um_buf_append_string(&story->text, message.what);
            um_buf_append_string(&story->text, "|");
            return false;
        case UM_FRAME_END:
            um_buf_append_string(&story->text, "E|");
            return false;
        }
    }
}

/* Feeds a piece out of memory that is spoilt afterwards, as a shared read buffer is. */
static bool feed(struct story *story, const char *bytes, size_t size)
{
    char *piece = malloc(size != 0 ? size : 1);
    bool goes_on;

    assert_non_null(piece);
    memcpy(piece, bytes, size);
    assert_int_equal(um_frame_feed(&story->frame, piece, size), UMEM_OK);
    goes_on = listen_to(story);
    assert_int_equal(um_frame_keep(&story->frame), UMEM_OK);
    free(piece);
    return goes_on;
}

static void assert_story(struct story *story, const char *expected)
{
    um_buf_append_byte(&story->text, '\0');
    assert_false(story->text.failed);
    assert_string_equal(story->text.data, expected);
}

/* Feeds `size` bytes in pieces of `first`, then of `step` bytes, ends the input and compares the story. */
static void tell(const char *bytes, size_t size, size_t first, size_t step, const char *expected)
{
    struct story story;
    size_t at = 0;
    bool goes_on = true;

    story_init(&story);
    while (goes_on && at < size) {
        size_t piece = at == 0 && first != 0 ? first : step;

        if (piece > size - at)
            piece = size - at;
        goes_on = feed(&story, bytes + at, piece);
        at += piece;
    }
    if (goes_on) {
        um_frame_end(&story.frame);
        listen_to(&story);
    }
    assert_story(&story, expected);
    story_deinit(&story);
}

static void expect_bytes(const char *bytes, size_t size, const char *expected)
{
    tell(bytes, size, 0, size != 0 ? size : 1, expected);
    for (size_t cut = 1; cut < size; cut++)
        tell(bytes, size, cut, size, expected);
    for (size_t step = 1; step < 4; step++)
        tell(bytes, size, 0, step, expected);
}

static void expect(const char *bytes, const char *expected)
{
    expect_bytes(bytes, strlen(bytes), expected);
}

static void lines(void **state)
{
    (void)state;
    expect("{\"a\":1}\n", "M{\"a\":1}|E|");
    expect("{\"a\":1}\n[2]\n3\n", "M{\"a\":1}|M[2]|M3|E|");
    expect("{}\r\n[]\r\n", "M{}|M[]|E|");
    expect("{} \t\n", "M{} \t|E|");
    expect("", "E|");
}

static void blank_lines_are_ignored(void **state)
{
    (void)state;
    expect("\n", "E|");
    expect(" \t\r\n\n\r\n{}\n \n\n[]\n\n", "M{}|M[]|E|");
    expect("   {}\n", "M{}|E|");
    expect("{}\n   ", "M{}|E|");
}

static void last_line_needs_no_end(void **state)
{
    (void)state;
    expect("{}\n[1]", "M{}|M[1]|E|");
    expect("[1]\r", "M[1]|E|");
}

static void line_of_another_kind_stays_a_line(void **state)
{
    (void)state;
    expect("{}\nContent-Length: 2\n", "M{}|MContent-Length: 2|E|");
}

static void byte_order_mark(void **state)
{
    (void)state;
    expect("\xEF\xBB\xBF{}\n", "M{}|E|");
    expect("\xEF\xBB\xBF\n{}", "M{}|E|");
    expect("\xEF\xBB\xBF"
           "Content-Length: 2\r\n\r\n{}",
           "M{}|E|");
    expect("\xEF\xBB\xBF", "E|");
    expect("\xEF\xBB", "E|");
    expect("\xEF\xBB{}\n", "Ba byte that no header name may have|");
    expect("\xEF{}\n", "Ba byte that no header name may have|");
    expect("{}\n\xEF\xBB\xBF{}\n", "M{}|M\xEF\xBB\xBF{}|E|");
}

/* Fills `size` bytes of line and an end. Returns the size of all. */
static size_t long_line(char *bytes, size_t size, const char *end)
{
    memset(bytes, 'x', size);
    bytes[0] = '{';
    strcpy(bytes + size, end);
    return size + strlen(end);
}

static void line_limit(void **state)
{
    char bytes[4 * MESSAGE_LIMIT];
    char expected[4 * MESSAGE_LIMIT];
    size_t size;

    (void)state;
    size = long_line(bytes, MESSAGE_LIMIT, "\n[]\n");
    snprintf(expected, sizeof expected, "M%.*s|M[]|E|", MESSAGE_LIMIT, bytes);
    expect_bytes(bytes, size, expected);
    size = long_line(bytes, MESSAGE_LIMIT, "\r\n[]\n");
    expect_bytes(bytes, size, expected);

    size = long_line(bytes, MESSAGE_LIMIT + 1, "\n[]\n");
    expect_bytes(bytes, size, "L|M[]|E|");
    size = long_line(bytes, MESSAGE_LIMIT + 1, "\r\n[]\n");
    expect_bytes(bytes, size, "L|M[]|E|");
    size = long_line(bytes, 3 * MESSAGE_LIMIT, "\n[]\n");
    expect_bytes(bytes, size, "L|M[]|E|");
    size = long_line(bytes, MESSAGE_LIMIT + 1, "");
    expect_bytes(bytes, size, "L|E|");
    size = long_line(bytes, 3 * MESSAGE_LIMIT, "");
    expect_bytes(bytes, size, "L|E|");
}

static void long_line_is_not_kept(void **state)
{
    struct story story;
    char piece[4096];

    (void)state;
    story_init(&story);
    feed(&story, "{", 1);
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 100; i++) {
        feed(&story, piece, sizeof piece);
        assert_true(story.frame.kept.capacity <= MESSAGE_LIMIT + sizeof piece);
    }
    feed(&story, "\n[]\n", 4);
    assert_story(&story, "L|M[]|");
    story_deinit(&story);
}

static void between_messages_nothing_is_kept(void **state)
{
    struct story story;

    (void)state;
    story_init(&story);
    assert_null(story.frame.kept.data);
    feed(&story, "{", 1);
    assert_non_null(story.frame.kept.data);
    feed(&story, "}\n  ", 4);
    assert_null(story.frame.kept.data);
    story_deinit(&story);

    story_init(&story);
    feed(&story, "Content-Length: 2\r\nX: y\r\n\r", 26);
    assert_null(story.frame.kept.data);
    feed(&story, "\n{", 2);
    assert_non_null(story.frame.kept.data);
    feed(&story, "}Content-", 9);
    assert_null(story.frame.kept.data);
    story_deinit(&story);
}

static void headers(void **state)
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

static void payloads(void **state)
{
    (void)state;
    expect("Content-Length: 2\r\nPayload-Length: 5\r\n\r\n{}a\nb\rcContent-Length: 2\r\n\r\n[]",
           "M{}|Pa\nb\rc|M[]|E|");
    expect("payload-length: 1\r\ncontent-length: 2\r\n\r\n{}x", "M{}|Px|E|");
    expect("Content-Length: 2\r\nPayload-Length: 0\r\n\r\n{}Content-Length: 2\r\n\r\n[]", "M{}|M[]|E|");
    expect("Content-Length: 0\r\nPayload-Length: 2\r\n\r\nab", "M|Pab|E|");
}

static void payload_read_past_the_frame(void **state)
{
    static const char head[] = "Content-Length: 2\r\nPayload-Length: 9\r\n\r\n{}abc";
    struct story story;

    (void)state;
    story_init(&story);
    feed(&story, head, strlen(head));
    assert_int_equal(um_frame_payload_left(&story.frame), 6);
    um_frame_payload_passed(&story.frame, 4);
    feed(&story, "hi", 2);
    assert_int_equal(um_frame_payload_left(&story.frame), 0);
    feed(&story, "Content-Length: 1\r\n\r\n1", 22);
    assert_story(&story, "M{}|Pabchi|M1|");
    story_deinit(&story);
}

static void cut_header_message_does_not_count(void **state)
{
    (void)state;
    expect("Content-Le", "E|");
    expect("Content-Length: 2\r\n", "E|");
    expect("Content-Length: 2\r\n\r\n{", "E|");
    expect("Content-Length: 2\r\nPayload-Length: 5\r\n\r\n{}abc", "M{}|PabcE|");
}

static void too_large_is_skipped(void **state)
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

/* A length is believed only as its bytes arrive. */
static void lying_lengths_cost_nothing(void **state)
{
    struct story story;
    static const char block[] =
        "Content-Length: 9007199254740991\r\nPayload-Length: 9007199254740991\r\n\r\n";
    char piece[4096];

    (void)state;
    story_init(&story);
    feed(&story, block, strlen(block));
    memset(piece, '{', sizeof piece);
    for (int i = 0; i < 100; i++)
        feed(&story, piece, sizeof piece);
    assert_null(story.frame.kept.data);
    um_frame_end(&story.frame);
    listen_to(&story);
    assert_story(&story, "L|E|");
    story_deinit(&story);

    um_frame_init(&story.frame, 1 << 30, UINT64_C(1) << 40);
    um_buf_init(&story.text, STORY_ROOM);
    feed(&story, "Content-Length: 1073741824\r\n\r\n{", 31);
    assert_true(story.frame.kept.capacity <= 256);
    story_deinit(&story);
}

static void broken_headers(void **state)
{
    (void)state;
    expect("GET / HTTP/1.1\r\n", "Ba byte that no header name may have|");
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

static void broken_lengths(void **state)
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
    tell(bytes, size + 2, 0, size + 2, expected);
    tell(bytes, size + 2, 0, 1, expected);
    free(bytes);
}

static void header_block_limit(void **state)
{
    (void)state;
    block_of(UM_FRAME_HEADERS_LIMIT, "M{}|E|");
    block_of(UM_FRAME_HEADERS_LIMIT + 1, "Bthe headers are longer than 8192 bytes|");
    block_of(3 * UM_FRAME_HEADERS_LIMIT, "Bthe headers are longer than 8192 bytes|");
}

static void broken_stays_broken(void **state)
{
    struct story story;
    struct um_frame_message message;

    (void)state;
    story_init(&story);
    assert_false(feed(&story, "!\nContent-Length: 2\r\n\r\n{}", 26));
    assert_int_equal(um_frame_next(&story.frame, &message), UM_FRAME_BROKEN);
    um_frame_end(&story.frame);
    assert_int_equal(um_frame_next(&story.frame, &message), UM_FRAME_BROKEN);
    story_deinit(&story);
}

/* Messages that were not taken in one turn are there in the next. */
static void untaken_messages_are_kept(void **state)
{
    struct um_frame frame;
    struct um_frame_message message;
    char bytes[] = "{1}\n{2}\n{3}\n{4";

    (void)state;
    um_frame_init(&frame, MESSAGE_LIMIT, PAYLOAD_LIMIT);
    assert_int_equal(um_frame_feed(&frame, bytes, strlen(bytes)), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_int_equal(um_frame_keep(&frame), UMEM_OK);
    memset(bytes, '?', sizeof bytes);
    for (char digit = '2'; digit <= '3'; digit++) {
        assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
        assert_int_equal(message.text[1], digit);
        assert_int_equal(um_frame_keep(&frame), UMEM_OK);
    }
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MORE);
    strcpy(bytes, "}\n");
    assert_int_equal(um_frame_feed(&frame, bytes, 2), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_memory_equal(message.text, "{4}", 3);
    um_frame_deinit(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(blank_lines_are_ignored),
        cmocka_unit_test(last_line_needs_no_end),
        cmocka_unit_test(line_of_another_kind_stays_a_line),
        cmocka_unit_test(byte_order_mark),
        cmocka_unit_test(line_limit),
        cmocka_unit_test(long_line_is_not_kept),
        cmocka_unit_test(between_messages_nothing_is_kept),
        cmocka_unit_test(headers),
        cmocka_unit_test(payloads),
        cmocka_unit_test(payload_read_past_the_frame),
        cmocka_unit_test(cut_header_message_does_not_count),
        cmocka_unit_test(too_large_is_skipped),
        cmocka_unit_test(lying_lengths_cost_nothing),
        cmocka_unit_test(broken_headers),
        cmocka_unit_test(broken_lengths),
        cmocka_unit_test(header_block_limit),
        cmocka_unit_test(broken_stays_broken),
        cmocka_unit_test(untaken_messages_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
