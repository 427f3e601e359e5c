#include "base/decimal.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/word.h"

/* ---- formats ---- */

/* A binary format of IEEE 754. */
struct format {
    int precision;     /* bits of a significand, the implicit one among them */
    int min_exponent;  /* of the top bit of the smallest normal number */
    uint64_t infinity; /* its bits; those of larger numbers, without their sign, are larger */
};

static const struct format double_format = {53, -1022, UINT64_C(0x7ff0000000000000)};
static const struct format float_format = {24, -126, UINT64_C(0x7f800000)};

/* A finite number without its sign: significand * 2^exponent. */
struct binary {
    uint64_t significand;
    int exponent;
};

static struct binary binary_of(uint64_t bits, const struct format *format)
{
    uint64_t implicit = UINT64_C(1) << (format->precision - 1);
    int field = (int)(bits >> (format->precision - 1));
    int lowest = format->min_exponent - (format->precision - 1);

    if (field == 0)
        return (struct binary){bits, lowest};
    return (struct binary){(bits & (implicit - 1)) | implicit, lowest + field - 1};
}

/* ---- arithmetic ---- */

/* A number of 128 bits. */
struct wide {
    uint64_t high;
    uint64_t low;
};

#if defined(__SIZEOF_INT128__) && !defined(UM_DECIMAL_PORTABLE)
__extension__ typedef unsigned __int128 native_wide;

static struct wide multiply(uint64_t left, uint64_t right)
{
    native_wide product = (native_wide)left * right;

    return (struct wide){(uint64_t)(product >> 64), (uint64_t)product};
}
#else
static struct wide multiply(uint64_t left, uint64_t right)
{
    uint64_t left_low = left & UINT32_MAX;
    uint64_t left_high = left >> 32;
    uint64_t right_low = right & UINT32_MAX;
    uint64_t right_high = right >> 32;
    uint64_t low = left_low * right_low;
    uint64_t inner = left_high * right_low + (low >> 32);
    uint64_t outer = left_low * right_high + (inner & UINT32_MAX);

    return (struct wide){left_high * right_high + (inner >> 32) + (outer >> 32),
                         outer << 32 | (low & UINT32_MAX)};
}
#endif

static struct wide add(struct wide left, struct wide right, bool *carry)
{
    struct wide sum = {left.high + right.high, left.low + right.low};
    bool from_low = sum.low < left.low;

    sum.high += from_low;
    *carry = sum.high < left.high || (from_low && sum.high == left.high);
    return sum;
}

static int leading_zeros(uint64_t value)
{
    int count = 0;

    for (int step = 32; step != 0; step /= 2) {
        if (value >> (64 - step) == 0) {
            value <<= step;
            count += step;
        }
    }
    return count;
}

/* Shifts as if there were bits without end, which C leaves open for what is negative. */
static int shift_right(int value, int count)
{
    return value >= 0 ? value >> count : -((-value - 1) >> count) - 1;
}

/* floor(log2(10^exponent)) for exponents of -1233 to 1233: 1741647 / 2^19 is a little less than log2(10). */
static int floor_log2_of_power(int exponent)
{
    return shift_right(exponent * 1741647, 19);
}

/* ---- powers of ten ---- */

enum { FIRST_POWER = -342, LAST_POWER = 324, LAST_EXACT_POWER = 55 };

/* 10^n is powers[n - FIRST_POWER] * 2^(floor(log2(10^n)) - 127): rounded up, but exact from 10^0 to 10^55. */
static const struct wide powers[] = {
#include "base/decimal_powers.inc"
};

_Static_assert(sizeof powers / sizeof powers[0] == LAST_POWER - FIRST_POWER + 1, "a power for each exponent");

static const struct wide *power_of_ten(int exponent)
{
    assert(exponent >= FIRST_POWER && exponent <= LAST_POWER);
    return &powers[exponent - FIRST_POWER];
}

/* ---- printing ---- */

/* digits * 10^exponent. */
struct decimal {
    uint64_t digits;
    int exponent;
};

/* power * factor / 2^128, with the last bit set where something was cut off. */
static uint64_t scale(const struct wide *power, uint64_t factor)
{
    struct wide low = multiply(power->low, factor);
    struct wide high = multiply(power->high, factor);
    uint64_t middle = high.low + low.high;

    return (high.high + (middle < low.high)) | (middle > 1);
}

