/*
 * Sizes as people write them, for options of both programs.
 *
 * Owns: nothing. Must not know: what the size is of.
 */
#ifndef UM_SIZE_H
#define UM_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* What may be written, as a part of a sentence: "a size: " UM_SIZE_FORMS. */
#define UM_SIZE_FORMS \
    "digits, with K, M, G, T or P (or KiB, MiB and so on) behind them for powers of 1024, kB, MB and so on " \
    "for powers of " \
    "1000; or 0x and hexadecimal digits"

/* Reads a size in bytes: decimal digits with an optional unit behind them, or 0x and hexadecimal digits, and nothing else. Units are
 * k, m, g, t and p in either case: alone or with "i" and "iB" behind them they are powers of 1024, with "B" powers of 1000; "B" alone
 * is bytes. Returns false, and leaves *size as it was, where the text is none or the size is larger than `maximum`. */
bool um_size_parse(const char *text, uint64_t maximum, uint64_t *size);

#endif
