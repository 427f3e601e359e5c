/* The steps of base64 are W. Mula's and D. Lemire's: "Base64 encoding and decoding at almost the speed of a memory copy", 2019. */
#include "base/encoding_avx512.h"

#include "base/avx512.h"

#ifdef UM_AVX512

#include <stdbool.h>
#include <stdint.h>

#include "base/processor.h"

enum {
    CHARACTERS = 64,   /* of one step */
    BASE64_BYTES = 48, /* that they are, */
    HEX_BYTES = 32     /* and as hex */
};

/* Those of a vector that are bytes of base64. */
static const __mmask64 base64_bytes = (UINT64_C(1) << BASE64_BYTES) - 1;

static const char base64_digits[64] = {'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M',
                                       'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
                                       'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
                                       'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
                                       '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/'};

static const char hex_digits[16] = {'0', '1', '2', '3', '4', '5', '6', '7',
                                    '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

/* The value of each ASCII character, or NO where it is no digit. */
#define NO 0x80
static const unsigned char base64_values[128] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63, 52, 53, 54, 55,
    56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO, NO, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO, NO, 26, 27, 28, 29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
};
static const unsigned char hex_values[128] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 0,  1,  2,  3,
    4,  5,  6,  7,  8,  9,  NO, NO, NO, NO, NO, NO, NO, 10, 11, 12, 13, 14, 15, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 10, 11, 12, 13, 14, 15, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
#undef NO

UM_AVX512 static size_t encode_base64(char *out, const unsigned char *in, size_t size)
{
    const __m512i digits = _mm512_loadu_si512(base64_digits);
    /* Of each group of three bytes: the second, the first, the third, the second. */
    const __m512i order = _mm512_setr_epi32(
        0x01020001, 0x04050304, 0x07080607, 0x0a0b090a, 0x0d0e0c0d, 0x10110f10, 0x13141213, 0x16171516,
        0x191a1819, 0x1c1d1b1c, 0x1f201e1f, 0x22232122, 0x25262425, 0x28292728, 0x2b2c2a2b, 0x2e2f2d2e);
    /* Where each number of six bits begins, in eight of these bytes; a look-up takes no more than six bits. */
    const __m512i shifts = _mm512_set1_epi64(INT64_C(0x3036242a1016040a));
    size_t done = 0;

    for (; size - done >= BASE64_BYTES; done += BASE64_BYTES, out += CHARACTERS) {
        __m512i bytes = _mm512_maskz_loadu_epi8(base64_bytes, in + done);
        __m512i numbers = _mm512_multishift_epi64_epi8(shifts, _mm512_permutexvar_epi8(order, bytes));

        _mm512_storeu_si512(out, _mm512_permutexvar_epi8(numbers, digits));
    }
    return done;
}

UM_AVX512 static size_t encode_hex(char *out, const unsigned char *in, size_t size)
{
    /* A look-up takes six bits, of which two belong to the other digit or to the next byte. */
    const __m512i digits = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)hex_digits));
    const __m512i shifts = _mm512_set1_epi64(INT64_C(0x3034202410140004));
    size_t done = 0;

    for (; size - done >= HEX_BYTES; done += HEX_BYTES, out += CHARACTERS) {
        __m512i bytes = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(in + done)));

        _mm512_storeu_si512(out,
                            _mm512_permutexvar_epi8(_mm512_multishift_epi64_epi8(shifts, bytes), digits));
    }
    return done;
}

/* The values of 64 characters. False where one of them is no digit. */
UM_AVX512 static inline bool read_digits(const unsigned char *in, __m512i low, __m512i high, __m512i *values)
{
    __m512i text = _mm512_loadu_si512(in);

    *values = _mm512_permutex2var_epi8(low, text, high);
    return _mm512_movepi8_mask(_mm512_or_si512(text, *values)) == 0;
}

UM_AVX512 static size_t decode_base64(unsigned char *out, const unsigned char *in, size_t length)
{
    const __m512i low = _mm512_loadu_si512(base64_values);
    const __m512i high = _mm512_loadu_si512(base64_values + 64);
    const __m512i order =
        _mm512_setr_epi32(0x06000102, 0x090a0405, 0x0c0d0e08, 0x16101112, 0x191a1415, 0x1c1d1e18, 0x26202122,
                          0x292a2425, 0x2c2d2e28, 0x36303132, 0x393a3435, 0x3c3d3e38, 0, 0, 0, 0);
    __m512i values;
    size_t done = 0;

    for (; length - done >= CHARACTERS && read_digits(in + done, low, high, &values);
         done += CHARACTERS, out += BASE64_BYTES) {
        __m512i pairs = _mm512_maddubs_epi16(values, _mm512_set1_epi32(0x01400140));
        __m512i groups = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000));

        _mm512_mask_storeu_epi8(out, base64_bytes, _mm512_permutexvar_epi8(order, groups));
    }
    return done;
}

UM_AVX512 static size_t decode_hex(unsigned char *out, const unsigned char *in, size_t length)
{
    const __m512i low = _mm512_loadu_si512(hex_values);
    const __m512i high = _mm512_loadu_si512(hex_values + 64);
    __m512i values;
    size_t done = 0;

    for (; length - done >= CHARACTERS && read_digits(in + done, low, high, &values);
         done += CHARACTERS, out += HEX_BYTES) {
        __m512i pairs = _mm512_maddubs_epi16(values, _mm512_set1_epi16(0x0110));

        _mm256_storeu_si256((void *)out, _mm512_cvtepi16_epi8(pairs));
    }
    return done;
}

size_t um_base64_encode_avx512(char *out, const unsigned char *in, size_t size)
{
    return size >= BASE64_BYTES && um_processor_has_avx512() ? encode_base64(out, in, size) : 0;
}

size_t um_hex_encode_avx512(char *out, const unsigned char *in, size_t size)
{
    return size >= HEX_BYTES && um_processor_has_avx512() ? encode_hex(out, in, size) : 0;
}

size_t um_base64_decode_avx512(unsigned char *out, const unsigned char *in, size_t length)
{
    return length >= CHARACTERS && um_processor_has_avx512() ? decode_base64(out, in, length) : 0;
}

size_t um_hex_decode_avx512(unsigned char *out, const unsigned char *in, size_t length)
{
    return length >= CHARACTERS && um_processor_has_avx512() ? decode_hex(out, in, length) : 0;
}

#else

size_t um_base64_encode_avx512(char *out, const unsigned char *in, size_t size)
{
    (void)out;
    (void)in;
    (void)size;
    return 0;
}

size_t um_hex_encode_avx512(char *out, const unsigned char *in, size_t size)
{
    return um_base64_encode_avx512(out, in, size);
}

size_t um_base64_decode_avx512(unsigned char *out, const unsigned char *in, size_t length)
{
    (void)out;
    (void)in;
    (void)length;
    return 0;
}

size_t um_hex_decode_avx512(unsigned char *out, const unsigned char *in, size_t length)
{
    return um_base64_decode_avx512(out, in, length);
}

#endif
