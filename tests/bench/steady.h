/*
 * A load that another program keeps up while something is measured: so many requests each millisecond, however long they take.
 *
 * Owns: the program. Must not know: what is measured, or what is sent.
 */
#ifndef BENCH_STEADY_H
#define BENCH_STEADY_H

#include <sys/types.h>

#include "drive.h"

/* Starts a copy of this program that sends the source's requests over a connection of its own, and checks the answers. */
pid_t steady_start(const char *path, struct source *source, unsigned requests_a_ms);

/* Ends it. Gives up where it has ended before. */
void steady_stop(pid_t pid);

#endif
