/* Giving back, piece by piece, what destroying heaps and closing owners left behind. */
#include "store_internal.h"

enum {
    TRIM_SIZE = 64 * 1024 *
                1024 /* bytes freed after which it is worth the time to look for what the system can have */
};

/* One piece of a dead account: its first block, if any, and the account itself when that was the last. */
static void reclaim_account(struct um_store *store, struct um_account *account)
{
    if (account->first != UM_SLOT_NONE) {
        struct um_block *block = um_slots_at(&store->blocks, account->first);
        um_account_unlink(store, account, block);
        um_block_dispose(store, account->heap, block);
    }
    um_account_settle(store, account);
}

static void end_holds(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    um_hold_end_all(store, owner, budget);
    if (!um_list_is_empty(&owner->holds))
        return;
    um_list_remove(&owner->in_closing);
    um_owner_settle(store, owner);
}

static void trim(struct um_store *store)
{
    const struct um_heap_backend *backend = store->process->backend;
    if (store->freed_bytes < TRIM_SIZE)
        return;
    store->freed_bytes = 0;
    if (backend->trim != NULL)
        backend->trim();
}

bool um_store_reclaim(struct um_store *store, size_t budget)
{
    for (; budget > 0 && !um_list_is_empty(&store->dead_accounts); budget--)
        reclaim_account(store, UM_LIST_ITEM(store->dead_accounts.next, struct um_account, in_dead));
    while (budget > 0 && !um_list_is_empty(&store->closing_owners))
        end_holds(store, UM_LIST_ITEM(store->closing_owners.next, struct um_owner, in_closing), &budget);
    bool is_due = um_reclaim_is_due(store);
    if (!is_due)
        trim(store);
    return is_due;
}
