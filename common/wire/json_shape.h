/*
 * Reading a text that is written as an earlier one was, but for its numbers and strings: what one program sends differs in little else.
 *
 * Owns: a copy of the bytes between the values of the earlier text, and of its tree. Must not know: JSON-RPC, who sent the text,
 * what is JSON: that is decided by json_read.c, which has read the earlier text.
 *
 * A text is compared with the shape, and only its values are read. Where it differs, or has a value that is not plain (a string with an
 * escape or a character that is not ASCII, a number that is not an integer within 2^53 - 1), it does not have the shape, and is left
 * unchanged for um_json_read(), which answers the same for a text that has it.
 */
#ifndef UM_JSON_SHAPE_H
#define UM_JSON_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/json_read.h"

enum {
    UM_JSON_SHAPE_VALUES = 16,     /* values in a text that a shape is made of, */
    UM_JSON_SHAPE_BYTES = 256,     /* and bytes of it that are no values */
    UM_JSON_SHAPE_FIXED = 2,       /* its strings that are a part of the shape */
    UM_JSON_SHAPE_TEXT = 16 * 1024 /* bytes of a text that is compared with one */
};

/* A value that differs from text to text, and the bytes before it. */
struct um_json_slot {
    struct um_json *json; /* a number or a string */
    size_t before;        /* bytes between the value before it and this one, a string's quote among them */
};

/* The members are the shape's own. One that is all zero is none: no text has it. */
struct um_json_shape {
    size_t value_count;                              /* in `values` */
    size_t slot_count;                               /* in `slots` */
    bool has_strings;                                /* there are some among these */
    size_t least_size;                               /* bytes that are no values */
    struct um_json_slot slots[UM_JSON_SHAPE_VALUES]; /* in the order of the text */
    struct um_json values[UM_JSON_SHAPE_VALUES];     /* the tree, from the outermost value on */
    char written[UM_JSON_SHAPE_BYTES];               /* what is no value, as it is written */
    char read[UM_JSON_SHAPE_BYTES]; /* the same as um_json_read() leaves it: where the names are */
};

/* A text that um_json_read() has made a tree of. */
struct um_json_example {
    const char *written;        /* a copy of it, as it was before */
    const char *text;           /* where the tree's strings are */
    size_t size;                /* bytes of it; white space around the value is a part of the shape */
    const struct um_json *json; /* the tree */
    const struct um_json
        *fixed[UM_JSON_SHAPE_FIXED]; /* strings that are the same in all texts of the shape; NULL: none */
};

/* Makes the shape of a text. Returns whether it could; if not, the shape is none. */
bool um_json_shape_learn(struct um_json_shape *shape, const struct um_json_example *example);

/* Makes it none. */
void um_json_shape_forget(struct um_json_shape *shape);

/* The tree of the text, in the shape, good until the next call; its strings lie in the text, which is no JSON any more then. NULL: the
 * text does not have the shape, and is as it was. */
const struct um_json *um_json_shape_read(struct um_json_shape *shape, char *text, size_t size);

#endif
