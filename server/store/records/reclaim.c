/* Giving back, piece by piece, what destroying heaps and closing owners left behind. */
#include "store/memory/heap_ops.h"
#include "store/records/store_internal.h"

/* Pieces of work that giving memory back counts for: a call that has less to spend leaves it to others. */
enum { LEFTOVER_COST = 500 };

/* Bytes of a block that take as long to give back as another block does. */
enum { PIECE_BYTES = 16 * 1024 };

/* What giving back a block costs: its bytes, and the holds that end with it. */
static size_t cost_of(const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    return 1 + (size_t)(block->size / PIECE_BYTES) + (extra != NULL ? extra->holders : 0);
}

/* One piece of a dead account: its first block, if any, and the account itself when that was the last. Returns what it
 * costs. */
static size_t reclaim_account(struct um_store *store, struct um_account *account)
{
    size_t cost = 1;
    if (account->first != UM_SLOT_NONE) {
        struct um_block *block = um_slots_at(&store->blocks, account->first);
        cost = cost_of(block);
        um_account_unlink(store, account, block);
        um_block_dispose(store, account->heap, block);
    }
    um_account_free_if_unused(store, account);
    return cost;
}

void um_store_raise_events(struct um_store *store, size_t *budget)
{
    while (*budget > 0 && !um_list_is_empty(&store->accounts_with_events))
        um_account_raise_events(
            store, UM_LIST_ITEM(store->accounts_with_events.next, struct um_account, in_dead), budget);
    for (; *budget > 0 && !um_list_is_empty(&store->heaps_with_events); --*budget)
        um_heap_raise_destroyed(store, UM_LIST_ITEM(store->heaps_with_events.next, struct um_heap, in_owner));
    for (; *budget > 0 && !um_list_is_empty(&store->unlocked_heaps); --*budget) {
        struct um_heap *heap = UM_LIST_ITEM(um_list_take(&store->unlocked_heaps), struct um_heap, in_locks);
        um_raise_heap_unlocked(store, um_slot_handle(&heap->slot, UM_HANDLE_HEAP));
    }
}

/* Goes on with the ends of heaps and owners. What is done here is done before any of it is told; what was done earlier is told
 * first, so that nobody waits for what is endless. */
static void end_some(struct um_store *store, size_t *budget)
{
    um_store_raise_events(store, budget);
    while (*budget > 0 && !um_list_is_empty(&store->ending_heaps))
        um_heap_end_step(store, UM_LIST_ITEM(store->ending_heaps.next, struct um_heap, in_owner), budget);
    while (*budget > 0 && !um_list_is_empty(&store->closing_owners))
        um_owner_end_step(store, UM_LIST_ITEM(store->closing_owners.next, struct um_owner, in_closing),
                          budget);
}

/* Of each kind, so that none keeps another waiting. */
static void purge(void)
{
    if (um_heap_private_purge_pending())
        um_heap_private_purge();
    if (um_heap_shared_purge_pending())
        um_heap_shared_purge();
}

bool um_store_reclaim(struct um_store *store, size_t budget)
{
    if (budget >= LEFTOVER_COST) {
        purge();
        budget -= LEFTOVER_COST;
    }
    end_some(store, &budget);
    while (budget > 0 && !um_list_is_empty(&store->dead_accounts)) {
        size_t cost =
            reclaim_account(store, UM_LIST_ITEM(store->dead_accounts.next, struct um_account, in_dead));
        budget -= cost < budget ? cost : budget;
    }
    return um_store_has_work(store);
}

bool um_reclaim_urgently(struct um_store *store)
{
    if (store->urgent_left == 0 || !um_store_has_work(store))
        return false;
    store->urgent_left--;
    um_store_reclaim(store, UM_RECLAIM_URGENT_BUDGET);
    return true;
}

bool um_store_has_work(const struct um_store *store)
{
    return um_reclaim_is_pending(store) || um_heap_private_purge_pending() || um_heap_shared_purge_pending();
}
