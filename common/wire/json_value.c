#include "wire/json_value.h"

#include <math.h>
#include <string.h>

#include "base/decimal.h"

/* Reads digits, after a sign where `negative` is given. */
static bool read_digits(const char *digits, size_t size, uint64_t *value)
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

/* The text of what may be an integer: of a number or a string. NULL: it is neither. */
static const char *digits_of(const struct um_json *json, size_t *size)
{
    if (um_json_is(json, UM_JSON_NUMBER)) {
        *size = um_json_number_size(json);
        return json->text;
    }
    if (!um_json_is(json, UM_JSON_STRING))
        return NULL;
    *size = json->size;
    return json->text;
}

bool um_json_to_uint64(const struct um_json *json, uint64_t *value)
{
    size_t size;
    const char *digits = digits_of(json, &size);

    return digits != NULL && read_digits(digits, size, value);
}

bool um_json_to_int64(const struct um_json *json, int64_t *value)
{
    size_t size;
    const char *digits = digits_of(json, &size);
    bool is_negative = digits != NULL && size != 0 && *digits == '-';
    uint64_t magnitude;

    if (digits == NULL || !read_digits(digits + is_negative, size - is_negative, &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + is_negative)
        return false;
    *value = magnitude <= INT64_MAX ? (int64_t)magnitude : INT64_MIN;
    if (is_negative && magnitude <= INT64_MAX)
        *value = -*value;
    return true;
}

static bool read_not_finite(const struct um_json *json, double *value)
{
    if (um_json_says(json, "NaN"))
        *value = (double)NAN;
    else if (um_json_says(json, "Infinity"))
        *value = (double)INFINITY;
    else if (um_json_says(json, "-Infinity"))
        *value = -(double)INFINITY;
    else
        return false;
    return true;
}

bool um_json_to_double(const struct um_json *json, double *value)
{
    if (!um_json_is(json, UM_JSON_NUMBER))
        return read_not_finite(json, value);
    return um_decimal_read_double(json->text, um_json_number_size(json), value);
}

bool um_json_to_float(const struct um_json *json, float *value)
{
    double wide;

    /* Not through a double: rounding twice may give a neighbour. */
    if (um_json_is(json, UM_JSON_NUMBER))
        return um_decimal_read_float(json->text, um_json_number_size(json), value);
    if (!read_not_finite(json, &wide))
        return false;
    *value = (float)wide;
    return true;
}

bool um_json_to_bool(const struct um_json *json, bool *value)
{
    if (!um_json_is(json, UM_JSON_TRUE) && !um_json_is(json, UM_JSON_FALSE))
        return false;
    *value = json->kind == UM_JSON_TRUE;
    return true;
}

bool um_json_to_text(const struct um_json *json, char *text, size_t capacity)
{
    bool fits = um_json_is(json, UM_JSON_STRING) && json->size < capacity;

    if (fits)
        memcpy(text, json->text, json->size);
    if (capacity != 0)
        text[fits ? json->size : 0] = '\0';
    return fits;
}

bool um_json_says(const struct um_json *json, const char *text)
{
    return um_json_is(json, UM_JSON_STRING) && json->size == strlen(text) &&
           memcmp(json->text, text, json->size) == 0;
}
