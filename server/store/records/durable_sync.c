/* Syncs: which heaps take part, and what comes next. */
#include <string.h>

#include "store/records/durable.h"
#include "store/records/durable_commit.h"
#include "store/records/durable_compact.h"
#include "store/records/durable_handles.h"
#include "store/records/durable_make.h"
#include "store/records/durable_part.h"
#include "store/records/fault.h"
#include "store/records/heaps.h"
#include "store/records/state_sync.h"

enum {
    REMOVED_AT_ONCE = 16,             /* destroyed heaps whose files one sync removes, at most */
    REMOVED_BYTES = 256 * 1024 * 1024 /* bytes of them, likewise, but for the first */
};

/* A sync of all heaps that want one, or where only flushes are wanted, of those that wait for one. It counts even where there is none. */
static bool begin_round(struct um_state *state, struct um_store_sync *sync)
{
    bool flushes_only = !state->is_always && state->rounds_wanted > state->rounds_ended;
    struct um_link *next;

    sync->kind = UM_SYNC_HEAPS;
    sync->syncs_names = false;
    for (struct um_link *link = state->unsynced.next; link != &state->unsynced; link = next) {
        struct um_durable *durable = UM_LIST_ITEM(link, struct um_durable, in_unsynced);

        next = link->next;
        if (flushes_only && durable->flushes == durable->flushed)
            continue;
        um_list_remove(link);
        if (!um_durable_goes_on(durable) || !um_durable_wants_sync(durable))
            continue;
        um_durable_sync_begin(durable);
        um_journal_sync_begin(&durable->journal, &durable->sync.journal, state->is_always);
        sync->syncs_names |= durable->names_unsynced;
        um_list_append(&sync->heaps, &durable->in_syncing);
    }
    state->rounds_begun++;
    if (!um_list_is_empty(&sync->heaps))
        return true;
    state->rounds_ended = state->rounds_begun;
    return false;
}

static void end_round(struct um_state *state, struct um_store_sync *sync)
{
    state->rounds_ended = state->rounds_begun;
    while (!um_list_is_empty(&sync->heaps)) {
        struct um_durable *durable = UM_LIST_ITEM(um_list_take(&sync->heaps), struct um_durable, in_syncing);
        struct um_journal_sync *journal = &durable->sync.journal;

        /* Where its names are not on the disk, nothing of it is. */
        if (durable->names_unsynced && journal->status == UM_FILE_OK)
            journal->status = sync->names;
        um_durable_sync_end(durable);
        (void)um_journal_sync_end(&durable->journal, journal);
        if (!um_durable_goes_on(durable))
            continue;
        durable->names_unsynced = false;
        um_durable_end_synced(durable);
        um_durable_mark_bytes(durable);
        um_durable_note_work(durable);
    }
}

/* ---- flushing ---- */

/* Whether its file has its whole length, and always had it. */
static bool is_whole(const struct um_heap *heap)
{
    struct um_heap_memory_stats figures;

    return !um_heap_get_memory_stats(heap, &figures) || !figures.corrupted;
}

int um_heap_flush(struct um_heap *heap, uint64_t *ticket, struct um_fault *fault)
{
    struct um_durable *durable = heap->durable;

    if (heap->is_lost)
        return um_fault(fault, UMEM_E_CORRUPTED,
                        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                          .what = "the heap's files are damaged, and are left alone"});
    if (durable == NULL)
        return um_fault(fault, UMEM_E_UNSUPPORTED,
                        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                          .what = "only a durable heap is kept on the disk"});
    if (durable->journal.state == UM_JOURNAL_FAILED)
        return um_durable_explain_failure(durable, fault);
    if (!is_whole(heap))
        return um_fault(
            fault, UMEM_E_CORRUPTED,
            (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                              .what =
                                  "the heap's file was cut while it was in use: what it had there is lost"});
    *ticket = ++durable->flushes;
    durable->bytes_unsynced = true;
    um_durable_note_unsynced(durable);
    durable->state->rounds_wanted = durable->state->rounds_begun + 1;
    return 0;
}

int um_heap_check_flush(struct um_heap *heap, uint64_t ticket, bool *done, struct um_fault *fault)
{
    struct um_durable *durable = heap->durable;

    *done = durable->flushed >= ticket;
    return durable->journal.state == UM_JOURNAL_FAILED ? um_durable_explain_failure(durable, fault) : 0;
}

