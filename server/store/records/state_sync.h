/*
 * Syncs: how what was committed comes to outlive the machine. One is begun, run on any thread, and ended.
 *
 * Owns: nothing. Must not know: threads, when syncs are due.
 */
#ifndef UM_STORE_STATE_SYNC_H
#define UM_STORE_STATE_SYNC_H

#include "base/list.h"
#include "store/journal/journal.h"
#include "store/records/store_types.h"

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
    UM_SYNC_BYTES, /* of a destroyed heap, whose bytes are removed then, to make space for the rest of that */
    UM_SYNC_REMOVAL /* of destroyed heaps, whose files are removed then */
};

/* Files that were replaced, and are removed by the next sync. */
enum um_former { UM_FORMER_RECORDS, UM_FORMER_HANDLES, UM_FORMERS };

struct um_store_sync {
    enum um_sync_kind kind;
    struct um_files *files;
    struct um_journal_former formers[UM_FORMERS];
    bool syncs_names;
    enum um_file_status names;
    bool has_handles;
    struct um_journal_sync handles; /* of the journal of handles, where `has_handles` */
    struct um_link heaps;           /* list of um_durable.in_syncing: whose it is */
};

/* Begins the next sync, if something is not on the disk and none is at work. um_store_sync_run() it, on any thread, and
 * um_store_sync_end() it before the store is freed; then there may be a next one. */
bool um_store_sync_begin(struct um_store *store, struct um_store_sync *sync);
void um_store_sync_run(struct um_store_sync *sync);
void um_store_sync_end(struct um_store *store, struct um_store_sync *sync);

/* Does all of them that there are: before the first client is served, or after the last one was. None may be at work. */
void um_store_sync_all(struct um_store *store);

#endif
