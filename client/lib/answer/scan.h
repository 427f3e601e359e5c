/*
 * A walk over JSON text, without a tree: for what is large (data, arrays of numbers) or must stay text (a result).
 *
 * Owns: nothing; slices point into the text. Must not know: requests, answers.
 *
 * The text is one that um_json_check() has accepted: nothing here checks it again.
 */
#ifndef UM_SCAN_H
#define UM_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A JSON value's text, without white space around it. `text` NULL: there is none. */
struct um_json_slice {
    const char *text;
    size_t size;
};

/* Where a walk over an object's members or an array's elements stands. */
struct um_json_walk {
    const char *at;
    const char *end;
};

/* The value in a text, with the white space around it gone. */
struct um_json_slice um_json_slice_of(const char *text, size_t size);

/* Begins a walk. The slice must be an object for um_json_next_member(), an array for um_json_next_element(). */
struct um_json_walk um_json_walk_into(struct um_json_slice slice);

/* The next member: *key is the string as it stands in the text, without its quotes and with its escapes. Returns false at
 * the end. */
bool um_json_next_member(struct um_json_walk *walk, struct um_json_slice *key, struct um_json_slice *value);

/* The next element; false at the end. */
bool um_json_next_element(struct um_json_walk *walk, struct um_json_slice *value);

/* Whether the slice is that text, byte for byte. */
bool um_json_slice_is(struct um_json_slice slice, const char *text);

/* The first member of that name; a slice without text where the slice is no object or has none. */
struct um_json_slice um_json_member(struct um_json_slice object, const char *key);

bool um_json_is_object(struct um_json_slice slice);
bool um_json_is_array(struct um_json_slice slice);
bool um_json_is_string(struct um_json_slice slice);
bool um_json_is_null(struct um_json_slice slice);

/* A string's characters, without its quotes. */
struct um_json_slice um_json_string_inside(struct um_json_slice string);

/* Writes what a string says, with an end, to `text` (capacity bytes; the slice's size is always enough). Returns false where it is
 * no string, or does not fit: then `text` is "". */
bool um_json_to_text(struct um_json_slice string, char *text, size_t capacity);

/* Reads an integer: a number without fraction or exponent, or a string of such digits (how 64-bit values past 2^53 travel).
 * Returns false where it is none or does not fit. */
bool um_json_to_uint64(struct um_json_slice slice, uint64_t *value);
bool um_json_to_int64(struct um_json_slice slice, int64_t *value);

/* Reads a number, or one of the strings "NaN", "Infinity", "-Infinity". */
bool um_json_to_double(struct um_json_slice slice, double *value);
bool um_json_to_float(struct um_json_slice slice, float *value);

#endif
