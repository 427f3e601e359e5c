/*
 * Numbers in blocks: types u8 to f64, little-endian, between JSON and bytes.
 *
 * Owns: the types' names, widths and ranges. Must not know: blocks, requests.
 */
#ifndef UM_VALUE_H
#define UM_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "rpc/schema/method.h"

struct um_json;

enum um_value_type { UM_U8, UM_I8, UM_U16, UM_I16, UM_U32, UM_I32, UM_U64, UM_I64, UM_F32, UM_F64 };

enum { UM_VALUE_SIZE_MAXIMUM = 8 };

/* One number as it lies in memory: its type's width of bytes, little-endian. */
struct um_value {
    enum um_value_type type;
    unsigned char bytes[UM_VALUE_SIZE_MAXIMUM];
};

/* Numbers of one type, as they lie in memory. Where reading all of them at once would take long, they are still JSON. */
struct um_values {
    enum um_value_type type;
    const unsigned char *bytes; /* NULL: `items` are to be read, with um_value_from_json() */
    const struct um_json *items;
    size_t count;
    uint64_t cost; /* of reading them, in bytes of a block that might be copied instead */
};

/* The names "u8" to "f64" for descriptors. */
extern const struct um_word um_value_words[];

/* Bytes that a value of this type takes. */
size_t um_value_size(enum um_value_type type);

/* What printing or reading a number of this type costs, in bytes of a block that might be copied instead (um_session_charge()). */
uint64_t um_value_cost(enum um_value_type type);

/* The same of reading one that is written so: a long text costs more. */
uint64_t um_value_reading_cost(const struct um_json *json, enum um_value_type type);

/* The type's name. */
const char *um_value_name(enum um_value_type type);

/* Writes a JSON number (or a string of decimal digits for u64 and i64, or "NaN", "Infinity", "-Infinity" for floats) to
 * `bytes`. Returns false where it is not of the type or does not fit; *why then says so. */
bool um_value_from_json(const struct um_json *json, enum um_value_type type, unsigned char *bytes,
                        const char **why);

/* Writes a value from memory as JSON. */
void um_value_to_json(struct um_buf *buf, enum um_value_type type, const unsigned char *bytes);

/* target = left + right, in two's complement for integers. All hold um_value_size(type) bytes. */
void um_value_add(enum um_value_type type, unsigned char *target, const unsigned char *left,
                  const unsigned char *right);

#endif
