/*
 * Eight bytes at a time: a row of bytes looked at as one number, where going byte by byte would cost most of a request.
 *
 * Owns: nothing. Must not know: what the bytes mean.
 *
 * Numbers are little-endian on every machine: the first byte is the lowest. Compilers make one load of um_word_load(),
 * and one store of um_word_store().
 */
#ifndef UM_WORD_H
#define UM_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

enum { UM_WORD_SIZE = 8 /* bytes in a word */ };

#define UM_WORD_ONES UINT64_C(0x0101010101010101) /* times a byte: a word of such bytes */
#define UM_WORD_TOPS UINT64_C(0x8080808080808080) /* the top bit of every byte */

/* The eight bytes from here on, which need no alignment. */
UM_ALWAYS_INLINE uint64_t um_word_load(const void *from)
{
    const unsigned char *bytes = from;

    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

/* Writes eight bytes, likewise. */
UM_ALWAYS_INLINE void um_word_store(void *to, uint64_t word)
{
    unsigned char *bytes = to;

    bytes[0] = (unsigned char)word;
    bytes[1] = (unsigned char)(word >> 8);
    bytes[2] = (unsigned char)(word >> 16);
    bytes[3] = (unsigned char)(word >> 24);
    bytes[4] = (unsigned char)(word >> 32);
    bytes[5] = (unsigned char)(word >> 40);
    bytes[6] = (unsigned char)(word >> 48);
    bytes[7] = (unsigned char)(word >> 56);
}

/* Bytes before the first one that is marked: `marks` has top bits of bytes only, at least one. What lies above the first mark
 * may be wrong, as borrowing leaves it. */
UM_ALWAYS_INLINE unsigned um_word_first(uint64_t marks)
{
    uint64_t up_to_first = marks ^ (marks - 1);

    /* One bit of each byte up to the marked one; the product's top byte is their sum. */
    return (unsigned)((up_to_first & UM_WORD_ONES) * UM_WORD_ONES >> 56) - 1;
}

/* Marks bytes that stand in a JSON string otherwise than for themselves: quotes, backslashes and control characters. Right as
 * far as to the first byte that is marked or not ASCII: the top bit of a byte that is has to be looked at, too. */
UM_ALWAYS_INLINE uint64_t um_word_mark_special(uint64_t word)
{
    /* A quote becomes what a space is, and a space what stands behind it; control characters stay below. */
    uint64_t up_to_quote = (word ^ UM_WORD_ONES * ('"' ^ ' ')) - UM_WORD_ONES * (' ' + 1);
    uint64_t below_backslash = (word ^ UM_WORD_ONES * '\\') - UM_WORD_ONES;

    return (up_to_quote | below_backslash) & UM_WORD_TOPS;
}

/* Whether all are decimal digits: 0x30 to 0x39, so that adding six leaves the upper half of each byte as it is. */
UM_ALWAYS_INLINE bool um_word_is_digits(uint64_t word)
{
    const uint64_t uppers = UM_WORD_ONES * 0xf0;

    return ((word & uppers) | ((word + UM_WORD_ONES * 6) & uppers) >> 4) == UM_WORD_ONES * 0x33;
}

/* What eight digits say. Neighbours are put together three times, all at once: digits to pairs, pairs to fours, fours to eight. */
UM_ALWAYS_INLINE uint64_t um_word_digits(uint64_t word)
{
    word -= UM_WORD_ONES * '0';
    word = (word * 10 + (word >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    word = (word * 100 + (word >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (word * 10000 + (word >> 32)) & UINT64_C(0xffffffff);
}

/* Whether bytes are the same: eight at a time, the last eight of them maybe once more. At least eight. */
UM_ALWAYS_INLINE bool um_words_are_same(const void *left, const void *right, size_t size)
{
    const char *a = left;
    const char *b = right;

    for (size_t i = 0; i < size - UM_WORD_SIZE; i += UM_WORD_SIZE) {
        if (um_word_load(a + i) != um_word_load(b + i))
            return false;
    }
    return um_word_load(a + size - UM_WORD_SIZE) == um_word_load(b + size - UM_WORD_SIZE);
}

#endif
