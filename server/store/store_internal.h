/*
 * What the rooms of the store share: its records and the calls between its files. Nobody else includes this
 * but the store's own tests.
 *
 * How the books hang together: every block belongs to one account, and an account is all that one owner has
 * in one heap with one lifetime. Destroying a heap and closing an owner mark accounts dead and take their
 * sums out of the books, in a time that does not depend on how many blocks there are. A block is alive while
 * its account is; what is left of the blocks of dead accounts is given back later, piece by piece
 * (reclaim.c).
 */
#ifndef UM_STORE_INTERNAL_H
#define UM_STORE_INTERNAL_H

#include "handle.h"
#include "heap_backend.h"
#include "index.h"
#include "list.h"
#include "names.h"
#include "store.h"

/* Why a block is not orphaned, if it is not. */
enum um_claim {
    UM_CLAIM_NONE,  /* orphaned */
    UM_CLAIM_MAKER, /* only by its maker, who is open: orphaned when that ends */
    UM_CLAIM_FIRM,  /* by a name, or another owner's hold */
    UM_CLAIM_COUNT
};

struct um_tally {
    uint64_t blocks;
    uint64_t bytes; /* sizes as asked for */
};

/* All that one owner has in one heap with one lifetime. */
struct um_account {
    struct um_slot slot;
    struct um_heap *heap;                  /* where its blocks are */
    struct um_owner *owner;                /* who made them */
    uint32_t first;                        /* slot of its first block, or UM_SLOT_NONE */
    enum um_lifetime lifetime;             /* of its blocks */
    bool owner_open;                       /* the owner has not ended */
    bool dead;                             /* its blocks are stale and wait to be reclaimed */
    bool vanished;                         /* um_store_events.blocks_vanished is still to be raised */
    struct um_index_node node;             /* place in um_store.account_index */
    struct um_link in_heap;                /* place in um_heap.accounts */
    struct um_link in_owner;               /* place in um_owner.accounts */
    struct um_link in_dead;                /* place in um_store.dead_accounts */
    struct um_link observed;               /* list of um_block_extra.in_observed */
    struct um_tally tally[UM_CLAIM_COUNT]; /* its live blocks, by claim; all zero once it is dead */
};

/* A block's record. There may be 10^7 of them, and each look at one is a cache miss: it has half a line. What only
 * alloc and free need is aside, in um_block_links; what few blocks need is in um_block_extra. */
struct um_block {
    struct um_slot slot;
    uintptr_t memory;         /* its address; or with UM_BLOCK_HAS_EXTRA, the address of its um_block_extra */
    uint64_t size;            /* bytes, as asked for */
    uint32_t account;         /* slot of its um_account */
    uint32_t created_seconds; /* since 1970; good until 2106 */
};

#define UM_BLOCK_HAS_EXTRA ((uintptr_t)1) /* bit of um_block.memory; addresses are multiples of 16 */

/* A block's place in the list of its account, by slots. */
struct um_block_links {
    uint32_t next; /* the next block of the account, or UM_SLOT_NONE */
    uint32_t prev; /* the one before it, or UM_SLOT_NONE */
};

struct um_block_extra {
    unsigned char *address;     /* the block's memory */
    struct um_block *block;     /* whose it is */
    struct um_name *name;       /* NULL: none */
    struct um_pin *pin;         /* on its present memory; NULL: none */
    struct um_resize *resize;   /* that is moving it; NULL: none */
    struct um_link holds;       /* list of um_hold.in_block: other owners than its maker */
    struct um_link in_observed; /* place in um_account.observed */
    uint32_t holders;           /* length of `holds` */
    bool observed;              /* um_block_observe() was asked for */
    bool maker_released;        /* its maker does not hold it any more */
};

/* One owner's hold on a block that it did not make. */
struct um_hold {
    struct um_link in_block; /* place in um_block_extra.holds */
    struct um_link in_owner; /* place in um_owner.holds */
    struct um_block *block;
    struct um_owner *owner;
};

/* A block's memory that must stay. All pins on the same memory are one of these. */
struct um_pin {
    struct um_store *store;
    struct um_heap *heap;
    struct um_block
        *block;     /* NULL once the memory is not the block's any more: then it is the pin's to free */
    void *address;  /* the memory */
    uint64_t size;  /* bytes */
    uint32_t count; /* um_pin_new() calls not yet released */
};

/* A resize that goes in steps. It moves the block, or waits to begin: at first where another moves it, and
 * again after the block was resized otherwise. */
