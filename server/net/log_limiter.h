/*
 * Notes for the operator, of which clients cannot cause any number.
 *
 * Owns: how many of one kind there were lately. Must not know: who listens, the log.
 *
 * Notes that come from one place in the code (they have one format) are of one kind. Some of each go through at once, then one now
 * and then; the others are counted, and the next one tells how many they were.
 */
#ifndef UM_LOG_LIMITER_H
#define UM_LOG_LIMITER_H

#include <stdarg.h>
#include <stdint.h>

#include "base/attributes.h"
#include "net/server.h"

enum {
    UM_LOG_LIMITER_KINDS = 16,       /* more share the last place */
    UM_LOG_LIMITER_TEXT_SIZE = 1024, /* bytes of a note's text, its end counted */
    UM_LOG_LIMITER_LAST_SIZE = 200,
    UM_LOG_LIMITER_BURST = 10,          /* warnings of one kind */
    UM_LOG_LIMITER_INTERVAL_MS = 10000, /* to the next one, after these */
    UM_LOG_LIMITER_DEBUG_BURST = 100,   /* the same for what only who looks for a fault asks for */
    UM_LOG_LIMITER_DEBUG_INTERVAL_MS = 1000
};

struct um_log_limiter_kind {
    const char *format;                  /* NULL: this place is free */
    char last[UM_LOG_LIMITER_LAST_SIZE]; /* the last one that went through, maybe cut */
    enum um_server_log note;
    uint32_t left;     /* notes that may go through at once */
    uint64_t since_ms; /* when `left` was counted */
    uint64_t left_out; /* notes since the last one that went through */
};

struct um_log_limiter {
    void (*listener)(void *context, enum um_server_log note, const char *text); /* NULL: nobody listens */
    void *context;
    struct um_log_limiter_kind kinds[UM_LOG_LIMITER_KINDS];
};

/* Makes a note of a printf format, a literal. `now_ms` is any clock that does not jump. */
UM_PRINTF(4, 0)
void um_log_limiter_add(struct um_log_limiter *notes, uint64_t now_ms, enum um_server_log note,
                        const char *format, va_list list);

/* Tells how many notes of each kind were left out, for kinds of which one may go through again. */
void um_log_limiter_report(struct um_log_limiter *notes, uint64_t now_ms);

#endif
