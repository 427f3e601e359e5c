/*
 * What the transport, the lock and the mapping request of a POSIX system: with which times, flags and sizes, and what they do where it
 * refuses. The sources are a part of the test, which puts calls of its own in the place of the system's; so nothing waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
/* Needs those before it. */
#include <cmocka.h>

enum { SOCKET = 77, USER = 1000, RESULTS_MAXIMUM = 8 };

/* What one call of the system's gives: a result, or -1 and an error. */
struct result {
    long value;
    int error;
};

static struct {
    uint64_t now_ms;
    uint64_t now_ns;                        /* beside it */
    unsigned yields;                        /* sched_yield() */
    long processors;                        /* of the machine */
    struct result results[RESULTS_MAXIMUM]; /* of recv(), sendmsg(), poll() and connect(), in their order */
    size_t result_count;
    size_t result_next;
    int poll_ms; /* what the last poll() was given */
    short poll_events;
    short poll_revents;
    unsigned polls;
    unsigned rests;        /* poll() of nothing */
    int flags;             /* of the last recv() or sendmsg() */
    uint64_t timeout_ms;   /* the socket's own, as it was set last */
    uid_t peer;            /* whose daemon it is */
    unsigned opened;       /* descriptors that are open */
    uint64_t mapped_bytes; /* in all mappings */
    struct timespec until; /* what a thread waits for */
} fake;

static void begin(void)
{
    memset(&fake, 0, sizeof fake);
    fake.now_ms = 1000000;
    fake.peer = USER;
    fake.processors = 2;
}

static void script(long value, int error)
{
    assert_true(fake.result_count < RESULTS_MAXIMUM);
    fake.results[fake.result_count++] = (struct result){value, error};
}

static long next_result(void)
{
    struct result result;

    assert_true(fake.result_next < fake.result_count);
    result = fake.results[fake.result_next++];
    errno = result.error;
    return result.value;
}

static int fake_clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    *now = (struct timespec){.tv_sec = (time_t)(fake.now_ms / 1000),
                             .tv_nsec = (long)(fake.now_ms % 1000) * 1000000 + (long)fake.now_ns};
    return 0;
}

/* What others do with the processor takes 20 us. */
static int fake_sched_yield(void)
{
    fake.yields++;
    fake.now_ns += 20000;
    return 0;
}

static long fake_sysconf(int name)
{
    return name == _SC_NPROCESSORS_ONLN ? fake.processors : sysconf(name);
}

/* Where nothing is ready, the time passes. */
static int fake_poll(struct pollfd *ready, nfds_t count, int milliseconds)
{
    int result;

    /* Only to wait. */
    if (count == 0) {
        fake.rests++;
        fake.now_ms += (uint64_t)milliseconds;
        return 0;
    }
    result = (int)next_result();
    assert_int_equal(count, 1);
    fake.polls++;
    fake.poll_ms = milliseconds;
    fake.poll_events = ready->events;
    ready->revents = fake.poll_revents;
    if (result == 0)
        fake.now_ms += (uint64_t)milliseconds;
    return result;
}

static ssize_t fake_recv(int socket, void *bytes, size_t capacity, int flags)
{
    ssize_t result = next_result();

    assert_int_equal(socket, SOCKET);
    fake.flags = flags;
    if (result > 0) {
        assert_true((size_t)result <= capacity);
        memset(bytes, 'r', (size_t)result);
    }
    return result;
}

static ssize_t fake_sendmsg(int socket, const struct msghdr *message, int flags)
{
    (void)message;
    assert_int_equal(socket, SOCKET);
    fake.flags = flags;
    return next_result();
}

static int fake_socket(int domain, int type, int protocol)
{
    (void)domain;
    (void)type;
    (void)protocol;
    fake.opened++;
    return SOCKET;
}

static int fake_close(int descriptor)
{
    fake.opened--;
    return descriptor == SOCKET ? 0 : close(descriptor);
}

static int fake_connect(int socket, const struct sockaddr *address, socklen_t size)
{
    (void)socket;
    (void)address;
    (void)size;
    return (int)next_result();
}

static int fake_setsockopt(int socket, int level, int option, const void *value, socklen_t size)
{
    const struct timeval *timeout = value;

    (void)socket;
    (void)level;
    if ((option == SO_RCVTIMEO || option == SO_SNDTIMEO) && size == sizeof *timeout)
        fake.timeout_ms = (uint64_t)timeout->tv_sec * 1000 + (uint64_t)timeout->tv_usec / 1000;
    return 0;
}

