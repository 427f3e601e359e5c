/*
 * All connections of a server: what they share is made and unmade, they end together, and clients are refused.
 *
 * Owns: struct um_connections of connection.h. Must not know: who may connect.
 */
#ifndef UM_CONNECTIONS_H
#define UM_CONNECTIONS_H

#include <stdbool.h>

#include <uv.h>

#include "net/connection.h"
#include "net/refusal.h"

/* Initialises what is shared; false: no memory. The scheduler's `wake` is the caller's to set. `limits` outlive it. */
bool um_connections_init(struct um_connections *connections, uv_loop_t *loop, const struct um_limits *limits);

/* The limits have other values from now on. */
void um_connections_limits_changed(struct um_connections *connections);

/* All connections must be gone. */
void um_connections_deinit(struct um_connections *connections);

/* Ends all connections in order. first_answers: a session of which no message was served yet stays until one is, or for closing_ms,
 * because clients can connect all the time, and none of them is to be closed without an answer. */
void um_connections_end(struct um_connections *connections, bool first_answers);

/* Tells the client why it is not served, as a line of JSON, and ends. After um_connection_join(). */
void um_connection_refuse(struct um_connection *connection, enum um_refusal_reason reason);

#endif
