/*
 * Telling the processor what will be looked at soon.
 *
 * Owns: nothing. Must not know: what it is. A hint: nothing is read, any address will do, and where a compiler has no word for it
 * nothing happens.
 */
#ifndef UM_PREFETCH_H
#define UM_PREFETCH_H

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
#include <xmmintrin.h>
#endif

static inline void um_prefetch(const void *address)
{
#if defined(__GNUC__)
    __builtin_prefetch(address);
#elif defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
    _mm_prefetch((const char *)address, _MM_HINT_T0);
#else
    (void)address;
#endif
}

#endif
