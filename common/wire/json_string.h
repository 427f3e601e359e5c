/*
 * The strict reading of one JSON string: a part of json_read.c.
 *
 * Owns: what stands between two quotes. Must not know: what the string is for. Pure.
 */
#ifndef UM_JSON_STRING_H
#define UM_JSON_STRING_H

#include "json_read.h"

/* A string that was read; where it is not unescaped, only has_nul is told. */
struct um_json_string {
    const char *text; /* what it says, with an end, where it stood in the text */
    size_t size;      /* bytes of it */
    bool has_nul;     /* it had \u0000 in it */
};

/* Reads the string whose opening quote is the byte *at of `size` bytes at `text`, in valid UTF-8, and sets *at behind its closing
 * quote. With `unescapes`, it is changed in place to what it says. Returns false where it is none, and *check tells. */
bool um_json_read_string(char *text, size_t size, size_t *at, bool unescapes, struct um_json_string *string,
                         struct um_json_check *check);

#endif
