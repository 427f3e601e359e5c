/*
 * Values of JSON as the protocol has them: 64-bit integers, floating-point numbers, short texts.
 *
 * Owns: which JSON stands for which value. Must not know: methods, who reads. Pure.
 *
 * Each takes NULL (a member that is missing) for a value of the wrong kind. Where it returns false, the target is as it was, unless it
 * says otherwise.
 */
#ifndef UM_JSON_VALUE_H
#define UM_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/json_read.h"

/* An integer: a number without fraction or exponent, or a string of such digits (how 64-bit values past 2^53 travel). */
bool um_json_to_uint64(const struct um_json *json, uint64_t *value);
bool um_json_to_int64(const struct um_json *json, int64_t *value);

/* A number, or one of the strings "NaN", "Infinity", "-Infinity". */
bool um_json_to_double(const struct um_json *json, double *value);
bool um_json_to_float(const struct um_json *json, float *value);

bool um_json_to_bool(const struct um_json *json, bool *value);

/* What a string says, with an end, in `capacity` bytes. False where it is no string, or does not fit: then `text` is "". */
bool um_json_to_text(const struct um_json *json, char *text, size_t capacity);

/* Whether it is a string that says just that. */
bool um_json_says(const struct um_json *json, const char *text);

#endif
