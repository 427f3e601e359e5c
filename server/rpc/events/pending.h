/*
 * Calls that wait: they are answered when something happens, when their time is up, or when the client
 * cancels them.
 *
 * Owns: the list of them that each session has, and their deadlines. Must not know: what they wait for.
 *
 * A method makes one with um_pending_new(), which takes the call over. How it ends is resolved once, with um_pending_resolve(), by the
 * method or from here: with `timeout`, with `cancelled`, or with nothing where the session is closed. To answer takes much longer than
 * to decide, so that where many end at one time it is done in slices.
 */
#ifndef UM_PENDING_H
#define UM_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/deadlines.h"
#include "base/index.h"
#include "base/list.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/events/observe.h"

/* In place of a time: no limit. */
#define UM_PENDING_FOREVER UINT64_MAX

struct um_pending;

struct um_pending_kind {
    const char *what; /* what it waits for, for the message of `timeout` */
    /* Stops observing; may be called again. */
    void (*release)(struct um_pending *pending);
    /* Writes the result's members, after um_pending_resolve() with 0. */
    void (*answer)(struct um_pending *pending, struct um_call *call);
};

/* Embedded as the first member of what a method keeps about its call. */
struct um_pending {
    struct um_call *call;        /* to be answered */
    struct um_link in_session;   /* place in um_session.pending_calls */
    struct um_link in_resolved;  /* place in um_rpc.resolved: how it ends is known */
    struct um_index_node by_id;  /* place in um_rpc.pending_ids, of the oldest with its id */
    struct um_link same_id;      /* ring of those of one session with one id, in their order */
    bool has_id;                 /* it is in that ring: it can be taken back */
    struct um_deadline deadline; /* when its time is up */
    const struct um_pending_kind *kind;
    int code;              /* in um_rpc.resolved: how it ends */
    struct um_fault fault; /* likewise, where it fails */
};

/* Makes one of `size` bytes, all zero but for its um_pending; it is going to observe the block or heap `subject`. NULL where the call
 * cannot wait (in a batch, as a notification, past a limit: "waits", "waits_total", "observers"; without memory): then it has been
 * answered. */
void *um_pending_new(struct um_call *call, um_handle subject, size_t size, uint64_t timeout_ms,
                     const struct um_pending_kind *kind);

/* How it ends: with an answer by its kind (code 0), or with the store's facts. It observes nothing from here on, and cannot be taken
 * back. It is answered at the end of the message, or where many are in one of the next turns. */
void um_pending_resolve(struct um_pending *pending, int code, const struct um_fault *fault);

/* Cancels the waiting call of a session that has this id, the oldest if several have. It is answered at the
 * end of the message, which may be a batch. Returns whether there was one. */
bool um_pending_cancel(struct um_session *session, const struct um_id *id);

/* Answers up to *budget of those of which it is known how they end, and counts them down. */
void um_pending_answer(struct um_rpc *rpc, size_t *budget);

/* As um_pending_flush(), where there is something to be done. */
void um_pending_deliver(struct um_rpc *rpc, struct um_session *session);

/* Does what the message at work has brought about for others: observers run, and the pending calls that they resolved are answered.
 * At its end, and after all else that changes something. The work counts for `session`; NULL: for none. */
UM_ALWAYS_INLINE void um_pending_flush(struct um_rpc *rpc, struct um_session *session)
{
    if (um_observe_is_due(rpc->observers) || !um_list_is_empty(&rpc->resolved))
        um_pending_deliver(rpc, session);
    if (rpc->store_status->has_work)
        um_engine_work_pending(rpc);
}

/* Frees all of a session's, unanswered. */
void um_pending_drop_all(struct um_session *session);

/* Decides those whose time is up, at most so many; the others are due at once. */
void um_pending_expire(struct um_rpc *rpc, size_t budget);

#endif
