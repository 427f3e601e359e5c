/*
 * The calls between the store's rooms, by the file that has them. Nobody else includes this but the store's own tests.
 *
 * Owns: nothing; the records are in store_records.h.
 */
#ifndef UM_STORE_INTERNAL_H
#define UM_STORE_INTERNAL_H

#include "store/records/records.h"

/* Pieces between two attempts to get memory. */
enum { UM_RECLAIM_URGENT_BUDGET = 4096 };

/* How often in one turn, so that others are not held up: a call that finds nothing then fails, and may be tried again. */
enum { UM_URGENT_PER_TURN = 16 };

/* Pieces that a call which uses up slots or memory reclaims on its way, so that the backlog cannot grow
 * without end. */
enum { UM_RECLAIM_CALL_BUDGET = 4 };

/* Pieces of what heaps and owners leave behind that the calls which end them do themselves in one turn: so that the end of a few
 * is seen at once. */
enum { UM_ENDS_PER_TURN = 4096 };

/* ---- store.c ---- */

/* Fills *fault, where it is not NULL, and returns the code. */
int um_fault(struct um_fault *fault, int code, struct um_fault facts);

/* Checks the flags of a call: 0 or UMEM_E_DENIED. */
int um_flags_check(uint32_t flags, struct um_fault *fault);

/* Checks a name that a peer chose: 0 or UMEM_E_INVALID_PARAMS. */
int um_name_check(const char *name, struct um_fault *fault);

/* ---- account.c: accounts, and the books ---- */

/* The account of an open owner in a live heap, made where there is none. NULL when memory runs out. An
 * account that stays empty goes when the owner turns to another. */
struct um_account *um_account_get(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                                  enum um_lifetime lifetime);

/* Lets go of an account that is empty, unless it is its open owner's most recent one and alive. May free the
 * owner, and finishes a destroyed heap. */
void um_account_free_if_unused(struct um_store *store, struct um_account *account);

/* Makes all blocks of an account stale and takes them out of the books. What is observed of it is told by um_account_raise_events(), the
 * blocks are reclaimed after that; an account without any may be gone when this returns. */
void um_account_kill(struct um_store *store, struct um_account *account);

/* Tells of the observed blocks of an account in um_store.accounts_with_events and, where they vanished with an owner, of all, as far as
 * *budget goes. */
void um_account_raise_events(struct um_store *store, struct um_account *account, size_t *budget);

/* Turns what only its maker claims into orphans, as that owner has ended. */
void um_account_orphan(struct um_store *store, struct um_account *account);

/* Puts a block into an account's list, or takes it out. The books do not change. */
void um_account_link(struct um_store *store, struct um_account *account, struct um_block *block);
void um_account_unlink(struct um_store *store, struct um_account *account, struct um_block *block);

/* Counts a live block, or takes it out of all counts. To change a block, take it out, change it and count it
 * again. */
void um_usage_add(struct um_store *store, struct um_account *account, const struct um_block *block);
void um_usage_remove(struct um_store *store, struct um_account *account, const struct um_block *block);

/* Which claim keeps a live block from being orphaned. */
enum um_ownership um_block_ownership(const struct um_account *account, const struct um_block *block);

/* ---- block.c ---- */

/* Whether an owner may have `asked` more bytes, in a heap: 0 or UMEM_E_LIMIT_EXCEEDED. */
int um_block_check_owner(const struct um_store *store, const struct um_heap *heap,
                         const struct um_owner *owner, uint64_t asked, struct um_fault *fault);

/* Whether `asked` more bytes of an owner's fit: 0, UMEM_E_NO_MEMORY (the heap's maximum) or UMEM_E_LIMIT_EXCEEDED. */
int um_block_check_bytes(const struct um_store *store, const struct um_heap *heap,
                         const struct um_owner *owner, uint64_t asked, struct um_fault *fault);

/* Whether all blocks together may have `asked` more bytes: 0 or UMEM_E_LIMIT_EXCEEDED. */
int um_block_check_total(const struct um_store *store, const struct um_heap *heap, uint64_t asked,
                         struct um_fault *fault);

