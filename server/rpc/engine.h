/*
 * What the engine's own files share.
 *
 * Owns: struct um_rpc. Must not be included outside of server/rpc.
 */
#ifndef UM_ENGINE_H
#define UM_ENGINE_H

#include "arena.h"
#include "call.h"
#include "deadlines.h"
#include "observe.h"
#include "rpc.h"

struct um_rpc {
    struct um_store *store;
    const struct um_limits *limits;
    const struct um_traffic *traffic;
    struct um_rpc_events events;
    const char *version;
    const char *pipe;
    bool guard;
    bool wipe;
    int64_t pid;
    int64_t started;          /* seconds since 1970-01-01 UTC */
    int64_t unix_seconds;     /* now */
    uint64_t now_ms;          /* now, on a clock that only goes forward */
    uint64_t requests;        /* since the start, notifications counted */
    uint64_t errors;          /* requests and messages answered with an error since the start */
    uint64_t last_peer_id;    /* the newest session's number */
    uint64_t last_watch_id;   /* the newest watch's number */
    struct um_link peers;     /* list of um_peer.in_rpc */
    struct um_link jobs;      /* list of um_job.in_jobs: calls that run in slices */
    struct um_link cancelled; /* list of um_later.in_cancelled: to be answered at the end of the message */
    struct um_deadlines deadlines; /* of calls that wait */
    struct um_observing observing;
    struct um_arena arena; /* what the message at work is read into */
};

/* Tells whoever drives the engine that um_rpc_work() has something to do. */
void um_engine_work_pending(struct um_rpc *rpc);

/* Does what the message at work has brought about for calls that wait. At its end, and after all else that changes something. */
void um_engine_settle(struct um_rpc *rpc);

/* Raises the peer's event of that name. */
void um_peer_flush(struct um_peer *peer);

#endif
