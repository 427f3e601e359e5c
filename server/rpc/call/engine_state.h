/*
 * What the engine keeps: every part of it works on this.
 *
 * Owns: struct um_rpc. Must not be included outside of server/rpc.
 */
#ifndef UM_ENGINE_STATE_H
#define UM_ENGINE_STATE_H

#include "base/arena.h"
#include "base/deadlines.h"
#include "base/index.h"
#include "base/list.h"
#include "base/tree.h"
#include "rpc/call/call_meter.h"
#include "rpc/call/call_record.h"
#include "rpc/call/session.h"
#include "rpc/schema/server_limits.h"
#include "store/store.h"

struct um_known_requests;
struct um_observers;

/* What was found for one limit. */
struct um_top_consumer {
    uint64_t turn; /* of the engine, in which it was looked for; 0: never */
    uint64_t session;
    int64_t pid;
    uint64_t used;     /* by that session; 0: by none */
    char program[128]; /* cut where it is longer */
};

struct um_rpc {
    struct um_store *store;
    const struct um_store_status *store_status; /* of store */
    const struct um_limits *limits;
    const struct um_traffic *traffic; /* never NULL */
    struct um_rpc_events events;
    const char *version;
    const char *pipe;
    bool guard;
    bool wipe;
    int64_t pid;
    int64_t started;               /* seconds since 1970-01-01 UTC */
    uint64_t started_ms;           /* the same on the clock of now_ms */
    int64_t unix_seconds;          /* now */
    uint64_t now_ms;               /* now, on a clock that only goes forward */
    uint64_t tick_at_ms;           /* when the store has its next tick; UINT64_MAX: it wants none */
    uint64_t answered_changes;     /* um_store_status.changes that answers tell of, or that have none */
    uint64_t touched_bytes;        /* of blocks, by all sessions in this turn */
    uint64_t turn;                 /* grows with every um_rpc_set_time(), from 1 */
    uint64_t waits;                /* calls that wait, of all sessions */
    uint64_t watches;              /* of all sessions */
    uint64_t requests;             /* since the start, notifications counted */
    uint64_t errors;               /* requests and messages answered with an error since the start */
    uint64_t last_session_id;      /* the newest session's number */
    uint64_t last_watch_id;        /* the newest watch's number */
    struct um_link sessions;       /* list of um_session.in_rpc, in the order of their ids */
    struct um_tree sessions_by_id; /* um_session.by_id */
    struct um_link jobs;           /* list of um_job.in_jobs: calls that run in slices */
    struct um_link working;        /* list of um_session_group.in_rpc: the processes that have such calls */
    struct um_index jobs_by_heap;  /* um_job_place.node: on which heaps they work */
    struct um_link
        resolved; /* list of um_pending.in_resolved: to be answered at the end of the message, or soon after */
    struct um_link flushes; /* calls that wait for a sync of the store, in their order; the method has them */
    size_t answers_left;    /* how many of these may be answered in this turn, at the end of messages */
    struct um_deadlines deadlines;            /* of calls that wait */
    struct um_index pending_ids;              /* um_pending.by_id: calls that wait, by session and id */
    struct um_index watch_ids;                /* of all sessions' watches, by number */
    uint64_t hash_key[2];                     /* of the hash of ids, which clients choose */
    struct um_observers *observers;           /* of blocks and heaps */
    struct um_arena arena;                    /* what the message at work is read into */
    const char *text;                         /* that message; reading it has changed it */
    size_t text_size;                         /* bytes of it */
    struct um_known_requests *known_requests; /* shapes of messages */
    char *own_text;               /* the same, where it may be kept (malloc): what keeps it sets NULL here */
    struct um_call_meter meter;   /* of the calls of each method */
    struct um_buf document;       /* members of the answer to rpc.discover, once it was called */
    bool records_calls;           /* for an access log */
    struct um_call_record record; /* of the call at work */
    uint64_t reserved_bytes;      /* um_session_group.reserved_bytes of all groups */
    uint64_t refusals[UM_LIMIT_COUNT];                    /* errors since the start that were about a limit */
    struct um_top_consumer top_consumers[UM_LIMIT_COUNT]; /* as last looked for */
};

/* Tells the caller that drives the engine that um_rpc_work() has something to do. */
void um_engine_work_pending(struct um_rpc *rpc);

#endif
