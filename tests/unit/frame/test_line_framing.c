/* Lines: where one ends, how long one may be, and what is kept of it. */
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

static void test_lines(void **state)
{
    (void)state;
    expect("{\"a\":1}\n", "M{\"a\":1}|E|");
    expect("{\"a\":1}\n[2]\n3\n", "M{\"a\":1}|M[2]|M3|E|");
    expect("{}\r\n[]\r\n", "M{}|M[]|E|");
    expect("{} \t\n", "M{}|E|");
    expect("", "E|");
}

static void test_blank_lines_are_ignored(void **state)
{
    (void)state;
    expect("\n", "E|");
    expect(" \t\r\n\n\r\n{}\n \n\n[]\n\n", "M{}|M[]|E|");
    expect("   {}\n", "M{}|E|");
    expect("{}\n   ", "M{}|E|");
}

static void test_last_line_needs_no_end(void **state)
{
    (void)state;
    expect("{}\n[1]", "M{}|M[1]|E|");
    expect("[1]\r", "M[1]|E|");
}

static void test_line_of_another_kind_stays_a_line(void **state)
{
    (void)state;
    expect("{}\nContent-Length: 2\n", "M{}|MContent-Length: 2|E|");
}

static void test_byte_order_mark(void **state)
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
    expect("{}\n\xEF\xBB\xBF{}\n", "M{}|M{}|E|");
    expect("{}\xEF\xBB\xBF[]{}\r\n \xEF\xBB\xBF"
           "3\n",
           "M{}|M[]|M{}|M3|E|");
    expect("{}\n\xEF\xBB\xBF\n{}", "M{}|M{}|E|");
    expect("{}\n\xEF\xBB", "M{}|M\xEF\xBB|E|");
    expect("{}\n\xEF\xBB{}\n[]", "M{}|M\xEF\xBB{}|M[]|E|");
    expect("Content-Length: 2\r\n\r\n{}\xEF\xBB\xBF"
           "Content-Length: 5\r\n\r\n\xEF\xBB\xBF[]",
           "M{}|M[]|E|");
}

static void test_texts_end_with_their_outermost_bracket(void **state)
{
    (void)state;
    expect("{\"a\":1}[2]{}", "M{\"a\":1}|M[2]|M{}|E|");
    expect("{\"a\":1}[2]\r\n{}{}\n", "M{\"a\":1}|M[2]|M{}|M{}|E|");
    expect(" {} [] \n\n {}\t[ ]", "M{}|M[]|M{}|M[ ]|E|");
    expect("{\"a\":[{\"b\":{}},[[]]]}{", "M{\"a\":[{\"b\":{}},[[]]]}|M{|E|");
}

static void test_brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    expect("{\"}\":\"]{\"}[1]", "M{\"}\":\"]{\"}|M[1]|E|");
    expect("[\"\\\"]\"][\"\\\\\"][\"\\\\\\\"]\"]", "M[\"\\\"]\"]|M[\"\\\\\"]|M[\"\\\\\\\"]\"]|E|");
    expect("[\"\\u0022]\"]\n", "M[\"\\u0022]\"]|E|");
    expect("[\"\\", "M[\"\\|E|");
}

/* What is no JSON ends at a place from which reading can continue, the same whatever its pieces are. */
static void test_what_is_wrong_ends_somewhere(void **state)
{
    (void)state;
    expect("{\"a\":]}{}\n", "M{\"a\":]|M}{}|E|");
    expect("{}{\"a\":\n{}\n", "M{}|M{\"a\":|M{}|E|");
    expect("{}}{}\n[]", "M{}|M}{}|M[]|E|");
    expect("{},{}\n[]\n", "M{}|M,{}|M[]|E|");
    expect("[\"a\n{}\n", "M[\"a|M{}|E|");
    expect("[]\n3 {}\n{}", "M[]|M3 {}|M{}|E|");
}

static void test_each_text_on_a_line_has_the_limit(void **state)
{
    char bytes[8 * MESSAGE_LIMIT];
    char expected[8 * MESSAGE_LIMIT];
    char text[MESSAGE_LIMIT + 8];

    (void)state;
    snprintf(text, sizeof text, "[%*d]", MESSAGE_LIMIT - 2, 1);
    snprintf(bytes, sizeof bytes, "%s%s{}%s\n[]", text, text, text);
    snprintf(expected, sizeof expected, "M%s|M%s|M{}|M%s|M[]|E|", text, text, text);
    expect(bytes, expected);
    snprintf(bytes, sizeof bytes, "{}[%*d]{}\n[]", MESSAGE_LIMIT - 1, 1);
    expect(bytes, "M{}|L|M{}|M[]|E|");
    snprintf(bytes, sizeof bytes, "[%*d]{}[%*d\n[]", 3 * MESSAGE_LIMIT, 1, 2 * MESSAGE_LIMIT, 1);
    expect(bytes, "L|M{}|L|M[]|E|");
    snprintf(bytes, sizeof bytes, "[\"%*d\\\"]\"]{}", 2 * MESSAGE_LIMIT, 1);
    expect(bytes, "L|M{}|E|");
}

