#include "cli/system/subprocess.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SIGNAL_STATUS = 128 };

/* What would end umem while the program runs on is for the program to handle. */
static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

enum { FORWARDED_COUNT = sizeof forwarded / sizeof forwarded[0] };

/* The program that the signals are forwarded to; 0: there is none. Only changed while they are blocked. */
static volatile pid_t receiver;

/* Whether the system has sent a signal to the program as well: a terminal's keys go to all processes in its foreground. A
 * terminal's end comes to the head of a session alone. */
static bool was_sent_to_all(int signal_number, const siginfo_t *info)
{
#ifdef SI_KERNEL
    bool is_from_system = info->si_code == SI_KERNEL;
#else
    bool is_from_system = info->si_pid == 0;
#endif

    return is_from_system && (signal_number != SIGHUP || getsid(0) != getpid());
}

static void on_signal(int signal_number, siginfo_t *info, void *context)
{
    int error = errno;

    (void)context;
    if (receiver > 0 && !was_sent_to_all(signal_number, info))
        kill(receiver, signal_number);
    errno = error;
}

/* The signals' actions as they were. */
struct actions {
    struct sigaction forwarded[FORWARDED_COUNT];
    struct sigaction child;
};

/* What is ignored stays so, for the program as well. */
static void set_actions(struct actions *before)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction usual = {.sa_handler = SIG_DFL};

    sigemptyset(&action.sa_mask);
    for (int i = 0; i < FORWARDED_COUNT; i++) {
        sigaction(forwarded[i], NULL, &before->forwarded[i]);
        if (before->forwarded[i].sa_handler != SIG_IGN)
            sigaction(forwarded[i], &action, NULL);
    }
    /* The program that has started umem may have left this one ignored, and then the system keeps no exit status. */
    sigaction(SIGCHLD, &usual, &before->child);
}

static void restore_actions(const struct actions *before)
{
    for (int i = 0; i < FORWARDED_COUNT; i++)
        sigaction(forwarded[i], &before->forwarded[i], NULL);
    sigaction(SIGCHLD, &before->child, NULL);
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

/* Waits for the end of a program whose number stays its own as long as it may be sent signals. */
static int wait_for(pid_t child, const sigset_t *signals, const sigset_t *mask)
{
    siginfo_t info;
    int status = 0;

    receiver = child;
    sigprocmask(SIG_SETMASK, mask, NULL);
    while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        continue;
    sigprocmask(SIG_BLOCK, signals, NULL);
    receiver = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFSIGNALED(status) ? SIGNAL_STATUS + WTERMSIG(status) : WEXITSTATUS(status);
}

int cli_run_command(const char *const *words, int *status)
{
    struct actions actions;
    sigset_t signals;
    sigset_t mask;
    pid_t child = 0;
    int error;

    sigemptyset(&signals);
    for (int i = 0; i < FORWARDED_COUNT; i++)
        sigaddset(&signals, forwarded[i]);
    sigprocmask(SIG_BLOCK, &signals, &mask);
    set_actions(&actions);
    error = start(words, &mask, &child);
    if (error == 0)
        *status = wait_for(child, &signals, &mask);
    restore_actions(&actions);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return uv_translate_sys_error(error);
}

int cli_start_thread(void (*run)(void *context), void *context)
{
    uv_thread_t thread;
    sigset_t all;
    sigset_t before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    error = uv_thread_create(&thread, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}