struct um_resize {
    struct um_store *store;
    struct um_heap *heap;   /* of the block */
    um_handle handle;       /* of the block, which may be gone */
    struct um_block *block; /* that is being moved; NULL: it waits */
    unsigned char *address; /* the memory that the block moves to */
    uint64_t size;          /* bytes, of that memory */
    uint64_t
        copied; /* first bytes that are the same in both memories or, past the block's end, zero in the new */
    uint64_t reserved; /* bytes by which the block grows, in um_heap.reserved and um_store.reserved */
    uint32_t flags;    /* as for um_block_resize() */
};

/* An allocation that goes in steps: memory that is being prepared, for a block that is not there yet. */
struct um_alloc {
    struct um_heap *heap;
    struct um_owner *owner;
    struct um_block_options options; /* its name is that of `name` */
    struct um_name *name;            /* in no table yet; NULL: none */
    unsigned char *address;          /* the memory; NULL once it is the block's */
    uint64_t prepared;               /* first bytes that are there, and zero or written already */
    struct um_block *block;          /* made; NULL: not yet */
};

struct um_heap {
    struct um_slot slot;
    const struct um_heap_backend *backend;
    void *memory;               /* the backend's; good while memory_open */
    struct um_name *name;       /* NULL: none */
    struct um_owner *owner;     /* who made it; NULL for the process heap and once it is destroyed */
    struct um_owner *locked_by; /* NULL: not locked */
    struct um_link in_owner;    /* place in um_owner.heaps; once destroyed, among those still to be told */
    struct um_link in_locks;    /* place in um_owner.locks */
    struct um_link accounts;    /* list of um_account.in_heap */
    uint64_t initial_size;      /* bytes, as asked for */
    uint64_t maximum_size;      /* bytes; 0: growable */
    uint64_t blocks;            /* alive */
    uint64_t bytes;             /* in live blocks */
    uint64_t peak_bytes;        /* most that bytes has been */
    uint64_t reserved; /* bytes by which blocks that are being moved will grow, and of blocks to come */
    uint64_t changes;  /* grows whenever blocks or bytes are touched */
    enum um_heap_kind kind;
    enum um_lifetime lifetime;
    uint32_t flags;      /* of enum um_heap_flag */
    uint32_t alignment;  /* bytes */
    uint32_t lock_count; /* how often locked_by has locked it */
    uint32_t pins;       /* um_pin, um_resize and um_alloc objects on its memory */
    bool observed;       /* um_heap_observe() was asked for */
    bool destroyed;      /* stale; the record waits until accounts and pins are gone */
    bool memory_open;    /* backend->destroy has not been called */
};

struct um_owner {
    struct um_slot slot;
    uint64_t id;
    int64_t pid;
    char *program; /* one allocation with `user` behind it */
    char *user;
    struct um_link accounts;   /* list of um_account.in_owner */
    struct um_link heaps;      /* list of um_heap.in_owner: made by it and not destroyed */
    struct um_link locks;      /* list of um_heap.in_locks: locked by it; at its end, unlocked but not told */
    struct um_link holds;      /* list of um_hold.in_owner */
    struct um_link in_closing; /* place in um_store.closing_owners */
    struct um_tally made;      /* live blocks that it made */
    uint64_t hold_count;       /* length of `holds` */
    uint32_t heap_count[UM_HEAP_SHARED + 1]; /* length of `heaps`, by kind */
    struct um_account
        *recent; /* the account used last: found first, and the only one kept while it is empty */
    bool open;
};

struct um_store {
    struct um_slots blocks;
    struct um_slots heaps;
    struct um_slots accounts;
    struct um_slots owners;
    struct um_index account_index; /* accounts by heap, owner and lifetime */
    struct um_names block_names;
    struct um_names heap_names;
    struct um_link dead_accounts;  /* list of um_account.in_dead: blocks to reclaim */
    struct um_link closing_owners; /* list of um_owner.in_closing: holds to end */
    struct um_heap *process;
    const struct um_heap_backend *backends[UM_HEAP_SHARED + 1]; /* by kind; NULL: not supported */
    struct um_store_events events;
    struct um_store_stats stats;
    uint64_t bytes_limit;
    uint64_t owner_bytes_limit; /* 0: none */
    uint64_t holds_limit;       /* 0: none */
    uint64_t reserved;       /* bytes by which blocks that are being moved will grow; all heaps' together */
    uint64_t copied_at_once; /* bytes that a resize may copy in one go */
    uint64_t
        cleared_at_once;    /* bytes that an allocation may get and clear in one go, where that takes time */
    uint64_t grown_at_once; /* bytes by which a resize may grow a block in one go that has to be cleared */
    uint64_t trim_mark;     /* most bytes in live blocks since memory was last trimmed */
    uint64_t large_blocks;  /* with so many blocks um_store_expect() pays */
    uint32_t blocks_limit;
    uint32_t heaps_limit;
    uint32_t shared_heaps_limit;
    uint32_t shared_heaps; /* of which the memory is there, also where they are destroyed already */
    uint32_t now_seconds;  /* since 1970 */
    bool observes_all;     /* um_store_observe_all() was asked for */
};

