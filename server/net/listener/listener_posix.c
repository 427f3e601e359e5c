/*
 * A Unix domain socket, made here or handed over by a service manager. Under the lock of its path, what an
 * earlier daemon left there is removed, but only a socket at which no process listens. A socket of ours has mode
 * 0600 from its first moment on (umask), and listens only after that was made sure of (chmod), or the group that is let in was given
 * it, because a client that connected in between would stay. libuv is given a socket that listens already, so that it does not remove its file: at
 * the end that may be another daemon's.
 */
#include "net/listener/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/listener/pipe_lock.h"
#include "net/listener/socket_file.h"
#include "umem_errors.h"
#include "wire/endpoint.h"

enum {
    BACKLOG =
        0x7fffffff, /* clients that may wait to be accepted: the system lowers it to the most that it has */
    DESCRIPTORS_KEPT_BACK =
        64, /* libuv drops connections silently when descriptors run out, so that must not happen */
    DESCRIPTORS_AT_LAST =
        16 /* of these, so many are not given to clients even where the others were used up otherwise */,
    RESERVE_LIMIT =
        1 << 24 /* clients for which memory is set aside: more than any system lets a process have */
};

/* What the handle that listens does. */
enum um_listener_phase {
    PHASE_LISTENING,
    PHASE_REPLACING, /* it closes, and the next socket listens already */
    PHASE_HANDED,    /* another daemon has the socket, too, and accepts those that come from now on */
    PHASE_CLOSING    /* it closes for good */
};

struct um_listener {
    uv_pipe_t server;
    enum um_listener_phase phase;
    struct um_pipe_lock *lock;
    struct um_socket_file file;
    struct um_principal allowed; /* the group that is let in */
    bool is_handed;              /* a service manager's socket, whose file is not ours to make or remove */
    int next;                    /* the socket that listens in the place of the one that closes */
    struct um_listener_events events;
    bool is_offered; /* libuv has accepted a client and waits for uv_accept() */
};

/* Whether a process listens at the socket. Errors other than "none does" count as yes: when in doubt, nothing
 * is removed. */
static bool is_alive(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    bool alive;
    int fd;

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return true;
    /* Where its queue is full, connecting would wait. */
    fcntl(fd, F_SETFL, O_NONBLOCK);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    alive = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno != ECONNREFUSED;
    close(fd);
    return alive;
}

/* Makes the path free for a socket. */
static int clear_path(const char *path, char *why, size_t capacity)
{
    struct stat facts;

    if (lstat(path, &facts) != 0) {
        if (errno == ENOENT)
            return UMEM_OK;
        snprintf(why, capacity, "%s: %s", path, strerror(errno));
        return UMEM_E_DENIED;
    }
    if (!S_ISSOCK(facts.st_mode)) {
        snprintf(why, capacity, "%s is there already and is no socket", path);
        return UMEM_E_DENIED;
    }
    if (is_alive(path)) {
        snprintf(why, capacity, "another program listens at %s", path);
        return UMEM_E_NAME_TAKEN;
    }
    if (unlink(path) != 0) {
        snprintf(why, capacity, "%s is left over and cannot be removed: %s", path, strerror(errno));
        return UMEM_E_DENIED;
    }
    return UMEM_OK;
}

static void on_client(uv_stream_t *server, int status)
{
    struct um_listener *listener = server->data;

    if (status != 0)
        return;
    listener->is_offered = true;
    listener->events.client(listener->events.context);
}

/* Lets the handle listen at a socket, whose it is then; where that fails it is closed. A libuv error. */
static int listen_at(struct um_listener *listener, int fd)
{
    int error = uv_pipe_open(&listener->server, fd);

    if (error != 0)
        close(fd);
    else
        error = uv_listen((uv_stream_t *)&listener->server, BACKLOG, on_client);
    return error;
}

/* Listens at a socket that was handed over (by a service manager, or by a daemon before this one), or at one of its own. A libuv
 * error. */
static int open_socket(struct um_listener *listener, const char *path, int handed, bool is_managers)
{
    int fd = handed;
    int error;

    if (handed != 0 && um_socket_file_describe(path, &listener->file) != 0)
        return uv_translate_sys_error(errno);
    if (handed == 0)
        fd = um_socket_file_create(path, &listener->allowed, BACKLOG, &listener->file);
    if (fd < 0)
        return uv_translate_sys_error(errno);
    listener->is_handed = is_managers;
    error = listen_at(listener, fd);
    if (error != 0 && !is_managers)
        um_socket_file_remove(&listener->file);
    return error;
}

