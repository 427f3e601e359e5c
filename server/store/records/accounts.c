#include "store/records/accounts.h"

#include <assert.h>

#include "base/hash.h"
#include "store/records/unused.h"

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

/* One that is not the one used last. */
UM_NEVER_INLINE static struct um_account *get_other(struct um_store *store, struct um_heap *heap,
                                                    struct um_owner *owner, enum um_lifetime lifetime)
{
    const struct account_key key = {heap, owner, lifetime};
    struct um_account *recent = owner->recent;
    assert(owner->open && um_heap_is_alive(heap));
    uint64_t hash = key_hash(&key);
    struct um_index_node *node = um_index_find(&store->account_index, hash, has_key, &key);
    struct um_account *account =
        node != NULL ? UM_LIST_ITEM(node, struct um_account, node) : account_new(store, &key, hash);
    if (account == NULL)
        return NULL;
    owner->recent = account;
    if (recent != NULL)
        um_account_free_if_unused(store, recent);
    return account;
}

struct um_account *um_account_get(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                                  enum um_lifetime lifetime)
{
    struct um_account *recent = owner->recent;
    if (recent != NULL && recent->heap == heap && recent->lifetime == lifetime)
        return recent;
    return get_other(store, heap, owner, lifetime);
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

/* ---- usage ---- */

enum um_ownership um_block_ownership(const struct um_account *account, const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    if (extra != NULL && (extra->name != NULL || extra->holders > 0))
        return UM_OWNERSHIP_KEPT;
    if (extra != NULL && extra->maker_released)
        return UM_OWNERSHIP_NONE;
    return account->owner_open ? UM_OWNERSHIP_MAKER : UM_OWNERSHIP_NONE;
}

void um_usage_note_peaks(struct um_store *store, struct um_heap *heap, uint64_t bytes)
{
    if (heap->bytes + bytes > heap->peak_bytes)
        heap->peak_bytes = heap->bytes + bytes;
    if (store->stats.bytes + bytes > store->stats.peak_bytes)
        store->stats.peak_bytes = store->stats.bytes + bytes;
}

void um_usage_add(struct um_store *store, struct um_account *account, const struct um_block *block)
{
    enum um_ownership ownership = um_block_ownership(account, block);
    struct um_heap *heap = account->heap;
    account->usage[ownership].blocks++;
    account->usage[ownership].bytes += block->size;
    heap->changes++;
    account->owner->made.blocks++;
    account->owner->made.bytes += block->size;
    heap->blocks++;
    heap->bytes += block->size;
    store->stats.blocks++;
    store->stats.bytes += block->size;
    um_usage_note_peaks(store, heap, 0);
    if (ownership == UM_OWNERSHIP_NONE) {
        heap->orphaned.blocks++;
        heap->orphaned.bytes += block->size;
        store->stats.orphaned_blocks++;
        store->stats.orphaned_bytes += block->size;
    }
}

void um_usage_remove(struct um_store *store, struct um_account *account, const struct um_block *block)
{
    enum um_ownership ownership = um_block_ownership(account, block);
    struct um_heap *heap = account->heap;
    account->usage[ownership].blocks--;
    account->usage[ownership].bytes -= block->size;
    heap->changes++;
    account->owner->made.blocks--;
    account->owner->made.bytes -= block->size;
    heap->blocks--;
    heap->bytes -= block->size;
    store->stats.blocks--;
    store->stats.bytes -= block->size;
    if (ownership == UM_OWNERSHIP_NONE) {
        heap->orphaned.blocks--;
        heap->orphaned.bytes -= block->size;
        store->stats.orphaned_blocks--;
        store->stats.orphaned_bytes -= block->size;
    }
}

void um_usage_subtract(struct um_store *store, struct um_account *account)
{
    struct um_heap *heap = account->heap;
    for (int ownership = 0; ownership < UM_OWNERSHIP_COUNT; ownership++) {
        struct um_usage *usage = &account->usage[ownership];
        account->owner->made.blocks -= usage->blocks;
        account->owner->made.bytes -= usage->bytes;
        if (!heap->destroyed) {
            heap->blocks -= usage->blocks;
            heap->bytes -= usage->bytes;
            store->stats.blocks -= usage->blocks;
            store->stats.bytes -= usage->bytes;
        }
        if (!heap->destroyed && ownership == UM_OWNERSHIP_NONE) {
            heap->orphaned.blocks -= usage->blocks;
            heap->orphaned.bytes -= usage->bytes;
            store->stats.orphaned_blocks -= usage->blocks;
            store->stats.orphaned_bytes -= usage->bytes;
        }
        *usage = (struct um_usage){0};
    }
}

void um_account_orphan(struct um_store *store, struct um_account *account)
{
    struct um_usage *made = &account->usage[UM_OWNERSHIP_MAKER];
    account->owner_open = false;
    account->usage[UM_OWNERSHIP_NONE].blocks += made->blocks;
    account->usage[UM_OWNERSHIP_NONE].bytes += made->bytes;
    account->heap->orphaned.blocks += made->blocks;
    account->heap->orphaned.bytes += made->bytes;
    store->stats.orphaned_blocks += made->blocks;
    store->stats.orphaned_bytes += made->bytes;
    *made = (struct um_usage){0};
}