static int fake_shutdown(int socket, int how)
{
    (void)socket;
    (void)how;
    return 0;
}

static int fake_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    (void)condition;
    (void)mutex;
    fake.until = *until;
    return ETIMEDOUT;
}

static void *fake_mmap(void *start, size_t length, int protection, int flags, int fd, off_t offset)
{
    void *mapped = mmap(start, length, protection, flags, fd, offset);

    /* What is mapped in the place of something else is no more than that was. */
    if (mapped != MAP_FAILED && (flags & MAP_FIXED) == 0)
        fake.mapped_bytes += length;
    return mapped;
}

static int fake_munmap(void *start, size_t length)
{
    fake.mapped_bytes -= length;
    return munmap(start, length);
}

/* Not root, whatever user runs the test. */
static uid_t fake_geteuid(void)
{
    return USER;
}

static int fake_shm_open(const char *name, int flags, mode_t mode)
{
    int fd = shm_open(name, flags, mode);

    fake.opened += fd >= 0;
    return fd;
}

#define clock_gettime fake_clock_gettime
#define poll fake_poll
#define sched_yield fake_sched_yield
#define sysconf fake_sysconf
#define recv fake_recv
#define sendmsg fake_sendmsg
#define socket(domain, type, protocol) fake_socket(domain, type, protocol)
#define close fake_close
#define connect fake_connect
#define setsockopt fake_setsockopt
#define shutdown fake_shutdown
#define pthread_cond_timedwait fake_timedwait
#define mmap fake_mmap
#define munmap fake_munmap
#define shm_open fake_shm_open
#define geteuid fake_geteuid
#ifdef SO_PEERCRED
#define getsockopt fake_getsockopt

static int fake_getsockopt(int socket, int level, int option, void *value, socklen_t *size)
{
    struct ucred *peer = value;

    (void)socket;
    (void)level;
    assert_int_equal(option, SO_PEERCRED);
    *peer = (struct ucred){.pid = 1, .uid = fake.peer, .gid = 0};
    *size = sizeof *peer;
    return 0;
}
#else
#define getpeereid fake_getpeereid

static int fake_getpeereid(int socket, uid_t *user, gid_t *group)
{
    (void)socket;
    *user = fake.peer;
    *group = 0;
    return 0;
}
#endif

/* Each has a fail() of its own, and cmocka has one. */
#undef fail
#define fail transport_fail
#include "lib/connection/transport_posix.c"
#undef fail
#define fail segment_fail
#define map segment_map
#include "lib/connection/mapped_memory_posix.c"
#undef map
#undef fail
#include "lib/connection/descriptor_posix.c"
#include "lib/connection/mapped_heap.c"
#include "lib/connection/mutex_posix.c"
#include "lib/connection/spin.c"

static struct um_transport *open_with(uint32_t timeout_ms, uint64_t deadline_ms, int expected)
{
    struct um_transport *transport = NULL;
    struct um_reason reason = {""};

    assert_int_equal(um_transport_open("/nowhere", timeout_ms, deadline_ms, &transport, &reason), expected);
    assert_int_equal(reason.text[0] != '\0', expected != UMEM_OK);
    assert_int_equal(fake.opened, expected == UMEM_OK);
    return transport;
}

/* ---- connecting ---- */