/* The shortest decimal that is nearer to the number than to its neighbours. Everything is in quarters of 10^k: the number, and the
 * two middles between it and its neighbours, `lower` and `upper`, which belong to it where its significand is even. */
static struct decimal shortest(struct binary binary, const struct format *format)
{
    uint64_t significand = binary.significand;
    bool is_odd = significand % 2 != 0;
    /* Below a power of two numbers lie twice as near. */
    bool is_power = significand == UINT64_C(1) << (format->precision - 1) &&
                    binary.exponent > format->min_exponent - (format->precision - 1);
    /* floor(log10(2^exponent)), for a power floor(log10(3/4 * 2^exponent)). */
    int k = shift_right(binary.exponent * 1262611 - (is_power ? 524031 : 0), 22);
    int shift = binary.exponent + floor_log2_of_power(-k) + 1;
    const struct wide *power = power_of_ten(-k);
    uint64_t value = scale(power, (4 * significand) << shift);
    uint64_t lower = scale(power, (4 * significand - (is_power ? 1 : 2)) << shift) + is_odd;
    uint64_t upper = scale(power, (4 * significand + 2) << shift) - is_odd;
    uint64_t whole = value / 4;
    bool is_down;
    bool is_up;

    if (whole >= 10) {
        uint64_t tens = whole / 10;

        is_down = lower <= 40 * tens;
        is_up = 40 * tens + 40 <= upper;
        if (is_down != is_up)
            return (struct decimal){tens + is_up, k + 1};
    }
    is_down = lower <= 4 * whole;
    is_up = 4 * whole + 4 <= upper;
    if (is_down == is_up)
        is_up = value > 4 * whole + 2 || (value == 4 * whole + 2 && whole % 2 != 0);
    return (struct decimal){whole + is_up, k};
}

/* Zeros at the end are the exponent's. */
static struct decimal without_zeros(struct decimal decimal)
{
    while (decimal.digits % 100000000 == 0) {
        decimal.digits /= 100000000;
        decimal.exponent += 8;
    }
    while (decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    return decimal;
}

/* Numbers up to 2^53 that are whole are their own shortest decimals. */
static bool is_whole(struct binary binary, uint64_t *whole)
{
    if (binary.exponent > 0 || binary.exponent < -52)
        return false;
    *whole = binary.significand >> -binary.exponent;
    return *whole << -binary.exponent == binary.significand;
}

enum { DIGITS = 20, POSITIONAL_ZEROS = 3, POSITIONAL_DIGITS = 16 };

/* The digits of a number, right-aligned in `text`. Returns how many there are. */
static int put_digits(char text[DIGITS], uint64_t digits)
{
    int at = DIGITS;

    do {
        text[--at] = (char)('0' + digits % 10);
        digits /= 10;
    } while (digits != 0);
    return DIGITS - at;
}

static char *put(char *at, const char *text, int size)
{
    memcpy(at, text, (size_t)size);
    return at + size;
}

static char *put_zeros(char *at, int count)
{
    memset(at, '0', (size_t)count);
    return at + count;
}

static char *put_exponent(char *at, int exponent)
{
    char text[DIGITS];
    int count = put_digits(text, (uint64_t)(exponent < 0 ? -exponent : exponent));

    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    return put(at, text + DIGITS - count, count);
}

/* Whether zeros behind the digits would be the number's own. */
static bool is_all(struct decimal decimal, struct binary binary)
{
    for (; decimal.exponent > 0; decimal.exponent--)
        decimal.digits *= 10;
    return decimal.digits == binary.significand << binary.exponent;
}

static char *put_decimal(char *at, struct decimal decimal, struct binary binary)
{
    char text[DIGITS];
    int count = put_digits(text, decimal.digits);
    const char *digits = text + DIGITS - count;
    int point = count + decimal.exponent; /* digits before the point */

    if (point > POSITIONAL_DIGITS || point < -POSITIONAL_ZEROS ||
        (decimal.exponent > 0 && !is_all(decimal, binary))) {
        at = put(at, digits, 1);
        if (count > 1) {
            *at++ = '.';
            at = put(at, digits + 1, count - 1);
        }
        return put_exponent(at, point - 1);
    }
    if (decimal.exponent >= 0)
        return put_zeros(put(at, digits, count), decimal.exponent);
    if (point > 0) {
        at = put(at, digits, point);
        *at++ = '.';
        return put(at, digits + point, count - point);
    }
    *at++ = '0';
    *at++ = '.';
    return put(put_zeros(at, -point), digits, count);
}

static size_t print(uint64_t bits, bool is_negative, const struct format *format, char *text)
{
    struct binary binary = binary_of(bits, format);
    char *at = text;
    uint64_t whole;

    assert(bits < format->infinity);
    if (is_negative)
        *at++ = '-';
    if (bits == 0)
        at = is_negative ? put(at, "0.0", 3) : put(at, "0", 1);
    else if (is_whole(binary, &whole))
        at = put_decimal(at, (struct decimal){whole, 0}, binary);
    else
        at = put_decimal(at, without_zeros(shortest(binary, format)), binary);
    return (size_t)(at - text);
}

size_t um_decimal_print_double(double value, char text[UM_DECIMAL_CAPACITY])
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return print(bits & INT64_MAX, bits >> 63 != 0, &double_format, text);
}

