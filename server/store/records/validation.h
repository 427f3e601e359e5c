/*
 * Validation: whether heaps and blocks are undamaged.
 *
 * Owns: nothing. Must not know: what is in the bytes of blocks.
 */
#ifndef UM_STORE_VALIDATION_H
#define UM_STORE_VALIDATION_H

#include "store/records/store_types.h"

/* Validates one block of a heap: HeapValidate where there is one, and the records of the store. UMEM_E_CORRUPTED, or
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

/* Looks at up to `budget` slots, those of other heaps' blocks among them, and says in *more whether it must
 * be called again. The last step also compares the heap's counts, unless the heap has changed since the check
 * began, and has the system look at the heap as a whole, where it can: that part takes as long as it takes.
 * UMEM_E_CORRUPTED with fault->block the first damaged one where that is known; UMEM_E_STALE_HANDLE where
 * the heap was destroyed in between. After an error the check is of no more use, and *more is unchanged. A
 * block made in between may be left out. */
int um_heap_check_step(struct um_store *store, struct um_heap_check *check, size_t budget, bool *more,
                       struct um_fault *fault);

/* What is looked at before a client may free or resize a block: UMEM_E_CORRUPTED where the store has guards
 * and they show that a program wrote past it; of a durable heap also UMEM_E_NO_MEMORY and UMEM_E_CORRUPTED, where it cannot be
 * noted. */
int um_block_check(struct um_store *store, struct um_block *block, struct um_fault *fault);

#endif
