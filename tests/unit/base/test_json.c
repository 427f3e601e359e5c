/* common/wire: the strict reading of JSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_errors.h"
#include "wire/json_read.h"

/* Checks a copy that ends exactly where the text does, so that a sanitizer sees a byte too many. */
static bool check(const char *text, size_t size, struct um_json_check *result)
{
    char *copy = malloc(size != 0 ? size : 1);
    bool good;

    assert_non_null(copy);
    memcpy(copy, text, size);
    good = um_json_check(copy, size, result);
    free(copy);
    return good;
}

static void test_json_is_accepted(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "0",
        "-0",
        "1.5e-3",
        "\"\"",
        "true",
        "false",
        "null",
        " [1, 2 ,{\"a\":[] }] \r\n\t",
        "\"\\u00e4\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "{\"a\":{\"b\":null},\"c\":[1,[2,[3]]]}",
        "\"\xc3\xa4\"",
    };
    struct um_json_check result;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(check(texts[i], strlen(texts[i]), &result));
        assert_null(result.what);
        assert_false(result.has_nul);
    }
}

static void test_what_is_not_json_is_refused_where_it_goes_wrong(void **state)
{
    static const struct {
        const char *text;
        size_t bad_offset;
    } cases[] = {
        {"", 0},
        {" ", 1},
        {"{", 1},
        {"[1,]", 3},
        {"{\"a\":1,}", 7},
        {"[1 2]", 3},
        {"{} {}", 3},
        {"01", 0},
        {"[-]", 1},
        {"1.", 0},
        {".5", 0},
        {"1e", 0},
        {"+1", 0},
        {"NaN", 0},
        {"Infinity", 0},
        {"nul", 0},
        {"truex", 4},
        {"'a'", 0},
        {"\"a", 0},
        {"\"\x01\"", 1},
        {"\"\\x\"", 1},
        {"\"\\u12g4\"", 1},
        {"\"\\ud800\"", 1},
        {"\"\\udc00\"", 1},
        {"\"\\ud800\\u0041\"", 1},
        {"{1:2}", 1},
        {"{\"a\" 1}", 5},
        {"[}", 1},
        {"{]", 1},
        {"]", 0},
        {"\"\xff\"", 1},
        {"[\"a\":1]", 4},
        {"// no\n1", 0},
        {"{\"a\":}", 5},
        {"[,1]", 1},
        {"\"\\", 1},
    };
    struct um_json_check result;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(check(cases[i].text, strlen(cases[i].text), &result));
        assert_non_null(result.what);
        if (result.bad_offset != cases[i].bad_offset)
            print_error("%s: at %d, not %d\n", cases[i].text, (int)result.bad_offset,
                        (int)cases[i].bad_offset);
        assert_int_equal(result.bad_offset, cases[i].bad_offset);
    }
}

/* Bytes that end plain text, at every distance from the eights in which that is read, before and behind characters that are known
 * to be UTF-8. */
static void test_what_is_wrong_in_a_string_is_found_at_any_distance(void **state)
{
    static const char *const wrongs[] = {"\x01", "\x1f", "\\x", "\xff", "\xc3", "\xed\xa0\x80"};
    static const char *const starts[] = {"[\"", "[\"\xc3\xa4\",\""};
    static const char plain[] = "0123456789012345678901234567890123456789";
    struct um_json_check result;
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0] * 2; i++) {
        for (int before = 0; before < 40; before++) {
            size_t bad_offset = strlen(starts[i % 2]) + (size_t)before;

            snprintf(text, sizeof text, "%s%.*s%sabcdefghij\"]", starts[i % 2], before, plain, wrongs[i / 2]);
            assert_false(check(text, strlen(text), &result));
            assert_int_equal(result.bad_offset, bad_offset);
            snprintf(text, sizeof text, "%s%.*s\"]", starts[i % 2], before, plain);
            assert_true(check(text, strlen(text), &result));
            /* Without its closing quote, it is the string that is wrong. */
            assert_false(check(text, strlen(text) - 2, &result));
            assert_int_equal(result.bad_offset, strlen(starts[i % 2]) - 1);
        }
    }
}

