/*
 * Calls that wait until a durable heap is on the disk.
 *
 * Owns: nothing beside those calls. Must not know: who does the syncs, and when.
 */
#ifndef UM_FLUSH_H
#define UM_FLUSH_H

#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"

/* Has a call wait for what um_heap_flush() gave this ticket for. Where it cannot wait, it is answered. */
void um_flush_wait(struct um_call *call, struct um_heap *heap, uint64_t ticket);

/* A sync has ended, or none is to be waited for: those calls that it was for end. */
void um_flush_recheck(struct um_rpc *rpc);

#endif
