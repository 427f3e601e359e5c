/*
 * What is observed: a block, a heap with all its blocks, or everything.
 *
 * Owns: nothing; the flags are part of the records. Must not know: who observes.
 */
#ifndef UM_STORE_OBSERVERS_H
#define UM_STORE_OBSERVERS_H

#include "store/records/store_types.h"

/* Observes a heap with all its blocks, or ends that; blocks observed by themselves stay so. A flag. */
void um_heap_observe(struct um_heap *heap);
void um_heap_unobserve(struct um_heap *heap);

/* Observes a block by itself, or ends that; its heap, or everything, may be observed all the same. A flag,
 * not a count. UMEM_E_NO_MEMORY when memory runs out. */
int um_block_observe(struct um_store *store, struct um_block *block);
void um_block_unobserve(struct um_store *store, struct um_block *block);

/* Observes everything, or ends that; what is observed by itself stays so. A flag, not a count. */
void um_store_observe_all(struct um_store *store, bool observe);

/* Whether the block, its heap or everything is observed. Cheap enough to be called at every write. */
bool um_block_is_observed(const struct um_store *store, const struct um_block *block);

#endif
