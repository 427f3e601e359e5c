/*
 * The daemon's end of the pipe: only the user who runs the daemon is let in, and clients are accepted from it.
 *
 * Owns: the pipe's name on the system, its lock, the handles that wait for clients. Must not know: sessions,
 * the protocol.
 */
#ifndef UM_LISTENER_H
#define UM_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/principal.h"
#include "net/listener/hand_over.h"

struct um_listener;

struct um_listener_events {
    void *context; /* handed to the calls */
    void (*client)(
        void *
            context); /* clients wait for um_listener_accept(), which this call must not be: they are taken later */
    void (*closed)(void *context); /* after um_listener_close(): the memory is gone */
};

/* What pipe is wanted. */
struct um_listener_place {
    const char *path; /* as um_endpoint_find() gives it */
    int handed; /* POSIX: a socket that a service manager has bound to this path, for those alone who are let in, and that listens; its name
                   stays on the system when it closes. 0: none */
    const struct um_principal
        *allowed; /* who is let in beside this user, root and SYSTEM: a group (POSIX), or a user or group
                                           (Windows); not set: nobody */
    const struct um_handed *
        inherited; /* what a daemon has handed over, with which all is as if this process had made the pipe; on
                                          Windows the pipe keeps whom that one let in. NULL: nothing */
};

/* Makes the pipe and listens. What is handed or inherited is this pipe's from then on, also where that fails. UMEM_E_NAME_TAKEN where
 * another daemon or another program listens there, UMEM_E_DENIED where the system or the rules for its directory do not allow it, or
 * something is there that is no socket, UMEM_E_NO_MEMORY, UMEM_E_INTERNAL_ERROR; then `why` holds a sentence without a full stop, no
 * event is raised, and the loop may have a closing handle that it must be run for. `place` and `events` are copied. */
int um_listener_open(uv_loop_t *loop, const struct um_listener_place *place,
                     const struct um_listener_events *events, struct um_listener **listener, char *why,
                     size_t capacity);

/* Hands the pipe over to the daemon whose private endpoint that is (see hand_over.h). Clients that have connected and were not
 * accepted are that daemon's, and um_listener_close() is to follow. UMEM_E_DENIED, UMEM_E_INTERNAL_ERROR: nothing has changed, and `why` holds a
 * sentence without a full stop. */
int um_listener_hand_over(struct um_listener *listener, const char *endpoint, struct um_hand_over **hand_over,
                          char *why, size_t capacity);

/* Whether a client waits. */
bool um_listener_has_client(const struct um_listener *listener);

/* Takes a client that waits into `client` (after uv_pipe_init). 0, or libuv's error: then `client` is as it was. UV_ECONNABORTED:
 * that client has gone already and left nothing to be read. With others it may wait still. */
int um_listener_accept(struct um_listener *listener, uv_pipe_t *client);

/* Whether a client that sends no more has closed altogether, so that nothing will be read by it either. Where
 * the system cannot tell the two apart, it has. */
bool um_listener_is_hung_up(const uv_pipe_t *client);

/* Where clients find the pipe. */
enum um_listener_state {
    UM_LISTENER_PRESENT,   /* at its path */
    UM_LISTENER_RECREATED, /* at its path again: its file had been removed and was made anew */
    UM_LISTENER_TAKEN,     /* nowhere: another daemon or program is at the path */
    UM_LISTENER_MISSING    /* nowhere: its file was removed and cannot be made anew now */
};

/* Checks whether clients still find the pipe, and makes its file again if it was removed. Cheap; to be called
 * from time to time. With the last three states `why` holds a sentence without a full stop. On Windows a pipe
 * cannot be taken away. */
enum um_listener_state um_listener_check(struct um_listener *listener, char *why, size_t capacity);

/* A client has gone: what the system had no instance for before may be tried again. */
void um_listener_retry(struct um_listener *listener);

/* Stops listening, takes the name off the system (unless it is another's by now) and lets go of the lock, all at once; `closed` follows
 * from the loop. */
void um_listener_close(struct um_listener *listener);

/* Whether an accepted client has one of the last descriptors that the system gives this process, so that it
 * should be refused at once. */
bool um_listener_is_near_limit(const uv_pipe_t *client);

/* Makes the loop allocate its table for so many clients in advance, because libuv ends the process if it has
 * no memory for that table later. Does nothing if that cannot be done. The loop has a closing handle
 * afterwards. */
void um_listener_reserve(uv_loop_t *loop, uint64_t clients);

/* Raises what the system allows this process to have open as far as it lets us, and returns for how many
 * clients that is enough, some kept back for other uses; 0: for none. */
uint64_t um_listener_client_capacity(void);

/* What helps where that is too few: the end of a sentence, "" where nothing does. */
const char *um_listener_capacity_hint(void);

#endif