static void test_connecting(void **state)
{
    struct um_transport *transport;

    (void)state;
    begin();
    script(-1, EINTR);
    script(0, 0);
    transport = open_with(200, fake.now_ms + 50, UMEM_OK);
    /* While it connected, it was what was left; from now on it is what calls have. */
    assert_int_equal(fake.timeout_ms, 200);
    um_transport_close(transport);
    assert_int_equal(fake.opened, 0);
    begin();
    script(0, 0);
    um_transport_close(open_with(61234, UM_NO_DEADLINE, UMEM_OK));
    assert_int_equal(fake.timeout_ms, 61234);
    begin();
    script(-1, EAGAIN);
    script(-1, EAGAIN);
    script(0, 0);
    um_transport_close(open_with(200, fake.now_ms + 50, UMEM_OK));
    assert_int_equal(fake.rests, 2);
    begin();
    for (int i = 0; i < 4; i++)
        script(-1, EAGAIN);
    open_with(200, fake.now_ms + 3, UMEM_E_DEADLINE);
    assert_int_equal(fake.now_ms, 1000003);
    assert_int_equal(fake.result_next, 4);
    begin();
    script(-1, EINTR);
    script(0, 0);
    um_transport_close(open_with(0, fake.now_ms + 50, UMEM_OK));
    assert_int_equal(fake.timeout_ms, 0);
    begin();
    script(-1, ENOENT);
    open_with(200, fake.now_ms + 50, UMEM_E_NOT_CONNECTED);
    assert_int_equal(fake.timeout_ms, 50);
    begin();
    script(-1, EACCES);
    open_with(0, UM_NO_DEADLINE, UMEM_E_NOT_CONNECTED);
    begin();
    script(-1, ECONNREFUSED);
    open_with(0, UM_NO_DEADLINE, UMEM_E_NOT_CONNECTED);
}

/* Daemons of the same user and of root are accepted; those of other users are not. */
static void test_the_user_of_the_daemon(void **state)
{
    (void)state;
    begin();
    script(0, 0);
    um_transport_close(open_with(0, UM_NO_DEADLINE, UMEM_OK));
    begin();
    script(0, 0);
    fake.peer = 0;
    um_transport_close(open_with(0, UM_NO_DEADLINE, UMEM_OK));
    begin();
    script(0, 0);
    fake.peer = USER + 1;
    open_with(0, UM_NO_DEADLINE, UMEM_E_NOT_TRUSTED);
}

/* ---- reading ---- */

static int read_with(uint32_t timeout_ms, uint64_t deadline_ms)
{
    struct um_transport transport = {.socket = SOCKET, .timeout_ms = timeout_ms};
    struct um_reason reason = {""};
    char bytes[16];
    size_t size = 0;
    int code = um_transport_read(&transport, bytes, sizeof bytes, &size, deadline_ms, &reason);

    assert_int_equal(code == UMEM_OK ? size : 5, 5);
    assert_int_equal(fake.result_next, fake.result_count);
    return code;
}

static void test_reading(void **state)
{
    (void)state;
    /* The socket's own limit ends it soon enough: no poll(). */
    begin();
    script(5, 0);
    assert_int_equal(read_with(50, fake.now_ms + 50), UMEM_OK);
    assert_int_equal(fake.polls, 0);
    assert_int_equal(fake.flags, 0);
    /* It does not. */
    begin();
    script(1, 0);
    script(5, 0);
    assert_int_equal(read_with(50, fake.now_ms + 20), UMEM_OK);
    assert_int_equal(fake.poll_ms, 20);
    assert_int_equal(fake.poll_events, POLLIN);
    assert_int_equal(fake.flags, MSG_DONTWAIT);
    begin();
    script(1, 0);
    script(5, 0);
    assert_int_equal(read_with(0, fake.now_ms + 20), UMEM_OK);
    assert_int_equal(fake.poll_ms, 20);
    begin();
    script(5, 0);
    assert_int_equal(read_with(0, UM_NO_DEADLINE), UMEM_OK);
    assert_int_equal(fake.polls, 0);
    /* The time is over, after as long as was given and no longer. */
    begin();
    script(0, 0);
    assert_int_equal(read_with(0, fake.now_ms + 20), UMEM_E_DEADLINE);
    assert_int_equal(fake.now_ms, 1000020);
    begin();
    script(0, 0);
    assert_int_equal(read_with(0, 1), UMEM_E_DEADLINE);
    assert_int_equal(fake.poll_ms, 0);
    /* Days are waited for in pieces. */
    begin();
    script(0, 0);
    script(1, 0);
    script(5, 0);
    assert_int_equal(read_with(0, fake.now_ms + 1500000), UMEM_OK);
    assert_int_equal(fake.poll_ms, 500000);
    begin();
    script(-1, EAGAIN);
    script(5, 0);
    assert_int_equal(read_with(50, fake.now_ms + 50), UMEM_OK);
    /* The socket's limit may round down by a little. */
    begin();
    script(-1, EAGAIN);
    assert_int_equal(read_with(1, fake.now_ms + 1), UMEM_E_DEADLINE);
}

