/*
 * One request object: the envelope of JSON-RPC 2.0 and its short form.
 *
 * Owns: what a request is. Must not know: messages, batches (batch.c), framing.
 */
#ifndef UM_ENVELOPE_H
#define UM_ENVELOPE_H

#include "rpc/call/call.h"

struct um_json;

/* Handles one request. Of the call, what is known before it is looked at is set, and the rest is all zero. */
void um_envelope_handle(struct um_call *call, const struct um_json *request);

/* How many raw bytes a request of a batch takes: those of a method that takes a payload, called with encoding "raw". Returns
 * false where it does not say how many. */
bool um_envelope_raw_size(const struct um_json *request, uint64_t *size);

/* Answers something that belongs to no request. */
void um_envelope_refuse(struct um_session *session, int code, const char *what);

/* Likewise, with the facts of a limit that was passed (a name of server_limits.h); those that are 0 are left out. */
void um_envelope_refuse_limit(struct um_session *session, int code, const char *what, const char *limit,
                              uint64_t used, uint64_t asked);

#endif
