/*
 * Resizing blocks: at once, or in steps where a large one has to be copied to another place.
 *
 * Owns: the memory that a block is being moved to. Must not know: what is in the bytes.
 */
#ifndef UM_STORE_BLOCK_RESIZE_H
#define UM_STORE_BLOCK_RESIZE_H

#include "store/records/store_types.h"

/* Resizes; the handle stays and the bytes added are zero. With realloc_in_place_only in `flags` it fails with
 * UMEM_E_NO_MEMORY rather than move. A pinned block's old memory stays until its pins are released. */
int um_block_resize(struct um_store *store, struct um_block *block, uint64_t size, uint32_t flags,
                    struct um_fault *fault);

/* ---- in steps ---- */

/* Resizes like um_block_resize(), and sets *resize to NULL, where that can be done without copying more than
 * a megabyte. Otherwise the block has to move: its new memory is allocated, the bytes by which it grows are
 * reserved, and *resize is to be given to um_resize_step() until that is done, and then, or when it is given
 * up, to um_resize_end(). Until the last step the block has its old size and memory and is used as before,
 * but whoever writes to it must call um_block_wrote(). A pin, a hold, a change of name or lifetime do not
 * disturb it. The block may also be resized otherwise, or be freed. */
int um_resize_begin(struct um_store *store, struct um_block *block, uint64_t size, uint32_t flags,
                    struct um_resize **resize, struct um_fault *fault);

/* Copies up to `budget` bytes. *more says whether it must be called again; the block has its new size and
 * memory when it need not. Where another um_resize is moving the block, a step does nothing and has *more be
 * true; where the block was resized otherwise in between, it begins anew, as if it had been asked for after
 * that. Fails as um_block_resize() does, with the block as it was, and with UMEM_E_STALE_HANDLE where the
 * block is gone; *more is unchanged then, and um_resize_end() comes next. */
int um_resize_step(struct um_store *store, struct um_resize *resize, uint64_t budget, bool *more,
                   struct um_fault *fault);

/* Ends a resize; one that is not done leaves the block as it is. All must be ended before um_store_free().
 * NULL is fine. */
void um_resize_end(struct um_store *store, struct um_resize *resize);

#endif
