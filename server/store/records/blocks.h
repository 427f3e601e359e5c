/*
 * What is done with the store's blocks: found, made, resized, listed, held, observed, pinned, freed.
 *
 * Owns: the blocks and their memory, see store.h, which also says what all calls keep to. Must not know: what is in the bytes.
 */
#ifndef UM_STORE_BLOCKS_H
#define UM_STORE_BLOCKS_H

#include "store/store.h"

struct um_block_options {
    uint64_t size;    /* bytes; 0 is a block too */
    uint32_t flags;   /* as a heap's; create_enable_execute is UMEM_E_DENIED, realloc_in_place_only ignored */
    const char *name; /* 1 to 255 bytes, copied; NULL: none */
    enum um_lifetime lifetime; /* session: freed when its owner ends */
};

struct um_block_info {
    um_handle block;
    const char *name; /* NULL: none */
    um_handle heap;
    uint64_t size;
    uint64_t address; /* in the daemon; unique among the blocks alive */
    enum um_lifetime lifetime;
    const struct um_owner *owner;
    uint32_t holders; /* open owners that hold it, its maker among them until it ends or releases it */
    bool orphaned;    /* no name and no holder */
    int64_t created;  /* seconds since 1970-01-01 UTC */
};

int um_store_find_block(struct um_store *store, um_handle handle, struct um_block **block,
                        struct um_fault *fault);

/* Whether there are so many blocks that one at random is in none of the processor's caches, and looking it up costs as much as
 * a whole small call. Then um_store_prefetch() pays. */
bool um_store_is_large(const struct um_store *store);

/* Has the records and first bytes of blocks that will be looked at soon fetched, all at once. A hint: the handles may be
 * anything, and nothing that can be told changes. */
void um_store_prefetch(const struct um_store *store, const um_handle *handles, size_t count);

int um_store_find_block_by_name(struct um_store *store, const char *name, struct um_block **block,
                                struct um_fault *fault);

/* Looks for the block that starts at an address, at up to `budget` slots after *after (0: from the first),
 * and notes in *after how far it came. Returns 0 with *block the one found, or NULL where there is more to
 * look at: then call again. UMEM_E_UNKNOWN_HANDLE where no block starts there. A block that is made or moved
 * between two calls may be missed. */
int um_store_find_block_at(struct um_store *store, uint64_t address, size_t budget, um_handle *after,
                           struct um_block **block, struct um_fault *fault);

/* Allocates zeroed memory in `heap` for `owner`. UMEM_E_NO_MEMORY (the heap's maximum or free ranges, or the system's
 * memory), UMEM_E_LIMIT_EXCEEDED (bytes, session_bytes, blocks), UMEM_E_NAME_TAKEN, UMEM_E_CORRUPTED (a shared heap that a client took
 * memory away from). */
int um_block_alloc(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   const struct um_block_options *options, struct um_block **block, struct um_fault *fault);

/* ---- allocating in steps ---- */

/* Allocates like um_block_alloc(), sets *block, and *alloc to NULL, where memory that is zero can be had at once. Otherwise (a
 * block of more than a megabyte in a shared heap) the memory is reserved, and *alloc is to be given to um_alloc_step() until
 * that is done, and then, or when it is given up, to um_alloc_end(). Until the last step there is no block: nobody finds or
 * counts it, and its name is free. The owner must stay open until um_alloc_end(). */
int um_alloc_begin(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   const struct um_block_options *options, struct um_alloc **alloc, struct um_block **block,
                   struct um_fault *fault);

/* Gets up to `budget` bytes of the memory and clears them. *more tells whether it must be called again; um_alloc_block() is
 * there when it need not. Fails as um_block_alloc() does, also for what others did meanwhile (blocks, name), and with
 * UMEM_E_STALE_HANDLE where the heap is gone; *more is unchanged then, and um_alloc_end() comes next. */
int um_alloc_step(struct um_store *store, struct um_alloc *alloc, uint64_t budget, bool *more,
                  struct um_fault *fault);

/* The memory, before the last step: bytes that steps so far have cleared may be written already. */
unsigned char *um_alloc_bytes(const struct um_alloc *alloc);

/* The block, after the last step; good until the next call that frees or destroys something. */
struct um_block *um_alloc_block(const struct um_alloc *alloc);

/* Ends an allocation; one that is not done leaves nothing. All must be ended before um_store_free(). NULL is fine. */
void um_alloc_end(struct um_store *store, struct um_alloc *alloc);

/* ---- resizing ---- */

/* Resizes; the handle stays and the bytes added are zero. With realloc_in_place_only in `flags` it fails with
 * UMEM_E_NO_MEMORY rather than move. A pinned block's old memory stays until its pins are released. */
int um_block_resize(struct um_store *store, struct um_block *block, uint64_t size, uint32_t flags,
                    struct um_fault *fault);

/* ---- resizing in steps ---- */

/* Resizes like um_block_resize(), and sets *resize to NULL, where that can be done without copying more than
 * a megabyte. Otherwise the block has to move: its new memory is got, the bytes by which it grows are
 * reserved, and *resize is to be given to um_resize_step() until that is done, and then, or when it is given
 * up, to um_resize_end(). Until the last step the block has its old size and memory and is used as before,
 * but whoever writes to it must call um_block_wrote(). A pin, a hold, a change of name or lifetime do not get
 * in the way. The block may also be resized otherwise, or be freed. */
