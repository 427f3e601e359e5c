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
    UM_SIZE_CLASSES = 64,        /* sizes of slots, at most */
    UM_ALIGNMENT_MINIMUM = 16,   /* bytes; every block starts at a multiple of it */
    UM_ALIGNMENT_MAXIMUM = 65536 /* bytes; what a heap may ask for, a power of two */
};

/* How the slots of one size are used. Blocks of similar small sizes share runs, each of slots of one size. */
struct um_size_class_stats {
    uint32_t size; /* bytes of a slot */
    uint64_t used; /* slots that are blocks */
    uint64_t free; /* slots of the same runs that are not */
};

/* How the memory of a heap is used. A block takes up a slot, or a multiple of the heap's alignment. */
struct um_heap_memory_stats {
    uint64_t reserved;   /* bytes of address space, or of the shared memory object: the maximum, rounded up */
    uint64_t committed;  /* bytes of it that the system has promised memory for */
    uint64_t free_bytes; /* bytes in no block */
    uint64_t free_ranges;  /* pieces that they lie in */
    uint64_t largest_free; /* bytes in the largest piece */
    bool grows;     /* more is reserved where a block needs it: a block may be larger than largest_free */
    bool corrupted; /* a client has taken memory away from the object */
    uint32_t class_count; /* how many of `classes` are filled in: those that have slots, by size */
    struct um_size_class_stats classes[UM_SIZE_CLASSES];
};

/* Where other processes find a block of a shared heap. Texts are good as long as the heap. */
struct um_place {
    const char *name; /* of the shared memory object */
    const char *path; /* of the file that it is; NULL: it is none */
    uint64_t offset;  /* bytes from its start */
};

#endif
