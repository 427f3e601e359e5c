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

#include "store/journal/journal.h"
#include "store/records/store_types.h"

struct um_state;
struct um_durable;

struct um_state_options {
    const char *path; /* of the directory */
    struct um_files *
        files; /* its files; they outlive the store. NULL: those of the directory at the path, which is locked */
    uint64_t seed; /* random bits */
    void *context; /* handed to `report` */
    /* A heap that is there but cannot be used: a sentence with the file and what to do. NULL: nobody wants to know. */
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

/* Writes what was changed. To be called before answers go out while um_store_status.is_uncommitted. False: it could not be written, and
 * answers that tell of it must not go out. */
bool um_store_commit(struct um_store *store);

/* When the next sync is due. */
enum um_sync_urgency {
    UM_SYNC_NOT_DUE, /* all is on the disk, or one is at work */
    UM_SYNC_LATER,   /* as soon as records are to be on the disk */
    UM_SYNC_NOW      /* something waits for it */
};
enum um_sync_urgency um_store_sync_urgency(const struct um_store *store);

/* ---- syncs ---- */

enum um_sync_kind {
    UM_SYNC_RECORDS,    /* of a heap */
    UM_SYNC_COMPACTION, /* the end of one */
    UM_SYNC_HANDLES,    /* what is left of one that was given up */
    UM_SYNC_REMOVAL     /* before a destroyed heap's files are removed */
};

struct um_store_sync {
    enum um_sync_kind kind;
    struct um_journal_sync journals[2];
    unsigned count;             /* of `journals` */
    struct um_durable *durable; /* whose; NULL: of none */
    struct um_files *files;
    enum um_file_status names;
};

/* Begins the next sync, if something is not on the disk and none is at work. um_store_sync_run() it, on any thread, and
 * um_store_sync_end() it before the store is freed; then there may be a next one. */
bool um_store_sync_begin(struct um_store *store, struct um_store_sync *sync);
void um_store_sync_run(struct um_store_sync *sync);
void um_store_sync_end(struct um_store *store, struct um_store_sync *sync);

#endif
