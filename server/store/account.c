/* Accounts, and the books that are kept by them. */
#include "store_internal.h"

#include <assert.h>

#include "hash.h"

struct account_key {
    const struct um_heap *heap;
    const struct um_owner *owner;
    enum um_lifetime lifetime;
};

static uint64_t key_hash(const struct account_key *key)
{
    uint64_t places = (uint64_t)key->heap->slot.link << 32 | (uint64_t)key->owner->slot.link << 1;
    return um_hash_mix(places | (uint64_t)(key->lifetime == UM_LIFETIME_SESSION));
}

static bool has_key(const struct um_index_node *node, const void *key)
{
    const struct account_key *wanted = key;
    const struct um_account *account = UM_LIST_ITEM(node, const struct um_account, node);
    return account->heap == wanted->heap && account->owner == wanted->owner &&
           account->lifetime == wanted->lifetime;
}

static struct um_account *account_new(struct um_store *store, const struct account_key *key, uint64_t hash)
{
    struct um_account *account = um_slots_acquire(&store->accounts);
    if (account == NULL)
        return NULL;
    account->heap = (struct um_heap *)key->heap;
    account->owner = (struct um_owner *)key->owner;
    account->lifetime = key->lifetime;
    account->owner_open = true;
    account->first = UM_SLOT_NONE;
    account->node.hash = hash;
    um_index_insert(&store->account_index, &account->node);
    um_list_append(account->heap->accounts.next, &account->in_heap); /* first: dead ones come last */
    um_list_append(&account->owner->accounts, &account->in_owner);
    um_list_init(&account->in_dead);
    um_list_init(&account->observed);
    return account;
}

struct um_account *um_account_get(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                                  enum um_lifetime lifetime)
{
    const struct account_key key = {heap, owner, lifetime};
    struct um_account *recent = owner->recent;
    if (recent != NULL && has_key(&recent->node, &key))
        return recent;

    assert(owner->open && um_heap_is_alive(heap));
    uint64_t hash = key_hash(&key);
    struct um_index_node *node = um_index_find(&store->account_index, hash, has_key, &key);
    struct um_account *account =
        node != NULL ? UM_LIST_ITEM(node, struct um_account, node) : account_new(store, &key, hash);
    if (account == NULL)
        return NULL;
    owner->recent = account;
    if (recent != NULL)
        um_account_settle(store, recent);
    return account;
}

void um_account_settle(struct um_store *store, struct um_account *account)
{
    struct um_heap *heap = account->heap;
    struct um_owner *owner = account->owner;
    if (account->first != UM_SLOT_NONE)
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
    um_owner_settle(store, owner);
    um_heap_settle(store, heap);
}

/* A heap that is destroyed has left the books with all its blocks. */
static void leave_books(struct um_store *store, struct um_account *account)
{
    struct um_heap *heap = account->heap;
    for (int claim = 0; claim < UM_CLAIM_COUNT; claim++) {
        struct um_tally *tally = &account->tally[claim];
        account->owner->made.blocks -= tally->blocks;
        account->owner->made.bytes -= tally->bytes;
        if (!heap->destroyed) {
            heap->blocks -= tally->blocks;
            heap->bytes -= tally->bytes;
            store->stats.blocks -= tally->blocks;
            store->stats.bytes -= tally->bytes;
        }
        if (!heap->destroyed && claim == UM_CLAIM_NONE) {
            heap->orphaned.blocks -= tally->blocks;
            heap->orphaned.bytes -= tally->bytes;
            store->stats.orphaned_blocks -= tally->blocks;
            store->stats.orphaned_bytes -= tally->bytes;
        }
        *tally = (struct um_tally){0};
    }
}

void um_account_kill(struct um_store *store, struct um_account *account)
{
    if (account->dead)
        return;
    account->dead = true;
    um_list_remove(&account->in_heap);
    um_list_append(&account->heap->accounts, &account->in_heap);
    if (account->owner->recent == account)
        account->owner->recent = NULL;
    account->heap->changes++;
    leave_books(store, account);
    if (account->vanished || !um_list_is_empty(&account->observed))
        um_list_append(&store->untold_accounts, &account->in_dead);
    else if (account->first != UM_SLOT_NONE)
        um_list_append(&store->dead_accounts, &account->in_dead);
    else
        um_account_settle(store, account);
}

