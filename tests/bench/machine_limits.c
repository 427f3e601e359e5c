/* What no server can pass: the machine's own sockets and memory. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figures.h"

enum { SMALL = 64, LARGE = 1 << 20 };

static void add(struct results *results, const char *name, size_t size, unsigned round, double value,
                const char *unit)
{
    results_add(results, &(struct record){.group = "limit",
                                          .name = name,
                                          .target = "this machine",
                                          .size = size,
                                          .round = round,
                                          .value = value,
                                          .unit = unit});
}

/* Receives exactly `size` bytes; returns false at the end. */
static bool receive_all(int handle, char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = recv(handle, bytes + done, size - done, 0);

        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

/* Starts a child at the other end of a pair of sockets; returns this end. `pongs`: it sends back what comes, by 64 bytes;
 * else it sends without end. */
static int start_child(bool pongs, char *bytes, pid_t *child)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        give_up("socketpair: %s", strerror(errno));
    fflush(NULL);
    *child = fork();
    if (*child < 0)
        give_up("fork: %s", strerror(errno));
    if (*child != 0) {
        close(pair[1]);
        return pair[0];
    }
    close(pair[0]);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    if (pongs) {
        while (receive_all(pair[1], bytes, SMALL) && send(pair[1], bytes, SMALL, 0) == SMALL)
            ;
    } else {
        while (send(pair[1], bytes, LARGE, 0) > 0)
            ;
    }
    _exit(0);
}

static void end_child(int handle, pid_t child)
{
    close(handle);
    waitpid(child, NULL, 0);
}

static void measure_pair(const struct effort *effort, struct results *results, unsigned round, bool pongs,
                         char *bytes)
{
    pid_t child;
    int handle = start_child(pongs, bytes, &child);
    size_t size = pongs ? SMALL : LARGE;
    uint64_t begin = now_ns();
    uint64_t elapsed;
    double times = 0;

    do {
        if (pongs && send(handle, bytes, size, 0) != (ssize_t)size)
            give_up("sending: %s", strerror(errno));
        if (!receive_all(handle, bytes, size))
            give_up("the other end of a pair of sockets closed");
        times++;
        elapsed = now_ns() - begin;
    } while (elapsed < effort->slice_ns);
    end_child(handle, child);
    if (pongs)
        add(results, "socketpair ping-pong", size, round, times * 1e9 / (double)elapsed, "requests/s");
    else
        add(results, "socketpair bandwidth", size, round, times * (double)size / (double)elapsed, "GB/s");
}

static void measure_memcpy(const struct effort *effort, struct results *results, unsigned round, char *bytes)
{
    uint64_t begin = now_ns();
    uint64_t elapsed;
    double times = 0;

    do {
        /* Of the half that changed last, so that no compiler leaves a copy out. */
        bytes[(size_t)times % LARGE]++;
        memcpy(bytes + LARGE, bytes, LARGE);
        bytes[(size_t)times % LARGE] = bytes[LARGE + ((size_t)times + 1) % LARGE];
        times++;
        elapsed = now_ns() - begin;
    } while (elapsed < effort->slice_ns);
    add(results, "memcpy", LARGE, round, times * LARGE / (double)elapsed, "GB/s");
}

void figures_of_machine(const struct effort *effort, struct results *results)
{
    char *bytes = must_alloc(2 * LARGE);

    fill_bytes(bytes, 2 * LARGE, 1);
    for (unsigned round = 0; round < effort->rounds; round++) {
        measure_pair(effort, results, round, true, bytes);
        measure_pair(effort, results, round, false, bytes);
        measure_memcpy(effort, results, round, bytes);
    }
    free(bytes);
}
