#include "lib/request/number.h"

#include <string.h>

#include "wire/json_value.h"
#include "wire/json_write.h"

/* X(type, name on the wire, C type) */
#define TYPES(X) \
    X(UMEM_TYPE_U8, "u8", uint8_t) \
    X(UMEM_TYPE_I8, "i8", int8_t) \
    X(UMEM_TYPE_U16, "u16", uint16_t) \
    X(UMEM_TYPE_I16, "i16", int16_t) \
    X(UMEM_TYPE_U32, "u32", uint32_t) \
    X(UMEM_TYPE_I32, "i32", int32_t) \
    X(UMEM_TYPE_U64, "u64", uint64_t) \
    X(UMEM_TYPE_I64, "i64", int64_t) \
    X(UMEM_TYPE_F32, "f32", float) \
    X(UMEM_TYPE_F64, "f64", double)

struct type {
    const char *name;
    size_t size; /* bytes that a value takes, here and in the block */
};

static const struct type types[] = {
#define TYPE(type, name, ctype) [type] = {name, sizeof(ctype)},
    TYPES(TYPE)
#undef TYPE
};

static const struct type *find_type(enum umem_type type)
{
    return (size_t)type < sizeof types / sizeof types[0] ? &types[type] : NULL;
}

size_t umem_type_size(enum umem_type type)
{
    const struct type *known = find_type(type);

    return known != NULL ? known->size : 0;
}

const char *um_number_name(enum umem_type type)
{
    const struct type *known = find_type(type);

    return known != NULL ? known->name : NULL;
}

/* ---- one value ---- */

void um_number_write(struct um_buf *out, enum umem_type type, const void *value)
{
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        uint64_t u64;
        int64_t i64;
        float f32;
        double f64;
    } number = {0};

    memcpy(&number, value, types[type].size);
    switch (type) {
    case UMEM_TYPE_U8:
        um_json_uint(out, number.u8);
        break;
    case UMEM_TYPE_I8:
        um_json_int(out, number.i8);
        break;
    case UMEM_TYPE_U16:
        um_json_uint(out, number.u16);
        break;
    case UMEM_TYPE_I16:
        um_json_int(out, number.i16);
        break;
    case UMEM_TYPE_U32:
        um_json_uint(out, number.u32);
        break;
    case UMEM_TYPE_I32:
        um_json_int(out, number.i32);
        break;
    case UMEM_TYPE_U64:
        um_json_uint64(out, number.u64);
        break;
    case UMEM_TYPE_I64:
        um_json_int64(out, number.i64);
        break;
    case UMEM_TYPE_F32:
        um_json_float(out, number.f32);
        break;
    case UMEM_TYPE_F64:
        um_json_double(out, number.f64);
        break;
    }
}

static bool is_unsigned(enum umem_type type)
{
    return type == UMEM_TYPE_U8 || type == UMEM_TYPE_U16 || type == UMEM_TYPE_U32 || type == UMEM_TYPE_U64;
}

static bool read_unsigned(const struct um_json *json, enum umem_type type, void *value)
{
    uint64_t number;

    if (!um_json_to_uint64(json, &number) || (type != UMEM_TYPE_U64 && number >> (types[type].size * 8) != 0))
        return false;
    switch (type) {
    case UMEM_TYPE_U8:
        memcpy(value, &(uint8_t){(uint8_t)number}, 1);
        return true;
    case UMEM_TYPE_U16:
        memcpy(value, &(uint16_t){(uint16_t)number}, 2);
        return true;
    case UMEM_TYPE_U32:
        memcpy(value, &(uint32_t){(uint32_t)number}, 4);
        return true;
    default:
        memcpy(value, &number, 8);
        return true;
    }
}

static bool read_signed(const struct um_json *json, enum umem_type type, void *value)
{
    int64_t number;

    if (!um_json_to_int64(json, &number))
        return false;
    switch (type) {
    case UMEM_TYPE_I8:
        memcpy(value, &(int8_t){(int8_t)number}, 1);
        return number >= INT8_MIN && number <= INT8_MAX;
    case UMEM_TYPE_I16:
        memcpy(value, &(int16_t){(int16_t)number}, 2);
        return number >= INT16_MIN && number <= INT16_MAX;
    case UMEM_TYPE_I32:
        memcpy(value, &(int32_t){(int32_t)number}, 4);
        return number >= INT32_MIN && number <= INT32_MAX;
    default:
        memcpy(value, &number, 8);
        return true;
    }
}

bool um_number_read(const struct um_json *json, enum umem_type type, void *value)
{
    float f32;
    double f64;

    if (is_unsigned(type))
        return read_unsigned(json, type, value);
    if (type == UMEM_TYPE_F32) {
        if (!um_json_to_float(json, &f32))
            return false;
        memcpy(value, &f32, sizeof f32);
        return true;
    }
    if (type == UMEM_TYPE_F64) {
        if (!um_json_to_double(json, &f64))
            return false;
        memcpy(value, &f64, sizeof f64);
        return true;
    }
    return read_signed(json, type, value);
}

/* ---- byte order ---- */

bool um_number_must_swap(enum umem_type type)
{
    const uint16_t one = 1;

    return *(const unsigned char *)&one == 0 && umem_type_size(type) > 1;
}

void um_number_swap(void *values, enum umem_type type, size_t count)
{
    size_t size = umem_type_size(type);

    for (unsigned char *number = values; count != 0; count--, number += size) {
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char byte = number[i];

            number[i] = number[size - 1 - i];
            number[size - 1 - i] = byte;
        }
    }
}
