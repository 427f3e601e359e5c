/*
 * The decimal digits of an integer, which nearly every answer has some of.
 *
 * Owns: nothing. Must not know: what the number is.
 */
#ifndef UM_DIGITS_H
#define UM_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

enum { UM_DIGITS_SIZE = 20 /* digits of 2^64 - 1, or of -2^63 with its sign */ };

/* An integer as text, which ends in the middle of `text`: UM_DIGITS_SIZE bytes may be copied from its first one on, and a copy whose size
 * compilers know is a few moves. */
struct um_digits {
    char text[2 * UM_DIGITS_SIZE];
    char *first;
    size_t size;
};

/* Two digits at a step, from the last to the first: divisions are what it costs. */
UM_ALWAYS_INLINE void um_digits_of_uint(struct um_digits *digits, uint64_t value)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    char *first = digits->text + UM_DIGITS_SIZE;

    memset(first, 0, UM_DIGITS_SIZE);
    for (; value >= 100; value /= 100) {
        const char *pair = &pairs[2 * (value % 100)];

        *--first = pair[1];
        *--first = pair[0];
    }
    *--first = pairs[2 * value + 1];
    if (value >= 10)
        *--first = pairs[2 * value];
    digits->first = first;
    digits->size = (size_t)(digits->text + UM_DIGITS_SIZE - first);
}

UM_ALWAYS_INLINE void um_digits_of_int(struct um_digits *digits, int64_t value)
{
    um_digits_of_uint(digits, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    if (value < 0) {
        *--digits->first = '-';
        digits->size++;
    }
}

#endif
