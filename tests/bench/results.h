/*
 * What was measured, as it was: one record a round, in a JSON file. Medians and tables are made by report.py.
 *
 * Owns: the file. Must not know: what is measured.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdint.h>
#include <stdio.h>

#include "bench_common.h"

struct results {
    FILE *file;
    uint64_t records; /* written so far */
    uint64_t answers; /* checked so far */
};

/* One figure of one round. Members that do not apply are 0 or NULL. */
struct record {
    const char *group;    /* "load", "steady", "library", "mapped", "growth", "figure", "limit" */
    const char *name;     /* the workload: "read" */
    const char *target;   /* what was measured: a dialect's name */
    size_t size;          /* bytes a request */
    unsigned depth;       /* requests pending on each connection */
    unsigned connections; /* at one time */
    uint64_t count;       /* blocks or heaps that were there */
    unsigned round;       /* from 0 on */
    double value;         /* the figure */
    const char *unit;     /* "requests/s", "ms", "bytes" */
    const struct drive_result *timing; /* for latencies; NULL: none */
};

/* Begins `folder`/results.json. Gives up where it cannot be written. */
void results_open(struct results *results, const char *folder, const struct effort *effort);
void results_add(struct results *results, const struct record *record);
void results_close(struct results *results);

#endif
