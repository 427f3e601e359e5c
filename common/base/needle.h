/*
 * Finding bytes in bytes, in linear time and constant memory: the two-way algorithm of M. Crochemore and D.
 * Perrin, "Two-way string-matching", Journal of the ACM 38 (1991). C has no memmem() everywhere, and a needle
 * of a client's choice must not be able to hold the daemon up.
 *
 * Owns: nothing; the needle's bytes and the haystack stay the caller's. Must not know: blocks.
 * Pure.
 *
 * A needle is prepared once and may then be looked for in any number of windows. A caller that cuts a long
 * haystack into windows lets each begin needle.size - 1 bytes before the end of the one before it, so that no
 * match falls between two.
 */
#ifndef UM_NEEDLE_H
#define UM_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>

struct um_needle {
    const unsigned char *bytes; /* the caller's: they stay as they are while the needle is used */
    size_t size;                /* bytes in the needle */
    size_t split;   /* where its right part begins, which is compared first (a critical factorization) */
    size_t shift;   /* how far to move on when the right part fits and the left one does not */
    size_t overlap; /* bytes at the needle's start that are known to fit after such a move */
    size_t probe;   /* index of the byte that is looked for first */
};

/* Prepares a needle of `size` bytes: time in proportion to size, no allocation. Cannot fail. */
void um_needle_init(struct um_needle *needle, const void *bytes, size_t size);

/* Looks for the needle in `size` bytes of haystack: time in proportion to size, however the two are made up.
 * Returns whether it is there and sets *at to the offset of the first match, else leaves *at as it is. An
 * empty needle is found at 0. */
bool um_needle_find(const struct um_needle *needle, const void *haystack, size_t size, size_t *at);

#endif
