/* The private endpoint is a socket beside the pipe's, PIPE.new; descriptors travel over it as SCM_RIGHTS. */
#include "net/listener/hand_over.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "net/listener/peer.h"
#include "net/listener/pipe_lock.h"
#include "net/listener/socket_file.h"
#include "umem_errors.h"

#ifndef MSG_NOSIGNAL
/* macOS; umemd ignores SIGPIPE. */
#define MSG_NOSIGNAL 0
#endif

/* The form of what is sent, for daemons that may send something else one day. */
static const char greeting[] = "umemd hands over 1\n";

/* Room for the descriptors' control message. */
union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(UM_HANDED_MAXIMUM * sizeof(int))];
};

struct um_hand_over {
    int fd;
};

struct um_take_over {
    struct um_pipe_lock *lock; /* of the private endpoint: one daemon at a time takes a pipe over */
    struct um_socket_file file;
    int listener; /* of the private endpoint */
    int line;     /* to the daemon that hands over; -1: it has not come */
};

static int refuse(int code, char *why, size_t capacity, const char *what, const char *path)
{
    snprintf(why, capacity, "%s %s: %s", what, path, strerror(errno));
    return code;
}

static bool is_own(int fd)
{
    struct um_peer peer;

    return um_peer_read(fd, &peer) && (peer.user == geteuid() || peer.user == 0);
}

/* A socket that programs started by this one do not get, with an address. -1 with errno set. */
static int make_socket(const char *path, struct sockaddr_un *address)
{
    int fd;

    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address->sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

void um_handed_close(const struct um_handed *handed)
{
    for (size_t i = 0; i < handed->count; i++)
        close((int)handed->handles[i]);
}

/* ---- the daemon that runs ---- */

/* Without waiting. -1 with errno set. */
static int connect_to(const char *endpoint)
{
    struct sockaddr_un address;
    int fd = make_socket(endpoint, &address);
    int error;

    if (fd < 0)
        return -1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && is_own(fd))
        return fd;
    error = errno != 0 ? errno : EACCES;
    close(fd);
    errno = error;
    return -1;
}

