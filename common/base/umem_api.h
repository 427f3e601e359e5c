/*
 * How the client library's functions are declared: UMEM_API stands before each, in every public header.
 *
 * Owns: one macro. Must not know: which functions there are.
 *
 * Programs have nothing to define. UMEM_DLL is for a program that is linked to the library's DLL, where it
 * saves a jump at each call; the CMake target umem::client_shared defines it on Windows.
 */
#ifndef UMEM_API_H
#define UMEM_API_H

#ifndef UMEM_API
#if defined(UMEM_DLL)
#define UMEM_API __declspec(dllimport)
#elif defined(__ELF__) || defined(__MACH__)
/* All else in the library is compiled as hidden. */
#define UMEM_API __attribute__((visibility("default")))
#else
/* A static library, or a DLL that is being made: its exports are those that the headers declare (cmake/list-exports.cmake). */
#define UMEM_API
#endif
#endif

#endif
