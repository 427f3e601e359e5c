#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "exit_status.h"
#include "report.h"

void um_process_prepare(void)
{
    signal(SIGPIPE, SIG_IGN);
}

/* Not PR_SET_DUMPABLE, which would give the process's folder under /proc to root: the user who runs umemd may read its memory
 * by asking it for the bytes, and could no longer debug it. */
static void forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};
#ifdef __linux__
    FILE *filter = fopen("/proc/self/coredump_filter", "we");

    /* A pattern that leads to a program is followed whatever the limit: then let it find nothing. */
    if (filter != NULL) {
        fputs("0\n", filter);
        fclose(filter);
    }
#endif
    setrlimit(RLIMIT_CORE, &none);
}

void um_process_harden(bool core_dumps)
{
#ifdef __linux__
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
    if (!core_dumps)
        forbid_core_dumps();
}

/* Reads the report to its end, which is when the daemon lets go of the line or ends. */
static int wait_for_report(int fd)
{
    char report[UM_REPORT_ROOM];
    size_t size = 0;

    for (;;) {
        ssize_t more = read(fd, report + size, sizeof report - 1 - size);

        if (more > 0)
            size += (size_t)more;
        else if (more == 0 || errno != EINTR)
            break;
    }
    close(fd);
    return um_report_take(report, size);
}

/* The directory stays, because the paths on the command line may be relative. */
static void become_daemon(void)
{
    int nowhere = open("/dev/null", O_RDWR);

    setsid();
    if (nowhere < 0)
        return;
    for (int fd = 0; fd <= 2; fd++)
        dup2(nowhere, fd);
    if (nowhere > 2)
        close(nowhere);
}

static enum um_role fail(int *status)
{
    fprintf(stderr, "umemd: a daemon cannot be started: %s\n", strerror(errno));
    *status = UM_EXIT_FAILED;
    return UM_ROLE_STARTER;
}

enum um_role um_process_detach(struct um_starter *starter, int *status)
{
    int line[2];
    pid_t child;

    if (pipe(line) != 0)
        return fail(status);
    fcntl(line[1], F_SETFD, FD_CLOEXEC);
    child = fork();
    if (child < 0)
        return fail(status);
    if (child > 0) {
        close(line[1]);
        *status = wait_for_report(line[0]);
        return UM_ROLE_STARTER;
    }
    close(line[0]);
    become_daemon();
    /* One more than the descriptor, so that 0 is not NULL. */
    starter->line = (void *)((intptr_t)line[1] + 1);
    return UM_ROLE_DAEMON;
}

void um_process_report(struct um_starter *starter, int status, const char *text)
{
    int fd = (int)((intptr_t)starter->line - 1);
    char report[UM_REPORT_ROOM];
    size_t size;

    if (starter->line == NULL)
        return;
    size = um_report_write(report, status, text);
    /* A starter that is gone misses nothing. */
    if (write(fd, report, size) < 0)
        errno = 0;
    close(fd);
    starter->line = NULL;
}
