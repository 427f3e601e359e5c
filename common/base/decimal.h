/*
 * Doubles and floats as decimal text, and back.
 *
 * Owns: how such a number is written, and what a text says. Must not know: JSON, blocks. Pure: no locale, no rounding mode of the
 * program's, no memory but the caller's.
 *
 * Printing gives the fewest digits that read back as the same number, and among those the nearest (Giulietti, "The Schubfach way to
 * render doubles", 2020). Reading gives the nearest number, ties to even, for a text of any length: from the first 19 digits as an
 * interval of 128-bit numbers (the idea of Clinger's and Lemire's algorithms), and where both of its ends do not round alike, by a
 * comparison of big integers of bounded size. Printing takes the same time for every number; reading takes time in proportion to the
 * text, and a microsecond or two more at most.
 */
#ifndef UM_DECIMAL_H
#define UM_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

enum { UM_DECIMAL_CAPACITY = 32 /* bytes for a number's text */ };

/* Writes a finite number and returns the size of its text, at most 24 bytes, with no NUL behind it. It is a JSON number: digits with
 * a point where one is due, and an exponent below 0.0001, from 1e+16 on, and where zeros at the end would not be the number's own.
 * Zero with a sign is "-0.0", as "-0" is an integer to many readers, which have no minus zero. */
size_t um_decimal_print_double(double value, char text[UM_DECIMAL_CAPACITY]);

/* The same for a float, with the fewest digits that read back as that float. */
size_t um_decimal_print_float(float value, char text[UM_DECIMAL_CAPACITY]);

/* Reads a text of an optional minus, digits with an optional point, and an optional exponent: JSON's numbers, and "1.", ".5" and
 * "007" besides. Returns false where the text is anything else. What is too large becomes an infinity, what is too small a zero of
 * the same sign. */
bool um_decimal_read_double(const char *text, size_t size, double *value);
bool um_decimal_read_float(const char *text, size_t size, float *value);

#endif
