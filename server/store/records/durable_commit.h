/*
 * What a turn has changed of durable heaps is committed (um_store_commit() in state.h), or undone where it cannot be.
 *
 * Owns: um_state.failing. Must not know: when commits and syncs are due.
 *
 * Undoing: blocks that were allocated are gone, those that were freed are back, and others are where and as they were, but for their bytes.
 * It cannot fail, as all that it takes was kept, and happens once to a heap, which can only be read afterwards.
 */
#ifndef UM_STORE_DURABLE_COMMIT_H
#define UM_STORE_DURABLE_COMMIT_H

#include "store/records/durable.h"

/* Undoes what was changed and not committed of the heaps whose journals have failed since the last time. */
void um_state_undo(struct um_state *state);

#endif
