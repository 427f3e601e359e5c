/*
 * Submitting calls: what all carriers of umem_submit_*() have in common.
 *
 * Owns: nothing. Must not know: which methods there are.
 */
#ifndef UM_PIPELINE_H
#define UM_PIPELINE_H

#include "lib/request/request.h"

/* How calls that are submitted are carried. */
struct um_calls_ops {
    /* The place where the next call's request is to be made. NULL where there is none: *code is why. */
    struct um_request *(*begin)(umem_calls *calls, int *code);
    /* Takes the request that was made there. Returns what umem_submit_*() returns. */
    int (*end)(umem_calls *calls, struct um_request *request);
};

/* What calls are submitted to; the first member of its carrier's own. */
struct umem_calls {
    const struct um_calls_ops *ops;
};

#endif
