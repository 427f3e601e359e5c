/*
 * What the daemon says of itself at one moment, for metrics, rates and the live screen.
 *
 * Owns: the answers. Must not know: how they are shown.
 */
#ifndef UMEM_CLI_SNAPSHOT_H
#define UMEM_CLI_SNAPSHOT_H

#include <stdint.h>

#include "cli/table/verb.h"

struct cJSON;

enum { CLI_SNAPSHOT_ENTRIES = 10000 /* heaps, and sessions, of which no more are asked for */ };

/* What is wanted beside server.stats. */
enum cli_snapshot_part {
    CLI_SNAPSHOT_INFO = 1,
    CLI_SNAPSHOT_METHODS = 2,
    CLI_SNAPSHOT_HEAPS = 4,
    CLI_SNAPSHOT_SESSIONS = 8
};

/* NULL where a part was not wanted. */
struct cli_snapshot {
    uint64_t taken_ms;      /* on the clock of cli_now_ms() */
    struct cJSON *info;     /* of server.info */
    struct cJSON *stats;    /* of server.stats */
    struct cJSON *methods;  /* an array, as in server.methods, of all pages */
    struct cJSON *heaps;    /* likewise, as in heap.list */
    struct cJSON *sessions; /* likewise, as in session.list */
};

/* Asks the daemon. Returns an exit status; a failure has been reported, and there is nothing to be freed. */
int cli_snapshot_take(struct cli *cli, unsigned parts, struct cli_snapshot *snapshot);

/* Frees it. An empty one is fine. */
void cli_snapshot_free(struct cli_snapshot *snapshot);

/* A member as a number; 0 where there is none. NULL is fine. */
uint64_t cli_snapshot_uint(const struct cJSON *object, const char *path);

/* How much a member of server.stats, which only grows, has grown in a second. */
double cli_snapshot_rate(const struct cli_snapshot *before, const struct cli_snapshot *now, const char *path);

/* The nearest integer to a number that is not negative. */
uint64_t cli_round(double value);

/* How much of one processor the daemon has taken in between: 1 is all of it. */
double cli_snapshot_cpu(const struct cli_snapshot *before, const struct cli_snapshot *now);

#endif
