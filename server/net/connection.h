/*
 * One client's connection: what it consists of, and its states.
 *
 * Owns: the pipe to the client, and the state that the connection is in. Must not know: what requests mean, who may connect.
 *
 * A connection is in one of the states below and only ever moves forward. After each event of the loop, and when the scheduler lets
 * it run, it takes one step: it serves what has come, sends what there is, and then reads, waits or closes (connection_serve.h).
 * What lies below a step, such as reading and sending, has the scheduler run it.
 * Memory is freed only when libuv has let go of the handles, so every function of a connection's leaves it usable.
 */
#ifndef UM_CONNECTION_H
#define UM_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <uv.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/list.h"
#include "net/budget.h"
#include "net/connection_group.h"
#include "net/listener/identity.h"
#include "net/log_limiter.h"
#include "net/refusal.h"
#include "net/scheduler.h"
#include "rpc/rpc.h"
#include "wire/frame.h"

enum {
    UM_CONNECTION_PARTS = 3,              /* answers, a tail, answers behind it */
    UM_CONNECTION_READ_SIZE = 65536,      /* bytes of the buffer that all connections read through */
    UM_CONNECTION_DISCARD_SIZE = 1 << 20, /* bytes discarded after a broken message, */
    UM_CONNECTION_DISCARD_MS = 1000,      /* for this long at most */
    UM_CONNECTION_LINGER_MS = 250 /* between two looks whether a client that sends no more is still there */
};

/* In their order: a connection only moves to a later one. */
enum um_connection_state {
    /* No client was accepted. */
    UM_CONNECTION_NEW,
    /* Requests are read and served. */
    UM_CONNECTION_OPEN,
    /* The client sends no more, and every message that came was served. Pending calls are still answered. */
    UM_CONNECTION_HALF_CLOSED,
    /* What comes is discarded for a moment, then the connection ends. A client that is still writing would otherwise see the closed
     * connection rather than get its answer. */
    UM_CONNECTION_DISCARDING,
    /* No more requests are served. It closes once the client has its answers, or limits.closing_ms are over. */
    UM_CONNECTION_ENDING,
    /* The handles are closing. What was not sent is lost. */
    UM_CONNECTION_CLOSING,
    /* The handles are closed. Its session has still to be closed. */
    UM_CONNECTION_CLOSED
};

/* Where the bytes of the next read go. */
enum um_connection_target {
    UM_CONNECTION_READS_MESSAGE, /* through the common buffer into the frame */
    UM_CONNECTION_READS_FRAME,   /* straight into the frame's memory: the later part of a long message */
    UM_CONNECTION_READS_PAYLOAD, /* straight to where the engine wants a payload */
    UM_CONNECTION_READS_NOTHING  /* they are discarded */
};

struct um_connection;

/* Bytes to send, in `sending` or in a block. */
struct um_connection_part {
    const char *bytes;
    size_t size;
};

/* What all connections of a server share. */
struct um_connections {
    uv_loop_t *loop;
    struct um_rpc *rpc; /* NULL until it is made */
    const struct um_limits *limits;
    void (*on_gone)(struct um_connections *connections); /* a connection was freed */
    /* A session was opened by this client, or (NULL) closed. NULL: nobody wants to know, and it is logged for debugging. */
    void (*on_session)(struct um_connections *connections, uint64_t session,
                       const struct um_identity *client);
    struct um_traffic traffic;
    struct um_scheduler scheduler;
    struct um_budget budget;
    struct um_connection_groups groups;
    struct um_log_limiter log;
    struct um_link all; /* list of um_connection.in_all */
    struct um_link
        held; /* list of um_connection.in_held: what they have to send waits for um_connections_commit() */
    struct um_link
        unsynced; /* list of um_connection.in_held, in the order of `ticket`: they wait for a sync, and serve nothing more */
    bool waits_for_syncs; /* answers that tell of changes wait until these are on the disk */
    uint64_t failures;    /* um_store_status.failures that answers have been changed for */
    const struct um_store_status *store_status; /* of the engine's store; NULL until it is made */
    bool is_ending;                             /* um_connections_end() was called */
    struct um_buf spare;         /* memory for answers, lent to the connection that is served */
    uint64_t small_unsent;       /* bytes that may be unsent however much the others have */
    uint64_t ending;             /* connections that are closing and count in traffic.sessions still */
    unsigned refused;            /* connections that only take a refusal, open now */
    uint64_t changes;            /* grows with every session that opens or closes */
    uint64_t top_changes;        /* `changes` when `top` was found; UINT64_MAX: never */
    struct um_refusal_facts top; /* of the process with most sessions, as of then */
    char top_program[128];
    char read_buffer[UM_CONNECTION_READ_SIZE]; /* what is read is used up before the next read */
};

