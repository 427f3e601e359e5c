/*
 * The supervisor: starts the daemon and the workers, kills some, and sees to it that nothing stays behind.
 *
 * Owns: the daemon's process and the workers', what the groups share. Must not know: what roles do.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <stdint.h>

struct supervisor_options {
    const char *umemd; /* the daemon's program */
    const char *role;  /* only this one; NULL: all */
    uint64_t seed;
    uint64_t minutes; /* laps begin until so many are over; 0: see laps */
    unsigned laps;    /* to run */
    unsigned percent; /* of the steps that roles take */
    unsigned groups;  /* that run at one time */
    uint64_t
        growth_max; /* bytes that the daemon's resident memory may grow by between its first rest and its last; 0: any */
};

/* Runs the soak. Returns the exit status: 0 where all is well. What is not well is printed, and ends the process. */
int supervise(const struct supervisor_options *options);

#endif
