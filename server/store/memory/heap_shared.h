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

/* How many heaps were destroyed, but still have a file descriptor. Purging makes them fewer. */
size_t um_heap_shared_ending(void);

#endif
