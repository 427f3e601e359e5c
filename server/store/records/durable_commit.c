#include "store/records/durable_commit.h"

#include "store/records/accounts.h"
#include "store/records/block_extra.h"
#include "store/records/durable_make.h"
#include "store/records/observers.h"
#include "store/records/reclaim.h"
#include "store/records/store_events.h"
#include "store/records/unused.h"

/* ---- undoing ---- */

/* The live block that a change was about, or NULL: it went with its session. */
static struct um_block *find_live(struct um_store *store, um_handle handle)
{
    void *record = NULL;

    if (um_slots_find(&store->blocks, handle, &record) != UM_SLOT_OK || !um_block_is_alive(store, record))
        return NULL;
    return record;
}

/* Takes a block away that is not there as far as was committed. Its memory stays out of use, as all that is free in a heap that has
 * failed. */
static void take_away(struct um_store *store, struct um_block *block)
{
    struct um_account *account = um_account_of(store, block);
    um_handle handle = um_slot_handle(&block->slot, UM_HANDLE_BLOCK);
    um_handle heap = um_slot_handle(&account->heap->slot, UM_HANDLE_HEAP);
    bool is_observed = um_block_is_observed(store, block);

    um_usage_remove(store, account, block);
    um_account_unlink(store, account, block);
    um_block_dispose(store, account->heap, block);
    um_account_free_if_unused(store, account);
    if (is_observed)
        um_raise_block_freed(store, handle, heap);
}

static void undo_alloc(struct um_store *store, const struct um_durable_change *change)
{
    struct um_block *block = find_live(store, change->handle);

    if (block != NULL)
        take_away(store, block);
}

/* Gives a block the name back that another one has taken. Where that has gone with its session, there is none. */
static void take_name_back(struct um_store *store, struct um_block *block, um_handle taker)
{
    struct um_block *other = find_live(store, taker);
    struct um_block_extra *extra = other != NULL ? um_extra_of(other) : NULL;
    struct um_block_extra *own = extra != NULL && extra->name != NULL ? um_extra_get(block) : NULL;

    if (own == NULL)
        return;
    um_usage_remove(store, um_account_of(store, other), other);
    own->name = extra->name;
    own->name->handle = um_slot_handle(&block->slot, UM_HANDLE_BLOCK);
    extra->name = NULL;
    um_usage_add(store, um_account_of(store, other), other);
    um_extra_free_if_unused(other);
}

/* A block of a session that has ended since would have gone with it. */
static void undo_free(struct um_store *store, struct um_durable_change *change)
{
    struct um_block *block = change->block;
    struct um_account *account = um_account_of(store, block);

    if (!um_account_is_alive(account)) {
        um_durable_end_block(store, block);
        change->block = NULL;
        return;
    }
    um_slots_bring_back(&block->slot);
    if (change->handle != 0)
        take_name_back(store, block, change->handle);
    um_account_link(store, account, block);
    um_usage_add(store, account, block);
    account->waiting--;
}

/* Where the rest of a block that was made smaller is in use for another one that is on its way, the block stays smaller. */
static void undo_place(struct um_store *store, const struct um_durable_change *change)
{
    struct um_block *block = find_live(store, change->handle);
    struct um_account *account;
    struct um_heap *heap;
    void *address;

    if (block == NULL)
        return;
    account = um_account_of(store, block);
    heap = account->heap;
    um_resize_cancel(block);
    address = um_address_of(block);
    if (address != change->address) {
        if (um_extra_of(block) != NULL && um_extra_of(block)->pin != NULL)
            um_pin_detach(um_extra_of(block)->pin);
    } else if (change->size < block->size) {
        heap->ops->retract(heap->memory, address, block->size, change->size);
    } else if (!heap->ops->extend(heap->memory, address, block->size, change->size)) {
        return;
    }
    um_usage_remove(store, account, block);
    um_block_set_address(block, change->address);
    block->size = change->size;
    um_usage_add(store, account, block);
    um_extra_free_if_unused(block);
}

/* Gives a block its former name, which is put into the table when all is undone. Without memory for that it has none. */
static void set_name(struct um_store *store, struct um_block *block, struct um_name *name)
{
    struct um_block_extra *extra = name != NULL ? um_extra_get(block) : um_extra_of(block);

    if (extra == NULL) {
        um_names_free(&store->block_names, name);
        return;
    }
    um_names_free(&store->block_names, extra->name);
    extra->name = name;
}

static void restore_record(struct um_store *store, struct um_block *block,
                           const struct um_durable_change *change)
{
    struct um_account *account = um_account_of(store, block);
    struct um_account *former = change->account;
    struct um_hold *hold;

    um_usage_remove(store, account, block);
    if (change->was_renamed)
        set_name(store, block, change->name);
    hold = former->owner != account->owner ? um_hold_find(store, block, former->owner) : NULL;
    if (hold != NULL)
        um_hold_free(store, hold);
    if (um_extra_of(block) != NULL || (change->was_released && um_extra_get(block) != NULL))
        um_extra_of(block)->maker_released = change->was_released;
    if (former != account) {
        um_account_unlink(store, account, block);
        um_account_link(store, former, block);
    }
    um_usage_add(store, former, block);
    um_extra_free_if_unused(block);
    um_account_free_if_unused(store, account);
}

