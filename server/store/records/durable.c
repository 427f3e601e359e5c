#include "store/records/durable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/records/fault.h"
#include "store/records/unused.h"

void um_state_path(const struct um_state *state, uint64_t heap, uint32_t number, char *path, size_t capacity)
{
    char name[UM_JOURNAL_NAME_CAPACITY];

    um_journal_name(name, heap, number);
    snprintf(path, capacity, "%s/%s", state->path, name);
}

uint64_t um_state_draw(struct um_state *state)
{
    state->chance += UINT64_C(0x9e3779b97f4a7c15);
    return um_hash_mix(state->chance);
}

/* ---- faults ---- */

int um_durable_explain_failure(const struct um_durable *durable, struct um_fault *fault)
{
    const struct um_journal *journal = &durable->journal;
    struct um_state *state = durable->state;
    char path[UM_STATE_PATH_CAPACITY];

    um_state_path(state, journal->header.heap, durable->bytes_failed ? 0 : journal->current.number, path,
                  sizeof path);
    snprintf(state->text, sizeof state->text,
             "%s could not be written: %s; the heap can only be read until umemd is started again", path,
             um_file_status_text(journal->failure));
    return um_fault(fault, UMEM_E_CORRUPTED,
                    (struct um_fault){.heap = journal->header.heap, .what = state->text});
}

bool um_durable_goes_on(struct um_durable *durable)
{
    struct um_state *state = durable->state;
    struct um_fault fault = {0};

    if (durable->journal.state == UM_JOURNAL_OPEN)
        return true;
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    if (durable->is_failure_told)
        return false;
    durable->is_failure_told = true;
    um_list_append(&state->failing, &durable->in_failing);
    state->store->status.is_uncommitted = true;
    state->store->status.failures++;
    (void)um_durable_explain_failure(durable, &fault);
    um_state_report(state, fault.what);
    return false;
}

/* ---- commits ---- */

void um_durable_note_unsynced(struct um_durable *durable)
{
    if (um_list_is_empty(&durable->in_unsynced))
        um_list_append(&durable->state->unsynced, &durable->in_unsynced);
}

/* Notes a change that an answer may tell of. */
static void note_changed(struct um_durable *durable)
{
    struct um_store_status *status = &durable->state->store->status;

    status->is_uncommitted = true;
    status->changes++;
    status->changed = durable->journal.header.heap;
}

void um_durable_note_uncommitted(struct um_durable *durable)
{
    if (um_list_is_empty(&durable->in_uncommitted))
        um_list_append(&durable->state->uncommitted, &durable->in_uncommitted);
    note_changed(durable);
}

void um_durable_note_bytes(struct um_durable *durable)
{
    if (!durable->state->is_always)
        return;
    note_changed(durable);
    if (durable->journal.state != UM_JOURNAL_OPEN) {
        durable->state->store->status.failures++; /* it is not on the disk, and the answer is to say so */
        return;
    }
    durable->bytes_unsynced = true;
    um_durable_note_unsynced(durable);
}

void um_durable_end_block(struct um_store *store, struct um_block *block)
{
    struct um_account *account = um_account_of(store, block);
    struct um_block_extra *extra = um_extra_of(block);

    if (extra != NULL)
        um_names_free(&store->block_names, extra->name);
    free(extra);
    um_slots_bring_back(&block->slot);
    um_slots_release(&store->blocks, block);
    account->waiting--;
    um_account_free_if_unused(store, account);
}

/* Memory of a heap that is destroyed went with it. */
static void free_memory(const struct um_durable *durable, void *address, uint64_t size)
{
    struct um_heap *heap = durable->heap;

    if (heap == NULL || heap->durable == NULL || address == NULL)
        return;
    if (durable->state->store->wipes)
        heap->ops->wipe(heap->memory, address, size);
    heap->ops->free(heap->memory, address, size, heap->alignment);
}

