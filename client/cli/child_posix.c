#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

extern char **environ;

enum { LOOK_MS = 20 /* from a look whether a program has ended to the next */ };

/* The child must not inherit that Ctrl-C is ignored here. */
static void set_signals(posix_spawnattr_t *attributes)
{
    sigset_t defaults;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGQUIT);
    posix_spawnattr_setsigdefault(attributes, &defaults);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
}

static int wait_for(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return CLI_CHILD_REFUSED;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int cli_run_child(const char *const *words, bool is_quiet)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction interrupt;
    struct sigaction quit;
    struct sigaction ended;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t child;
    int error;
    int status;

    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    set_signals(&attributes);
    if (is_quiet) {
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    }
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    /* Who has started umem may have left this one ignored, and then the system keeps no exit status. */
    sigaction(SIGCHLD, &usual, &ended);
    error = posix_spawnp(&child, words[0], &actions, &attributes, (char **)(uintptr_t)words, environ);
    if (error == 0)
        status = wait_for(child);
    else
        status = error == ENOENT ? CLI_CHILD_ABSENT : CLI_CHILD_REFUSED;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    sigaction(SIGCHLD, &ended, NULL);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return status;
}

/* Takes what has come, up to the end of the room; more is dropped. Returns false at the end. */
static bool take_said(int fd, char *said, size_t room, size_t *size)
{
    char dropped[256];
    bool fits = *size + 1 < room;
    ssize_t got = fits ? read(fd, said + *size, room - 1 - *size) : read(fd, dropped, sizeof dropped);

    if (got > 0 && fits)
        *size += (size_t)got;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Listens until the program has ended, whoever else it has given its standard error to. */
static int listen_and_wait(pid_t child, int fd, char *said, size_t room)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    size_t size = 0;
    int status;
    pid_t ended = 0;

    while (poll(&ready, 1, LOOK_MS) == 0 || take_said(fd, said, room, &size)) {
        if (ready.revents == 0)
            ended = waitpid(child, &status, WNOHANG);
        if (ended != 0)
            break;
    }
    said[size] = '\0';
    if (ended != child)
        return wait_for(child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int start_with_errors_at(int fd, const char *const *words, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int error;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fd, 2);
    error = posix_spawnp(child, words[0], &actions, NULL, (char **)(uintptr_t)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int cli_start_child(const char *const *words, char *said, size_t room)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction ended;
    int ends[2];
    pid_t child;
    int error;
    int status;

    said[0] = '\0';
    if (pipe(ends) != 0)
        return CLI_CHILD_REFUSED;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    sigaction(SIGCHLD, &usual, &ended);
    error = start_with_errors_at(ends[1], words, &child);
    close(ends[1]);
    if (error == 0)
        status = listen_and_wait(child, ends[0], said, room);
    else
        status = error == ENOENT ? CLI_CHILD_ABSENT : CLI_CHILD_REFUSED;
    sigaction(SIGCHLD, &ended, NULL);
    close(ends[0]);
    return status;
}

void cli_set_environment(const char *name, const char *value)
{
    setenv(name, value, 1);
}

static bool find_self(char *path, size_t room)
{
#ifdef __APPLE__
    uint32_t size = (uint32_t)room;

    return _NSGetExecutablePath(path, &size) == 0;
#else
    ssize_t size = readlink("/proc/self/exe", path, room - 1);

    if (size <= 0)
        return false;
    path[size] = '\0';
    return true;
#endif
}

bool cli_find_neighbour(const char *name, char *path, size_t room)
{
    char self[PATH_MAX];
    char *slash;

    if (!find_self(self, sizeof self))
        return false;
    slash = strrchr(self, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return (size_t)snprintf(path, room, "%s/%s", self, name) < room && access(path, X_OK) == 0;
}

void cli_pause_ms(unsigned milliseconds)
{
    struct timespec time = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};

    nanosleep(&time, NULL);
}
