/*
 * Mappings: zero pages that one block has for itself.
 *
 * Owns: the mappings that were freed and are not unmapped yet, which purging does (purge.h). Must not know: blocks, heaps.
 */
#ifndef UM_STORE_MAPPING_POSIX_H
#define UM_STORE_MAPPING_POSIX_H

#include <stddef.h>

/* Bytes in a page. */
size_t um_mapping_page_size(void);

/* Whole pages that hold `size` bytes, as a number of bytes. */
size_t um_mapping_length(size_t size);

/* Maps whole pages that hold `size` bytes, at a multiple of `alignment` (a power of two). NULL where there is no
 * memory. */
void *um_mapping_new(size_t size, size_t alignment);

/* Frees `length` bytes of whole pages, a mapping or the end of one. Cannot fail. */
void um_mapping_free(void *start, size_t length);

#endif