/* What HEAP_GENERATE_EXCEPTIONS would have raised, or 0 where neither the heap nor the call has that flag. */
uint32_t um_block_ntstatus(const struct um_heap *heap, uint32_t flags);

/* The live block with a name, or NULL. A dead one's name is free from then on. */
struct um_block *um_block_named(struct um_store *store, const char *name);

/* Copies a name for a block, if it is valid and free. um_names_insert() it or free it. */
int um_block_name_new(struct um_store *store, const char *text, struct um_name **name,
                      struct um_fault *fault);

/* Gives back a block's memory, extra and slot. It must be in no account's list and in no books any more. */
void um_block_dispose(struct um_store *store, struct um_heap *heap, struct um_block *block);

/* Checks what a new block is asked for with, and makes its name (*name is NULL where it is to have none). */
int um_block_check_new(struct um_store *store, struct um_heap *heap, const struct um_owner *owner,
                       const struct um_block_options *options, struct um_name **name, struct um_fault *fault);

/* Makes a block after that check. It takes `name` over in any case, and `address`, where it is not NULL and the call succeeds,
 * as its memory. UMEM_E_NO_MEMORY, UMEM_E_CORRUPTED. */
int um_block_make(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                  const struct um_block_options *options, struct um_name *name, void *address,
                  struct um_block **block, struct um_fault *fault);

/* Like um_block_alloc_memory(), of a backend that has reserve(): the memory is still to be prepared. */
void *um_block_reserve_memory(struct um_store *store, struct um_heap *heap, uint64_t size);

/* Prepares some of what um_block_reserve_memory() got, if need be by reclaiming. Returns false where there is no memory. */
bool um_block_prepare_memory(struct um_store *store, struct um_heap *heap, unsigned char *address,
                             uint64_t offset, uint64_t size);

/* Gets memory, if need be by reclaiming what is still to be given back. NULL: there is none. */
void *um_block_alloc_memory(struct um_store *store, struct um_heap *heap, uint64_t size);

/* The fault of there being none: UMEM_E_NO_MEMORY, or UMEM_E_CORRUPTED where it is the heap that cannot give any more. */
int um_block_no_memory(const struct um_heap *heap, uint64_t asked, struct um_fault *fault);

/* Gives memory of a heap's blocks back, unless the heap's end does that. */
void um_block_free_memory(struct um_heap *heap, void *address, uint64_t size);

/* ---- hold.c: what few blocks have ---- */

/* The block's extra, made where there is none. NULL when memory runs out. */
struct um_block_extra *um_extra_get(struct um_block *block);

/* Frees the extra of a block for which it says nothing any more. */
void um_extra_tidy(struct um_block *block);

/* Notes where a block's memory is from now on. */
void um_block_set_address(struct um_block *block, void *address);

/* Frees the extra of a block that goes; name and holds go with it, its pin keeps the memory. Returns whether
 * one does. */
bool um_extra_dispose(struct um_store *store, struct um_block *block);

/* Whether one more hold is allowed, if need be once those on blocks that are gone are given back: 0 or
 * UMEM_E_LIMIT_EXCEEDED. */
int um_hold_check_quota(struct um_store *store, const struct um_block *block, struct um_fault *fault);

/* Allocates a hold without placing it; places it; takes it out and frees it. The books do not change. */
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

/* Ends up to *budget holds of an owner that has ended and counts them down. */
void um_holds_end_step(struct um_store *store, struct um_owner *owner, size_t *budget);

/* ---- resize.c ---- */

/* Ends a move of this block, if there is one; the block keeps the memory that it has. */
void um_resize_cancel(struct um_block *block);

/* ---- pin.c ---- */

/* Parts a pin from its block, whose memory is the pin's from now on, and counts as the maker's. */
void um_pin_detach(struct um_pin *pin);

/* ---- owner.c ---- */

/* Frees the record of a closed owner of which nothing is left. */
void um_owner_free_if_unused(struct um_store *store, struct um_owner *owner);

