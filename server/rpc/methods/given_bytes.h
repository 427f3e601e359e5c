/*
 * The bytes that a request brings: as text in the message, or raw, behind it or among those of its batch.
 *
 * Owns: the rules for the parameters `data`, `encoding` and `size` of such requests. Must not know: what the bytes are for.
 */
#ifndef UM_GIVEN_BYTES_H
#define UM_GIVEN_BYTES_H

#include "rpc/call/args.h"
#include "rpc/call/call.h"

/* Answers that raw bytes need headers. */
void um_given_fail_raw(struct um_call *call);

/* Answers that the parameters and the payload do not go together, or that `size` is not how many bytes are given. */
void um_given_fail_data(struct um_call *call);
void um_given_fail_size(struct um_call *call, uint64_t said, uint64_t given, bool raw);

/* Raw bytes travel beside messages with headers. */
UM_ALWAYS_INLINE bool um_given_may_be_raw(const struct um_call *call)
{
    return call->session->framing == UM_FRAMING_HEADERS;
}

/* How many bytes are given; with encoding raw, all of call->payload_size, which are `call->payload`, or to come where that is NULL.
 * Returns false where they are not as the encoding says; then the call has been answered. */
UM_ALWAYS_INLINE bool um_given_find(struct um_call *call, const struct um_arg *data,
                                    const struct um_arg *encoding, uint64_t *size)
{
    bool raw = encoding->as.word == UM_RAW;

    *size = raw ? call->payload_size : data->as.data.size;
    if (raw && !um_given_may_be_raw(call))
        um_given_fail_raw(call);
    else if (!raw && call->payload_size != 0)
        um_given_fail_data(call);
    else
        return true;
    return false;
}

#endif
