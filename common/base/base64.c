/* Base64. Both ways take wide steps, because a large block's time is spent here: pairs of digits are looked up at once, and the
 * four digits of a group are put together from tables that hold them shifted to their places. */
#include <stdint.h>
#include <string.h>

#include "base/base64_avx2.h"
#include "base/encoding.h"
#include "base/encoding_avx512.h"

/* The two digits of twelve bits. */
static const char digit_pairs[64 * 64][2] = {
#define PAIR(first, second) \
    { \
        first, second \
    }
#define EIGHT(first, a, b, c, d, e, f, g, h) \
    PAIR(first, a), PAIR(first, b), PAIR(first, c), PAIR(first, d), PAIR(first, e), PAIR(first, f), \
        PAIR(first, g), PAIR(first, h)
#define ROW(first) \
    EIGHT(first, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'), \
        EIGHT(first, 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'), \
        EIGHT(first, 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X'), \
        EIGHT(first, 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f'), \
        EIGHT(first, 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'), \
        EIGHT(first, 'o', 'p', 'q', 'r', 's', 't', 'u', 'v'), \
        EIGHT(first, 'w', 'x', 'y', 'z', '0', '1', '2', '3'), \
        EIGHT(first, '4', '5', '6', '7', '8', '9', '+', '/')
    ROW('A'), ROW('B'), ROW('C'), ROW('D'), ROW('E'), ROW('F'), ROW('G'), ROW('H'), ROW('I'), ROW('J'),
    ROW('K'), ROW('L'), ROW('M'), ROW('N'), ROW('O'), ROW('P'), ROW('Q'), ROW('R'), ROW('S'), ROW('T'),
    ROW('U'), ROW('V'), ROW('W'), ROW('X'), ROW('Y'), ROW('Z'), ROW('a'), ROW('b'), ROW('c'), ROW('d'),
    ROW('e'), ROW('f'), ROW('g'), ROW('h'), ROW('i'), ROW('j'), ROW('k'), ROW('l'), ROW('m'), ROW('n'),
    ROW('o'), ROW('p'), ROW('q'), ROW('r'), ROW('s'), ROW('t'), ROW('u'), ROW('v'), ROW('w'), ROW('x'),
    ROW('y'), ROW('z'), ROW('0'), ROW('1'), ROW('2'), ROW('3'), ROW('4'), ROW('5'), ROW('6'), ROW('7'),
    ROW('8'), ROW('9'), ROW('+'), ROW('/'),
#undef PAIR
#undef EIGHT
#undef ROW
};

#define NO_DIGIT (UINT32_C(1) << 31)

/* The value of a character as a group's first to fourth digit, in its place among the group's 24 bits; NO_DIGIT where it is none. */
static const uint32_t digit_values[4][256] = {
#define NONE5 NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT, NO_DIGIT
#define NONE43 NONE5, NONE5, NONE5, NONE5, NONE5, NONE5, NONE5, NONE5, NO_DIGIT, NO_DIGIT, NO_DIGIT
#define IN_PLACE(value, place) (UINT32_C(value) << (place))
#define VALUES(place) \
    { \
        NONE43, /* 0x00 to 0x2a; '+' is 0x2b, '/' is 0x2f */ \
            IN_PLACE(62, place), NO_DIGIT, NO_DIGIT, NO_DIGIT, IN_PLACE(63, place), IN_PLACE(52, place), \
            IN_PLACE(53, place), IN_PLACE(54, place), IN_PLACE(55, place), IN_PLACE(56, place), \
            IN_PLACE(57, place), IN_PLACE(58, place), IN_PLACE(59, place), IN_PLACE(60, place), \
            IN_PLACE(61, place), NONE5, NO_DIGIT, NO_DIGIT, IN_PLACE(0, place), IN_PLACE(1, place), \
            IN_PLACE(2, place), IN_PLACE(3, place), IN_PLACE(4, place), IN_PLACE(5, place), \
            IN_PLACE(6, place), IN_PLACE(7, place), IN_PLACE(8, place), IN_PLACE(9, place), \
            IN_PLACE(10, place), IN_PLACE(11, place), IN_PLACE(12, place), IN_PLACE(13, place), \
            IN_PLACE(14, place), IN_PLACE(15, place), IN_PLACE(16, place), IN_PLACE(17, place), \
            IN_PLACE(18, place), IN_PLACE(19, place), IN_PLACE(20, place), IN_PLACE(21, place), \
            IN_PLACE(22, place), IN_PLACE(23, place), IN_PLACE(24, place), IN_PLACE(25, place), NONE5, \
            NO_DIGIT, IN_PLACE(26, place), IN_PLACE(27, place), IN_PLACE(28, place), IN_PLACE(29, place), \
            IN_PLACE(30, place), IN_PLACE(31, place), IN_PLACE(32, place), IN_PLACE(33, place), \
            IN_PLACE(34, place), IN_PLACE(35, place), IN_PLACE(36, place), IN_PLACE(37, place), \
            IN_PLACE(38, place), IN_PLACE(39, place), IN_PLACE(40, place), IN_PLACE(41, place), \
            IN_PLACE(42, place), IN_PLACE(43, place), IN_PLACE(44, place), IN_PLACE(45, place), \
            IN_PLACE(46, place), IN_PLACE(47, place), IN_PLACE(48, place), IN_PLACE(49, place), \
            IN_PLACE(50, place), IN_PLACE(51, place), NONE5, /* to 0x7f */ \
            NONE43, NONE43, NONE5, NONE5, NONE5, NONE5, NONE5, NONE5, NONE5, NONE5, NO_DIGIT, NO_DIGIT \
    }
    VALUES(18),
    VALUES(12),
    VALUES(6),
    VALUES(0),
#undef NONE5
#undef NONE43
#undef IN_PLACE
#undef VALUES
};

size_t um_base64_encoded_size(size_t size)
{
    return (size / 3 + (size % 3 != 0)) * 4;
}

/* Writes the two digits of the lowest twelve bits. */
static void put_pair(char *out, uint64_t bits)
{
    memcpy(out, digit_pairs[bits & 4095], 2);
}

/* Eight bytes as one number, as compilers see. */
static uint64_t load(const unsigned char *in)
{
    return (uint64_t)in[0] << 56 | (uint64_t)in[1] << 48 | (uint64_t)in[2] << 40 | (uint64_t)in[3] << 32 |
           (uint64_t)in[4] << 24 | (uint64_t)in[5] << 16 | (uint64_t)in[6] << 8 | in[7];
}

void um_base64_encode(char *out, const void *bytes, size_t size)
{
    const unsigned char *in = bytes;
    size_t done = um_base64_encode_avx512(out, in, size);

    done += um_base64_encode_avx2(out + done / 3 * 4, in + done, size - done);
    in += done;
    size -= done;
    out += done / 3 * 4;
    /* Eight bytes are read, and six of them used. */
    for (; size >= 8; size -= 6, in += 6, out += 8) {
        uint64_t group = load(in);

        put_pair(out, group >> 52);
        put_pair(out + 2, group >> 40);
        put_pair(out + 4, group >> 28);
        put_pair(out + 6, group >> 16);
    }
    for (; size >= 3; size -= 3, in += 3, out += 4) {
        uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

        put_pair(out, group >> 12);
        put_pair(out + 2, group);
    }
    if (size != 0) {
        uint32_t group = (uint32_t)in[0] << 16 | (size == 2 ? (uint32_t)in[1] << 8 : 0);

        put_pair(out, group >> 12);
        put_pair(out + 2, group);
        out[3] = '=';
        if (size == 1)
            out[2] = '=';
    }
}

/* The 24 bits of four digits; NO_DIGIT is set in it where one of them is none. */
static uint32_t read_group(const unsigned char *text)
{
    return digit_values[0][text[0]] | digit_values[1][text[1]] | digit_values[2][text[2]] |
           digit_values[3][text[3]];
}

/* Which of the first `length` characters of a group is no digit; `length` where all are. */
static size_t find_no_digit(const unsigned char *text, size_t length)
{
    size_t at = 0;

    while (at < length && digit_values[0][text[at]] != NO_DIGIT)
        at++;
    return at;
}

bool um_base64_decode_part(void *out, const char *text, size_t length, size_t *size, size_t *bad_offset)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t at = length >= UM_BASE64_WIDE_LENGTH ? um_base64_decode_avx512(out, in, length) : 0;
    unsigned char *bytes = (unsigned char *)out + at / 4 * 3;

    if (length - at >= UM_BASE64_WIDE_LENGTH)
        at += um_base64_decode_avx2(bytes, in + at, length - at);
    bytes = (unsigned char *)out + at / 4 * 3;
    /* What is written never reaches what is still to be read, where both are the same memory. */
    for (; at < length; at += 4, bytes += 3) {
        uint32_t group = read_group(in + at);

        if (group >= NO_DIGIT) {
            *bad_offset = at + find_no_digit(in + at, 4);
            return false;
        }
        bytes[0] = (unsigned char)(group >> 16);
        bytes[1] = (unsigned char)(group >> 8);
        bytes[2] = (unsigned char)group;
    }
    *size = length / 4 * 3;
    return true;
}

