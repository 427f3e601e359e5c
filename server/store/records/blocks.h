/*
 * Blocks: found, allocated, listed, described, renamed, freed.
 *
 * Owns: the records of blocks and their memory; store.h says what all calls keep to. Must not know: what is in the bytes.
 */
#ifndef UM_STORE_BLOCKS_H
#define UM_STORE_BLOCKS_H

#include "store/records/store_types.h"

struct um_block_options {
    uint64_t size;    /* bytes; 0 is a block too */
    uint32_t flags;   /* as a heap's; create_enable_execute is UMEM_E_DENIED, realloc_in_place_only ignored */
    const char *name; /* 1 to 255 bytes, copied; NULL: none */
    enum um_lifetime lifetime; /* session: freed when its owner ends */
    struct um_block
        *replaced; /* that has the name, and is freed when this one takes it; NULL: none may have it */
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

/* ---- finding ---- */

int um_store_find_block(struct um_store *store, um_handle handle, struct um_block **block,
                        struct um_fault *fault);

/* The same for a call of an owner, with the lock checked: UMEM_E_LOCKED where another owner has the block's heap locked. */
int um_owner_find_block(struct um_store *store, const struct um_owner *owner, um_handle handle,
                        struct um_block **block, struct um_fault *fault);

/* The same, and counts the call for the heap. */
int um_owner_use_block(struct um_store *store, const struct um_owner *owner, um_handle handle,
                       struct um_block **block, struct um_fault *fault);

int um_store_find_block_by_name(struct um_store *store, const char *name, struct um_block **block,
                                struct um_fault *fault);

/* Looks for the block that starts at an address, at up to `budget` slots after *after (0: from the first),
 * and notes in *after how far it came. Returns 0 with *block the one found, or NULL where there is more to
 * look at: then call again. UMEM_E_UNKNOWN_HANDLE where no block starts there. A block that is made or moved
 * between two calls may be missed. */
int um_store_find_block_at(struct um_store *store, uint64_t address, size_t budget, um_handle *after,
                           struct um_block **block, struct um_fault *fault);

/* Whether there are so many blocks that one at random is in none of the processor's caches, and looking it up costs as much as
 * a whole small call. Then um_store_prefetch() pays. */
bool um_store_is_large(const struct um_store *store);

/* Has the records and first bytes of blocks that will be looked at soon fetched, all at once. A hint: the handles may be
 * anything, and nothing that can be observed changes. */
void um_store_prefetch(const struct um_store *store, const um_handle *handles, size_t count);

/* ---- allocating ---- */

/* Allocates zeroed memory in `heap` for `owner`. UMEM_E_NO_MEMORY (the heap's maximum or free ranges, or the system's
 * memory), UMEM_E_LIMIT_EXCEEDED (bytes, session_bytes, blocks), UMEM_E_NAME_TAKEN, UMEM_E_CORRUPTED (a shared heap that a client took
 * memory away from). With `replaced` also UMEM_E_LOCKED and UMEM_E_CORRUPTED of that block (um_block_check()), which is freed when nothing
 * can fail any more, and counts for the limits until then. */
int um_block_alloc(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   const struct um_block_options *options, struct um_block **block, struct um_fault *fault);

/* ---- allocating in steps ---- */

/* Allocates like um_block_alloc(), sets *block, and *alloc to NULL, where memory that is zero can be had at
 * once. Otherwise (a block of more than a megabyte in a shared heap) the memory is reserved, and *alloc is to
 * be given to um_alloc_step() until that is done, and then, or when it is given up, to um_alloc_end(). Until
 * the last step there is no block: it is neither found nor counted, and its name is free. The owner must stay
 * open until um_alloc_end(). */
int um_alloc_begin(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   const struct um_block_options *options, struct um_alloc **alloc, struct um_block **block,
                   struct um_fault *fault);

/* Prepares up to `budget` bytes of the memory. *more says whether it must be called again; um_alloc_block() is
 * there when it need not. Fails as um_block_alloc() does, also for what others did meanwhile (blocks, name), and with
 * UMEM_E_STALE_HANDLE where the heap is gone; *more is unchanged then, and um_alloc_end() comes next. */
int um_alloc_step(struct um_store *store, struct um_alloc *alloc, uint64_t budget, bool *more,
                  struct um_fault *fault);

/* Begins an allocation whose bytes come before there is a block: in any heap, and however many they are. um_alloc_prepare() comes next,
 * then um_alloc_finish(), and um_alloc_end() in any case. Fails as um_alloc_begin() does. */
int um_alloc_reserve(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                     const struct um_block_options *options, struct um_alloc **alloc, struct um_fault *fault);

/* Prepares up to `budget` more bytes, of which *prepared are there then, from the block's start on. Fails as um_alloc_step() does, and
 * with UMEM_E_LOCKED where another owner has locked the heap. */
int um_alloc_prepare(struct um_store *store, struct um_alloc *alloc, uint64_t budget, uint64_t *prepared,
                     struct um_fault *fault);

/* Makes the block of bytes that are all prepared. Fails as um_alloc_prepare() does, and for what others did meanwhile. */
int um_alloc_finish(struct um_store *store, struct um_alloc *alloc, struct um_fault *fault);

/* The memory, before the last step or um_alloc_finish(): bytes that are prepared may be written already. */
unsigned char *um_alloc_bytes(const struct um_alloc *alloc);

/* Says which block has the name now, which the next step may free; NULL: none may have it. It is forgotten with that step, as the block may
 * go before another one. */
void um_alloc_set_replaced(struct um_alloc *alloc, struct um_block *replaced);

/* What it was begun with; the name is a copy that lives as long as it. */
const struct um_block_options *um_alloc_options(const struct um_alloc *alloc);
struct um_heap *um_alloc_heap(const struct um_alloc *alloc);

/* The block, after the last step; good until the next call that frees or destroys something. */
struct um_block *um_alloc_block(const struct um_alloc *alloc);

/* Ends an allocation; one that is not done leaves nothing. All must be ended before um_store_free(). NULL is fine. */
void um_alloc_end(struct um_store *store, struct um_alloc *alloc);

/* ---- a block ---- */

/* Frees a block: its handle is stale at once, its memory when the last pin on it is released. Cannot fail. To be called after
 * um_block_check(), which makes sure that of a durable heap it can be noted. */
void um_block_free(struct um_store *store, struct um_block *block);

/* To be called after every write to a block's bytes, at the latest before the next um_resize_step(): what was
 * written to a block that is being moved is also written to its new memory. The range must lie in the block.
 * Returns um_block_is_observed(). */
bool um_block_wrote(struct um_store *store, struct um_block *block, uint64_t offset, uint64_t size);

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

/* How many open owners hold a block, its maker among them. */
uint32_t um_block_count_holders(const struct um_store *store, const struct um_block *block);

/* Counts bytes of a block that a call is about, for its heap. */
void um_block_note_bytes(const struct um_store *store, const struct um_block *block, uint64_t bytes);

/* What um_block_change() changes. */
struct um_block_changes {
    const char *name;                 /* NULL: stays; "": is taken away */
    struct um_block *replaced;        /* as in struct um_block_options */
    const enum um_lifetime *lifetime; /* NULL: stays */
};

/* Names a block and changes its lifetime. Lifetime session makes `owner` the block's owner, and so does any call on an orphan, even one
 * that asks for no change: whoever changes an orphan holds it from then on. An earlier owner that holds the
 * block continues to hold it. UMEM_E_INVALID_PARAMS (the name), UMEM_E_NAME_TAKEN, UMEM_E_NO_MEMORY,
 * UMEM_E_LIMIT_EXCEEDED (the earlier owner's hold); with `replaced` as um_block_alloc(). */
int um_block_change(struct um_store *store, struct um_block *block, struct um_owner *owner,
                    const struct um_block_changes *changes, struct um_fault *fault);

/* ---- listing ---- */

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

#endif
