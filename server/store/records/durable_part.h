/*
 * One heap's part in a sync: its bytes first, then its journal.
 *
 * Owns: struct um_durable_sync of each heap. Must not know: which heaps a sync is of. The caller begins and ends the journal's part.
 */
#ifndef UM_STORE_DURABLE_PART_H
#define UM_STORE_DURABLE_PART_H

#include "store/records/durable.h"

/* Whether something of it is not on the disk. */
bool um_durable_wants_sync(const struct um_durable *durable);

/* Begins a heap's part, but for the journal. All that was noted goes with it. */
void um_durable_sync_begin(struct um_durable *durable);

/* The bytes first: no record is on the disk that tells of some which are not. On any thread. */
void um_durable_sync_run(const struct um_files *files, struct um_durable_sync *part);

/* Ends it, but for the journal. */
void um_durable_sync_end(struct um_durable *durable);

/* The journal goes on: what was changed before the sync is committed, if that was the way. */
void um_durable_end_synced(struct um_durable *durable);

/* All three: has all that was noted of it on the disk. */
void um_durable_sync_now(struct um_durable *durable);

/* Writes UM_DURABLE_MARK when the journal is on the disk. Where it cannot be written, it is tried after the next sync. */
void um_durable_mark_bytes(struct um_durable *durable);

#endif
