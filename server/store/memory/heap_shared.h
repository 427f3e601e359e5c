/*
 * Heap memory of the kind shared: blocks are extents of one shared memory object that clients may map. It is the same on all
 * systems; shm.h is what differs.
 *
 * Owns: the objects of all shared heaps and the tables of what is free and committed. Must not know: blocks and their handles.
 */
#ifndef UM_STORE_HEAP_SHARED_H
#define UM_STORE_HEAP_SHARED_H

#include "store/memory/heap_ops.h"

extern const struct um_heap_ops um_heap_shared_ops;

/* Bytes of a file that a heap of this maximum size is kept in. */
uint64_t um_heap_shared_length(uint64_t maximum_size);

/* Makes the memory of a heap from a file of so many bytes (um_shm_open()), for um_heap_shared_ops: what blocks there are is restored by
 * um_heap_shared_restore(), and all else is free. False: no memory, or the file cannot be mapped. */
bool um_heap_shared_open(const char *path, uint64_t length, uint32_t alignment, void **memory);

/* Takes the memory of a block that begins at `offset`, with the bytes that are there. False: it is not free or not aligned, or there is no
 * memory, or no space on the disk, for it. */
bool um_heap_shared_restore(void *memory, uint64_t offset, uint64_t size, void **address);

/* How many heaps were destroyed, but still have a file descriptor. Purging makes them fewer. */
size_t um_heap_shared_ending(void);

#endif
