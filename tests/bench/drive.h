/*
 * The driver: many requests over one or more connections, as many pending as the depth, each answer checked.
 *
 * Owns: the connections while it drives. Must not know: what is sent over them.
 *
 * A connection sends as many requests as the depth with one system call, where the socket takes them, waits until all
 * are answered, and sends the next ones. With one connection it waits in recv(), with more in poll(): the cheapest for
 * each.
 */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include <stddef.h>
#include <stdint.h>

/* Where one connection stands. */
struct cursor {
    size_t sent;          /* requests that were sent, or are being sent */
    size_t answered;      /* requests that were answered */
    size_t answer_offset; /* bytes of the next answer that have come */
};

/* Makes the requests and checks the answers. */
struct source {
    /* Points *bytes at the next requests, at most `wanted`, in *size bytes, that stay as they are until the next call.
     * Returns how many they are; 0: no more until another answer, or for good. */
    size_t (*next)(struct source *source, struct cursor *cursor, size_t wanted, const char **bytes,
                   size_t *size);
    /* Looks at bytes that came. Returns how many answers they finish. Gives up where they are wrong. */
    size_t (*check)(struct source *source, struct cursor *cursor, const char *bytes, size_t size);
    void *data; /* the source's own */
};

/* How long requests took, in steps of about 3 %. */
enum { HISTOGRAM_STEPS = 32, HISTOGRAM_SIZE = 64 * HISTOGRAM_STEPS };

struct drive_result {
    uint64_t requests;   /* how many were answered */
    uint64_t elapsed_ns; /* from the first byte to the last */
    uint64_t histogram
        [HISTOGRAM_SIZE]; /* how many took that long, from the batch's sending to the answer's coming */
};

struct drive {
    const char *path;      /* the socket */
    struct source *source; /* its requests; each connection takes them on its own */
    unsigned connections;  /* how many */
    unsigned depth;        /* requests pending on each */
    uint64_t limit_ns;     /* no requests are sent after that time */
    uint64_t limit;        /* nor after that many were; 0: no end */
};

/* Connects, drives, and disconnects. Gives up where a server closes a connection. */
void drive(const struct drive *drive, struct drive_result *result);

/* Sends each of the source's first `count` requests once over one connection, outside of any measurement. */
void drive_once(const char *path, struct source *source, size_t count);

/* Connects, or returns -1. The caller closes. */
int connect_to(const char *path);

/* The time in nanoseconds that `share` (0 to 1) of the requests did not pass. */
double histogram_quantile(const struct drive_result *result, double share);

#endif
