#include "cli/system/subprocess.h"

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

/* ---- a program that runs in umem's place ---- */

/* What would end umem while the program runs on is the program's affair. */
static const int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

enum { PASSED_ON = sizeof passed_on / sizeof passed_on[0] };

/* Who gets the signals; 0: nobody. Only changed while they are blocked. */
static volatile pid_t receiver;

/* Whether the system has sent a signal to the program as well: a terminal's keys go to all that run in its foreground. Only to the
 * head of a session a terminal's end comes alone. */
static bool has_reached_all(int signal_number, const siginfo_t *facts)
{
#ifdef SI_KERNEL
    bool is_systems = facts->si_code == SI_KERNEL;
#else
    bool is_systems = facts->si_pid == 0;
#endif

    return is_systems && (signal_number != SIGHUP || getsid(0) != getpid());
}

static void on_signal(int signal_number, siginfo_t *facts, void *context)
{
    int reason = errno;

    (void)context;
    if (receiver > 0 && !has_reached_all(signal_number, facts))
        kill(receiver, signal_number);
    errno = reason;
}

/* The signals' actions as they were. */
struct actions {
    struct sigaction passed_on[PASSED_ON];
    struct sigaction ended;
};

/* What is ignored stays so, for the program as well. */
static void take_signals(struct actions *before)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction usual = {.sa_handler = SIG_DFL};

    sigemptyset(&action.sa_mask);
    for (int i = 0; i < PASSED_ON; i++) {
        sigaction(passed_on[i], NULL, &before->passed_on[i]);
        if (before->passed_on[i].sa_handler != SIG_IGN)
            sigaction(passed_on[i], &action, NULL);
    }
    /* Who has started umem may have left this one ignored, and then the system keeps no exit status. */
    sigaction(SIGCHLD, &usual, &before->ended);
}

static void give_signals_back(const struct actions *before)
{
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &before->passed_on[i], NULL);
    sigaction(SIGCHLD, &before->ended, NULL);
}

static int status_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int wait_for(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return CLI_CHILD_NOT_EXECUTABLE;
    }
    return status_of(status);
}

/* Starts it with signals as they were, while they are blocked here. Returns an errno. */
static int start(const char *const *words, const sigset_t *mask, pid_t *child)
{
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int error;

    /* umem ignores that a file may grow no more, and sees the error. */
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = posix_spawnp(child, words[0], NULL, &attributes, (char **)(uintptr_t)words, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

int cli_run_command(const char *const *words)
{
    struct actions actions;
    sigset_t signals;
    sigset_t mask;
    siginfo_t facts;
    pid_t child = 0;
    int error;
    int status = CLI_CHILD_NOT_EXECUTABLE;

    sigemptyset(&signals);
    for (int i = 0; i < PASSED_ON; i++)
        sigaddset(&signals, passed_on[i]);
    sigprocmask(SIG_BLOCK, &signals, &mask);
    take_signals(&actions);
    error = start(words, &mask, &child);
    if (error == 0) {
        receiver = child;
        sigprocmask(SIG_SETMASK, &mask, NULL);
        /* Its number stays its own until nobody sends it signals any more. */
        while (waitid(P_PID, (id_t)child, &facts, WEXITED | WNOWAIT) != 0 && errno == EINTR)
            continue;
        sigprocmask(SIG_BLOCK, &signals, NULL);
        receiver = 0;
        status = wait_for(child);
    }
    give_signals_back(&actions);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = error;
    return error == ENOENT ? CLI_CHILD_NOT_FOUND : status;
}

/* ---- a program that leaves another one behind ---- */

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
    return ended == child ? status_of(status) : wait_for(child);
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

int cli_run_launcher(const char *const *words, char *said, size_t room)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction ended;
    int ends[2];
    pid_t child;
    int error;
    int status;

    said[0] = '\0';
    if (pipe(ends) != 0)
        return CLI_CHILD_NOT_EXECUTABLE;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    sigaction(SIGCHLD, &usual, &ended);
    error = start_with_errors_at(ends[1], words, &child);
    close(ends[1]);
    if (error == 0)
        status = listen_and_wait(child, ends[0], said, room);
    else
        status = error == ENOENT ? CLI_CHILD_NOT_FOUND : CLI_CHILD_NOT_EXECUTABLE;
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

bool cli_find_sibling_program(const char *name, char *path, size_t room)
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
