/*
 * Mappings: zero pages of a block's own, which are given back to the system without holding anybody up.
 *
 * Owns: the mappings that nobody uses any more and that the system does not have back yet. Must not know: blocks,
 * heaps.
 *
 * Giving a gigabyte back takes some 100 ms, so that mappings only stand in line when they are let go, and go
 * piece by piece. The line is the process's: there is one address space.
 */
#ifndef UM_STORE_MAPPING_POSIX_H
#define UM_STORE_MAPPING_POSIX_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes in a page. */
size_t um_mapping_page_size(void);

/* Whole pages that hold `size` bytes, as a number of bytes. */
size_t um_mapping_length(size_t size);

/* Maps whole pages that hold `size` bytes, at a multiple of `alignment` (a power of two). NULL where there is no
 * memory. */
void *um_mapping_new(size_t size, size_t alignment);

/* Lets `length` bytes of whole pages go, a mapping or the end of one. Cannot fail. */
void um_mapping_free(void *start, size_t length);

/* Whether any stand in line. */
bool um_mapping_purge_pending(void);

/* Gives a piece back, which takes a millisecond or so. */
void um_mapping_purge(void);

#endif