/* Goes on with the end of an owner in um_store.closing_owners, as far as *budget goes. */
void um_owner_end_step(struct um_store *store, struct um_owner *owner, size_t *budget);

/* ---- heap.c ---- */

/* Makes a heap's record and memory. The options must be valid; nothing is counted yet. */
int um_heap_open(struct um_store *store, const struct um_heap_options *options, struct um_heap **heap,
                 struct um_fault *fault);

/* Makes a heap and its blocks stale and takes them out of the books; goes on with its end as far as *budget goes. um_store_raise_events()
 * tells. */
void um_heap_kill(struct um_store *store, struct um_heap *heap, size_t *budget);

/* Goes on with the end of a heap in um_store.ending_heaps. */
void um_heap_end_step(struct um_store *store, struct um_heap *heap, size_t *budget);

/* Tells of a heap in um_store.heaps_with_events, and settles it. */
void um_heap_raise_destroyed(struct um_store *store, struct um_heap *heap);

/* Destroys the memory, then frees the record, of a destroyed heap as far as accounts and pins allow. */
void um_heap_free_if_unused(struct um_store *store, struct um_heap *heap);

/* ---- heap_lock.c ---- */

/* Ends the lock, however often it was taken, and tells nobody. */
void um_heap_drop_lock(struct um_heap *heap);

/* Ends up to *budget locks of an owner; um_store_raise_events() tells. */
void um_locks_end_step(struct um_store *store, struct um_owner *owner, size_t *budget);

/* ---- observe.c ---- */

/* Whether a heap, or everything, is observed. */
static inline bool um_heap_is_observed(const struct um_store *store, const struct um_heap *heap)
{
    return store->observes_all || heap->observed;
}

/* Raise events, where somebody listens. */
void um_raise_block_freed(const struct um_store *store, um_handle block, um_handle heap);
void um_raise_blocks_vanished(const struct um_store *store, um_handle heap);
void um_raise_heap_destroyed(const struct um_store *store, um_handle heap);
void um_raise_heap_unlocked(const struct um_store *store, um_handle heap);

/* ---- block_list.c: places in a walk over all slots, which outlive what is in the slots ---- */

/* The slot to go on with after a handle, of which only the slot counts; 0: the first. */
static inline uint32_t um_walk_slot(um_handle after)
{
    return after == 0 ? 0 : um_handle_slot(after) + 1;
}

/* A handle after which a walk goes on with this slot. */
static inline um_handle um_walk_place(uint32_t slot)
{
    return slot == 0 ? 0 : um_handle_make(UM_HANDLE_BLOCK, slot - 1, UM_GENERATION_LIMIT);
}

/* ---- reclaim.c ---- */

/* Raises events about what has ended, as far as *budget goes. */
void um_store_raise_events(struct um_store *store, size_t *budget);

static inline bool um_reclaim_is_pending(const struct um_store *store)
{
    return !um_list_is_empty(&store->dead_accounts) || !um_list_is_empty(&store->accounts_with_events) ||
           !um_list_is_empty(&store->heaps_with_events) || !um_list_is_empty(&store->unlocked_heaps) ||
           !um_list_is_empty(&store->ending_heaps) || !um_list_is_empty(&store->closing_owners);
}

/* Whether something has ended that is still in the books. */
static inline bool um_ends_are_pending(const struct um_store *store)
{
    return !um_list_is_empty(&store->ending_heaps) || !um_list_is_empty(&store->closing_owners);
}

/* Says in the facts of a failure that it may be over soon, where what has ended or was freed is still to be given back. */
static inline void um_reclaim_explain(const struct um_store *store, struct um_fault *fault)
{
    if (fault != NULL && um_store_has_work(store))
        fault->what = "what was freed or has ended is still being given back; try again";
}

/* Reclaims for a call that would fail else. Returns whether it is worth another try. */
bool um_reclaim_urgently(struct um_store *store);

/* Reclaims a little, before a call that asks for more. */
static inline void um_reclaim_in_call(struct um_store *store)
{
    if (um_reclaim_is_pending(store))
        um_store_reclaim(store, UM_RECLAIM_CALL_BUDGET);
}

#endif