static void test_reading_is_disturbed(void **state)
{
    (void)state;
    begin();
    script(-1, EINTR);
    script(5, 0);
    assert_int_equal(read_with(50, fake.now_ms + 50), UMEM_OK);
    begin();
    script(-1, EINTR);
    script(1, 0);
    script(-1, EINTR);
    script(1, 0);
    script(5, 0);
    assert_int_equal(read_with(0, fake.now_ms + 50), UMEM_OK);
    begin();
    script(0, 0);
    assert_int_equal(read_with(50, UM_NO_DEADLINE), UMEM_E_CONNECTION_LOST);
    begin();
    script(-1, ECONNRESET);
    assert_int_equal(read_with(50, UM_NO_DEADLINE), UMEM_E_CONNECTION_LOST);
    begin();
    script(-1, EBADF);
    assert_int_equal(read_with(0, fake.now_ms + 50), UMEM_E_CONNECTION_LOST);
}

/* ---- spinning ---- */

/* A connection of which it is known that a read takes 10 us asleep. */
static struct um_transport quick_transport(void)
{
    return (struct um_transport){.socket = SOCKET, .spin.usual_ns = 10000};
}

static int spin_on(struct um_transport *transport, uint64_t deadline_ms)
{
    struct um_reason reason = {""};
    char bytes[16];
    size_t size = 0;
    int code = um_transport_read(transport, bytes, sizeof bytes, &size, deadline_ms, &reason);

    assert_int_equal(fake.result_next, fake.result_count);
    return code;
}

static void test_spinning(void **state)
{
    struct um_transport transport = quick_transport();

    (void)state;
    begin();
    script(-1, EAGAIN);
    script(-1, EWOULDBLOCK);
    script(5, 0);
    assert_int_equal(spin_on(&transport, UM_NO_DEADLINE), UMEM_OK);
    assert_int_equal(fake.flags, MSG_DONTWAIT);
    assert_int_equal(fake.yields, 2);
    assert_int_equal(transport.spin.debt_ns, 30000);
    /* It came too late for that: the next ones sleep at once. */
    transport = quick_transport();
    begin();
    for (int i = 0; i < 4; i++)
        script(-1, EAGAIN);
    script(5, 0);
    assert_int_equal(spin_on(&transport, UM_NO_DEADLINE), UMEM_OK);
    assert_int_equal(fake.flags, 0);
    assert_int_equal(fake.yields, 3);
    script(5, 0);
    assert_int_equal(spin_on(&transport, UM_NO_DEADLINE), UMEM_OK);
    assert_int_equal(fake.flags, 0);
    /* One that must not spin measures nothing. */
    transport.spin = (struct um_spin){.is_off = true};
    script(5, 0);
    assert_int_equal(spin_on(&transport, UM_NO_DEADLINE), UMEM_OK);
    assert_int_equal(fake.flags, 0);
    assert_int_equal(transport.spin.usual_ns, 0);
}

static void test_spinning_is_disturbed(void **state)
{
    struct um_transport transport = quick_transport();

    (void)state;
    /* A signal is no answer, and the end of the connection is read once. */
    begin();
    script(-1, EINTR);
    script(5, 0);
    assert_int_equal(spin_on(&transport, UM_NO_DEADLINE), UMEM_OK);
    transport = quick_transport();
    begin();
    script(0, 0);
    assert_int_equal(spin_on(&transport, UM_NO_DEADLINE), UMEM_E_CONNECTION_LOST);
    transport = quick_transport();
    begin();
    script(-1, ECONNRESET);
    assert_int_equal(spin_on(&transport, UM_NO_DEADLINE), UMEM_E_CONNECTION_LOST);
    /* Where the socket would sleep for too long, poll() waits, and nothing spins. */
    transport = quick_transport();
    begin();
    script(0, 0);
    assert_int_equal(spin_on(&transport, fake.now_ms + 20), UMEM_E_DEADLINE);
    assert_int_equal(fake.yields, 0);
}

/* Only where it is let, and there are two processors. */
static void test_who_may_spin(void **state)
{
    static const long processors[] = {-1, 1, 2, 64};

    (void)state;
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++) {
        struct um_transport *transport;

        begin();
        fake.processors = processors[i];
        script(0, 0);
        transport = open_with(0, UM_NO_DEADLINE, UMEM_OK);
        assert_true(transport->spin.is_off);
        um_transport_let_spin(transport);
        assert_int_equal(transport->spin.is_off, processors[i] < 2);
        um_transport_close(transport);
    }
}

