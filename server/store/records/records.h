/*
 * The store's records: what it keeps of owners, heaps, accounts and blocks, and how one leads to another.
 * Only the store itself and its tests include this.
 *
 * Owns: their layout. Must not know: what is done with them.
 *
 * How usage is counted: every block belongs to one account, and an account is all that one owner has in one
 * heap with one lifetime. A block is alive while its account, its heap and, with lifetime session, its owner
 * are: so that a heap and an owner end at once. Taking accounts out of the usage, raising the events of what
 * was observed and freeing what is left of the blocks is done piece by piece (reclaim.c).
 */
#ifndef UM_STORE_RECORDS_H
#define UM_STORE_RECORDS_H

#include "base/attributes.h"
#include "base/index.h"
#include "base/list.h"
#include "store/memory/heap_memory.h"
#include "store/records/handles.h"
#include "store/records/names.h"
#include "store/records/store_types.h"

/* Why a block is not orphaned, if it is not. */
enum um_ownership {
    UM_OWNERSHIP_NONE,  /* orphaned */
    UM_OWNERSHIP_MAKER, /* only by its maker, who is open: orphaned when that ends */
    UM_OWNERSHIP_KEPT,  /* by a name, or another owner's hold */
    UM_OWNERSHIP_COUNT
};

struct um_usage {
    uint64_t blocks;
    uint64_t bytes; /* sizes as asked for */
};

/* All that one owner has in one heap with one lifetime. */
struct um_account {
    struct um_slot slot;
    struct um_heap *heap;      /* where its blocks are */
    struct um_owner *owner;    /* who made them */
    uint32_t first;            /* slot of its first block, or UM_SLOT_NONE */
    uint32_t waiting;          /* struct um_durable_change that may bring blocks back to it: it stays */
    enum um_lifetime lifetime; /* of its blocks */
    bool owner_open;           /* the owner has not ended */
    bool dead; /* not counted any more; its blocks wait for their events and to be reclaimed */
    uint64_t
        journal_epoch; /* of a durable heap: the file of the journal in which the owner was noted; 0: in none */
    bool vanished;     /* um_store_events.blocks_vanished is still to be raised */
    struct um_index_node node; /* place in um_store.account_index */
    struct um_link in_heap;    /* place in um_heap.accounts */
    struct um_link in_owner;   /* place in um_owner.accounts */
    struct um_link in_dead;    /* place in um_store.accounts_with_events, then in um_store.dead_accounts */
    struct um_link observed;   /* list of um_block_extra.in_observed */
    struct um_usage usage[UM_OWNERSHIP_COUNT]; /* its live blocks, by ownership; all zero once it is dead */
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
    struct um_index_node node; /* place in um_store.holds, by block and owner */
    struct um_link in_block;   /* place in um_block_extra.holds */
    struct um_link in_owner;   /* place in um_owner.holds */
    struct um_block *block;
    struct um_owner *owner;
};

/* A block's memory that must stay. All pins on the same memory are one of these. */
struct um_pin {
    struct um_store *store;
    struct um_heap *heap;
    struct um_block
        *block; /* NULL once the memory is not the block's any more: then it is the pin's to free */
    struct um_owner *owner; /* whose block it was, for whom the memory counts; NULL while it is the block's */
    void *address;          /* the memory */
    uint64_t size;          /* bytes */
    uint32_t count;         /* um_pin_new() calls not yet released */
};

/* A resize in steps. It moves the block, or waits to begin: at first where another moves it, and again after
 * the block was resized otherwise. */
struct um_resize {
    struct um_store *store;
    struct um_heap *heap;   /* of the block */
    um_handle handle;       /* of the block, which may be gone */
    struct um_block *block; /* that is being moved; NULL: it waits */
    unsigned char *address; /* the memory that the block moves to; or its own, where that is extended */
    uint64_t size;          /* bytes, of that memory */
    uint64_t extended_from; /* bytes that the block has, where its memory is extended; else 0 */
    bool extends;           /* it stays where it is, and what lies behind it is prepared */
    uint64_t
        copied; /* first bytes that are the same in both memories or, past the block's end, zero in the new */
    uint64_t reserved; /* bytes by which the block grows, in um_heap.reserved and um_store.reserved */
    uint32_t flags;    /* as for um_block_resize() */
};

