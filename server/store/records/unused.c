#include "store/records/unused.h"

#include <stdlib.h>

void um_owner_free_if_unused(struct um_store *store, struct um_owner *owner)
{
    if (owner->open || !um_list_is_empty(&owner->in_closing) || !um_list_is_empty(&owner->accounts) ||
        !um_list_is_empty(&owner->heaps) || !um_list_is_empty(&owner->kept_heaps) ||
        owner->pinned.blocks != 0)
        return;
    free(owner->program);
    um_slots_release(&store->owners, owner);
}

void um_heap_free_if_unused(struct um_store *store, struct um_heap *heap)
{
    if (!heap->destroyed || heap->pins > 0)
        return;
    bool is_empty = um_list_is_empty(&heap->accounts);
    if (heap->memory_open && (is_empty || heap->ops->destroy_frees_blocks)) {
        heap->ops->destroy(heap->memory);
        heap->memory_open = false;
        store->stats.pinned_bytes -= heap->kept_bytes;
        if (heap->kind == UM_HEAP_SHARED)
            store->shared_heaps--;
    }
    if (is_empty)
        um_slots_release(&store->heaps, heap);
}

void um_account_free_if_unused(struct um_store *store, struct um_account *account)
{
    struct um_heap *heap = account->heap;
    struct um_owner *owner = account->owner;
    if (account->first != UM_SLOT_NONE || account->waiting != 0)
        return;
    if (owner->recent == account) {
        if (owner->open && !account->dead)
            return;
        owner->recent = NULL;
    }
    um_index_remove(&store->account_index, &account->node);
    um_list_remove(&account->in_heap);
    um_list_remove(&account->in_owner);
    um_list_remove(&account->in_dead);
    um_slots_release(&store->accounts, account);
    um_owner_free_if_unused(store, owner);
    um_heap_free_if_unused(store, heap);
}