/* A destroyed heap that could not be written: its files stay. */
static void keep_failed(struct um_durable *durable)
{
    um_list_remove(&durable->in_all);
    um_list_append(&durable->state->failed, &durable->in_all);
}

/* Takes a destroyed heap into a sync. */
static void remove_by(struct um_store_sync *sync, struct um_durable *durable)
{
    um_durable_sync_begin(durable);
    um_journal_sync_begin(&durable->journal, &durable->sync.journal, durable->state->is_always);
    um_list_append(&sync->heaps, &durable->in_syncing);
}

/* Takes as many of them as are removed in a short time, if there is one. */
static void remove_some(struct um_state *state, struct um_store_sync *sync)
{
    uint64_t length = 0;
    unsigned count = 0;
    struct um_link *next;

    for (struct um_link *link = state->ended.next; link != &state->ended; link = next) {
        struct um_durable *durable = UM_LIST_ITEM(link, struct um_durable, in_all);

        next = link->next;
        length += durable->entry.length;
        if (count != 0 && (count == REMOVED_AT_ONCE || length > REMOVED_BYTES))
            return;
        if (um_durable_goes_on(durable)) {
            remove_by(sync, durable);
            count++;
        } else {
            keep_failed(durable);
        }
    }
}

/* That heaps were destroyed is on the disk before their files go, and so are their handles. */
static bool begin_removal(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *first;
    enum um_file_status status;

    if (um_list_is_empty(&state->ended))
        return false;
    first = UM_LIST_ITEM(state->ended.next, struct um_durable, in_all);
    if (!um_durable_goes_on(first)) {
        keep_failed(first);
        return false;
    }
    status = um_state_write_handles(state, &sync->handles);
    if (status == UM_FILE_OK) {
        sync->kind = UM_SYNC_REMOVAL;
        sync->has_handles = true;
        remove_some(state, sync);
        return true;
    }
    /* The disk may be full of what is to be removed. Its journal says so, and keeps the handles. */
    if (status != UM_FILE_NO_SPACE || first->bytes == NULL)
        return false;
    sync->kind = UM_SYNC_BYTES;
    remove_by(sync, first);
    return true;
}

static bool has_former(const struct um_state *state)
{
    return state->formers[UM_FORMER_RECORDS].file != NULL || state->formers[UM_FORMER_HANDLES].file != NULL;
}

enum um_sync_urgency um_store_sync_urgency(const struct um_store *store)
{
    const struct um_state *state = store->state;

    if (state == NULL || state->is_syncing)
        return UM_SYNC_NOT_DUE;
    if (state->is_complete || has_former(state) || state->rounds_wanted > state->rounds_ended ||
        (!um_list_is_empty(&state->ended) && state->handles.state == UM_JOURNAL_OPEN))
        return UM_SYNC_NOW;
    if (um_list_is_empty(&state->unsynced) && um_list_is_empty(&state->uncommitted))
        return UM_SYNC_NOT_DUE;
    return state->is_always ? UM_SYNC_NOW : UM_SYNC_LATER;
}

uint64_t um_store_want_sync(struct um_store *store)
{
    struct um_state *state = store->state;

    state->rounds_wanted = state->rounds_begun + 1;
    return state->rounds_wanted;
}

bool um_store_is_synced(const struct um_store *store, uint64_t number)
{
    return store->state == NULL || store->state->rounds_ended >= number;
}

bool um_store_sync_begin(struct um_store *store, struct um_store_sync *sync)
{
    struct um_state *state = store->state;
    bool begun;

    *sync = (struct um_store_sync){.syncs_names = true};
    um_list_init(&sync->heaps);
    if (state == NULL || state->is_syncing)
        return false;
    um_store_commit(store);
    sync->files = state->files;
    begun = !state->was_round && state->rounds_wanted > state->rounds_ended && begin_round(state, sync);
    state->was_round = begun;
    if (!begun)
        begun = state->compacting != NULL && state->is_complete && um_state_begin_last_sync(state, sync);
    if (!begun)
        begun = begin_removal(state, sync);
    if (!begun)
        begun = state->was_round = begin_round(state, sync);
    begun = begun || has_former(state);
    memcpy(sync->formers, state->formers, sizeof sync->formers);
    memset(state->formers, 0, sizeof state->formers);
    state->is_syncing = begun;
    return begun;
}

void um_store_sync_all(struct um_store *store)
{
    struct um_store_sync sync;

    while (um_store_sync_begin(store, &sync)) {
        um_store_sync_run(&sync);
        um_store_sync_end(store, &sync);
    }
}

