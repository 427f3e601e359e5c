#include "lib/connection/transport.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/connection/descriptor.h"
#include "lib/connection/spin.h"
#include "umem_errors.h"

#ifndef MSG_NOSIGNAL
/* macOS: an option of the socket instead (SO_NOSIGPIPE). */
#define MSG_NOSIGNAL 0
#endif

struct um_transport {
    int socket;
    uint32_t timeout_ms; /* what the socket itself gives up after; 0: never */
    struct um_spin spin; /* of the thread that reads */
};

enum { STEP_MS = 50 /* how long a blocked write waits before it checks whether another thread reads */ };

uint64_t um_transport_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void um_transport_pause(uint32_t ms)
{
    (void)poll(NULL, 0, (int)ms);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int fail(struct um_reason *reason, int code, const char *what, int error)
{
    if (error != 0)
        snprintf(reason->text, sizeof reason->text, "%s: %s", what, strerror(error));
    else
        snprintf(reason->text, sizeof reason->text, "%s", what);
    return code;
}

/* Lets blocking calls end by themselves, so that a call with the usual deadline needs no poll(). */
static void set_timeout(struct um_transport *transport, uint32_t timeout_ms)
{
    struct timeval timeout = {.tv_sec = (time_t)(timeout_ms / 1000),
                              .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};

    setsockopt(transport->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    /* On Linux this one ends a connect() that waits. */
    setsockopt(transport->socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    transport->timeout_ms = timeout_ms;
}

/* Waits until the socket is ready, or the deadline. */
static int wait_for(struct um_transport *transport, short events, uint64_t deadline_ms,
                    struct um_reason *reason)
{
    struct pollfd ready = {.fd = transport->socket, .events = events};

    for (;;) {
        uint64_t now_ms = um_transport_now_ms();
        uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
        int count = poll(&ready, 1, left_ms < 1000000 ? (int)left_ms : 1000000);

        if (count > 0)
            return UMEM_OK;
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return fail(reason, UMEM_E_CONNECTION_LOST, "waiting for the daemon failed", errno);
        if (count == 0 && um_transport_now_ms() >= deadline_ms)
            return fail(reason, UMEM_E_DEADLINE, "the daemon did not answer in time", 0);
    }
}

/* Whether a blocking call could last past the deadline. The socket's own limit may round up by a little, hence the ms. */
UM_ALWAYS_INLINE bool may_outlast(const struct um_transport *transport, uint64_t deadline_ms)
{
    if (deadline_ms == UM_NO_DEADLINE)
        return false;
    return transport->timeout_ms == 0 || um_transport_now_ms() + transport->timeout_ms > deadline_ms + 1;
}

/* After a socket call has failed: 0 where it should be tried again. */
static int check_retry(int error, uint64_t deadline_ms, const char *what, struct um_reason *reason)
{
    if (error == EINTR)
        return UMEM_OK;
    if (error == EAGAIN || error == EWOULDBLOCK) {
        if (um_transport_now_ms() + 1 < deadline_ms)
            return UMEM_OK;
        return fail(reason, UMEM_E_DEADLINE, "the daemon did not answer in time", 0);
    }
    return fail(reason, UMEM_E_CONNECTION_LOST, what, error);
}

/* ---- connecting ---- */

/* The daemon's user, as the system saw it when the daemon began to listen. */
static bool get_peer_user(int socket, uid_t *user)
{
#ifdef SO_PEERCRED
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    *user = peer.uid;
    return true;
#else
    gid_t group;

    return getpeereid(socket, user, &group) == 0;
#endif
}

static int check_trust(int socket, struct um_reason *reason)
{
    uid_t user;

    if (!get_peer_user(socket, &user))
        return fail(reason, UMEM_E_NOT_TRUSTED, "the system does not tell whose daemon listens there", errno);
    if (user == geteuid() || user == 0)
        return UMEM_OK;
    snprintf(reason->text, sizeof reason->text,
             "the daemon there is run by user %lu, not by user %lu or root", (unsigned long)user,
             (unsigned long)geteuid());
    return UMEM_E_NOT_TRUSTED;
}

/* Connecting to a file of another kind fails like connecting to a socket without a listener. */
static const char *explain_refusal(const char *path)
{
    struct stat facts;

    if (stat(path, &facts) != 0 || S_ISSOCK(facts.st_mode))
        return "no daemon listens there any more";
    return S_ISDIR(facts.st_mode) ? "it is a directory, not a socket" : "it is a file, not a socket";
}

static int connect_error(const struct sockaddr_un *address, int error, struct um_reason *reason)
{
    switch (error) {
    case ENOENT:
        return fail(reason, UMEM_E_NOT_CONNECTED, "there is no such socket", 0);
    case ECONNREFUSED:
        return fail(reason, UMEM_E_NOT_CONNECTED, explain_refusal(address->sun_path), 0);
    case EACCES:
    case EPERM:
        return fail(reason, UMEM_E_NOT_CONNECTED, "this user may not open it", error);
    default:
        return fail(reason, UMEM_E_NOT_CONNECTED, "connecting failed", error);
    }
}

/* Between two attempts, a millisecond or what is left. */
static void pause_before_retry(uint64_t deadline_ms)
{
    (void)poll(NULL, 0, um_transport_now_ms() < deadline_ms ? 1 : 0);
}

/* A daemon with a full queue of clients makes connect() wait, until the socket's own limit is over, or fail at once: systems differ.
 * Both mean that there may be a place a little later. */
static int connect_within(struct um_transport *transport, const struct sockaddr_un *address,
                          uint64_t deadline_ms, struct um_reason *reason)
{
    uint32_t timeout_ms = transport->timeout_ms;

    for (;;) {
        uint64_t now_ms = um_transport_now_ms();
        int result;

        if (deadline_ms != UM_NO_DEADLINE) {
            uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 1;

            set_timeout(transport, left_ms < UINT32_MAX ? (uint32_t)left_ms : UINT32_MAX);
        }
        result = connect(transport->socket, (const struct sockaddr *)address, sizeof *address);
        if (result == 0)
            break;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (um_transport_now_ms() >= deadline_ms)
                return fail(reason, UMEM_E_DEADLINE, "the daemon did not take the connection in time", 0);
            pause_before_retry(deadline_ms);
        } else if (errno != EINTR) {
            return connect_error(address, errno, reason);
        }
    }
    set_timeout(transport, timeout_ms);
    return UMEM_OK;
}

static int open_socket(struct um_transport *transport, struct um_reason *reason)
{
    int type = SOCK_STREAM;

#ifdef SOCK_CLOEXEC
    type |= SOCK_CLOEXEC;
#endif
    transport->socket = um_descriptor_move_up(socket(AF_UNIX, type, 0));
    if (transport->socket < 0)
        return fail(reason, UMEM_E_NOT_CONNECTED, "no socket can be made", errno);
#ifdef SO_NOSIGPIPE
    setsockopt(transport->socket, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
    return UMEM_OK;
}

int um_transport_open(const char *pipe, uint32_t timeout_ms, uint64_t deadline_ms,
                      struct um_transport **transport, struct um_reason *reason)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct um_transport *made;
    size_t length = strlen(pipe);
    int code;

    if (length == 0 || length >= sizeof address.sun_path) {
        snprintf(reason->text, sizeof reason->text, "a socket's path has 1 to %zu bytes, this one has %zu",
                 sizeof address.sun_path - 1, length);
        return UMEM_E_BAD_ARGUMENT;
    }
    memcpy(address.sun_path, pipe, length);
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return fail(reason, UMEM_E_OUT_OF_MEMORY, umem_error_text(UMEM_E_OUT_OF_MEMORY), 0);
    made->socket = -1;
    made->timeout_ms = timeout_ms;
    made->spin.is_off = true;
    code = open_socket(made, reason);
    if (code == UMEM_OK)
        code = connect_within(made, &address, deadline_ms, reason);
    if (code == UMEM_OK)
        code = check_trust(made->socket, reason);
    if (code != UMEM_OK) {
        um_transport_close(made);
        return code;
    }
    *transport = made;
    return UMEM_OK;
}

/* With one processor, the daemon could not run meanwhile. */
void um_transport_let_spin(struct um_transport *transport)
{
    transport->spin.is_off = sysconf(_SC_NPROCESSORS_ONLN) < 2;
}

void um_transport_close(struct um_transport *transport)
{
    if (transport == NULL)
        return;
    if (transport->socket >= 0)
        close(transport->socket);
    free(transport);
}

int um_transport_release(struct um_transport *transport)
{
    int socket = transport->socket;

    free(transport);
    return socket;
}

/* ---- reading and writing ---- */

/* The daemon takes nothing now: waits until it does, or there is something to read, or for a step. */
static int wait_to_write(struct um_transport *transport, bool *readable, uint64_t deadline_ms,
                         struct um_reason *reason)
{
    struct pollfd ready = {.fd = transport->socket, .events = (short)(POLLOUT | (*readable ? POLLIN : 0))};
    uint64_t now_ms = um_transport_now_ms();
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;

    if (left_ms == 0)
        return fail(reason, UMEM_E_DEADLINE, "the daemon did not take the request in time", 0);
    if (poll(&ready, 1, left_ms < STEP_MS ? (int)left_ms : STEP_MS) < 0 && errno != EINTR && errno != EAGAIN)
        return fail(reason, UMEM_E_CONNECTION_LOST, "waiting for the daemon failed", errno);
    *readable = (ready.revents & POLLIN) != 0;
    return UMEM_OK;
}

int um_transport_write_some(struct um_transport *transport, const struct um_slice *slices, size_t count,
                            size_t *done, bool *readable, uint64_t deadline_ms, struct um_reason *reason)
{
    struct iovec vectors[UM_TRANSPORT_SLICES];
    struct msghdr message = {.msg_iov = vectors};
    ssize_t written;

    for (size_t i = 0; i < count && i < UM_TRANSPORT_SLICES; i++) {
        vectors[i].iov_base = (void *)(uintptr_t)slices[i].bytes;
        vectors[i].iov_len = slices[i].size;
        message.msg_iovlen = i + 1;
    }
    *done = 0;
    written = sendmsg(transport->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return wait_to_write(transport, readable, deadline_ms, reason);
    *readable = false;
    if (written > 0)
        *done = (size_t)written;
    else if (written < 0 && errno != EINTR)
        return fail(reason, UMEM_E_NOT_CONNECTED, "the daemon no longer takes requests", errno);
    return UMEM_OK;
}

/* Looks for bytes until the time is over. Whoever else can run on this processor is let, as it may be the daemon. Returns false where
 * nothing has come. */
static bool spin(struct um_transport *transport, void *bytes, size_t capacity, uint64_t end_ns, ssize_t *done)
{
    for (;;) {
        *done = recv(transport->socket, bytes, capacity, MSG_DONTWAIT);
        if (*done >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            return true;
        if (now_ns() >= end_ns)
            return false;
        sched_yield();
    }
}

/* recv(), which waits. */
static ssize_t receive(struct um_transport *transport, void *bytes, size_t capacity)
{
    uint64_t begin_ns;
    bool spins;
    ssize_t done;

    if (transport->spin.is_off)
        return recv(transport->socket, bytes, capacity, 0);
    begin_ns = now_ns();
    spins = um_spin_is_due(&transport->spin);
    if (!spins || !spin(transport, bytes, capacity, begin_ns + UM_SPIN_NS, &done))
        done = recv(transport->socket, bytes, capacity, 0);
    if (done > 0)
        um_spin_note(&transport->spin, spins, now_ns() - begin_ns);
    return done;
}

int um_transport_read(struct um_transport *transport, void *bytes, size_t capacity, size_t *size,
                      uint64_t deadline_ms, struct um_reason *reason)
{
    for (;;) {
        bool outlasts = may_outlast(transport, deadline_ms);
        ssize_t done;
        int code = UMEM_OK;

        if (outlasts)
            code = wait_for(transport, POLLIN, deadline_ms, reason);
        if (code != UMEM_OK)
            return code;
        done = outlasts ? recv(transport->socket, bytes, capacity, MSG_DONTWAIT)
                        : receive(transport, bytes, capacity);
        if (done > 0) {
            *size = (size_t)done;
            return UMEM_OK;
        }
        if (done == 0)
            return fail(reason, UMEM_E_CONNECTION_LOST, "the daemon closed the connection", 0);
        code = check_retry(errno, deadline_ms, "the connection to the daemon broke", reason);
        if (code != UMEM_OK)
            return code;
    }
}

void um_transport_abort(struct um_transport *transport)
{
    shutdown(transport->socket, SHUT_RDWR);
}

int um_transport_end_writing(struct um_transport *transport)
{
    return shutdown(transport->socket, SHUT_WR) == 0 ? UMEM_OK : UMEM_E_CONNECTION_LOST;
}
