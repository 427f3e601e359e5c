/*
 * Where a JSON text ends whose end nothing but its brackets tells.
 *
 * Owns: the count of brackets that are open. Must not know: what is right JSON, beyond brackets, strings and escapes. Pure.
 *
 * A text that begins with a bracket ends where as many have been closed as were opened, of whichever kind;
 * brackets in strings do not count. For JSON (RFC 8259) that is the end of the value. For a text that is no
 * JSON it is a place from which reading can continue, the same for every reader.
 */
#ifndef UM_JSON_END_H
#define UM_JSON_END_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a text that are in one string and need no other look: ASCII, no quotes, no backslashes, no control characters. */
struct um_json_run {
    size_t at;   /* from the text's beginning */
    size_t size; /* 0: none are known */
};

/* How far the look has come. All zero before the first byte. */
struct um_json_end {
    size_t depth;           /* brackets that are open */
    bool in_string;         /* a quote is open */
    bool is_escaped;        /* the next byte of the string stands behind a backslash */
    size_t passed;          /* bytes that were given */
    struct um_json_run run; /* a long run among them, if there is one: mostly the longest */
};

/* Looks at the bytes from `at` to `end`. Returns what is behind the bracket that closes the outermost one, or NULL: it is not among
 * them, and the next bytes may be given. Takes time that grows with the bytes, whatever they are. */
char *um_json_find_end(struct um_json_end *state, char *at, char *end);

#endif
