#include "lib/answer/scan.h"

#include <math.h>
#include <string.h>

#include "base/decimal.h"

/* ---- strings ---- */

/* Text that is being written, with a place for its end. */
struct writer {
    char *text;
    size_t size;
    size_t capacity;
};

static bool put(struct writer *writer, unsigned byte)
{
    if (writer->size + 1 >= writer->capacity)
        return false;
    writer->text[writer->size++] = (char)byte;
    return true;
}

static bool put_utf8(struct writer *writer, unsigned point)
{
    if (point < 0x80)
        return put(writer, point);
    if (point < 0x800)
        return put(writer, 0xc0 | point >> 6) && put(writer, 0x80 | (point & 0x3f));
    if (point < 0x10000)
        return put(writer, 0xe0 | point >> 12) && put(writer, 0x80 | (point >> 6 & 0x3f)) &&
               put(writer, 0x80 | (point & 0x3f));
    return put(writer, 0xf0 | point >> 18) && put(writer, 0x80 | (point >> 12 & 0x3f)) &&
           put(writer, 0x80 | (point >> 6 & 0x3f)) && put(writer, 0x80 | (point & 0x3f));
}

static unsigned read_hex4(const char *digits)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        unsigned digit = (unsigned char)digits[i];

        value = value << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    return value;
}

/* `at` stands on the backslash; returns what follows the escape, or NULL where it does not fit. */
static const char *put_escape(struct writer *writer, const char *at)
{
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    const char *letter;
    unsigned point;

    if (at[1] != 'u') {
        letter = strchr(letters, at[1]);
        return put(writer, (unsigned char)(letter != NULL ? meanings[letter - letters] : at[1])) ? at + 2
                                                                                                 : NULL;
    }
    point = read_hex4(at + 2);
    at += 6;
    if (point >= 0xd800 && point < 0xdc00) {
        point = 0x10000 + ((point - 0xd800) << 10) + (read_hex4(at + 2) - 0xdc00);
        at += 6;
    }
    return put_utf8(writer, point) ? at : NULL;
}

bool um_json_to_text(struct um_json_slice string, char *text, size_t capacity)
{
    struct writer writer = {text, 0, capacity};
    struct um_json_slice inside;
    const char *at;
    const char *end;

    if (!um_json_is_string(string) || capacity == 0)
        return false;
    inside = um_json_string_inside(string);
    at = inside.text;
    end = at + inside.size;
    while (at != NULL && at < end) {
        if (*at == '\\')
            at = put_escape(&writer, at);
        else
            at = put(&writer, (unsigned char)*at) ? at + 1 : NULL;
    }
    text[at != NULL ? writer.size : 0] = '\0';
    return at != NULL;
}

/* ---- numbers ---- */

static struct um_json_slice without_quotes(struct um_json_slice slice)
{
    return um_json_is_string(slice) ? um_json_string_inside(slice) : slice;
}

static bool digits_to_uint64(const char *digits, size_t size, uint64_t *value)
{
    uint64_t sum = 0;

    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned)(unsigned char)digits[i] - '0';

        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

bool um_json_to_uint64(struct um_json_slice slice, uint64_t *value)
{
    struct um_json_slice digits = without_quotes(slice);

    return digits_to_uint64(digits.text, digits.size, value);
}

bool um_json_to_int64(struct um_json_slice slice, int64_t *value)
{
    struct um_json_slice digits = without_quotes(slice);
    bool negative = digits.size != 0 && digits.text[0] == '-';
    uint64_t magnitude;

    if (digits.size == 0)
        return false;
    if (!digits_to_uint64(digits.text + negative, digits.size - negative, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *value = magnitude <= INT64_MAX ? (int64_t)magnitude : INT64_MIN;
    if (negative && magnitude <= INT64_MAX)
        *value = -*value;
    return true;
}

static bool to_not_finite(struct um_json_slice slice, double *value)
{
    struct um_json_slice inside = um_json_string_inside(slice);

    if (um_json_slice_is(inside, "NaN"))
        *value = (double)NAN;
    else if (um_json_slice_is(inside, "Infinity"))
        *value = (double)INFINITY;
    else if (um_json_slice_is(inside, "-Infinity"))
        *value = -(double)INFINITY;
    else
        return false;
    return true;
}

bool um_json_to_double(struct um_json_slice slice, double *value)
{
    if (um_json_is_string(slice))
        return to_not_finite(slice, value);
    return um_decimal_read_double(slice.text, slice.size, value);
}

bool um_json_to_float(struct um_json_slice slice, float *value)
{
    double wide;

    /* Not by way of a double: rounding twice may give a neighbour. */
    if (!um_json_is_string(slice))
        return um_decimal_read_float(slice.text, slice.size, value);
    if (!to_not_finite(slice, &wide))
        return false;
    *value = (float)wide;
    return true;
}
