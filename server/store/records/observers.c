#include "store/records/observers.h"

#include "store/records/block_extra.h"

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
    um_extra_free_if_unused(block);
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