static void test_bytes_that_are_not_utf8_go_before_all_else(void **state)
{
    static const char *const texts[] = {"[1 2,\"\xff\"]", "{1:\xff", "[\"\x01\",\"\\u12g4 \xff\"]",
                                        "[] \xff"};
    struct um_json_check result;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(check(texts[i], strlen(texts[i]), &result));
        assert_string_equal(result.what, "a byte that is not UTF-8");
        assert_int_equal(result.bad_offset, strchr(texts[i], '\xff') - texts[i]);
    }
}

static void test_nesting_ends_at_64(void **state)
{
    enum { DEEP = 100000 };
    char *text = malloc(2 * DEEP);
    struct um_json_check result;

    (void)state;
    assert_non_null(text);
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    assert_true(check(text + DEEP - 64, 128, &result));
    assert_false(check(text + DEEP - 65, 130, &result));
    assert_int_equal(result.bad_offset, 64);
    assert_false(check(text, 2 * DEEP, &result));
    free(text);
}

static void test_nul_is_marked(void **state)
{
    char text[] = "\"a\\u0000b\"";
    char other[] = "\"\\\\ufdd0\\\\\\ufdd0\\n\\ufdd";
    struct um_json_check result;

    (void)state;
    assert_true(um_json_check(text, strlen(text), &result));
    assert_true(result.has_nul);
    assert_string_equal(text, "\"a\\ufdd0b\"");
    um_json_restore_nul(text, sizeof text - 1);
    assert_string_equal(text, "\"a\\u0000b\"");
    /* Only an escape is one, and what ends too soon is none. */
    um_json_restore_nul(other, sizeof other - 1);
    assert_string_equal(other, "\"\\\\ufdd0\\\\\\u0000\\n\\ufdd");
}

/* ---- the tree ---- */

static const struct um_json *read(struct um_arena *arena, char *text)
{
    struct um_json_check result;
    struct um_json *json = NULL;

    assert_int_equal(um_json_read(text, strlen(text), arena, &json, &result), UMEM_OK);
    assert_non_null(json);
    return json;
}

static void test_a_tree_is_what_the_text_says(void **state)
{
    char text[] = " {\"a\":[1,-2.5,{}],\"b\" : null,\"c\":[true,false,[]],\"\\u0061b\":\"x\"} ";
    struct um_arena arena = {0};
    const struct um_json *json = read(&arena, text);
    const struct um_json *list = um_json_member_of(json, "a");
    int64_t integer;

    (void)state;
    assert_int_equal(json->kind, UM_JSON_OBJECT);
    assert_int_equal(json->size, 4);
    assert_int_equal(list->size, 3);
    assert_true(um_json_integer_of(um_json_element_of(list, 0), &integer));
    assert_int_equal(integer, 1);
    assert_false(um_json_integer_of(um_json_element_of(list, 1), &integer));
    assert_true(um_json_double_of(um_json_element_of(list, 1)) == -2.5);
    assert_false(um_json_integer_of(um_json_element_of(list, 2), &integer));
    assert_int_equal(um_json_element_of(list, 2)->kind, UM_JSON_OBJECT);
    assert_null(um_json_element_of(list, 3));
    assert_true(um_json_is(um_json_member_of(json, "b"), UM_JSON_NULL));
    assert_int_equal(um_json_member_of(json, "c")->child->kind, UM_JSON_TRUE);
    assert_int_equal(um_json_element_of(um_json_member_of(json, "c"), 2)->kind, UM_JSON_ARRAY);
    assert_string_equal(um_json_member_of(json, "ab")->text, "x");
    assert_null(um_json_member_of(json, "A"));
    assert_null(um_json_member_of(list, "a"));
    um_arena_deinit(&arena);
}

static void test_strings_are_unescaped_in_place(void **state)
{
    /* Characters of one to four bytes, and escapes at every distance from the eights in which plain ones are read. */
    static const char escapes[] = "\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\u20ac\\ud83d\\ude00\xc3\xa4";
    static const char meanings[] = "\"\\/\b\f\n\r\t\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa4";
    char text[256];
    char wanted[256];

    (void)state;
    for (int before = 0; before < 40; before++) {
        struct um_arena arena = {0};
        const struct um_json *json;

        snprintf(text, sizeof text, "[\"%.*s%s%.*s\",7]", before, "0123456789012345678901234567890123456789",
                 escapes, before, "abcdefghijabcdefghijabcdefghijabcdefghij");
        snprintf(wanted, sizeof wanted, "%.*s%s%.*s", before, "0123456789012345678901234567890123456789",
                 meanings, before, "abcdefghijabcdefghijabcdefghijabcdefghij");
        json = read(&arena, text);
        assert_string_equal(json->child->text, wanted);
        assert_int_equal(json->child->size, strlen(wanted));
        assert_false(json->child->has_nul);
        assert_int_equal(json->child->next->integer, 7);
        um_arena_deinit(&arena);
    }
}

