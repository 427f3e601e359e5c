#include "base/digits.h"

#define WORD_DIGITS 8
#define WORD_LIMIT UINT64_C(100000000) /* a number below it has so many digits at most */
#define ZEROS UINT64_C(0x3030303030303030)

/* Eight digits as values from 0 to 9, the first in the lowest byte. The number is halved three times, each time all parts at once: into
 * four digits and four, then pairs, then single ones. What is divided by multiplying is small enough for the result to be exact. */
static uint64_t split(uint64_t value)
{
    uint64_t fours = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);

    return tens | (pairs - 10 * tens) << 8;
}

/* Compilers make one store of it. */
static void put_word(char *to, uint64_t word)
{
    for (unsigned i = 0; i < sizeof word; i++)
        to[i] = (char)(word >> 8 * i);
}

/* How many of eight digits are zeros that stand before the number; the last digit is none of them. */
static unsigned leading_zeros(uint64_t digits)
{
#ifdef __GNUC__
    return (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;
#else
    unsigned zeros = 0;

    while (zeros < WORD_DIGITS - 1 && (digits >> 8 * zeros & 0xff) == 0)
        zeros++;
    return zeros;
#endif
}

/* Those of a number below WORD_LIMIT: as many as it has, or eight. */
static size_t put_first(char *to, uint64_t value)
{
    uint64_t digits = split(value);
    unsigned zeros = leading_zeros(digits);

    put_word(to, (digits | ZEROS) >> 8 * zeros);
    return WORD_DIGITS - zeros;
}

static size_t put_next(char *to, uint64_t value)
{
    put_word(to, split(value) | ZEROS);
    return WORD_DIGITS;
}

/* Those of a number below 100: many sizes are. */
static size_t put_pair(char *to, unsigned value)
{
    unsigned tens = value * 103 >> 10;

    if (tens == 0) {
        *to = (char)('0' + value);
        return 1;
    }
    to[0] = (char)('0' + tens);
    to[1] = (char)('0' + value - 10 * tens);
    return 2;
}

size_t um_digits_put_uint(char *to, uint64_t value)
{
    uint64_t high = value / WORD_LIMIT;
    size_t size;

    if (value < 100)
        return put_pair(to, (unsigned)value);
    if (high == 0)
        return put_first(to, value);
    if (high < WORD_LIMIT) {
        size = put_first(to, high);
    } else {
        size = put_first(to, high / WORD_LIMIT);
        size += put_next(to + size, high % WORD_LIMIT);
    }
    return size + put_next(to + size, value % WORD_LIMIT);
}

size_t um_digits_put_int(char *to, int64_t value)
{
    if (value >= 0)
        return um_digits_put_uint(to, (uint64_t)value);
    *to = '-';
    return 1 + um_digits_put_uint(to + 1, 0 - (uint64_t)value);
}
