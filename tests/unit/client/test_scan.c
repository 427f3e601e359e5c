/* JSON text walked over without a tree, and its strings and numbers read. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "lib/answer/scan.h"

static struct um_json_slice slice_of(const char *text)
{
    return um_json_slice_of(text, strlen(text));
}

static void test_walk(void **state)
{
    struct um_json_slice object =
        slice_of(" { \"a\" : [1, \"]\\\\\", {\"b\":2}] , \"\\\"\":{ } ,\"c\":-1.5e3}\r\n");
    struct um_json_walk walk = um_json_walk_into(object);
    struct um_json_slice key;
    struct um_json_slice value;

    (void)state;
    assert_true(um_json_is_object(object));
    assert_true(um_json_next_member(&walk, &key, &value));
    assert_true(um_json_slice_is(key, "a"));
    assert_true(um_json_slice_is(value, "[1, \"]\\\\\", {\"b\":2}]"));
    assert_true(um_json_next_member(&walk, &key, &value));
    assert_true(um_json_slice_is(key, "\\\""));
    assert_true(um_json_slice_is(value, "{ }"));
    assert_true(um_json_next_member(&walk, &key, &value));
    assert_true(um_json_slice_is(value, "-1.5e3"));
    assert_false(um_json_next_member(&walk, &key, &value));

    walk = um_json_walk_into(um_json_member(object, "a"));
    assert_true(um_json_next_element(&walk, &value));
    assert_true(um_json_slice_is(value, "1"));
    assert_true(um_json_next_element(&walk, &value));
    assert_true(um_json_slice_is(value, "\"]\\\\\""));
    assert_true(um_json_next_element(&walk, &value));
    assert_false(um_json_next_element(&walk, &value));
    walk = um_json_walk_into(slice_of("[ ]"));
    assert_false(um_json_next_element(&walk, &value));
    assert_null(um_json_member(object, "b").text);
    assert_null(um_json_member(value, "b\"").text);
    assert_null(um_json_member(slice_of("[]"), "a").text);
    assert_null(um_json_member((struct um_json_slice){NULL, 0}, "a").text);
}

static void test_strings(void **state)
{
    char text[16];

    (void)state;
    assert_true(um_json_to_text(slice_of("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), text, sizeof text));
    assert_string_equal(text, "\"\\/\b\f\n\r\t");
    assert_true(um_json_to_text(slice_of("\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00z\""), text, sizeof text));
    assert_string_equal(text, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    assert_true(um_json_to_text(slice_of("\"\""), text, 1));
    assert_string_equal(text, "");
    assert_true(um_json_to_text(slice_of("\"abc\""), text, 4));
    assert_false(um_json_to_text(slice_of("\"abc\""), text, 3));
    assert_string_equal(text, "");
    assert_false(um_json_to_text(slice_of("5"), text, sizeof text));
    assert_false(um_json_to_text((struct um_json_slice){NULL, 0}, text, sizeof text));
}

static void test_integers(void **state)
{
    static const char *const none[] = {"1.0",  "1e2",  "\"\"", "\"-\"",  "-",
                                       "true", "null", "[]",   "\"1x\"", "\" 1\""};
    uint64_t natural = 0;
    int64_t integer = 0;

    (void)state;
    assert_true(um_json_to_uint64(slice_of("9007199254740991"), &natural) && natural == 9007199254740991);
    assert_true(um_json_to_uint64(slice_of("\"18446744073709551615\""), &natural) && natural == UINT64_MAX);
    assert_false(um_json_to_uint64(slice_of("\"18446744073709551616\""), &natural));
    assert_false(um_json_to_uint64(slice_of("-1"), &natural));
    assert_true(um_json_to_int64(slice_of("-9223372036854775808"), &integer) && integer == INT64_MIN);
    assert_true(um_json_to_int64(slice_of("\"9223372036854775807\""), &integer) && integer == INT64_MAX);
    assert_false(um_json_to_int64(slice_of("9223372036854775808"), &integer));
    assert_false(um_json_to_int64(slice_of("-9223372036854775809"), &integer));
    assert_true(um_json_to_int64(slice_of("-0"), &integer) && integer == 0);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(um_json_to_uint64(slice_of(none[i]), &natural));
        assert_false(um_json_to_int64(slice_of(none[i]), &integer));
    }
    assert_false(um_json_to_uint64((struct um_json_slice){NULL, 0}, &natural));
    assert_false(um_json_to_int64((struct um_json_slice){NULL, 0}, &integer));
}

static void test_floats(void **state)
{
    char longest[100];
    double wide = 0;
    float narrow = 0;

    (void)state;
    assert_true(um_json_to_double(slice_of("-1.7976931348623157e+308"), &wide) && wide <= -DBL_MAX);
    assert_true(um_json_to_double(slice_of("0.1"), &wide) && wide > 0.09999999999999999 && wide < 0.11);
    assert_true(um_json_to_double(slice_of("\"NaN\""), &wide) && !(wide <= 0 || wide > 0));
    assert_true(um_json_to_double(slice_of("\"-Infinity\""), &wide) && wide < -DBL_MAX);
    assert_true(um_json_to_float(slice_of("\"Infinity\""), &narrow) && narrow > FLT_MAX);
    assert_true(um_json_to_float(slice_of("3.4028235e38"), &narrow) && narrow >= FLT_MAX);
    /* Right above the middle between two floats: by way of a double it would be the lower one. */
    assert_true(um_json_to_float(slice_of("1.00000005960464477539062500000001"), &narrow) && narrow > 1.0F);
    assert_true(um_json_to_float(slice_of("1.000000059604644775390625"), &narrow) && narrow <= 1.0F);
    assert_false(um_json_to_double(slice_of("\"1\""), &wide));
    assert_false(um_json_to_double(slice_of("null"), &wide));
    assert_false(um_json_to_double((struct um_json_slice){NULL, 0}, &wide));
    /* Longer than any number that the daemon writes. */
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_true(um_json_to_double(slice_of(longest), &wide) && wide > 1.11e98 && wide < 1.12e98);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_floats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
