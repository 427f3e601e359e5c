/*
 * The store: every heap and block that the daemon lends, their handles, names, owners and counts.
 *
 * Owns: the memory of all blocks, the tables behind handles and names, and the books (bytes, peaks, orphans).
 * Must not know: JSON, libuv, sockets, sessions (it knows owners: whoever opened one). One thread uses it.
 *
 * This header has the store as a whole, owners and heaps; block.h has what is done with blocks.
 *
 * Every function that can fail returns 0 or a code of umem_errors.h, changes nothing when it fails, and fills
 * *fault (where that is not NULL) with the facts. Pointers to heaps and blocks are good until the next call
 * that frees, destroys or closes something; what must live longer keeps the handle (or a pin) and looks it up
 * again.
 */
#ifndef UM_STORE_H
#define UM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* What a heap's memory is made of. */
enum um_heap_kind { UM_HEAP_PROCESS, UM_HEAP_PRIVATE, UM_HEAP_SHARED };

/* The Win32 heap flags that the protocol speaks of, as a bit set (bits of our own, not Win32's). */
enum um_heap_flag {
    UM_FLAG_ZERO_MEMORY = 1 << 0,
    UM_FLAG_NO_SERIALIZE = 1 << 1,
    UM_FLAG_GENERATE_EXCEPTIONS = 1 << 2,
    UM_FLAG_CREATE_ENABLE_EXECUTE = 1 << 3,
    UM_FLAG_REALLOC_IN_PLACE_ONLY = 1 << 4
};

enum {
    UM_NAME_SIZE_LIMIT = 255,    /* bytes in a name, without an end */
    UM_ALIGNMENT_MINIMUM = 16,   /* bytes; every block starts at a multiple of it */
    UM_ALIGNMENT_MAXIMUM = 65536 /* bytes; what a heap may ask for, a power of two */
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
    const char *what;  /* static: what is wrong and what to do, without a full stop; NULL: the code's text */
};

/* What a store is made with. Limits are inclusive. */
struct um_store_options {
    uint64_t bytes_limit;  /* bytes in all blocks together, and in memory of former ones that pins keep */
    uint32_t blocks_limit; /* blocks at one time; at most 2^26 - 2 */
    uint32_t heaps_limit;  /* heaps at one time, the process heap not counted */
    uint32_t shared_heaps_limit; /* of these, how many of kind shared: each may take a file descriptor */
    uint64_t owner_bytes_limit;  /* likewise for the blocks that one open owner has made; 0: as bytes_limit */
    uint64_t holds_limit;        /* holds of owners on blocks that others made; 0: any number */
    bool guard;                  /* private heaps have guard bytes on both sides of each block (guard.h) */
    bool wipe;                   /* memory is cleared when it is let go */
    uint64_t seed; /* random bits: where the first generation begins, and the name table's hash */
};

/* What the store tells of things that vanish and of locks that end, so that waits and watches can end and a
 * queue for a lock can move on. An event is raised when all of what it is about has happened: handles are
 * stale and the counts are right. Where an owner's end or a heap's takes much, its events are raised piece by
 * piece by um_store_reclaim(). The callee may look things
 * up, but must not call anything of the store that changes it: note what to do and do it after the call that
 * raised the event. Any of the functions may be NULL. um_store_free() raises no events. */
struct um_store_events {
    void *context; /* handed to the calls */

    /* A block was freed by itself where um_block_is_observed() said so; or a block that is observed itself
     * went with its heap or with its owner. */
    void (*block_freed)(void *context, um_handle block, um_handle heap);

    /* An owner's end took all its blocks of lifetime session out of a heap that is observed, as a heap or
     * with everything: told once, however many they are. Those among them that are observed themselves are
     * told by block_freed besides. */
    void (*blocks_vanished)(void *context, um_handle heap);

    /* A heap that is observed, as a heap or with everything, is gone and its blocks with it: those that are
     * not observed themselves are not told one by one. */
    void (*heap_destroyed)(void *context, um_handle heap);

    /* The lock on a heap, whether observed or not, ended by the last um_heap_unlock() or with its owner; not
     * told where the heap itself goes. */
    void (*heap_unlocked)(void *context, um_handle heap);
};

/* The books. Bytes are block sizes as asked for. */
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

/* ---- the store ---- */

/* Makes a store with the process heap in it. Returns UMEM_E_NO_MEMORY when memory runs out. */
int um_store_new(const struct um_store_options *options, struct um_store **store);

/* Frees every block and heap and the store, and raises no events. Owners and pins must be closed and released
 * before. NULL is fine. */
void um_store_free(struct um_store *store);

void um_store_set_events(struct um_store *store, const struct um_store_events *events);

/* Removes the shared memory objects that daemons of this user left behind when they were killed, for a daemon's start.
 * Those of stores that are in use stay. Returns how many were removed. */
size_t um_store_remove_stale_objects(void);