struct um_heap {
    struct um_slot slot;
    struct um_durable *durable; /* of a durable heap that is in use; else NULL */
    const struct um_heap_ops *ops;
    void *memory;               /* that ops is for; good while memory_open */
    struct um_name *name;       /* NULL: none */
    struct um_owner *owner;     /* who made it; NULL for the process heap and once it is destroyed */
    struct um_owner *locked_by; /* NULL: not locked */
    struct um_link
        in_owner; /* place in um_owner.heaps or .kept_heaps; once destroyed, in um_store.ending_heaps, then .heaps_with_events */
    struct um_link in_locks;  /* place in um_owner.locks; unlocked by its end, in um_store.unlocked_heaps */
    struct um_link accounts;  /* list of um_account.in_heap, dead ones last */
    uint64_t initial_size;    /* bytes, as asked for */
    uint64_t maximum_size;    /* bytes; 0: growable */
    uint64_t blocks;          /* alive */
    uint64_t bytes;           /* in live blocks */
    uint64_t peak_bytes;      /* most that bytes has been */
    uint64_t calls;           /* that were about it or its blocks */
    uint64_t touched_bytes;   /* that these were about */
    uint32_t used_seconds;    /* since 1970: when the last of them was; 0: there was none */
    struct um_usage orphaned; /* those of its live blocks that are orphaned */
    uint64_t reserved; /* bytes by which blocks that are being moved will grow, and of blocks to come */
    uint64_t changes;  /* grows whenever blocks or bytes are touched */
    uint64_t
        kept_bytes; /* once destroyed, in um_store_stats.pinned_bytes: its blocks', if their memory is freed all at once */
    enum um_heap_kind kind;
    enum um_lifetime lifetime;
    uint32_t flags;      /* of enum um_heap_flag */
    uint32_t alignment;  /* bytes */
    uint32_t lock_count; /* how often locked_by has locked it */
    uint32_t pins;       /* um_pin, um_resize and um_alloc objects on its memory */
    bool observed;       /* um_heap_observe() was asked for */
    bool destroyed;      /* stale, not counted any more; the record waits until accounts and pins are gone */
    bool memory_open;    /* ops->destroy has not been called */
    bool is_durable;     /* it outlives the daemon */
    bool is_lost;        /* durable, but its files are damaged: it can only be looked at */
    bool was_observed;   /* when it was destroyed: um_store_events.heap_destroyed is still to be raised */
};

/* What is done next of an owner's end. */
enum um_owner_stage {
    UM_OWNER_OPEN,
    UM_OWNER_ENDS_HEAPS,    /* those of lifetime session are destroyed */
    UM_OWNER_ENDS_ACCOUNTS, /* blocks of lifetime session go, others are orphaned */
    UM_OWNER_ENDS_HOLDS,
    UM_OWNER_ENDS_LOCKS, /* last: whoever is granted a lock then sees nothing of the owner any more */
    UM_OWNER_ENDED
};

struct um_owner {
    struct um_slot slot;
    uint64_t id;
    int64_t pid;
    char *program; /* one allocation with `user` behind it */
    char *user;
    struct um_link accounts;            /* list of um_account.in_owner */
    struct um_link heaps;               /* list of um_heap.in_owner: made by it and not destroyed */
    struct um_link kept_heaps;          /* likewise, once it ends: those that stay */
    struct um_link locks;               /* list of um_heap.in_locks: locked by it */
    struct um_link holds;               /* list of um_hold.in_owner */
    struct um_link in_closing;          /* place in um_store.closing_owners */
    struct um_usage made;               /* live blocks that it made */
    struct um_usage pinned;             /* memory of former ones that pins keep */
    uint64_t hold_count;                /* length of `holds` */
    uint32_t heap_count[UM_HEAP_KINDS]; /* length of `heaps`, by kind */
    struct um_account
        *recent; /* the account used last: found first, and the only one kept while it is empty */
    enum um_owner_stage stage;
    bool open;
};

