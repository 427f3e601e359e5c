/*
 * Holds: owners that keep a block from being orphaned.
 *
 * Owns: nothing; holds are part of a block's extra. Must not know: why a block is held.
 */
#ifndef UM_STORE_HOLDS_H
#define UM_STORE_HOLDS_H

#include "store/records/store_types.h"

/* Holds for an owner (once, however often asked; UMEM_E_LIMIT_EXCEEDED) and releases. Releasing what one does not hold does
 * nothing. *holders is how many hold it then. A release frees nothing. */
int um_block_hold(struct um_store *store, struct um_block *block, struct um_owner *owner, uint32_t *holders,
                  struct um_fault *fault);
int um_block_release(struct um_store *store, struct um_block *block, struct um_owner *owner,
                     uint32_t *holders, struct um_fault *fault);

/* ---- inside the store ---- */

/* Whether one more hold is allowed, if need be once those on blocks that are gone are reclaimed: 0 or
 * UMEM_E_LIMIT_EXCEEDED. */
int um_hold_check_quota(struct um_store *store, const struct um_block *block, struct um_fault *fault);

#endif
