/*
 * Writing the headers that say how long a message and its raw bytes are.
 *
 * Owns: how such a header is written. Must not know: which headers a message has; frame.h reads them.
 */
#ifndef UM_LENGTH_HEADER_H
#define UM_LENGTH_HEADER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"
#include "base/digits.h"

/* Writes the header `name`, its colon and space among it, whose value is a number, where there is space for UM_DIGITS_SIZE digits and
 * the line's end. Returns what is behind it. */
UM_ALWAYS_INLINE char *um_length_header_put(char *at, const char *name, size_t name_size, uint64_t number)
{
    memcpy(at, name, name_size);
    at += name_size;
    at += um_digits_put_uint(at, number);
    memcpy(at, "\r\n", 2);
    return at + 2;
}

#endif
