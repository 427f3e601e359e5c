#include "base/hex_avx2.h"

#include "base/avx2.h"

#ifdef UM_AVX2

#include "base/processor.h"

enum {
    BYTES = 32, /* of one step */
    DIGITS = 64 /* that they are */
};

UM_AVX2 static size_t encode(char *out, const unsigned char *in, size_t size)
{
    const __m256i digits = _mm256_broadcastsi128_si256(
        _mm_setr_epi8('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'));
    const __m256i mask = _mm256_set1_epi8(0x0f);
    size_t done = 0;

    for (; size - done >= BYTES; done += BYTES, out += DIGITS) {
        __m256i bytes = _mm256_loadu_si256((const void *)(in + done));
        __m256i high = _mm256_shuffle_epi8(digits, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask));
        __m256i low = _mm256_shuffle_epi8(digits, _mm256_and_si256(bytes, mask));
        /* Of each half of the bytes, the first eight of one and the last eight of the other. */
        __m256i first = _mm256_unpacklo_epi8(high, low);
        __m256i last = _mm256_unpackhi_epi8(high, low);

        _mm256_storeu_si256((void *)out, _mm256_permute2x128_si256(first, last, 0x20));
        _mm256_storeu_si256((void *)(out + DIGITS / 2), _mm256_permute2x128_si256(first, last, 0x31));
    }
    return done;
}

/* Where each byte is `limit` at most. */
UM_AVX2 static __m256i is_within(__m256i bytes, char limit)
{
    return _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(limit)), bytes);
}

/* Digits as bytes, each pair as a number of 16 bits. *good keeps its bits only where all are digits. */
UM_AVX2 static __m256i to_numbers(const unsigned char *in, __m256i *good)
{
    __m256i text = _mm256_loadu_si256((const void *)in);
    __m256i number = _mm256_sub_epi8(text, _mm256_set1_epi8('0'));
    __m256i letter = _mm256_sub_epi8(_mm256_or_si256(text, _mm256_set1_epi8(0x20)), _mm256_set1_epi8('a'));
    __m256i is_number = is_within(number, 9);
    __m256i is_letter = is_within(letter, 5);

    *good = _mm256_and_si256(*good, _mm256_or_si256(is_number, is_letter));
    letter = _mm256_add_epi8(letter, _mm256_set1_epi8(10));
    number = _mm256_or_si256(_mm256_and_si256(number, is_number), _mm256_and_si256(letter, is_letter));
    return _mm256_maddubs_epi16(number, _mm256_set1_epi16(0x0110));
}

UM_AVX2 static size_t decode(unsigned char *out, const unsigned char *in, size_t length)
{
    size_t done = 0;

    for (; length - done >= DIGITS; done += DIGITS, out += BYTES) {
        __m256i good = _mm256_set1_epi8(-1);
        __m256i first = to_numbers(in + done, &good);
        __m256i last = to_numbers(in + done + DIGITS / 2, &good);
        __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(first, last), 0xd8);

        if (_mm256_movemask_epi8(good) != -1)
            break;
        _mm256_storeu_si256((void *)out, bytes);
    }
    return done;
}

size_t um_hex_encode_avx2(char *out, const unsigned char *in, size_t size)
{
    return size >= BYTES && um_processor_has_avx2() ? encode(out, in, size) : 0;
}

size_t um_hex_decode_avx2(unsigned char *out, const unsigned char *in, size_t length)
{
    return length >= DIGITS && um_processor_has_avx2() ? decode(out, in, length) : 0;
}

#else

size_t um_hex_encode_avx2(char *out, const unsigned char *in, size_t size)
{
    (void)out;
    (void)in;
    (void)size;
    return 0;
}

size_t um_hex_decode_avx2(unsigned char *out, const unsigned char *in, size_t length)
{
    (void)out;
    (void)in;
    (void)length;
    return 0;
}

#endif
