/*
 * Where durable heaps are kept: as others see it.
 *
 * Owns: nothing. Must not know: journals, threads.
 *
 * Records of durable heaps are changed in memory, and written by um_store_commit(): what was answered after it outlives the process.
 * Syncs (state_sync.h) make that outlive the machine.
 */
#ifndef UM_STORE_STATE_H
#define UM_STORE_STATE_H

#include "store/journal/state_files.h"
#include "store/records/store_types.h"

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

/* Whether a directory could be opened: its place, its owner and its mode are right, and where no process has it, its journal of handles is.
 * It is made where it is not there. Fails as um_store_open_state() does; with UMEM_E_NAME_TAKEN, all is right but that a process has it, and
 * *holder is that one's number, or 0 where that is not known. */
int um_state_try(const char *path, int64_t *holder, char *why, size_t capacity);

/* Writes what was changed. To be called before answers go out while um_store_status.is_uncommitted. Where it could not be written,
 * um_store_status.failures grows, and answers that tell of changes of the heaps that um_store_heap_has_failed() must not go out. With
 * `is_always` it is written by the next sync: answers wait until um_store_is_synced(). */
void um_store_commit(struct um_store *store);

/* Whether a durable heap, which may be destroyed since, could not be written: then *fault says so. */
bool um_store_heap_has_failed(const struct um_store *store, um_handle heap, struct um_fault *fault);

#endif
