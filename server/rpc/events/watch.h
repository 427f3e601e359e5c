/*
 * Watches: what a session wants notifications of, and the events that wait to be sent.
 *
 * Owns: the watches of each session and, for each, a few events. What cannot be reported one by one, because the client is slow or too
 * much happens, is joined or reported as an overflow: nothing grows. Must not know: what changes a block.
 */
#ifndef UM_WATCH_H
#define UM_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "rpc/call/session.h"

struct um_block;
struct um_call;
struct um_heap;

/* ---- for the connection ---- */

/* As um_watch_notify(), where there are some. */
void um_watch_write_due(struct um_session *session);

/* Appends the notifications that are due, as far as out is within um_session_unsent_limit(). Before sending. */
UM_ALWAYS_INLINE void um_watch_notify(struct um_session *session)
{
    if (!um_list_is_empty(&session->due_watches))
        um_watch_write_due(session);
}

/* ---- for the engine ---- */

/* What to watch: one block, one heap, or everything where both are NULL. */
struct um_watch_options {
    struct um_block *block;
    struct um_heap *heap;
    uint64_t offset; /* of a block: only these bytes matter */
    uint64_t size;   /* UINT64_MAX: to the end, wherever that is */
};

/* Begins a watch for the call's session; *id is its number. Returns false where the call has been answered: past a limit
 * ("watches", "watches_total", "observers"), or without memory. */
bool um_watch_begin(struct um_call *call, const struct um_watch_options *options, uint64_t *id);

/* Ends a watch of a session's; what it has not sent yet is not sent. Returns false where the session has none of this number. */
bool um_watch_end(struct um_session *session, uint64_t id);

/* Ends all of a session's. */
void um_watch_drop_all(struct um_session *session);

#endif