/* Observes everything, or ends that; what is observed by itself stays so. A flag, not a count. */
void um_store_observe_all(struct um_store *store, bool observe);

void um_store_get_stats(const struct um_store *store, struct um_store_stats *stats);

/* Tells the store the time: seconds since 1970-01-01 UTC, for `created`. To be called once a turn of the loop:
 * it also begins anew what calls may do in one turn of work that heaps and owners leave behind. */
void um_store_set_time(struct um_store *store, int64_t unix_seconds);

/* Does up to `budget` pieces of the work that destroying heaps and closing owners left behind (a piece is
 * about one block). Returns whether more is left. Nothing that clients see waits for it, but memory and slots
 * come back with it, and free memory goes back to the system. Calls that allocate do a few pieces too, and
 * before they fail for want of memory as many as a turn has time for. */
bool um_store_reclaim(struct um_store *store, size_t budget);

/* Whether um_store_reclaim() has something to do. Any call that frees, destroys, closes or resizes may bring it
 * about. */
bool um_store_has_work(const struct um_store *store);

/* ---- owners: who made what ---- */

struct um_owner_options {
    uint64_t id;         /* the session's number, from 1, never reused */
    int64_t pid;         /* process id, or 0 where it is not known */
    const char *program; /* name of the program, copied; NULL or "" where it is not known */
    const char *user;    /* name of the user, copied; NULL or "" where it is not known */
};

/* What can be told of an owner, open or closed. */
struct um_owner_info {
    uint64_t id;
    int64_t pid;
    const char *program; /* "" where not known */
    const char *user;    /* "" where not known */
    bool open;
    uint64_t blocks; /* alive blocks that it made */
    uint64_t bytes;
    uint64_t heaps;        /* alive heaps that it made */
    uint64_t shared_heaps; /* those among them of kind shared */
    uint64_t holds;        /* that it has on blocks that others made */
};

int um_owner_open(struct um_store *store, const struct um_owner_options *options, struct um_owner **owner);

/* Ends an owner: frees its blocks and destroys its heaps of lifetime session, ends its holds, and last unlocks
 * its heaps. What it made and left is remembered with its pid and program until the last such block or heap is
 * gone. What has lifetime session is stale at once, however much there is. All else takes effect at once where
 * it is up to 4,096 heaps, accounts (what it has in one heap with one lifetime), holds and locks, of all owners
 * that end between two calls of um_store_set_time(); more is ended by um_store_reclaim(), and counts until
 * then. NULL is fine. */
void um_owner_close(struct um_store *store, struct um_owner *owner);

void um_owner_get_info(const struct um_owner *owner, struct um_owner_info *info);

/* ---- heaps ---- */

struct um_heap_options {
    enum um_heap_kind kind; /* private or shared */
    uint32_t flags;         /* of enum um_heap_flag; create_enable_execute is UMEM_E_DENIED */
    uint64_t initial_size; /* bytes to commit at once, a hint; at most the maximum and the free bytes_limit */
    uint64_t maximum_size; /* bytes in all its blocks together; 0: growable, which a shared heap cannot be */
    uint32_t alignment;    /* bytes, a power of two from 16 to 65536; 0 means 16 */
    const char *name;      /* 1 to 255 bytes, copied; NULL: none */
    enum um_lifetime lifetime; /* session: destroyed when its owner ends */
};

struct um_heap_info {
    um_handle heap;
    const char *name; /* NULL: none; good as long as the heap's pointer */
    enum um_heap_kind kind;
    uint32_t flags;
    uint64_t initial_size;
    uint64_t maximum_size;
    uint32_t alignment;
    uint64_t blocks;
    uint64_t bytes;
    uint64_t peak_bytes;
    enum um_lifetime lifetime;
    const struct um_owner *owner;     /* NULL: the daemon itself (the process heap) */
    const struct um_owner *locked_by; /* NULL: not locked */
};

/* How the memory of a shared heap is used. A block takes up a multiple of the heap's alignment. */
struct um_heap_memory_stats {
    uint64_t reserved;     /* bytes of the shared memory object: the maximum, rounded up */
    uint64_t committed;    /* bytes of it that the system has promised memory for */
    uint64_t free_bytes;   /* bytes in no block */
    uint64_t free_ranges;  /* pieces that they lie in */
    uint64_t largest_free; /* bytes in the largest piece */
    bool corrupted;        /* a client has taken memory away from the object */
};

/* Where other processes find a block of a shared heap. Texts are good as long as the heap. */
struct um_place {
    const char *name; /* of the shared memory object */
    const char *path; /* of the file that it is; NULL: it is none */
    uint64_t offset;  /* bytes from its start */
};

/* Looks up a heap. UMEM_E_STALE_HANDLE for one that was destroyed, UMEM_E_UNKNOWN_HANDLE for one never given
 * out or of the other kind (fault->what says which). */
