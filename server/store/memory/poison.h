/*
 * What AddressSanitizer, in tests that are built with it, is told of memory that is not in use: whoever touches it is reported.
 *
 * Owns: the macros. Must not know: whose memory it is.
 */
#ifndef UM_STORE_POISON_H
#define UM_STORE_POISON_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UM_HAS_POISON
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UM_HAS_POISON
#endif

#ifdef UM_HAS_POISON
#include <sanitizer/asan_interface.h>
#define UM_POISON(address, size) ASAN_POISON_MEMORY_REGION((address), (size_t)(size))
#define UM_UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION((address), (size_t)(size))
#else
#define UM_POISON(address, size) ((void)(address), (void)(size))
#define UM_UNPOISON(address, size) ((void)(address), (void)(size))
#endif

#endif
