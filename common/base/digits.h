/*
 * The decimal digits of an integer, which nearly every answer has some of.
 *
 * Owns: nothing. Must not know: what the number is.
 */
#ifndef UM_DIGITS_H
#define UM_DIGITS_H

#include <stddef.h>
#include <stdint.h>

enum { UM_DIGITS_SIZE = 20 /* digits of 2^64 - 1, or of -2^63 with its sign */ };

/* Writes the digits of a number where there are UM_DIGITS_SIZE bytes, and returns how many they are. What is left of these bytes may
 * be written to as well. */
size_t um_digits_put_uint(char *to, uint64_t value);
size_t um_digits_put_int(char *to, int64_t value);

#endif
