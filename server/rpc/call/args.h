/*
 * Parameters as typed, checked values: what a handler gets.
 *
 * Owns: the rules by which JSON parameters become values (args.c, and value.c for numbers in blocks). Must not know: what a
 * method does with them.
 */
#ifndef UM_ARGS_H
#define UM_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/call/id.h"
#include "rpc/call/value.h"
#include "rpc/schema/method.h"
#include "store/store.h"

struct um_json;

/* Stands before a name that is to be taken for nothing else, even if it is digits. No name begins with it. */
enum { UM_NAME_MARK = ':' };

enum um_encoding { UM_BASE64, UM_HEX, UM_UTF8, UM_RAW };

/* Bytes that came as text, decoded in the message's memory. */
struct um_data {
    const unsigned char *bytes;
    uint64_t size;
};

struct um_arg {
    bool given; /* the request had it, and it was not null */
    union {
        bool boolean;
        uint64_t uint; /* UM_UINT, UM_OFFSET, UM_SIZE, UM_SESSION, UM_WATCH */
        unsigned word; /* UM_CHOICE */
        uint32_t flags;
        const char *text; /* UM_STRING, UM_NAME: ends with NUL; NULL when left out */
        struct um_heap *heap;
        struct um_block *block; /* NULL when left out */
        struct um_data data;
        struct um_value value;
        struct um_values values;
        struct um_id id;
    } as;
};

/* A checked range: offset + size is within the block. */
struct um_range {
    struct um_block *block;
    uint64_t offset;
    uint64_t size;
};

struct um_args {
    struct um_arg value[UM_PARAMS_MAXIMUM];
    struct um_range range[UM_RANGES_MAXIMUM];
};

/* Reads `params` (an object, an array, or NULL for none) by the method's descriptor. Returns false when something is wrong;
 * then the call has been answered with the error. */
bool um_args_bind(struct um_call *call, const struct um_json *params, struct um_args *args);

/* How many raw bytes a call takes, by its unchecked `params` (NULL: none): its "size" where its "encoding" is "raw", else 0.
 * Returns false where it does not say its size. */
bool um_args_raw_size(const struct um_method *method, const struct um_json *params, uint64_t *size);

/* Checks offset + size against a block; answers out_of_range and returns false where they pass its end. */
bool um_range_check(struct um_call *call, struct um_block *block, uint64_t offset, uint64_t size);

/* Writes data->size bytes to `target`. */
void um_data_copy(const struct um_data *data, void *target);

#endif
