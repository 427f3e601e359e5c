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
#include "index.h"
#include "most.h"
#include "observe.h"
#include "rpc.h"
#include "tree.h"

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
    int64_t started;              /* seconds since 1970-01-01 UTC */
    uint64_t started_ms;          /* the same on the clock of now_ms */
    int64_t unix_seconds;         /* now */
    uint64_t now_ms;              /* now, on a clock that only goes forward */
    uint64_t touched_bytes;       /* of blocks, by all peers in this turn */
    uint64_t turn;                /* grows with every um_rpc_set_time(), from 1 */
    uint64_t waits;               /* calls that wait, of all peers */
    uint64_t watches;             /* of all peers */
    uint64_t requests;            /* since the start, notifications counted */
    uint64_t errors;              /* requests and messages answered with an error since the start */
    uint64_t last_peer_id;        /* the newest session's number */
    uint64_t last_watch_id;       /* the newest watch's number */
    struct um_link peers;         /* list of um_peer.in_rpc, in the order of their ids */
    struct um_tree peers_by_id;   /* um_peer.by_id */
    struct um_link jobs;          /* list of um_job.in_jobs: calls that run in slices */
    struct um_link working;       /* list of um_peer_group.in_rpc: the processes that have such calls */
    struct um_index jobs_by_heap; /* um_job_place.node: on which heaps they work */
    struct um_link
        decided; /* list of um_later.in_decided: to be answered at the end of the message, or soon after */
    size_t answers_left; /* how many of these may be answered in this turn, at the end of messages */
    struct um_deadlines deadlines; /* of calls that wait */
    struct um_index waiting_ids;   /* um_later.by_id: calls that wait, by peer and id */
    struct um_index watch_ids;     /* of all peers' watches, by number */
    uint64_t hash_key[2];          /* of the hash of ids, which clients choose */
    struct um_observing observing;
    struct um_arena arena;   /* what the message at work is read into */
    const char *text;        /* that message; reading it has changed it */
    size_t text_size;        /* bytes of it */
    char *own_text;          /* the same, where it may be kept (malloc): who does so sets NULL here */
    uint64_t promised_bytes; /* um_peer_group.promised_bytes of all groups */
    uint64_t refusals[UM_LIMIT_COUNT];   /* errors since the start that were about a limit */
    struct um_most most[UM_LIMIT_COUNT]; /* who uses most of it, as last looked for */
};

/* Tells whoever drives the engine that um_rpc_work() has something to do. */
void um_engine_work_pending(struct um_rpc *rpc);

/* Does what the message at work has brought about for others: observers are told, calls that waited are answered. At its end, and
 * after all else that changes something. The work counts for `peer`; NULL: for nobody. */
void um_engine_settle(struct um_rpc *rpc, struct um_peer *peer);

/* Raises the peer's event of that name. */
void um_peer_flush(struct um_peer *peer);

/* Counts work that is done for a peer beside the bytes of blocks that its calls touch: numbers printed or read, records looked
 * at, observers told. The unit is what copying one byte costs, about 0.25 ns: a microsecond of work is 4,096. The peer's turn
 * ends when its work reaches limits.turn_bytes. */
void um_peer_charge(struct um_peer *peer, uint64_t work);

/* How many more bytes of answers may wait for the peer's process: what limits.unsent_total_bytes leaves, and at most half of what
 * the other processes leave, so that none takes it all. */
uint64_t um_peer_unsent_left(const struct um_peer *peer);

/* Counts bytes of an answer that a call at work prints as unsent, until they are taken back with um_peer_unpromise(). */
void um_peer_promise(struct um_peer *peer, uint64_t bytes);
void um_peer_unpromise(struct um_peer *peer, uint64_t bytes);

/* What the mover of bytes counts; zeros where it does not. */
const struct um_traffic *um_engine_traffic(const struct um_rpc *rpc);

/* How many bytes wait to be sent, as the connection tells, or else those of `out`. */
uint64_t um_peer_queued(const struct um_peer *peer);

#endif
