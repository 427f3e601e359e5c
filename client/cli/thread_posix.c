#include "thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* What the thread runs. */
struct start {
    void (*run)(void *context);
    void *context;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *begin(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    start.run(start.context);
    return NULL;
}

bool cli_thread_start(void (*run)(void *context), void *context)
{
    struct start *start = malloc(sizeof *start);
    pthread_t thread;

    if (start == NULL)
        return false;
    *start = (struct start){run, context};
    if (pthread_create(&thread, NULL, begin, start) != 0) {
        free(start);
        return false;
    }
    pthread_detach(thread);
    return true;
}

void cli_lock(void)
{
    pthread_mutex_lock(&mutex);
}

void cli_unlock(void)
{
    pthread_mutex_unlock(&mutex);
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

long cli_read_input(void *bytes, size_t room)
{
    for (;;) {
        ssize_t size = read(STDIN_FILENO, bytes, room);

        if (size >= 0 || !retry(STDIN_FILENO, POLLIN))
            return (long)size;
    }
}

bool cli_write_output(const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size != 0) {
        ssize_t done = write(STDOUT_FILENO, at, size);

        if (done < 0 && !retry(STDOUT_FILENO, POLLOUT))
            return false;
        if (done > 0) {
            at += done;
            size -= (size_t)done;
        }
    }
    return true;
}
