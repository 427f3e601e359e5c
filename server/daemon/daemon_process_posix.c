#include "daemon/daemon_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "daemon/exit_status.h"
#include "daemon/start_report.h"

/* Signals that would end or stop the process, and request nothing. SIGTTOU: a terminal may forbid to write
 * from the background. */
static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGTTOU, SIGUSR2};

enum {
    LARGE_BUFFER_SIZE =
        (4 << 20) + 4096, /* bytes: more than a buffer of 4 MiB takes with what malloc() adds */
    KEPT_SIZE = 8 << 20   /* bytes that the end of malloc's heap keeps free */
};

void um_process_prepare(void)
{
    sigset_t none;

    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
#ifdef __GLIBC__
    /* Buffers of very large messages are mappings, which grow by moving pages and are returned to the system when
     * they are freed. Left to itself, glibc takes them from its heap as soon as one has been freed, and
     * copies up to 8 MiB whenever one grows (mallopt(3)). Those of 1 MiB, in each encoding, are taken from its heap, which
     * keeps their pages: new ones for each message would take longer than all else that is done with it. */
    mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER_SIZE);
    mallopt(M_TRIM_THRESHOLD, KEPT_SIZE);
#endif
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

/* ---- signals ---- */

static bool is_ignored(int number)
{
    struct sigaction present;

    return sigaction(number, NULL, &present) == 0 && present.sa_handler == SIG_IGN;
}

size_t um_process_signals(struct um_signal signals[UM_SIGNAL_MAXIMUM])
{
    static const struct um_signal all[] = {
        {SIGTERM, UM_SIGNAL_END}, {SIGINT, UM_SIGNAL_END},    {SIGQUIT, UM_SIGNAL_END},
        {SIGXCPU, UM_SIGNAL_END}, {SIGHUP, UM_SIGNAL_RELOAD}, {SIGUSR1, UM_SIGNAL_REOPEN},
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!is_ignored(all[i].number))
            signals[count++] = all[i];
    }
    return count;
}

/* ---- the starter ---- */

bool um_process_absolute_path(const char *path, char *absolute, size_t absolute_size)
{
    char directory[PATH_MAX];
    int size;

    if (path[0] == '/')
        size = snprintf(absolute, absolute_size, "%s", path);
    else if (getcwd(directory, sizeof directory) != NULL && directory[0] == '/')
        size = snprintf(absolute, absolute_size, "%s/%s", directory, path);
    else
        return false;
    return size >= 0 && (size_t)size < absolute_size;
}

/* Reads the report to its end, which is when the daemon closes the line or ends. */
static int wait_for_report(int fd)
{
    char report[UM_START_REPORT_SIZE];
    size_t size = 0;

    while (size < sizeof report - 1) {
        ssize_t more = read(fd, report + size, sizeof report - 1 - size);

        if (more > 0)
            size += (size_t)more;
        else if (more == 0 || errno != EINTR)
            break;
    }
    close(fd);
    return um_start_report_take(report, size);
}

static enum um_role fail(int *status)
{
    fprintf(stderr, "umemd: a daemon cannot be started: %s\n", strerror(errno));
    *status = UM_EXIT_FAILED;
    return UM_ROLE_STARTER;
}

/* ---- the daemon ---- */

/* One after the other, where the system has no call for all of them. */
static void close_each_from(int first)
{
    enum { MOST = 1 << 16 }; /* a limit may be a thousand million */
    DIR *list = opendir("/dev/fd");
    long last = sysconf(_SC_OPEN_MAX);
    struct dirent *entry;

    if (list == NULL) {
        for (int fd = first; fd < (last > 0 && last < MOST ? (int)last : MOST); fd++)
            close(fd);
        return;
    }
    while ((entry = readdir(list)) != NULL) {
        int fd = atoi(entry->d_name);

        if (fd >= first && fd != dirfd(list))
            close(fd);
    }
    closedir(list);
}

/* What the starter has open, the daemon would keep open: a lock's file, a pipe that another program reads to its end. */
static void close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
#endif
    close_each_from(first);
}

/* Returns where the line is then. */
static int become_daemon(int line)
{
    enum { LINE = 3 };
    int nowhere = open("/dev/null", O_RDWR);

    setsid();
    umask(077);
    /* No file system is kept from being unmounted, but this one. */
    if (chdir("/") != 0)
        errno = 0;
    for (int fd = 0; nowhere >= 0 && fd <= 2; fd++)
        dup2(nowhere, fd);
    if (line != LINE)
        dup2(line, LINE);
    fcntl(LINE, F_SETFD, FD_CLOEXEC);
    close_from(LINE + 1);
    return LINE;
}

enum um_role um_process_detach(struct um_starter *starter, int *status)
{
    int line[2];
    pid_t child;

    if (pipe(line) != 0)
        return fail(status);
    child = fork();
    if (child < 0)
        return fail(status);
    if (child > 0) {
        close(line[1]);
        *status = wait_for_report(line[0]);
        return UM_ROLE_STARTER;
    }
    /* One more than the descriptor, so that 0 is not NULL. */
    starter->line = (void *)((intptr_t)become_daemon(line[1]) + 1);
    return UM_ROLE_DAEMON;
}

/* A starter that is gone misses nothing. */
static void send_line(const struct um_starter *starter, const char *line, size_t size)
{
    int fd = (int)((intptr_t)starter->line - 1);

    if (write(fd, line, size) < 0)
        errno = 0;
}

void um_process_warn(struct um_starter *starter, const char *text)
{
    char line[UM_START_REPORT_LINE_SIZE];
    size_t size = um_start_report_write_warning(line, text);

    if (starter->line == NULL || starter->sent_size + size > UM_START_REPORT_WARNINGS_SIZE)
        return;
    send_line(starter, line, size);
    starter->sent_size += size;
}

void um_process_report(struct um_starter *starter, int status, const char *text)
{
    char line[UM_START_REPORT_LINE_SIZE];

    if (starter->line == NULL)
        return;
    send_line(starter, line, um_start_report_write(line, status, text));
    close((int)((intptr_t)starter->line - 1));
    starter->line = NULL;
}
