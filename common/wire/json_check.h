/*
 * What reading a JSON text has found out about it.
 *
 * Owns: the types that json_read.h and json_string.h share. Must not know: trees.
 */
#ifndef UM_JSON_CHECK_H
#define UM_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* What \u0000 is turned into (U+FDD0, a noncharacter, in UTF-8), since a C string cannot hold it. */
#define UM_JSON_NUL_MARK "\xef\xb7\x90"

struct um_json_check {
    size_t bad_offset; /* where reading stopped, in bytes */
    size_t values;     /* um_json_read(): how many were put into the tree */
    size_t size;       /* bytes of the text, which um_json_read_first() tells, also where it is no JSON */
    const char *what;  /* static: what is wrong there, a phrase; NULL when all is well */
    bool has_nul;      /* \u0000 stood in a string; um_json_check() has rewritten each in place as \ufdd0 */
};

/* Undoes that change of um_json_check(), in JSON whose writer escapes no U+FDD0, as umemd does not. */
void um_json_restore_nul(char *text, size_t size);

#endif
