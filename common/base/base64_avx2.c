/* The steps are W. Mula's and D. Lemire's: "Faster Base64 Encoding and Decoding Using AVX2 Instructions", 2018. */
#include "base/base64_avx2.h"

#include "base/avx2.h"

#ifdef UM_AVX2

#include "base/processor.h"

enum {
    BYTES = 24,         /* of one step */
    DIGITS = 32,        /* that they are */
    BYTES_LOADED = 28,  /* at one step: more than it needs */
    DIGITS_NEEDED = 44, /* that must be left for one step, because it writes 32 bytes of which 24 count */
};

/* The same sixteen bytes in both halves. */
UM_AVX2 static __m256i twice(__m128i half)
{
    return _mm256_broadcastsi128_si256(half);
}

/* Each group of three bytes as four numbers of six bits. */
UM_AVX2 static __m256i take_apart(__m256i bytes)
{
    const __m128i order = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    __m256i groups = _mm256_shuffle_epi8(bytes, twice(order));
    __m256i odd = _mm256_and_si256(groups, _mm256_set1_epi32(0x0fc0fc00));
    __m256i even = _mm256_and_si256(groups, _mm256_set1_epi32(0x003f03f0));

    /* Multiplying is shifting, each half of a group by its own distance. */
    odd = _mm256_mulhi_epu16(odd, _mm256_set1_epi32(0x04000040));
    even = _mm256_mullo_epi16(even, _mm256_set1_epi32(0x01000010));
    return _mm256_or_si256(odd, even);
}

/* Numbers of six bits as digits: what is to be added depends on the row of digits that each is in. */
UM_AVX2 static __m256i to_digits(__m256i numbers)
{
    const __m128i distances =
        _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                      '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
    __m256i row = _mm256_subs_epu8(numbers, _mm256_set1_epi8(51));
    __m256i is_capital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), numbers);

    row = _mm256_or_si256(row, _mm256_and_si256(is_capital, _mm256_set1_epi8(13)));
    return _mm256_add_epi8(numbers, _mm256_shuffle_epi8(twice(distances), row));
}

UM_AVX2 static size_t encode(char *out, const unsigned char *in, size_t size)
{
    size_t done = 0;

    for (; size - done >= BYTES_LOADED; done += BYTES, out += DIGITS) {
        __m128i low = _mm_loadu_si128((const void *)(in + done));
        __m128i high = _mm_loadu_si128((const void *)(in + done + BYTES / 2));
        __m256i bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);

        _mm256_storeu_si256((void *)out, to_digits(take_apart(bytes)));
    }
    return done;
}

/* Digits as numbers of six bits. Returns 0 where one of them is none: of every character, the two tables have a bit in common
 * then. */
UM_AVX2 static int to_numbers(__m256i *digits)
{
    const __m128i low_bits = _mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13,
                                           0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
    const __m128i high_bits = _mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10,
                                            0x10, 0x10, 0x10, 0x10, 0x10);
    const __m128i distances = _mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
    /* Of an index, shuffling takes the lowest four bits and the highest one. */
    const __m256i mask = _mm256_set1_epi8(0x2f);
    __m256i high = _mm256_and_si256(_mm256_srli_epi32(*digits, 4), mask);
    __m256i low = _mm256_and_si256(*digits, mask);
    __m256i is_slash = _mm256_cmpeq_epi8(*digits, _mm256_set1_epi8('/'));
    int good = _mm256_testz_si256(_mm256_shuffle_epi8(twice(low_bits), low),
                                  _mm256_shuffle_epi8(twice(high_bits), high));

    *digits =
        _mm256_add_epi8(*digits, _mm256_shuffle_epi8(twice(distances), _mm256_add_epi8(is_slash, high)));
    return good;
}

/* Groups of four numbers as three bytes each, and eight bytes of nothing behind them. */
UM_AVX2 static __m256i put_together(__m256i numbers)
{
    const __m128i order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    __m256i pairs = _mm256_maddubs_epi16(numbers, _mm256_set1_epi32(0x01400140));
    __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));

    groups = _mm256_shuffle_epi8(groups, twice(order));
    return _mm256_permutevar8x32_epi32(groups, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

UM_AVX2 static size_t decode(unsigned char *out, const unsigned char *in, size_t length)
{
    size_t done = 0;

    for (; length - done >= DIGITS_NEEDED; done += DIGITS, out += BYTES) {
        __m256i digits = _mm256_loadu_si256((const void *)(in + done));

        if (!to_numbers(&digits))
            break;
        _mm256_storeu_si256((void *)out, put_together(digits));
    }
    return done;
}

size_t um_base64_encode_avx2(char *out, const unsigned char *in, size_t size)
{
    return size >= BYTES_LOADED && um_processor_has_avx2() ? encode(out, in, size) : 0;
}

size_t um_base64_decode_avx2(unsigned char *out, const unsigned char *in, size_t length)
{
    return length >= DIGITS_NEEDED && um_processor_has_avx2() ? decode(out, in, length) : 0;
}

#else

size_t um_base64_encode_avx2(char *out, const unsigned char *in, size_t size)
{
    (void)out;
    (void)in;
    (void)size;
    return 0;
}

size_t um_base64_decode_avx2(unsigned char *out, const unsigned char *in, size_t length)
{
    (void)out;
    (void)in;
    (void)length;
    return 0;
}

#endif
