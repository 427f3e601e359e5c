/*
 * What allocating and resizing a block have in common: the quotas that its bytes count for, and memory, if need be by reclaiming.
 *
 * Owns: nothing. Must not know: records of blocks.
 */
#ifndef UM_STORE_BLOCK_MEMORY_H
#define UM_STORE_BLOCK_MEMORY_H

#include "store/records/records.h"

/* Whether an owner may have `asked` more bytes, in a heap: 0 or UMEM_E_LIMIT_EXCEEDED. */
int um_block_check_owner(const struct um_store *store, const struct um_heap *heap,
                         const struct um_owner *owner, uint64_t asked, struct um_fault *fault);

/* Whether `asked` more bytes of an owner's fit: 0, UMEM_E_NO_MEMORY (the heap's maximum) or UMEM_E_LIMIT_EXCEEDED. */
int um_block_check_bytes(const struct um_store *store, const struct um_heap *heap,
                         const struct um_owner *owner, uint64_t asked, struct um_fault *fault);

/* Whether all blocks together may have `asked` more bytes: 0 or UMEM_E_LIMIT_EXCEEDED. */
int um_block_check_total(const struct um_store *store, const struct um_heap *heap, uint64_t asked,
                         struct um_fault *fault);

/* Allocates memory, if need be by reclaiming. NULL: there is none. */
void *um_block_alloc_memory(struct um_store *store, struct um_heap *heap, uint64_t size);

/* Like um_block_alloc_memory(), of a backend that has reserve(): the memory is still to be prepared. */
void *um_block_reserve_memory(struct um_store *store, struct um_heap *heap, uint64_t size);

/* Prepares some of what um_block_reserve_memory() reserved, if need be by reclaiming. Returns false where there is no memory. */
bool um_block_prepare_memory(struct um_store *store, struct um_heap *heap, unsigned char *address,
                             uint64_t offset, uint64_t size);

/* The fault where there is no memory: UMEM_E_NO_MEMORY, or UMEM_E_CORRUPTED where a client took memory away from the heap. */
int um_block_no_memory(const struct um_heap *heap, uint64_t asked, struct um_fault *fault);

/* What the facts of a failure say of a shared heap that a client has taken memory away from. */
extern const char um_block_heap_corrupted[];

#endif
