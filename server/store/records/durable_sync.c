/* Syncs: which heaps take part, and what comes next. */
#include "store/records/durable.h"
#include "store/records/durable_commit.h"
#include "store/records/durable_compact.h"
#include "store/records/durable_handles.h"
#include "store/records/durable_make.h"
#include "store/records/durable_part.h"
#include "store/records/fault.h"
#include "store/records/heaps.h"
#include "store/records/state_sync.h"

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

/* That the heap was destroyed is on the disk before its files go, and so are its handles. */
static bool begin_removal(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable;
    enum um_file_status status;

    if (um_list_is_empty(&state->ended))
        return false;
    durable = UM_LIST_ITEM(state->ended.next, struct um_durable, in_all);
    if (!um_durable_goes_on(durable)) {
        keep_failed(durable);
        return false;
    }
    status = um_state_write_handles(state, &sync->journals[0]);
    /* The disk may be full of what is to be removed. Its journal says so, and keeps the handles. */
    if (status == UM_FILE_NO_SPACE && durable->bytes != NULL)
        sync->kind = UM_SYNC_BYTES;
    else if (status == UM_FILE_OK)
        sync->kind = UM_SYNC_REMOVAL;
    else
        return false;
    sync->count = sync->kind == UM_SYNC_REMOVAL ? 2 : 1;
    um_journal_sync_begin(&durable->journal, &sync->journals[sync->count - 1], state->is_always);
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    sync->durable = durable;
    return true;
}

enum um_sync_urgency um_store_sync_urgency(const struct um_store *store)
{
    const struct um_state *state = store->state;

    if (state == NULL || state->is_syncing)
        return UM_SYNC_NOT_DUE;
    if (state->is_complete || state->former.file != NULL || state->rounds_wanted > state->rounds_ended ||
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
    begun = begun || state->former.file != NULL;
    sync->former = state->former;
    state->former.file = NULL;
    state->is_syncing = begun;
    return begun;
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
static void run_removal(struct um_store_sync *sync)
{
    struct um_durable *durable = sync->durable;
    struct um_journal *journal = &durable->journal;
    uint64_t heap = journal->header.heap;
    bool has_next = journal->next.file != NULL;
    bool is_on_disk = sync->names == UM_FILE_OK;
    enum um_file_status status;

    for (unsigned i = 0; i < sync->count; i++)
        is_on_disk = is_on_disk && sync->journals[i].status == UM_FILE_OK;
    if (!is_on_disk)
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
    for (unsigned i = 0; i < sync->count; i++)
        um_journal_sync_run(&sync->journals[i]);
    for (struct um_link *link = sync->heaps.next; link != &sync->heaps; link = link->next)
        um_durable_sync_run(sync->files, &UM_LIST_ITEM(link, struct um_durable, in_syncing)->sync);
    um_journal_former_remove(sync->files, &sync->former);
    sync->names = sync->syncs_names ? sync->files->ops->sync_names(sync->files) : UM_FILE_OK;
    if (sync->durable != NULL)
        run_removal(sync);
}

/* Only the bytes of a destroyed heap. */
static void end_bytes(struct um_store_sync *sync)
{
    struct um_durable *durable = sync->durable;

    if (um_journal_sync_end(&durable->journal, &sync->journals[0]))
        return;
    (void)um_durable_goes_on(durable);
    keep_failed(durable);
}

static void end_removal(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable = sync->durable;

    if (!um_journal_compact_end(&state->handles, &sync->journals[0], NULL))
        sync->journals[1].status = UM_FILE_FAILED;
    if (um_journal_sync_end(&durable->journal, &sync->journals[1])) {
        um_journal_close(&durable->journal);
        um_durable_close_bytes(durable);
        um_durable_free(durable);
        return;
    }
    (void)um_durable_goes_on(durable);
    keep_failed(durable);
}

void um_store_sync_end(struct um_store *store, struct um_store_sync *sync)
{
    struct um_state *state = store->state;

    state->is_syncing = false;
    /* Where the names are not on the disk, nothing that depends on them may go on. */
    for (unsigned i = 0; i < sync->count; i++) {
        if (sync->journals[i].status == UM_FILE_OK)
            sync->journals[i].status = sync->names;
    }
    switch (sync->kind) {
    case UM_SYNC_HEAPS:
        end_round(state, sync);
        break;
    case UM_SYNC_COMPACTION:
        um_state_end_compaction(state, sync);
        break;
    case UM_SYNC_HANDLES:
        (void)um_journal_compact_end(&state->handles, &sync->journals[0], NULL);
        break;
    case UM_SYNC_BYTES:
        end_bytes(sync);
        break;
    case UM_SYNC_REMOVAL:
        end_removal(state, sync);
        break;
    }
    um_state_undo(state);
}
