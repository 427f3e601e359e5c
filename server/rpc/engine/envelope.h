/*
 * The envelope of a request: JSON-RPC 2.0's members, and the short form that leaves `jsonrpc` out.
 *
 * Owns: which members a request has, and when they are right. Must not know: methods and their parameters.
 */
#ifndef UM_ENVELOPE_H
#define UM_ENVELOPE_H

#include <stdbool.h>

#include "rpc/call/call.h"

struct um_json;

/* The members of a request object, as they stand; NULL where there is none. */
struct um_envelope {
    const struct um_json *jsonrpc;
    const struct um_json *method;
    const struct um_json *params;
    const struct um_json *id;
    bool twice; /* a member of these stands twice */
};

/* Finds the members of an object. Those of other names are ignored: clients send tracing and the like beside the standard's. */
void um_envelope_read(const struct um_json *request, struct um_envelope *envelope);

/* Reads a request and checks its members. Returns what is wrong (static, a sentence without a full stop), or NULL. Sets the id as far as it
 * is known, and `params` to NULL where it is null. */
const char *um_envelope_check(const struct um_json *request, struct um_envelope *envelope, struct um_id *id);

#endif
