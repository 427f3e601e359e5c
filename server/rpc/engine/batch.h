/*
 * Batches: several requests in one message, which run as a whole.
 *
 * Owns: the order of a batch's requests, its limits, and how its raw bytes are shared out. Must not know: what requests do.
 */
#ifndef UM_BATCH_H
#define UM_BATCH_H

#include "rpc/engine/message.h"
#include "rpc/rpc.h"

/* Handles an array of requests: now, or once its raw bytes have come, where there are any; then it takes the message's memory over. */
void um_batch_begin(struct um_session *session, struct um_message *message);

/* Handles a batch whose raw bytes have come. */
void um_batch_finish(struct um_session *session, const struct um_message *message,
                     const unsigned char *payload);

#endif
