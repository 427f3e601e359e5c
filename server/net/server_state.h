/*
 * The server's state.
 *
 * Owns: struct um_server. Only for server.c, and for tests that look inside.
 */
#ifndef UM_SERVER_STATE_H
#define UM_SERVER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/connection.h"
#include "net/listener/listener.h"
#include "rpc/rpc.h"
#include "wire/endpoint.h"

struct um_server {
    uv_loop_t *loop;
    struct um_listener *listener; /* NULL once it is closing */
    struct um_store *store;       /* NULL until it is made */
    struct um_principal allowed;  /* who is let in beside this user, root and SYSTEM */
    struct um_limits limits;
    struct um_connections connections;
    enum um_listener_state listener_state; /* as it was logged last */
    void (*call_ended)(void *context, const struct um_call_record *record);
    void (*session_changed)(void *context, uint64_t session, const struct um_identity *client);
    bool (*reload)(void *context, struct um_reload *reload);
    void (*ended)(void *context); /* NULL for a server that did not start */
    void *context;
    uv_check_t check; /* after the loop has polled: connections run, clients are accepted, the engine works */
    uv_prepare_t prepare;      /* before it polls: the deadline timer is set, and the next turn begins */
    uv_idle_t idle;            /* active while something is left to do, so that polling does not wait */
    uv_timer_t deadline_timer; /* fires at the first deadline, or when free memory is to be looked at */
    uint64_t timer_ms; /* for when that is set, on the loop's clock; UINT64_MAX: it is not. It may be early */
    uv_timer_t
        retry_timer; /* fires when clients are tried again that could not be accepted for want of memory */
    uv_timer_t sync_timer; /* fires when records are to be on the disk */
    uv_work_t sync_work;   /* a sync, on another thread */
    struct um_store_sync sync;
    bool is_syncing;       /* sync_work is under way */
    bool has_state;        /* there is a directory of durable heaps */
    bool syncs;            /* records are written to the disk within about a second, or sooner */
    unsigned handles;      /* handles of the server's own that are not closed yet, the listener among them */
    unsigned waited_turns; /* turns for which clients have waited because all sessions are taken */
    struct um_process_usage usage; /* as it was in the turn usage_turn */
    uint64_t usage_turn;           /* of the scheduler; 0: none yet */
    uint64_t refused_in_a_row;     /* clients refused since the last one that was served */
    bool has_clients;              /* clients may wait to be accepted */
    bool has_work;                 /* um_rpc_work() wants to be called */
    bool wants_stop;               /* server.shutdown was called */
    bool is_managed;               /* a service manager starts and ends it */
    bool is_handed; /* and keeps the pipe's socket, at which clients wait for the next process */
    struct um_hand_over
        *hand_over; /* the line to the daemon that the pipe was handed over to; NULL: it was not */
    bool is_stopping;
    bool is_closing;                 /* the server's own handles are closing */
    char path[UM_ENDPOINT_CAPACITY]; /* of the pipe */
};

#endif