size_t um_decimal_print_float(float value, char text[UM_DECIMAL_CAPACITY])
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return print(bits & INT32_MAX, bits >> 31 != 0, &float_format, text);
}

/* ---- reading: the text ---- */

enum { KEPT_DIGITS = 19 /* so many fit into 64 bits, whatever they are */ };

#define EXPONENT_LIMIT INT64_C(1000000000000000) /* more than a text has digits to make up for */

/* What a text says: digits * 10^exponent, and less than one more of the last digit where is_cut. */
struct spelling {
    bool is_negative;
    uint64_t digits; /* the first ones, without zeros before them */
    int count;       /* how many those are */
    bool is_cut;     /* more follow, and not only zeros */
    int64_t exponent;
    const char *start; /* the first digit or the point, in the text */
    const char *end;   /* behind the last digit or the point */
};

static unsigned digit_at(const char *at, const char *end)
{
    return at != end ? (unsigned)(unsigned char)*at - '0' : 10;
}

/* Passes over digits behind those that are kept. */
static const char *skip_digits(const char *at, const char *end, bool *is_cut)
{
    for (; end - at >= UM_WORD_SIZE && um_word_is_digits(um_word_load(at)); at += UM_WORD_SIZE)
        *is_cut |= um_word_load(at) != UM_WORD_ONES * '0';
    for (; digit_at(at, end) <= 9; at++)
        *is_cut |= *at != '0';
    return at;
}

/* Reads a row of digits, which may be empty. Returns its end, and in *kept where those end that have been kept. */
static const char *read_row(struct spelling *spelling, const char *at, const char *end, const char **kept)
{
    if (spelling->count == 0) {
        while (digit_at(at, end) == 0)
            at++;
    }
    while (end - at >= UM_WORD_SIZE && spelling->count <= KEPT_DIGITS - UM_WORD_SIZE &&
           um_word_is_digits(um_word_load(at))) {
        spelling->digits = spelling->digits * 100000000 + um_word_digits(um_word_load(at));
        spelling->count += UM_WORD_SIZE;
        at += UM_WORD_SIZE;
    }
    for (; digit_at(at, end) <= 9 && spelling->count < KEPT_DIGITS; at++, spelling->count++)
        spelling->digits = spelling->digits * 10 + digit_at(at, end);
    *kept = at;
    return skip_digits(at, end, &spelling->is_cut);
}

/* Reads an exponent behind its letter. NULL where there is none. */
static const char *read_exponent(const char *at, const char *end, int64_t *exponent)
{
    bool is_negative = at != end && *at == '-';
    int64_t magnitude = 0;

    if (at != end && (*at == '-' || *at == '+'))
        at++;
    if (digit_at(at, end) > 9)
        return NULL;
    for (; digit_at(at, end) <= 9; at++) {
        if (magnitude < EXPONENT_LIMIT)
            magnitude = magnitude * 10 + (int64_t)digit_at(at, end);
    }
    *exponent += is_negative ? -magnitude : magnitude;
    return at;
}

