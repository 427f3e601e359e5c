/*
 * Calls that may take long, and messages whose reading does: they run in slices, and others are served between.
 *
 * Owns: the calls that are at work, one a session at most, whose next message waits for it. Must not know: what they do.
 *
 * A method that may take long has an um_job_ops. What is short runs and is answered at once, and so is all that stands in a batch, which
 * is not interrupted and whose bytes are limited.
 */
#ifndef UM_JOB_H
#define UM_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/index.h"
#include "base/list.h"
#include "base/steps.h"
#include "rpc/call/args.h"
#include "rpc/call/call.h"

enum {
    UM_JOB_SIZE_MAXIMUM = 640,      /* bytes of a method's struct */
    UM_JOB_HEAPS = 2,               /* heaps that one call works on */
    UM_JOB_SLICE_SIZE = 256 * 1024, /* bytes that a slice works on */
    UM_JOB_SLICE_MAXIMUM =
        2 * 1024 * 1024 /* and the most of any: a search for many bytes needs long slices */
};

/* That a call is at work on a heap. */
struct um_job_place {
    struct um_index_node node; /* place in um_rpc.jobs_by_heap, of one of those at a heap */
    struct um_link at_heap;    /* ring of all that are at it */
    const struct um_job *job;  /* NULL: in none */
    um_handle heap;
};

struct um_job {
    const struct um_job_ops *ops;
    bool is_long;                         /* takes more than a slice: set by `begin` */
    bool takes_payload;                   /* raw bytes that are to come go to ops->space(): set by `begin` */
    uint64_t held_bytes;                  /* memory that it holds besides, as long as it is at work */
    um_handle heaps[UM_JOB_HEAPS];        /* that it works on: not locked for others meanwhile; 0: none */
    struct um_session *session;           /* whose it is; set where it is kept */
    struct um_call *call;                 /* to be answered; NULL: um_job_attach() */
    struct um_link in_jobs;               /* place in um_rpc.jobs, where it runs in slices */
    struct um_link in_group;              /* place among those of its process, the next to run first */
    struct um_job_place at[UM_JOB_HEAPS]; /* for each of `heaps`, while it runs in slices */
};

/* For `begin`: the job works on `size` bytes of one or two blocks (`second` may be NULL). It is long where they are many. */
void um_job_works_on(struct um_job *job, uint64_t size, const struct um_block *first,
                     const struct um_block *second);

/* For `begin` of what no limit bounds: a batch would hold all others up. Answers where the call is in one, and returns false. */
bool um_job_is_allowed(struct um_call *call);

/* How many of the bytes that are left the next slice is to work on: all of them where it is not run in slices. */
uint64_t um_job_slice(const struct um_job *job, uint64_t left);

/* Memory of a range that um_range_find() has found, for the slice: `size` bytes from `at` on, counted from the range's start. */
UM_ALWAYS_INLINE unsigned char *um_job_bytes(const struct um_job *job, const struct um_range *range,
                                             uint64_t at, uint64_t size)
{
    assert(job->call->batch != NULL || size <= (job->is_long ? UM_JOB_SLICE_MAXIMUM : UM_CALL_ATOMIC_SIZE));
    (void)job;
    (void)size;
    UM_TOUCH(size);
    return um_block_bytes(range->block) + range->offset + at;
}

/* Runs the call of a method that has a job. */
void um_job_run(struct um_call *call, const struct um_args *args, const struct um_job_ops *ops);

/* Keeps a job (malloc, with its ops) that is no call's; the session takes it over. It does not run before um_job_start(). */
void um_job_attach(struct um_session *session, struct um_job *job);
void um_job_start(struct um_job *job);

/* The memory that a job at work holds has changed. */
void um_job_set_held(struct um_job *job, uint64_t bytes);

/* Does a slice of the call that is next: one process after the other, and of each one call after the other. Returns whether any
 * call is left. */
bool um_job_work(struct um_rpc *rpc);

/* Ends a session's call, unanswered. */
void um_job_drop(struct um_session *session);

/* ---- long calls and the locks of heaps ---- */

/* Whether a call of another session than this one is at work on a heap. */
bool um_job_is_on_heap(const struct um_rpc *rpc, um_handle heap, const struct um_session *session);

/* Whether other sessions queue for the lock of a heap that this session has not locked itself. 0 is no heap.
 * A long call does not begin before them, or their wait might have no end. */
bool um_job_lock_is_queued(const struct um_session *session, um_handle heap);

#endif
