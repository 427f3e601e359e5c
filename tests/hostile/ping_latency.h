/*
 * A daemon, a stream and a client that pings, and how long its pings took.
 *
 * Owns: the processes, from their start to their end. Must not know: what the stream does.
 */
#ifndef PING_LATENCY_H
#define PING_LATENCY_H

#include <stdbool.h>
#include <stddef.h>

#include "hostile.h"

struct figures {
    size_t pings;
    double p50_ms;
    double p99_ms;
    double max_ms;
    double
        busy_ms; /* the most processor time that the daemon used from a ping to its answer, whatever else the machine did */
    double connect_ms; /* the longest that connecting took, its first answer included */
    bool is_alive;     /* the daemon was, at the end, and answered every ping */
};

/* Runs the stream for so long, and a third of that after it was killed, because a session's end counts too. */
struct figures measure(const char *umemd, const struct stream *stream, double seconds);

#endif