/* ---- writing ---- */

static int write_with(size_t *done, bool *readable, uint64_t deadline_ms)
{
    struct um_transport transport = {.socket = SOCKET};
    struct um_slice slice = {"12345", 5};
    struct um_reason reason = {""};
    int code = um_transport_write_some(&transport, &slice, 1, done, readable, deadline_ms, &reason);

    assert_int_equal(fake.result_next, fake.result_count);
    assert_int_equal(fake.flags, MSG_NOSIGNAL | MSG_DONTWAIT);
    return code;
}

static void test_writing(void **state)
{
    bool readable = true;
    size_t done = 9;

    (void)state;
    begin();
    script(3, 0);
    assert_int_equal(write_with(&done, &readable, fake.now_ms + 50), UMEM_OK);
    assert_int_equal(done, 3);
    assert_false(readable);
    begin();
    script(-1, EINTR);
    assert_int_equal(write_with(&done, &readable, fake.now_ms + 50), UMEM_OK);
    assert_int_equal(done, 0);
    begin();
    script(-1, EPIPE);
    assert_int_equal(write_with(&done, &readable, fake.now_ms + 50), UMEM_E_NOT_CONNECTED);
    /* Nothing is taken: it waits for a moment, and no longer than there is time. */
    begin();
    readable = true;
    fake.poll_revents = POLLIN;
    script(-1, EAGAIN);
    script(1, 0);
    assert_int_equal(write_with(&done, &readable, fake.now_ms + 5000), UMEM_OK);
    assert_int_equal(fake.poll_ms, 50);
    assert_int_equal(fake.poll_events, POLLOUT | POLLIN);
    assert_true(readable && done == 0);
    begin();
    readable = false;
    script(-1, EAGAIN);
    script(0, 0);
    assert_int_equal(write_with(&done, &readable, fake.now_ms + 20), UMEM_OK);
    assert_int_equal(fake.poll_ms, 20);
    assert_int_equal(fake.poll_events, POLLOUT);
    begin();
    script(-1, EAGAIN);
    assert_int_equal(write_with(&done, &readable, fake.now_ms), UMEM_E_DEADLINE);
}

/* ---- descriptors ---- */

/* The library takes no descriptor of a standard file: output of others would be sent to the daemon. */
static void test_standard_files_are_not_taken(void **state)
{
    (void)state;
    for (int fd = 0; fd <= 3; fd++) {
        int kept = dup(fd);
        int nowhere = open("/dev/null", O_RDWR);
        int moved;

        assert_int_equal(dup2(nowhere, fd), fd);
        if (nowhere != fd)
            close(nowhere);
        moved = um_descriptor_move_up(fd);
        if (fd < 3) {
            assert_true(moved >= 3);
            assert_int_equal(fcntl(fd, F_GETFD), -1);
            assert_true((fcntl(moved, F_GETFD) & FD_CLOEXEC) != 0);
        } else {
            assert_int_equal(moved, fd);
        }
        close(moved);
        if (kept >= 0)
            dup2(kept, fd);
    }
    assert_int_equal(um_descriptor_move_up(-1), -1);
}

/* ---- waiting for another thread ---- */

static void test_waiting(void **state)
{
    struct um_mutex *lock = um_mutex_new();
    struct um_condition *condition = um_condition_new();

    (void)state;
    begin();
    um_mutex_lock(lock);
    um_condition_wait(condition, lock, fake.now_ms + 1234);
    assert_int_equal(fake.until.tv_sec, 1001);
    assert_int_equal(fake.until.tv_nsec, 234000000);
    fake.now_ms += 900;
    um_condition_wait(condition, lock, fake.now_ms + 1234);
    assert_int_equal(fake.until.tv_sec, 1002);
    assert_int_equal(fake.until.tv_nsec, 134000000);
    um_condition_wait(condition, lock, fake.now_ms - 1);
    assert_int_equal(fake.until.tv_sec, 1000);
    assert_int_equal(fake.until.tv_nsec, 900000000);
    um_mutex_unlock(lock);
    um_condition_free(condition);
    um_mutex_free(lock);
}

/* ---- mapping ---- */

