/*
 * Raw bytes that follow a message: where they go, and what happens when all have come.
 *
 * Owns: the request or batch that waits for its bytes. Must not know: pipes, framing.
 */
#ifndef UM_PAYLOAD_H
#define UM_PAYLOAD_H

#include "rpc/call/call.h"
#include "rpc/engine/batch.h"

/* Takes the call's payload into a block from `offset` on; the range is checked. The call is answered when the last byte has
 * come, with the size, or with the error that a block which was freed, resized or locked on the way gives. */
void um_payload_begin(struct um_call *call, struct um_block *block, uint64_t offset);

/* Gathers the payload of a batch, which runs when the last byte has come; takes the message's memory over. Returns false where memory
 * runs out: then it does not. */
bool um_payload_gather(struct um_session *session, struct um_message *message);

/* How much memory holds a batch and what has come of its payload. */
uint64_t um_payload_memory(const struct um_session *session);

/* Takes `size` bytes and throws them away: their request has been answered. */
void um_payload_discard(struct um_session *session, uint64_t size);

/* Forgets what is on its way: the session is gone. */
void um_payload_abandon(struct um_session *session);

#endif
