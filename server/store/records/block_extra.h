/*
 * What few blocks have: a name, holds of other owners than the maker, a pin, a resize in steps, an observer; and how a block ends with
 * all of that.
 *
 * Owns: the extras, holds and their index. Must not know: usage, which changes with holds and names (accounts.h).
 */
#ifndef UM_STORE_BLOCK_EXTRA_H
#define UM_STORE_BLOCK_EXTRA_H

#include "store/records/records.h"

/* The block's extra, made where there is none. NULL when memory runs out. */
struct um_block_extra *um_extra_get(struct um_block *block);

/* Frees the extra of a block for which it says nothing any more. */
void um_extra_free_if_unused(struct um_block *block);

/* Notes where a block's memory is from now on. */
void um_block_set_address(struct um_block *block, void *address);

/* Frees the extra of a block that ends, with its name and holds; its pin keeps the memory. Returns whether
 * one does. */
bool um_extra_dispose(struct um_store *store, struct um_block *block);

/* ---- the parts of an extra ---- */

/* Allocates a hold without placing it; places it; takes it out and frees it. The usage does not change. */
struct um_hold *um_hold_new(struct um_block *block, struct um_owner *owner);
void um_hold_place(struct um_store *store, struct um_hold *hold);
void um_hold_free(struct um_store *store, struct um_hold *hold);

/* Frees a hold that was not placed. NULL is fine. */
void um_hold_discard(struct um_hold *hold);

/* The owner's hold on a block that it did not make, or NULL. */
struct um_hold *um_hold_find(const struct um_store *store, const struct um_block *block,
                             const struct um_owner *owner);

/* How many open owners hold a live block, its maker among them. */
uint32_t um_block_holders(const struct um_account *account, const struct um_block *block);

/* Ends a move of this block, if there is one; the block keeps the memory that it has. */
void um_resize_cancel(struct um_block *block);

/* Ends the reservation of bytes by which a block that is being resized grows. */
void um_resize_unreserve(struct um_resize *resize);

/* Detaches a pin from its block. The memory is the pin's from now on, and counts as the maker's. */
void um_pin_detach(struct um_pin *pin);

/* ---- the end of a block ---- */

/* Frees memory of a heap's blocks, unless the heap's end does that. */
void um_block_free_memory(struct um_heap *heap, void *address, uint64_t size);

/* Frees a block's memory, extra and slot. It must be in no account's list and not counted any more. */
void um_block_dispose(struct um_store *store, struct um_heap *heap, struct um_block *block);

/* Likewise of a durable heap's block, for which um_durable_check() was called: its handle is stale, and the rest is kept until that is
 * committed. */
void um_block_withdraw(struct um_store *store, struct um_durable *durable, struct um_block *block);

#endif
