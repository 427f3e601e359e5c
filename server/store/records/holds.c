/* What few blocks have: their extra, and the holds of other owners than their makers. */
#include "store/records/store_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"

struct um_block_extra *um_extra_get(struct um_block *block)
{
    struct um_block_extra *extra = um_extra_of(block);
    if (extra != NULL)
        return extra;
    extra = calloc(1, sizeof *extra);
    if (extra == NULL)
        return NULL;
    extra->address = um_address_of(block);
    extra->block = block;
    um_list_init(&extra->holds);
    um_list_init(&extra->in_observed);
    block->memory = (uintptr_t)extra | UM_BLOCK_HAS_EXTRA;
    return extra;
}

void um_block_set_address(struct um_block *block, void *address)
{
    struct um_block_extra *extra = um_extra_of(block);
    if (extra != NULL)
        extra->address = address;
    else
        block->memory = (uintptr_t)address;
}

static void drop_extra(struct um_block *block, struct um_block_extra *extra)
{
    block->memory = (uintptr_t)extra->address;
    free(extra);
}

void um_extra_tidy(struct um_block *block)
{
    struct um_block_extra *extra = um_extra_of(block);
    if (extra == NULL || extra->name != NULL || extra->pin != NULL || extra->holders > 0 || extra->observed ||
        extra->maker_released || extra->resize != NULL)
        return;
    drop_extra(block, extra);
}

bool um_extra_dispose(struct um_store *store, struct um_block *block)
{
    struct um_block_extra *extra = um_extra_of(block);
    bool is_pinned = extra->pin != NULL;
    um_resize_cancel(block);
    um_names_free(&store->block_names, extra->name);
    while (!um_list_is_empty(&extra->holds))
        um_hold_free(store, UM_LIST_ITEM(um_list_take(&extra->holds), struct um_hold, in_block));
    if (is_pinned)
        um_pin_detach(extra->pin);
    drop_extra(block, extra);
    return is_pinned;
}

struct um_hold *um_hold_new(struct um_block *block, struct um_owner *owner)
{
    struct um_hold *hold = malloc(sizeof *hold);
    if (hold == NULL)
        return NULL;
    hold->block = block;
    hold->owner = owner;
    return hold;
}

struct hold_key {
    const struct um_block *block;
    const struct um_owner *owner;
};

static uint64_t key_hash(const struct hold_key *key)
{
    return um_hash_mix((uint64_t)key->block->slot.link << 32 | key->owner->slot.link);
}

static bool has_key(const struct um_index_node *node, const void *key)
{
    const struct um_hold *hold = UM_LIST_ITEM(node, const struct um_hold, node);
    const struct hold_key *wanted = key;
    return hold->block == wanted->block && hold->owner == wanted->owner;
}

void um_hold_place(struct um_store *store, struct um_hold *hold)
{
    struct um_block_extra *extra = um_extra_of(hold->block);
    um_list_append(&extra->holds, &hold->in_block);
    um_list_append(&hold->owner->holds, &hold->in_owner);
    hold->node.hash = key_hash(&(struct hold_key){hold->block, hold->owner});
    um_index_insert(&store->holds, &hold->node);
    extra->holders++;
    hold->owner->hold_count++;
    store->stats.holds++;
}

void um_hold_discard(struct um_hold *hold)
{
    free(hold);
}

void um_hold_free(struct um_store *store, struct um_hold *hold)
{
    hold->owner->hold_count--;
    store->stats.holds--;
    um_extra_of(hold->block)->holders--;
    um_index_remove(&store->holds, &hold->node);
    um_list_remove(&hold->in_block);
    um_list_remove(&hold->in_owner);
    free(hold);
}

struct um_hold *um_hold_find(const struct um_store *store, const struct um_block *block,
                             const struct um_owner *owner)
{
    const struct um_block_extra *extra = um_extra_of(block);
    if (extra == NULL || extra->holders == 0)
        return NULL;
    const struct hold_key key = {block, owner};
    struct um_index_node *node = um_index_find(&store->holds, key_hash(&key), has_key, &key);
    return node != NULL ? UM_LIST_ITEM(node, struct um_hold, node) : NULL;
}

void um_holds_end_step(struct um_store *store, struct um_owner *owner, size_t *budget)
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
        um_extra_tidy(block);
    }
}

uint32_t um_block_holders(const struct um_account *account, const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    bool maker_holds = account->owner_open && (extra == NULL || !extra->maker_released);
    return (extra != NULL ? extra->holders : 0) + (maker_holds ? 1 : 0);
}

static int no_memory(const struct um_store *store, const struct um_block *block, struct um_fault *fault)
{
    return um_fault(fault, UMEM_E_NO_MEMORY,
                    (struct um_fault){.block = um_block_handle(store, block),
                                      .what = "the system has no memory to note who holds it"});
}

int um_hold_check_quota(struct um_store *store, const struct um_block *block, struct um_fault *fault)
{
    while (store->holds_limit != 0 && store->stats.holds >= store->holds_limit &&
           um_reclaim_is_pending(store) && um_reclaim_urgently(store))
        continue;
    if (store->holds_limit == 0 || store->stats.holds < store->holds_limit)
        return 0;
    return um_fault(fault, UMEM_E_LIMIT_EXCEEDED,
                    (struct um_fault){.block = um_block_handle(store, block),
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
            um_extra_tidy(block);
        }
    } else if (um_hold_find(store, block, owner) == NULL) {
        int code = um_hold_check_quota(store, block, fault);
        if (code != 0)
            return code;
        struct um_hold *hold = um_extra_get(block) != NULL ? um_hold_new(block, owner) : NULL;
        if (hold == NULL) {
            um_extra_tidy(block);
            return no_memory(store, block, fault);
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
        return no_memory(store, block, fault);
    if (account->owner == owner || hold != NULL) {
        um_usage_remove(store, account, block);
        if (hold != NULL)
            um_hold_free(store, hold);
        else
            um_extra_of(block)->maker_released = true;
        um_usage_add(store, account, block);
        um_extra_tidy(block);
    }
    *holders = um_block_holders(account, block);
    return 0;
}
