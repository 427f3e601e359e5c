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

/* Memory that is returned in pieces: a heap's, or one kind of memory of all heaps. Its owner embeds it, {.run = ..., .tick = ...}. */
struct um_purge_source {
    /* Returns a piece. The result says whether there is more. It may not change whether other sources are pending. */
    bool (*run)(struct um_purge_source *source);

    /* Once a period while the source is listed: has as many bytes returned as have been free all the period long, with
     * um_purge_set_pending(), and unlists the source once nothing is left that could be. It may change no other source. NULL: the
     * source is never listed. */
    void (*tick)(struct um_purge_source *source);

    struct um_link in_pending; /* place in the list of those with memory to return; all zero: never there */
    struct um_link in_listed;  /* place in the list of those with free memory; all zero: never there */
};

/* A flag that is set when a source has something to return and no source had before. The owner of the flag clears it. */
struct um_purge_watcher {
    struct um_link in_watchers;
    bool *flag;
};

/* Says whether a source has free memory that may be returned if it stays free. Its tick() is called once a period as long as it
 * has. To be called where that changes, not for each block. */
void um_purge_set_listed(struct um_purge_source *source, bool listed);

/* Whether any source is listed: then um_purge_tick() is to be called in a period from now. */
bool um_purge_is_listed(void);

/* A period has passed. */
void um_purge_tick(void);

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
