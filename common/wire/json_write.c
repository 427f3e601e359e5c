#include "wire/json_write.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/decimal.h"
#include "base/digits.h"
#include "base/encoding.h"
#include "base/text_avx2.h"
#include "base/word.h"

UM_ALWAYS_INLINE void write_value(struct um_buf *buf, const char *text, size_t size)
{
    char *space = um_json_value_space(buf, size);

    if (space == NULL)
        return;
    memcpy(space, text, size);
    buf->size += size;
}

void um_json_begin_object(struct um_buf *buf)
{
    write_value(buf, "{", 1);
}

void um_json_end_object(struct um_buf *buf)
{
    um_buf_append_byte(buf, '}');
}

void um_json_begin_array(struct um_buf *buf)
{
    write_value(buf, "[", 1);
}

void um_json_end_array(struct um_buf *buf)
{
    um_buf_append_byte(buf, ']');
}

void um_json_sized_key(struct um_buf *buf, const char *key, size_t size)
{
    um_json_put_key(buf, key, size);
}

static bool needs_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static void append_escape(struct um_buf *buf, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char shorts[] = "btn\0fr"; /* for 0x08 to 0x0d; 0x0b has none */

    um_buf_append_byte(buf, '\\');
    if (byte >= 0x20) {
        um_buf_append_byte(buf, (char)byte);
    } else if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b) {
        um_buf_append_byte(buf, shorts[byte - 0x08]);
    } else {
        um_buf_append(buf, "u00", 3);
        um_buf_append_byte(buf, digits[byte >> 4]);
        um_buf_append_byte(buf, digits[byte & 15]);
    }
}

/* How many bytes from `at` on are passed over eight at a time, because none of them needs an escape and all are ASCII. */
UM_ALWAYS_INLINE size_t plain_words(const char *at, size_t size)
{
    size_t plain = 0;

    while (size - plain >= UM_WORD_SIZE) {
        uint64_t word = um_word_load(at + plain);

        if (((um_word_mark_special(word) | word) & UM_WORD_TOPS) != 0)
            break;
        plain += UM_WORD_SIZE;
    }
    return plain;
}

/* How many bytes at the front need no escape. */
static size_t plain_size(const char *text, size_t size)
{
    size_t plain =
        size > UM_TEXT_WIDE_LENGTH ? um_text_plain_avx2((const unsigned char *)text, size, false) : 0;
    size_t end;

    do {
        plain += plain_words(text + plain, size - plain);
        end = size - plain > UM_WORD_SIZE ? plain + UM_WORD_SIZE : size;
        /* Some of these are not ASCII, or one needs an escape, or they are the last. */
        while (plain != end && !needs_escape((unsigned char)text[plain]))
            plain++;
    } while (plain == end && plain != size);
    return plain;
}

void um_json_append_escaped(struct um_buf *buf, const char *text, size_t size)
{
    size_t plain = plain_size(text, size);

    um_buf_append(buf, text, plain);
    while (plain != size) {
        append_escape(buf, (unsigned char)text[plain]);
        text += plain + 1;
        size -= plain + 1;
        plain = plain_size(text, size);
        um_buf_append(buf, text, plain);
    }
}

void um_json_string(struct um_buf *buf, const char *text, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

    write_value(buf, "\"", 1);
    for (;;) {
        size_t valid = um_utf8_check(text, size);

        um_json_append_escaped(buf, text, valid);
        if (valid == size)
            break;
        um_buf_append(buf, replacement, sizeof replacement - 1);
        text += valid + 1;
        size -= valid + 1;
    }
    um_buf_append_byte(buf, '"');
}

void um_json_cstring(struct um_buf *buf, const char *text)
{
    um_json_string(buf, text, strlen(text));
}

void um_json_uint(struct um_buf *buf, uint64_t value)
{
    char *space = um_json_value_space(buf, UM_DIGITS_SIZE);

    if (space != NULL)
        buf->size += um_digits_put_uint(space, value);
}

void um_json_int(struct um_buf *buf, int64_t value)
{
    char *space = um_json_value_space(buf, UM_DIGITS_SIZE);

    if (space != NULL)
        buf->size += um_digits_put_int(space, value);
}

void um_json_uint64(struct um_buf *buf, uint64_t value)
{
    char digits[UM_DIGITS_SIZE];

    if (value <= (uint64_t)UM_JSON_INTEGER_MAX)
        um_json_uint(buf, value);
    else
        um_json_string(buf, digits, um_digits_put_uint(digits, value));
}

void um_json_int64(struct um_buf *buf, int64_t value)
{
    char digits[UM_DIGITS_SIZE];

    if (value >= -UM_JSON_INTEGER_MAX && value <= UM_JSON_INTEGER_MAX)
        um_json_int(buf, value);
    else
        um_json_string(buf, digits, um_digits_put_int(digits, value));
}

static bool write_not_finite(struct um_buf *buf, double value)
{
    /* Comparisons rather than isfinite(), which some compilers' headers convert to float with a warning. */
    if (fabs(value) <= DBL_MAX)
        return false;
    um_json_cstring(buf, value > 0 ? "Infinity" : value < 0 ? "-Infinity" : "NaN");
    return true;
}

void um_json_double(struct um_buf *buf, double value)
{
    char *space;

    if (write_not_finite(buf, value))
        return;
    space = um_json_value_space(buf, UM_DECIMAL_CAPACITY);
    if (space != NULL)
        buf->size += um_decimal_print_double(value, space);
}

void um_json_float(struct um_buf *buf, float value)
{
    char *space;

    if (write_not_finite(buf, (double)value))
        return;
    space = um_json_value_space(buf, UM_DECIMAL_CAPACITY);
    if (space != NULL)
        buf->size += um_decimal_print_float(value, space);
}

void um_json_bool(struct um_buf *buf, bool value)
{
    if (value)
        write_value(buf, "true", 4);
    else
        write_value(buf, "false", 5);
}

void um_json_null(struct um_buf *buf)
{
    write_value(buf, "null", 4);
}

void um_json_put_int(struct um_buf *buf, const char *key, int64_t value)
{
    um_json_key(buf, key);
    um_json_int(buf, value);
}

void um_json_put_uint64(struct um_buf *buf, const char *key, uint64_t value)
{
    um_json_key(buf, key);
    um_json_uint64(buf, value);
}

void um_json_put_string(struct um_buf *buf, const char *key, const char *text)
{
    um_json_key(buf, key);
    if (text != NULL)
        um_json_cstring(buf, text);
    else
        um_json_null(buf);
}

void um_json_put_null(struct um_buf *buf, const char *key)
{
    um_json_key(buf, key);
    um_json_null(buf);
}

char *um_json_begin_raw_string(struct um_buf *buf, size_t size)
{
    char *space;

    write_value(buf, "\"", 1);
    space = um_buf_reserve(buf, size);
    if (space != NULL)
        buf->size += size;
    return space;
}

void um_json_end_raw_string(struct um_buf *buf)
{
    um_buf_append_byte(buf, '"');
}

void um_json_raw(struct um_buf *buf, const char *json, size_t size)
{
    write_value(buf, json, size);
}