/* A line of very many texts takes no more steps than they have bytes: each is given out exactly once what was put back of the first. */
static void test_texts_of_a_long_line_are_counted_once(void **state)
{
    struct um_frame frame;
    struct um_frame_message message;
    char bytes[] = "{}{}{}{}\n";

    (void)state;
    um_frame_init(&frame, MESSAGE_LIMIT, PAYLOAD_LIMIT);
    assert_int_equal(um_frame_feed(&frame, bytes, strlen(bytes)), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_int_equal(message.size, 8);
    um_frame_unread(&frame, 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
        assert_int_equal(message.size, 2);
        um_frame_unread(&frame, 2);
    }
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MORE);
    um_frame_deinit(&frame);
}

static void expect_lack(const char *bytes, const char *lack)
{
    struct trace trace;

    trace_init(&trace);
    trace_feed(&trace, bytes, strlen(bytes));
    assert_true(um_frame_is_in_message(&trace.frame));
    assert_string_equal(um_frame_missing(&trace.frame), lack);
    trace_deinit(&trace);
}

static void test_what_a_message_lacks(void **state)
{
    (void)state;
    expect_lack("{\"a\":[1]", "no closing bracket and no line end came");
    expect_lack("{}[", "no closing bracket and no line end came");
    expect_lack("{}3", "no line end came");
    expect_lack("Content-Le", "no empty line came that ends the headers");
    expect_lack("Content-Length: 2\r\n\r\n{", "fewer bytes came than Content-Length says");
}

/* Fills `size` bytes of line and an end. Returns the size of all. */
static size_t long_line(char *bytes, size_t size, const char *end)
{
    memset(bytes, 'x', size);
    bytes[0] = '{';
    strcpy(bytes + size, end);
    return size + strlen(end);
}

static void test_line_limit(void **state)
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

static void test_long_line_is_not_kept(void **state)
{
    struct trace trace;
    char piece[4096];

    (void)state;
    trace_init(&trace);
    trace_feed(&trace, "{", 1);
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 100; i++) {
        trace_feed(&trace, piece, sizeof piece);
        assert_true(trace.frame.kept.capacity <= MESSAGE_LIMIT + sizeof piece);
    }
    trace_feed(&trace, "\n[]\n", 4);
    trace_expect(&trace, "L|M[]|");
    trace_deinit(&trace);
}

/* Messages that were not taken in one turn are there in the next. */
static void test_untaken_messages_are_kept(void **state)
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