/* Decodes a last group, which has so many characters of padding. Returns what is wrong with it: the place of a character, or 4. */
static size_t decode_padded(unsigned char *bytes, const unsigned char *in, size_t padding)
{
    const unsigned char padded[4] = {in[0], in[1], padding == 1 ? in[2] : 'A', 'A'};
    uint32_t group = read_group(padded);

    if (group >= NO_DIGIT)
        return find_no_digit(padded, 4);
    /* The bits that padding leaves unused must be zero, so that a row of bytes has one spelling only. */
    if ((group & (padding == 1 ? 0xffU : 0xffffU)) != 0)
        return 3 - padding;
    bytes[0] = (unsigned char)(group >> 16);
    if (padding == 1)
        bytes[1] = (unsigned char)(group >> 8);
    return 4;
}

bool um_base64_decode(void *out, const char *text, size_t length, size_t *size, size_t *bad_offset)
{
    size_t padding = 0;
    size_t decoded = 0;
    size_t bad;

    if (length % 4 != 0) {
        *bad_offset = length;
        return false;
    }
    if (length != 0 && text[length - 1] == '=')
        padding = text[length - 2] == '=' ? 2 : 1;
    if (padding != 0)
        length -= 4;
    if (!um_base64_decode_part(out, text, length, &decoded, bad_offset))
        return false;
    if (padding != 0) {
        bad = decode_padded((unsigned char *)out + decoded, (const unsigned char *)text + length, padding);
        if (bad != 4) {
            *bad_offset = length + bad;
            return false;
        }
        decoded += 3 - padding;
    }
    *size = decoded;
    return true;
}
