/*
 * The strict reading of JSON (RFC 8259): what both ends of a pipe accept as JSON.
 *
 * Owns: the decision what is JSON. Must not know: JSON-RPC, who sent the text. Pure.
 *
 * Accepted is exactly one value with white space around it, in valid UTF-8, nested at most UM_JSON_DEPTH_LIMIT deep. Refused
 * are, with the offset of the first byte that is wrong: text after the value (but by um_json_read_first()), leading zeros and
 * other numbers that are not RFC 8259's, NaN, control characters in strings, lone surrogates, unknown escapes, invalid UTF-8.
 *
 * It is one pass over the text, which either only checks it or also makes a tree of it. Strings of the tree
 * are not copied: they are unescaped where they stand. Numbers stay as they are written until their value is
 * read, so that an unused one costs no more than its bytes.
 */
#ifndef UM_JSON_READ_H
#define UM_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "wire/json_check.h"
#include "wire/json_end.h"

enum {
    UM_JSON_DEPTH_LIMIT = 64,      /* levels of arrays and objects, one in the other */
    UM_JSON_VALUES_LIMIT = 1 << 20 /* values in a tree: one takes 40 bytes, however short its text is */
};

enum um_json_kind {
    UM_JSON_NULL,
    UM_JSON_FALSE,
    UM_JSON_TRUE,
    UM_JSON_NUMBER,
    UM_JSON_STRING,
    UM_JSON_ARRAY,
    UM_JSON_OBJECT
};

/* A value of the tree. There may be very many: what only some kinds have lies in the same place. */
struct um_json {
    struct um_json *next; /* in the same array or object; NULL: the last */
    const char *key;      /* of a member of an object, unescaped, ends with NUL; else NULL */
    union {
        struct um_json *child; /* ARRAY, OBJECT: the first in it; NULL: none */
        const char *text; /* STRING: unescaped, ends with NUL; NUMBER: as it is written, without an end */
    };
    union {
        size_t
            size; /* STRING, NUMBER that is not is_plain: bytes of text; ARRAY, OBJECT: how many are in it */
        int64_t integer; /* NUMBER that is_plain */
    };
    enum um_json_kind kind;
    uint16_t key_size; /* bytes of the key; UINT16_MAX: so many, or more */
    union {
        bool is_plain;   /* NUMBER: a row of digits, from -(2^53 - 1) to 2^53 - 1 */
        bool is_decoded; /* STRING: the caller has put in `text` and `size` what the string stood for */
    };
    union {
        bool has_nul;       /* STRING: it had \u0000 in it, each of which is a UM_JSON_NUL_MARK now */
        uint8_t plain_size; /* NUMBER that is_plain: bytes of text */
    };
};

/* Checks `size` bytes at `text`, which it may change as said of has_nul. Returns whether it is JSON. */
bool um_json_check(char *text, size_t size, struct um_json_check *check);

/* Reads `size` bytes at `text` into a tree, whose values lie in the arena and whose strings lie in the text, which is no
 * JSON any more then. UMEM_E_PARSE_ERROR with *check, UMEM_E_TOO_LARGE (over UM_JSON_VALUES_LIMIT), UMEM_E_NO_MEMORY. */
int um_json_read(char *text, size_t size, struct um_arena *arena, struct um_json **json,
                 struct um_json_check *check);

/* Likewise the first of several texts that stand one behind the other, each of which begins with a bracket: `text` begins with one.
 * It ends where um_json_find_end() says, and check->size tells. What stands behind that is not looked at, and not changed. */
int um_json_read_first(char *text, size_t size, struct um_arena *arena, struct um_json **json,
                       struct um_json_check *check);

/* Reads the outermost array or object only, for a caller that must keep what is in it as text: of an answer
 * whose result is passed on unchanged, say. All of the text is checked; of the tree there are the outermost
 * value and what is directly in it. Of these, strings and names stay as they are written, with their escapes
 * and without their quotes, and arrays and objects are text, too: `text` and `size` tell where, and
 * um_json_text_of() for any kind. Strings with \u0000 are rewritten as by um_json_check(). Answers as
 * um_json_read(). */
int um_json_split(char *text, size_t size, struct um_arena *arena, struct um_json **json,
                  struct um_json_check *check);

/* ---- in steps: a long text, whose reading others need not wait for ---- */

struct um_json_reader;

/* Begins to read as um_json_read() does; all of it stays where it is until the end. NULL: no memory. */
struct um_json_reader *um_json_reader_new(char *text, size_t size, struct um_arena *arena,
                                          struct um_json_check *check);

/* Before the first step: a run of the text of which um_json_find_end() has told, and which is passed over. */
void um_json_reader_skip(struct um_json_reader *steps, const struct um_json_run *run);

/* Reads about `budget` more bytes, at least 1: more only where one number, or space, is longer. check->values tells how many values there
 * are so far. Returns whether another step is to come: each byte is read twice. */
bool um_json_reader_step(struct um_json_reader *steps, size_t budget);

/* What um_json_read() would have answered, after the last step. Frees the reader. */
int um_json_reader_end(struct um_json_reader *steps, struct um_json **json);

/* Forgets what was read. NULL is fine. */
void um_json_reader_free(struct um_json_reader *steps);

/* Whether a value is of a kind; NULL is of none. */
UM_ALWAYS_INLINE bool um_json_is(const struct um_json *json, enum um_json_kind kind)
{
    return json != NULL && json->kind == kind;
}

/* ---- numbers: the value is one, or 0 and false are the answers ---- */

/* Bytes of its text. */
UM_ALWAYS_INLINE size_t um_json_number_size(const struct um_json *number)
{
    return number->is_plain ? number->plain_size : number->size;
}

/* The integer that it is, however it is written (100, 100.0, 1e2), by the nearest double. Returns false where that has a fraction or
 * passes +-(2^53 - 1). */
bool um_json_unplain_integer_of(const struct um_json *json, int64_t *integer);
UM_ALWAYS_INLINE bool um_json_integer_of(const struct um_json *json, int64_t *integer)
{
    if (json->kind != UM_JSON_NUMBER || !json->is_plain)
        return um_json_unplain_integer_of(json, integer);
    *integer = json->integer;
    return true;
}

/* The double or float nearest to it; an infinity where it is too large. */
double um_json_double_of(const struct um_json *json);
float um_json_float_of(const struct um_json *json);

/* The element of an array at this index, counted from 0; NULL where there is none, or `json` is NULL or no array. */
const struct um_json *um_json_element_of(const struct um_json *json, size_t index);

/* The text of a value that um_json_split() has found in the outermost one, which um_json_read() may be given then; *size bytes. */
char *um_json_text_of(const struct um_json *json, size_t *size);

/* The member of an object with this key, the first where there are several; NULL where there is none, or `json` is NULL or
 * no object. */
const struct um_json *um_json_member_of(const struct um_json *json, const char *key);

#endif
