/*
 * The version of umemd, umem and the client library (Semantic Versioning 2.0.0): for programs that are compiled with these headers.
 *
 * Owns: three numbers, of which everything else that tells a version is made; CMake reads them here. Must not know: anything else.
 */
#ifndef UMEM_VERSION_H
#define UMEM_VERSION_H

#define UMEM_VERSION_MAJOR 0
#define UMEM_VERSION_MINOR 1
#define UMEM_VERSION_PATCH 0

/* For #if: 1.2.3 is 10203. */
#define UMEM_VERSION_NUMBER (UMEM_VERSION_MAJOR * 10000 + UMEM_VERSION_MINOR * 100 + UMEM_VERSION_PATCH)

/* As text: "1.2.3". umem_version() tells that of the library which a program runs with. */
#define UMEM_VERSION \
    UMEM_VERSION_TEXT_(UMEM_VERSION_MAJOR) \
    "." UMEM_VERSION_TEXT_(UMEM_VERSION_MINOR) "." UMEM_VERSION_TEXT_(UMEM_VERSION_PATCH)

#define UMEM_VERSION_TEXT_(number) UMEM_VERSION_TEXT_OF_(number)
#define UMEM_VERSION_TEXT_OF_(number) #number

#endif
