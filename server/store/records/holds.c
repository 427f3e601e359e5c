#include "store/records/holds.h"

#include <assert.h>

#include "store/records/accounts.h"
#include "store/records/block_extra.h"
#include "store/records/fault.h"
#include "store/records/reclaim.h"

static int no_memory(const struct um_block *block, struct um_fault *fault)
{
    return um_fault(fault, UMEM_E_NO_MEMORY,
                    (struct um_fault){.block = um_slot_handle(&block->slot, UM_HANDLE_BLOCK),
                                      .what = "the system has no memory for the hold"});
}

int um_hold_check_quota(struct um_store *store, const struct um_block *block, struct um_fault *fault)
{
    while (store->holds_limit != 0 && store->stats.holds >= store->holds_limit &&
           um_reclaim_is_pending(store) && um_reclaim_urgently(store))
        continue;
    if (store->holds_limit == 0 || store->stats.holds < store->holds_limit)
        return 0;
    return um_fault(fault, UMEM_E_LIMIT_EXCEEDED,
                    (struct um_fault){.block = um_slot_handle(&block->slot, UM_HANDLE_BLOCK),
                                      .limit = "holds",
                                      .maximum = store->holds_limit,
                                      .used = store->stats.holds,
                                      .asked = 1,
                                      .what = "there are as many holds as the daemon allows; release some"});
}

int um_block_hold(struct um_store *store, struct um_block *block, struct um_owner *owner, uint32_t *holders,
                  struct um_fault *fault)
{
    assert(owner->open);
    struct um_account *account = um_account_of(store, block);
    if (account->owner == owner) {
        struct um_block_extra *extra = um_extra_of(block);
        if (extra != NULL && extra->maker_released) {
            um_usage_remove(store, account, block);
            extra->maker_released = false;
            um_usage_add(store, account, block);
            um_extra_free_if_unused(block);
        }
    } else if (um_hold_find(store, block, owner) == NULL) {
        int code = um_hold_check_quota(store, block, fault);
        if (code != 0)
            return code;
        struct um_hold *hold = um_extra_get(block) != NULL ? um_hold_new(block, owner) : NULL;
        if (hold == NULL) {
            um_extra_free_if_unused(block);
            return no_memory(block, fault);
        }
        um_usage_remove(store, account, block);
        um_hold_place(store, hold);
        um_usage_add(store, account, block);
    }
    *holders = um_block_holders(account, block);
    return 0;
}

int um_block_release(struct um_store *store, struct um_block *block, struct um_owner *owner,
                     uint32_t *holders, struct um_fault *fault)
{
    struct um_account *account = um_account_of(store, block);
    struct um_hold *hold = account->owner == owner ? NULL : um_hold_find(store, block, owner);
    if (account->owner == owner && um_extra_get(block) == NULL)
        return no_memory(block, fault);
    if (account->owner == owner || hold != NULL) {
        um_usage_remove(store, account, block);
        if (hold != NULL)
            um_hold_free(store, hold);
        else
            um_extra_of(block)->maker_released = true;
        um_usage_add(store, account, block);
        um_extra_free_if_unused(block);
    }
    *holders = um_block_holders(account, block);
    return 0;
}
