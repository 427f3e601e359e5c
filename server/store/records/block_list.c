/* Going through the blocks, a stretch at a time; and having many fetched at once. */
#include "base/prefetch.h"
#include "store/records/store_internal.h"

enum {
    EXPECTED_BYTES = 128 /* of a block that are fetched */
};

static bool fits(const struct um_store *store, const struct um_block *block,
                 const struct um_block_filter *filter)
{
    const struct um_account *account = um_account_of(store, block);
    if (!um_account_is_alive(account))
        return false;
    if (filter->heap != NULL && account->heap != filter->heap)
        return false;
    if (filter->owner_id != 0 && account->owner->id != filter->owner_id)
        return false;
    return !filter->orphaned_only || um_block_ownership(account, block) == UM_OWNERSHIP_NONE;
}

struct um_block *um_store_next_block(struct um_store *store, const struct um_block_filter *filter,
                                     um_handle after, size_t *budget, um_handle *next)
{
    *next = 0;
    for (uint32_t slot = um_walk_slot(after); slot < store->blocks.used; slot++) {
        if (*budget == 0) {
            *next = um_walk_place(slot);
            return NULL;
        }
        --*budget;
        struct um_block *block = um_slots_at(&store->blocks, slot);
        if (um_slot_is_live(&block->slot) && fits(store, block, filter))
            return block;
    }
    return NULL;
}

bool um_store_is_large(const struct um_store *store)
{
    return store->stats.blocks >= store->large_blocks;
}

void um_store_prefetch(const struct um_store *store, const um_handle *handles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = um_handle_slot(handles[i]);
        if (slot < store->blocks.used)
            um_prefetch(um_slots_at(&store->blocks, slot));
    }
    /* By now the first record is on its way, and the others right behind it. */
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = um_handle_slot(handles[i]);
        const struct um_block *block = slot < store->blocks.used ? um_slots_at(&store->blocks, slot) : NULL;
        if (block == NULL || !um_slot_is_live(&block->slot))
            continue;
        um_prefetch((const void *)block->memory);
        if (block->size > UM_ALIGNMENT_MINIMUM && um_extra_of(block) == NULL)
            um_prefetch((const char *)block->memory +
                        (block->size < EXPECTED_BYTES ? block->size : EXPECTED_BYTES) - 1);
    }
}

int um_store_find_block_at(struct um_store *store, uint64_t address, size_t budget, um_handle *after,
                           struct um_block **block, struct um_fault *fault)
{
    for (uint32_t slot = um_walk_slot(*after); slot < store->blocks.used; slot++, budget--) {
        if (budget == 0) {
            *after = um_walk_place(slot);
            *block = NULL;
            return 0;
        }
        struct um_block *found = um_slots_at(&store->blocks, slot);
        if (um_slot_is_live(&found->slot) && (uint64_t)(uintptr_t)um_address_of(found) == address &&
            um_block_is_alive(store, found)) {
            *block = found;
            return 0;
        }
    }
    return um_fault(fault, UMEM_E_UNKNOWN_HANDLE,
                    (struct um_fault){.what = "no block starts at this address"});
}
