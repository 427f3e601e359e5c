/*
 * Calls that may take long, and messages whose reading does: they run in slices, and others are served between.
 *
 * Owns: the calls that are at work, one a session at most, whose next message waits for it. Must not know: what they do.
 *
 * A method fills a struct of its own, whose first member is an um_job, and hands it to um_job_run(). What is short runs and is
 * answered at once, and so is all that stands in a batch, which nobody may interrupt and whose bytes are limited.
 */
#ifndef UM_JOB_H
#define UM_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index.h"
#include "base/list.h"
#include "rpc/call/call.h"

enum {
    UM_JOB_HEAPS = 2,                 /* heaps that one call works on */
    UM_JOB_ATOMIC_SIZE = 1024 * 1024, /* bytes: a call that works on no more runs at once */
    UM_JOB_SLICE_SIZE = 256 * 1024    /* bytes that a slice of a longer one works on */
};

struct um_job;

struct um_job_kind {
    /* Does the next slice. 0, with *more telling whether another is to come; or a code, with *fault. */
    int (*step)(struct um_job *job, bool *more, struct um_fault *fault);
    /* Writes the result's members after the last slice. Where the job has no call, it does all that is to be done then. */
    void (*answer)(struct um_job *job, struct um_call *call);
    /* Frees what the struct holds, not the struct, in order or before its end. NULL: nothing. */
    void (*release)(struct um_job *job);
};

/* That a call is at work on a heap. */
struct um_job_place {
    struct um_index_node node; /* place in um_rpc.jobs_by_heap, of one of those at a heap */
    struct um_link at_heap;    /* ring of all that are at it */
    const struct um_job *job;  /* NULL: in none */
    um_handle heap;
};

struct um_job {
    const struct um_job_kind *kind;
    bool is_long;                         /* takes more than a slice */
    uint64_t held_bytes;                  /* memory that it holds besides, as long as it is at work */
    um_handle heaps[UM_JOB_HEAPS];        /* that it works on: not locked for others meanwhile; 0: none */
    struct um_session *session;           /* whose it is; set where it is kept */
    struct um_call *call;                 /* to be answered; set by um_job_run(); NULL: um_job_attach() */
    struct um_link in_jobs;               /* place in um_rpc.jobs, where it runs in slices */
    struct um_link in_group;              /* place among those of its process, the next to run first */
    struct um_job_place at[UM_JOB_HEAPS]; /* for each of `heaps`, while it runs in slices */
};

/* The job of a call that works on `size` bytes of one or two blocks (`second` may be NULL). */
struct um_job um_job_for(const struct um_call *call, const struct um_job_kind *kind, uint64_t size,
                         const struct um_block *first, const struct um_block *second);

/* How many of the bytes that are left the next slice works on: all of them where it is not run in slices. */
uint64_t um_job_slice(const struct um_job *job, uint64_t left);

/* Runs the call. `job` (size bytes, on the caller's stack, without pointers into itself) is copied where it runs later. */
void um_job_run(struct um_call *call, struct um_job *job, size_t size);

/* Keeps a job (malloc) that is no call's; the session takes it over. It does not run before um_job_start(). */
void um_job_attach(struct um_session *session, struct um_job *job);
void um_job_start(struct um_job *job);

/* Does a slice of the call whose turn it is: turn about over the processes, and over the calls of each. Returns whether any call is left. */
bool um_job_work(struct um_rpc *rpc);

/* Ends a session's call, unanswered. */
void um_job_drop(struct um_session *session);

/* Whether a call of another session than this one is at work on a heap. */
bool um_job_is_on_heap(const struct um_rpc *rpc, um_handle heap, const struct um_session *session);

#endif
