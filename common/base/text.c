#include "text.h"

#include <stdint.h>
#include <string.h>

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_digits[] = "0123456789abcdef";

/* The value of a base64 digit, or -1. Built by the compiler from ranges, so that there is no table to initialize. */
static const signed char base64_values[256] = {
#define NONE8 -1, -1, -1, -1, -1, -1, -1, -1
    NONE8, NONE8, NONE8, NONE8, NONE8,                   /* 0x00 to 0x27 */
    -1,    -1,    -1,    62,    -1,    -1,    -1,    63, /* '+' is 0x2b, '/' is 0x2f */
    52,    53,    54,    55,    56,    57,    58,    59,    60, 61, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,
    3,     4,     5,     6,     7,     8,     9,     10,    11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    23,    24,    25,    -1,    -1,    -1,    -1,    -1,    -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36,
    37,    38,    39,    40,    41,    42,    43,    44,    45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
    NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, /* 0x80 to 0xbf */
    NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, NONE8, /* 0xc0 to 0xff */
#undef NONE8
};

static int base64_value(char character)
{
    return base64_values[(unsigned char)character];
}

static int hex_value(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

size_t um_base64_encoded_size(size_t size)
{
    return (size / 3 + (size % 3 != 0)) * 4;
}

/* Writes three bytes, which are the lower 24 bits, as four digits. */
static void encode_group(char *out, uint32_t group)
{
    out[0] = base64_digits[group >> 18 & 63];
    out[1] = base64_digits[group >> 12 & 63];
    out[2] = base64_digits[group >> 6 & 63];
    out[3] = base64_digits[group & 63];
}

void um_base64_encode(char *out, const void *bytes, size_t size)
{
    const unsigned char *in = bytes;

    /* Four bytes are read at once, as compilers see, and three of them are used. */
    for (; size >= 4; size -= 3, in += 3, out += 4) {
        uint32_t group = (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];

        encode_group(out, group >> 8);
    }
    if (size == 3) {
        encode_group(out, (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2]);
    } else if (size != 0) {
        uint32_t group = (uint32_t)in[0] << 16 | (size == 2 ? (uint32_t)in[1] << 8 : 0);

        out[0] = base64_digits[group >> 18];
        out[1] = base64_digits[group >> 12 & 63];
        out[2] = size == 2 ? base64_digits[group >> 6 & 63] : '=';
        out[3] = '=';
    }
}

bool um_base64_decoded_size(const char *text, size_t length, size_t *size, size_t *bad_offset)
{
    size_t padding = 0;

    if (length % 4 != 0) {
        *bad_offset = length;
        return false;
    }
    if (length != 0 && text[length - 1] == '=')
        padding = text[length - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < length - padding; i++) {
        if (base64_value(text[i]) < 0) {
            *bad_offset = i;
            return false;
        }
    }
    /* The bits that padding leaves unused must be zero, so that a row of bytes has one spelling only. */
    if ((padding == 1 && (base64_value(text[length - 2]) & 3) != 0) ||
        (padding == 2 && (base64_value(text[length - 3]) & 15) != 0)) {
        *bad_offset = length - padding - 1;
        return false;
    }
    *size = length / 4 * 3 - padding;
    return true;
}

void um_base64_decode(void *out, const char *text, size_t length)
{
    unsigned char *bytes = out;

    for (size_t i = 0; i < length; i += 4) {
        uint32_t group = (uint32_t)base64_value(text[i]) << 18 | (uint32_t)base64_value(text[i + 1]) << 12;

        *bytes++ = (unsigned char)(group >> 16);
        if (text[i + 2] == '=')
            break;
        group |= (uint32_t)base64_value(text[i + 2]) << 6;
        *bytes++ = (unsigned char)(group >> 8);
        if (text[i + 3] == '=')
            break;
        *bytes++ = (unsigned char)(group | (uint32_t)base64_value(text[i + 3]));
    }
}

void um_hex_encode(char *out, const void *bytes, size_t size)
{
    const unsigned char *in = bytes;

    for (size_t i = 0; i < size; i++) {
        *out++ = hex_digits[in[i] >> 4];
        *out++ = hex_digits[in[i] & 15];
    }
}

bool um_hex_decoded_size(const char *text, size_t length, size_t *size, size_t *bad_offset)
{
    for (size_t i = 0; i < length; i++) {
        if (hex_value(text[i]) < 0) {
            *bad_offset = i;
            return false;
        }
    }
    if (length % 2 != 0) {
        *bad_offset = length;
        return false;
    }
    *size = length / 2;
    return true;
}

void um_hex_decode(void *out, const char *text, size_t length)
{
    unsigned char *bytes = out;

    for (size_t i = 0; i + 1 < length; i += 2)
        *bytes++ = (unsigned char)(hex_value(text[i]) << 4 | hex_value(text[i + 1]));
}

/* How many bytes the sequence at `bytes` takes, or 0 where it is not valid UTF-8 (the table of RFC 3629 section 4). */
static size_t utf8_sequence(const unsigned char *bytes, size_t size)
{
    unsigned char lead = bytes[0];
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t length;

    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length > size)
        return 0;
    if (lead == 0xe0)
        low = 0xa0; /* shorter forms exist below */
    else if (lead == 0xed)
        high = 0x9f; /* surrogates above */
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f; /* nothing past U+10FFFF */
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

size_t um_utf8_check(const void *bytes, size_t size)
{
    const unsigned char *in = bytes;
    size_t i = 0;

    while (i < size) {
        uint64_t eight;
        size_t length;

        if (size - i >= sizeof eight) {
            memcpy(&eight, in + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        length = in[i] < 0x80 ? 1 : utf8_sequence(in + i, size - i);
        if (length == 0)
            return i;
        i += length;
    }
    return size;
}
