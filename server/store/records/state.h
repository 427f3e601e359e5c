/*
 * Where durable heaps are kept: as others see it.
 *
 * Owns: nothing. Must not know: journals, threads.
 *
 * Records of durable heaps are changed in memory, and written by um_store_commit(): what was answered after it outlives the process.
 * Syncs make that outlive the machine: one is begun, run on any thread, and ended.
 */
#ifndef UM_STORE_STATE_H
#define UM_STORE_STATE_H

#include "base/list.h"
#include "store/journal/journal.h"
#include "store/records/store_types.h"

struct um_state;
struct um_durable;

struct um_state_options {
    const char *path; /* of the directory */
    struct um_files *
        files; /* its files; they outlive the store. NULL: those of the directory at the path, which is locked */
    bool
        is_always; /* changes are on the disk before answers tell of them: with bytes, and by the caller's syncs */
    uint64_t seed; /* random bits */
    void *context; /* handed to `report` */
    /* A heap that is there but cannot be used, or not be written any more: a sentence with the file and what to do. NULL: nobody wants to
     * know. */
    void (*report)(void *context, const char *text);
};

/* Restores the heaps that are kept in a directory, and keeps durable heaps there from then on. Once, before there are owners. A heap whose
 * files are damaged is listed, and cannot be used; its files are left alone. UMEM_E_NAME_TAKEN where another process has the directory; else it fails with a sentence in `why` where the directory cannot be
 * read, the journal of handles is damaged, or memory runs out; then the store can only be freed. */
int um_store_open_state(struct um_store *store, const struct um_state_options *options, char *why,
                        size_t capacity);

/* Looks at a directory as um_store_open_state() does, and changes nothing. Reports each heap that cannot be used, and counts those
 * that can. Fails likewise. */
int um_state_examine(const struct um_state_options *options, size_t *heaps, char *why, size_t capacity);

/* Whether a directory could be opened, if the process that may have it now had ended: its place, its owner and its mode are right. It is made
 * where it is not there. Fails as um_store_open_state() does, but not with UMEM_E_NAME_TAKEN. */
int um_state_try(const char *path, char *why, size_t capacity);

/* Writes what was changed. To be called before answers go out while um_store_status.is_uncommitted. Where it could not be written,
 * um_store_status.failures grows, and answers that tell of changes of the heaps that um_store_heap_has_failed() must not go out. With
 * `is_always` it is written by the next sync: answers wait until um_store_is_synced(). */
void um_store_commit(struct um_store *store);

/* Whether a durable heap, which may be destroyed since, could not be written: then *fault says so. */
bool um_store_heap_has_failed(const struct um_store *store, um_handle heap, struct um_fault *fault);

/* Wants a sync of all that was changed so far. Returns the number to ask for with um_store_is_synced(). */
uint64_t um_store_want_sync(struct um_store *store);

/* Whether that sync has ended: what was changed is on the disk, or its heap has failed. */
bool um_store_is_synced(const struct um_store *store, uint64_t number);

/* When the next sync is due. */
enum um_sync_urgency {
    UM_SYNC_NOT_DUE, /* all is on the disk, or one is at work */
    UM_SYNC_LATER,   /* as soon as records are to be on the disk */
    UM_SYNC_NOW      /* something waits for it */
};
enum um_sync_urgency um_store_sync_urgency(const struct um_store *store);

/* ---- flushing ---- */

/* Wants all on the disk that was written to a durable heap so far: the next sync that is due does that. *ticket is for um_heap_check_flush().
 * UMEM_E_UNSUPPORTED where the heap is not durable, UMEM_E_CORRUPTED where it cannot be written. */
int um_heap_flush(struct um_heap *heap, uint64_t *ticket, struct um_fault *fault);

/* Whether it is there, to be asked whenever a sync has ended or um_store_sync_begin() has begun none: *done, or why it failed.
 * UMEM_E_CORRUPTED: the heap can only be read from now on. */
int um_heap_check_flush(struct um_heap *heap, uint64_t ticket, bool *done, struct um_fault *fault);

/* ---- syncs ---- */

enum um_sync_kind {
    UM_SYNC_HEAPS, /* of all heaps of which something is not on the disk: bytes, where wanted, then records */
    UM_SYNC_COMPACTION, /* the end of one */
    UM_SYNC_HANDLES,    /* what is left of one that was given up */
    UM_SYNC_REMOVAL     /* before a destroyed heap's files are removed */
};

struct um_store_sync {
    enum um_sync_kind kind;
    struct um_files *files;
    struct um_journal_former former; /* is removed, too */
    bool syncs_names;
    enum um_file_status names;
    struct um_link heaps; /* UM_SYNC_HEAPS, UM_SYNC_COMPACTION: list of um_durable.in_syncing */
    /* Others: that of handles, and the heap's */
    struct um_journal_sync journals[2];
    unsigned count;             /* of `journals` */
    struct um_durable *durable; /* whose; NULL: of none */
};

/* Begins the next sync, if something is not on the disk and none is at work. um_store_sync_run() it, on any thread, and
 * um_store_sync_end() it before the store is freed; then there may be a next one. */
bool um_store_sync_begin(struct um_store *store, struct um_store_sync *sync);
void um_store_sync_run(struct um_store_sync *sync);
void um_store_sync_end(struct um_store *store, struct um_store_sync *sync);

#endif
