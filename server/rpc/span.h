/*
 * A range of a block by the block's handle: what must be looked up again whenever others may have been served in between.
 *
 * Owns: nothing. Must not know: why the range is wanted.
 */
#ifndef UM_SPAN_H
#define UM_SPAN_H

#include <stdint.h>

#include "args.h"

struct um_span {
    um_handle block;
    uint64_t offset; /* bytes */
    uint64_t size;   /* bytes */
};

/* The span of a range that is checked. */
struct um_span um_span_of(const struct um_call *call, const struct um_range *range);

/* Finds the block again, and sees that its heap is not locked by another than the call's session and that it still is large
 * enough. Codes of the store, or UMEM_E_OUT_OF_RANGE; *fault tells more. */
int um_span_find(const struct um_call *call, const struct um_span *span, struct um_block **block,
                 struct um_fault *fault);

#endif
