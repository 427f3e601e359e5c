/*
 * Calls that wait: they are answered when something happens, when their time is up, or when the client takes them back.
 *
 * Owns: the list of them that each peer has, and their deadlines. Must not know: what they wait for.
 *
 * A method makes one with um_later_new(), which takes the call over. It ends with um_later_done() after an answer, with
 * um_later_fail(), or from here: with `timeout`, with `cancelled`, or with nothing where the peer is closed.
 */
#ifndef UM_LATER_H
#define UM_LATER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.h"
#include "deadlines.h"
#include "index.h"
#include "list.h"

/* In place of a time: for ever. */
#define UM_LATER_FOREVER UINT64_MAX

/* Embedded as the first member of what a method keeps about its call. */
struct um_later {
    struct um_call *call;                    /* to be answered */
    struct um_link in_peer;                  /* place in um_peer.laters */
    struct um_link in_cancelled;             /* place in um_rpc.cancelled, where it was taken back */
    struct um_index_node by_id;              /* place in um_rpc.waiting_ids, of the oldest with its id */
    struct um_link same_id;                  /* ring of those of one peer with one id, in their order */
    bool has_id;                             /* it is in that ring: it can be taken back */
    struct um_deadline deadline;             /* when its time is up */
    void (*release)(struct um_later *later); /* lets go of what the method holds, but does not free it */
    const char *what;                        /* static: what it waits for, for the message of `timeout` */
};

/* Makes one of `size` bytes, all zero but for its um_later; it is going to observe the block or heap `subject`. NULL where the call
 * cannot wait (in a batch, as a notification, past a limit: "waits", "waits_total", "observers"; without memory): then it has been
 * answered. */
void *um_later_new(struct um_call *call, um_handle subject, size_t size, uint64_t timeout_ms,
                   const char *what, void (*release)(struct um_later *later));

/* Begins the answer: um_reply_* on the call, um_reply_end(), then um_later_done(). NULL where the peer is broken: only
 * um_later_done(). */
struct um_call *um_later_start(struct um_later *later);

/* Frees it and lets the connection send. */
void um_later_done(struct um_later *later);

/* Answers with the store's facts, and frees it. */
void um_later_fail(struct um_later *later, int code, const struct um_fault *fault);

/* Takes back the waiting call of a peer that has this id, the oldest if several have. It is answered at the end
 * of the message, which may be a batch. Returns whether there was one. */
bool um_later_cancel(struct um_peer *peer, const struct um_id *id);

/* Answers those that were taken back, with `cancelled`. At the end of a message. */
void um_later_settle(struct um_rpc *rpc);

/* Frees all of a peer's, unanswered. */
void um_later_drop_all(struct um_peer *peer);

/* Answers those whose time is up. */
void um_later_expire(struct um_rpc *rpc);

#endif
