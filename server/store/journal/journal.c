#include "store/journal/journal.h"

#include <assert.h>
#include <string.h>

enum {
    GARBAGE_MINIMUM = 1024 * 1024,    /* bytes that compaction is worth the work for, once in a sync */
    GARBAGE_LIMIT = 32 * 1024 * 1024, /* likewise at any time */
    RESERVED_LIMIT = 1024 * 1024,     /* bytes by which a file is extended at most */
    ZEROED_AT_ONCE = 65536            /* bytes */
};

/* ---- one file ---- */

static void log_init(struct um_journal_log *log)
{
    *log = (struct um_journal_log){.file = NULL};
    um_buf_init(&log->batch, UM_JOURNAL_BATCH_LIMIT);
    um_buf_init(&log->full, SIZE_MAX);
}

static void log_close(struct um_journal *journal, struct um_journal_log *log)
{
    if (log->file != NULL)
        journal->files->ops->close(log->file);
    um_buf_deinit(&log->batch);
    um_buf_deinit(&log->full);
    log_init(log);
}

/* Makes a file with a header; removes it again where that fails. */
static enum um_file_status log_create(struct um_journal *journal, struct um_journal_log *log, uint32_t number,
                                      uint64_t key)
{
    const struct um_files_ops *ops = journal->files->ops;
    struct um_journal_header header = journal->header;
    unsigned char bytes[UM_JOURNAL_HEADER_SIZE];
    char name[UM_JOURNAL_NAME_CAPACITY];
    enum um_file_status status;

    log_init(log);
    um_journal_name(name, header.heap, number);
    status = ops->create(journal->files, name, &log->file);
    if (status == UM_FILE_EXISTS && ops->remove(journal->files, name) == UM_FILE_OK)
        status = ops->create(journal->files, name, &log->file); /* one that was not completed */
    if (status != UM_FILE_OK)
        return status;
    header.key = key;
    um_journal_put_header(bytes, &header);
    status = ops->reserve(log->file, UM_JOURNAL_RESERVED);
    if (status == UM_FILE_OK)
        status = ops->write(log->file, 0, bytes, sizeof bytes);
    if (status != UM_FILE_OK) {
        log_close(journal, log);
        (void)ops->remove(journal->files, name);
        return status;
    }
    log->number = number;
    log->key = key;
    log->end = sizeof bytes;
    log->reserved = UM_JOURNAL_RESERVED;
    return UM_FILE_OK;
}

/* Removes a file that is not used any more, or never was. */
static void log_discard(struct um_journal *journal, struct um_journal_log *log)
{
    uint32_t number = log->number;

    log_close(journal, log);
    (void)um_journal_remove(journal->files, journal->header.heap, number);
}

/* Completes the batch: it is as it is to be written at the log's end. */
static enum um_file_status log_seal(struct um_journal_log *log)
{
    const struct um_journal_batch batch = {log->batches + 1, log->synced_end, log->synced_size};
    static const unsigned char tail[UM_JOURNAL_BATCH_TAIL];

    if (!um_buf_append(&log->batch, tail, sizeof tail))
        return UM_FILE_NO_MEMORY;
    um_journal_seal_batch((unsigned char *)log->batch.data, log->batch.size, &batch, log->key);
    return UM_FILE_OK;
}

/* Has a full batch wait for a sync, behind those that do already. UM_FILE_NO_MEMORY: it stays as it is. */
static enum um_file_status log_hold(struct um_journal_log *log)
{
    if (um_buf_reserve(&log->full, log->batch.size + UM_JOURNAL_BATCH_TAIL) == NULL ||
        log_seal(log) != UM_FILE_OK) {
        um_buf_truncate(&log->full, log->full.size); /* forgets the failure */
        return UM_FILE_NO_MEMORY;
    }
    um_buf_append(&log->full, log->batch.data, log->batch.size);
    log->end += log->batch.size;
    log->batches++;
    um_buf_truncate(&log->batch, 0);
    return UM_FILE_OK;
}

/* Writes the batches. */
static enum um_file_status log_commit(struct um_journal *journal, struct um_journal_log *log)
{
    enum um_file_status status = UM_FILE_OK;

