/*
 * The strict reading of JSON (RFC 8259), done before a text is given to cJSON, which is lenient.
 *
 * Owns: the decision what is JSON here. Must not know: JSON-RPC, cJSON, who sent the text. Pure.
 *
 * Accepted is exactly one value with white space around it, in valid UTF-8, nested at most UM_JSON_DEPTH_LIMIT
 * deep. Refused are, with the offset of the first byte that is wrong: text after the value, leading zeros and
 * other numbers that are not RFC 8259's, NaN, numbers of more than UM_JSON_NUMBER_LIMIT bytes, control
 * characters in strings, lone surrogates, unknown escapes, invalid UTF-8.
 */
#ifndef UM_JSON_CHECK_H
#define UM_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum {
    UM_JSON_DEPTH_LIMIT = 64, /* levels of arrays and objects, one in the other */
    UM_JSON_NUMBER_LIMIT = 63 /* bytes in a number: cJSON reads no more of it */
};

/* What \u0000 is turned into (U+FDD0, a noncharacter, in UTF-8): cJSON's strings end at a NUL, so that it cannot pass through
 * them. */
#define UM_JSON_NUL_MARK "\xef\xb7\x90"

struct um_json_check {
    size_t bad_offset; /* where checking stopped, in bytes */
    const char *what;  /* static: what is wrong there, a phrase; NULL when all is well */
    bool has_nul; /* \u0000 stood in a string: each was rewritten in place as \ufdd0, see UM_JSON_NUL_MARK */
};

/* Checks `size` bytes at `text`, which it may change as said of has_nul. Returns whether it is JSON. */
bool um_json_check(char *text, size_t size, struct um_json_check *check);

#endif
