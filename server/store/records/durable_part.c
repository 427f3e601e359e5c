#include "store/records/durable_part.h"

#include "store/memory/heap_shared.h"
#include "store/records/unused.h"

void um_durable_mark_bytes(struct um_durable *durable)
{
    if (durable->is_marked || durable->heap == NULL)
        return;
    durable->is_marked =
        durable->state->files->ops->write(durable->bytes, durable->entry.length + UM_JOURNAL_HEADER_SIZE,
                                          UM_DURABLE_MARK, sizeof UM_DURABLE_MARK) == UM_FILE_OK;
}

void um_durable_sync_begin(struct um_durable *durable)
{
    struct um_durable_sync *part = &durable->sync;

    part->heap = durable->bytes_unsynced ? durable->heap : NULL;
    if (part->heap != NULL)
        part->heap->pins++; /* its memory stays, though it may be destroyed */
    part->bytes = durable->bytes;
    part->bytes_status = UM_FILE_OK;
    part->flushes = durable->flushes;
    part->changes = durable->state->is_always ? durable->change_count : 0; /* else commits end them */
    durable->bytes_unsynced = false;
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
}

void um_durable_sync_run(const struct um_files *files, struct um_durable_sync *part)
{
    if (part->heap != NULL)
        part->bytes_status =
            um_heap_shared_flush(part->heap->memory) ? files->ops->sync(part->bytes) : UM_FILE_FAILED;
    if (part->bytes_status != UM_FILE_OK)
        part->journal.status = part->bytes_status;
    um_journal_sync_run(&part->journal);
}

void um_durable_sync_end(struct um_durable *durable)
{
    struct um_durable_sync *part = &durable->sync;

    durable->flushed = part->flushes;
    if (part->bytes_status != UM_FILE_OK)
        durable->bytes_failed = durable->journal.state == UM_JOURNAL_OPEN;
    if (part->heap == NULL)
        return;
    part->heap->pins--;
    um_heap_free_if_unused(durable->state->store, part->heap);
}

void um_durable_end_synced(struct um_durable *durable)
{
    durable->is_new = false;
    um_durable_end_changes(durable, durable->sync.changes);
}

bool um_durable_wants_sync(const struct um_durable *durable)
{
    return durable->journal.state == UM_JOURNAL_OPEN &&
           (um_journal_wants_sync(&durable->journal) || durable->bytes_unsynced);
}

void um_durable_sync_now(struct um_durable *durable)
{
    struct um_journal_sync *journal = &durable->sync.journal;

    if (!um_durable_wants_sync(durable))
        return;
    um_durable_sync_begin(durable);
    um_journal_sync_begin(&durable->journal, journal, true);
    um_durable_sync_run(durable->state->files, &durable->sync);
    um_durable_sync_end(durable);
    (void)um_journal_sync_end(&durable->journal, journal);
    if (!um_durable_goes_on(durable))
        return;
    um_durable_end_synced(durable);
    um_durable_mark_bytes(durable);
}