#define UM_BYTES_MAXIMUM \
    ((UINT64_C(1) << 53) - 1) /* bytes in all blocks, whatever the limit says: sums cannot overflow */

/* Bytes: as much as any call does at once; and by how much a shared block may grow where it is at once, which is a matter of a
 * few milliseconds too: the system's pages are zero. */
enum { UM_COPIED_AT_ONCE = 1024 * 1024, UM_GROWN_AT_ONCE = 16 * UM_COPIED_AT_ONCE };

/* Blocks whose records alone are megabytes, more than caches hold. */
enum { UM_LARGE_BLOCKS = 100000 };

/* Pieces between two attempts to get memory. */
enum { UM_RECLAIM_FOR_ROOM = 4096 };

/* Pieces that a call which uses up slots or memory reclaims on its way, so that the backlog cannot grow
 * without end. */
enum { UM_RECLAIM_ON_THE_WAY = 4 };

/* ---- store.c ---- */

/* Fills *fault, where it is not NULL, and returns the code. */
int um_fault(struct um_fault *fault, int code, struct um_fault facts);

/* Checks the flags of a call: 0 or UMEM_E_DENIED. */
int um_flags_check(uint32_t flags, struct um_fault *fault);

/* Checks a name that a peer chose: 0 or UMEM_E_INVALID_PARAMS. */
int um_name_check(const char *name, struct um_fault *fault);

/* ---- account.c: accounts, and the books ---- */

static inline struct um_account *um_account_of(const struct um_store *store, const struct um_block *block)
{
    return um_slots_at(&store->accounts, block->account);
}

static inline bool um_block_is_alive(const struct um_store *store, const struct um_block *block)
{
    return !um_account_of(store, block)->dead;
}

static inline struct um_block_links *um_links_of(const struct um_store *store, uint32_t slot)
{
    return um_slots_aside(&store->blocks, slot);
}

/* What few blocks have, or NULL. */
static inline struct um_block_extra *um_extra_of(const struct um_block *block)
{
    return (block->memory & UM_BLOCK_HAS_EXTRA) != 0 ? (void *)(block->memory - UM_BLOCK_HAS_EXTRA) : NULL;
}

static inline unsigned char *um_address_of(const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    return extra != NULL ? extra->address : (void *)block->memory;
}

/* The account of an open owner in a live heap, made where there is none. NULL when memory runs out. An
 * account that stays empty goes when the owner turns to another. */
struct um_account *um_account_get(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                                  enum um_lifetime lifetime);

/* Lets go of an account that is empty, unless it is its open owner's most recent one and alive. May free the
 * owner, and finishes a destroyed heap. */
void um_account_settle(struct um_store *store, struct um_account *account);

/* Makes all blocks of an account stale and takes them out of the books. Call um_account_announce() next. */
void um_account_kill(struct um_store *store, struct um_account *account);

/* Tells of the observed blocks of a dead account and, where they vanished with an owner, of all; and settles
 * it. */
void um_account_announce(struct um_store *store, struct um_account *account);

/* Turns what only its maker claims into orphans, as that owner has ended. */
void um_account_orphan(struct um_store *store, struct um_account *account);

/* Puts a block into an account's list, or takes it out. The books do not change. */
void um_account_link(struct um_store *store, struct um_account *account, struct um_block *block);
void um_account_unlink(struct um_store *store, struct um_account *account, struct um_block *block);

/* Counts a live block, or takes it out of all counts. To change a block, take it out, change it and count it
 * again. */
void um_books_add(struct um_store *store, struct um_account *account, const struct um_block *block);
void um_books_remove(struct um_store *store, struct um_account *account, const struct um_block *block);

/* Which claim keeps a live block from being orphaned. */
enum um_claim um_block_claim(const struct um_account *account, const struct um_block *block);

/* ---- block.c ---- */

