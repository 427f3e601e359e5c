/*
 * A library to be loaded into a whole program (LD_PRELOAD) that makes the system's calls fail, or do less than they were
 * requested to. Linux with the GNU C library.
 *
 * Environment: FAULT, a list of
 *   short     sockets take and give one byte at a time
 *   eintr     every other call that may wait, or moves a socket's bytes, is interrupted first
 *   eagain    every other call that moves a socket's bytes has nothing to move
 *   emfile    for a while, clients that connect find that the process has no descriptor left
 *   enfile    the same, of the whole system
 *   clock     the time of day jumps, by years and back, at each look
 * FAULT_MALLOC=N: the Nth allocation fails; with FAULT_AFTER those behind it, too.
 * FAULT_REPORT=FILE: how many calls were made to fail is written there when the program ends.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { YEARS = 1000000000 /* seconds: about 32 of them */ };

static struct {
    bool is_on;
    bool is_short, eintr, eagain, clock;
    int full;                  /* emfile, enfile: the error; 0: neither */
    bool goes_on;              /* FAULT_AFTER */
    unsigned long nth;         /* FAULT_MALLOC; 0: none */
    unsigned long allocations; /* so far */
    unsigned long injected;
    const char *report;
} fault;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *piece, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool wants(const char *list, const char *name)
{
    return list != NULL && strstr(list, name) != NULL;
}

__attribute__((constructor)) static void begin(void)
{
    const char *list = getenv("FAULT");
    const char *nth = getenv("FAULT_MALLOC");

    fault.is_short = wants(list, "short");
    fault.eintr = wants(list, "eintr");
    fault.eagain = wants(list, "eagain");
    fault.full = wants(list, "emfile") ? EMFILE : wants(list, "enfile") ? ENFILE : 0;
    fault.clock = wants(list, "clock");
    fault.nth = nth != NULL ? strtoul(nth, NULL, 10) : 0;
    fault.goes_on = getenv("FAULT_AFTER") != NULL;
    fault.report = getenv("FAULT_REPORT");
    fault.is_on = true;
}