void um_account_tell(struct um_store *store, struct um_account *account, size_t *budget)
{
    um_handle heap = um_slot_handle(&account->heap->slot, UM_HANDLE_HEAP);
    for (; *budget > 0 && !um_list_is_empty(&account->observed); --*budget) {
        struct um_block_extra *extra =
            UM_LIST_ITEM(um_list_take(&account->observed), struct um_block_extra, in_observed);
        extra->observed = false;
        um_tell_block_freed(store, um_block_handle(store, extra->block), heap);
    }
    if (!um_list_is_empty(&account->observed) || *budget == 0)
        return;
    if (account->vanished)
        um_tell_blocks_vanished(store, heap);
    account->vanished = false;
    --*budget;
    um_list_remove(&account->in_dead);
    um_list_append(&store->dead_accounts, &account->in_dead);
}

void um_account_orphan(struct um_store *store, struct um_account *account)
{
    struct um_tally *made = &account->tally[UM_CLAIM_MAKER];
    account->owner_open = false;
    account->tally[UM_CLAIM_NONE].blocks += made->blocks;
    account->tally[UM_CLAIM_NONE].bytes += made->bytes;
    account->heap->orphaned.blocks += made->blocks;
    account->heap->orphaned.bytes += made->bytes;
    store->stats.orphaned_blocks += made->blocks;
    store->stats.orphaned_bytes += made->bytes;
    *made = (struct um_tally){0};
}

void um_account_link(struct um_store *store, struct um_account *account, struct um_block *block)
{
    uint32_t slot = block->slot.link;
    struct um_block_extra *extra = um_extra_of(block);
    block->account = account->slot.link;
    *um_links_of(store, slot) = (struct um_block_links){.next = account->first, .prev = UM_SLOT_NONE};
    if (account->first != UM_SLOT_NONE)
        um_links_of(store, account->first)->prev = slot;
    account->first = slot;
    if (extra != NULL && extra->observed)
        um_list_append(&account->observed, &extra->in_observed);
}

void um_account_unlink(struct um_store *store, struct um_account *account, struct um_block *block)
{
    const struct um_block_links *links = um_links_of(store, block->slot.link);
    struct um_block_extra *extra = um_extra_of(block);
    if (links->next != UM_SLOT_NONE)
        um_links_of(store, links->next)->prev = links->prev;
    if (links->prev != UM_SLOT_NONE)
        um_links_of(store, links->prev)->next = links->next;
    else
        account->first = links->next;
    if (extra != NULL)
        um_list_remove(&extra->in_observed);
}

enum um_claim um_block_claim(const struct um_account *account, const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    if (extra != NULL && (extra->name != NULL || extra->holders > 0))
        return UM_CLAIM_FIRM;
    if (extra != NULL && extra->maker_released)
        return UM_CLAIM_NONE;
    return account->owner_open ? UM_CLAIM_MAKER : UM_CLAIM_NONE;
}

void um_books_add(struct um_store *store, struct um_account *account, const struct um_block *block)
{
    enum um_claim claim = um_block_claim(account, block);
    struct um_heap *heap = account->heap;
    account->tally[claim].blocks++;
    account->tally[claim].bytes += block->size;
    heap->changes++;
    account->owner->made.blocks++;
    account->owner->made.bytes += block->size;
    heap->blocks++;
    heap->bytes += block->size;
    if (heap->bytes > heap->peak_bytes)
        heap->peak_bytes = heap->bytes;
    store->stats.blocks++;
    store->stats.bytes += block->size;
    if (store->stats.bytes > store->stats.peak_bytes)
        store->stats.peak_bytes = store->stats.bytes;
    if (claim == UM_CLAIM_NONE) {
        heap->orphaned.blocks++;
        heap->orphaned.bytes += block->size;
        store->stats.orphaned_blocks++;
        store->stats.orphaned_bytes += block->size;
    }
}

void um_books_remove(struct um_store *store, struct um_account *account, const struct um_block *block)
{
    enum um_claim claim = um_block_claim(account, block);
    struct um_heap *heap = account->heap;
    account->tally[claim].blocks--;
    account->tally[claim].bytes -= block->size;
    heap->changes++;
    account->owner->made.blocks--;
    account->owner->made.bytes -= block->size;
    heap->blocks--;
    heap->bytes -= block->size;
    store->stats.blocks--;
    store->stats.bytes -= block->size;
    if (claim == UM_CLAIM_NONE) {
        heap->orphaned.blocks--;
        heap->orphaned.bytes -= block->size;
        store->stats.orphaned_blocks--;
        store->stats.orphaned_bytes -= block->size;
    }
}
