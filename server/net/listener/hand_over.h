/*
 * How a pipe passes from the daemon that runs to the one that replaces it.
 *
 * Owns: the private endpoint at which the new daemon (the successor) takes over, and the line between the two. Must not know: the
 * protocol's methods, libuv, what the pipe is used for.
 *
 * The successor opens a private endpoint beside the pipe, connects to the pipe as any client does, and sends the request that
 * names the endpoint. The running daemon connects to it and sends what it has: POSIX: the socket that listens, so that clients which
 * have connected wait in its queue, and the lock's file, which stays locked; Windows: handles of the pipe's instances, as
 * they are, and of the lock's mutex, duplicated into the successor. At no moment is there no pipe that clients could connect to.
 * The line stays open until the running daemon has closed its state; the successor begins after that.
 *
 * Each side makes sure that the other is of its own user. The functions of the successor block, and are for a process that serves
 * nobody yet.
 */
#ifndef UM_HAND_OVER_H
#define UM_HAND_OVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/principal.h"

enum {
    UM_HANDED_LOCK = 0, /* the place of the lock's handle */
    UM_HANDED_PIPE = 1, /* and of the first that is the pipe's */
    UM_HANDED_MAXIMUM = 17
};

/* What is handed over: file descriptors; on Windows, handles. */
struct um_handed {
    intptr_t handles[UM_HANDED_MAXIMUM];
    size_t count;
};

/* ---- the daemon that runs ---- */

struct um_hand_over;

/* Sends them to the daemon whose private endpoint that is; it does not wait for it. They stay the caller's, too, which is to stop using
 * the pipe. UMEM_E_DENIED, UMEM_E_INTERNAL_ERROR (no memory): nothing was handed over, and `why` holds a sentence without a full stop. */
int um_hand_over_send(const char *endpoint, const struct um_handed *handed, struct um_hand_over **hand_over,
                      char *why, size_t capacity);

/* The successor may begin. NULL is fine. */
void um_hand_over_close(struct um_hand_over *hand_over);

/* ---- the successor ---- */

struct um_take_over;

/* Opens the private endpoint for a pipe, which those are to use who are allowed. UMEM_E_NAME_TAKEN: another daemon is taking the pipe over.
 * UMEM_E_DENIED, also where the pipe could not be given to them (POSIX); UMEM_E_NO_MEMORY. `why` is as above. */
int um_take_over_open(const char *pipe, const struct um_principal *allowed, struct um_take_over **take_over,
                      char *why, size_t capacity);

/* Its path, for the request. The take-over's. */
const char *um_take_over_endpoint(const struct um_take_over *take_over);

/* Sends a request, a line, to the daemon at the pipe and reads its answer, a line of less than `answer_size` bytes, to `answer`.
 * UMEM_E_UNKNOWN_HANDLE: no daemon listens there. UMEM_E_DENIED: another user's does, or the system does not let this process.
 * UMEM_E_TIMEOUT: it has not answered. */
int um_take_over_ask(struct um_take_over *take_over, const char *pipe, const char *request, char *answer,
                     size_t answer_size, uint32_t timeout_ms, char *why, size_t capacity);

/* Takes what the daemon hands over, which it has begun to before it answered. UMEM_E_DENIED, UMEM_E_TIMEOUT. */
int um_take_over_receive(struct um_take_over *take_over, struct um_handed *handed, uint32_t timeout_ms,
                         char *why, size_t capacity);

/* Waits until that daemon has closed its state, or ended in whatever way. UMEM_E_TIMEOUT. */
int um_take_over_wait(struct um_take_over *take_over, uint32_t timeout_ms);

/* NULL is fine. */
void um_take_over_close(struct um_take_over *take_over);

/* Closes what was received and will not be used. */
void um_handed_close(const struct um_handed *handed);

#endif
