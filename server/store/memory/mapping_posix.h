/*
 * Mappings: zero pages that one large block has for itself. They are unmapped without being touched, and the system moves them uncopied.
 *
 * Owns: the records of mappings, and those that were freed and are not unmapped yet, which purging does (purge.h). Must not know: blocks, heaps.
 */
#ifndef UM_STORE_MAPPING_POSIX_H
#define UM_STORE_MAPPING_POSIX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/tree.h"

struct um_mapping {
    struct um_tree_node by_address; /* place in a tree of the caller's */
    unsigned char *address;         /* the memory: at the alignment, within what is mapped */
    unsigned char *start;           /* of what is mapped */
    size_t length;                  /* bytes that are mapped */
    size_t kept;                    /* once freed: bytes from the start that may have memory */
    struct um_mapping *next;        /* once freed */
};

/* Bytes in a page. */
size_t um_mapping_page_size(void);

/* Maps whole pages that hold `size` bytes at a multiple of `alignment` (a power of two). NULL where there is no memory, or the process may have no
 * more mappings. */
struct um_mapping *um_mapping_new(size_t size, size_t alignment);

/* Frees a mapping, which is in no tree any more. Cannot fail. */
void um_mapping_free(struct um_mapping *mapping);

/* Makes a mapping hold `size` bytes. What is added is zero. Without `may_move` the address stays. Returns false, with nothing changed, where the
 * system cannot. */
bool um_mapping_resize(struct um_mapping *mapping, size_t size, bool may_move);

/* Unmaps all that was freed. */
void um_mapping_end(void);

#endif
