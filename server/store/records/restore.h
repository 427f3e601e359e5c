/*
 * One durable heap comes back: what its journal says becomes records again, at the same handles. It is restored as a whole or not at all:
 * its memory first, then its records.
 *
 * Owns: nothing. Must not know: what else is in the state directory, and in which order heaps come.
 */
#ifndef UM_STORE_RESTORE_H
#define UM_STORE_RESTORE_H

#include "store/journal/journal_recovery.h"
#include "store/records/durable.h"

/* Restores a heap that was found (UM_RECOVERY_HEAP). One whose bytes are not there or not its own, or whose handles or names others have, is
 * reported, and is UM_RECOVERY_CORRUPTED then. False where the store has no memory to go on. */
bool um_restore_heap(struct um_state *state, struct um_recovery *recovery);

/* Whether such a heap's bytes are right, and no other heap has its slot: `other` is that one's handle, or 0. Else that is reported. Changes nothing. */
bool um_restore_try(struct um_state *state, struct um_recovery *recovery, um_handle other);

/* Whether the heap was made in another state directory, and its files were copied here. */
bool um_restore_is_foreign(const struct um_state *state, const struct um_recovery *recovery);

#endif
