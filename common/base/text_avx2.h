/*
 * Long runs of ordinary characters, 64 bytes at a time where the processor has AVX2: a part of the checks of texts.
 *
 * Owns: nothing. Must not know: what a text is for. Elsewhere both functions find nothing.
 */
#ifndef UM_TEXT_AVX2_H
#define UM_TEXT_AVX2_H

#include <stdbool.h>
#include <stddef.h>

enum { UM_TEXT_WIDE_LENGTH = 256 /* bytes: a shorter text is not worth the look */ };

/* How many bytes at the front, counted in steps of 64, are all ASCII. */
size_t um_text_ascii_avx2(const unsigned char *text, size_t size);

/* How many bytes at the front, counted in the same way, are no control character, no quote and no backslash; nor other than ASCII where
 * only_ascii says so. */
size_t um_text_plain_avx2(const unsigned char *text, size_t size, bool only_ascii);

#endif