static void test_a_nul_is_marked(void **state)
{
    char text[] = "[\"a\\u0000b\",\"\\ufdd0\"]";
    struct um_arena arena = {0};
    const struct um_json *json = read(&arena, text);

    (void)state;
    assert_string_equal(json->child->text, "a" UM_JSON_NUL_MARK "b");
    assert_true(json->child->has_nul);
    assert_string_equal(json->child->next->text, UM_JSON_NUL_MARK);
    assert_false(json->child->next->has_nul);
    um_arena_deinit(&arena);
}

static void test_numbers_are_exact_where_they_can_be(void **state)
{
    static const struct {
        const char *text;
        bool is_integer;
        int64_t integer;
        double number;
    } cases[] = {
        {"0", true, 0, 0.0},
        {"-0", true, 0, 0.0},
        {"9007199254740991", true, INT64_C(9007199254740991), 9007199254740991.0},
        {"-9007199254740991", true, -INT64_C(9007199254740991), -9007199254740991.0},
        {"9007199254740992", false, 0, 9007199254740992.0},
        {"9007199254740993", false, 0, 9007199254740992.0},
        {"999999999999999999", false, 0, 1e18},
        {"18446744073709551616", false, 0, 18446744073709551616.0},
        {"1e2", true, 100, 100.0},
        {"100.0", true, 100, 100.0},
        {"0.1", false, 0, 0.1},
        {"1e400", false, 0, (double)INFINITY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct um_arena arena = {0};
        char text[64];
        const struct um_json *json;
        int64_t integer = 0;

        snprintf(text, sizeof text, "[%s]", cases[i].text);
        json = read(&arena, text)->child;
        assert_int_equal(um_json_integer_of(json, &integer), cases[i].is_integer);
        assert_true(integer == cases[i].integer);
        assert_true(um_json_double_of(json) >= cases[i].number && um_json_double_of(json) <= cases[i].number);
        assert_int_equal(copysign(1.0, um_json_double_of(json)) < 0, cases[i].text[0] == '-');
        assert_int_equal(um_json_number_size(json), strlen(cases[i].text));
        assert_memory_equal(json->text, cases[i].text, strlen(cases[i].text));
        um_arena_deinit(&arena);
    }
}

/* A number may have as many bytes as its message. Each form is cut at many places, so that the digits end in each place of a word. */
static void test_numbers_of_any_length(void **state)
{
    static const struct {
        const char *before;
        char repeated;
        const char *behind;
        double number;
    } forms[] = {
        {"1.", '0', "", 1.0},    {"25e-", '0', "1", 2.5}, {"1e+", '0', "3", 1000.0},
        {"-0.1", '0', "", -0.1}, {"4.", '9', "", 5.0},    {"0.", '0', "", 0.0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        for (int count = 40; count < 1400; count += 1 + count / 9) {
            struct um_arena arena = {0};
            char text[2048];
            const struct um_json *json;
            size_t size = (size_t)snprintf(text, sizeof text, "[%s", forms[i].before);

            memset(text + size, forms[i].repeated, (size_t)count);
            size += (size_t)count;
            size += (size_t)snprintf(text + size, sizeof text - size, "%s]", forms[i].behind);
            json = read(&arena, text)->child;
            assert_int_equal(um_json_number_size(json), size - 2);
            assert_true(um_json_double_of(json) == forms[i].number);
            um_arena_deinit(&arena);
        }
    }
}

/* Digits are read by eights where there may be so many. */
static void test_numbers_of_any_count_of_digits(void **state)
{
    static const char digits[] = "12345678901234567890";

    (void)state;
    for (int count = 1; count <= 20; count++) {
        struct um_arena arena = {0};
        char text[64];
        const struct um_json *json;
        int64_t integer = 0;
        int64_t negative = 0;
        double number;

        snprintf(text, sizeof text, "[%.*s,-%.*s,\"1234567890\"]", count, digits, count, digits);
        json = read(&arena, text)->child;
        number = um_json_double_of(json);
        assert_int_equal(um_json_integer_of(json, &integer), count <= 16);
        assert_int_equal(um_json_integer_of(json->next, &negative), count <= 16);
        assert_true(number <= strtod(text + 1, NULL) && number >= strtod(text + 1, NULL));
        assert_true(integer == (count <= 16 ? strtoll(text + 1, NULL, 10) : 0) && negative == -integer);
        assert_int_equal(json->next->next->size, 10);
        um_arena_deinit(&arena);
    }
}

/* A long string is looked through in larger and larger steps: whatever is not plain is found in each place. */
static void test_long_strings_are_looked_through(void **state)
{
    static const char *const bad[] = {"\x01", "\xff", "\\x", "\""};
    enum { LENGTH = 400 };

    (void)state;
    for (size_t place = 0; place < LENGTH - 2; place++) {
        char text[LENGTH + 2];
        struct um_json_check check;

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            memset(text, 'a', sizeof text);
            text[0] = text[LENGTH + 1] = '"';
            memcpy(text + 1 + place, bad[i], strlen(bad[i]));
            assert_false(um_json_check(text, sizeof text, &check));
            assert_int_equal(check.bad_offset, 1 + place + (bad[i][0] == '"'));
        }
        memset(text, 'a', sizeof text);
        text[0] = text[LENGTH + 1] = '"';
        memcpy(text + 1 + place, "\xc3\xa9", 2);
        assert_true(um_json_check(text, sizeof text, &check));
        text[LENGTH] = '\x1f';
        assert_false(um_json_check(text, sizeof text, &check));
        assert_int_equal(check.bad_offset, LENGTH);
    }
}

/* ---- in steps ---- */

/* Reads a copy in steps of so many bytes; `run` is known of it. */
static int read_in_steps(char *text, size_t size, size_t budget, const struct um_json_run *run,
                         struct um_arena *arena, struct um_json **json, struct um_json_check *result,
                         size_t *count)
{
    struct um_json_reader *steps = um_json_reader_new(text, size, arena, result);

    assert_non_null(steps);
    um_json_reader_skip(steps, run);
    *count = 1;
    while (um_json_reader_step(steps, budget))
        assert_true(++*count <= 2 * size + 4);
    return um_json_reader_end(steps, json);
}

static const struct um_json_run no_run = {0, 0};

static void expect_same_in_steps(const char *text, size_t size, size_t budget, const struct um_json_run *run)
{
    struct um_arena arenas[2] = {{NULL, 0, NULL}, {NULL, 0, NULL}};
    struct um_json *trees[2] = {NULL, NULL};
    struct um_json_check results[2];
    char *copies[2] = {malloc(size + 1), malloc(size + 1)};
    size_t count;

    assert_true(copies[0] != NULL && copies[1] != NULL);
    memcpy(copies[0], text, size);
    memcpy(copies[1], text, size);
    assert_int_equal(um_json_read(copies[0], size, &arenas[0], &trees[0], &results[0]),
                     read_in_steps(copies[1], size, budget, run, &arenas[1], &trees[1], &results[1], &count));
    assert_int_equal(results[0].bad_offset, results[1].bad_offset);
    if (results[0].what != NULL)
        assert_string_equal(results[0].what, results[1].what);
    else
        /* Unescaped texts are at the same positions. */
        assert_memory_equal(copies[0], copies[1], size);
    for (int i = 0; i < 2; i++) {
        um_arena_deinit(&arenas[i]);
        free(copies[i]);
    }
}

static void test_steps_read_what_is_read_at_once(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[1,2,[],{},[3,{\"a\":4}]]",
        " [1, 2 ,{\"a\":[] , \"b\" : \"c\"}] \r\n\t",
        "\"\\u00e4\\ud83d\\ude00\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        ("{\"\\u00e4\\n\\n\\n\\n\\n\\n\\n\\n long \\u0000\":\"\\u0000\\n\\n and "
         "\\u20ac\",\"z\":[\"\\n\\n\\n\"]}"),
        "{\"a\\n\\n\"\"b\":1}",
        "{\"a\\n\\n\":1,}",
        "[\"\\n\\n\\n\\x\"]",
        "[\"\\n\\n\\n\\n",
        "[\"\xe2\x82\xac\xe2\x82\xac\xf0\x9f\x98\x80\",1]",
        "[\"\xe2\x82\xac\xe2\x82\xac\xf0\x9f\x98\",x]",
        "[1,2,3\x80]",
        "[1 2]",
        "[1,2] 3",
        "\xff",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t budget = 1; budget < 40; budget += budget < 10 ? 1 : 7)
            expect_same_in_steps(texts[i], strlen(texts[i]), budget, &no_run);
    }
}

/* A run of which the look for the end of the text tells is right, however the text is cut, and reading is the same with and without it. */
static void test_a_known_run_is_passed_over(void **state)
{
    enum { SIZE = 900 };
    static const char *const before[] = {"[\"", "[\"\\n", "[1,\"b\",\"\xc3\xa4"};
    static const char *const middles[] = {"aa", "\\t", "\\x", "\xc3\xa4", "\xc3.", "\"a", "\ta", "\\\""};
    static const char after[] = "\",\"\\u0000\xc3\xa4\"] ";
    char text[SIZE + sizeof after];

    (void)state;
    for (size_t i = 0; i < sizeof middles / sizeof *middles * 3; i++) {
        for (size_t place = 12; place < SIZE - 2; place += 5) {
            struct um_json_end pieces = {.depth = 0};
            size_t cut = place * 31 % SIZE;
            size_t cut_again = cut + place * 17 % (SIZE - cut);
            size_t size = SIZE + sizeof after - 1;

            memset(text, 'a', sizeof text);
            memcpy(text, before[i % 3], strlen(before[i % 3]));
            memcpy(text + place, middles[i / 3], 2);
            memcpy(text + SIZE, after, sizeof after);
            (void)(um_json_find_end(&pieces, text, text + cut) == NULL &&
                   um_json_find_end(&pieces, text + cut, text + cut_again) == NULL &&
                   um_json_find_end(&pieces, text + cut_again, text + size) == NULL);
            for (size_t at = pieces.run.at; at < pieces.run.at + pieces.run.size; at++)
                assert_true((text[at] == 'a' || text[at] == 'b') && at < SIZE);
            expect_same_in_steps(text, size, 1 + place % 300, &pieces.run);
        }
    }
}

/* It takes no time, however long it is. */
static void test_a_known_run_takes_few_steps(void **state)
{
    enum { SIZE = 1 << 20, BUDGET = 1 << 12, PIECE = 77777 };
    char *text = malloc(SIZE);
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json *json = NULL;
    struct um_json_check result;
    struct um_json_end end = {.depth = 0};
    size_t count;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', SIZE);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + SIZE - 2, "\"}", 2);
    for (size_t at = 0; at < SIZE; at += PIECE)
        (void)um_json_find_end(&end, text + at, text + (SIZE - at < PIECE ? SIZE : at + PIECE));
    assert_int_equal(read_in_steps(text, SIZE, BUDGET, &end.run, &arena, &json, &result, &count), UMEM_OK);
    assert_int_equal(json->child->size, SIZE - 8);
    /* Where there are no wide steps, none is known. */
    if (end.run.size != 0) {
        assert_in_range(end.run.size, SIZE - 128, SIZE);
        assert_in_range(count, 2, 8);
    }
    um_arena_deinit(&arena);
    free(text);
}

/* Nothing but a number, or space, is longer than a step, and each byte is read twice. */
static void test_a_step_reads_no_more_than_it_may(void **state)
{
    static const struct {
        const char *before;
        const char *repeated;
        const char *after;
    } texts[] = {
        {"[", "1,", "1]"},
        {"[", "[],", "1]"},
        {"[\"", "\\n", "\"]"},
        {"{\"", "\\u20ac", "\":1}"},
        {"[\"", "\xe2\x82\xac", "\"]"},
        {"[\"", "x", "\"]"},
        {"{", "\"a\":1,", "\"b\":2}"},
    };
    enum { SIZE = 1 << 20, BUDGET = 1 << 12 };
    char *text = malloc(SIZE + 64);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct um_arena arena = {NULL, 0, NULL};
        struct um_json *json = NULL;
        struct um_json_check result;
        size_t count;
        char *at = text + sprintf(text, "%s", texts[i].before);

        while (at < text + SIZE)
            at += sprintf(at, "%s", texts[i].repeated);
        at += sprintf(at, "%s", texts[i].after);
        assert_int_equal(
            read_in_steps(text, (size_t)(at - text), BUDGET, &no_run, &arena, &json, &result, &count),
            UMEM_OK);
        assert_in_range(count, 2 * SIZE / BUDGET - 2, 2 * SIZE / BUDGET + 2);
        um_arena_deinit(&arena);
    }
    free(text);
}

/* A string that was unescaped leaves half a character behind, which is no reason to call the text no UTF-8. */
static void test_what_is_left_of_a_character(void **state)
{
    static const char cut[] = "[\"\\n\xce\x99";
    static const char bad[] = "[\"\\n\xce\x99\",] [\"\x99";
    char text[sizeof bad];
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json *json = NULL;
    struct um_json_check result;

    (void)state;
    memcpy(text, cut, sizeof cut);
    assert_int_equal(um_json_read_first(text, sizeof cut - 1, &arena, &json, &result), UMEM_E_PARSE_ERROR);
    assert_string_equal(result.what, "a string that does not end");
    assert_int_equal(result.bad_offset, 1);
    /* What is no UTF-8 behind the first text is not that one's. */
    memcpy(text, bad, sizeof bad);
    assert_int_equal(um_json_read_first(text, sizeof bad - 1, &arena, &json, &result), UMEM_E_PARSE_ERROR);
    assert_int_equal(result.size, 9);
    assert_int_equal(result.bad_offset, 8);
    /* In it, it goes before all else that is wrong. */
    memcpy(text, bad, sizeof bad);
    text[7] = '\x99';
    assert_int_equal(um_json_read_first(text, sizeof bad - 1, &arena, &json, &result), UMEM_E_PARSE_ERROR);
    assert_int_equal(result.bad_offset, 7);
    um_arena_deinit(&arena);
}

/* Long space is passed in rows: each kind of it counts, and a byte that is none is found wherever it stands. */
static void test_long_space(void **state)
{
    enum { SIZE = 200 };
    static const char others[] = "x\v\b\x1f!,\x7f";
    char text[SIZE + 1];

    (void)state;
    for (size_t at = 1; at < SIZE; at++) {
        struct um_json_check check;

        for (size_t i = 0; i < SIZE; i++)
            text[i] = " \n\r\t"[(i + at) % 4];
        text[0] = '1';
        text[SIZE] = '\0';
        assert_true(um_json_check(text, SIZE, &check));
        text[at] = others[at % (sizeof others - 1)];
        assert_false(um_json_check(text, SIZE, &check));
        assert_int_equal(check.bad_offset, at);
    }
}

static void test_what_is_half_read_may_be_forgotten(void **state)
{
    char text[] = "{\"a\":[1,2,\"\\n\\n\\n\\n\\n\\n\\n\"]}";
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json_check result;
    struct um_json_reader *steps = um_json_reader_new(text, strlen(text), &arena, &result);

    (void)state;
    assert_non_null(steps);
    for (int i = 0; i < 14; i++)
        assert_true(um_json_reader_step(steps, 2));
    assert_true(result.values > 2);
    um_json_reader_free(steps);
    um_json_reader_free(NULL);
    um_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_read_what_is_read_at_once),
        cmocka_unit_test(test_a_known_run_is_passed_over),
        cmocka_unit_test(test_a_known_run_takes_few_steps),
        cmocka_unit_test(test_a_step_reads_no_more_than_it_may),
        cmocka_unit_test(test_what_is_half_read_may_be_forgotten),
        cmocka_unit_test(test_long_space),
        cmocka_unit_test(test_what_is_left_of_a_character),
        cmocka_unit_test(test_long_strings_are_looked_through),
        cmocka_unit_test(test_json_is_accepted),
        cmocka_unit_test(test_what_is_not_json_is_refused_where_it_goes_wrong),
        cmocka_unit_test(test_what_is_wrong_in_a_string_is_found_at_any_distance),
        cmocka_unit_test(test_bytes_that_are_not_utf8_go_before_all_else),
        cmocka_unit_test(test_nesting_ends_at_64),
        cmocka_unit_test(test_numbers_of_any_length),
        cmocka_unit_test(test_nul_is_marked),
        cmocka_unit_test(test_a_tree_is_what_the_text_says),
        cmocka_unit_test(test_strings_are_unescaped_in_place),
        cmocka_unit_test(test_a_nul_is_marked),
        cmocka_unit_test(test_numbers_are_exact_where_they_can_be),
        cmocka_unit_test(test_numbers_of_any_count_of_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
