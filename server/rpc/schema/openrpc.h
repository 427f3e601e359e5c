/*
 * The command table as an OpenRPC document (OpenRPC 1.3).
 *
 * Owns: nothing. Must not know: calls, sessions.
 */
#ifndef UM_OPENRPC_H
#define UM_OPENRPC_H

#include "base/buf.h"

/* Writes the document's members into an object that is open in `out`. */
void um_openrpc_write_members(struct um_buf *out, const char *version);

#endif
