/*
 * What a connection sends: one write for all answers of a step.
 *
 * Owns: the writes, and which answers wait until what they tell of is written. Must not know: what answers are.
 *
 * The engine appends to session.out. To send it, the buffer is moved to `sending`, and the engine continues with an empty one. A tail
 * (raw bytes straight from a block) is sent at its place among the answers.
 */
#ifndef UM_CONNECTION_SEND_H
#define UM_CONNECTION_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "net/connection.h"

/* Sends what there is, unless a part of it is already under way. Closes where the client is gone. */
void um_connection_flush(struct um_connection *connection);

/* Sends what there is of an answer that is being written, if that can be now, and leaves the engine memory for the rest. */
void um_connection_send_part(struct um_connection *connection);

/* At the end of a turn: has the store write what was changed, and then sends the answers that tell of it, or has them wait for a sync.
 * Answers that tell of what could not be written are errors instead. */
void um_connections_commit(struct um_connections *connections);

/* A sync has ended, or there was none to begin: sends the answers that waited for it. */
void um_connections_synced(struct um_connections *connections);

/* Bytes that wait to be sent. */
UM_ALWAYS_INLINE uint64_t um_connection_unsent(const struct um_connection *connection)
{
    const struct um_session *session = &connection->session;

    return session->out.size + connection->unsent +
           (connection->parts[1].bytes == NULL ? session->tail.size : 0);
}

/* Whether so much waits to be sent, of which queued_bytes tells, that no more may be added. */
UM_ALWAYS_INLINE bool um_connection_is_over_limit(const struct um_connection *connection)
{
    uint64_t unsent = connection->session.queued_bytes;

    return unsent > connection->shared->small_unsent &&
           unsent > um_session_unsent_limit(&connection->session);
}

/* Tells the engine how much waits to be sent. Returns whether something has to be sent before the next message is served. */
UM_ALWAYS_INLINE bool um_connection_has_to_send(struct um_connection *connection)
{
    connection->session.queued_bytes = um_connection_unsent(connection);
    return connection->session.tail.bytes != NULL || um_connection_is_over_limit(connection);
}

#endif