static bool read_spelling(struct spelling *spelling, const char *text, size_t size)
{
    const char *end = text + size;
    const char *at = text;
    const char *kept;
    size_t digits;

    *spelling = (struct spelling){.is_negative = *text == '-'};
    at += spelling->is_negative;
    spelling->start = at;
    at = read_row(spelling, at, end, &kept);
    digits = (size_t)(at - spelling->start);
    spelling->exponent = at - kept;
    if (at != end && *at == '.') {
        const char *fraction = ++at;

        at = read_row(spelling, at, end, &kept);
        digits += (size_t)(at - fraction);
        spelling->exponent -= kept - fraction;
    }
    spelling->end = at;
    if (digits != 0 && at != end && (*at == 'e' || *at == 'E'))
        at = read_exponent(at + 1, end, &spelling->exponent);
    return digits != 0 && at == end;
}

/* ---- reading: big integers ---- */

enum {
    BIG_WORDS = 48,    /* 3,072 bits; no comparison needs more than 2,700 */
    BIG_DIGITS = 780,  /* no middle between two doubles has more than 767 digits */
    FIVES_AT_ONCE = 27 /* 5^27 fits into 64 bits, */
};

#define FIVE_TO_27 UINT64_C(7450580596923828125)
#define TEN_TO_19 UINT64_C(10000000000000000000)

struct big {
    uint64_t word[BIG_WORDS]; /* the lowest first */
    int size;                 /* words in use; the top one is not 0 */
};

static void big_push(struct big *big, uint64_t word)
{
    if (word == 0)
        return;
    assert(big->size < BIG_WORDS);
    big->word[big->size++] = word;
}

static void big_multiply_add(struct big *big, uint64_t factor, uint64_t more)
{
    for (int i = 0; i < big->size; i++) {
        struct wide product = multiply(big->word[i], factor);

        big->word[i] = product.low + more;
        more = product.high + (big->word[i] < more);
    }
    big_push(big, more);
}

static void big_multiply_by_fives(struct big *big, int64_t count)
{
    uint64_t rest = 1;

    for (; count >= FIVES_AT_ONCE; count -= FIVES_AT_ONCE)
        big_multiply_add(big, FIVE_TO_27, 0);
    for (; count > 0; count--)
        rest *= 5;
    big_multiply_add(big, rest, 0);
}

static void big_shift_left(struct big *big, int64_t count)
{
    int words = (int)(count / 64);
    int bits = (int)(count % 64);

    if (bits != 0)
        big_multiply_add(big, UINT64_C(1) << bits, 0);
    assert(big->size + words <= BIG_WORDS);
    memmove(big->word + words, big->word, (size_t)big->size * sizeof big->word[0]);
    memset(big->word, 0, (size_t)words * sizeof big->word[0]);
    big->size += words;
}

static int big_compare(const struct big *left, const struct big *right)
{
    if (left->size != right->size)
        return left->size < right->size ? -1 : 1;
    for (int i = left->size - 1; i >= 0; i--) {
        if (left->word[i] != right->word[i])
            return left->word[i] < right->word[i] ? -1 : 1;
    }
    return 0;
}

/* All digits of the text, as far as they can matter. Returns the power of ten that they are multiplied by;
 * *is_cut: there are more. */
static int64_t big_from_spelling(struct big *big, const struct spelling *spelling, bool *is_cut)
{
    int64_t exponent =
        spelling->exponent + spelling->count; /* as if the point stood before the first digit */
    uint64_t chunk = 0;
    uint64_t scale = 1;
    int count = 0;

    big->size = 0;
    *is_cut = false;
    for (const char *at = spelling->start; at != spelling->end; at++) {
        unsigned digit = digit_at(at, spelling->end);

        if (digit > 9 || (digit == 0 && count == 0))
            continue;
        if (count == BIG_DIGITS) {
            *is_cut |= digit != 0;
            continue;
        }
        chunk = chunk * 10 + digit;
        scale *= 10;
        count++;
        if (scale == TEN_TO_19) {
            big_multiply_add(big, scale, chunk);
            chunk = 0;
            scale = 1;
        }
    }
    big_multiply_add(big, scale, chunk);
    return exponent - count;
}

/* Whether the text says more than, less than, or just the middle between the number and the next larger one. */
static int compare_with_middle(const struct spelling *spelling, struct binary lower)
{
    struct big left;
    struct big right = {.word = {2 * lower.significand + 1}, .size = 1};
    bool is_cut;
    int64_t tens = big_from_spelling(&left, spelling, &is_cut);
    int64_t twos = lower.exponent - 1 - tens; /* by which the right side has more */
    int order;

    if (tens >= 0)
        big_multiply_by_fives(&left, tens);
    else
        big_multiply_by_fives(&right, -tens);
    if (twos >= 0)
        big_shift_left(&right, twos);
    else
        big_shift_left(&left, -twos);
    order = big_compare(&left, &right);
    return order == 0 && is_cut ? 1 : order;
}