static void end_change(struct um_durable *durable, const struct um_durable_change *change)
{
    struct um_store *store = durable->state->store;

    switch (change->kind) {
    case UM_DURABLE_ALLOC:
    case UM_DURABLE_PLACE:
        break;
    case UM_DURABLE_FREE:
        free_memory(durable, change->address, change->block->size);
        um_durable_end_block(store, change->block);
        durable->freed_count--;
        break;
    case UM_DURABLE_RECORD:
        um_names_free(&store->block_names, change->name);
        change->account->waiting--;
        um_account_free_if_unused(store, change->account);
        break;
    case UM_DURABLE_MEMORY:
        free_memory(durable, change->address, change->size);
        durable->freed_count--;
        break;
    }
}

void um_durable_end_changes(struct um_durable *durable, size_t count)
{
    for (size_t i = 0; i < count; i++)
        end_change(durable, &durable->changes[i]);
    durable->change_count -= count;
    if (durable->change_count != 0)
        memmove(durable->changes, durable->changes + count, durable->change_count * sizeof *durable->changes);
}

void um_durable_note_work(struct um_durable *durable)
{
    if (durable->heap == NULL || !um_journal_wants_compaction(&durable->journal))
        return;
    durable->state->has_work = true;
    durable->state->store->status.has_work = true;
}

bool um_durable_commit(struct um_durable *durable)
{
    um_list_remove(&durable->in_uncommitted);
    (void)um_journal_commit(&durable->journal);
    if (!um_durable_goes_on(durable))
        return false;
    durable->is_new = false;
    um_durable_end_changes(durable, durable->change_count);
    um_durable_note_unsynced(durable);
    um_durable_note_work(durable);
    return true;
}

bool um_durable_release(struct um_durable *durable)
{
    if (durable->freed_count == 0 || durable->state->is_always)
        return false;
    return um_durable_commit(durable);
}

bool um_durable_has_freed(const struct um_durable *durable)
{
    return durable->freed_count != 0;
}

static bool grow_changes(struct um_durable *durable)
{
    size_t capacity = durable->change_capacity != 0 ? 2 * durable->change_capacity : UM_DURABLE_CHANGES_LIMIT;
    struct um_durable_change *grown = realloc(durable->changes, capacity * sizeof *grown);

    if (grown == NULL)
        return false;
    durable->changes = grown;
    durable->change_capacity = capacity;
    return true;
}

bool um_durable_reserve_changes(struct um_durable *durable)
{
    if (durable->change_count + UM_DURABLE_CHANGES_SPARE > UM_DURABLE_CHANGES_LIMIT &&
        !durable->state->is_always && !um_durable_commit(durable))
        return false;
    return durable->change_count + UM_DURABLE_CHANGES_SPARE <= durable->change_capacity ||
           grow_changes(durable);
}

/* It must not take the space that a call has reserved before, and cannot commit what that is about to note. Where there is no memory to
 * keep it, it is free when the daemon is started again. */
void um_durable_free_memory(struct um_durable *durable, void *address, uint64_t size)
{
    const struct um_durable_change change = {.kind = UM_DURABLE_MEMORY, .address = address, .size = size};

    if (durable->journal.state == UM_JOURNAL_FAILED)
        return;
    if (durable->change_count + UM_DURABLE_CHANGES_SPARE >= durable->change_capacity &&
        !grow_changes(durable))
        return;
    um_durable_keep(durable, &change);
    um_durable_note_uncommitted(durable);
}

void um_durable_explain_space(struct um_durable *durable, struct um_fault *fault)
{
    struct um_state *state = durable->state;
    char path[UM_STATE_PATH_CAPACITY];

    if (fault == NULL)
        return;
    um_state_path(state, durable->journal.header.heap, 0, path, sizeof path);
    snprintf(state->text, sizeof state->text,
             "there is no space on the disk of %s for it; make space there, ask for less, or free blocks",
             path);
    fault->what = state->text;
}