    if (log->full.size != 0)
        status =
            journal->files->ops->write(log->file, log->end - log->full.size, log->full.data, log->full.size);
    if (status != UM_FILE_OK)
        return status;
    um_buf_truncate(&log->full, 0);
    if (log->batch.size == 0)
        return UM_FILE_OK;
    status = log_seal(log);
    if (status != UM_FILE_OK)
        return status;
    status = journal->files->ops->write(log->file, log->end, log->batch.data, log->batch.size);
    if (status == UM_FILE_OK) {
        log->end += log->batch.size;
        log->batches++;
    }
    um_buf_truncate(&log->batch, 0);
    return status;
}

/* Makes the file larger: by a part of what it has, so that this is rare; where the disk has no space for that, by little. */
static enum um_file_status log_extend(struct um_journal *journal, struct um_journal_log *log, uint64_t needed)
{
    const struct um_files_ops *ops = journal->files->ops;
    uint64_t step = UM_JOURNAL_RESERVED;
    enum um_file_status status;
    uint64_t wanted;

    while (step < RESERVED_LIMIT && step < needed / 4)
        step *= 2;
    wanted = (needed / step + 1) * step;
    status = ops->reserve(log->file, wanted);
    if (status == UM_FILE_NO_SPACE && step > UM_JOURNAL_RESERVED) {
        wanted = (needed / UM_JOURNAL_RESERVED + 1) * UM_JOURNAL_RESERVED;
        status = ops->reserve(log->file, wanted);
    }
    if (status == UM_FILE_OK)
        log->reserved = wanted;
    return status;
}

/* Makes space for an entry in the file, behind what is to be written already, and in memory. */
static enum um_file_status log_reserve(struct um_journal *journal, struct um_journal_log *log, size_t size,
                                       size_t slack)
{
    size_t whole = UM_JOURNAL_BATCH_HEAD + size + UM_JOURNAL_BATCH_TAIL;
    uint64_t needed;

    if (um_buf_reserve(&log->batch, whole + UM_JOURNAL_ENTRY_LIMIT) == NULL) {
        um_buf_truncate(&log->batch, log->batch.size); /* forgets the failure */
        return UM_FILE_NO_MEMORY;
    }
    needed = log->end + log->batch.size + whole + slack;
    return needed > log->reserved ? log_extend(journal, log, needed) : UM_FILE_OK;
}

/* Adds an entry to the batch. There is memory for one more than was reserved, so that it need not be asked how large it is. */
static enum um_file_status log_add(struct um_journal_log *log, const struct um_journal_entry *entry)
{
    static const unsigned char head[UM_JOURNAL_BATCH_HEAD];
    char *place;

    if (log->batch.size == 0 && !um_buf_append(&log->batch, head, sizeof head))
        return UM_FILE_NO_MEMORY;
    place = um_buf_reserve(&log->batch, UM_JOURNAL_ENTRY_LIMIT + UM_JOURNAL_BATCH_TAIL);
    if (place == NULL)
        return UM_FILE_NO_MEMORY;
    log->batch.size += um_journal_put_entry((unsigned char *)place, entry);
    return UM_FILE_OK;
}

/* ---- beginning and end ---- */

static void fail(struct um_journal *journal, enum um_file_status status)
{
    if (journal->state == UM_JOURNAL_FAILED)
        return;
    journal->state = UM_JOURNAL_FAILED;
    journal->failure = status;
    um_buf_truncate(&journal->current.batch, 0);
    um_buf_truncate(&journal->current.full, 0);
    um_journal_compact_cancel(journal);
}

static void journal_init(struct um_journal *journal, struct um_files *files,
                         const struct um_journal_header *header)
{
    *journal = (struct um_journal){.files = files, .header = *header, .state = UM_JOURNAL_OPEN};
    log_init(&journal->current);
    log_init(&journal->next);
}

enum um_file_status um_journal_create(struct um_journal *journal, struct um_files *files,
                                      const struct um_journal_header *header,
                                      const struct um_journal_entry *heap)
{
    const struct um_journal_entry complete = {.type = UM_JOURNAL_COMPLETE};
    struct um_journal made;
    enum um_file_status status;

    journal_init(&made, files, header);
    status = log_create(&made, &made.current, 1, header->key);
    if (status != UM_FILE_OK)
        return status;
    status = heap != NULL ? log_add(&made.current, heap) : UM_FILE_OK;
    if (status == UM_FILE_OK)
        status = log_add(&made.current, &complete);
    if (status == UM_FILE_OK)
        status = log_commit(&made, &made.current);
    if (status != UM_FILE_OK) {
        log_discard(&made, &made.current);
        return status;
    }
    made.compacted_size = made.current.end;
    *journal = made;
    return UM_FILE_OK;
}

