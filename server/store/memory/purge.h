/*
 * Purging: free memory is returned to the system in pieces that take about a millisecond, because returning a gigabyte at once
 * takes some 100 ms.
 *
 * Owns: the list of sources that have memory to return. Must not know: where the memory is, blocks, heaps.
 *
 * The list belongs to the process, because there is one address space. One thread uses it.
 */
#ifndef UM_STORE_PURGE_H
#define UM_STORE_PURGE_H

#include <stdbool.h>

#include "base/list.h"

/* One kind of memory that is returned in pieces. A source is static: {.run = ...}. */
struct um_purge_source {
    /* Returns a piece. The result says whether there is more. It may not change whether other sources are pending. */
    bool (*run)(void);
    struct um_link in_pending; /* place in the list of those with memory to return; all zero: never listed */
};

/* A flag that is set when a source has something to return and no source had before. The owner of the flag clears it. */
struct um_purge_watcher {
    struct um_link in_watchers;
    bool *flag;
};

/* Says whether a source has memory to return. Its run() is called by um_purge_run() as long as it has. */
void um_purge_set_pending(struct um_purge_source *source, bool pending);

/* Whether any source has memory to return. */
bool um_purge_is_pending(void);

/* Returns a piece of each source, so that none waits for another. */
void um_purge_run(void);

/* Sets *flag from now on as um_purge_watcher says. The flag must stay where it is until um_purge_unwatch(). */
void um_purge_watch(struct um_purge_watcher *watcher, bool *flag);
void um_purge_unwatch(struct um_purge_watcher *watcher);

#endif
