/* JSON split into its outermost values, whose text stays, and values read as the protocol has them. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "base/umem_errors.h"
#include "wire/json_value.h"

static struct um_arena arena;
static char *copy; /* ends where the memory does, so that the sanitizers see a byte too far */

static char *copy_of(const char *text)
{
    size_t size = strlen(text);

    free(copy);
    copy = malloc(size);
    assert_non_null(copy);
    return memcpy(copy, text, size);
}

static int free_copy(void **state)
{
    (void)state;
    free(copy);
    um_arena_deinit(&arena);
    return 0;
}

static struct um_json *split(const char *text)
{
    struct um_json_check check;
    struct um_json *json = NULL;

    assert_int_equal(um_json_split(copy_of(text), strlen(text), &arena, &json, &check), UMEM_OK);
    return json;
}

/* Reads a text into a tree: NULL where it is no JSON. */
static const struct um_json *tree_of(const char *text)
{
    struct um_json_check check;
    struct um_json *json = NULL;

    return um_json_read(copy_of(text), strlen(text), &arena, &json, &check) == UMEM_OK ? json : NULL;
}

static bool text_is(const struct um_json *json, const char *expected)
{
    size_t size;
    const char *text = um_json_text_of(json, &size);

    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

static void test_split(void **state)
{
    const struct um_json *object =
        split(" { \"a\" : [1, \"]\\\\\", {\"b\":2}] , \"\\\"\":{ } ,\"c\":-1.5e3}\r\n");
    const struct um_json *value;

    (void)state;
    assert_true(um_json_is(object, UM_JSON_OBJECT));
    assert_int_equal(object->size, 3);
    value = object->child;
    assert_string_equal(value->key, "a");
    assert_true(text_is(value, "[1, \"]\\\\\", {\"b\":2}]"));
    value = value->next;
    assert_string_equal(value->key, "\\\"");
    assert_true(text_is(value, "{ }"));
    value = value->next;
    assert_true(text_is(value, "-1.5e3"));
    assert_null(value->next);

    value = split("[1, \"]\\\\\", {\"b\":2}]")->child;
    assert_true(text_is(value, "1"));
    value = value->next;
    assert_true(text_is(value, "\"]\\\\\""));
    value = value->next;
    assert_true(text_is(value, "{\"b\":2}"));
    assert_null(value->next);
    assert_null(split("[ ]")->child);
    assert_null(um_json_member_of(split("{\"a\":{\"b\":1}}"), "b"));
    assert_null(um_json_member_of(split("[]"), "a"));
    assert_null(um_json_member_of(NULL, "a"));
    assert_true(text_is(split("{\"a\":true}")->child, "true"));
    assert_true(text_is(split("{\"a\":12}")->child, "12"));
    assert_true(text_is(split("{\"a\":null,\"b\":[[{}],{\"c\":[]}]}")->child->next, "[[{}],{\"c\":[]}]"));
    assert_true(text_is(split("{\"a\":\"\\u0000\"}")->child, "\"\\ufdd0\""));
}

/* Nested values are checked at any depth, and the values of a tree are counted. */
static void test_split_refuses(void **state)
{
    static const char *const none[] = {
        "",      "{",     "[1,]",      "{\"a\":[1,]}",  "{\"a\":[01]}", "{\"a\":[\"\xff\"]}", "{\"a\":1} 2",
        "[1] ]", "[[1}]", "{\"a\" 1}", "{\"a\":{1:2}}", "[\"\\x\"]",
    };
    struct um_json_check check;
    struct um_json *json;
    char deep[2 * UM_JSON_DEPTH_LIMIT + 2];

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (um_json_split(copy_of(none[i]), strlen(none[i]), &arena, &json, &check) != UMEM_E_PARSE_ERROR ||
            check.what == NULL)
            fail_msg("split: %s", none[i]);
    }
    memset(deep, '[', UM_JSON_DEPTH_LIMIT);
    memset(deep + UM_JSON_DEPTH_LIMIT, ']', UM_JSON_DEPTH_LIMIT);
    assert_int_equal(um_json_split(deep, sizeof deep - 2, &arena, &json, &check), UMEM_OK);
    memset(deep, '[', UM_JSON_DEPTH_LIMIT + 1);
    memset(deep + UM_JSON_DEPTH_LIMIT + 1, ']', UM_JSON_DEPTH_LIMIT + 1);
    assert_int_equal(um_json_split(deep, sizeof deep, &arena, &json, &check), UMEM_E_PARSE_ERROR);
}

