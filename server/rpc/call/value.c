#include "rpc/call/value.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json_read.h"
#include "wire/json_write.h"

const struct um_word um_value_words[] = {
    {"u8", UM_U8},   {"i8", UM_I8},   {"u16", UM_U16}, {"i16", UM_I16}, {"u32", UM_U32}, {"i32", UM_I32},
    {"u64", UM_U64}, {"i64", UM_I64}, {"f32", UM_F32}, {"f64", UM_F64}, {NULL, 0},
};

static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};

size_t um_value_size(enum um_value_type type)
{
    return sizes[type];
}

/* Measured: 13 ns for a short integer, up to 70 ns for one of 64 bits, which may be a string, 45 to 95 ns for a float. */
enum { SHORT_COST = 64, LONG_COST = 256, PLAIN_TEXT = 24, TEXT_COST = 16 };

uint64_t um_value_cost(enum um_value_type type)
{
    return um_value_size(type) < sizeof(uint64_t) && type != UM_F32 ? SHORT_COST : LONG_COST;
}

uint64_t um_value_reading_cost(const struct um_json *json, enum um_value_type type)
{
    size_t size = um_json_is(json, UM_JSON_NUMBER)   ? um_json_number_size(json)
                  : um_json_is(json, UM_JSON_STRING) ? json->size
                                                     : 0;

    return um_value_cost(type) + (size > PLAIN_TEXT ? TEXT_COST * (uint64_t)(size - PLAIN_TEXT) : 0);
}

const char *um_value_name(enum um_value_type type)
{
    return um_value_words[type].word;
}

/* Bytes are put one by one, so that the order is little-endian on every machine and alignment does not matter. */
static void put_bits(unsigned char *bytes, uint64_t bits, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> (8 * i));
}

static uint64_t get_bits(const unsigned char *bytes, size_t size)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < size; i++)
        bits |= (uint64_t)bytes[i] << (8 * i);
    return bits;
}

static bool is_signed(enum um_value_type type)
{
    return type == UM_I8 || type == UM_I16 || type == UM_I32 || type == UM_I64;
}

/* Bits as a signed number, by extending the sign of a `size` byte number. */
static int64_t sign_extend(uint64_t bits, size_t size)
{
    uint64_t sign = UINT64_C(1) << (8 * size - 1);

    return (int64_t)((bits ^ sign) - sign);
}

static bool integer_fits(enum um_value_type type, bool negative, uint64_t magnitude)
{
    unsigned width = (unsigned)(8 * um_value_size(type));
    uint64_t top = UINT64_C(1) << (width - 1);

    if (is_signed(type))
        return negative ? magnitude <= top : magnitude < top;
    return (!negative || magnitude == 0) && magnitude <= top - 1 + top;
}

/* A row of decimal digits with an optional minus, whole and without more than 64 bits. */
static bool parse_digits(const char *text, bool *negative, uint64_t *magnitude)
{
    char *end;

    *negative = *text == '-';
    if (*negative)
        text++;
    if (*text < '0' || *text > '9' || (*text == '0' && text[1] != '\0'))
        return false;
    errno = 0;
    *magnitude = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool integer_from_json(const struct um_json *json, enum um_value_type type, unsigned char *bytes,
                              const char **why)
{
    bool negative;
    uint64_t magnitude;
    int64_t integer;

    if (um_json_is(json, UM_JSON_NUMBER)) {
        if (!um_json_integer_of(json, &integer)) {
            *why = "must be an integer; beyond 2^53-1 write it as a string of digits";
            return false;
        }
        negative = integer < 0;
        magnitude = (uint64_t)(negative ? -integer : integer);
    } else if (!um_json_is(json, UM_JSON_STRING) || !parse_digits(json->text, &negative, &magnitude)) {
        *why = "must be an integer, or a string of decimal digits";
        return false;
    }
    if (!integer_fits(type, negative, magnitude)) {
        *why = "does not fit its type";
        return false;
    }
    put_bits(bytes, negative ? 0 - magnitude : magnitude, um_value_size(type));
    return true;
}

/* What JSON's numbers cannot say. */
static bool not_finite_from_json(const struct um_json *json, double *number)
{
    if (!um_json_is(json, UM_JSON_STRING))
        return false;
    if (strcmp(json->text, "NaN") == 0)
        *number = (double)NAN;
    else if (strcmp(json->text, "Infinity") == 0)
        *number = (double)INFINITY;
    else if (strcmp(json->text, "-Infinity") == 0)
        *number = -(double)INFINITY;
    else
        return false;
    return true;
}

static void put_double(enum um_value_type type, unsigned char *bytes, double number)
{
    uint64_t bits = 0;

    if (type == UM_F32) {
        float single = (float)number;
        uint32_t half;

        memcpy(&half, &single, sizeof half);
        bits = half;
    } else {
        memcpy(&bits, &number, sizeof bits);
    }
    put_bits(bytes, bits, um_value_size(type));
}

static double get_double(enum um_value_type type, const unsigned char *bytes)
{
    uint64_t bits = get_bits(bytes, um_value_size(type));
    double number;

    if (type == UM_F32) {
        uint32_t half = (uint32_t)bits;
        float single;

        memcpy(&single, &half, sizeof single);
        return (double)single;
    }
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* A float is read as such: by way of a double it would be rounded twice, maybe to a neighbour. */
static bool float_from_json(const struct um_json *json, enum um_value_type type, unsigned char *bytes,
                            const char **why)
{
    double number;

    if (um_json_is(json, UM_JSON_NUMBER)) {
        number = type == UM_F32 ? (double)um_json_float_of(json) : um_json_double_of(json);
        if (!(fabs(number) <= DBL_MAX)) {
            *why = "does not fit its type";
            return false;
        }
    } else if (!not_finite_from_json(json, &number)) {
        *why = "must be a finite number, or \"NaN\", \"Infinity\", \"-Infinity\"";
        return false;
    }
    put_double(type, bytes, number);
    return true;
}

bool um_value_from_json(const struct um_json *json, enum um_value_type type, unsigned char *bytes,
                        const char **why)
{
    if (type == UM_F32 || type == UM_F64)
        return float_from_json(json, type, bytes, why);
    return integer_from_json(json, type, bytes, why);
}

void um_value_to_json(struct um_buf *buf, enum um_value_type type, const unsigned char *bytes)
{
    uint64_t bits = get_bits(bytes, um_value_size(type));

    if (type == UM_F32)
        um_json_float(buf, (float)get_double(type, bytes));
    else if (type == UM_F64)
        um_json_double(buf, get_double(type, bytes));
    else if (is_signed(type))
        um_json_int64(buf, sign_extend(bits, um_value_size(type)));
    else
        um_json_uint64(buf, bits);
}

void um_value_add(enum um_value_type type, unsigned char *target, const unsigned char *left,
                  const unsigned char *right)
{
    size_t size = um_value_size(type);

    if (type == UM_F32 || type == UM_F64)
        put_double(type, target, get_double(type, left) + get_double(type, right));
    else
        put_bits(target, get_bits(left, size) + get_bits(right, size), size);
}
