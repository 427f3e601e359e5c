/*
 * Which answers of a session tell of changes of durable heaps: they go out when these are written, and are errors where they cannot be.
 *
 * Owns: the places of such answers in the session's output. Must not know: when changes are written.
 *
 * An answer is written when the call is done, many calls before the one write for all of them. Where that write fails, the answers are
 * there already, and are replaced.
 */
#ifndef UM_CHANGES_H
#define UM_CHANGES_H

#include "base/attributes.h"
#include "rpc/call/engine_state.h"
#include "rpc/call/session.h"

/* What was changed until now has other answers, or none. At the beginning of everything that ends with an answer. */
UM_ALWAYS_INLINE void um_changes_begin(struct um_rpc *rpc)
{
    rpc->answered_changes = rpc->store_status->changes;
}

/* Whether something was changed since. */
UM_ALWAYS_INLINE bool um_changes_are_new(const struct um_rpc *rpc)
{
    return rpc->answered_changes != rpc->store_status->changes;
}

/* Notes that the answer to a call of a method tells of what was changed since: `size` bytes of JSON that end at `end` in session->out, in the
 * message that begins at `start`. */
void um_changes_note(struct um_session *session, const struct um_method *method, size_t start, size_t end,
                     size_t size);

/* The answers of the message that begins there have moved, as its header has grown by so many bytes. */
void um_changes_move(struct um_session *session, size_t start, size_t by);

#endif
