#include "base/size.h"

#include <stddef.h>
#include <string.h>

/* The value of a digit, `base` where it is none. */
static unsigned digit(char character, unsigned base)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = character != '\0' ? strchr(digits, character) : NULL;
    unsigned value = at != NULL ? (unsigned)(at - digits) % 16 : base;

    return value < base ? value : base;
}

/* Reads digits, at least one, and moves *text behind them. Returns false where there are none, or too many. */
static bool read_digits(const char **text, unsigned base, uint64_t *number)
{
    const char *at = *text;

    *number = 0;
    for (; digit(*at, base) < base; at++) {
        if (*number > (UINT64_MAX - digit(*at, base)) / base)
            return false;
        *number = *number * base + digit(*at, base);
    }
    if (at == *text)
        return false;
    *text = at;
    return true;
}

static bool is_letter(char character, char letter)
{
    return character == letter || character == letter - 'a' + 'A';
}

/* What a unit multiplies by; 0 where it is none. */
static uint64_t read_unit(const char *unit)
{
    static const char letters[] = "kmgtp";
    uint64_t base = 1024;
    uint64_t factor = 1;
    size_t power = 0;

    while (power < sizeof letters - 1 && !is_letter(*unit, letters[power]))
        power++;
    power = power < sizeof letters - 1 ? power + 1 : 0;
    unit += power != 0;
    if (power != 0 && is_letter(*unit, 'i'))
        unit++;
    else if (is_letter(*unit, 'b'))
        base = 1000;
    unit += is_letter(*unit, 'b');
    if (*unit != '\0')
        return 0;
    for (; power != 0; power--)
        factor *= base;
    return factor;
}

bool um_size_parse(const char *text, uint64_t maximum, uint64_t *size)
{
    bool is_hex = text[0] == '0' && is_letter(text[1], 'x');
    uint64_t number;
    uint64_t factor;

    text += is_hex ? 2 : 0;
    if (!read_digits(&text, is_hex ? 16 : 10, &number))
        return false;
    factor = is_hex && *text != '\0' ? 0 : read_unit(text);
    if (factor == 0 || number > maximum / factor)
        return false;
    *size = number * factor;
    return true;
}
