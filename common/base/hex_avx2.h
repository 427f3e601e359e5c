/*
 * The long middle of hex, 32 bytes or 64 digits at a time where the processor has AVX2: a part of encoding.c.
 *
 * Owns: nothing. Must not know: the end of a text. Elsewhere both functions take nothing.
 */
#ifndef UM_HEX_AVX2_H
#define UM_HEX_AVX2_H

#include <stddef.h>

/* Encodes a part at the front. Returns how many bytes. */
size_t um_hex_encode_avx2(char *out, const unsigned char *in, size_t size);

/* Decodes a part at the front, to half as many bytes at `out`, which may be the same memory. Returns how many characters: an even number,
 * none of those behind the first that is no digit. */
size_t um_hex_decode_avx2(unsigned char *out, const unsigned char *in, size_t length);

#endif
