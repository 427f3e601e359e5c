/*
 * How functions are compiled for AVX2 whatever the other ones are compiled for: UM_AVX2 stands before each of them, and they are called
 * if the processor has it (base/processor.h). Where UM_AVX2 is not defined, there are none.
 *
 * Owns: nothing. Must not know: what they do.
 */
#ifndef UM_AVX2_H
#define UM_AVX2_H

/* Microsoft's compiler takes the instructions as they are. gcc for Windows does not align what it spills to
 * the stack as they want it, so there it is only done where the assembler makes unaligned moves of all
 * (common/CMakeLists.txt, UM_UNALIGNED_MOVES). */
#if defined(_MSC_VER) && !defined(__clang__)
#if defined(_M_X64) && !defined(_M_ARM64EC)
#define UM_AVX2
#endif
#elif defined(__x86_64__) && (defined(__clang__) || !defined(__MINGW64__) || defined(UM_UNALIGNED_MOVES))
#define UM_AVX2 __attribute__((target("avx2")))
#endif

#ifdef UM_AVX2

#include <immintrin.h>
#if defined(_MSC_VER) && defined(__clang__)
/* Where it stands in for Microsoft's, clang leaves these out unless all is compiled for AVX2. */
#include <smmintrin.h>
/* Need immintrin.h before them. */
#include <avxintrin.h>
/* Needs avxintrin.h before it. */
#include <avx2intrin.h>
#endif

#endif

#endif