/* Makes what lies behind the last batch zero, and has that on the disk before anything is written there: else remains of a torn
 * batch might look like one that follows a new one. */
static enum um_file_status clear_rest(struct um_files *files, struct um_file *file, uint64_t at,
                                      uint64_t size)
{
    static const unsigned char zeros[ZEROED_AT_ONCE];
    unsigned char bytes[4096];
    enum um_file_status status = UM_FILE_OK;
    uint64_t looked_at = at;
    bool is_zero = true;

    while (status == UM_FILE_OK && is_zero && looked_at < size) {
        size_t piece = size - looked_at < sizeof bytes ? (size_t)(size - looked_at) : sizeof bytes;

        status = files->ops->read(file, looked_at, bytes, piece);
        is_zero = memcmp(bytes, zeros, piece) == 0;
        looked_at += piece;
    }
    if (is_zero || status != UM_FILE_OK)
        return status;
    while (status == UM_FILE_OK && at < size) {
        size_t piece = size - at < sizeof zeros ? (size_t)(size - at) : sizeof zeros;

        status = files->ops->write(file, at, zeros, piece);
        at += piece;
    }
    return status == UM_FILE_OK ? files->ops->sync(file) : status;
}

enum um_file_status um_journal_continue(struct um_journal *journal, struct um_files *files, uint32_t number,
                                        struct um_file *file, const struct um_journal_summary *summary,
                                        uint64_t needed_size)
{
    struct um_journal made;
    uint64_t size;
    enum um_file_status status = files->ops->get_size(file, &size);

    if (status == UM_FILE_OK)
        status = clear_rest(files, file, summary->end, size);
    if (status != UM_FILE_OK)
        return status;
    journal_init(&made, files, &summary->header);
    made.current.file = file;
    made.current.number = number;
    made.current.key = summary->header.key;
    made.current.end = summary->end;
    made.current.batches = summary->batches;
    made.current.reserved = size;
    made.compacted_size = needed_size < summary->end ? needed_size : summary->end;
    *journal = made;
    return UM_FILE_OK;
}

void um_journal_set_place(struct um_journal *journal, uint64_t place)
{
    struct um_journal_header header = journal->header;
    unsigned char bytes[UM_JOURNAL_HEADER_SIZE];

    journal->header.place = place;
    header.place = place;
    header.key = journal->current.key;
    um_journal_put_header(bytes, &header);
    (void)journal->files->ops->write(journal->current.file, 0, bytes, sizeof bytes);
}

void um_journal_close(struct um_journal *journal)
{
    assert(!journal->is_syncing);
    um_journal_compact_cancel(journal);
    log_close(journal, &journal->next);
    log_close(journal, &journal->current);
}

enum um_file_status um_journal_remove(struct um_files *files, uint64_t heap, uint32_t number)
{
    char name[UM_JOURNAL_NAME_CAPACITY];

    um_journal_name(name, heap, number);
    return files->ops->remove(files, name);
}

/* ---- entries ---- */

/* Whether the batch would be too large, or leave no memory for log_add(). */
static bool is_full(const struct um_journal_log *log, size_t size)
{
    return log->batch.size + size > UM_JOURNAL_BATCH_LIMIT - UM_JOURNAL_BATCH_HEAD - UM_JOURNAL_ENTRY_LIMIT -
                                        UM_JOURNAL_BATCH_TAIL - 1;
}

enum um_file_status um_journal_reserve(struct um_journal *journal, size_t size, bool is_freeing)
{
    enum um_file_status status = UM_FILE_OK;

    if (is_full(&journal->current, size)) {
        if (journal->holds)
            status = log_hold(&journal->current);
        else
            (void)um_journal_commit(journal);
    }
    if (is_full(&journal->next, size)) {
        /* Before it is complete, it does not count. */
        if (journal->holds && journal->compaction == UM_JOURNAL_COMPLETING && status == UM_FILE_OK)
            status = log_hold(&journal->next);
        else
            um_journal_commit_next(journal);
    }
    if (journal->state == UM_JOURNAL_FAILED)
        return journal->failure;
    if (status != UM_FILE_OK)
        return status;
    status = log_reserve(journal, &journal->current, size, is_freeing ? 0 : UM_JOURNAL_SLACK);
    if (status != UM_FILE_OK || journal->compaction == UM_JOURNAL_NOT_COMPACTING)
        return status;
    status = log_reserve(journal, &journal->next, size, 0);
    if (status == UM_FILE_OK || journal->compaction == UM_JOURNAL_COMPLETING)
        return status;
    um_journal_compact_cancel(journal);
    return UM_FILE_OK;
}

