/*
 * A session: one client's connection, from the pipe through the framing to the engine and back.
 *
 * Owns: the connection, its buffers, the pace at which its requests are served. Must not know: what requests
 * mean, who else is connected.
 *
 * Memory is freed only when libuv has let go of the handles, so every function here leaves the session
 * usable.
 */
#ifndef UM_CONNECTION_H
#define UM_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/list.h"
#include "net/budget.h"
#include "net/listener/identity.h"
#include "net/scheduler.h"
#include "rpc/rpc.h"
#include "wire/frame.h"

struct um_server;

enum {
    UM_CONNECTION_PARTS = 3,              /* answers, a tail, answers behind it */
    UM_CONNECTION_DISCARD_SIZE = 1 << 20, /* bytes thrown away after a broken message, */
    UM_CONNECTION_DISCARD_MS = 1000,      /* for this long at most */
    UM_CONNECTION_LINGER_MS = 250 /* between two looks whether a client that sends no more is still there */
};

/* Bytes to send, in `sending` or in a block. */
struct um_connection_part {
    const char *bytes;
    size_t size;
};

struct um_connection {
    struct um_server *server;
    struct um_connection_group *group; /* of its process; NULL until a client was accepted */
    struct um_link all;                /* place in the server's list of sessions */
    struct um_link due;                /* place in its group's list of those that are due */
    uv_pipe_t pipe;                    /* the connection */
    uv_timer_t timer; /* how long it may take to end; or, waiting half-closed, when to look for the client */
    struct um_session rpc_session; /* where it is not open, only its `out` is used */
    struct um_frame frame;
    struct um_budget_share share; /* what it makes the server keep */
    struct um_buf sending;        /* answers on their way; changes places with rpc_session.out */
    struct um_connection_part
        parts[UM_CONNECTION_PARTS]; /* what is on its way, in order; empty ones may be among them */
    uv_write_t write;
    size_t writing_size;  /* bytes that `write` has under way, 0: it is free */
    size_t discarded;     /* bytes thrown away so far */
    unsigned passes;      /* times that it might not be read from since it last was */
    unsigned handles;     /* pipe and timer, as far as they are not closed */
    bool is_wide;         /* the socket's buffer was made larger */
    bool expects_payload; /* the last message had a long payload, and the next one is likely to */
    bool fills_frame;     /* the read under way goes into um_frame_reserve() */
    bool is_sending_tail; /* rpc_session.tail is on its way */
    bool is_peer_open;    /* um_session_close() is due at the end */
    bool is_refused;      /* counts among the server's refused */
    bool is_reading;      /* libuv reads */
    bool is_called;       /* was due and had its turn, so that its next read need not wait */
    bool reads_payload;   /* the read under way goes into um_payload_reserve() */
    bool input_over;      /* every message that came was handed to the engine, and no more will come */
    bool is_lingering;    /* has sent all it will, and calls of it still wait to be answered */
    bool wants_end;       /* session.close was called for it */
    bool is_discarding;   /* what comes is thrown away, then the session ends */
    bool is_ending;       /* takes its answers, then closes */
    bool is_closing;      /* the handles are closing */
};

/* Makes a session on the server's list whose pipe is initialised but not connected. NULL where memory runs
 * out. It ends with um_connection_close(), now or later, and is freed from the loop. */
struct um_connection *um_connection_new(struct um_server *server);

/* Begins to serve a connected client, whose group it has joined. */
void um_connection_open(struct um_connection *session, const struct um_identity *who);

/* Serves what has come, sends what there is, and then reads, waits or closes as its state asks for. */
void um_connection_advance(struct um_connection *session);

/* Goes on where it was due; if all of it is closed, that is its end. */
void um_connection_run(struct um_connection *session);

/* Goes on now, from a callback of the loop; or is made due, if others go before. */
void um_connection_wake(struct um_connection *session);

/* Ends in order: serves no more requests and closes once the client has its answers, or limits.closing_ms
 * are over. */
void um_connection_end(struct um_connection *session);

/* Throws away what comes for a moment, and then ends: the next message cannot be found any more, or the
 * client is not served. One that is still writing would otherwise be told of the closed connection rather
 * than get its answer. */
void um_connection_discard(struct um_connection *session);

/* Closes at once. What was not sent is lost. */
void um_connection_close(struct um_connection *session);

/* ---- budget.c ---- */

/* How much memory holds what has come of messages and payloads that are not whole or not done. */
uint64_t um_connection_gathered(const struct um_connection *session);

/* ---- session_read.c ---- */

/* Starts or stops reading; what is read is handed to um_connection_advance(). Closes the session where that cannot be. Not from a
 * read callback, but to stop. */
void um_connection_read(struct um_connection *session, bool wanted);

/* ---- session_refuse.c ---- */

enum um_refusal_reason {
    UM_REFUSED_STRANGER,      /* another user's */
    UM_REFUSED_FULL,          /* limits.sessions are open */
    UM_REFUSED_NO_DESCRIPTORS /* the system is about to run out of descriptors */
};

/* Tells a connected client why it is not served, as a line of JSON, and ends. */
void um_connection_refuse(struct um_connection *session, enum um_refusal_reason reason);

/* Tells a client of HTTP, in HTTP, that this is no server of HTTP. */
void um_connection_refuse_http(struct um_connection *session);

/* ---- session_send.c ---- */

/* Sends what there is, unless a part of it is already under way. Closes the session where the client is
 * gone. */
void um_connection_send(struct um_connection *session);

/* How many bytes wait to be sent. */
uint64_t um_connection_unsent(const struct um_connection *session);

/* Lends the session the server's spare memory for its answers, if nobody has it. */
void um_connection_borrow_memory(struct um_connection *session);

#endif
