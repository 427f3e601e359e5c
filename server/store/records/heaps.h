/*
 * Heaps: made, found, listed, described, compacted, destroyed.
 *
 * Owns: the records of heaps. Must not know: what their memory is made of (heap_ops.h).
 */
#ifndef UM_STORE_HEAPS_H
#define UM_STORE_HEAPS_H

#include "store/records/store_types.h"

struct um_heap_options {
    enum um_heap_kind kind; /* private or shared */
    uint32_t flags;         /* of enum um_heap_flag; create_enable_execute is UMEM_E_DENIED */
    uint64_t initial_size; /* bytes to commit at once, a hint; at most the maximum and the free bytes_limit */
    uint64_t maximum_size; /* bytes in all its blocks together; 0: growable, which a shared heap cannot be */
    uint32_t alignment;    /* bytes, a power of two from 16 to 65536; 0 means 16 */
    const char *name;      /* 1 to 255 bytes, copied; NULL: none */
    enum um_lifetime lifetime; /* session: destroyed when its owner ends */
    bool is_durable; /* it outlives the daemon: of kind shared, with a maximum size and lifetime server */
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
    uint64_t calls;         /* that were about it or its blocks */
    uint64_t touched_bytes; /* of um_block_note_bytes() and um_heap_note_bytes() */
    int64_t last_used;      /* seconds since 1970-01-01 UTC; 0: there were none */
    enum um_lifetime lifetime;
    bool is_durable;                  /* it outlives the daemon */
    bool is_corrupted;                /* its files are damaged, and it cannot be used */
    const struct um_owner *owner;     /* NULL: the daemon itself (the process heap) */
    const struct um_owner *locked_by; /* NULL: not locked */
};

/* Looks up a heap. UMEM_E_STALE_HANDLE for one that was destroyed, UMEM_E_UNKNOWN_HANDLE for one never given
 * out or of the other kind (fault->what says which). */
int um_store_find_heap(struct um_store *store, um_handle handle, struct um_heap **heap,
                       struct um_fault *fault);

/* Looks up a heap by name ("process" is the process heap), else UMEM_E_UNKNOWN_HANDLE. */
int um_store_find_heap_by_name(struct um_store *store, const char *name, struct um_heap **heap,
                               struct um_fault *fault);

struct um_heap *um_store_process_heap(struct um_store *store);

/* Whether there may be such a heap, whatever there is already: what um_heap_create() begins with. */
int um_heap_check_options(const struct um_store *store, const struct um_heap_options *options,
                          struct um_fault *fault);

/* How many heaps the operating system says the process has (GetProcessHeaps), or 0 where it does not say. */
uint32_t um_store_system_heaps(const struct um_store *store);

int um_heap_create(struct um_store *store, struct um_owner *owner, const struct um_heap_options *options,
                   struct um_heap **heap, struct um_fault *fault);

/* Commits up to `budget` bytes of a heap's initial_size, from *done on, which grows: um_heap_create() commits only what takes no time.
 * *more says whether it must be called again. UMEM_E_NO_MEMORY: the heap stays, with as much as there was. */
int um_heap_commit_step(struct um_heap *heap, uint64_t budget, uint64_t *done, bool *more,
                        struct um_fault *fault);

/* Destroys a heap and all its blocks; the process heap is UMEM_E_DENIED, and so is a durable one whose files are damaged; UMEM_E_NO_MEMORY and
 * UMEM_E_CORRUPTED where that cannot be noted of a durable heap. Handles are stale at once, the
 * memory of blocks that are pinned stays until they are released. *blocks and *bytes say what went with
 * it. */
int um_heap_destroy(struct um_store *store, struct um_heap *heap, uint64_t *blocks, uint64_t *bytes,
                    struct um_fault *fault);

void um_heap_get_info(const struct um_heap *heap, struct um_heap_info *info);
um_handle um_heap_handle(const struct um_heap *heap);

/* Counts a call that is about the heap or one of its blocks, and was not counted by um_owner_use_block(). */
void um_heap_note_call(const struct um_store *store, struct um_heap *heap);

/* Counts bytes that a call brings for a new block. */
void um_heap_note_bytes(struct um_heap *heap, uint64_t bytes);

/* Returns false where that is not known of this kind of heap. */
bool um_heap_get_memory_stats(const struct um_heap *heap, struct um_heap_memory_stats *figures);

/* The next heap after `after` (0: the first) in order of slots, or NULL. `after` need not be alive any more. Looks
 * at no more than *budget slots and counts them down; NULL with *next set where it stopped early, else *next is
 * 0. */
struct um_heap *um_store_next_heap(struct um_store *store, um_handle after, size_t *budget, um_handle *next);

/* Joins and returns to the system what is free in a heap, in steps of about a millisecond: what is free when it starts, however lately it
 * was freed. Win32's HeapCompact is one step. */
void um_heap_compact_start(struct um_heap *heap);

/* Returns whether there is more. With the last step, *largest_free is the largest free range in bytes, of a Win32 heap the largest
 * committed one; 0 where it is not known. */
bool um_heap_compact_step(struct um_heap *heap, uint64_t *largest_free);

/* ---- inside the store ---- */

/* Makes a heap's record and memory, for `maker` (NULL: the daemon). The options must be valid; nothing is counted yet. */
int um_heap_open(struct um_store *store, const struct um_heap_options *options, const struct um_owner *maker,
                 struct um_heap **heap, struct um_fault *fault);

#endif
