/*
 * What heaps are made of: one contract for each kind of memory. heap_win32.c and heap_posix.c fulfil it for
 * the kinds process and private, heap_shared.c for the kind shared; another kind is another table, not a case
 * in the store.
 *
 * Owns: the memory behind heaps. Must not know: handles, names, owners, maxima: the store asks for nothing
 * that its own table does not vouch for, and says with each address what the size and the alignment are.
 *
 * A size of 0 is allowed everywhere and gets an address of its own. `alignment` is a power of two from 16 to
 * 65536 and the same in all calls about one heap. Functions that may fail return false or NULL and have
 * changed nothing then.
 */
#ifndef UM_STORE_HEAP_OPS_H
#define UM_STORE_HEAP_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct um_heap_ops {
    /* destroy() gives the memory of all blocks back, so that they need not be freed one by one. */
    bool destroy_frees_blocks;

    /* validate() can look at the whole heap; otherwise it is asked about each block. */
    bool validates_whole;

    /* validate() also sees that somebody wrote past a block: then it is asked before a client may free or resize one. */
    bool checked_when_freed;

    /* Makes a heap. `initial_size` in bytes is a hint, see commit(); `maximum_size` 0 is growable, else the store never
     * asks for more. */
    bool (*create)(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory);

    /* Destroys a heap. Where destroy_frees_blocks is false, all its blocks were freed before. */
    void (*destroy)(void *memory);

    /* Allocates zeroed bytes. */
    void *(*alloc)(void *memory, uint64_t size, uint32_t alignment);

    /* Where not NULL, a large block may be allocated in pieces: reserve() is alloc() of bytes that may be anything and may
     * have no memory yet, of which nothing may be told; prepare() gets memory for `size` of them, `offset` into the block,
     * and makes them zero. */
    void *(*reserve)(void *memory, uint64_t size);
    bool (*prepare)(void *memory, void *address, uint64_t offset, uint64_t size);

    /* Likewise: extend() takes what lies behind a block, which has `old_size` until the bytes behind that are prepared; retract()
     * gives it up again. */
    bool (*extend)(void *memory, void *address, uint64_t old_size, uint64_t new_size);
    void (*retract)(void *memory, void *address, uint64_t old_size, uint64_t new_size);

    /* Gets memory for bytes of the heap in advance, of which create() got only as much as takes no time. Where it fails, what was
     * got stays so. NULL: create() did all of it. */
    bool (*commit)(void *memory, uint64_t offset, uint64_t size);

    /* Changes a block's size from `old_size` to `new_size`; bytes added are zero. *address changes where the
     * block had to be moved, which `in_place_only` forbids. May refuse to shrink in place too. */
    bool (*resize)(void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment,
                   bool in_place_only);

    /* Whether resize() moves a block of these sizes without copying its bytes. NULL: never. */
    bool (*moves_uncopied)(uint64_t old_size, uint64_t new_size, uint32_t alignment);

    void (*free)(void *memory, void *address, uint64_t size, uint32_t alignment);

    /* Whether free() gives the memory of a block of this size back to the system as it is, so that nobody finds its bytes. NULL:
     * never. */
    bool (*returns_pages)(uint64_t size);

    /* Makes the bytes of a block that is freed next unreadable for whoever gets its memory, or sees to it that free() does; with
     * reserve(), also where they were never prepared. NULL: memset() will do. */
    void (*wipe)(void *memory, void *address, uint64_t size);

    /* Whether a block, or the whole heap where `address` is NULL, is undamaged. NULL where the system cannot
     * tell. */
    bool (*validate)(void *memory, void *address, uint64_t size, uint32_t alignment);

    /* Joins what is free and gives it back, what takes long of it later, as leftovers. Returns the largest free range in bytes,
     * 0 where it is not known. */
    uint64_t (*compact)(void *memory);

    /* Tells how the heap's memory is used. NULL where that is not known. */
    void (*get_figures)(void *memory, struct um_heap_memory_stats *figures);

    /* Tells where other processes find a block. NULL where they cannot. */
    void (*locate)(void *memory, const void *address, struct um_place *place);
};

/* The kind shared, which is the same on all systems (shm.h is what differs). */
extern const struct um_heap_ops um_heap_shared;

/* The backend for a kind of heap, or NULL where this system has none. */
const struct um_heap_ops *um_heap_ops(enum um_heap_kind kind);

/* Whether free(), resize(), compact() and destroy() have left memory behind that the system is still to have back, for want
 * of time; and giving a piece of it back, which takes a millisecond or so. */
bool um_heap_private_purge_pending(void);
void um_heap_private_purge(void);

/* Lets go of what is kept for blocks to come, as far as it is nobody's. For the end of a store. */
void um_heap_private_end(void);

/* The same as um_heap_private_purge_pending() and um_heap_private_purge(), of the kind shared. */
bool um_heap_shared_purge_pending(void);
void um_heap_shared_purge(void);

/* How many heaps of kind shared were destroyed, but still have a file descriptor. Giving back makes them fewer. */
size_t um_heap_shared_ending(void);

/* What resize() of a backend with this alloc() and free() does where a block has to be moved: gets a new one, copies, frees the
 * old one. */
bool um_heap_move(void *(*alloc)(void *memory, uint64_t size, uint32_t alignment),
                  void (*free_block)(void *memory, void *address, uint64_t size, uint32_t alignment),
                  void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment);

/* How many heaps the system says that this process has, or 0 where it does not tell. */
uint32_t um_heap_private_system_heaps(void);

#endif
