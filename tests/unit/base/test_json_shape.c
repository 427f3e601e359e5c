/* common/wire: the reading of JSON by the shape of an earlier text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shape_pair.h"
#include "wire/json_shape.h"

static const char *const request_fixed[2] = {"jsonrpc", "method"};

static enum shape_pair_result pair_of(const char *example, const char *text)
{
    const char *wrong = NULL;
    enum shape_pair_result result =
        shape_pair_check(example, strlen(example), text, strlen(text), request_fixed, &wrong);

    if (wrong != NULL)
        fail_msg("%s differs: %s", wrong, text);
    return result;
}

static void test_texts_that_have_the_shape(void **state)
{
    static const char *const pairs[][2] = {
        {"{\"id\":1,\"method\":\"m\"}", "{\"id\":2,\"method\":\"m\"}"},
        {"{\"id\":1,\"method\":\"m\"}", "{\"id\":9007199254740991,\"method\":\"m\"}"},
        {"{\"id\":1,\"method\":\"m\"}", "{\"id\":-9007199254740991,\"method\":\"m\"}"},
        {"{\"id\":12345678,\"method\":\"m\"}", "{\"id\":-0,\"method\":\"m\"}"},
        {"{\"id\":\"a\",\"method\":\"m\"}", "{\"id\":\"\",\"method\":\"m\"}"},
        {"{\"id\":\"\",\"method\":\"m\"}", "{\"id\":\"01234567890123456789\x7f\",\"method\":\"m\"}"},
        {"{\"id\":\"\xc3\xa4\",\"method\":\"m\"}", "{\"id\":\"a\",\"method\":\"m\"}"},
        {"{\"params\":{\"block\":12,\"data\":\"aGk=\",\"n\":null,\"o\":[1,true,2]},\"id\":1}",
         "{\"params\":{\"block\":7,\"data\":\"\",\"n\":null,\"o\":[-5,true,10]},\"id\":1000}"},
        {" { \"id\" : 1 } \r", " { \"id\" : 2 } \r"},
        {"{\"\\u0061\\n\":[],\"b\":{},\"c\":1.50,\"d\":1e3}",
         "{\"\\u0061\\n\":[],\"b\":{},\"c\":1.50,\"d\":1e3}"},
        {"{\"method\":\"\\u006d\\u0000\",\"id\":1}", "{\"method\":\"\\u006d\\u0000\",\"id\":2}"},
        {"[1,2]", "[3,4]"},
        {"1", "23"},
        {"\"a\"", "\"bc\""},
        {"true", "true"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pair_of(pairs[i][0], pairs[i][1]) != SHAPE_PAIR_READ)
            fail_msg("does not have the shape: %s", pairs[i][1]);
    }
}

static void test_texts_that_do_not_have_the_shape(void **state)
{
    static const char example[] = "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}";
    static const char *const texts[] = {
        "",
        "{",
        "{\"id\":",
        "{\"id\":1",
        "{\"id\":,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":-,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":01,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":-01,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":+1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":1.0,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":1e2,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":9007199254740992,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":-9007199254740992,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":10000000000000000,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":18446744073709551617,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":100000000000000000000000000000001,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":\"1\",\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":null,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\": 1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":1,\"method\":\"o\",\"params\":{\"name\":\"n\",\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"nome\":\"n\",\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":false}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":null}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":7,\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"a\\nb\",\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"01234567\\\"\",\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"01234567\\u0000\",\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"\xc3\xa4\",\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"0123456\x80\",\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"tab\there\",\"on\":true}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"n",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}} ",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}}",
        "{\"id\":1,\"method\":\"m\",\"params\":{\"name\":\"n\",\"on\":true}}{}",
    };

    (void)state;
    assert_int_equal(pair_of(example, example), SHAPE_PAIR_READ);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (pair_of(example, texts[i]) != SHAPE_PAIR_OTHER)
            fail_msg("has the shape: %s", texts[i]);
    }
}

/* What a shape has no place for is not learned: too many values, too many bytes, a string whose end is not known. */
static void test_examples_that_make_no_shape(void **state)
{
    static const char escaped[] = "{\"id\":\"a\\\"\"}";
    char many[4 * UM_JSON_SHAPE_VALUES];
    char longer[2 * UM_JSON_SHAPE_BYTES];

    (void)state;
    assert_int_equal(pair_of(escaped, escaped), SHAPE_PAIR_NO_EXAMPLE);
    assert_int_equal(pair_of("{", "{"), SHAPE_PAIR_NO_EXAMPLE);

    /* With the array itself, so many just fit. */
    for (size_t count = UM_JSON_SHAPE_VALUES - 1; count <= UM_JSON_SHAPE_VALUES; count++) {
        size_t size = 0;

        for (size_t i = 0; i < count; i++)
            size += (size_t)snprintf(many + size, sizeof many - size, "%c7", i == 0 ? '[' : ',');
        snprintf(many + size, sizeof many - size, "]");
        assert_int_equal(pair_of(many, many),
                         count < UM_JSON_SHAPE_VALUES ? SHAPE_PAIR_READ : SHAPE_PAIR_NO_EXAMPLE);
    }
    for (int size = UM_JSON_SHAPE_BYTES - 10; size < UM_JSON_SHAPE_BYTES + 10; size++) {
        /* All but the number: a brace, two quotes, a colon, another brace. */
        snprintf(longer, sizeof longer, "{\"%0*d\":1}", size - 5, 0);
        assert_int_equal(pair_of(longer, longer),
                         size <= UM_JSON_SHAPE_BYTES ? SHAPE_PAIR_READ : SHAPE_PAIR_NO_EXAMPLE);
    }
}