/* Whether only those may connect who are to. A socket for the user alone is good for a group as well: then it keeps the group out. */
static bool is_closed_to_others(const struct stat *facts, const struct um_principal *allowed)
{
    bool is_groups = allowed->is_set && facts->st_gid == (gid_t)allowed->number;

    return facts->st_uid == geteuid() && (facts->st_mode & (is_groups ? 0007 : 0077)) == 0;
}

/* What is wrong with a socket that was handed over, or NULL. */
static const char *check_handed(int fd, const char *path)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof address;
    int type = 0;
    int listens = 0;
    struct stat facts;

    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 || address.sun_family != AF_UNIX)
        return "the socket that was handed over is no Unix domain socket";
    if (strncmp(address.sun_path, path, sizeof address.sun_path) != 0)
        return "the socket that was handed over has another path; let ListenStream= and --pipe agree";
    size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
        return "the socket that was handed over is no stream; it takes ListenStream=";
    size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
        return "the socket that was handed over does not listen; it takes Accept=no";
    if (lstat(path, &facts) != 0 || !S_ISSOCK(facts.st_mode))
        return "the socket that was handed over is no longer there";
    return NULL;
}

/* What is wrong with the rights of its file, or NULL. */
static const char *check_access(const char *path, const struct um_principal *allowed)
{
    struct stat facts;

    if (lstat(path, &facts) == 0 && is_closed_to_others(&facts, allowed))
        return NULL;
    return allowed->is_set
               ? "the socket that was handed over is open to others; it takes SocketMode=0660 and "
                 "SocketGroup= with the group of --allow-group"
               : "the socket that was handed over is open to others; it takes SocketMode=0600";
}

/* Sees to it that the path may be listened at. */
static int prepare(const struct um_listener_place *place, int handed, struct um_pipe_lock **lock, char *why,
                   size_t capacity)
{
    const char *path = place->path;
    const char *what = NULL;
    int code = um_endpoint_prepare(path, &what);

    if (code == UMEM_OK && handed != 0)
        what = check_handed(handed, path);
    /* That daemon may have let others in than this one is to. */
    if (code == UMEM_OK && what == NULL && place->inherited != NULL &&
        !um_socket_file_set_access(path, place->allowed)) {
        um_socket_file_explain(path, place->allowed, errno, why, capacity);
        return UMEM_E_DENIED;
    }
    if (code == UMEM_OK && what == NULL && handed != 0)
        what = check_access(path, place->allowed);
    if (code == UMEM_OK && what != NULL)
        code = UMEM_E_DENIED;
    if (code != UMEM_OK) {
        snprintf(why, capacity, "%s: %s", path, what);
        return code;
    }
    if (place->inherited != NULL)
        return UMEM_OK;
    code = um_pipe_lock_acquire(path, lock, why, capacity);
    if (code == UMEM_OK && handed == 0)
        code = clear_path(path, why, capacity);
    return code;
}

static void on_failed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct um_listener *listener = handle->data;
    struct um_listener_events events = listener->events;

    free(listener);
    events.closed(events.context);
}

int um_listener_open(uv_loop_t *loop, const struct um_listener_place *place,
                     const struct um_listener_events *events, struct um_listener **listener, char *why,
                     size_t capacity)
{
    struct um_listener *made = calloc(1, sizeof *made);
    const struct um_handed *inherited = place->inherited;
    bool is_managers = place->handed != 0;
    int handed = place->handed;
    int error;
    int code;

    if (inherited != NULL)
        handed = (int)inherited->handles[UM_HANDED_PIPE];
    if (made == NULL ||
        (inherited != NULL &&
         um_pipe_lock_adopt(place->path, inherited->handles[UM_HANDED_LOCK], &made->lock) != UMEM_OK)) {
        snprintf(why, capacity, "no memory");
        code = UMEM_E_NO_MEMORY;
        if (inherited != NULL)
            close((int)inherited->handles[UM_HANDED_LOCK]);
        goto fail;
    }
    made->events = *events;
    made->allowed = *place->allowed;
    code = prepare(place, handed, &made->lock, why, capacity);
    if (code != UMEM_OK)
        goto fail;
    uv_pipe_init(loop, &made->server, 0);
    made->server.data = made;
    error = open_socket(made, place->path, handed, is_managers);
    handed = 0;
    if (error != 0) {
        um_socket_file_explain(place->path, place->allowed, -error, why, capacity);
        code = UMEM_E_DENIED;
        uv_close((uv_handle_t *)&made->server, on_failed);
        um_pipe_lock_release(made->lock);
        made = NULL;
        goto fail;
    }
    *listener = made;
    return UMEM_OK;
fail:
    if (made != NULL)
        um_pipe_lock_release(made->lock);
    free(made);
    if (handed != 0)
        close(handed);
    return code;
}

