#include "line_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unix_socket.h"

enum { PUMP_LIMIT = 4096, SCRATCH_SIZE = 1 << 20 };

static char scratch[SCRATCH_SIZE];

int line_connect(const char *path, bool waits)
{
    return unix_connect(path, SOCK_STREAM | (waits ? 0 : SOCK_NONBLOCK));
}

int line_open(const char *path)
{
    int fd = line_connect(path, true);

    if (fd < 0)
        exit(1);
    return fd;
}

unsigned line_open_many(const char *path, int *sockets, unsigned count)
{
    unsigned opened = 0;

    while (opened < count) {
        sockets[opened] = line_connect(path, true);
        if (sockets[opened] < 0)
            break;
        opened++;
    }
    return opened;
}

void line_send(int socket, const void *bytes, size_t size)
{
    const char *next = bytes;

    while (size != 0) {
        ssize_t sent = send(socket, next, size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            exit(1);
        next += sent;
        size -= (size_t)sent;
    }
}

void line_skip_lines(int socket, size_t count)
{
    while (count != 0) {
        ssize_t size = recv(socket, scratch, sizeof scratch, 0);

        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            exit(1);
        for (const char *at = scratch; count != 0; count--) {
            at = memchr(at, '\n', (size_t)(scratch + size - at));
            if (at == NULL)
                break;
            at++;
        }
    }
}

void line_call(int socket, const char *format, ...)
{
    char text[4096];
    va_list list;
    int size;

    va_start(list, format);
    size = vsnprintf(text, sizeof text - 1, format, list);
    va_end(list);
    text[size] = '\n';
    line_send(socket, text, (size_t)size + 1);
    line_skip_lines(socket, 1);
}

void line_add(struct um_buf *buf, const char *format, ...)
{
    char text[1024];
    va_list list;
    int size;

    va_start(list, format);
    size = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (!um_buf_append(buf, text, (size_t)size))
        exit(1);
}

/* Sends as much as the socket takes now. */
static void push(int socket, const struct um_buf *text, size_t *done)
{
    ssize_t sent = send(socket, text->data + *done, text->size - *done, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent > 0)
        *done = (*done + (size_t)sent) % text->size;
    else if (sent < 0 && errno != EAGAIN && errno != EINTR)
        exit(1);
}

void line_pump(const int *sockets, unsigned count, const struct um_buf *text, bool reads)
{
    static struct pollfd ready[PUMP_LIMIT];
    static size_t done[PUMP_LIMIT];

    for (unsigned i = 0; i < count && i < PUMP_LIMIT; i++)
        ready[i] = (struct pollfd){.fd = sockets[i], .events = (short)(POLLOUT | (reads ? POLLIN : 0))};
    while (poll(ready, count < PUMP_LIMIT ? count : PUMP_LIMIT, -1) >= 0) {
        for (unsigned i = 0; i < count && i < PUMP_LIMIT; i++) {
            if ((ready[i].revents & POLLIN) != 0 &&
                recv(ready[i].fd, scratch, sizeof scratch, MSG_DONTWAIT) == 0)
                exit(1);
            if ((ready[i].revents & POLLOUT) != 0)
                push(ready[i].fd, text, &done[i]);
        }
    }
}