int um_resize_begin(struct um_store *store, struct um_block *block, uint64_t size, uint32_t flags,
                    struct um_resize **resize, struct um_fault *fault);

/* Copies up to `budget` bytes. *more tells whether it must be called again; the block has its new size and
 * memory when it need not. Where another um_resize is moving the block, a step does nothing and has *more be
 * true; where the block was resized otherwise in between, it begins anew, as if it had been asked for after
 * that. Fails as um_block_resize() does, with the block as it was, and with UMEM_E_STALE_HANDLE where the
 * block is gone; *more is unchanged then, and um_resize_end() comes next. */
int um_resize_step(struct um_store *store, struct um_resize *resize, uint64_t budget, bool *more,
                   struct um_fault *fault);

/* Ends a resize; one that is not done leaves the block as it is. All must be ended before um_store_free().
 * NULL is fine. */
void um_resize_end(struct um_store *store, struct um_resize *resize);

/* To be called after every write to a block's bytes, at the latest before the next um_resize_step(): what was
 * written to a block that is being moved goes to its new memory too. The range must lie in the block. Cheap
 * for all others. */
void um_block_wrote(struct um_store *store, struct um_block *block, uint64_t offset, uint64_t size);

/* What is looked at before a client may free or resize a block: UMEM_E_CORRUPTED where the store has guards and they show
 * that somebody wrote past it. */
int um_block_check(struct um_store *store, struct um_block *block, struct um_fault *fault);

/* Frees a block: its handle is stale at once, its memory when the last pin on it is released. Cannot fail. */
void um_block_free(struct um_store *store, struct um_block *block);

void um_block_get_info(const struct um_store *store, const struct um_block *block,
                       struct um_block_info *info);

/* Tells where other processes find the block. UMEM_E_UNSUPPORTED where its heap is not shared, UMEM_E_CORRUPTED where a
 * client has taken memory away from the heap. */
int um_block_locate(const struct um_store *store, const struct um_block *block, struct um_place *place,
                    struct um_fault *fault);

/* Hot members, for the calls that touch bytes. A block of 0 bytes has an address too. */
um_handle um_block_handle(const struct um_store *store, const struct um_block *block);
unsigned char *um_block_bytes(const struct um_block *block);
uint64_t um_block_size(const struct um_block *block);
struct um_heap *um_block_heap(const struct um_store *store, const struct um_block *block);

/* Which blocks a listing wants. */
struct um_block_filter {
    const struct um_heap *heap; /* NULL: any */
    uint64_t owner_id;          /* made by this session; 0: any */
    bool orphaned_only;
};

/* The next block after `after` (0: the first) in order of slots that fits, or NULL. `after` need not be alive
 * any more. Looks at no more than *budget slots and counts them down; NULL with *budget 0 and *next set where
 * it stopped early. */
struct um_block *um_store_next_block(struct um_store *store, const struct um_block_filter *filter,
                                     um_handle after, size_t *budget, um_handle *next);

/* Names a block (NULL: leaves the name; "": takes the name away) and changes its lifetime (`lifetime` NULL:
 * leaves it). Lifetime session makes `owner` the block's owner, and so does any call on an orphan, even one
 * that asks for no change: whoever changes an orphan holds it from then on. An earlier owner that holds the
 * block goes on holding it. UMEM_E_INVALID_PARAMS (the name), UMEM_E_NAME_TAKEN, UMEM_E_NO_MEMORY,
 * UMEM_E_LIMIT_EXCEEDED (the earlier owner's hold). */
int um_block_change(struct um_store *store, struct um_block *block, struct um_owner *owner, const char *name,
                    const enum um_lifetime *lifetime, struct um_fault *fault);

/* Holds for an owner (once, however often asked; UMEM_E_LIMIT_EXCEEDED) and lets go. Letting go of what one does not hold does
 * nothing. *holders is how many hold it then. A release frees nothing. */
int um_block_hold(struct um_store *store, struct um_block *block, struct um_owner *owner, uint32_t *holders,
                  struct um_fault *fault);
int um_block_release(struct um_store *store, struct um_block *block, struct um_owner *owner,
                     uint32_t *holders, struct um_fault *fault);

/* Observes a block by itself, or ends that; its heap, or everything, may be observed all the same. A flag,
 * not a count. UMEM_E_NO_MEMORY when memory runs out. */
int um_block_observe(struct um_store *store, struct um_block *block);
void um_block_unobserve(struct um_store *store, struct um_block *block);

/* Whether the block, its heap or everything is observed. Cheap enough to ask at every write. */
bool um_block_is_observed(const struct um_store *store, const struct um_block *block);

/* ---- pins: memory that is being sent or received ---- */

/* Keeps the block's present memory (not its handle, nor its later memory where it is resized) until
 * released. */
int um_pin_new(struct um_store *store, struct um_block *block, struct um_pin **pin);
void um_pin_release(struct um_store *store, struct um_pin *pin);

/* The memory pinned, and whether the block still is that memory: false once it was freed or moved. */
unsigned char *um_pin_bytes(const struct um_pin *pin);
bool um_pin_is_current(const struct um_pin *pin);

#endif
