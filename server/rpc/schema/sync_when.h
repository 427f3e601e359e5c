/*
 * When changes of durable heaps are on the disk: the daemon's option --sync.
 *
 * Owns: the choices. Must not know: what is synced, and how.
 */
#ifndef UM_SYNC_WHEN_H
#define UM_SYNC_WHEN_H

enum um_sync_when {
    UM_SYNC_NEVER,  /* when the system likes */
    UM_SYNC_SECOND, /* records, within about a second */
    UM_SYNC_ALWAYS  /* before answers tell of them: records, and bytes that requests have written */
};

#endif
