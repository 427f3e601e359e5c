#include "drive.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_common.h"
#include "unix_socket.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

enum { RECEIVE_SIZE = 256 * 1024 };

struct connection {
    struct cursor cursor;
    const char *unsent; /* bytes that the socket did not take yet */
    size_t unsent_size;
    size_t batch_left; /* requests of this batch that were not taken from the source yet */
    uint64_t sent_ns;  /* when the pending requests were sent */
    int socket;
};

/* One call of drive(). */
struct run {
    const struct drive *drive;
    struct drive_result *result;
    struct connection *connections;
    uint64_t started_ns;
    uint64_t sent; /* requests on all connections */
    bool over;     /* no more is sent */
};

static char received[RECEIVE_SIZE];

int connect_to(const char *path)
{
    return unix_connect(path, SOCK_STREAM);
}

static unsigned slot_of(uint64_t ns)
{
    unsigned power = 0;

    for (uint64_t left = ns; left >= 2 * HISTOGRAM_STEPS; left /= 2)
        power++;
    return power * HISTOGRAM_STEPS + (unsigned)(ns >> power);
}

double histogram_quantile(const struct drive_result *result, double share)
{
    double wanted = share * (double)result->requests;
    double seen = 0;

    for (unsigned slot = 0; slot < HISTOGRAM_SIZE; slot++) {
        seen += (double)result->histogram[slot];
        if (seen > 0 && seen >= wanted) {
            unsigned power = slot < 2 * HISTOGRAM_STEPS ? 0 : slot / HISTOGRAM_STEPS - 1;
            return (double)((uint64_t)(slot - power * HISTOGRAM_STEPS) << power);
        }
    }
    return 0;
}

/* Gives the socket what it takes. */
static void send_some(struct connection *connection)
{
    while (connection->unsent_size > 0) {
        ssize_t count = send(connection->socket, connection->unsent, connection->unsent_size,
                             MSG_DONTWAIT | MSG_NOSIGNAL);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (count < 0)
            give_up("sending: %s", strerror(errno));
        connection->unsent += count;
        connection->unsent_size -= (size_t)count;
    }
}

/* Whether another batch may begin on this connection; each has at least one. */
static bool may_begin(struct run *run, struct connection *connection)
{
    const struct drive *drive = run->drive;

    if (connection->cursor.sent != connection->cursor.answered)
        return false;
    connection->sent_ns = now_ns();
    run->over = run->over || connection->sent_ns - run->started_ns >= drive->limit_ns ||
                (drive->limit != 0 && run->sent >= drive->limit);
    return !run->over || connection->cursor.sent == 0;
}

/* Sends what is due: the remaining requests of a batch, or the next batch where none is pending. */
static void send_due(struct run *run, struct connection *connection)
{
    struct source *source = run->drive->source;

    send_some(connection);
    if (connection->unsent_size == 0 && connection->batch_left == 0 && may_begin(run, connection))
        connection->batch_left = run->drive->depth;
    while (connection->unsent_size == 0 && connection->batch_left > 0) {
        size_t count = source->next(source, &connection->cursor, connection->batch_left, &connection->unsent,
                                    &connection->unsent_size);

        connection->batch_left = count > 0 ? connection->batch_left - count : 0;
        connection->cursor.sent += count;
        run->sent += count;
        send_some(connection);
    }
}

static void receive(struct run *run, struct connection *connection, int flags)
{
    ssize_t count = recv(connection->socket, received, sizeof received, flags);

    if (count < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (count <= 0)
        give_up("the server closed the connection: %s", count == 0 ? "end of file" : strerror(errno));
    size_t finished =
        run->drive->source->check(run->drive->source, &connection->cursor, received, (size_t)count);
    if (finished == 0)
        return;
    connection->cursor.answered += finished;
    if (connection->cursor.answered > connection->cursor.sent)
        give_up("more answers than requests");
    run->result->requests += finished;
    run->result->histogram[slot_of(now_ns() - connection->sent_ns)] += finished;
}

static bool is_idle(const struct connection *connection)
{
    return connection->unsent_size == 0 && connection->cursor.sent == connection->cursor.answered;
}

static void run_one(struct run *run)
{
    struct connection *connection = &run->connections[0];

    for (;;) {
        send_due(run, connection);
        if (is_idle(connection))
            return;
        if (connection->unsent_size > 0) {
            struct pollfd ready = {.fd = connection->socket, .events = POLLIN | POLLOUT};

            poll(&ready, 1, -1);
            if ((ready.revents & ~POLLOUT) == 0)
                continue;
        }
        receive(run, connection, connection->unsent_size > 0 ? MSG_DONTWAIT : 0);
    }
}

static void run_many(struct run *run)
{
    unsigned count = run->drive->connections;
    struct pollfd *ready = must_alloc(count * sizeof *ready);
    bool busy = true;

    for (unsigned i = 0; i < count; i++)
        ready[i] = (struct pollfd){.fd = run->connections[i].socket, .revents = POLLOUT};
    while (busy) {
        busy = false;
        for (unsigned i = 0; i < count; i++) {
            struct connection *connection = &run->connections[i];

            if ((ready[i].revents & ~POLLOUT) != 0)
                receive(run, connection, MSG_DONTWAIT);
            if (ready[i].revents != 0)
                send_due(run, connection);
            ready[i].events = (short)(POLLIN | (connection->unsent_size > 0 ? POLLOUT : 0));
            ready[i].revents = 0;
            busy = busy || !is_idle(connection);
        }
        if (busy && poll(ready, count, -1) < 0 && errno != EINTR)
            give_up("poll: %s", strerror(errno));
    }
    free(ready);
}

void drive(const struct drive *drive, struct drive_result *result)
{
    struct run run = {.drive = drive, .result = result};

    memset(result, 0, sizeof *result);
    run.connections = must_alloc(drive->connections * sizeof *run.connections);
    for (unsigned i = 0; i < drive->connections; i++) {
        run.connections[i] = (struct connection){.socket = connect_to(drive->path)};
        if (run.connections[i].socket < 0)
            give_up("cannot connect to %s: %s", drive->path, strerror(errno));
    }
    run.started_ns = now_ns();
    if (drive->connections == 1)
        run_one(&run);
    else
        run_many(&run);
    result->elapsed_ns = now_ns() - run.started_ns;
    for (unsigned i = 0; i < drive->connections; i++)
        close(run.connections[i].socket);
    free(run.connections);
}

void drive_once(const char *path, struct source *source, size_t count)
{
    struct drive once = {path, source, 1, (unsigned)(count < 64 ? count : 64), UINT64_MAX, count};
    struct drive_result result;

    if (count > 0)
        drive(&once, &result);
}
