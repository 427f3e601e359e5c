/* What is observed, and raising the events. */
#include "store/records/store_internal.h"

int um_block_observe(struct um_store *store, struct um_block *block)
{
    struct um_block_extra *extra = um_extra_get(block);
    if (extra == NULL)
        return UMEM_E_NO_MEMORY;
    if (!extra->observed)
        um_list_append(&um_account_of(store, block)->observed, &extra->in_observed);
    extra->observed = true;
    return 0;
}

void um_block_unobserve(struct um_store *store, struct um_block *block)
{
    (void)store;
    struct um_block_extra *extra = um_extra_of(block);
    if (extra == NULL)
        return;
    um_list_remove(&extra->in_observed);
    extra->observed = false;
    um_extra_tidy(block);
}

void um_heap_observe(struct um_heap *heap)
{
    heap->observed = true;
}

void um_heap_unobserve(struct um_heap *heap)
{
    heap->observed = false;
}

void um_store_observe_all(struct um_store *store, bool observe)
{
    store->observes_all = observe;
}

bool um_block_is_observed(const struct um_store *store, const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    return store->observes_all || (extra != NULL && extra->observed) ||
           um_account_of(store, block)->heap->observed;
}

void um_raise_block_freed(const struct um_store *store, um_handle block, um_handle heap)
{
    if (store->events.block_freed != NULL)
        store->events.block_freed(store->events.context, block, heap);
}

void um_raise_blocks_vanished(const struct um_store *store, um_handle heap)
{
    if (store->events.blocks_vanished != NULL)
        store->events.blocks_vanished(store->events.context, heap);
}

void um_raise_heap_destroyed(const struct um_store *store, um_handle heap)
{
    if (store->events.heap_destroyed != NULL)
        store->events.heap_destroyed(store->events.context, heap);
}

void um_raise_heap_unlocked(const struct um_store *store, um_handle heap)
{
    if (store->events.heap_unlocked != NULL)
        store->events.heap_unlocked(store->events.context, heap);
}
