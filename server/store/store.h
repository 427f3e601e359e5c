/*
 * The store: every heap and block that the daemon lends, their handles, names, owners and counts. This is its front: others include
 * this header and no other of the store.
 *
 * Owns: the memory of all blocks, the tables behind handles and names, and the totals (bytes, peaks, orphans).
 * Must not know: JSON, libuv, sockets, sessions (it knows owners: a session as the store sees it). One thread uses it.
 *
 * This header has the store as a whole; those that it includes have heaps, blocks, owners and so on.
 *
 * Every function that can fail returns 0 or a code of umem_errors.h, changes nothing when it fails, and fills
 * *fault (where that is not NULL) with the facts. Pointers to heaps and blocks are good until the next call
 * that frees, destroys or closes something; what must live longer keeps the handle (or a pin) and looks it up
 * again.
 */
#ifndef UM_STORE_H
#define UM_STORE_H

#include "base/principal.h"
#include "store/records/block_resize.h"
#include "store/records/blocks.h"
#include "store/records/heaps.h"
#include "store/records/holds.h"
#include "store/records/locks.h"
#include "store/records/observers.h"
#include "store/records/owners.h"
#include "store/records/pins.h"
#include "store/records/state.h"
#include "store/records/state_sync.h"
#include "store/records/store_types.h"
#include "store/records/validation.h"

/* What a store is made with. Limits are inclusive. */
struct um_store_options {
    uint64_t bytes_limit;  /* bytes in all blocks together, and in memory of former ones that pins keep */
    uint32_t blocks_limit; /* blocks at one time; at most 2^26 - 2 */
    uint32_t heaps_limit;  /* heaps at one time, the process heap not counted */
    uint32_t shared_heaps_limit; /* of these, how many of kind shared: each may take a file descriptor */
    uint64_t owner_bytes_limit;  /* likewise for the blocks that one open owner has made; 0: as bytes_limit */
    uint64_t holds_limit;        /* holds of owners on blocks that others made; 0: any number */
    bool guard;                  /* private heaps have guard bytes on both sides of each block (guard.h) */
    bool wipe;                   /* memory is cleared when it is freed */
    uint64_t seed; /* random bits: where the first generation begins, and the name table's hash */
};

/* Makes a store with the process heap in it. Returns UMEM_E_NO_MEMORY when memory runs out. */
int um_store_new(const struct um_store_options *options, struct um_store **store);

/* The highest number of an owner that the store has restored, or 0: later ones are higher. */
uint64_t um_store_last_owner_id(const struct um_store *store);

/* Sets the store's limits anew, as um_store_new() takes them; the other options are ignored. What is more than a limit stays, and nothing
 * is added to it. */
void um_store_set_limits(struct um_store *store, const struct um_store_options *options);

/* Frees every block and heap and the store, but for the files of durable heaps, and raises no events. Owners and pins must be closed and released
 * before. NULL is fine. */
void um_store_free(struct um_store *store);

void um_store_set_events(struct um_store *store, const struct um_store_events *events);

/* Whom the system lets map shared heaps from now on, beside this user, root and SYSTEM: a group (POSIX), or a user or group (Windows); NULL:
 * nobody. POSIX: they may also pass through the directory of durable heaps, whose other files stay closed to them. For all stores of
 * the process, and before the first one is made. Copied. */
void um_store_allow(const struct um_principal *allowed);

/* Removes the shared memory objects that daemons of this user left behind when they were killed, for a daemon's start.
 * Those of stores that are in use stay. Returns how many were removed. */
size_t um_store_remove_stale_objects(void);

void um_store_get_stats(const struct um_store *store, struct um_store_stats *stats);

/* What a caller looks at in every turn; good as long as the store. */
const struct um_store_status *um_store_get_status(const struct um_store *store);

/* Tells the store the time: seconds since 1970-01-01 UTC, for `created`. To be called once a turn of the loop,
 * because it also renews how much of what heaps and owners leave behind the calls of one turn may do: a turn may leave it out where the
 * second is the same and um_store_status.turn_is_used is false. */
void um_store_set_time(struct um_store *store, int64_t unix_seconds);

/* Does up to `budget` pieces of the work that destroying heaps and closing owners left behind (a piece is
 * about one block). Returns whether more is left. Nothing that clients see waits for it, but memory and slots
 * come back with it, and free memory is returned to the system. Calls that allocate do a few pieces too, and
 * before they fail for want of memory as many as a turn has time for. */
bool um_store_reclaim(struct um_store *store, size_t budget);

/* How long memory is free before it is returned to the system: at most twice this. */
enum { UM_STORE_TICK_MS = 250 };

/* Whether some memory is free that is not returned yet: then um_store_tick() is to be called in UM_STORE_TICK_MS. An idle store soon
 * has none. */
bool um_store_wants_tick(const struct um_store *store);

/* UM_STORE_TICK_MS have passed: what has been free for so long is returned by um_store_reclaim(). */
void um_store_tick(struct um_store *store);

/* Whether um_store_reclaim() has something to do. Any call that frees, destroys, closes or resizes may bring it
 * about. */
bool um_store_has_work(const struct um_store *store);

#endif
