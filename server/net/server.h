/*
 * The server: a pipe, its clients, and the engine that answers them, on a libuv loop of the caller's.
 *
 * Owns: the pipe, the connections, the store and the engine. Must not know: options, logs, signals, daemons;
 * the program that starts it (server/daemon, a test) brings those. At one time there is one server a
 * process, as there is one engine. On POSIX systems the process must ignore SIGPIPE.
 */
#ifndef UM_SERVER_H
#define UM_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/principal.h"
#include "net/log_limiter.h"
#include "rpc/call/call_record.h"
#include "rpc/call/session.h"
#include "rpc/schema/server_limits.h"
#include "rpc/schema/sync_when.h"

struct um_handed;
struct um_identity;
struct um_server;

enum { UM_SERVER_WHY_CAPACITY = 768 }; /* bytes for the sentence that says why a server did not start */

struct um_server_options {
    const char *pipe; /* where to listen, as um_endpoint_find() gives it; copied */
    int socket;       /* POSIX: one that listens there already, which the server takes over; 0: none */
    const struct um_principal
        *allowed; /* who is let in beside this user, root and SYSTEM: a group (POSIX), or a user
                                         or group (Windows); NULL, or not set: nobody. Copied */
    const struct um_handed
        *inherited;  /* the pipe as um_replace() has got it; NULL: nothing. The server's from then on */
    bool is_managed; /* a service manager starts and ends this process: its pipe is not handed over */
    const struct um_limits
        *limits; /* copied; `sessions` and `shared_heaps` are lowered to what the system has descriptors for,
                   `session_bytes` to `bytes` */
    bool sessions_asked; /* so many were asked for: it is logged where the system has descriptors for fewer */
    bool shared_heaps_asked; /* the same of these */
    const char *version;     /* of the program; static */
    bool guard;              /* blocks of private heaps have guard bytes on both sides */
    bool wipe;               /* memory is cleared when it is freed */
    const char *state;       /* the directory of durable heaps; NULL: there are none */
    enum um_sync_when sync;  /* when their records are on the disk */
    uint64_t seed;           /* random bits, for where handles begin */
    void *context;           /* handed to the calls */
    /* Something happened that an operator may want to know; `text` is one line. NULL: it is not logged. */
    void (*log)(void *context, enum um_log_severity severity, const char *text);
    /* While they are recorded (um_server_record()): a call was answered, and a session was opened by this client, or (NULL)
     * closed. Both or none. */
    void (*call_ended)(void *context, const struct um_call_record *record);
    void (*session_changed)(void *context, uint64_t session, const struct um_identity *client);
    /* server.reload was called: as um_rpc_events has it. NULL: there is nothing to read again. */
    bool (*reload)(void *context, struct um_reload *reload);
    /* The server has ended: everything is closed and freed. May be NULL. */
    void (*ended)(void *context);
};

/* Listens, and serves while the loop runs. UMEM_E_NAME_TAKEN where another daemon has the pipe,
 * UMEM_E_DENIED, UMEM_E_NO_MEMORY, UMEM_E_INTERNAL_ERROR: then `why` holds a sentence without a full stop,
 * `ended` is not called, and the loop may have closing handles that it must be run for. */
int um_server_start(uv_loop_t *loop, const struct um_server_options *options, struct um_server **server,
                    char why[UM_SERVER_WHY_CAPACITY]);

/* Sets the limits anew, but for those that cannot change (um_limits_may_change()); they are lowered as at the start. */
void um_server_set_limits(struct um_server *server, const struct um_limits *limits);

/* From now on, call_ended and session_changed are called, or they are no more. */
void um_server_record(struct um_server *server, bool calls, bool sessions);

/* Checks that clients still find the pipe at its path, and makes a socket's file again if it was removed; a
 * failure is logged. Also logs how many lines were left out. Cheap: to be called every few seconds, and when
 * something may have happened. */
void um_server_check(struct um_server *server);

/* Ends the server in order, as server.shutdown does: listens no more, serves no more requests, lets every
 * client take the answers it has for limits.closing_ms, then closes. `ended` follows from the loop.
 * Asking again does nothing. */
void um_server_stop(struct um_server *server);

#endif
