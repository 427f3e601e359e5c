/* Giving back, piece by piece, what destroying heaps and closing owners left behind. */
#include "heap_backend.h"
#include "store_internal.h"

/* When it is worth the time to look for what the system can have back: when so many bytes fewer are lent than
 * there were, and so few blocks are left that what is free does not lie in a great many places. */
enum { TRIM_BYTES = 64 * 1024 * 1024, TRIM_BLOCKS_LIMIT = 20000 };

/* Pieces of work that giving memory back counts for: a call that has less to spend leaves it to others. */
enum { LEFTOVER_COST = 500 };

/* Bytes of a block that take as long to give back as another block does. */
enum { PIECE_BYTES = 16 * 1024 };

/* One piece of a dead account: its first block, if any, and the account itself when that was the last. Returns what it
 * costs. */
static size_t reclaim_account(struct um_store *store, struct um_account *account)
{
    size_t cost = 1;
    if (account->first != UM_SLOT_NONE) {
        struct um_block *block = um_slots_at(&store->blocks, account->first);
        cost += (size_t)(block->size / PIECE_BYTES);
        um_account_unlink(store, account, block);
        um_block_dispose(store, account->heap, block);
    }
    um_account_settle(store, account);
    return cost;
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
    if (store->trim_mark - store->stats.bytes < TRIM_BYTES || store->stats.blocks > TRIM_BLOCKS_LIMIT)
        return;
    store->trim_mark = store->stats.bytes;
    if (backend->trim != NULL)
        backend->trim();
}

/* Of each kind, so that none keeps another waiting. */
static void give_back(void)
{
    if (um_heap_backend_has_leftovers())
        um_heap_backend_give_back();
    if (um_heap_shared_has_leftovers())
        um_heap_shared_give_back();
}

bool um_store_reclaim(struct um_store *store, size_t budget)
{
    if (budget >= LEFTOVER_COST) {
        give_back();
        budget -= LEFTOVER_COST;
    }
    while (budget > 0 && !um_list_is_empty(&store->dead_accounts)) {
        size_t cost =
            reclaim_account(store, UM_LIST_ITEM(store->dead_accounts.next, struct um_account, in_dead));
        budget -= cost < budget ? cost : budget;
    }
    while (budget > 0 && !um_list_is_empty(&store->closing_owners))
        end_holds(store, UM_LIST_ITEM(store->closing_owners.next, struct um_owner, in_closing), &budget);
    if (um_store_has_work(store))
        return true;
    trim(store);
    return false;
}

bool um_store_has_work(const struct um_store *store)
{
    return um_reclaim_is_due(store) || um_heap_backend_has_leftovers() || um_heap_shared_has_leftovers();
}
