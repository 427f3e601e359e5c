/*
 * The words that all of the store shares: handles, lifetimes, flags, the facts of a failure, events and totals.
 *
 * Owns: nothing. Must not know: how the store keeps what it has.
 */
#ifndef UM_STORE_TYPES_H
#define UM_STORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/memory/heap_kinds.h"
#include "umem_errors.h"

/* A handle: kind, slot and generation in an integer from 1 to 2^53 - 1. 0 is never a handle. */
typedef uint64_t um_handle;

struct um_store;
struct um_heap;
struct um_block;
struct um_owner;
struct um_pin;
struct um_resize;
struct um_alloc;

enum um_lifetime { UM_LIFETIME_SERVER, UM_LIFETIME_SESSION };

/* The Win32 heap flags that the protocol speaks of, as a bit set (bits of our own, not Win32's). */
enum um_heap_flag {
    UM_FLAG_ZERO_MEMORY = 1 << 0,
    UM_FLAG_NO_SERIALIZE = 1 << 1,
    UM_FLAG_GENERATE_EXCEPTIONS = 1 << 2,
    UM_FLAG_CREATE_ENABLE_EXECUTE = 1 << 3,
    UM_FLAG_REALLOC_IN_PLACE_ONLY = 1 << 4
};

enum {
    UM_NAME_SIZE_LIMIT = 255 /* bytes in a name, without an end */
};

/* STATUS_NO_MEMORY: what Win32 documents that HeapAlloc raises under HEAP_GENERATE_EXCEPTIONS. */
#define UM_STATUS_NO_MEMORY UINT32_C(0xC0000017)

/* The facts of a failure, for the error's data. Members that do not apply are 0 or NULL. */
struct um_fault {
    um_handle heap;    /* the heap concerned */
    um_handle block;   /* the block concerned */
    const char *limit; /* static: which limit ("bytes", "blocks", "heaps", "maximum_size", ...) was reached */
    uint64_t maximum;  /* the limit's value, in the limit's own unit */
    uint64_t used;     /* how much of it is in use */
    uint64_t asked;    /* how much was asked for */
    uint32_t ntstatus; /* what Win32 documents for generate_exceptions (UM_STATUS_NO_MEMORY), else 0 */
    const char *param; /* static: what of that which was asked for does not fit; NULL: nothing to tell */
    const char *what;  /* static: what is wrong and what to do, without a full stop; NULL: the code's text */
};

/* The events of the store: things vanish, and locks end, so that waits and watches can end and a
 * queue for a lock can move on. An event is raised when all of what it is about has happened: handles are
 * stale and the counts are right. Where the end of an owner or a heap takes long, its events are raised piece by piece by
 * um_store_reclaim(). The callee may look things up, but must not call anything of the store that changes it: it notes what to do and
 * does it after the call that raised the event. Any of the functions may be NULL. um_store_free() raises no events. */
struct um_store_events {
    void *context; /* handed to the calls */

    /* A block was freed by itself where um_block_is_observed() said so; or a block that is observed itself
     * went with its heap or with its owner. */
    void (*block_freed)(void *context, um_handle block, um_handle heap);

    /* An owner's end took all its blocks of lifetime session out of a heap that is observed, as a heap or
     * with everything: raised once, however many they are. For those among them that are observed themselves,
     * block_freed is raised too. */
    void (*blocks_vanished)(void *context, um_handle heap);

    /* A heap that is observed, as a heap or with everything, is gone and its blocks with it. block_freed is raised only for those that
     * are observed themselves. */
    void (*heap_destroyed)(void *context, um_handle heap);

    /* The lock on a heap, whether observed or not, ended by the last um_heap_unlock() or with its owner; not
     * raised where the heap itself goes. */
    void (*heap_unlocked)(void *context, um_handle heap);
};

/* Totals. Bytes are block sizes as asked for. */
struct um_store_stats {
    uint64_t heaps;           /* the process heap counted */
    uint64_t blocks;          /* alive */
    uint64_t bytes;           /* in blocks alive */
    uint64_t peak_bytes;      /* most that bytes has been */
    uint64_t orphaned_blocks; /* alive, without a name and held by no open owner */
    uint64_t orphaned_bytes;
    uint64_t
        pinned_bytes; /* of blocks that are gone, whose memory is kept by pins; they count for bytes_limit, too */
    uint64_t holds; /* of owners on blocks that others made */
};

/* What a caller looks at in every turn. The store keeps it up to date; it stays where it is as long as the store. */
struct um_store_status {
    bool has_work;       /* um_store_reclaim() has something to do */
    bool is_large;       /* um_store_is_large(), as of the last um_store_set_time() */
    bool is_uncommitted; /* um_store_commit() is to be called before answers go out */
    uint64_t changes;    /* of durable heaps, in all: what an answer tells of has raised it */
    um_handle changed;   /* the heap that the last of them was made in */
    uint64_t failures;   /* durable heaps that could not be written, in all */
    bool turn_is_used;   /* um_store_set_time() has more to renew than the second */
};

#endif