/* The new file has failed. Where it counts already, the journal has. */
static void fail_next(struct um_journal *journal, enum um_file_status status)
{
    if (journal->compaction == UM_JOURNAL_COMPLETING)
        fail(journal, status);
    else
        um_journal_compact_cancel(journal);
}

void um_journal_add_to_next(struct um_journal *journal, const struct um_journal_entry *entry)
{
    enum um_file_status status;

    if (journal->state == UM_JOURNAL_FAILED || journal->compaction == UM_JOURNAL_NOT_COMPACTING)
        return;
    status = log_add(&journal->next, entry);
    if (status != UM_FILE_OK)
        fail_next(journal, status);
}

void um_journal_add(struct um_journal *journal, const struct um_journal_entry *entry, bool to_next)
{
    enum um_file_status status;

    if (journal->state == UM_JOURNAL_FAILED)
        return;
    status = log_add(&journal->current, entry);
    if (status != UM_FILE_OK)
        fail(journal, status);
    else if (to_next)
        um_journal_add_to_next(journal, entry);
}

void um_journal_commit_next(struct um_journal *journal)
{
    enum um_file_status status = UM_FILE_OK;

    if (journal->state == UM_JOURNAL_OPEN && journal->compaction != UM_JOURNAL_NOT_COMPACTING)
        status = log_commit(journal, &journal->next);
    if (status != UM_FILE_OK)
        fail_next(journal, status);
}

bool um_journal_commit(struct um_journal *journal)
{
    enum um_file_status status;

    if (journal->state == UM_JOURNAL_FAILED)
        return false;
    status = log_commit(journal, &journal->current);
    if (status != UM_FILE_OK) {
        fail(journal, status);
        return false;
    }
    um_journal_commit_next(journal);
    return journal->state == UM_JOURNAL_OPEN;
}

/* ---- the disk ---- */

bool um_journal_wants_sync(const struct um_journal *journal)
{
    return journal->state == UM_JOURNAL_OPEN && !journal->is_syncing &&
           (journal->current.synced_end != journal->current.end || um_journal_is_uncommitted(journal));
}

/* What is to be written goes with the sync, and counts as written. */
static void take_batch(struct um_journal_log *log, struct um_journal_sync *sync)
{
    sync->at = log->end - log->full.size;
    if (log->full.size != 0 && log->batch.size != 0)
        sync->status = log_hold(log);
    else if (log->batch.size != 0)
        sync->status = log_seal(log);
    if (sync->status != UM_FILE_OK)
        return;
    um_buf_swap(&sync->batch, log->full.size != 0 ? &log->full : &log->batch);
    if (sync->at == log->end && sync->batch.size != 0) {
        log->end += sync->batch.size;
        log->batches++;
    }
}

static void sync_begin(struct um_journal *journal, struct um_journal_log *log, struct um_journal_sync *sync,
                       bool takes_batch)
{
    assert(!journal->is_syncing);
    journal->is_syncing = true;
    *sync = (struct um_journal_sync){
        .file = log->file, .ops = journal->files->ops, .at = log->end, .size = log->reserved};
    um_buf_init(&sync->batch, UM_JOURNAL_BATCH_LIMIT);
    if (takes_batch)
        take_batch(log, sync);
    sync->end = log->end;
    sync->is_synced = log->end == log->synced_end;
}

/* Notes what is on the disk now. */
static void note_synced(struct um_journal_log *log, const struct um_journal_sync *sync)
{
    log->synced_end = sync->end;
    log->synced_size = sync->size;
}

void um_journal_sync_begin(struct um_journal *journal, struct um_journal_sync *sync, bool takes_batch)
{
    if (takes_batch)
        um_journal_commit_next(journal); /* it does not count yet */
    sync_begin(journal, &journal->current, sync, takes_batch);
}

void um_journal_sync_run(struct um_journal_sync *sync)
{
    if (sync->status == UM_FILE_OK && sync->batch.size != 0)
        sync->status = sync->ops->write(sync->file, sync->at, sync->batch.data, sync->batch.size);
    if (sync->status == UM_FILE_OK && !sync->is_synced)
        sync->status = sync->ops->sync(sync->file);
}

