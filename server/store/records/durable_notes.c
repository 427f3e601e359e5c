#include "store/records/durable_notes.h"

#include <stdio.h>
#include <string.h>

#include "store/records/fault.h"

/* A full disk, or the like: nothing has changed. */
static int no_space(struct um_state *state, uint64_t heap, uint32_t number, enum um_file_status status,
                    struct um_fault *fault)
{
    char path[UM_STATE_PATH_CAPACITY];

    um_state_path(state, heap, number, path, sizeof path);
    snprintf(state->text, sizeof state->text, "%s cannot be extended: %s; make space there, or free blocks",
             path, um_file_status_text(status));
    return um_fault(fault, UMEM_E_NO_MEMORY, (struct um_fault){.heap = heap, .what = state->text});
}

int um_durable_check(struct um_heap *heap, bool is_freeing, struct um_fault *fault)
{
    struct um_durable *durable = heap->durable;
    struct um_slots *blocks = &durable->state->store->blocks;
    enum um_file_status status = um_journal_reserve(&durable->journal, UM_DURABLE_NOTE_SIZE, is_freeing);

    /* There is a floor for the slot that a new block may get, so that raising it cannot fail. */
    if (status == UM_FILE_OK &&
        !um_slots_raise_floor(blocks, um_handle_make(UM_HANDLE_BLOCK, blocks->used, 0)))
        status = UM_FILE_NO_MEMORY;
    if (status == UM_FILE_OK && !um_durable_reserve_changes(durable))
        status = UM_FILE_NO_MEMORY;
    if (status == UM_FILE_OK)
        return 0;
    if (durable->journal.state == UM_JOURNAL_FAILED)
        return um_durable_explain_failure(durable, fault);
    return no_space(durable->state, durable->journal.header.heap, durable->journal.current.number, status,
                    fault);
}

static uint8_t text_size(const char *text)
{
    size_t size = strlen(text);

    return (uint8_t)(size < UM_JOURNAL_TEXT_LIMIT ? size : UM_JOURNAL_TEXT_LIMIT);
}

void um_durable_put_name(struct um_journal_entry *entry, const char *name)
{
    entry->name = name;
    entry->name_size = name != NULL ? text_size(name) : 0;
}

struct um_journal_entry um_durable_owner_entry(const struct um_owner *owner)
{
    return (struct um_journal_entry){
        .type = UM_JOURNAL_OWNER,
        .owner = owner->id,
        .pid = (uint64_t)owner->pid,
        .name = owner->program,
        .name_size = text_size(owner->program),
        .user = owner->user,
        .user_size = text_size(owner->user),
    };
}

void um_durable_note_owner(struct um_durable *durable, struct um_account *account, bool to_next)
{
    bool is_known = account->journal_epoch >= durable->epoch;
    struct um_journal_entry entry;

    if (is_known && (!to_next || account->journal_epoch >= durable->next_epoch))
        return;
    entry = um_durable_owner_entry(account->owner);
    if (is_known)
        um_journal_add_to_next(&durable->journal, &entry);
    else
        um_journal_add(&durable->journal, &entry, to_next);
    account->journal_epoch = to_next ? durable->next_epoch : durable->epoch;
}

static uint64_t offset_of(const struct um_heap *heap, const void *address)
{
    struct um_place place;

    heap->ops->locate(heap->memory, address, &place);
    return place.offset;
}

struct um_journal_entry um_durable_block_entry(const struct um_store *store, const struct um_block *block,
                                               enum um_journal_entry_type type)
{
    const struct um_account *account = um_account_of(store, block);
    const struct um_block_extra *extra = um_extra_of(block);
    struct um_journal_entry entry = {
        .type = type,
        .is_session = account->lifetime == UM_LIFETIME_SESSION,
        .created = block->created_seconds,
        .handle = um_slot_handle(&block->slot, UM_HANDLE_BLOCK),
        .owner = account->owner->id,
        .offset = offset_of(account->heap, um_address_of(block)),
        .size = block->size,
    };

    if (extra != NULL && extra->name != NULL)
        um_durable_put_name(&entry, extra->name->text);
    return entry;
}

/* Blocks that are not in the new file yet are written there later, as they are then. */
static bool is_written(const struct um_durable *durable, uint32_t slot)
{
    return slot < durable->cursor;
}

static void note(struct um_store *store, const struct um_block *block, enum um_journal_entry_type type)
{
    struct um_account *account = um_account_of(store, block);
    struct um_durable *durable = account->heap->durable;
    const struct um_journal_entry entry = um_durable_block_entry(store, block, type);
    bool to_next = is_written(durable, block->slot.link);

    if (type != UM_JOURNAL_PLACE)
        um_durable_note_owner(durable, account, to_next);
    um_journal_add(&durable->journal, &entry, to_next);
    um_durable_note_uncommitted(durable);
    if (type != UM_JOURNAL_CHANGE)
        um_durable_note_bytes(durable);
}

void um_durable_note_block(struct um_store *store, const struct um_block *block)
{
    const struct um_durable_change change = {
        .kind = UM_DURABLE_ALLOC,
        .handle = um_slot_handle(&block->slot, UM_HANDLE_BLOCK),
    };

    (void)um_slots_raise_floor(&store->blocks, change.handle);
    note(store, block, UM_JOURNAL_BLOCK);
    um_durable_keep(um_account_of(store, block)->heap->durable, &change);
}

static void keep_place(const struct um_store *store, const struct um_block *block, void *address,
                       uint64_t size)
{
    const struct um_durable_change change = {
        .kind = UM_DURABLE_PLACE,
        .handle = um_slot_handle(&block->slot, UM_HANDLE_BLOCK),
        .address = address,
        .size = size,
    };

    um_durable_keep(um_account_of(store, block)->heap->durable, &change);
}

void um_durable_note_place(struct um_store *store, const struct um_block *block, void *address, uint64_t size)
{
    note(store, block, UM_JOURNAL_PLACE);
    keep_place(store, block, address, size);
}

void um_durable_note_change(struct um_store *store, const struct um_block *block)
{
    note(store, block, UM_JOURNAL_CHANGE);
}

void um_durable_note_free(struct um_store *store, const struct um_heap *heap, um_handle block)
{
    const struct um_journal_entry entry = {.type = UM_JOURNAL_FREE, .handle = block};

    (void)store;
    um_journal_add(&heap->durable->journal, &entry, is_written(heap->durable, um_handle_slot(block)));
    um_durable_note_uncommitted(heap->durable);
}

int um_durable_shrink(struct um_store *store, struct um_block *block, uint64_t size, struct um_fault *fault)
{
    struct um_heap *heap = um_account_of(store, block)->heap;
    struct um_journal_entry entry = um_durable_block_entry(store, block, UM_JOURNAL_PLACE);
    int code = um_durable_check(heap, true, fault);

    if (code != 0)
        return code;
    entry.size = size;
    um_journal_add(&heap->durable->journal, &entry, is_written(heap->durable, block->slot.link));
    um_durable_note_uncommitted(heap->durable);
    if (heap->durable->state->is_always) {
        keep_place(store, block, um_address_of(block), block->size);
        um_durable_note_bytes(heap->durable);
        return 0;
    }
    if (um_durable_commit(heap->durable))
        return 0;
    return um_durable_explain_failure(heap->durable, fault);
}