/* Only the outermost values take memory. */
static void test_split_counts(void **state)
{
    enum { COUNT = UM_JSON_VALUES_LIMIT };
    size_t size = 2 * COUNT + 4;
    char *text = malloc(size);
    struct um_json_check check;
    struct um_json *json;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < COUNT; i++)
        memcpy(text + 2 + 2 * i, "1,", 2);
    memcpy(text, "[[", 2);
    memcpy(text + size - 3, "]] ", 3);
    assert_int_equal(um_json_split(text, size, &arena, &json, &check), UMEM_OK);
    assert_int_equal(check.values, 2);
    text[0] = ' ';
    text[size - 2] = ' ';
    assert_int_equal(um_json_split(text, size, &arena, &json, &check), UMEM_E_TOO_LARGE);
    free(text);
}

static void test_strings(void **state)
{
    char text[16];

    (void)state;
    assert_true(um_json_to_text(tree_of("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), text, sizeof text));
    assert_string_equal(text, "\"\\/\b\f\n\r\t");
    assert_true(um_json_to_text(tree_of("\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00z\""), text, sizeof text));
    assert_string_equal(text, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    assert_true(um_json_to_text(tree_of("\"\""), text, 1));
    assert_string_equal(text, "");
    assert_true(um_json_to_text(tree_of("\"abc\""), text, 4));
    assert_false(um_json_to_text(tree_of("\"abc\""), text, 3));
    assert_string_equal(text, "");
    assert_false(um_json_to_text(tree_of("5"), text, sizeof text));
    assert_false(um_json_to_text(NULL, text, sizeof text));
}

static void test_integers(void **state)
{
    static const char *const none[] = {"1.0",  "1e2",  "\"\"", "\"-\"",  "-",
                                       "true", "null", "[]",   "\"1x\"", "\" 1\""};
    uint64_t natural = 0;
    int64_t integer = 0;

    (void)state;
    assert_true(um_json_to_uint64(tree_of("9007199254740991"), &natural) && natural == 9007199254740991);
    assert_true(um_json_to_uint64(tree_of("\"18446744073709551615\""), &natural) && natural == UINT64_MAX);
    assert_false(um_json_to_uint64(tree_of("\"18446744073709551616\""), &natural));
    assert_false(um_json_to_uint64(tree_of("-1"), &natural));
    assert_true(um_json_to_int64(tree_of("-9223372036854775808"), &integer) && integer == INT64_MIN);
    assert_true(um_json_to_int64(tree_of("\"9223372036854775807\""), &integer) && integer == INT64_MAX);
    assert_false(um_json_to_int64(tree_of("9223372036854775808"), &integer));
    assert_false(um_json_to_int64(tree_of("-9223372036854775809"), &integer));
    assert_true(um_json_to_int64(tree_of("-0"), &integer) && integer == 0);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(um_json_to_uint64(tree_of(none[i]), &natural));
        assert_false(um_json_to_int64(tree_of(none[i]), &integer));
    }
    assert_false(um_json_to_uint64(NULL, &natural));
    assert_false(um_json_to_int64(NULL, &integer));
}

static void test_floats(void **state)
{
    char longest[100];
    double wide = 0;
    float narrow = 0;

    (void)state;
    assert_true(um_json_to_double(tree_of("-1.7976931348623157e+308"), &wide) && wide <= -DBL_MAX);
    assert_true(um_json_to_double(tree_of("0.1"), &wide) && wide > 0.09999999999999999 && wide < 0.11);
    assert_true(um_json_to_double(tree_of("\"NaN\""), &wide) && !(wide <= 0 || wide > 0));
    assert_true(um_json_to_double(tree_of("\"-Infinity\""), &wide) && wide < -DBL_MAX);
    assert_true(um_json_to_float(tree_of("\"Infinity\""), &narrow) && narrow > FLT_MAX);
    assert_true(um_json_to_float(tree_of("3.4028235e38"), &narrow) && narrow >= FLT_MAX);
    /* Right above the middle between two floats: by way of a double it would be the lower one. */
    assert_true(um_json_to_float(tree_of("1.00000005960464477539062500000001"), &narrow) && narrow > 1.0F);
    assert_true(um_json_to_float(tree_of("1.000000059604644775390625"), &narrow) && narrow <= 1.0F);
    assert_false(um_json_to_double(tree_of("\"1\""), &wide));
    assert_false(um_json_to_double(tree_of("null"), &wide));
    assert_false(um_json_to_double(NULL, &wide));
    /* Longer than any number that the daemon writes. */
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_true(um_json_to_double(tree_of(longest), &wide) && wide > 1.11e98 && wide < 1.12e98);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),        cmocka_unit_test(test_split_refuses),
        cmocka_unit_test(test_split_counts), cmocka_unit_test(test_strings),
        cmocka_unit_test(test_integers),     cmocka_unit_test(test_floats),
    };

    return cmocka_run_group_tests(tests, NULL, free_copy);
}
