#include "base/text_avx2.h"

#include "base/avx2.h"

#ifdef UM_AVX2

#include "base/processor.h"

enum { HALF = 32, STEP = 2 * HALF };

UM_AVX2 static __m256i load(const unsigned char *text)
{
    return _mm256_loadu_si256((const void *)text);
}

UM_AVX2 static size_t skip_ascii(const unsigned char *text, size_t size)
{
    size_t done = 0;

    for (; size - done >= STEP; done += STEP) {
        __m256i both = _mm256_or_si256(load(text + done), load(text + done + HALF));

        if (_mm256_movemask_epi8(both) != 0)
            break;
    }
    return done;
}

/* Where a byte has its highest bit in `tops`, or is one of those that a text has only as escapes. */
UM_AVX2 static __m256i mark_special(__m256i bytes, __m256i tops)
{
    __m256i is_control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
    __m256i is_quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'));
    __m256i is_backslash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));

    return _mm256_or_si256(_mm256_or_si256(is_control, is_quote),
                           _mm256_or_si256(is_backslash, _mm256_and_si256(bytes, tops)));
}

UM_AVX2 static size_t skip_wide(const unsigned char *text, size_t size, bool only_ascii)
{
    const __m256i tops = _mm256_set1_epi8(only_ascii ? -128 : 0);
    size_t done = 0;

    for (; size - done >= STEP; done += STEP) {
        __m256i first = mark_special(load(text + done), tops);
        __m256i last = mark_special(load(text + done + HALF), tops);

        if (_mm256_movemask_epi8(_mm256_or_si256(first, last)) != 0)
            break;
    }
    return done;
}

size_t um_text_ascii_avx2(const unsigned char *text, size_t size)
{
    return um_processor_has_avx2() ? skip_ascii(text, size) : 0;
}

size_t um_text_plain_avx2(const unsigned char *text, size_t size, bool only_ascii)
{
    return um_processor_has_avx2() ? skip_wide(text, size, only_ascii) : 0;
}

#else

size_t um_text_ascii_avx2(const unsigned char *text, size_t size)
{
    (void)text;
    (void)size;
    return 0;
}

size_t um_text_plain_avx2(const unsigned char *text, size_t size, bool only_ascii)
{
    (void)text;
    (void)size;
    (void)only_ascii;
    return 0;
}

#endif
