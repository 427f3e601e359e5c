/*
 * The client library on a program's own libuv loop: the same calls, without blocking.
 *
 * Owns: one connection for each umem_uv, and the calls that are under way. Must not know: how requests are
 * written and answers read; that is the library's, which this stands on.
 *
 *     umem_uv *client = umem_uv_new(loop, NULL);
 *
 *     umem_uv_connect(client, on_connected, NULL);
 *     ...in on_connected:
 *     umem_submit_block_read(umem_uv_call(client, on_read, NULL), block, 0, bytes, sizeof bytes);
 *     ...and in the end:
 *     umem_uv_close(client, on_closed, NULL);
 *
 * Calls are those that umem_client.h declares as umem_submit_*(); they take what umem_uv_call() returns.
 * UMEM_OK means that the call is under way, and then its callback is called exactly once, from the loop,
 * never before the function has returned: with a failure whose code is UMEM_OK, or what the blocking call of
 * that name would give. Any other code means that the callback is not called, and umem_uv_last_error() says
 * why. Until the callback, the memory that was given with a call (outputs, bytes to send) stays in use.
 * Answers come in the order of the calls, but for those that wait in the daemon.
 *
 * Deadlines are as umem_client.h says: with timeout_ms, a call that has no answer by then ends with
 * UMEM_E_DEADLINE; the connection stays open if it can. All is for the loop's thread only. On POSIX the
 * program ignores SIGPIPE, as every program does that writes to pipes by libuv.
 */
#ifndef UMEM_UV_H
#define UMEM_UV_H

#include <uv.h>

#include "umem_client.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct umem_uv umem_uv;

/* How to connect. Set all members to 0 (`= {0}`) and then those that matter: members may be added. */
struct umem_uv_options {
    const char *pipe; /* where the daemon listens; NULL: the default, see umem_default_pipe(). Copied. */
    size_t
        answer_bytes_max; /* the longest answer that is accepted, in bytes, raw bytes not counted; 0: 64 MiB */
    uint32_t timeout_ms;  /* milliseconds that connecting, or one call, may take; 0: no end */
    const char *
        server_user; /* whose daemon is accepted beside this user's own and root's or SYSTEM's; see struct umem_options. Copied. */
};

/* Called when something has ended. `failure` is never NULL, and good during the call; its code is UMEM_OK
 * after a success. */
typedef void umem_uv_done(umem_uv *client, const struct umem_failure *failure, void *context);

/* Called when a client has been closed, and is gone. */
typedef void umem_uv_closed(void *context);

/* Makes a client that is not connected yet. NULL options: all defaults. NULL: there is no memory. It ends
 * with umem_uv_close(). */
umem_uv *umem_uv_new(uv_loop_t *loop, const struct umem_uv_options *options);

/* Connects, and sees to it that the daemon is run by this user (or by root, or SYSTEM): in libuv's thread
 * pool, as it may take a while; where all of the pipe's places are taken, as long as they are, or until the
 * deadline. The errors of umem_connect() go to `done`. UMEM_E_BAD_ARGUMENT at once: it is connected, or about
 * to be. After a connection was lost it may be called again, from the callbacks of the calls that were lost
 * on. */
int umem_uv_connect(umem_uv *client, umem_uv_done *done, void *context);

/* Where the next call is to be submitted: `done` is called for it. Good for one umem_submit_*().
 * UMEM_E_NOT_CONNECTED: there is no connection. */
umem_calls *umem_uv_call(umem_uv *client, umem_uv_done *done, void *context);

/* The number of the call that was submitted last, for umem_uv_cancel(). */
uint64_t umem_uv_last_call(const umem_uv *client);

/* Asks the daemon to cancel a call. It has an effect if the call waits there (umem_submit_block_wait(),
 * umem_submit_heap_lock()): then it ends with UMEM_E_CANCELLED; any other ends as it would have. A number
 * that is none any more is fine. */
int umem_uv_cancel(umem_uv *client, uint64_t call);

/* As umem_session_watch(); but `watcher` is called from the loop, as soon as something has happened. *watch
 * is set before `done` is called. */
int umem_uv_watch(umem_uv *client, const struct umem_watch_target *target, umem_watcher *watcher,
                  void *watcher_context, uint64_t *watch, umem_uv_done *done, void *context);

/* Ends a watch: its watcher is not called any more from now on. */
int umem_uv_unwatch(umem_uv *client, uint64_t watch, umem_uv_done *done, void *context);

/* As umem_map(): *bytes and *size (NULL: not wanted) are set before `done` is called. The pointer is good
 * until umem_uv_unmap() or until the client is closed. */
int umem_uv_map(umem_uv *client, umem_handle block, void **bytes, uint64_t *size, umem_uv_done *done,
                void *context);

/* As umem_unmap(), at once; needs no connection. UMEM_E_BAD_ARGUMENT: no heap is mapped there. */
int umem_uv_unmap(umem_uv *client, void *bytes);

/* Why the last function of this client's did not begin what it was to begin. Never NULL; good until the next
 * function. */
const struct umem_failure *umem_uv_last_error(const umem_uv *client);

/* Closes the connection and ends the client, in order: first every call that is under way gets its callback,
 * with UMEM_E_CONNECTION_LOST unless its answer has come, then `closed` (NULL: not wanted) is called, with
 * the client and what it has mapped gone. May be called from any callback, and once. */
void umem_uv_close(umem_uv *client, umem_uv_closed *closed, void *context);

#ifdef __cplusplus
}
#endif

#endif
