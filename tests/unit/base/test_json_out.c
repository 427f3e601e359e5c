/* common/wire: the writing of JSON. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/json_write.h"

static void test_commas_and_escapes_are_placed(void **state)
{
    struct um_buf buf;

    (void)state;
    um_buf_init(&buf, 4096);
    um_json_begin_object(&buf);
    um_json_key(&buf, "a");
    um_json_begin_array(&buf);
    um_json_uint(&buf, 0);
    um_json_int(&buf, -7);
    um_json_null(&buf);
    um_json_bool(&buf, true);
    um_json_end_array(&buf);
    um_json_key(&buf, "b");
    um_json_begin_object(&buf);
    um_json_end_object(&buf);
    um_json_key(&buf, "c");
    um_json_string(&buf, "q\"\\\n\x01\x0b:,\xc3\xa4", 10);
    um_json_end_object(&buf);
    um_buf_append_byte(&buf, '\0');
    assert_string_equal(buf.data,
                        "{\"a\":[0,-7,null,true],\"b\":{},\"c\":\"q\\\"\\\\\\n\\u0001\\u000b:,\xc3\xa4\"}");
    um_buf_deinit(&buf);
}

/* What is to be written for one byte of a string. */
static void append_expected(struct um_buf *buf, unsigned char byte)
{
    static const char shorts[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    const char *found = byte != 0 ? strchr(shorts, byte) : NULL;
    char text[8];

    if (found != NULL)
        snprintf(text, sizeof text, "\\%c", letters[found - shorts]);
    else
        snprintf(text, sizeof text, byte < 0x20 ? "\\u%04x" : "%c", (int)byte);
    um_buf_append_string(buf, text);
}

/* Plain characters are passed over many at a time: each byte, at each distance from where such steps begin and end, alone and with
 * another one behind it. */
static void test_each_byte_is_escaped_wherever_it_stands(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 9, 17, 64, 257, 300, 400};
    struct um_buf expected;
    struct um_buf written;

    (void)state;
    um_buf_init(&expected, 8192);
    um_buf_init(&written, 8192);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t at = 0; at < sizes[i]; at++) {
            unsigned char text[400];

            memset(text, at % 2 == 0 ? 'a' : 0xc3, sizeof text);
            text[at] = (unsigned char)(at * 7 % 128);
            text[(at + at % 71) % sizes[i]] = at % 3 == 0 ? '"' : (unsigned char)(at % 0x20);
            um_buf_truncate(&expected, 0);
            um_buf_truncate(&written, 0);
            for (size_t j = 0; j < sizes[i]; j++)
                append_expected(&expected, text[j]);
            um_json_append_escaped(&written, (const char *)text, sizes[i]);
            assert_int_equal(written.size, expected.size);
            assert_memory_equal(written.data, expected.data, expected.size);
        }
    }
    um_buf_deinit(&expected);
    um_buf_deinit(&written);
}

static void expect_written(struct um_buf *buf, const char *text)
{
    um_buf_append_byte(buf, '\0');
    assert_string_equal(buf->data, text);
    um_buf_truncate(buf, 0);
}

/* Whatever a text came from, what leaves is UTF-8. */
static void test_other_bytes_are_replaced(void **state)
{
    struct um_buf buf;

    (void)state;
    um_buf_init(&buf, 4096);
    um_json_cstring(&buf, "\xff");
    expect_written(&buf, "\"\xef\xbf\xbd\"");
    um_json_cstring(&buf, "gr\xfc\xdf \"dich\" \xc3\xa4");
    expect_written(&buf, "\"gr\xef\xbf\xbd\xef\xbf\xbd \\\"dich\\\" \xc3\xa4\"");
    /* Cut in the middle of a character; a surrogate; a longer form than is needed. */
    um_json_cstring(&buf, "\xe2\x82");
    expect_written(&buf, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    um_json_cstring(&buf, "\xed\xa0\x80.\xc0\x80");
    expect_written(&buf, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.\xef\xbf\xbd\xef\xbf\xbd\"");
    um_buf_deinit(&buf);
}

static void test_numbers_are_exact(void **state)
{
    struct um_buf buf;

    (void)state;
    um_buf_init(&buf, 4096);
    um_json_int64(&buf, INT64_MIN);
    expect_written(&buf, "\"-9223372036854775808\"");
    um_json_uint64(&buf, UINT64_MAX);
    expect_written(&buf, "\"18446744073709551615\"");
    um_json_uint64(&buf, UINT64_C(9007199254740991));
    expect_written(&buf, "9007199254740991");
    um_json_uint64(&buf, UINT64_C(9007199254740992));
    expect_written(&buf, "\"9007199254740992\"");
    um_json_double(&buf, 0.1);
    expect_written(&buf, "0.1");
    um_json_double(&buf, (double)NAN);
    expect_written(&buf, "\"NaN\"");
    um_json_double(&buf, -(double)INFINITY);
    expect_written(&buf, "\"-Infinity\"");
    um_json_float(&buf, 0.1f);
    expect_written(&buf, "0.1");
    um_json_double(&buf, DBL_MAX);
    um_buf_append_byte(&buf, '\0');
    assert_true(fabs(strtod(buf.data, NULL) - DBL_MAX) <= 0);
    um_buf_deinit(&buf);
}

/* The first and the last number of each count of digits. */
static void test_integers_of_any_count_of_digits(void **state)
{
    uint64_t value = 1;
    struct um_buf buf;
    char text[32];

    (void)state;
    um_buf_init(&buf, 4096);
    for (int digits = 1; digits <= 20; digits++) {
        for (uint64_t less = 0; less < 2; less++) {
            um_json_uint(&buf, value - less);
            snprintf(text, sizeof text, "%llu", (unsigned long long)(value - less));
            expect_written(&buf, text);
            if (digits == 20)
                continue;
            um_json_int(&buf, -(int64_t)(value - less));
            snprintf(text, sizeof text, "%lld", -(long long)(value - less));
            expect_written(&buf, text);
        }
        value *= 10;
    }
    um_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commas_and_escapes_are_placed),
        cmocka_unit_test(test_each_byte_is_escaped_wherever_it_stands),
        cmocka_unit_test(test_other_bytes_are_replaced),
        cmocka_unit_test(test_numbers_are_exact),
        cmocka_unit_test(test_integers_of_any_count_of_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
