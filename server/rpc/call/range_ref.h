/*
 * A range of a block by the block's handle: what must be looked up again whenever others may have been served in between.
 *
 * Owns: nothing. Must not know: why the range is wanted.
 */
#ifndef UM_RANGE_REF_H
#define UM_RANGE_REF_H

#include <stdint.h>

#include "rpc/call/args.h"

struct um_range_ref {
    um_handle block;
    uint64_t offset; /* bytes */
    uint64_t size;   /* bytes */
};

/* Refers to a range that is checked. */
struct um_range_ref um_range_ref_of(const struct um_call *call, const struct um_range *range);

/* Finds the block again, and sees that its heap is not locked by another than the call's session and that it still is large
 * enough. Codes of the store, or UMEM_E_OUT_OF_RANGE; *fault tells more. */
int um_range_ref_find(const struct um_call *call, const struct um_range_ref *ref, struct um_block **block,
                      struct um_fault *fault);

#endif