static bool send_descriptors(int fd, const struct um_handed *handed)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)greeting, .iov_len = sizeof greeting - 1};
    union control control = {.space = {0}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = CMSG_SPACE(handed->count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(handed->count * sizeof(int));
    for (size_t i = 0; i < handed->count; i++) {
        int number = (int)handed->handles[i];

        memcpy(CMSG_DATA(header) + i * sizeof number, &number, sizeof number);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)(sizeof greeting - 1);
}

int um_hand_over_send(const char *endpoint, const struct um_handed *handed, struct um_hand_over **hand_over,
                      char *why, size_t capacity)
{
    struct um_hand_over *made = malloc(sizeof *made);
    int code;

    if (made == NULL) {
        snprintf(why, capacity, "no memory");
        return UMEM_E_INTERNAL_ERROR;
    }
    errno = 0;
    made->fd = connect_to(endpoint);
    if (made->fd >= 0 && send_descriptors(made->fd, handed)) {
        *hand_over = made;
        return UMEM_OK;
    }
    code = refuse(UMEM_E_DENIED, why, capacity, "the pipe cannot be handed over to", endpoint);
    if (made->fd >= 0)
        close(made->fd);
    free(made);
    return code;
}

void um_hand_over_close(struct um_hand_over *hand_over)
{
    if (hand_over == NULL)
        return;
    close(hand_over->fd);
    free(hand_over);
}

/* ---- the successor ---- */

/* What an earlier attempt has left there is removed. */
static void clear_path(const char *path)
{
    struct stat facts;

    if (lstat(path, &facts) == 0 && S_ISSOCK(facts.st_mode))
        unlink(path);
}

/* Whether the pipe can be given to those who are let in: tried with the private endpoint, whose mode keeps them out. */
static bool can_give(const struct um_take_over *take_over, const char *pipe,
                     const struct um_principal *allowed, char *why, size_t capacity)
{
    if (!allowed->is_set || lchown(take_over->file.path, (uid_t)-1, (gid_t)allowed->number) == 0)
        return true;
    um_socket_file_explain(pipe, allowed, errno, why, capacity);
    return false;
}

int um_take_over_open(const char *pipe, const struct um_principal *allowed, struct um_take_over **take_over,
                      char *why, size_t capacity)
{
    static const struct um_principal nobody = {.is_set = false};
    struct um_take_over *made = calloc(1, sizeof *made);
    char path[UM_ENDPOINT_CAPACITY + 8];
    struct sockaddr_un address;
    int code;

    if (made == NULL) {
        snprintf(why, capacity, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    made->line = -1;
    snprintf(path, sizeof path, "%s.new", pipe);
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(why, capacity, "%s is too long a path for --replace: a socket beside it has 4 bytes more",
                 pipe);
        free(made);
        return UMEM_E_DENIED;
    }
    code = um_pipe_lock_acquire(path, &made->lock, why, capacity);
    if (code != UMEM_OK) {
        free(made);
        return code;
    }
    clear_path(path);
    made->listener = um_socket_file_create(path, &nobody, 1, &made->file);
    if (made->listener < 0) {
        refuse(UMEM_E_DENIED, why, capacity, "no socket can be made at", path);
        um_pipe_lock_release(made->lock);
        free(made);
        return UMEM_E_DENIED;
    }
    if (!can_give(made, pipe, allowed, why, capacity)) {
        um_take_over_close(made);
        return UMEM_E_DENIED;
    }
    *take_over = made;
    return UMEM_OK;
}

const char *um_take_over_endpoint(const struct um_take_over *take_over)
{
    return take_over->file.path;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until a socket is ready. False with errno set, ETIMEDOUT at the end of the time. */
static bool await(int fd, short events, int64_t end_ms)
{
    struct pollfd ready = {.fd = fd, .events = events};
    int64_t left_ms;
    int count;

    do {
        left_ms = end_ms - now_ms();
        count = poll(&ready, 1, left_ms > 0 ? (int)left_ms : 0);
    } while (count < 0 && errno == EINTR);
    if (count == 0)
        errno = ETIMEDOUT;
    return count > 0;
}

/* Connects where there may be a full queue. */
static bool connect_within(int fd, const struct sockaddr_un *address, int64_t end_ms)
{
    enum { AGAIN_MS = 10 };

    while (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0) {
        if (errno != EAGAIN && errno != EINTR)
            return false;
        if (now_ms() >= end_ms) {
            errno = ETIMEDOUT;
            return false;
        }
        (void)poll(NULL, 0, AGAIN_MS);
    }
    return true;
}

static bool write_line(int fd, const char *text, int64_t end_ms)
{
    size_t left = strlen(text);

    while (left != 0) {
        ssize_t done = send(fd, text, left, MSG_NOSIGNAL);

        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (done < 0 && !await(fd, POLLOUT, end_ms))
            return false;
        if (done > 0) {
            text += done;
            left -= (size_t)done;
        }
    }
    return true;
}

/* Without the line's end. */
static bool read_line(int fd, char *line, size_t size, int64_t end_ms)
{
    size_t length = 0;

    for (;;) {
        ssize_t done = await(fd, POLLIN, end_ms) ? recv(fd, line + length, size - 1 - length, 0) : -1;

        if (done < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (done == 0)
            errno = length == size - 1 ? EMSGSIZE : ECONNRESET;
        if (done <= 0)
            return false;
        length += (size_t)done;
        line[length] = '\0';
        if (strchr(line, '\n') != NULL) {
            *strchr(line, '\n') = '\0';
            return true;
        }
    }
}

int um_take_over_ask(struct um_take_over *take_over, const char *pipe, const char *request, char *answer,
                     size_t answer_size, uint32_t timeout_ms, char *why, size_t capacity)
{
    int64_t end_ms = now_ms() + timeout_ms;
    struct sockaddr_un address;
    int fd = make_socket(pipe, &address);
    int code = UMEM_OK;

    (void)take_over;
    if (fd < 0)
        return refuse(UMEM_E_DENIED, why, capacity, "no connection can be made to", pipe);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (!connect_within(fd, &address, end_ms)) {
        code = errno == ENOENT || errno == ECONNREFUSED ? UMEM_E_UNKNOWN_HANDLE
               : errno == ETIMEDOUT                     ? UMEM_E_TIMEOUT
                                                        : UMEM_E_DENIED;
        refuse(code, why, capacity, "no connection can be made to", pipe);
    } else if (!is_own(fd)) {
        code = UMEM_E_DENIED;
        snprintf(why, capacity, "the daemon at %s is another user's, whom this one does not replace", pipe);
    } else if (!write_line(fd, request, end_ms) || !read_line(fd, answer, answer_size, end_ms)) {
        code = errno == ETIMEDOUT ? UMEM_E_TIMEOUT : UMEM_E_DENIED;
        refuse(code, why, capacity, "there is no answer from the daemon at", pipe);
    }
    close(fd);
    return code;
}

/* Takes the descriptors of one message. Returns how many. */
static size_t take_descriptors(struct msghdr *message, struct um_handed *handed)
{
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = CMSG_LEN(0);
             at + sizeof(int) <= header->cmsg_len && handed->count < UM_HANDED_MAXIMUM; at += sizeof(int)) {
            int number;

            memcpy(&number, CMSG_DATA(header) + (at - CMSG_LEN(0)), sizeof number);
            fcntl(number, F_SETFD, FD_CLOEXEC);
            handed->handles[handed->count++] = number;
        }
    }
    return handed->count;
}

int um_take_over_receive(struct um_take_over *take_over, struct um_handed *handed, uint32_t timeout_ms,
                         char *why, size_t capacity)
{
    int64_t end_ms = now_ms() + timeout_ms;
    char text[64];
    struct iovec part = {.iov_base = text, .iov_len = sizeof text};
    union control control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control};
    struct um_handed taken = {.count = 0};
    ssize_t size = -1;

    if (await(take_over->listener, POLLIN, end_ms))
        take_over->line = accept(take_over->listener, NULL, NULL);
    if (take_over->line < 0)
        return refuse(errno == ETIMEDOUT ? UMEM_E_TIMEOUT : UMEM_E_DENIED, why, capacity,
                      "the daemon does not come to", take_over->file.path);
    fcntl(take_over->line, F_SETFD, FD_CLOEXEC);
    if (is_own(take_over->line) && await(take_over->line, POLLIN, end_ms))
        size = recvmsg(take_over->line, &message, 0);
    if (size > 0 && take_descriptors(&message, &taken) == UM_HANDED_PIPE + 1 &&
        size == (ssize_t)(sizeof greeting - 1) && memcmp(text, greeting, sizeof greeting - 1) == 0) {
        *handed = taken;
        return UMEM_OK;
    }
    um_handed_close(&taken);
    snprintf(why, capacity, "what the daemon hands over at %s is not what this version takes",
             take_over->file.path);
    return UMEM_E_DENIED;
}

int um_take_over_wait(struct um_take_over *take_over, uint32_t timeout_ms)
{
    int64_t end_ms = now_ms() + timeout_ms;
    char byte;

    while (await(take_over->line, POLLIN, end_ms)) {
        if (recv(take_over->line, &byte, 1, 0) <= 0)
            return UMEM_OK;
    }
    return UMEM_E_TIMEOUT;
}

void um_take_over_close(struct um_take_over *take_over)
{
    if (take_over == NULL)
        return;
    um_socket_file_remove(&take_over->file);
    um_pipe_lock_release(take_over->lock);
    close(take_over->listener);
    if (take_over->line >= 0)
        close(take_over->line);
    free(take_over);
}
