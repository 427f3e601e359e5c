/*
 * Heap memory of the kinds process and private: Win32 heaps on Windows (heap_private_win32.c), pages of the process elsewhere
 * (heap_private_posix.c).
 *
 * Owns: that memory. Must not know: blocks and their handles.
 */
#ifndef UM_STORE_HEAP_PRIVATE_H
#define UM_STORE_HEAP_PRIVATE_H

#include "store/memory/heap_ops.h"

extern const struct um_heap_ops um_heap_process_ops;
extern const struct um_heap_ops um_heap_private_ops;

/* Frees unused memory that is kept for later blocks. For the end of a store. */
void um_heap_private_end(void);

/* How many heaps the system says that this process has, or 0 where it does not say. */
uint32_t um_heap_private_system_heaps(void);

#endif