struct um_connection {
    struct um_connections *shared;
    struct um_connection_group *group; /* of its process; NULL until a client was accepted */
    struct um_link in_all;
    struct um_link in_held;        /* place in um_connections.held, or in .unsynced */
    uint64_t ticket;               /* of um_store_want_sync(), for which it waits; 0: it does not */
    struct um_scheduled scheduled; /* as the scheduler sees it */
    struct um_budget_entry budget; /* as the budget sees it */
    uv_pipe_t pipe;
    uv_timer_t timer; /* DISCARDING, ENDING: how long it may take; HALF_CLOSED: when to look for the client */
    struct um_session session; /* where it is not open, only its `out` is used */
    struct um_frame frame;
    struct um_buf sending; /* answers that are being sent; exchanged with session.out */
    /* What is being sent, in order. Empty ones may be among them; the second one is the tail, with NULL where
     * there is none. */
    struct um_connection_part parts[UM_CONNECTION_PARTS];
    uv_write_t write;
    uint64_t unsent;     /* bytes in `parts` */
    size_t writing_size; /* bytes that `write` has under way, 0: it is free */
    size_t discarded;    /* bytes discarded so far */
    size_t last_size;    /* bytes of the last message's text */
    uint64_t served;     /* messages served in this step */
    uint64_t cost;       /* of work in this step that the group is not charged for yet */
    unsigned idle_reads; /* times that it might not be read from since it last was */
    unsigned handles;    /* pipe and timer, as far as they are not closed */
    enum um_connection_state state;
    enum um_connection_target target;
    bool has_session;     /* um_session_close() is due at the end */
    bool has_served;      /* a message of its was served */
    bool is_reading;      /* libuv reads */
    bool is_wide;         /* the socket's buffer was made larger */
    bool expects_payload; /* the last message had a long payload, and the next one is likely to */
};

/* Tells the engine the time. At the beginning of whatever the loop calls. */
UM_ALWAYS_INLINE void um_connections_set_time(struct um_connections *connections)
{
    um_rpc_set_time(connections->rpc, (int64_t)time(NULL), uv_now(connections->loop));
}

/* Logs a line of a printf format, a literal. */
UM_PRINTF(3, 4)
void um_connections_log(struct um_connections *connections, enum um_log_severity severity, const char *format,
                        ...);

/* Makes a connection whose pipe is initialised but not connected. NULL where memory runs out. It ends with um_connection_close() at
 * the latest, and is freed from the loop. */
struct um_connection *um_connection_new(struct um_connections *connections);

/* A client was accepted: the connection joins the group of its process. False: no memory. */
bool um_connection_join(struct um_connection *connection, const struct um_identity *client);

/* The one place where the state changes: forward, or not at all. */
void um_connection_move(struct um_connection *connection, enum um_connection_state state);

/* Serves no more requests, and closes when the client has its answers. After um_connection_join(). */
void um_connection_end(struct um_connection *connection);

/* Ends so after limits.closing_ms, where the server is ending. */
void um_connection_end_later(struct um_connection *connection);

/* Looks from time to time whether a client that sends no more is still there, as long as calls of its are pending. */
void um_connection_linger(struct um_connection *connection);

/* Closes at once. What was not sent is lost. */
void um_connection_close(struct um_connection *connection);

/* Frees a connection whose handles and session are closed. */
void um_connection_free(struct um_connection *connection);

/* Takes a step now, whoever else is ready. */
UM_ALWAYS_INLINE void um_connection_run(struct um_connection *connection)
{
    um_scheduler_run_now(&connection->scheduled);
}

/* Tells the group what the step has cost. */
UM_ALWAYS_INLINE void um_connection_charge(struct um_connection *connection)
{
    um_scheduler_charge(&connection->group->turn, connection->served,
                        connection->cost + connection->session.work);
    connection->session.work = 0;
    connection->cost = 0;
}

#endif
