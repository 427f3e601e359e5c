/*
 * Raw bytes that follow a message: where they go, and what happens when all have come.
 *
 * Owns: the request or batch that waits for its bytes. Must not know: pipes, framing.
 */
#ifndef UM_PAYLOAD_H
#define UM_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "rpc/call/session.h"

struct um_block;
struct um_call;
struct um_message;

/* ---- for the connection ---- */

/* Whether a batch's payload is being received: it is kept until it is complete. */
UM_ALWAYS_INLINE bool um_payload_is_of_batch(const struct um_session *session)
{
    return session->payload_bytes != 0;
}

/* Drops a batch whose payload is being received; the bytes that are still to come are discarded. Returns
 * whether there was one. */
bool um_payload_forget_batch(struct um_session *session);

/* How many payload bytes are still to come after the last message; 0: none. */
uint64_t um_payload_left(const struct um_session *session);

/* Where the next payload bytes go (a block's own memory where that can be); *available is at least 1 and at most what is left.
 * Good until the next call for any session. Only while um_payload_left() is not 0. */
char *um_payload_reserve(struct um_session *session, size_t *available);

/* Tells that `size` bytes were put there. After the last one the request is answered. */
void um_payload_commit(struct um_session *session, size_t size);

/* ---- for the engine ---- */

/* Takes the call's payload into a block from `offset` on; the range is checked. The call is answered when the
 * last byte has come, with the size, or with an error if the block was freed, resized or locked meanwhile. */
void um_payload_begin(struct um_call *call, struct um_block *block, uint64_t offset);

/* Runs a batch whose bytes have come; `bytes` is NULL where they could not be kept, so that it is to be refused. */
typedef void um_payload_on_batch(struct um_session *session, const struct um_message *message,
                                 const unsigned char *bytes);

/* Gathers the payload of a batch, for which on_batch is called when the last byte has come; takes the message's memory over. Returns
 * false where memory runs out: then it does not. */
bool um_payload_gather(struct um_session *session, struct um_message *message, um_payload_on_batch *on_batch);

/* What takes bytes that do not go into a block which is there already. */
struct um_payload_ops {
    /* Where the bytes behind the first `done` go, and how many fit there: at least 1. NULL: no more are wanted, and the receiver is
     * gone. */
    char *(*reserve)(void *receiver, uint64_t done, size_t *available);
    /* All have come: answers, and ends the receiver. */
    void (*finish)(void *receiver);
    /* The session is gone: ends the receiver. */
    void (*abandon)(void *receiver);
};

/* Takes `size` bytes, at least 1, to a receiver, which is the payload's from now on. */
void um_payload_receive(struct um_session *session, uint64_t size, const struct um_payload_ops *ops,
                        void *receiver);

/* Takes `size` bytes and throws them away: their request has been answered. */
void um_payload_discard(struct um_session *session, uint64_t size);

/* Drops the payload that is being received: the session is gone. */
void um_payload_abandon(struct um_session *session);

#endif
