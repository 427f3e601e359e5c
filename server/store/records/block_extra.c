#include "store/records/block_extra.h"

#include <stdlib.h>

#include "base/hash.h"
#include "store/records/durable.h"

struct um_block_extra *um_extra_get(struct um_block *block)
{
    struct um_block_extra *extra = um_extra_of(block);
    if (extra != NULL)
        return extra;
    /* Blocks are put by name all the time, and glibc's calloc() takes several times as long as its malloc(). */
    extra = malloc(sizeof *extra);
    if (extra == NULL)
        return NULL;
    *extra = (struct um_block_extra){.address = um_address_of(block), .block = block};
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

void um_extra_free_if_unused(struct um_block *block)
{
    struct um_block_extra *extra = um_extra_of(block);
    if (extra == NULL || extra->name != NULL || extra->pin != NULL || extra->holders > 0 || extra->observed ||
        extra->maker_released || extra->resize != NULL)
        return;
    drop_extra(block, extra);
}

/* ---- holds ---- */

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

uint32_t um_block_holders(const struct um_account *account, const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    bool maker_holds = account->owner_open && (extra == NULL || !extra->maker_released);
    return (extra != NULL ? extra->holders : 0) + (maker_holds ? 1 : 0);
}

/* ---- the end of a block ---- */

void um_block_free_memory(struct um_heap *heap, void *address, uint64_t size)
{
    if (heap->destroyed && heap->ops->destroy_frees_blocks)
        return;
    if (heap->durable != NULL)
        um_durable_free_memory(heap->durable, address, size);
    else
        heap->ops->free(heap->memory, address, size, heap->alignment);
}

/* A heap whose memory is freed all at once is kept as a whole, and counts so. */
static bool is_counted(const struct um_pin *pin)
{
    return pin->heap->kept_bytes == 0;
}

void um_pin_detach(struct um_pin *pin)
{
    struct um_store *store = pin->store;
    pin->owner = um_account_of(store, pin->block)->owner;
    um_extra_of(pin->block)->pin = NULL;
    pin->block = NULL;
    pin->size = is_counted(pin) ? pin->size : 0;
    pin->owner->pinned.blocks++;
    pin->owner->pinned.bytes += pin->size;
    store->stats.pinned_bytes += pin->size;
}

void um_resize_unreserve(struct um_resize *resize)
{
    resize->heap->reserved -= resize->reserved;
    resize->store->reserved -= resize->reserved;
    resize->reserved = 0;
}

/* Cancels a move, however far it has come. Its next step, if the block is still there then, begins anew. */
static void cancel(struct um_resize *resize)
{
    struct um_block *block = resize->block;
    struct um_heap *heap = resize->heap;
    if (resize->extends && heap->memory_open)
        heap->ops->retract(heap->memory, resize->address, resize->size, resize->extended_from);
    else if (resize->address != NULL && !resize->extends)
        um_block_free_memory(heap, resize->address, resize->size);
    resize->extends = false;
    um_resize_unreserve(resize);
    um_extra_of(block)->resize = NULL;
    resize->block = NULL;
    resize->address = NULL;
}

void um_resize_cancel(struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    if (extra != NULL && extra->resize != NULL)
        cancel(extra->resize);
}

/* Ends what others have of a block: its pin keeps the memory. Returns whether one does. */
static bool end_uses(struct um_store *store, struct um_block *block, struct um_block_extra *extra)
{
    bool is_pinned = extra->pin != NULL;
    um_resize_cancel(block);
    while (!um_list_is_empty(&extra->holds))
        um_hold_free(store, UM_LIST_ITEM(um_list_take(&extra->holds), struct um_hold, in_block));
    if (is_pinned)
        um_pin_detach(extra->pin);
    return is_pinned;
}

/* Whether it has a name that no other block has taken. */
static bool has_own_name(const struct um_block *block, const struct um_block_extra *extra)
{
    return extra->name != NULL && extra->name->handle == um_slot_handle(&block->slot, UM_HANDLE_BLOCK);
}

bool um_extra_dispose(struct um_store *store, struct um_block *block)
{
    struct um_block_extra *extra = um_extra_of(block);
    bool is_pinned = end_uses(store, block, extra);
    if (has_own_name(block, extra))
        um_names_free(&store->block_names, extra->name);
    drop_extra(block, extra);
    return is_pinned;
}

void um_block_dispose(struct um_store *store, struct um_heap *heap, struct um_block *block)
{
    bool is_pinned = um_extra_of(block) != NULL && um_extra_dispose(store, block);
    if (!is_pinned)
        um_block_free_memory(heap, um_address_of(block), block->size);
    um_slots_release(&store->blocks, block);
}

void um_block_withdraw(struct um_store *store, struct um_durable *durable, struct um_block *block)
{
    struct um_block_extra *extra = um_extra_of(block);
    struct um_durable_change change = {
        .kind = UM_DURABLE_FREE, .block = block, .address = um_address_of(block)};
    if (extra != NULL) {
        if (end_uses(store, block, extra))
            change.address = NULL;
        if (has_own_name(block, extra)) {
            um_names_remove(&store->block_names, extra->name);
        } else if (extra->name != NULL) {
            change.handle = extra->name->handle;
            extra->name = NULL;
        }
        extra->observed = false;
        um_extra_free_if_unused(block);
    }
    um_slots_withdraw(&block->slot);
    um_account_of(store, block)->waiting++;
    um_durable_keep(durable, &change);
}