/* ---- reading: rounding ---- */

/* Rounds value * 2^(exponent - 127), ties to even; the top bit or the one below it is set. Returns the bits of the number. */
static uint64_t round_wide(struct wide value, int exponent, const struct format *format)
{
    int dropped = 64 - format->precision; /* bits of value.high */
    uint64_t significand;
    uint64_t rest;
    uint64_t half;
    uint64_t bits;

    if (value.high >> 63 == 0) {
        value = (struct wide){value.high << 1 | value.low >> 63, value.low << 1};
        exponent--;
    }
    if (exponent < format->min_exponent) {
        if (format->min_exponent - exponent > format->precision)
            return 0;
        dropped += format->min_exponent - exponent;
        exponent = format->min_exponent;
    }
    significand = dropped < 64 ? value.high >> dropped : 0;
    rest = dropped < 64 ? value.high & ((UINT64_C(1) << dropped) - 1) : value.high;
    half = UINT64_C(1) << (dropped - 1);
    bits = ((uint64_t)(exponent - format->min_exponent) << (format->precision - 1)) + significand;
    bits += rest > half || (rest == half && (value.low != 0 || significand % 2 != 0));
    return bits < format->infinity ? bits : format->infinity;
}

/* The bits of the number nearest to the text. */
static uint64_t nearest(const struct spelling *spelling, const struct format *format)
{
    int power = (int)spelling->exponent;
    int zeros = leading_zeros(spelling->digits);
    const struct wide *ten = power_of_ten(power);
    struct wide low = multiply(spelling->digits << zeros, ten->low);
    struct wide value = multiply(spelling->digits << zeros, ten->high);
    int exponent = floor_log2_of_power(power) + 64 - zeros;
    bool is_exact = power >= 0 && power <= LAST_EXACT_POWER;
    struct wide error = {spelling->is_cut ? UINT64_C(1) << zeros : 0, is_exact ? low.low != 0 : 2};
    uint64_t lower;
    uint64_t upper;
    bool carry;
    int order;

    value = add(value, (struct wide){0, low.high}, &carry);
    /* A power that is not exact is rounded up: the product may be too large by less than one. */
    if (!is_exact)
        value = (struct wide){value.high - (value.low == 0), value.low - 1};
    lower = round_wide(value, exponent, format);
    /* Mostly so little more changes neither the upper bits nor the one that may be shifted to them. */
    if (!spelling->is_cut && (value.low & INT64_MAX) - 1 < INT64_MAX - 2)
        return lower;
    value = add(value, error, &carry);
    upper = carry ? round_wide((struct wide){UINT64_C(1) << 63, value.low | 1}, exponent + 1, format)
                  : round_wide(value, exponent, format);
    if (lower == upper)
        return lower;
    order = compare_with_middle(spelling, binary_of(lower, format));
    return order < 0 || (order == 0 && lower % 2 == 0) ? lower : upper;
}

/* The sizes of table and arithmetic are for numbers that can be doubles. */
static bool read(const char *text, size_t size, const struct format *format, uint64_t *bits,
                 bool *is_negative)
{
    struct spelling spelling;

    if (size == 0 || !read_spelling(&spelling, text, size))
        return false;
    *is_negative = spelling.is_negative;
    if (spelling.digits == 0 || spelling.exponent < FIRST_POWER)
        *bits = 0;
    else if (spelling.exponent > 308)
        *bits = format->infinity;
    else
        *bits = nearest(&spelling, format);
    return true;
}

bool um_decimal_read_double(const char *text, size_t size, double *value)
{
    uint64_t bits;
    bool is_negative;

    if (!read(text, size, &double_format, &bits, &is_negative))
        return false;
    bits |= (uint64_t)is_negative << 63;
    memcpy(value, &bits, sizeof *value);
    return true;
}

bool um_decimal_read_float(const char *text, size_t size, float *value)
{
    uint64_t bits;
    uint32_t half;
    bool is_negative;

    if (!read(text, size, &float_format, &bits, &is_negative))
        return false;
    half = (uint32_t)bits | (uint32_t)is_negative << 31;
    memcpy(value, &half, sizeof *value);
    return true;
}
