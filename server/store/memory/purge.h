/*
 * Purging: free memory is returned to the system in pieces that take about a millisecond, because returning a gigabyte at once
 * takes some 100 ms; and only when it has been free for a while, because memory that is returned has to be cleared by the system
 * before it is used again.
 *
 * Owns: the lists of sources that have free memory, or memory to return. Must not know: where the memory is, blocks, heaps, clocks.
 *
 * Decay: a source is listed while it has free memory that takes up pages of the system's. Once a period it says how many bytes
 * have been free for all of the period: these are returned, piece by piece. So a client that allocates and frees in a loop pays
 * nothing, and memory that nobody uses has been returned after two periods.
 *
 * The lists belong to the process, because there is one address space. One thread uses them.
 */
#ifndef UM_STORE_PURGE_H
#define UM_STORE_PURGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum {
    UM_PURGE_PERIOD_MS = 250, /* from one um_purge_tick() to the next: free memory is gone within a second */
    UM_PURGE_PIECE = 4 * 1024 * 1024 /* bytes that take about a millisecond to return */
};

/* Memory that is returned in pieces: a heap's, or one kind of memory of all heaps. Its owner embeds it, {.run = ..., .tick = ...}. */
struct um_purge_source {
    /* Returns a piece, and says with um_purge_charge() how much it was. The result says whether there is more. It may not change
     * whether other sources are pending. */
    bool (*run)(struct um_purge_source *source);

    /* Once a period while the source is listed: has as many bytes returned as have been free all the period long, with
     * um_purge_set_pending(), and unlists the source once nothing is left that could be. It may change no other source. NULL: the
     * source is never listed. */
    void (*tick)(struct um_purge_source *source);

    struct um_link in_pending; /* place in the list of those with memory to return; all zero: never there */
    struct um_link in_listed;  /* place in the list of those with free memory; all zero: never there */
};

/* A flag that is set when there is something to do for um_purge_run() and was not before. The owner of the flag clears it. */
struct um_purge_watcher {
    struct um_link in_watchers;
    bool *flag;
};

/* Says whether a source has free memory that may be returned if it stays free. Its tick() is called once a period as long as it
 * has. To be called where that changes, not for each block. */
void um_purge_set_listed(struct um_purge_source *source, bool listed);

/* Whether any source is listed: then um_purge_tick() is to be called in a period from now. */
bool um_purge_is_listed(void);

/* A period has passed. The sources are asked by this call and, where they are many, by um_purge_run(). */
void um_purge_tick(void);

/* The system is short of memory: free memory of some sources that are listed is to be returned by the next um_purge_run(), however
 * lately it was freed. */
void um_purge_expedite(void);

/* Says whether a source has memory to return. Its run() is called by um_purge_run() as long as it has. */
void um_purge_set_pending(struct um_purge_source *source, bool pending);

/* Whether um_purge_run() has something to do. */
bool um_purge_is_pending(void);

/* For run(): how many bytes the piece was, where it was less than UM_PURGE_PIECE; a call of the system's counts as some. What is not
 * charged counts as a whole piece. */
void um_purge_charge(uint64_t bytes);

/* Returns a piece of about UM_PURGE_PIECE bytes, of one source or of several. They take turns, so that none waits for the end of
 * another. */
void um_purge_run(void);

/* Sets *flag from now on as um_purge_watcher says. The flag must stay where it is until um_purge_unwatch(). */
void um_purge_watch(struct um_purge_watcher *watcher, bool *flag);
void um_purge_unwatch(struct um_purge_watcher *watcher);

#endif