struct um_store {
    struct um_slots blocks;
    struct um_slots heaps;
    struct um_slots accounts;
    struct um_slots owners;
    struct um_index account_index; /* accounts by heap, owner and lifetime */
    struct um_index holds;         /* of all owners, by block and owner */
    struct um_names block_names;
    struct um_names heap_names;
    struct um_link accounts_with_events; /* list of um_account.in_dead: events to raise */
    struct um_link dead_accounts;        /* list of um_account.in_dead: blocks to reclaim */
    struct um_link heaps_with_events;    /* list of um_heap.in_owner: destroyed, the event is to be raised */
    struct um_link
        unlocked_heaps; /* list of um_heap.in_locks: unlocked by their owner's end, the event is to be raised */
    struct um_link ending_heaps;   /* list of um_heap.in_owner: accounts to take out of the usage */
    struct um_link closing_owners; /* list of um_owner.in_closing: what they had is to end */
    unsigned urgent_left;          /* how often calls that want memory or slots may reclaim in this turn */
    size_t
        ends_left; /* pieces of that which calls may do in this turn, rather than leave them to reclaiming */
    struct um_heap *process;
    struct um_state *state; /* where durable heaps are kept; NULL: there are none */
    uint64_t last_owner_id; /* the highest of those that were restored */
    const struct um_heap_ops *heap_ops[UM_HEAP_KINDS]; /* by kind; NULL: not supported */
    struct um_store_events events;
    struct um_store_stats stats;
    struct um_store_status status;
    struct um_purge_watcher purge_watcher; /* sets status.has_work */
    uint64_t bytes_limit;
    uint64_t owner_bytes_limit; /* 0: none */
    uint64_t holds_limit;       /* 0: none */
    uint64_t reserved;       /* bytes by which blocks that are being moved will grow; all heaps' together */
    uint64_t copied_at_once; /* bytes that a resize may copy in one go */
    uint64_t
        cleared_at_once; /* bytes that an allocation may commit and clear in one go, where that takes time */
    uint64_t grown_at_once; /* bytes by which a resize may grow a block in one go that has to be cleared */
    uint64_t large_blocks;  /* with so many blocks um_store_prefetch() is worth its time */
    uint32_t blocks_limit;
    uint32_t heaps_limit;
    uint32_t shared_heaps_limit;
    uint32_t shared_heaps; /* of which the memory is there, also where they are destroyed already */
    uint32_t now_seconds;  /* since 1970 */
    bool observes_all;     /* um_store_observe_all() was asked for */
    bool wipes;            /* memory is cleared when it is freed */
};

#define UM_BYTES_MAXIMUM \
    ((UINT64_C(1) << 53) - 1) /* bytes in all blocks, whatever the limit says: sums cannot overflow */

/* Bytes: as much as any call does at once; and by how much a shared block may grow where it is at once, which is a matter of a
 * few milliseconds too: the system's pages are zero. */
enum { UM_COPIED_AT_ONCE = 1024 * 1024, UM_GROWN_AT_ONCE = 16 * UM_COPIED_AT_ONCE };

/* Blocks whose records alone are megabytes, more than caches hold. */
enum { UM_LARGE_BLOCKS = 100000 };

UM_ALWAYS_INLINE struct um_account *um_account_of(const struct um_store *store, const struct um_block *block)
{
    return um_slots_at(&store->accounts, block->account);
}

/* A call is about the heap or one of its blocks. */
UM_ALWAYS_INLINE void um_heap_count_call(const struct um_store *store, struct um_heap *heap)
{
    heap->calls++;
    heap->used_seconds = store->now_seconds;
}

/* What ends is stale at once, however much it is; it leaves the usage piece by piece. */
UM_ALWAYS_INLINE bool um_heap_is_alive(const struct um_heap *heap)
{
    return !heap->destroyed && (heap->lifetime == UM_LIFETIME_SERVER || heap->owner->open);
}

UM_ALWAYS_INLINE bool um_account_is_alive(const struct um_account *account)
{
    return !account->dead && (account->lifetime == UM_LIFETIME_SERVER || account->owner->open) &&
           um_heap_is_alive(account->heap);
}

/* Whether a heap, or everything, is observed. */
UM_ALWAYS_INLINE bool um_heap_is_observed(const struct um_store *store, const struct um_heap *heap)
{
    return store->observes_all || heap->observed;
}

UM_ALWAYS_INLINE bool um_block_is_alive(const struct um_store *store, const struct um_block *block)
{
    return um_account_is_alive(um_account_of(store, block));
}

UM_ALWAYS_INLINE struct um_block_links *um_links_of(const struct um_store *store, uint32_t slot)
{
    return um_slots_aside(&store->blocks, slot);
}

/* What few blocks have, or NULL. */
UM_ALWAYS_INLINE struct um_block_extra *um_extra_of(const struct um_block *block)
{
    return (block->memory & UM_BLOCK_HAS_EXTRA) != 0 ? (void *)(block->memory - UM_BLOCK_HAS_EXTRA) : NULL;
}

/* What HEAP_GENERATE_EXCEPTIONS would have raised, or 0 where neither the heap nor the call has that flag. */
static inline uint32_t um_block_ntstatus(const struct um_heap *heap, uint32_t flags)
{
    return ((heap->flags | flags) & UM_FLAG_GENERATE_EXCEPTIONS) != 0 ? UM_STATUS_NO_MEMORY : 0;
}

/* Appends to one of the lists of what um_store_reclaim() has to do. */
static inline void um_store_add_work(struct um_store *store, struct um_link *list, struct um_link *link)
{
    um_list_append(list, link);
    store->status.has_work = true;
}

UM_ALWAYS_INLINE unsigned char *um_address_of(const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    return extra != NULL ? extra->address : (void *)block->memory;
}

#endif