/* A block that was of a session which has ended since would have gone with it. */
static void undo_record(struct um_store *store, const struct um_durable_change *change)
{
    struct um_block *block = find_live(store, change->handle);

    if (block != NULL && um_account_is_alive(change->account)) {
        restore_record(store, block, change);
    } else {
        um_names_free(&store->block_names, change->name);
        if (block != NULL)
            take_away(store, block);
    }
    change->account->waiting--;
    um_account_free_if_unused(store, change->account);
}

static void undo(struct um_store *store, struct um_durable_change *change)
{
    switch (change->kind) {
    case UM_DURABLE_ALLOC:
        undo_alloc(store, change);
        break;
    case UM_DURABLE_FREE:
        undo_free(store, change);
        break;
    case UM_DURABLE_PLACE:
        undo_place(store, change);
        break;
    case UM_DURABLE_RECORD:
        undo_record(store, change);
        break;
    case UM_DURABLE_MEMORY:
        break;
    }
}

/* Puts the name of a block into the table, unless a block of another heap has it by now: then this one has none, until the daemon is
 * started again. */
static void list_name(struct um_store *store, struct um_block *block)
{
    struct um_account *account = um_account_of(store, block);
    struct um_block_extra *extra = um_extra_of(block);
    struct um_name *taken;

    if (extra == NULL || extra->name == NULL || extra->name->listed)
        return;
    taken = um_names_find_same(&store->block_names, extra->name);
    if (taken != NULL && find_live(store, taken->handle) == NULL) {
        um_names_remove(&store->block_names, taken);
        taken = NULL;
    }
    if (taken == NULL) {
        um_names_insert(&store->block_names, extra->name, um_slot_handle(&block->slot, UM_HANDLE_BLOCK));
        return;
    }
    um_usage_remove(store, account, block);
    um_names_free(&store->block_names, extra->name);
    extra->name = NULL;
    um_usage_add(store, account, block);
    um_extra_free_if_unused(block);
}

static void list_names(struct um_durable *durable)
{
    struct um_store *store = durable->state->store;

    for (size_t i = 0; i < durable->change_count; i++) {
        const struct um_durable_change *change = &durable->changes[i];
        struct um_block *block = change->kind == UM_DURABLE_FREE     ? change->block
                                 : change->kind == UM_DURABLE_RECORD ? find_live(store, change->handle)
                                                                     : NULL;

        if (block != NULL)
            list_name(store, block);
    }
}

/* A heap of which nothing was committed. Its files are removed at the next start. */
static void undo_heap(struct um_store *store, struct um_durable *durable)
{
    struct um_heap *heap = durable->heap;

    um_durable_detach(heap, &durable->state->failed);
    store->status.turn_is_used = true;
    um_heap_kill(store, heap, &store->ends_left);
    um_store_raise_events(store, &store->ends_left);
    um_reclaim_update_status(store);
}

static void undo_changes(struct um_durable *durable)
{
    for (size_t i = durable->change_count; i != 0; i--)
        undo(durable->state->store, &durable->changes[i - 1]);
    list_names(durable);
    durable->change_count = 0;
    durable->freed_count = 0;
}

void um_state_undo(struct um_state *state)
{
    while (!um_list_is_empty(&state->failing)) {
        struct um_durable *durable =
            UM_LIST_ITEM(um_list_take(&state->failing), struct um_durable, in_failing);

        if (durable->heap != NULL && durable->is_new)
            undo_heap(state->store, durable);
        else if (durable->heap != NULL)
            undo_changes(durable);
        if (durable->heap == NULL)
            um_durable_end_changes(durable, durable->change_count);
    }
}

/* ---- committing ---- */

void um_store_commit(struct um_store *store)
{
    struct um_state *state = store->state;

    if (state == NULL) {
        store->status.is_uncommitted = false;
        return;
    }
    while (!um_list_is_empty(&state->uncommitted)) {
        struct um_durable *durable =
            UM_LIST_ITEM(um_list_take(&state->uncommitted), struct um_durable, in_uncommitted);

        if (!state->is_always)
            (void)um_durable_commit(durable);
        else if (um_durable_goes_on(durable))
            um_durable_note_unsynced(durable);
    }
    um_state_undo(state);
    store->status.is_uncommitted = false;
}

/* One that is destroyed is looked for among all that were, if its files are still there. */
bool um_store_heap_has_failed(const struct um_store *store, um_handle heap, struct um_fault *fault)
{
    const struct um_state *state = store->state;
    const struct um_link *lists[] = {&state->all, &state->ended, &state->failed};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const struct um_link *link = lists[i]->next; link != lists[i]; link = link->next) {
            const struct um_durable *durable = UM_LIST_ITEM(link, const struct um_durable, in_all);

            if (durable->journal.header.heap != heap)
                continue;
            if (durable->journal.state == UM_JOURNAL_OPEN)
                return false;
            (void)um_durable_explain_failure(durable, fault);
            return true;
        }
    }
    return false;
}