/* A message that came in pieces lies at the beginning of the frame's memory, which may be had; what follows stays. */
static void test_a_message_gives_its_memory(void **state)
{
    struct um_frame frame;
    struct um_frame_message message;
    char first[] = "{1,";
    char second[] = "2}\n{3}\n{4";
    char third[] = "}\n";
    char *memory;

    (void)state;
    um_frame_init(&frame, MESSAGE_LIMIT, PAYLOAD_LIMIT);
    assert_int_equal(um_frame_feed(&frame, first, strlen(first)), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MORE);
    assert_int_equal(um_frame_keep(&frame), UMEM_OK);
    assert_int_equal(um_frame_feed(&frame, second, strlen(second)), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    memory = um_frame_give(&frame, &message);
    assert_ptr_equal(memory, message.text);
    assert_int_equal(message.size, 5);
    assert_int_equal(um_frame_keep(&frame), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_memory_equal(message.text, "{3}", 3);
    assert_memory_equal(memory, "{1,2}", 5);
    free(memory);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MORE);
    assert_int_equal(um_frame_feed(&frame, third, strlen(third)), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_memory_equal(message.text, "{4}", 3);
    memory = um_frame_give(&frame, &message);
    assert_non_null(memory);
    assert_int_equal(um_frame_keep(&frame), UMEM_OK);
    assert_int_equal(frame.kept.capacity, 0);
    free(memory);
    um_frame_deinit(&frame);
}

/* It is not the frame's to give where it is the feeder's, nor where other messages were before it. */
static void test_a_message_without_memory_of_its_own(void **state)
{
    struct um_frame frame;
    struct um_frame_message message;
    char bytes[] = "{1}\n{2}\n";

    (void)state;
    um_frame_init(&frame, MESSAGE_LIMIT, PAYLOAD_LIMIT);
    assert_int_equal(um_frame_feed(&frame, bytes, strlen(bytes)), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_null(um_frame_give(&frame, &message));
    um_frame_deinit(&frame);

    um_frame_init(&frame, MESSAGE_LIMIT, PAYLOAD_LIMIT);
    assert_int_equal(um_frame_feed(&frame, bytes, strlen(bytes)), UMEM_OK);
    assert_int_equal(um_frame_keep(&frame), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_memory_equal(message.text, "{2}", 3);
    assert_null(um_frame_give(&frame, &message));
    um_frame_deinit(&frame);
}

/* Rows of bytes without brackets are passed at once: wherever one stands, it counts, and in a string it does not. */
static void test_brackets_at_any_place(void **state)
{
    enum { SIZE = 200 };
    static const char marks[] = "{}[]\"";
    char text[SIZE];

    (void)state;
    for (size_t at = 1; at < SIZE - 1; at++) {
        for (size_t i = 0; marks[i] != '\0'; i++) {
            struct um_json_end state_of = {.depth = 0};
            bool ends = marks[i] == '}' || marks[i] == ']';
            const char *expected = ends ? text + at + 1 : NULL;

            memset(text, 'x', sizeof text);
            text[0] = '[';
            text[at] = marks[i];
            text[SIZE - 1] = ']';
            assert_ptr_equal(um_json_find_end(&state_of, text, text + SIZE), expected);
        }
    }
}

/* Where a text with a long string ends, whatever stands at whichever place of it, and wherever it is cut. */
static void test_the_end_of_a_long_string(void **state)
{
    enum { SIZE = 700 };
    static const char *const middles[] = {"\\\"", "\\\\", "]}", "\t", "\xc3\xa4"};
    char text[SIZE + 8];

    (void)state;
    for (size_t middle = 0; middle < sizeof middles / sizeof *middles; middle++) {
        for (size_t place = 5; place < SIZE; place++) {
            size_t cut = place * 7 % (SIZE + 4);
            struct um_json_end whole = {.depth = 0};
            struct um_json_end pieces = {.depth = 0};

            memset(text, 'a', sizeof text);
            memcpy(text, "[\"\",\"", 5);
            memcpy(text + place, middles[middle], 2);
            memcpy(text + SIZE + 2, "\"][]", 4);
            assert_ptr_equal(um_json_find_end(&whole, text, text + sizeof text), text + SIZE + 4);
            assert_null(um_json_find_end(&pieces, text, text + cut));
            assert_ptr_equal(um_json_find_end(&pieces, text + cut, text + sizeof text), text + SIZE + 4);
        }
    }
}

/* Memory for a message that is as long as is expected: more of it has its place at once, and a shorter one is as good. */
static void test_memory_for_an_expected_message(void **state)
{
    enum { EXPECTED = 90 };
    struct um_frame_message message;
    struct um_frame frame;
    char bytes[] = "  [1,";
    size_t capacity;
    char *space;

    (void)state;
    um_frame_init(&frame, 100, 100);
    um_frame_expect(&frame, EXPECTED);
    assert_null(frame.kept.data);
    assert_int_equal(um_frame_feed(&frame, bytes, strlen(bytes)), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MORE);
    um_frame_expect(&frame, EXPECTED);
    assert_null(frame.kept.data);
    assert_int_equal(um_frame_keep(&frame), UMEM_OK);
    um_frame_expect(&frame, EXPECTED);
    assert_in_range(frame.kept.capacity, EXPECTED, SIZE_MAX);
    um_frame_expect(&frame, 1);
    space = um_frame_reserve(&frame, 1, &capacity);
    assert_non_null(space);
    memcpy(space, "2]\n", 3);
    um_frame_commit(&frame, 3);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_int_equal(message.size, strlen("[1,2]"));
    assert_memory_equal(message.text, "[1,2]", message.size);
    um_frame_deinit(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_blank_lines_are_ignored),
        cmocka_unit_test(test_last_line_needs_no_end),
        cmocka_unit_test(test_line_of_another_kind_stays_a_line),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_texts_end_with_their_outermost_bracket),
        cmocka_unit_test(test_brackets_in_strings_do_not_count),
        cmocka_unit_test(test_what_is_wrong_ends_somewhere),
        cmocka_unit_test(test_each_text_on_a_line_has_the_limit),
        cmocka_unit_test(test_texts_of_a_long_line_are_counted_once),
        cmocka_unit_test(test_what_a_message_lacks),
        cmocka_unit_test(test_line_limit),
        cmocka_unit_test(test_long_line_is_not_kept),
        cmocka_unit_test(test_untaken_messages_are_kept),
        cmocka_unit_test(test_a_message_gives_its_memory),
        cmocka_unit_test(test_a_message_without_memory_of_its_own),
        cmocka_unit_test(test_brackets_at_any_place),
        cmocka_unit_test(test_the_end_of_a_long_string),
        cmocka_unit_test(test_memory_for_an_expected_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