/* ---- accepting ---- */

/* libuv accepts one client and calls on_client(). As long as that one is not taken it accepts no more; if it were taken there, some
 * versions would go on until no client waits, which may be never. So it only wakes the loop, and how many are accepted a turn is up to
 * the caller of um_listener_accept(), which accepts those behind the first one by itself. */
static int listening_socket(const struct um_listener *listener)
{
    uv_os_fd_t fd;

    return uv_fileno((const uv_handle_t *)&listener->server, &fd) == 0 ? fd : -1;
}

bool um_listener_has_client(const struct um_listener *listener)
{
    struct pollfd state = {.fd = listening_socket(listener), .events = POLLIN};

    return listener->is_offered || (listener->phase != PHASE_HANDED && poll(&state, 1, 0) > 0);
}

/* A connected socket that programs started by this one do not get, or -1. */
static int accept_socket(int fd)
{
#ifdef SOCK_CLOEXEC
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
#else
    int client = accept(fd, NULL, NULL);

    if (client >= 0)
        fcntl(client, F_SETFD, FD_CLOEXEC);
    return client;
#endif
}

/* Whether the client has closed altogether and sent nothing before. One that has only ended its sending may wait to be refused. */
static bool has_gone(int fd)
{
    struct pollfd state = {.fd = fd, .events = 0};
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0 && poll(&state, 1, 0) > 0 &&
           (state.revents & POLLHUP) != 0;
}

int um_listener_accept(struct um_listener *listener, uv_pipe_t *client)
{
    int error;
    int fd;

    if (listener->is_offered) {
        listener->is_offered = false;
        return uv_accept((uv_stream_t *)&listener->server, (uv_stream_t *)client);
    }
    fd = accept_socket(listening_socket(listener));
    if (fd < 0)
        return uv_translate_sys_error(errno);
    error = has_gone(fd) ? UV_ECONNABORTED : uv_pipe_open(client, fd);
    if (error != 0)
        close(fd);
    return error;
}

