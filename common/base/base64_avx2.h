/*
 * The long middle of base64, 24 bytes or 32 digits at a time where the processor has AVX2: a part of base64.c.
 *
 * Owns: nothing. Must not know: the end of a text, padding. Elsewhere both functions take nothing.
 */
#ifndef UM_BASE64_AVX2_H
#define UM_BASE64_AVX2_H

#include <stddef.h>

enum { UM_BASE64_WIDE_LENGTH = 64 /* characters: a shorter text is not worth the look */ };

/* Encodes a part at the front. Returns how many bytes: a multiple of three. */
size_t um_base64_encode_avx2(char *out, const unsigned char *in, size_t size);

/* Decodes a part at the front, which has a capacity of length / 4 * 3 bytes at `out` and may be the same memory. Returns how many
 * characters: a multiple of four, none of those behind the first that is no digit. */
size_t um_base64_decode_avx2(unsigned char *out, const unsigned char *in, size_t length);

#endif
