/*
 * Raw bytes that follow a message: where they go, and what happens when all have come.
 *
 * Owns: the request or batch that waits for its bytes. Must not know: pipes, framing.
 */
#ifndef UM_INTAKE_H
#define UM_INTAKE_H

#include "batch.h"
#include "call.h"

/* Takes the call's payload into a block from `offset` on; the range is checked. The call is answered when the last byte has
 * come, with the size, or with the error that a block which was freed, resized or locked on the way gives. */
void um_intake_begin(struct um_call *call, struct um_block *block, uint64_t offset);

/* Gathers the payload of a batch, which runs when the last byte has come; takes the message's memory over. Returns false where memory
 * runs out: then it does not. */
bool um_intake_gather(struct um_peer *peer, struct um_message *message);

/* How much memory holds a batch and what has come of its payload. */
uint64_t um_intake_memory(const struct um_peer *peer);

/* Takes `size` bytes and throws them away: their request has been answered. */
void um_intake_discard(struct um_peer *peer, uint64_t size);

/* Forgets what is on its way: the peer is gone. */
void um_intake_abandon(struct um_peer *peer);

#endif
