#include "cli/system/file_io.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

/* Writing past a limit of file sizes is a failure to report, not an end. From SIGCHLD libuv learns that a program has ended. */
void cli_prepare_standard_files(void)
{
    sigset_t child;

    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &child, NULL);
}

bool cli_enable_colors(int file)
{
    const char *terminal = getenv("TERM");

    (void)file;
    return terminal != NULL && *terminal != '\0' && strcmp(terminal, "dumb") != 0;
}

int64_t cli_file_position(int file)
{
    return lseek(file, 0, SEEK_CUR);
}

/* Some shells and run-times leave their pipes non-blocking, and those are ours too. Returns 0 where it is to be tried again, else
 * libuv's error. */
static int wait_until_ready(int file, short events)
{
    struct pollfd ready = {.fd = file, .events = events};

    if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
        return uv_translate_sys_error(errno);
    if (errno != EINTR)
        poll(&ready, 1, -1);
    return 0;
}

long cli_read_file(int file, void *bytes, size_t size)
{
    for (;;) {
        ssize_t count = read(file, bytes, size);
        int error = count < 0 ? wait_until_ready(file, POLLIN) : 0;

        if (count >= 0 || error != 0)
            return count >= 0 ? (long)count : error;
    }
}

int cli_write_file(int file, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size != 0) {
        ssize_t done = write(file, at, size);
        int error = done < 0 ? wait_until_ready(file, POLLOUT) : 0;

        if (error != 0)
            return error;
        if (done > 0) {
            at += done;
            size -= (size_t)done;
        }
    }
    return 0;
}

/* ---- a pipe without a reader ---- */

bool cli_wait_for_broken_pipe(void)
{
    /* Errors and hang-ups are always reported. */
    struct pollfd output = {.fd = CLI_OUTPUT};

    while (poll(&output, 1, -1) < 0) {
        if (errno != EINTR && errno != EAGAIN)
            return false;
    }
    return (output.revents & (POLLERR | POLLHUP)) != 0;
}

void cli_exit_broken_pipe(int status)
{
    sigset_t broken_pipe;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_UNBLOCK, &broken_pipe, NULL);
    raise(SIGPIPE);
    /* The program that has started umem ignores that signal. */
    _exit(status);
}
