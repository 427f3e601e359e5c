#include "base/encoding.h"

#include <stdint.h>
#include <string.h>

#include "base/encoding_avx512.h"
#include "base/hex_avx2.h"
#include "base/text_avx2.h"

enum {
    STEP = 16, /* bytes of hex that are taken at once: compilers make vector instructions of such loops */
    ASCII_STEP = 64 /* likewise for the UTF-8 check */
};

static unsigned char hex_digit(unsigned value)
{
    return (unsigned char)(value + '0' + (value > 9 ? 'a' - '9' - 1 : 0));
}

/* The value of a digit; 0xff in *bad where it is none, else *bad stays. */
static unsigned char hex_value(unsigned char character, unsigned char *bad)
{
    unsigned char number = (unsigned char)(character - '0');
    unsigned char letter = (unsigned char)((character | 0x20) - 'a');
    unsigned char is_number = (unsigned char)-(number < 10);
    unsigned char is_letter = (unsigned char)-(letter < 6);

    *bad |= (unsigned char)~(is_number | is_letter);
    return (unsigned char)((number & is_number) | ((letter + 10) & is_letter));
}

static void encode_hex(char *out, const unsigned char *in, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = (char)hex_digit(in[i] >> 4);
        out[2 * i + 1] = (char)hex_digit(in[i] & 15);
    }
}

void um_hex_encode(char *out, const void *bytes, size_t size)
{
    const unsigned char *in = bytes;
    size_t done = um_hex_encode_avx512(out, in, size);
    char text[2 * STEP];

    done += um_hex_encode_avx2(out + 2 * done, in + done, size - done);
    in += done;
    size -= done;
    out += 2 * done;
    for (; size >= STEP; size -= STEP, in += STEP, out += sizeof text) {
        encode_hex(text, in, STEP);
        memcpy(out, text, sizeof text);
    }
    encode_hex(out, in, size);
}

/* Decodes `size` bytes, at most STEP. Returns false, and writes nothing, where one of their digits is none. */
static bool decode_hex(unsigned char *out, const char *text, size_t size)
{
    unsigned char values[2 * STEP] = {0};
    unsigned char bad = 0;

    for (size_t i = 0; i < 2 * size; i++)
        values[i] = hex_value((unsigned char)text[i], &bad);
    if (bad != 0)
        return false;
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(values[2 * i] << 4 | values[2 * i + 1]);
    return true;
}

/* The position of the first character that is no digit; `length` where all are. */
static size_t find_no_hex(const char *text, size_t length)
{
    for (size_t at = 0; at < length; at++) {
        unsigned char bad = 0;

        hex_value((unsigned char)text[at], &bad);
        if (bad != 0)
            return at;
    }
    return length;
}

bool um_hex_decode(void *out, const char *text, size_t length, size_t *size, size_t *bad_offset)
{
    unsigned char *bytes = out;
    const unsigned char *in = (const unsigned char *)text;
    size_t done = um_hex_decode_avx512(bytes, in, length) / 2;

    done += um_hex_decode_avx2(bytes + done, in + 2 * done, length - 2 * done) / 2;
    while (length / 2 - done >= STEP && decode_hex(bytes + done, text + 2 * done, STEP))
        done += STEP;
    if (length / 2 - done >= STEP || length % 2 != 0 ||
        !decode_hex(bytes + done, text + 2 * done, length / 2 - done)) {
        *bad_offset = 2 * done + find_no_hex(text + 2 * done, length - 2 * done);
        return false;
    }
    *size = length / 2;
    return true;
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

/* Whether the next ASCII_STEP bytes are all ASCII. */
static bool is_ascii(const unsigned char *bytes)
{
    unsigned char all = 0;

    for (size_t i = 0; i < ASCII_STEP; i++)
        all |= bytes[i];
    return all < 0x80;
}

size_t um_utf8_check(const void *bytes, size_t size)
{
    const unsigned char *in = bytes;
    size_t i = 0;

    while (i < size) {
        uint64_t eight;
        size_t length;

        while (size - i >= ASCII_STEP && is_ascii(in + i)) {
            i += ASCII_STEP;
            if (size - i >= UM_TEXT_WIDE_LENGTH)
                i += um_text_ascii_avx2(in + i, size - i);
        }
        if (size - i >= sizeof eight) {
            memcpy(&eight, in + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        } else if (i == size) {
            break;
        }
        length = in[i] < 0x80 ? 1 : utf8_sequence(in + i, size - i);
        if (length == 0)
            return i;
        i += length;
    }
    return size;
}
