/*
 * The lock is flock() on a file beside the socket, PATH.lock, which holds the daemon's process id for people
 * to read. (fcntl() locks would not keep two servers of one process apart.)
 */
#include "net/listener/pipe_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net/listener/identity.h"
#include "umem_errors.h"
#include "wire/endpoint.h"

struct um_pipe_lock {
    int fd;      /* open and locked */
    char path[]; /* of the lock file */
};

static const char suffix[] = ".lock";

enum {
    HOLDER_SIZE = 192, /* bytes of "process 17 (umemd)" */
    TRIES = 5,         /* to lock the file: another process may only look which one holds it */
    TRY_EVERY_MS = 10  /* how long that takes at most */
};

/* The process that holds the lock of an open file, as the file says: to another process it may have another number. */
static long read_number(int fd)
{
    char text[32];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return strtol(text, NULL, 10);
}

/* Names it. */
static void name_holder(int fd, char *holder, size_t capacity)
{
    char program[128] = "";
    long pid = read_number(fd);

    if (pid <= 0) {
        snprintf(holder, capacity, "a process that is not known");
        return;
    }
    um_identity_read_program(pid, program, sizeof program);
    snprintf(holder, capacity, program[0] != '\0' ? "process %ld (%s)" : "process %ld", pid, program);
}

static void pause_ms(long milliseconds)
{
    const struct timespec time = {.tv_nsec = milliseconds * 1000000};

    nanosleep(&time, NULL);
}

/* Locks an open file. 0, or -1 with errno set. */
static int lock_file(int fd)
{
    for (int i = 1;; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK || i == TRIES)
            return -1;
        pause_ms(TRY_EVERY_MS);
    }
}

/* Opens and locks. UMEM_E_NAME_TAKEN, UMEM_E_DENIED. */
static int open_locked(const char *path, int *fd, char *why, size_t capacity)
{
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    char holder[HOLDER_SIZE];

    if (opened < 0) {
        snprintf(why, capacity, "%s cannot be opened: %s", path, strerror(errno));
        return UMEM_E_DENIED;
    }
    if (lock_file(opened) == 0) {
        *fd = opened;
        return UMEM_OK;
    }
    if (errno == EWOULDBLOCK) {
        name_holder(opened, holder, sizeof holder);
        snprintf(why, capacity, "another daemon, %s, has this pipe: it holds %s", holder, path);
        close(opened);
        return UMEM_E_NAME_TAKEN;
    }
    snprintf(why, capacity, "%s cannot be locked: %s", path, strerror(errno));
    close(opened);
    return UMEM_E_DENIED;
}

/* Whether the open file is still the one at the path: its last holder removes it. */
static bool is_at_path(int fd, const char *path)
{
    struct stat opened;
    struct stat named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

/* The number is for people; the lock holds without it. */
static void write_number(int fd)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)size, 0) != size)
        errno = 0;
}

/* Opens and locks the file that is at the path then, and writes the process's number to it. */
static int take(const char *path, int *fd, char *why, size_t capacity)
{
    for (;;) {
        int code = open_locked(path, fd, why, capacity);

        if (code != UMEM_OK)
            return code;
        if (is_at_path(*fd, path))
            break;
        close(*fd);
    }
    write_number(*fd);
    return UMEM_OK;
}

static struct um_pipe_lock *new_lock(const char *path)
{
    struct um_pipe_lock *made = malloc(sizeof *made + strlen(path) + sizeof suffix);

    if (made != NULL) {
        strcpy(made->path, path);
        strcat(made->path, suffix);
    }
    return made;
}

int um_pipe_lock_acquire(const char *path, struct um_pipe_lock **lock, char *why, size_t capacity)
{
    struct um_pipe_lock *taken = new_lock(path);
    int code;

    if (taken == NULL) {
        snprintf(why, capacity, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    code = take(taken->path, &taken->fd, why, capacity);
    if (code == UMEM_OK)
        *lock = taken;
    else
        free(taken);
    return code;
}

bool um_pipe_lock_is_held(const struct um_pipe_lock *lock)
{
    return is_at_path(lock->fd, lock->path);
}

int um_pipe_lock_renew(struct um_pipe_lock *lock, char *why, size_t capacity)
{
    int fd;
    int code;

    if (um_pipe_lock_is_held(lock))
        return UMEM_OK;
    code = take(lock->path, &fd, why, capacity);
    if (code != UMEM_OK)
        return code;
    close(lock->fd);
    lock->fd = fd;
    return UMEM_OK;
}

/* Opens the file of a path's lock where a process holds that; else -1. */
static int open_held(const char *path)
{
    char file[UM_ENDPOINT_CAPACITY + sizeof suffix];
    int fd;

    snprintf(file, sizeof file, "%s%s", path, suffix);
    fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK))
        return fd;
    close(fd);
    return -1;
}

bool um_pipe_lock_find_holder(const char *path, char *holder, size_t capacity)
{
    int fd = open_held(path);

    if (fd < 0)
        return false;
    name_holder(fd, holder, capacity);
    close(fd);
    return true;
}

int64_t um_pipe_lock_find_number(const char *path)
{
    int fd = open_held(path);
    long number = fd >= 0 ? read_number(fd) : 0;

    if (fd >= 0)
        close(fd);
    return number > 0 ? number : 0;
}

intptr_t um_pipe_lock_handle(const struct um_pipe_lock *lock)
{
    return lock->fd;
}

int um_pipe_lock_adopt(const char *path, intptr_t handle, struct um_pipe_lock **lock)
{
    struct um_pipe_lock *adopted = new_lock(path);

    if (adopted == NULL)
        return UMEM_E_NO_MEMORY;
    adopted->fd = (int)handle;
    write_number(adopted->fd);
    *lock = adopted;
    return UMEM_OK;
}

/* The file stays. */
void um_pipe_lock_leave(struct um_pipe_lock *lock)
{
    close(lock->fd);
    free(lock);
}

void um_pipe_lock_release(struct um_pipe_lock *lock)
{
    if (lock == NULL)
        return;
    /* Another daemon's may be there, where ours was removed. */
    if (um_pipe_lock_is_held(lock))
        unlink(lock->path);
    close(lock->fd);
    free(lock);
}
