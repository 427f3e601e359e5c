#include "store/records/reclaim.h"

#include "store/records/accounts.h"
#include "store/records/block_extra.h"
#include "store/records/durable.h"
#include "store/records/locks.h"
#include "store/records/store_events.h"
#include "store/records/unused.h"

/* Pieces of work that purging counts for: a call that has less to spend leaves it to others. */
enum { PURGE_COST = 500 };

/* Bytes of a block that take as long to free as another block does. */
enum { PIECE_BYTES = 16 * 1024 };

/* Pieces between two attempts to get memory. */
enum { UM_RECLAIM_URGENT_BUDGET = 4096 };

/* ---- accounts ---- */

static void kill_account(struct um_store *store, struct um_account *account)
{
    if (account->dead)
        return;
    account->dead = true;
    um_list_remove(&account->in_heap);
    um_list_append(&account->heap->accounts, &account->in_heap);
    if (account->owner->recent == account)
        account->owner->recent = NULL;
    account->heap->changes++;
    um_usage_subtract(store, account);
    if (account->vanished || !um_list_is_empty(&account->observed))
        um_store_add_work(store, &store->accounts_with_events, &account->in_dead);
    else if (account->first != UM_SLOT_NONE)
        um_store_add_work(store, &store->dead_accounts, &account->in_dead);
    else
        um_account_free_if_unused(store, account);
}

static void raise_account_events(struct um_store *store, struct um_account *account, size_t *budget)
{
    um_handle heap = um_slot_handle(&account->heap->slot, UM_HANDLE_HEAP);
    for (; *budget > 0 && !um_list_is_empty(&account->observed); --*budget) {
        struct um_block_extra *extra =
            UM_LIST_ITEM(um_list_take(&account->observed), struct um_block_extra, in_observed);
        extra->observed = false;
        um_raise_block_freed(store, um_slot_handle(&extra->block->slot, UM_HANDLE_BLOCK), heap);
    }
    if (!um_list_is_empty(&account->observed) || *budget == 0)
        return;
    if (account->vanished)
        um_raise_blocks_vanished(store, heap);
    account->vanished = false;
    --*budget;
    um_list_remove(&account->in_dead);
    um_store_add_work(store, &store->dead_accounts, &account->in_dead);
}

/* ---- heaps ---- */

static bool has_counted_account(const struct um_heap *heap)
{
    return !um_list_is_empty(&heap->accounts) &&
           !UM_LIST_ITEM(heap->accounts.next, const struct um_account, in_heap)->dead;
}

static void heap_end_step(struct um_store *store, struct um_heap *heap, size_t *budget)
{
    for (; *budget > 0 && has_counted_account(heap); --*budget) {
        kill_account(store, UM_LIST_ITEM(heap->accounts.next, struct um_account, in_heap));
    }
    if (has_counted_account(heap))
        return;
    um_list_remove(&heap->in_owner);
    if (heap->was_observed) {
        um_store_add_work(store, &store->heaps_with_events, &heap->in_owner);
        return;
    }
    heap->pins--;
    um_heap_free_if_unused(store, heap);
}

static void subtract_usage(struct um_store *store, struct um_heap *heap)
{
    store->stats.heaps--;
    store->stats.blocks -= heap->blocks;
    store->stats.bytes -= heap->bytes;
    store->stats.orphaned_blocks -= heap->orphaned.blocks;
    store->stats.orphaned_bytes -= heap->orphaned.bytes;
    if (heap->ops->destroy_frees_blocks && heap->pins != 0) {
        heap->kept_bytes = heap->bytes;
        store->stats.pinned_bytes += heap->kept_bytes;
    }
    heap->blocks = 0;
    heap->bytes = 0;
    heap->orphaned = (struct um_usage){0};
}

void um_heap_kill(struct um_store *store, struct um_heap *heap, size_t *budget)
{
    struct um_owner *owner = heap->owner;
    heap->was_observed = um_heap_is_observed(store, heap);
    heap->destroyed = true;
    subtract_usage(store, heap);
    um_heap_drop_lock(heap);
    um_names_free(&store->heap_names, heap->name);
    heap->name = NULL;
    heap->owner = NULL;
    heap->pins++; /* a pin of our own keeps the record until its end is done */
    um_list_remove(&heap->in_owner);
    um_store_add_work(store, &store->ending_heaps, &heap->in_owner);
    if (owner != NULL) {
        owner->heap_count[heap->kind]--;
        um_owner_free_if_unused(store, owner);
    }
    heap_end_step(store, heap, budget);
}

static void raise_heap_destroyed(struct um_store *store, struct um_heap *heap)
{
    um_handle handle = um_slot_handle(&heap->slot, UM_HANDLE_HEAP);
    um_list_remove(&heap->in_owner);
    heap->pins--;
    um_heap_free_if_unused(store, heap);
    um_raise_heap_destroyed(store, handle);
}

/* ---- owners ---- */

static void end_heaps(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    for (; *budget > 0 && !um_list_is_empty(&owner->heaps); --*budget) {
        struct um_heap *heap = UM_LIST_ITEM(um_list_take(&owner->heaps), struct um_heap, in_owner);
        if (heap->lifetime == UM_LIFETIME_SESSION)
            um_heap_kill(store, heap, budget);
        else
            um_list_append(&owner->kept_heaps, &heap->in_owner);
        if (*budget == 0)
            return;
    }
}