int um_store_find_heap(struct um_store *store, um_handle handle, struct um_heap **heap,
                       struct um_fault *fault);

/* Looks up a heap by name ("process" is the process heap), else UMEM_E_UNKNOWN_HANDLE. */
int um_store_find_heap_by_name(struct um_store *store, const char *name, struct um_heap **heap,
                               struct um_fault *fault);

struct um_heap *um_store_process_heap(struct um_store *store);

/* How many heaps the operating system says the process has (GetProcessHeaps), or 0 where it does not tell. */
uint32_t um_store_system_heaps(const struct um_store *store);

int um_heap_create(struct um_store *store, struct um_owner *owner, const struct um_heap_options *options,
                   struct um_heap **heap, struct um_fault *fault);

/* Gets up to `budget` bytes of a heap's initial_size from the system, from *done on, which grows: um_heap_create() gets only what takes
 * no time. *more tells whether it must be called again. UMEM_E_NO_MEMORY: the heap stays, with as much as there was. */
int um_heap_commit_step(struct um_heap *heap, uint64_t budget, uint64_t *done, bool *more,
                        struct um_fault *fault);

/* Destroys a heap and all its blocks; the process heap is UMEM_E_DENIED. Handles are stale at once, the
 * memory of blocks that are pinned stays until they are released. *blocks and *bytes tell what went with
 * it. */
int um_heap_destroy(struct um_store *store, struct um_heap *heap, uint64_t *blocks, uint64_t *bytes,
                    struct um_fault *fault);

void um_heap_get_info(const struct um_heap *heap, struct um_heap_info *info);
um_handle um_heap_handle(const struct um_heap *heap);

/* Returns false where the heap is of a kind that does not know. */
bool um_heap_get_memory_stats(const struct um_heap *heap, struct um_heap_memory_stats *figures);

/* The next heap after `after` (0: the first) in order of slots, or NULL. `after` need not be alive any more. Looks
 * at no more than *budget slots and counts them down; NULL with *next set where it stopped early, else *next is
 * 0. */
struct um_heap *um_store_next_heap(struct um_store *store, um_handle after, size_t *budget, um_handle *next);

/* Validates one block of a heap: HeapValidate where there is one, and our own books. UMEM_E_CORRUPTED, or
 * UMEM_E_INVALID_PARAMS where the block is in another heap. */
int um_heap_validate(struct um_store *store, struct um_heap *heap, struct um_block *block,
                     struct um_fault *fault);

/* How far the validation of a whole heap has come. Anything may happen to the heap between two steps. */
struct um_heap_check {
    um_handle heap;   /* which one */
    um_handle after;  /* the block, dead perhaps, up to which all is looked at; 0: none yet */
    uint64_t changes; /* the heap's count of changes when it began: the sums are compared if it stays */
    uint64_t blocks;  /* seen so far */
    uint64_t bytes;   /* in the blocks seen */
};

/* Begins to validate a heap. Nothing is allocated: a check may be dropped at any time. */
void um_heap_check_begin(struct um_heap_check *check, const struct um_heap *heap);

/* Looks at up to `budget` slots, those of other heaps' blocks among them, and tells in *more whether it must
 * be called again. The last step also compares the heap's counts, unless the heap has changed since the check
 * began, and has the system look at the heap as a whole, where it can: that part takes as long as it takes.
 * UMEM_E_CORRUPTED with fault->block the first damaged one where it can be told; UMEM_E_STALE_HANDLE where
 * the heap was destroyed in between. After an error the check is of no more use, and *more is unchanged. A
 * block made in between may be left out. */
int um_heap_check_step(struct um_store *store, struct um_heap_check *check, size_t budget, bool *more,
                       struct um_fault *fault);

/* HeapCompact where there is one; elsewhere what is free goes back to the system by um_store_reclaim().
 * *largest_free is the largest committed free range in bytes, 0 where it is not known. */
int um_heap_compact(struct um_store *store, struct um_heap *heap, uint64_t *largest_free,
                    struct um_fault *fault);

/* Locks for an owner, so that um_heap_check_lock() refuses others. Locking again by the same owner counts (as
 * HeapLock does). UMEM_E_LOCKED where another has it. */
int um_heap_lock(struct um_heap *heap, struct um_owner *owner, struct um_fault *fault);

/* Undoes one um_heap_lock(); the last raises heap_unlocked. UMEM_E_DENIED where this owner has no lock. */
int um_heap_unlock(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   struct um_fault *fault);

/* 0, or UMEM_E_LOCKED where another owner than this one has the heap locked. */
int um_heap_check_lock(const struct um_heap *heap, const struct um_owner *owner, struct um_fault *fault);

/* Observes a heap with all its blocks, or ends that; blocks observed by themselves stay so. A flag. */
void um_heap_observe(struct um_heap *heap);
void um_heap_unobserve(struct um_heap *heap);

#endif
