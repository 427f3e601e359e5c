/*
 * What server.c and the sessions share.
 *
 * Owns: struct um_server. Must not be included outside of server/net.
 */
#ifndef UM_SERVER_CORE_H
#define UM_SERVER_CORE_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/list.h"
#include "net/budget.h"
#include "net/listener/listener.h"
#include "net/log_limiter.h"
#include "net/scheduler.h"
#include "net/server.h"
#include "rpc/rpc.h"
#include "wire/endpoint.h"

struct um_connection;

/* The process that has most sessions, as it was when a client was refused. */
struct um_top_group {
    uint64_t changes; /* um_server.session_changes when it was found; 0: never */
    int64_t pid;
    uint64_t sessions; /* 0: no process is known */
    char program[128];
};

enum {
    UM_SERVER_READ_SIZE = 65536,
    UM_SERVER_RETRY_MS = 100 /* from a client for which there was no memory to the next attempt */
};

struct um_server {
    uv_loop_t *loop;
    struct um_listener *pipe; /* NULL once it is closing */
    struct um_store *store;   /* NULL until it is made */
    struct um_rpc *rpc;       /* NULL until it is made */
    struct um_limits limits;
    struct um_traffic traffic;
    struct um_budget budget;
    struct um_scheduler turn;
    struct um_log_limiter notes;
    enum um_listener_state pipe_state; /* as it was noted last */
    void (*ended)(void *context);      /* NULL for a server that did not start */
    void *context;
    uv_check_t after_poll;    /* sessions that are due, clients that wait, and the engine's work */
    uv_prepare_t before_poll; /* the alarm is set, and the next turn begins */
    uv_timer_t alarm;         /* rings when the first call that waits, or message, runs out of time */
    uint64_t alarm_ms; /* for when it is set, on the loop's clock; UINT64_MAX: it is not. It may be early */
    uv_timer_t
        retry;       /* rings when clients that could not be taken for want of memory are to be tried again */
    uv_idle_t hurry; /* active while something is due, so that polling does not wait */
    struct um_link sessions;   /* all of them */
    struct um_buf spare;       /* memory for answers, lent to whoever is served: an idle session has none */
    uint64_t ending;           /* sessions that are closing and count in traffic.sessions still */
    unsigned held_turns;       /* turns for which clients have waited because all sessions are taken */
    unsigned refused;          /* sessions that only take a refusal, open now */
    uint64_t session_changes;  /* grows with every session that opens or closes */
    uint64_t refused_in_a_row; /* clients that were one too many since the last one that was served */
    struct um_top_group crowd; /* the process with most sessions */
    unsigned handles;          /* handles of the server's own that are not closed yet, the pipe among them */
    bool has_clients;          /* somebody may wait to be accepted */
    bool has_work;             /* um_rpc_work() wants to be called */
    bool wants_stop;           /* server.shutdown was called */
    bool is_stopping;
    bool is_closing;                 /* the server's own handles are closing */
    char path[UM_ENDPOINT_CAPACITY]; /* of the pipe */
    char
        read_buffer[UM_SERVER_READ_SIZE]; /* for all sessions: what is read is used up before the next read */
};

/* Begins a turn of the engine: tells it the time. */
void um_server_begin_turn(struct um_server *server);

/* Sees to it that the loop comes round without waiting. */
void um_server_request_turn(struct um_server *server);

/* Makes a note of a printf format. */
UM_PRINTF(3, 4)
void um_server_log(struct um_server *server, enum um_server_log note, const char *format, ...);

/* Tells that a session is closed and off the list; it is about to be freed. */
void um_server_connection_closed(struct um_server *server);

#endif
