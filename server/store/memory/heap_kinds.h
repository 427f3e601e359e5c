/*
 * The words for heap memory that the whole store shares: kinds of heaps, alignments, and how a heap's memory is used.
 *
 * Owns: nothing. Must not know: handles, names, owners.
 */
#ifndef UM_STORE_HEAP_KINDS_H
#define UM_STORE_HEAP_KINDS_H

#include <stdbool.h>
#include <stdint.h>

/* What a heap's memory is made of. */
enum um_heap_kind { UM_HEAP_PROCESS, UM_HEAP_PRIVATE, UM_HEAP_SHARED };

enum {
    UM_HEAP_KINDS = UM_HEAP_SHARED + 1,
    UM_ALIGNMENT_MINIMUM = 16,   /* bytes; every block starts at a multiple of it */
    UM_ALIGNMENT_MAXIMUM = 65536 /* bytes; what a heap may ask for, a power of two */
};

/* How the memory of a shared heap is used. A block takes up a multiple of the heap's alignment. */
struct um_heap_memory_stats {
    uint64_t reserved;     /* bytes of the shared memory object: the maximum, rounded up */
    uint64_t committed;    /* bytes of it that the system has promised memory for */
    uint64_t free_bytes;   /* bytes in no block */
    uint64_t free_ranges;  /* pieces that they lie in */
    uint64_t largest_free; /* bytes in the largest piece */
    bool corrupted;        /* a client has taken memory away from the object */
};

/* Where other processes find a block of a shared heap. Texts are good as long as the heap. */
struct um_place {
    const char *name; /* of the shared memory object */
    const char *path; /* of the file that it is; NULL: it is none */
    uint64_t offset;  /* bytes from its start */
};

#endif
