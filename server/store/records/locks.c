#include "store/records/locks.h"

#include "store/records/fault.h"
#include "store/records/store_events.h"

UM_NEVER_INLINE static int locked(const struct um_heap *heap, struct um_fault *fault)
{
    return um_fault(
        fault, UMEM_E_LOCKED,
        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                          .what = "another session holds the heap; try again when it has unlocked it"});
}

int um_heap_lock(struct um_heap *heap, struct um_owner *owner, struct um_fault *fault)
{
    if (heap->locked_by != NULL && heap->locked_by != owner)
        return locked(heap, fault);
    if (heap->lock_count == UINT32_MAX)
        return um_fault(fault, UMEM_E_LIMIT_EXCEEDED,
                        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                          .limit = "locks",
                                          .maximum = UINT32_MAX,
                                          .used = UINT32_MAX,
                                          .asked = 1,
                                          .what = "the heap was locked too often; unlock it"});
    if (heap->locked_by == NULL) {
        um_list_remove(&heap->in_locks);
        um_list_append(&owner->locks, &heap->in_locks);
    }
    heap->locked_by = owner;
    heap->lock_count++;
    return 0;
}

int um_heap_unlock(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   struct um_fault *fault)
{
    if (heap->locked_by != owner)
        return um_fault(fault, UMEM_E_DENIED,
                        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                          .what = "this session has not locked the heap"});
    heap->lock_count--;
    if (heap->lock_count == 0) {
        um_heap_drop_lock(heap);
        um_raise_heap_unlocked(store, um_slot_handle(&heap->slot, UM_HANDLE_HEAP));
    }
    return 0;
}

int um_heap_check_lock(const struct um_heap *heap, const struct um_owner *owner, struct um_fault *fault)
{
    return heap->locked_by == NULL || heap->locked_by == owner ? 0 : locked(heap, fault);
}

void um_heap_drop_lock(struct um_heap *heap)
{
    um_list_remove(&heap->in_locks);
    heap->locked_by = NULL;
    heap->lock_count = 0;
}

void um_locks_end_step(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    for (; *budget > 0 && !um_list_is_empty(&owner->locks); --*budget) {
        struct um_heap *heap = UM_LIST_ITEM(owner->locks.next, struct um_heap, in_locks);
        um_heap_drop_lock(heap);
        um_store_add_work(store, &store->unlocked_heaps, &heap->in_locks);
    }
}
