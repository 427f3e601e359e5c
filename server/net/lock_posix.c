/*
 * The lock is flock() on a file beside the socket, PATH.lock, which holds the daemon's process id for people
 * to read. (fcntl() locks would not keep two servers of one process apart.)
 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "umem_errors.h"

struct um_lock {
    int fd;      /* open and locked */
    char path[]; /* of the lock file */
};

/* Says who holds the lock of an open file. */
static void name_holder(int fd, const char *path, char *why, size_t room)
{
    char text[32];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    long pid;

    text[size > 0 ? size : 0] = '\0';
    pid = strtol(text, NULL, 10);
    if (pid > 0)
        snprintf(why, room, "another daemon, process %ld, has this pipe: it holds %s", pid, path);
    else
        snprintf(why, room, "another daemon has this pipe: it holds %s", path);
}

/* Opens and locks. UMEM_E_NAME_TAKEN, UMEM_E_DENIED. */
static int open_locked(const char *path, int *fd, char *why, size_t room)
{
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (opened < 0) {
        snprintf(why, room, "%s cannot be opened: %s", path, strerror(errno));
        return UMEM_E_DENIED;
    }
    if (flock(opened, LOCK_EX | LOCK_NB) == 0) {
        *fd = opened;
        return UMEM_OK;
    }
    if (errno == EWOULDBLOCK) {
        name_holder(opened, path, why, room);
        close(opened);
        return UMEM_E_NAME_TAKEN;
    }
    snprintf(why, room, "%s cannot be locked: %s", path, strerror(errno));
    close(opened);
    return UMEM_E_DENIED;
}

/* Whether the open file is still the one at the path: its last holder removes it. */
static int is_at_path(int fd, const char *path)
{
    struct stat opened;
    struct stat named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

int um_lock_take(const char *path, struct um_lock **lock, char *why, size_t room)
{
    static const char suffix[] = ".lock";
    struct um_lock *taken = malloc(sizeof *taken + strlen(path) + sizeof suffix);
    char text[32];
    int code;
    int size;

    if (taken == NULL) {
        snprintf(why, room, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    strcpy(taken->path, path);
    strcat(taken->path, suffix);
    for (;;) {
        code = open_locked(taken->path, &taken->fd, why, room);
        if (code != UMEM_OK) {
            free(taken);
            return code;
        }
        if (is_at_path(taken->fd, taken->path))
            break;
        close(taken->fd);
    }
    size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    /* The number is for people; the lock holds without it. */
    if (ftruncate(taken->fd, 0) != 0 || pwrite(taken->fd, text, (size_t)size, 0) != size)
        errno = 0;
    *lock = taken;
    return UMEM_OK;
}

void um_lock_release(struct um_lock *lock)
{
    if (lock == NULL)
        return;
    /* Still under the lock, so it can only be ours. */
    unlink(lock->path);
    close(lock->fd);
    free(lock);
}
