/*
 * The operations on heap memory: one struct of functions for each kind of memory. Another kind is another struct, not a case in
 * the store.
 *
 * Owns: the memory of heaps. Must not know: handles, names, owners, maxima. The store passes only addresses that its own table
 * vouches for, and with each address the size and the alignment.
 *
 * A size of 0 is allowed everywhere and gets an address of its own. `alignment` is a power of two from 16 to 65536 and the same in
 * all calls about one heap. A function that fails returns false or NULL and has changed nothing. Memory that is free but not yet
 * returned to the system is announced with um_purge_set_listed() or
 * um_purge_set_pending() (purge.h).
 */
#ifndef UM_STORE_HEAP_OPS_H
#define UM_STORE_HEAP_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/memory/heap_kinds.h"

struct um_heap_ops {
    /* destroy() frees the memory of all blocks, so that they need not be freed one by one. */
    bool destroy_frees_blocks;

    /* validate() can look at the whole heap; otherwise it is called for each block. */
    bool validates_whole;

    /* validate() also detects writes past a block: then it is called before a client may free or resize one. */
    bool checked_when_freed;

    /* Makes a heap. `initial_size` in bytes is a hint, see commit(); `maximum_size` 0 is growable, else the store never
     * asks for more. */
    bool (*create)(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory);

    /* Destroys a heap. Where destroy_frees_blocks is false, all its blocks were freed before. */
    void (*destroy)(void *memory);

    /* Allocates zeroed bytes. */
    void *(*alloc)(void *memory, uint64_t size, uint32_t alignment);

    /* Where not NULL, a large block may be allocated in pieces. reserve() allocates bytes that may hold anything and may have no
     * memory yet: their contents must not be shown to clients. prepare() provides memory for `size` of them, `offset` into the
     * block, and makes them zero. */
    void *(*reserve)(void *memory, uint64_t size);
    bool (*prepare)(void *memory, void *address, uint64_t offset, uint64_t size);

    /* Likewise: extend() takes what lies behind a block, which has `old_size` until the bytes behind that are prepared;
     * retract() undoes it. */
    bool (*extend)(void *memory, void *address, uint64_t old_size, uint64_t new_size);
    void (*retract)(void *memory, void *address, uint64_t old_size, uint64_t new_size);

    /* Commits bytes of the heap in advance; create() has committed only what takes no time. Where it fails, what was committed
     * stays so. NULL: create() did all of it. */
    bool (*commit)(void *memory, uint64_t offset, uint64_t size);

    /* Changes a block's size from `old_size` to `new_size`; bytes added are zero. *address changes where the
     * block had to be moved, which `in_place_only` forbids. May refuse to shrink in place too. */
    bool (*resize)(void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment,
                   bool in_place_only);

    /* Whether resize() moves a block of these sizes without copying its bytes. NULL: never. */
    bool (*moves_uncopied)(uint64_t old_size, uint64_t new_size, uint32_t alignment);

    void (*free)(void *memory, void *address, uint64_t size, uint32_t alignment);

    /* Whether free() returns the memory of a block of this size to the system without clearing it, so that no
     * later block shows its bytes. NULL: never. */
    bool (*returns_pages)(uint64_t size);

    /* Makes the bytes of a block that is freed next unreadable for the memory's next user, or has free() do that; with
     * reserve(), also where they were never prepared. NULL: memset() will do. */
    void (*wipe)(void *memory, void *address, uint64_t size);

    /* Whether a block, or the whole heap where `address` is NULL, is undamaged. NULL where the system cannot
     * say. */
    bool (*validate)(void *memory, void *address, uint64_t size, uint32_t alignment);

    /* Marks all free memory for return to the system, however little it is and however lately it was freed. Takes no time. NULL:
     * compact_step() needs no mark. */
    void (*compact_start)(void *memory);

    /* Returns a piece of what is marked, which takes about a millisecond, and says whether there is more. With the last piece,
     * *largest_free is the largest free range in bytes, 0 where it is not known. Between two steps anything else may be called. */
    bool (*compact_step)(void *memory, uint64_t *largest_free);

    /* Fills in how the heap's memory is used, from counters: takes no longer for more blocks. NULL where that is not known. */
    void (*get_stats)(void *memory, struct um_heap_memory_stats *stats);

    /* Bytes that a block takes up: what lies behind its size is no other block's. NULL: that is not known. */
    uint64_t (*capacity)(void *memory, const void *address, uint64_t size, uint32_t alignment);

    /* Fills in where other processes find a block. NULL where they cannot. */
    void (*locate)(void *memory, const void *address, struct um_place *place);
};

/* What resize() of a kind may do where a block has to be moved: allocates another one, copies, frees the old one. */
bool um_heap_move(const struct um_heap_ops *ops, void *memory, void **address, uint64_t old_size,
                  uint64_t new_size, uint32_t alignment);

#endif