/* Whether `asked` more bytes of an owner's fit: 0, UMEM_E_NO_MEMORY (the heap's maximum) or UMEM_E_LIMIT_EXCEEDED. */
int um_block_check_bytes(const struct um_store *store, const struct um_heap *heap,
                         const struct um_owner *owner, uint64_t asked, struct um_fault *fault);

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

/* Like um_block_get_memory(), of a backend that has reserve(): the memory is still to be prepared. */
void *um_block_reserve_memory(struct um_store *store, struct um_heap *heap, uint64_t size);

/* Prepares some of what um_block_reserve_memory() got, if need be by reclaiming. Returns false where there is no memory. */
bool um_block_prepare_memory(struct um_store *store, struct um_heap *heap, unsigned char *address,
                             uint64_t offset, uint64_t size);

/* Gets memory, if need be by reclaiming what is still to be given back. NULL: there is none. */
void *um_block_get_memory(struct um_store *store, struct um_heap *heap, uint64_t size);

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
int um_hold_check_room(struct um_store *store, const struct um_block *block, struct um_fault *fault);

/* Allocates a hold without placing it; places it; takes it out and frees it. The books do not change. */
struct um_hold *um_hold_new(struct um_block *block, struct um_owner *owner);
void um_hold_place(struct um_store *store, struct um_hold *hold);
void um_hold_free(struct um_store *store, struct um_hold *hold);

/* Frees a hold that was not placed. NULL is fine. */
void um_hold_discard(struct um_hold *hold);

/* The owner's hold on a block that it did not make, or NULL. */
struct um_hold *um_hold_find(const struct um_block *block, const struct um_owner *owner);

/* How many open owners hold a live block, its maker among them. */
uint32_t um_block_holders(const struct um_account *account, const struct um_block *block);

/* Ends up to *budget holds of an owner that has ended and counts them down. */
void um_hold_end_all(struct um_store *store, struct um_owner *owner, size_t *budget);

/* ---- resize.c ---- */

/* Ends a move of this block, if there is one; the block keeps the memory that it has. */
void um_resize_part(struct um_block *block);

/* ---- pin.c ---- */

/* Parts a pin from its block, whose memory is the pin's from now on. */
void um_pin_detach(struct um_pin *pin);

/* ---- owner.c ---- */

/* Frees the record of a closed owner of which nothing is left. */
void um_owner_settle(struct um_store *store, struct um_owner *owner);

/* ---- heap.c ---- */

/* Makes a heap's record and memory. The options must be valid; nothing is counted yet. */
int um_heap_open(struct um_store *store, const struct um_heap_options *options, struct um_heap **heap,
                 struct um_fault *fault);

/* Makes a heap and its blocks stale. Its record stays until um_heap_announce(), to be called next. */
void um_heap_kill(struct um_store *store, struct um_heap *heap);

/* Tells of a heap that was killed, and settles it. */
void um_heap_announce(struct um_store *store, struct um_heap *heap);

/* Destroys the memory, then frees the record, of a destroyed heap as far as accounts and pins allow. */
void um_heap_settle(struct um_store *store, struct um_heap *heap);

/* ---- heap_lock.c ---- */

/* Ends the lock, however often it was taken, and tells nobody. */
void um_heap_drop_lock(struct um_heap *heap);

/* Ends all locks of an owner; then tells of those whose heaps are still there. */
void um_locks_drop_all(struct um_owner *owner);
void um_locks_announce(struct um_store *store, struct um_owner *owner);

/* ---- observe.c ---- */

/* Whether a heap, or everything, is observed. */
static inline bool um_heap_is_observed(const struct um_store *store, const struct um_heap *heap)
{
    return store->observes_all || heap->observed;
}

/* Raise events, where somebody listens. */
void um_tell_block_freed(const struct um_store *store, um_handle block, um_handle heap);
void um_tell_blocks_vanished(const struct um_store *store, um_handle heap);
void um_tell_heap_destroyed(const struct um_store *store, um_handle heap);
void um_tell_heap_unlocked(const struct um_store *store, um_handle heap);

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

static inline bool um_reclaim_is_due(const struct um_store *store)
{
    return !um_list_is_empty(&store->dead_accounts) || !um_list_is_empty(&store->closing_owners);
}

/* Reclaims a little, before a call that asks for more. */
static inline void um_reclaim_on_the_way(struct um_store *store)
{
    if (um_reclaim_is_due(store))
        um_store_reclaim(store, UM_RECLAIM_ON_THE_WAY);
}

#endif