__attribute__((destructor)) static void end(void)
{
    char text[32];
    int fd;
    int size;

    fault.is_on = false;
    fd = fault.report != NULL ? open(fault.report, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (fd < 0)
        return;
    size = snprintf(text, sizeof text, "%lu\n", fault.injected);
    if (write(fd, text, (size_t)size) != size)
        _exit(99);
    close(fd);
}

/* ---- memory ---- */

static bool refuses_memory(void)
{
    if (!fault.is_on || fault.nth == 0)
        return false;
    fault.allocations++;
    if (fault.allocations != fault.nth && !(fault.goes_on && fault.allocations > fault.nth))
        return false;
    fault.injected++;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return refuses_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refuses_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *piece, size_t size)
{
    return refuses_memory() ? NULL : __libc_realloc(piece, size);
}

int posix_memalign(void **piece, size_t alignment, size_t size)
{
    void *made = refuses_memory() ? NULL : __libc_memalign(alignment, size);

    if (made == NULL)
        return ENOMEM;
    *piece = made;
    return 0;
}

/* ---- calls ---- */

/* Whether this call is one to fail so: every other one of those that `count` counts. */
static bool is_due(bool wanted, unsigned long *count, int error)
{
    if (!fault.is_on || !wanted || ++*count % 2 != 0)
        return false;
    fault.injected++;
    errno = error;
    return true;
}

static bool is_socket(int fd)
{
    int type;
    socklen_t size = sizeof type;
    int kept = errno;
    bool is_one = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;

    errno = kept;
    return is_one;
}

static bool moves_nothing(int fd)
{
    static unsigned long interrupted;
    static unsigned long empty;

    return is_socket(fd) &&
           (is_due(fault.eintr, &interrupted, EINTR) || is_due(fault.eagain, &empty, EAGAIN));
}

static bool waits_in_vain(void)
{
    static unsigned long count;

    return is_due(fault.eintr, &count, EINTR);
}

static size_t shortened(int fd, size_t size)
{
    if (!fault.is_on || !fault.is_short || size < 2 || !is_socket(fd))
        return size;
    fault.injected++;
    return 1;
}

/* Declares a static pointer to the C library's own function of that name. */
#define REAL(type, name, parameters) \
    static type(*real_##name) parameters; \
    if (real_##name == NULL) \
    *(void **)&real_##name = dlsym(RTLD_NEXT, #name)

ssize_t read(int fd, void *bytes, size_t size)
{
    REAL(ssize_t, read, (int, void *, size_t));
    return moves_nothing(fd) ? -1 : real_read(fd, bytes, shortened(fd, size));
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    REAL(ssize_t, recv, (int, void *, size_t, int));
    return moves_nothing(fd) ? -1 : real_recv(fd, bytes, shortened(fd, size), flags);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    REAL(ssize_t, write, (int, const void *, size_t));
    return moves_nothing(fd) ? -1 : real_write(fd, bytes, shortened(fd, size));
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    REAL(ssize_t, writev, (int, const struct iovec *, int));
    if (fault.is_on && fault.is_short && is_socket(fd))
        return write(fd, pieces->iov_base, pieces->iov_len);
    return moves_nothing(fd) ? -1 : real_writev(fd, pieces, count);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct iovec piece = message->msg_iov[0];
    struct msghdr first = *message;

    REAL(ssize_t, sendmsg, (int, const struct msghdr *, int));
    if (moves_nothing(fd))
        return -1;
    if (shortened(fd, piece.iov_len) == piece.iov_len)
        return real_sendmsg(fd, message, flags);
    piece.iov_len = 1;
    first.msg_iov = &piece;
    first.msg_iovlen = 1;
    return real_sendmsg(fd, &first, flags);
}

/* From the third accept to the eighth: the listener has to report the client again and again. */
static bool is_full(void)
{
    static unsigned long looks;

    if (!fault.is_on || fault.full == 0 || ++looks < 3 || looks > 8)
        return false;
    fault.injected++;
    errno = fault.full;
    return true;
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    static unsigned long interrupted;

    REAL(int, accept4, (int, struct sockaddr *, socklen_t *, int));
    if (is_due(fault.eintr, &interrupted, EINTR) || is_full())
        return -1;
    return real_accept4(fd, address, size, flags);
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    REAL(int, connect, (int, const struct sockaddr *, socklen_t));
    return waits_in_vain() ? -1 : real_connect(fd, address, size);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    REAL(int, poll, (struct pollfd *, nfds_t, int));
    return waits_in_vain() ? -1 : real_poll(fds, count, timeout);
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
    REAL(int, epoll_wait, (int, struct epoll_event *, int, int));
    return waits_in_vain() ? -1 : real_epoll_wait(fd, events, count, timeout);
}

int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout, const sigset_t *signals)
{
    REAL(int, epoll_pwait, (int, struct epoll_event *, int, int, const sigset_t *));
    return waits_in_vain() ? -1 : real_epoll_pwait(fd, events, count, timeout, signals);
}

/* ---- the clock ---- */

static time_t jumped(time_t now)
{
    static unsigned long looks;

    if (!fault.is_on || !fault.clock)
        return now;
    fault.injected++;
    looks++;
    if (looks % 3 == 0)
        return now;
    return looks % 3 == 1 ? now + YEARS : now - YEARS;
}

time_t time(time_t *result)
{
    struct timespec now;
    time_t changed;

    REAL(int, clock_gettime, (clockid_t, struct timespec *));
    real_clock_gettime(CLOCK_REALTIME, &now);
    changed = jumped(now.tv_sec);
    if (result != NULL)
        *result = changed;
    return changed;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result;

    REAL(int, clock_gettime, (clockid_t, struct timespec *));
    result = real_clock_gettime(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec = jumped(now->tv_sec);
    return result;
}
