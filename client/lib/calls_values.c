/* block.get and block.set: arrays of numbers, in pieces that fit a message. */
#include "request.h"

#include <string.h>

/* X(type, name on the wire, C type, characters that one value takes at most as JSON, its comma counted) */
#define TYPES(X) \
    X(UMEM_TYPE_U8, "u8", uint8_t, 4) \
    X(UMEM_TYPE_I8, "i8", int8_t, 5) \
    X(UMEM_TYPE_U16, "u16", uint16_t, 6) \
    X(UMEM_TYPE_I16, "i16", int16_t, 7) \
    X(UMEM_TYPE_U32, "u32", uint32_t, 11) \
    X(UMEM_TYPE_I32, "i32", int32_t, 12) \
    X(UMEM_TYPE_U64, "u64", uint64_t, 23) \
    X(UMEM_TYPE_I64, "i64", int64_t, 23) \
    X(UMEM_TYPE_F32, "f32", float, 26) \
    X(UMEM_TYPE_F64, "f64", double, 26)

struct type {
    const char *name;
    size_t size;  /* bytes that a value takes, here and in the block */
    size_t width; /* characters that it takes at most as JSON */
};

static const struct type types[] = {
#define TYPE(type, name, ctype, width) [type] = {name, sizeof(ctype), width},
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

/* ---- one value ---- */

static void write_value(struct um_buf *out, enum umem_type type, const void *value)
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

static bool read_unsigned(struct um_json_slice json, enum umem_type type, void *value)
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

static bool read_signed(struct um_json_slice json, enum umem_type type, void *value)
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

static bool read_value(struct um_json_slice json, enum umem_type type, void *value)
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

/* ---- arrays ---- */

/* Numbers in a block, and how they are cut. */
struct array {
    umem_handle block;
    uint64_t offset; /* bytes */
    enum umem_type type;
    size_t count;       /* numbers */
    size_t piece_count; /* numbers in every piece but the last */
};

static int begin(umem_client *client, struct array *array)
{
    const struct type *type = find_type(array->type);
    int code = um_client_begin(client);

    if (code == UMEM_OK && type == NULL)
        return um_client_fail(client, UMEM_E_BAD_ARGUMENT, "there is no type %d", (int)array->type);
    if (code == UMEM_OK)
        code = um_client_check_handle(client, "block", array->block);
    if (code == UMEM_OK)
        code = um_client_check_size(client, "offset", array->offset);
    if (code != UMEM_OK)
        return code;
    if (array->count > (UMEM_SIZE_MAX - array->offset) / type->size)
        return um_client_fail(client, UMEM_E_BAD_ARGUMENT, "count: sizes and offsets are at most 2^53 - 1");
    if (array->count > (UM_MESSAGE_MINIMUM - UM_MESSAGE_OVERHEAD) / type->width)
        code = um_request_learn_limits(client);
    array->piece_count = um_request_data_room(client) / type->width;
    return code;
}

static struct um_buf *begin_request(umem_client *client, const char *method, const struct array *array,
                                    size_t first)
{
    struct um_buf *out = um_request_begin(client, method);

    um_json_key(out, "block");
    um_json_uint(out, array->block);
    um_json_key(out, "offset");
    um_json_uint(out, array->offset + first * types[array->type].size);
    um_json_key(out, "type");
    um_json_cstring(out, types[array->type].name);
    return out;
}

static int get_piece(umem_client *client, const struct array *array, size_t first, char *values, size_t count)
{
    struct um_buf *out = begin_request(client, "block.get", array, first);
    struct um_json_slice list;
    struct um_json_slice value;
    struct um_json_walk walk;
    int code;

    um_json_key(out, "count");
    um_json_uint(out, count);
    code = um_request_end(client);
    if (code != UMEM_OK)
        return code;
    list = um_json_member(client->answer.result, "values");
    if (!um_json_is_array(list))
        return um_request_bad_result(client, "values");
    walk = um_json_walk_into(list);
    while (um_json_next_element(&walk, &value)) {
        if (count == 0 || !read_value(value, array->type, values))
            return um_request_bad_result(client, "values");
        values += types[array->type].size;
        count--;
    }
    return count == 0 ? UMEM_OK : um_request_bad_result(client, "values");
}

int umem_block_get(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type, void *values,
                   size_t count)
{
    struct array array = {.block = block, .offset = offset, .type = type, .count = count};
    int code = begin(client, &array);
    size_t done = 0;

    while (code == UMEM_OK) {
        size_t piece = count - done < array.piece_count ? count - done : array.piece_count;

        code = get_piece(client, &array, done, (char *)values + done * types[type].size, piece);
        done += piece;
        if (done == count)
            break;
    }
    return code;
}

static int set_piece(umem_client *client, const struct array *array, size_t first, const char *values,
                     size_t count)
{
    struct um_buf *out = begin_request(client, "block.set", array, first);

    um_json_key(out, "values");
    um_json_begin_array(out);
    for (size_t i = 0; i < count; i++)
        write_value(out, array->type, values + i * types[array->type].size);
    um_json_end_array(out);
    return um_request_end(client);
}

/* The last piece goes first, as in umem_block_write(). */
int umem_block_set(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                   const void *values, size_t count)
{
    struct array array = {.block = block, .offset = offset, .type = type, .count = count};
    int code = begin(client, &array);
    size_t left = count;

    while (code == UMEM_OK) {
        size_t piece =
            left % array.piece_count != 0 || left == 0 ? left % array.piece_count : array.piece_count;

        left -= piece;
        code = set_piece(client, &array, left, (const char *)values + left * types[type].size, piece);
        if (left == 0)
            break;
    }
    return code;
}
