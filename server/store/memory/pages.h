/*
 * Pages of the system's, for tables of the daemon's own: what is freed is with the system at once, which malloc() does not promise.
 *
 * Owns: nothing. Must not know: what lies in them.
 */
#ifndef UM_STORE_PAGES_H
#define UM_STORE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* Whole pages that hold `size` bytes, which are zero; at least 64 KiB of address space on Windows. NULL where there is no memory. */
void *um_pages_new(size_t size);

/* Frees pages; `size` as they were made with. NULL is fine. */
void um_pages_free(void *start, size_t size);

/* Bytes that um_pages_drop() can take back by themselves, a power of two; 0: the system can take back only all that was made at once. */
size_t um_pages_unit(void);

/* Returns the memory of pages that stay: they are zero when they are used next. Multiples of the unit. Returns false, with nothing done, where
 * the system does not. */
bool um_pages_drop(void *start, size_t size);

#endif
