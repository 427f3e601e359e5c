/*
 * Requests to umemd that cannot be made beforehand, since they name what an answer before has given: blocks and heaps
 * that are made and taken away.
 *
 * Owns: the handles that it was given. Must not know: servers, sockets. One connection at a time drives it.
 */
#ifndef BENCH_CHURN_H
#define BENCH_CHURN_H

#include <stdbool.h>
#include <stdint.h>

#include "drive.h"

enum churn_what { CHURN_BLOCKS, CHURN_HEAPS };

/* Which requests come next. */
enum churn_mode {
    CHURN_PAIRS, /* make some, take the same away, over and over */
    CHURN_FILL,  /* make until the limit is reached */
    CHURN_DRAIN  /* take away until none is left */
};

enum { CHURN_DEPTH_MAX = 256, CHURN_BLOCK_SIZE = 64 };

struct churn {
    struct source source;
    enum churn_what what;
    enum churn_mode mode;
    uint64_t heap;                        /* where blocks are made; 0: on the process heap */
    uint64_t *handles;                    /* what there is, in the order in which it was made */
    size_t count;                         /* how many there are */
    size_t requested;                     /* how many there will be once all answers are there */
    size_t limit;                         /* most of them */
    bool numbered;                        /* block number n begins with n, in 8 bytes; else all are zero */
    bool requested_drop[CHURN_DEPTH_MAX]; /* what the request at this place of the batch was */
    size_t first, last;                   /* the requests that wait for their answers, in asked_to_take */
    char requests[CHURN_DEPTH_MAX * 192];
    char line[512]; /* the beginning of an answer */
    size_t line_size;
};

/* Makes one with capacity for `limit` handles. */
struct churn *churn_new(enum churn_what what, uint64_t heap, size_t limit, bool numbered);
void churn_free(struct churn *churn);

/* Makes, or takes away, all; returns how many nanoseconds that took. */
uint64_t churn_all(struct churn *churn, enum churn_mode mode, const char *path);

#endif