static void test_a_long_text_is_not_compared(void **state)
{
    static const char example[] = "{\"a\":\"b\"}";
    char *text = malloc(UM_JSON_SHAPE_TEXT + 2);
    size_t rest = sizeof example - 2; /* all but the string */

    (void)state;
    assert_non_null(text);
    for (size_t size = UM_JSON_SHAPE_TEXT - 1; size <= UM_JSON_SHAPE_TEXT + 1; size++) {
        memset(text, 'x', size);
        memcpy(text, "{\"a\":\"", 6);
        memcpy(text + size - 2, "\"}", 3);
        assert_true(strlen(text) == size && size > rest);
        assert_int_equal(pair_of(example, text),
                         size <= UM_JSON_SHAPE_TEXT ? SHAPE_PAIR_READ : SHAPE_PAIR_OTHER);
    }
    free(text);
}

/* Every text that differs in one byte from one that has the shape: both readers say the same of it, or the shape says nothing. */
static void test_one_byte_differs(void **state)
{
    static const char example[] =
        "{\"jsonrpc\":\"2.0\",\"id\":123456789,\"method\":\"block.write\",\"params\":"
        "{\"block\":10,\"data\":\"aGVsbG8gd29ybGQ=\",\"offset\":0,\"at\":[null,1.5,\"\"]}}";
    char text[sizeof example];
    size_t read = 0;

    (void)state;
    for (size_t at = 0; at + 1 < sizeof example; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(text, example, sizeof example);
            if (byte == 0)
                continue;
            text[at] = (char)byte;
            read += pair_of(example, text) == SHAPE_PAIR_READ;
        }
    }
    /* Other digits and other characters of a string have it. */
    assert_true(read > 9 * 10 + 16 * 90 && read < sizeof example * 256 / 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_that_have_the_shape),
        cmocka_unit_test(test_texts_that_do_not_have_the_shape),
        cmocka_unit_test(test_examples_that_make_no_shape),
        cmocka_unit_test(test_a_long_text_is_not_compared),
        cmocka_unit_test(test_one_byte_differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
