/*
 * Pages of the system's, for tables of the daemon's own: what is freed is with the system at once, which malloc() does not promise.
 *
 * Owns: nothing. Must not know: what lies in them.
 */
#ifndef UM_STORE_PAGES_H
#define UM_STORE_PAGES_H

#include <stddef.h>

/* Whole pages that hold `size` bytes, which are zero; at least 64 KiB of address space on Windows. NULL where there is no memory. */
void *um_pages_new(size_t size);

/* Frees pages; `size` as they were made with. NULL is fine. */
void um_pages_free(void *start, size_t size);

#endif
