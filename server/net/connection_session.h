/*
 * A connection's session with the engine, from its beginning to its end.
 *
 * Owns: the counts of sessions, and what is logged of them. Must not know: what is done in between.
 */
#ifndef UM_CONNECTION_SESSION_H
#define UM_CONNECTION_SESSION_H

#include "net/connection.h"
#include "net/listener/identity.h"

/* Begins to serve the client. After um_connection_join(). */
void um_connection_open(struct um_connection *connection, const struct um_identity *client);

/* Ends the session of a connection whose handles are closed, and frees the connection. That counts as work, because many may close at
 * one time. */
void um_connection_close_session(struct um_connection *connection);

#endif
