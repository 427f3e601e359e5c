/*
 * The end of heaps, owners and accounts, and reclaiming what they leave behind.
 *
 * What ends is stale at once. Its blocks leave the usage, its events are raised, its records and memory are freed piece by piece.
 *
 * Owns: the order of that. Must not know: why something ends.
 */
#ifndef UM_STORE_RECLAIM_H
#define UM_STORE_RECLAIM_H

#include "store/records/records.h"

/* Pieces that a call which uses up slots or memory reclaims before its own work, so that the backlog cannot
 * grow without end. */
enum { UM_RECLAIM_CALL_BUDGET = 4 };

/* How often calls that want memory or slots may reclaim in one turn, so that others are not held up: a call that finds nothing then
 * fails, and may be tried again. */
enum { UM_URGENT_PER_TURN = 16 };

/* Pieces of what heaps and owners leave behind that the calls which end them do themselves in one turn, so that the end of a few is
 * seen at once. */
enum { UM_ENDS_PER_TURN = 4096 };

/* ---- ending ---- */

/* Makes a heap and its blocks stale and takes them out of the usage; continues with its end as far as *budget
 * allows. um_store_raise_events() raises the events. */
void um_heap_kill(struct um_store *store, struct um_heap *heap, size_t *budget);

/* Continues the end of an owner in um_store.closing_owners, as far as *budget allows. */
void um_owner_end_step(struct um_store *store, struct um_owner *owner, size_t *budget);

/* Raises events about what has ended, as far as *budget allows. */
void um_store_raise_events(struct um_store *store, size_t *budget);

/* ---- reclaiming ---- */

/* Does up to `budget` pieces of what is left behind, see um_store_reclaim(). */
void um_reclaim_run(struct um_store *store, size_t budget);

/* Works out um_store_status.has_work anew, where lists of work may have become empty. */
void um_reclaim_update_status(struct um_store *store);

static inline bool um_reclaim_is_pending(const struct um_store *store)
{
    return !um_list_is_empty(&store->dead_accounts) || !um_list_is_empty(&store->accounts_with_events) ||
           !um_list_is_empty(&store->heaps_with_events) || !um_list_is_empty(&store->unlocked_heaps) ||
           !um_list_is_empty(&store->ending_heaps) || !um_list_is_empty(&store->closing_owners);
}

/* Whether something has ended that is still counted. */
static inline bool um_ends_are_pending(const struct um_store *store)
{
    return !um_list_is_empty(&store->ending_heaps) || !um_list_is_empty(&store->closing_owners);
}

/* Says in the facts of a failure that it may be over soon, where what has ended or was freed is still to be reclaimed. */
static inline void um_reclaim_explain(const struct um_store *store, struct um_fault *fault)
{
    if (fault != NULL && store->status.has_work)
        fault->what = "what was freed or has ended is still being reclaimed; try again";
}

/* Reclaims for a call that would fail else. Returns whether it is worth another try. */
bool um_reclaim_urgently(struct um_store *store);

/* Likewise for a call that would fail for want of memory: what is free is returned to the system, too, however lately it was freed. */
bool um_reclaim_memory_urgently(struct um_store *store);

/* Whether um_reclaim_memory_urgently() may find some. */
static inline bool um_reclaim_has_memory(const struct um_store *store)
{
    return store->status.has_work || um_purge_is_listed();
}

/* Reclaims a little, before a call that needs more memory or slots. */
static inline void um_reclaim_in_call(struct um_store *store)
{
    if (store->status.has_work && um_reclaim_is_pending(store))
        um_reclaim_run(store, UM_RECLAIM_CALL_BUDGET);
}

#endif