bool um_journal_sync_end(struct um_journal *journal, struct um_journal_sync *sync)
{
    um_buf_deinit(&sync->batch);
    journal->is_syncing = false;
    if (sync->status != UM_FILE_OK) {
        fail(journal, sync->status);
        return false;
    }
    note_synced(&journal->current, sync);
    return journal->state == UM_JOURNAL_OPEN;
}

/* ---- writing it anew ---- */

/* Under load a journal of few blocks grows by a megabyte many times a second: where nothing of it was synced since it was begun, that
 * waits. */
bool um_journal_wants_compaction(const struct um_journal *journal)
{
    uint64_t grown = journal->current.end - journal->compacted_size;

    if (journal->state != UM_JOURNAL_OPEN || journal->compaction != UM_JOURNAL_NOT_COMPACTING ||
        grown <= GARBAGE_MINIMUM || grown <= journal->compacted_size)
        return false;
    return grown > GARBAGE_LIMIT || journal->current.synced_end > journal->compacted_size;
}

enum um_file_status um_journal_compact_begin(struct um_journal *journal, uint64_t key)
{
    enum um_file_status status;

    assert(journal->compaction == UM_JOURNAL_NOT_COMPACTING);
    status = log_create(journal, &journal->next, journal->current.number + 1, key);
    if (status == UM_FILE_OK)
        journal->compaction = UM_JOURNAL_COMPACTING;
    /* Where it fails it is tried again when the journal has grown as much once more. */
    journal->compacted_size = journal->current.end;
    return status;
}

enum um_file_status um_journal_compact_add(struct um_journal *journal, const struct um_journal_entry *entry)
{
    size_t size = um_journal_entry_size(entry);
    enum um_file_status status = UM_FILE_OK;

    if (is_full(&journal->next, size))
        status = log_commit(journal, &journal->next);
    if (status == UM_FILE_OK)
        status = log_reserve(journal, &journal->next, size, 0);
    if (status == UM_FILE_OK)
        status = log_add(&journal->next, entry);
    if (status != UM_FILE_OK)
        um_journal_compact_cancel(journal);
    return status;
}

enum um_file_status um_journal_compact_complete(struct um_journal *journal, struct um_journal_sync *sync,
                                                bool takes_batch)
{
    const struct um_journal_entry complete = {.type = UM_JOURNAL_COMPLETE};
    enum um_file_status status = um_journal_compact_add(journal, &complete);

    if (status != UM_FILE_OK)
        return status;
    /* Even a write that fails may have reached the file, which counts from here on. */
    journal->compaction = UM_JOURNAL_COMPLETING;
    if (!takes_batch)
        status = log_commit(journal, &journal->next);
    if (status != UM_FILE_OK)
        fail(journal, status);
    else
        sync_begin(journal, &journal->next, sync, takes_batch);
    return status;
}

bool um_journal_compact_end(struct um_journal *journal, struct um_journal_sync *sync,
                            struct um_journal_former *kept)
{
    struct um_journal_log former;

    um_buf_deinit(&sync->batch);
    journal->is_syncing = false;
    if (sync->status != UM_FILE_OK)
        fail(journal, sync->status);
    if (journal->state == UM_JOURNAL_FAILED)
        return false;
    former = journal->current;
    journal->current = journal->next;
    log_init(&journal->next);
    journal->compaction = UM_JOURNAL_NOT_COMPACTING;
    note_synced(&journal->current, sync);
    journal->compacted_size = journal->current.end;
    if (kept == NULL) {
        log_discard(journal, &former);
        return true;
    }
    kept->file = former.file;
    um_journal_name(kept->name, journal->header.heap, former.number);
    former.file = NULL;
    log_close(journal, &former);
    return true;
}

void um_journal_former_remove(struct um_files *files, struct um_journal_former *former)
{
    if (former->file == NULL)
        return;
    files->ops->close(former->file);
    (void)files->ops->remove(files, former->name);
    former->file = NULL;
}

void um_journal_compact_cancel(struct um_journal *journal)
{
    if (journal->compaction != UM_JOURNAL_COMPACTING)
        return;
    journal->compaction = UM_JOURNAL_NOT_COMPACTING;
    log_discard(journal, &journal->next);
}
