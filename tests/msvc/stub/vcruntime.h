/*
 * In the place of the header of that name that comes with Microsoft's compiler and not with the Windows SDK: what the SDK's
 * own headers take from it, by their use of it and by the compiler's documentation. Only for cmake/analyze-msvc, which reads and
 * does not link.
 */
#pragma once

#define _VCRUNTIME_H
#define _CRT_BEGIN_C_HEADER
#define _CRT_END_C_HEADER
#define _VCRTIMP
#define __CRTDECL __cdecl
#define _CRT_STRINGIZE_(x) #x
#define _CRT_STRINGIZE(x) _CRT_STRINGIZE_(x)
#define _CRT_WIDE_(s) L##s
#define _CRT_WIDE(s) _CRT_WIDE_(s)
#define _CRT_CONCATENATE_(a, b) a##b
#define _CRT_CONCATENATE(a, b) _CRT_CONCATENATE_(a, b)
#define _CRT_UNPARENTHESIZE_(...) __VA_ARGS__
#define _CRT_UNPARENTHESIZE(...) _CRT_UNPARENTHESIZE_ __VA_ARGS__
#define _CRT_ALIGN(x) __declspec(align(x))
#define _CRT_DEPRECATE_TEXT(text) __declspec(deprecated(text))
#ifdef _CRT_SECURE_NO_WARNINGS
#define _CRT_INSECURE_DEPRECATE(replacement)
#define _CRT_INSECURE_DEPRECATE_MEMORY(replacement)
#else
#define _CRT_INSECURE_DEPRECATE(replacement) _CRT_DEPRECATE_TEXT("use " #replacement)
#define _CRT_INSECURE_DEPRECATE_MEMORY(replacement) _CRT_INSECURE_DEPRECATE(replacement)
#endif
#define _CRT_HAS_CXX17 0
#define _CRT_HAS_C11 1
#define _HAS_NODISCARD 0
#define _NODISCARD

/* ws2tcpip.h takes the limits for included. */
#include <limits.h>
#include <sal.h>
#include <stdarg.h>

#define _SIZE_T_DEFINED
#define _PTRDIFF_T_DEFINED
#define _INTPTR_T_DEFINED
#define _UINTPTR_T_DEFINED
#define _WCHAR_T_DEFINED
#ifdef _WIN64
typedef unsigned long long size_t;
typedef long long ptrdiff_t;
typedef long long intptr_t;
typedef unsigned long long uintptr_t;
#else
typedef unsigned int size_t;
typedef int ptrdiff_t;
typedef int intptr_t;
typedef unsigned int uintptr_t;
#endif
typedef unsigned short wchar_t;

#define NULL ((void *)0)
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
