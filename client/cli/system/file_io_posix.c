#include "cli/system/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "cli/table/verb.h"

/* Writing past a limit of file sizes is a failure to tell, not an end. */
void cli_prepare_standard_files(void)
{
    signal(SIGXFSZ, SIG_IGN);
}

bool cli_is_terminal(int file)
{
    return isatty(file) == 1;
}

int cli_open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

void cli_close_file(int file)
{
    if (file >= 0)
        close(file);
}

bool cli_file_size(int file, uint64_t *size)
{
    struct stat status;
    off_t at = lseek(file, 0, SEEK_CUR);

    if (at < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
        return false;
    *size = status.st_size > at ? (uint64_t)(status.st_size - at) : 0;
    return true;
}

/* Some shells and run-times leave their pipes non-blocking, and those are ours too. Returns whether to try
 * again. */
static bool retry(int file, short events)
{
    struct pollfd ready = {.fd = file, .events = events};

    if (errno == EINTR)
        return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return false;
    poll(&ready, 1, -1);
    return true;
}

long cli_read_file(int file, void *bytes, size_t room)
{
    for (;;) {
        ssize_t size = read(file, bytes, room);

        if (size >= 0 || !retry(file, POLLIN))
            return (long)size;
    }
}

bool cli_write_file(int file, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size != 0) {
        ssize_t done = write(file, at, size);

        if (done < 0 && !retry(file, POLLOUT))
            return false;
        if (done > 0) {
            at += done;
            size -= (size_t)done;
        }
    }
    return true;
}

/* ---- output that nobody reads ---- */

bool cli_wait_for_broken_pipe(void)
{
    /* Errors and hang-ups come unasked. */
    struct pollfd output = {.fd = CLI_OUTPUT};

    while (poll(&output, 1, -1) < 0) {
        if (errno != EINTR && errno != EAGAIN)
            return false;
    }
    return (output.revents & (POLLERR | POLLHUP)) != 0;
}

void cli_exit_broken_pipe(void)
{
    sigset_t broken_pipe;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_UNBLOCK, &broken_pipe, NULL);
    raise(SIGPIPE);
    /* Who has started umem has that signal ignored. */
    _exit(CLI_FAILED);
}