static bool has_open_account(const struct um_owner *owner)
{
    return !um_list_is_empty(&owner->accounts) &&
           UM_LIST_ITEM(owner->accounts.next, const struct um_account, in_owner)->owner_open;
}

/* Accounts that have been looked at are behind the others. */
static void end_accounts(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    for (; *budget > 0 && has_open_account(owner); --*budget) {
        struct um_account *account =
            UM_LIST_ITEM(um_list_take(&owner->accounts), struct um_account, in_owner);
        um_list_append(&owner->accounts, &account->in_owner);
        if (account->dead || account->heap->destroyed) {
            account->owner_open = false; /* it ends with its heap */
        } else if (account->lifetime == UM_LIFETIME_SESSION) {
            account->owner_open = false;
            account->vanished = account->first != UM_SLOT_NONE && um_heap_is_observed(store, account->heap);
            kill_account(store, account);
        } else {
            um_account_orphan(store, account);
            um_account_free_if_unused(store, account);
        }
    }
}

static void end_holds(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    for (; *budget > 0 && !um_list_is_empty(&owner->holds); --*budget) {
        struct um_hold *hold = UM_LIST_ITEM(um_list_take(&owner->holds), struct um_hold, in_owner);
        struct um_block *block = hold->block;
        struct um_account *account = um_account_of(store, block);
        if (!um_account_is_alive(account)) {
            um_hold_free(store, hold);
            continue;
        }
        um_usage_remove(store, account, block);
        um_hold_free(store, hold);
        um_usage_add(store, account, block);
        um_extra_free_if_unused(block);
    }
}

void um_owner_end_step(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    for (; *budget > 0 && owner->stage != UM_OWNER_ENDED; owner->stage++) {
        if (owner->stage == UM_OWNER_ENDS_HEAPS)
            end_heaps(store, owner, budget);
        else if (owner->stage == UM_OWNER_ENDS_ACCOUNTS)
            end_accounts(store, owner, budget);
        else if (owner->stage == UM_OWNER_ENDS_HOLDS)
            end_holds(store, owner, budget);
        else
            um_locks_end_step(store, owner, budget);
        if (*budget == 0)
            return;
    }
    if (owner->stage != UM_OWNER_ENDED)
        return;
    um_list_remove(&owner->in_closing);
    um_owner_free_if_unused(store, owner);
}

/* ---- reclaiming ---- */

void um_store_raise_events(struct um_store *store, size_t *budget)
{
    while (*budget > 0 && !um_list_is_empty(&store->accounts_with_events))
        raise_account_events(
            store, UM_LIST_ITEM(store->accounts_with_events.next, struct um_account, in_dead), budget);
    for (; *budget > 0 && !um_list_is_empty(&store->heaps_with_events); --*budget)
        raise_heap_destroyed(store, UM_LIST_ITEM(store->heaps_with_events.next, struct um_heap, in_owner));
    for (; *budget > 0 && !um_list_is_empty(&store->unlocked_heaps); --*budget) {
        struct um_heap *heap = UM_LIST_ITEM(um_list_take(&store->unlocked_heaps), struct um_heap, in_locks);
        um_raise_heap_unlocked(store, um_slot_handle(&heap->slot, UM_HANDLE_HEAP));
    }
}

/* Continues the ends of heaps and owners. All that is done here is done before any of its events is raised;
 * the events of earlier work are raised first, so that an endless stream of new work does not delay them. */
static void end_some(struct um_store *store, size_t *budget)
{
    um_store_raise_events(store, budget);
    while (*budget > 0 && !um_list_is_empty(&store->ending_heaps))
        heap_end_step(store, UM_LIST_ITEM(store->ending_heaps.next, struct um_heap, in_owner), budget);
    while (*budget > 0 && !um_list_is_empty(&store->closing_owners))
        um_owner_end_step(store, UM_LIST_ITEM(store->closing_owners.next, struct um_owner, in_closing),
                          budget);
}

/* What freeing a block costs: its bytes, and the holds that end with it. */
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
    if (account->first == UM_SLOT_NONE)
        um_list_remove(&account->in_dead); /* though it may stay */
    um_account_free_if_unused(store, account);
    return cost;
}

void um_reclaim_update_status(struct um_store *store)
{
    store->status.has_work = um_reclaim_is_pending(store) || um_purge_is_pending() ||
                             (store->state != NULL && um_state_has_work(store->state));
}

void um_reclaim_run(struct um_store *store, size_t budget)
{
    if (budget >= PURGE_COST) {
        um_purge_run();
        budget -= PURGE_COST;
    }
    end_some(store, &budget);
    while (budget > 0 && !um_list_is_empty(&store->dead_accounts)) {
        size_t cost =
            reclaim_account(store, UM_LIST_ITEM(store->dead_accounts.next, struct um_account, in_dead));
        budget -= cost < budget ? cost : budget;
    }
    um_reclaim_update_status(store);
}

static bool reclaim_urgently(struct um_store *store)
{
    if (store->urgent_left == 0)
        return false;
    store->urgent_left--;
    store->status.turn_is_used = true;
    um_reclaim_run(store, UM_RECLAIM_URGENT_BUDGET);
    return true;
}

bool um_reclaim_urgently(struct um_store *store)
{
    return store->status.has_work && reclaim_urgently(store);
}

bool um_reclaim_memory_urgently(struct um_store *store)
{
    if (!um_reclaim_has_memory(store))
        return false;
    um_purge_expedite();
    return reclaim_urgently(store);
}
