/*
 * What the calls of each method come to: how many, how many of them failed, how long they took.
 *
 * Owns: the counters since the start, and the time of the calls at work. Must not know: sessions, what a call does.
 *
 * Calls of one method that one session has sent together are measured together, at most UM_METER_RUN_LIMIT of them, and each is
 * counted with their average: a look at the clock costs as much as a tenth of a small call. While calls are recorded (um_rpc_record_calls())
 * each is measured by itself.
 */
#ifndef UM_CALL_METER_H
#define UM_CALL_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"
#include "rpc/schema/table.h"

enum {
    UM_METER_BOUNDS = 22,     /* upper bounds of the histogram: 1, 2, 5, 10... 10,000,000 microseconds */
    UM_METER_RUN_LIMIT = 16,  /* calls that are measured together */
    UM_METER_LONG_SIZE = 4096 /* bytes: a longer message is measured from its first byte on */
};

/* The counters of one method since the start. */
struct um_method_stats {
    uint64_t calls;  /* that were answered, errors counted */
    uint64_t errors; /* of these, those answered with an error */
    uint64_t waited; /* of these, those that waited for something; their time is not measured */
    uint64_t ns;     /* of all that were measured together */
    uint64_t longest_ns;
    uint64_t buckets[UM_METER_BOUNDS +
                     1]; /* how many of these took at most so long, and longer than the bound before */
};

struct um_call_meter {
    uint64_t (*clock_ns)(void *context); /* on a clock that only goes forward; NULL: nothing is measured */
    void *context;
    const struct um_method *
        method; /* of the calls that are measured together: the run; where none has begun, no method's address */
    struct um_method_stats *stats; /* of that method */
    uint64_t begun_ns;             /* when the run began */
    uint64_t last_ns;   /* what the call that ended last took, where it was the only one of its run */
    uint64_t calls;     /* of the run that have ended; not in the counters yet */
    uint64_t run_limit; /* 1: each call by itself */
    bool is_running;    /* a run has begun: time passes for it */
    struct um_method_stats
        methods[UM_METHOD_COUNT + 1]; /* as in the table; the last: messages that name no method */
};

void um_meter_init(struct um_call_meter *meter, uint64_t (*clock_ns)(void *context), void *context);

/* Whether each call is measured by itself from now on, for um_call_meter.last_ns. */
void um_meter_record(struct um_call_meter *meter, bool are_recorded);

/* A call that was answered with a result has an error as its answer after all. */
void um_meter_failed(struct um_call_meter *meter, const struct um_method *method);

/* The upper bound of a bucket, in microseconds. */
uint64_t um_meter_bound_us(size_t bucket);

/* ---- what happens, in this order ---- */

/* From here on time is measured; where it is already, a new run begins. */
void um_meter_begin(struct um_call_meter *meter);

/* A message is to be read: the first of a step, or the next one. `size` bytes are there, perhaps with others behind it. */
UM_ALWAYS_INLINE void um_meter_message(struct um_call_meter *meter, const char *text, size_t size)
{
    /* How long it is, is not known; but it has no line's end inside. What reading a long one takes is not its neighbours'. */
    if (!meter->is_running || (size > UM_METER_LONG_SIZE && memchr(text, '\n', UM_METER_LONG_SIZE) == NULL))
        um_meter_begin(meter);
}

/* The call's method was found; NULL: there is none. */
void um_meter_change_method(struct um_call_meter *meter, const struct um_method *method);
UM_ALWAYS_INLINE void um_meter_method(struct um_call_meter *meter, const struct um_method *method)
{
    if (meter->method != method)
        um_meter_change_method(meter, method);
}

/* A call of the run was answered. It is counted with the end of its run. */
UM_ALWAYS_INLINE void um_meter_answered(struct um_call_meter *meter, bool has_failed)
{
    if (has_failed)
        meter->stats->errors++;
    if (++meter->calls >= meter->run_limit)
        um_meter_begin(meter);
}

/* The step is over: what happens next is no call's. Once more is fine. */
void um_meter_stop(struct um_call_meter *meter);

/* ---- calls that are answered later ---- */

/* The call at work is, and the next ones are not measured with it. Returns when it began. */
uint64_t um_meter_defer(struct um_call_meter *meter);

/* The message at work is one that began then. */
void um_meter_resume(struct um_call_meter *meter, uint64_t begun_ns);

/* Such a call was answered. Returns how long that took; it is measured unless the call has waited for something. */
uint64_t um_meter_answered_late(struct um_call_meter *meter, const struct um_method *method,
                                uint64_t begun_ns, bool has_failed, bool has_waited);

#endif