/* Nothing is left behind: neither a descriptor nor a part of what was reserved. */
static void test_mapping(void **state)
{
    enum { LENGTH = 3 * 65536 };
    char name[64];
    unsigned char *start = NULL;
    size_t length = 0;
    struct um_reason reason = {""};
    int fd;

    (void)state;
    begin();
    snprintf(name, sizeof name, "/umem-test-%ld", (long)getpid());
    assert_int_equal(um_mapped_memory_open(name, &start, &length, &reason), UMEM_E_UNSUPPORTED);
    assert_true(reason.text[0] != '\0');
    fd = fake_shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    /* Of an object without bytes there is nothing to map. */
    assert_int_equal(um_mapped_memory_open(name, &start, &length, &reason), UMEM_E_OUT_OF_MEMORY);
    assert_int_equal(fake.opened, 1);
    assert_int_equal(ftruncate(fd, LENGTH), 0);
    assert_int_equal(um_mapped_memory_open(name, &start, &length, &reason), UMEM_OK);
    assert_int_equal(fake.opened, 1);
    assert_int_equal(length, LENGTH);
    assert_int_equal((uintptr_t)start % UM_SEGMENT_ALIGNMENT, 0);
    assert_int_equal(fake.mapped_bytes, LENGTH);
    start[LENGTH - 1] = 1;
    um_mapped_memory_close(start, length);
    assert_int_equal(fake.mapped_bytes, 0);
    fake_close(fd);
    assert_int_equal(shm_unlink(name), 0);
}

/* A block must lie within the existing memory. The memory is mapped once, for as long as one of its blocks is in
 * use. */
static void test_blocks_in_mappings(void **state)
{
    enum { LENGTH = 3 * 65536 };
    struct um_block_location place;
    struct um_mapped_heap *mapped = NULL;
    struct um_reason reason = {""};
    void *first = NULL;
    void *second = NULL;
    int fd;

    (void)state;
    begin();
    memset(&place, 0, sizeof place);
    snprintf(place.name, sizeof place.name, "/umem-test-%ld", (long)getpid());
    fd = fake_shm_open(place.name, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, LENGTH), 0);
    place.offset = LENGTH - 8;
    place.size = 9;
    assert_int_equal(um_mapped_heap_use(&mapped, &place, &first, &reason), UMEM_E_CORRUPTED);
    place.offset = LENGTH + 1;
    place.size = 0;
    assert_int_equal(um_mapped_heap_use(&mapped, &place, &first, &reason), UMEM_E_CORRUPTED);
    place.size = UINT64_MAX;
    place.offset = 8;
    assert_int_equal(um_mapped_heap_use(&mapped, &place, &first, &reason), UMEM_E_CORRUPTED);
    assert_null(first);
    assert_null(mapped);
    assert_int_equal(fake.mapped_bytes, 0);
    place.offset = LENGTH - 8;
    place.size = 8;
    assert_int_equal(um_mapped_heap_use(&mapped, &place, &first, &reason), UMEM_OK);
    place.offset = 0;
    assert_int_equal(um_mapped_heap_use(&mapped, &place, &second, &reason), UMEM_OK);
    assert_ptr_equal((char *)second + LENGTH - 8, first);
    assert_int_equal(fake.mapped_bytes, LENGTH);
    assert_int_equal(um_mapped_heap_release(&mapped, (char *)second + LENGTH), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(um_mapped_heap_release(&mapped, (char *)second - 1), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(um_mapped_heap_release(&mapped, (char *)second + 7), UMEM_OK);
    assert_int_equal(fake.mapped_bytes, LENGTH);
    assert_int_equal(um_mapped_heap_release(&mapped, first), UMEM_OK);
    assert_int_equal(fake.mapped_bytes, 0);
    assert_int_equal(um_mapped_heap_release(&mapped, first), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(um_mapped_heap_use(&mapped, &place, &second, &reason), UMEM_OK);
    um_mapped_heap_free_all(mapped);
    assert_int_equal(fake.mapped_bytes, 0);
    fake_close(fd);
    assert_int_equal(fake.opened, 0);
    assert_int_equal(shm_unlink(place.name), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connecting),
        cmocka_unit_test(test_the_user_of_the_daemon),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_reading_is_disturbed),
        cmocka_unit_test(test_spinning),
        cmocka_unit_test(test_spinning_is_disturbed),
        cmocka_unit_test(test_who_may_spin),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_standard_files_are_not_taken),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_blocks_in_mappings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
