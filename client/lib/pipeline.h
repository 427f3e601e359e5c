/*
 * Submitting calls to a pipeline or a batch: what umem_submit_*() have in common.
 *
 * Owns: nothing. Must not know: which methods there are.
 */
#ifndef UM_PIPELINE_H
#define UM_PIPELINE_H

#include "client.h"

/* The place where the next call's request is to be made, and then given to um_calls_end(). NULL where there is none: then
 * um_calls_refuse() is what the caller returns. */
struct um_ask *um_calls_begin(umem_calls *calls);
int um_calls_refuse(const umem_calls *calls);

/* Takes the request that was made. Returns what umem_submit_*() returns. */
int um_calls_end(umem_calls *calls, struct um_ask *ask);

#endif