static void close_file(struct um_files *files, struct um_file **file)
{
    if (*file != NULL)
        files->ops->close(*file);
    *file = NULL;
}

/* Removes a destroyed heap's files, if all that is to be on the disk before is there: the bytes first, so that what is left if that is
 * interrupted still says that they are to be removed. What cannot be removed (Windows: a program has it mapped) is removed at the next
 * start. Large files take long. */
static void run_removal(const struct um_store_sync *sync, struct um_durable *durable)
{
    struct um_journal *journal = &durable->journal;
    uint64_t heap = journal->header.heap;
    bool has_next = journal->next.file != NULL;
    enum um_file_status status;

    if (durable->sync.journal.status != UM_FILE_OK)
        return;
    close_file(sync->files, &durable->bytes);
    status = um_journal_remove(sync->files, heap, 0);
    if (sync->kind == UM_SYNC_BYTES || (status != UM_FILE_OK && status != UM_FILE_NOT_THERE))
        return;
    close_file(sync->files, &journal->current.file);
    close_file(sync->files, &journal->next.file);
    (void)um_journal_remove(sync->files, heap, journal->current.number);
    if (has_next)
        (void)um_journal_remove(sync->files, heap, journal->current.number + 1);
}

void um_store_sync_run(struct um_store_sync *sync)
{
    bool removes = sync->kind == UM_SYNC_REMOVAL || sync->kind == UM_SYNC_BYTES;

    if (sync->has_handles)
        um_journal_sync_run(&sync->handles);
    for (struct um_link *link = sync->heaps.next; link != &sync->heaps; link = link->next)
        um_durable_sync_run(sync->files, &UM_LIST_ITEM(link, struct um_durable, in_syncing)->sync);
    for (int i = 0; i < UM_FORMERS; i++)
        um_journal_former_remove(sync->files, &sync->formers[i]);
    sync->names = sync->syncs_names ? sync->files->ops->sync_names(sync->files) : UM_FILE_OK;
    removes =
        removes && sync->names == UM_FILE_OK && (!sync->has_handles || sync->handles.status == UM_FILE_OK);
    for (struct um_link *link = sync->heaps.next; removes && link != &sync->heaps; link = link->next)
        run_removal(sync, UM_LIST_ITEM(link, struct um_durable, in_syncing));
}

/* Ends a destroyed heap's part, of whose files some or all were removed. */
static void end_removed(struct um_store_sync *sync, struct um_durable *durable)
{
    struct um_journal_sync *journal = &durable->sync.journal;

    if (journal->status == UM_FILE_OK)
        journal->status = sync->names;
    um_durable_sync_end(durable);
    if (!um_journal_sync_end(&durable->journal, journal)) {
        (void)um_durable_goes_on(durable);
        keep_failed(durable);
    } else if (sync->kind == UM_SYNC_REMOVAL) {
        um_journal_close(&durable->journal);
        um_durable_close_bytes(durable);
        um_durable_free(durable);
    }
}

static void end_removal(struct um_state *state, struct um_store_sync *sync)
{
    bool has_failed = sync->has_handles && !um_journal_compact_end(&state->handles, &sync->handles,
                                                                   &state->formers[UM_FORMER_HANDLES]);

    while (!um_list_is_empty(&sync->heaps)) {
        struct um_durable *durable = UM_LIST_ITEM(um_list_take(&sync->heaps), struct um_durable, in_syncing);

        if (has_failed)
            durable->sync.journal.status = UM_FILE_FAILED;
        end_removed(sync, durable);
    }
}

void um_store_sync_end(struct um_store *store, struct um_store_sync *sync)
{
    struct um_state *state = store->state;

    state->is_syncing = false;
    /* Where the names are not on the disk, nothing that depends on them may go on. */
    if (sync->handles.status == UM_FILE_OK)
        sync->handles.status = sync->names;
    switch (sync->kind) {
    case UM_SYNC_HEAPS:
        end_round(state, sync);
        break;
    case UM_SYNC_COMPACTION:
        um_state_end_compaction(state, sync);
        break;
    case UM_SYNC_HANDLES:
        (void)um_journal_compact_end(&state->handles, &sync->handles, &state->formers[UM_FORMER_HANDLES]);
        break;
    case UM_SYNC_BYTES:
    case UM_SYNC_REMOVAL:
        end_removal(state, sync);
        break;
    }
    um_state_undo(state);
}
