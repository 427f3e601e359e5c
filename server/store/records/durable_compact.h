/*
 * Journals that have grown are written anew, piece by piece, one at a time.
 *
 * Owns: um_state.compacting, and the last sync of it. Must not know: threads.
 */
#ifndef UM_STORE_DURABLE_COMPACT_H
#define UM_STORE_DURABLE_COMPACT_H

#include "store/records/durable.h"

/* Does a piece of it, when all that was changed is committed: um_state_has_work(). */
void um_state_work(struct um_state *state);

/* Begins the last sync, of both journals or neither. False: there is nothing to sync. */
bool um_state_begin_last_sync(struct um_state *state, struct um_store_sync *sync);

/* Ends it. Without the handles on the disk, the journal that tells of them must stay. */
void um_state_end_compaction(struct um_state *state, struct um_store_sync *sync);

#endif
