#include "store/records/durable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/records/fault.h"

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
    durable->freed_count = 0;
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    if (durable->is_failure_told)
        return false;
    durable->is_failure_told = true;
    state->store->status.failures++;
    if (state->report != NULL) {
        (void)um_durable_explain_failure(durable, &fault);
        state->report(state->context, fault.what);
    }
    return false;
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

void um_durable_release_freed(struct um_durable *durable, size_t count)
{
    struct um_heap *heap = durable->heap;

    if (count > durable->freed_count)
        count = durable->freed_count; /* the heap was destroyed since */
    for (size_t i = 0; i < count && heap != NULL; i++) {
        const struct um_freed *freed = &durable->freed[i];

        if (durable->state->store->wipes)
            heap->ops->wipe(heap->memory, freed->address, freed->size);
        heap->ops->free(heap->memory, freed->address, freed->size, heap->alignment);
    }
    durable->freed_count -= count;
    if (durable->freed_count != 0)
        memmove(durable->freed, durable->freed + count, durable->freed_count * sizeof *durable->freed);
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
    um_durable_release_freed(durable, durable->freed_count);
    um_durable_note_unsynced(durable);
    um_durable_note_work(durable);
    return true;
}

void um_store_commit(struct um_store *store)
{
    struct um_state *state = store->state;

    store->status.is_uncommitted = false;
    if (state == NULL)
        return;
    while (!um_list_is_empty(&state->uncommitted)) {
        struct um_durable *durable =
            UM_LIST_ITEM(um_list_take(&state->uncommitted), struct um_durable, in_uncommitted);

        if (!state->is_always)
            (void)um_durable_commit(durable);
        else if (um_durable_goes_on(durable))
            um_durable_note_unsynced(durable);
    }
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

/* Makes space for one more. Where there is none, the memory is free when the daemon is started again. */
static bool grow_freed(struct um_durable *durable)
{
    size_t capacity = durable->freed_capacity != 0 ? 2 * durable->freed_capacity : UM_DURABLE_FREED_LIMIT;
    struct um_freed *grown;

    if (durable->freed_count < durable->freed_capacity)
        return true;
    grown = realloc(durable->freed, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    durable->freed = grown;
    durable->freed_capacity = capacity;
    return true;
}

void um_durable_free_memory(struct um_durable *durable, void *address, uint64_t size)
{
    if (durable->journal.state == UM_JOURNAL_FAILED)
        return;
    if (durable->freed_count == UM_DURABLE_FREED_LIMIT && !durable->state->is_always &&
        !um_durable_commit(durable))
        return;
    if (!grow_freed(durable))
        return;
    durable->freed[durable->freed_count++] = (struct um_freed){address, size};
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
