/*
 * Locks on heaps: who may use one now.
 *
 * Owns: nothing; the lock is part of the heap's record. Must not know: who waits for a lock.
 */
#ifndef UM_STORE_LOCKS_H
#define UM_STORE_LOCKS_H

#include "store/records/store_types.h"

/* Locks for an owner, so that um_heap_check_lock() refuses others. Locking again by the same owner counts (as
 * HeapLock does). UMEM_E_LOCKED where another has it. */
int um_heap_lock(struct um_heap *heap, struct um_owner *owner, struct um_fault *fault);

/* Undoes one um_heap_lock(); the last raises heap_unlocked. UMEM_E_DENIED where this owner has no lock. */
int um_heap_unlock(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   struct um_fault *fault);

/* 0, or UMEM_E_LOCKED where another owner than this one has the heap locked. */
int um_heap_check_lock(const struct um_heap *heap, const struct um_owner *owner, struct um_fault *fault);

/* ---- inside the store ---- */

/* Ends the lock, however often it was taken, and raises no event. */
void um_heap_drop_lock(struct um_heap *heap);

/* Ends up to *budget locks of an owner; um_store_raise_events() raises the events. */
void um_locks_end_step(struct um_store *store, struct um_owner *owner, size_t *budget);

#endif
