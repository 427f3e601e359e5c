/*
 * The frame around what is sent: a line, or headers.
 *
 * Owns: nothing. Must not know: what is in it.
 */
#ifndef UM_FRAMING_H
#define UM_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "rpc/rpc.h"

/* Begins a message in session->out and returns its start; ends it, now that all its JSON is written and `payload_size` raw
 * bytes will follow. */
size_t um_framing_begin(struct um_session *session);
void um_framing_end(struct um_session *session, size_t start, uint64_t payload_size);

#endif
