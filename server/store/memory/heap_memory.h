/*
 * The front of store/memory: what the records of the store may use of heap memory.
 *
 * Owns: the choice of the operations for each kind. Must not know: handles, names, owners.
 */
#ifndef UM_STORE_HEAP_MEMORY_H
#define UM_STORE_HEAP_MEMORY_H

#include "base/principal.h"
#include "store/memory/heap_ops.h"
#include "store/memory/heap_shared.h"
#include "store/memory/purge.h"

/* The operations for a kind of heap: with guards, wiping, both or neither. NULL where this system has no such kind. */
const struct um_heap_ops *um_heap_memory_ops(enum um_heap_kind kind, bool guards, bool wipes);

/* The operations for the memory of a durable heap, which is a shared one that um_heap_shared_open() made: without guards, and without
 * wiping. */
const struct um_heap_ops *um_heap_memory_durable_ops(void);

/* How many shared heaps were destroyed, but still have a file descriptor. Purging makes them fewer. */
size_t um_heap_memory_ending(void);

/* See um_store_allow(). */
void um_heap_memory_allow(const struct um_principal *allowed);

/* Removes shared memory objects that killed daemons of this user left behind. Returns how many. */
size_t um_heap_memory_remove_stale(void);

/* How many heaps the system says that this process has, or 0 where it does not say. */
uint32_t um_heap_memory_system_heaps(void);

/* Frees unused memory that is kept for later blocks. For the end of a store. */
void um_heap_memory_end(void);

#endif
