/* Going through the blocks, a stretch at a time. */
#include "store_internal.h"

static bool fits(const struct um_store *store, const struct um_block *block,
                 const struct um_block_filter *filter)
{
    const struct um_account *account = um_account_of(store, block);
    if (account->dead)
        return false;
    if (filter->heap != NULL && account->heap != filter->heap)
        return false;
    if (filter->owner_id != 0 && account->owner->id != filter->owner_id)
        return false;
    return !filter->orphaned_only || um_block_claim(account, block) == UM_CLAIM_NONE;
}

struct um_block *um_store_next_block(struct um_store *store, const struct um_block_filter *filter,
                                     um_handle after, size_t *budget, um_handle *next)
{
    uint32_t slot = after == 0 ? 0 : um_handle_slot(after) + 1;
    *next = 0;
    for (; slot < store->blocks.used; slot++) {
        if (*budget == 0) {
            /* Only the slot of `after` counts, so any generation does for the handle of the last slot looked
             * at. */
            *next = slot == 0 ? 0 : um_handle_make(UM_HANDLE_BLOCK, slot - 1, UM_GENERATION_LIMIT);
            return NULL;
        }
        --*budget;
        struct um_block *block = um_slots_at(&store->blocks, slot);
        if (um_slot_is_live(&block->slot) && fits(store, block, filter))
            return block;
    }
    return NULL;
}

int um_store_find_block_at(struct um_store *store, uint64_t address, struct um_block **block,
                           struct um_fault *fault)
{
    for (uint32_t slot = 0; slot < store->blocks.used; slot++) {
        struct um_block *found = um_slots_at(&store->blocks, slot);
        if (um_slot_is_live(&found->slot) && (uint64_t)(uintptr_t)found->address == address &&
            um_block_is_alive(store, found)) {
            *block = found;
            return 0;
        }
    }
    return um_fault(fault, UMEM_E_UNKNOWN_HANDLE,
                    (struct um_fault){.what = "no block starts at this address"});
}