bool um_listener_is_hung_up(const uv_pipe_t *client)
{
    struct pollfd state = {.events = 0};
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)client, &fd) != 0)
        return true;
    state.fd = fd;
    return poll(&state, 1, 0) < 0 || (state.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* ---- the socket's file ---- */

static void on_replaced(uv_handle_t *handle)
{
    struct um_listener *listener = handle->data;

    if (listener->phase == PHASE_CLOSING) {
        close(listener->next);
        on_closed(handle);
        return;
    }
    listener->phase = PHASE_LISTENING;
    uv_pipe_init(handle->loop, &listener->server, 0);
    listener->server.data = listener;
    /* If this fails, the file is removed, and the next check finds that it is missing. */
    if (listen_at(listener, listener->next) != 0)
        unlink(listener->file.path);
}

static enum um_listener_state recreate(struct um_listener *listener, char *why, size_t capacity)
{
    char path[UM_ENDPOINT_CAPACITY];
    const char *what = NULL;
    int code;

    memcpy(path, listener->file.path, sizeof path);
    if (listener->is_handed) {
        snprintf(why, capacity, "%s was removed; it is the service manager's to make: restart its socket",
                 path);
        return UM_LISTENER_MISSING;
    }
    if (um_endpoint_prepare(path, &what) != UMEM_OK) {
        snprintf(why, capacity, "%s was removed and cannot be made anew: %s", path, what);
        return UM_LISTENER_MISSING;
    }
    code = um_pipe_lock_renew(listener->lock, why, capacity);
    if (code != UMEM_OK)
        return code == UMEM_E_NAME_TAKEN ? UM_LISTENER_TAKEN : UM_LISTENER_MISSING;
    /* Clients that connected before are served first; at a path that is gone no others come. */
    if (um_listener_has_client(listener))
        return UM_LISTENER_PRESENT;
    listener->next = um_socket_file_create(path, &listener->allowed, BACKLOG, &listener->file);
    if (listener->next < 0) {
        snprintf(why, capacity, "%s was removed and cannot be made anew: %s", path, strerror(errno));
        return UM_LISTENER_MISSING;
    }
    snprintf(why, capacity, "%s was removed, and was made anew", path);
    listener->phase = PHASE_REPLACING;
    uv_close((uv_handle_t *)&listener->server, on_replaced);
    return UM_LISTENER_RECREATED;
}

enum um_listener_state um_listener_check(struct um_listener *listener, char *why, size_t capacity)
{
    const char *path = listener->file.path;
    char holder[192];

    if (listener->phase != PHASE_LISTENING)
        return UM_LISTENER_PRESENT;
    switch (um_socket_file_state_of(&listener->file)) {
    case UM_SOCKET_FILE_PRESENT:
        /* Its own file may have been removed alone. */
        um_pipe_lock_renew(listener->lock, why, capacity);
        return UM_LISTENER_PRESENT;
    case UM_SOCKET_FILE_MISSING:
        return recreate(listener, why, capacity);
    case UM_SOCKET_FILE_OTHER:
        /* What a daemon left that came after this one and has ended without order. */
        if (!um_pipe_lock_is_held(listener->lock) &&
            um_pipe_lock_renew(listener->lock, why, capacity) == UMEM_OK &&
            clear_path(path, why, capacity) == UMEM_OK)
            return recreate(listener, why, capacity);
        break;
    }
    if (um_pipe_lock_is_held(listener->lock) || !um_pipe_lock_find_holder(path, holder, sizeof holder))
        snprintf(why, capacity, "%s was removed, and something else is there now", path);
    else
        snprintf(why, capacity, "%s was removed, and another daemon, %s, is there now", path, holder);
    return UM_LISTENER_TAKEN;
}

/* A socket has no instances that could be missing. */
void um_listener_retry(struct um_listener *listener)
{
    (void)listener;
}

int um_listener_hand_over(struct um_listener *listener, const char *endpoint, struct um_hand_over **hand_over,
                          char *why, size_t capacity)
{
    const struct um_handed handed = {.handles = {[UM_HANDED_LOCK] = um_pipe_lock_handle(listener->lock),
                                                 [UM_HANDED_PIPE] = listening_socket(listener)},
                                     .count = UM_HANDED_PIPE + 1};
    int code;

    if (listener->phase != PHASE_LISTENING ||
        um_socket_file_state_of(&listener->file) != UM_SOCKET_FILE_PRESENT) {
        snprintf(why, capacity, "the pipe is not at %s now; try again", listener->file.path);
        return UMEM_E_DENIED;
    }
    code = um_hand_over_send(endpoint, &handed, hand_over, why, capacity);
    if (code == UMEM_OK)
        listener->phase = PHASE_HANDED;
    return code;
}

void um_listener_close(struct um_listener *listener)
{
    enum um_listener_phase phase = listener->phase;

    listener->phase = PHASE_CLOSING;
    /* Under the lock, and while the socket is open: then no other file can pass for it. */
    if (!listener->is_handed && phase != PHASE_HANDED)
        um_socket_file_remove(&listener->file);
    if (phase != PHASE_REPLACING)
        uv_close((uv_handle_t *)&listener->server, on_closed);
    if (phase == PHASE_HANDED)
        um_pipe_lock_leave(listener->lock);
    else
        um_pipe_lock_release(listener->lock);
}

/* The system gives out the lowest number that is free. */
bool um_listener_is_near_limit(const uv_pipe_t *client)
{
    struct rlimit limit;
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)client, &fd) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    return limit.rlim_cur != RLIM_INFINITY && (rlim_t)fd + DESCRIPTORS_AT_LAST >= limit.rlim_cur;
}

static void on_reserved(uv_handle_t *handle)
{
    free(handle);
}

static void on_never(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

/* The table is as long as the largest descriptor that was ever watched: for a moment, one that no client will pass. */
void um_listener_reserve(uv_loop_t *loop, uint64_t clients)
{
    uv_poll_t *watch = malloc(sizeof *watch);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int last = clients < RESERVE_LIMIT && fd >= 0
                   ? fcntl(fd, F_DUPFD_CLOEXEC, (int)clients + DESCRIPTORS_KEPT_BACK - 1)
                   : -1;

    if (last >= 0 && watch != NULL && uv_poll_init(loop, watch, last) == 0) {
        uv_poll_start(watch, UV_READABLE, on_never);
        uv_poll_stop(watch);
        uv_close((uv_handle_t *)watch, on_reserved);
    } else {
        free(watch);
    }
    if (last >= 0)
        close(last);
    if (fd >= 0)
        close(fd);
}

uint64_t um_listener_client_capacity(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return UINT64_MAX;
    if (limit.rlim_cur != limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    if (limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur > DESCRIPTORS_KEPT_BACK ? limit.rlim_cur - DESCRIPTORS_KEPT_BACK : 0;
}

const char *um_listener_capacity_hint(void)
{
    return "; raise the limit of open files (ulimit -Hn)";
}
