/*
 * How functions are compiled for AVX-512 with its byte instructions (F, BW, VBMI), as base/avx2.h says it of AVX2: UM_AVX512 stands before
 * each of them, and they are called if the processor has all three (base/processor.h). Where UM_AVX512 is not defined, there are none.
 *
 * Owns: nothing. Must not know: what they do.
 */
#ifndef UM_AVX512_H
#define UM_AVX512_H

#include "base/avx2.h"

/* Where clang stands in for Microsoft's compiler, its headers have them only if all is compiled for them. gcc's AddressSanitizer
 * does not align variables of 64 bytes where it looks for uses after a return (gcc's bug 110027). */
#if defined(UM_AVX2) && !(defined(_MSC_VER) && defined(__clang__)) && !defined(__SANITIZE_ADDRESS__)
#if defined(_MSC_VER)
#define UM_AVX512
#else
#define UM_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi")))
#endif
#endif

#endif
