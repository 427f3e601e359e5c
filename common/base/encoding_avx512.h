/*
 * The long middle of base64 and hex, 64 characters at a time where the processor has AVX-512 with VBMI: a part of base64.c and encoding.c.
 *
 * Owns: nothing. Must not know: the end of a text, padding. Elsewhere all functions take nothing.
 */
#ifndef UM_ENCODING_AVX512_H
#define UM_ENCODING_AVX512_H

#include <stddef.h>

/* Encode a part at the front. Return how many bytes: for base64, a multiple of three. */
size_t um_base64_encode_avx512(char *out, const unsigned char *in, size_t size);
size_t um_hex_encode_avx512(char *out, const unsigned char *in, size_t size);

/* Decode a part at the front. `out` has a capacity for what the whole text says, and may be the same memory. Return how many characters, a
 * multiple of 64, none of those behind the first that is no digit. */
size_t um_base64_decode_avx512(unsigned char *out, const unsigned char *in, size_t length);
size_t um_hex_decode_avx512(unsigned char *out, const unsigned char *in, size_t length);

#endif
