/*
 * Attributes and hints for compilers, beyond C11.
 *
 * Owns: the macros. Must not know: anything else.
 */
#ifndef UM_ATTRIBUTES_H
#define UM_ATTRIBUTES_H

#include <stdio.h>

/* The function takes a printf format as its parameter number `format`, and its arguments from number `first` on. */
#if defined(__GNUC__) && defined(__MINGW_PRINTF_FORMAT)
#define UM_PRINTF(format_index, first) __attribute__((format(__MINGW_PRINTF_FORMAT, format_index, first)))
#elif defined(__GNUC__)
#define UM_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#else
#define UM_PRINTF(format_index, first)
#endif

/* A static variable of which each thread has its own. Microsoft's compiler has no _Thread_local in C11. */
#if defined(_MSC_VER)
#define UM_THREAD_LOCAL __declspec(thread)
#else
#define UM_THREAD_LOCAL _Thread_local
#endif

/* In place of `static inline`: compiled into each caller. For the few lines that each request passes. */
#if defined(__GNUC__)
#define UM_ALWAYS_INLINE static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define UM_ALWAYS_INLINE static __forceinline
#else
#define UM_ALWAYS_INLINE static inline
#endif

/* Kept out of its callers: for what few requests need, so that the way of the others stays short. */
#if defined(__GNUC__)
#define UM_NEVER_INLINE __attribute__((noinline))
#elif defined(_MSC_VER)
#define UM_NEVER_INLINE __declspec(noinline)
#else
#define UM_NEVER_INLINE
#endif

#endif
