/*
 * Writes JSON straight into a buffer, with the commas in their places.
 *
 * Owns: nothing; the buffer is the caller's and remembers a failed append. Must not know: what the JSON means.
 *
 * Whether a comma is due is read from the last byte written: none follows `{`, `[` or `:`, and none stands at the start of a
 * text. So a text must begin in an empty buffer, after a line's end, or after um_json_begin_*.
 */
#ifndef UM_JSON_OUT_H
#define UM_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/digits.h"

/* The largest integer that JSON numbers carry exactly everywhere (RFC 8259 section 6): 2^53 - 1. */
#define UM_JSON_INTEGER_MAX INT64_C(9007199254740991)

void um_json_begin_object(struct um_buf *buf);
void um_json_end_object(struct um_buf *buf);
void um_json_begin_array(struct um_buf *buf);
void um_json_end_array(struct um_buf *buf);

/* Reserves space for a value of at most `size` bytes and writes the comma before it where one is due. Returns where the value goes, whose
 * size the caller adds, or NULL. */
UM_ALWAYS_INLINE char *um_json_value_space(struct um_buf *buf, size_t size)
{
    char *space = um_buf_reserve(buf, size + 1);
    char last = buf->size != 0 ? buf->data[buf->size - 1] : '\n';

    if (space == NULL)
        return NULL;
    if (last != '{' && last != '[' && last != ':' && last != '\n') {
        *space++ = ',';
        buf->size++;
    }
    return space;
}

/* A key in quotes, and its colon. */
UM_ALWAYS_INLINE void um_json_copy_key(char *to, const char *key, size_t size)
{
    *to++ = '"';
    memcpy(to, key, size);
    to[size] = '"';
    to[size + 1] = ':';
}

/* Writes `"key":`; keys are plain ASCII that needs no escapes. Most are literals, whose size compilers know: where it matters,
 * um_json_put_key() is compiled into the caller. */
UM_ALWAYS_INLINE void um_json_put_key(struct um_buf *buf, const char *key, size_t size)
{
    char *space = um_json_value_space(buf, size + 3);

    if (space == NULL)
        return;
    um_json_copy_key(space, key, size);
    buf->size += size + 3;
}

void um_json_sized_key(struct um_buf *buf, const char *key, size_t size);
UM_ALWAYS_INLINE void um_json_key(struct um_buf *buf, const char *key)
{
    um_json_sized_key(buf, key, strlen(key));
}

/* Writes a string, escaping what RFC 8259 section 7 requires. JSON is UTF-8 whatever the text came from (a
 * path, the command line, the system's own messages): each byte that is not part of valid UTF-8 becomes
 * U+FFFD, the replacement character. */
void um_json_string(struct um_buf *buf, const char *text, size_t size);
void um_json_cstring(struct um_buf *buf, const char *text);

void um_json_uint(struct um_buf *buf, uint64_t value);

/* Write `"key":value`. Nearly every answer has a number or a boolean: these are compiled into the caller. */
UM_ALWAYS_INLINE void um_json_put_bool(struct um_buf *buf, const char *key, bool value)
{
    const char *word = value ? "true" : "false";
    size_t word_size = value ? 4 : 5;
    size_t size = strlen(key);
    char *space = um_json_value_space(buf, size + 3 + word_size);

    if (space == NULL)
        return;
    um_json_copy_key(space, key, size);
    memcpy(space + size + 3, word, word_size);
    buf->size += size + 3 + word_size;
}

UM_ALWAYS_INLINE void um_json_put_uint(struct um_buf *buf, const char *key, uint64_t value)
{
    size_t size = strlen(key);
    char *space = um_json_value_space(buf, size + 3 + UM_DIGITS_SIZE);

    if (space == NULL)
        return;
    um_json_copy_key(space, key, size);
    buf->size += size + 3 + um_digits_put_uint(space + size + 3, value);
}

void um_json_put_int(struct um_buf *buf, const char *key, int64_t value);
void um_json_put_uint64(struct um_buf *buf, const char *key, uint64_t value);
void um_json_put_null(struct um_buf *buf, const char *key);

/* NULL: null. */
void um_json_put_string(struct um_buf *buf, const char *key, const char *text);

void um_json_int(struct um_buf *buf, int64_t value);

/* An integer where it is within +-(2^53 - 1), else a string of its decimal digits: what 64-bit values travel as. */
void um_json_uint64(struct um_buf *buf, uint64_t value);
void um_json_int64(struct um_buf *buf, int64_t value);

/* The shortest text that reads back as the same number; NaN and the infinities as "NaN", "Infinity", "-Infinity". The
 * decimal point is a point in every locale. */
void um_json_double(struct um_buf *buf, double value);
void um_json_float(struct um_buf *buf, float value);

void um_json_bool(struct um_buf *buf, bool value);
void um_json_null(struct um_buf *buf);

/* Begins a string whose content the caller writes itself, plain characters only: returns where `size` bytes go (they are
 * counted already) or NULL; then um_json_end_raw_string(). */
char *um_json_begin_raw_string(struct um_buf *buf, size_t size);
void um_json_end_raw_string(struct um_buf *buf);

/* Writes valid UTF-8 as a part of a string. */
void um_json_append_escaped(struct um_buf *buf, const char *text, size_t size);

/* Writes a value that is JSON text already. */
void um_json_raw(struct um_buf *buf, const char *json, size_t size);

#endif
