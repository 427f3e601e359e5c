/*
 * Lines for the log, of which clients cannot cause any number.
 *
 * Owns: how many of one kind there were lately. Must not know: the log, where the lines come from.
 *
 * Lines that come from one place in the code (they have one format) are of one kind. Some of each pass at once, then one at an
 * interval; the others are counted, and the next line says how many they were.
 */
#ifndef UM_LOG_LIMITER_H
#define UM_LOG_LIMITER_H

#include <stdarg.h>
#include <stdint.h>

#include "base/attributes.h"

/* How much a line matters. */
enum um_log_severity { UM_SEVERITY_WARNING, UM_SEVERITY_DEBUG };

enum {
    UM_LOG_LIMITER_KINDS = 16,       /* more share the last place */
    UM_LOG_LIMITER_TEXT_SIZE = 1024, /* bytes of a line's text, its end counted */
    UM_LOG_LIMITER_LAST_SIZE = 200,
    UM_LOG_LIMITER_BURST = 10,          /* warnings of one kind */
    UM_LOG_LIMITER_INTERVAL_MS = 10000, /* to the next one, after these */
    UM_LOG_LIMITER_DEBUG_BURST = 100,   /* the same for debug lines */
    UM_LOG_LIMITER_DEBUG_INTERVAL_MS = 1000
};

struct um_log_limiter_kind {
    const char *format;                  /* NULL: this place is free */
    char last[UM_LOG_LIMITER_LAST_SIZE]; /* the last one that passed, maybe cut */
    enum um_log_severity severity;
    uint32_t left;     /* lines that may pass at once */
    uint64_t since_ms; /* when `left` was counted */
    uint64_t left_out; /* lines since the last one that passed */
};

struct um_log_limiter {
    void (*listener)(void *context, enum um_log_severity severity,
                     const char *text); /* NULL: there is no log */
    void *context;
    struct um_log_limiter_kind kinds[UM_LOG_LIMITER_KINDS];
};

/* Logs a line of a printf format, a literal. `now_ms` is any clock that does not jump. */
UM_PRINTF(4, 0)
void um_log_limiter_add(struct um_log_limiter *limiter, uint64_t now_ms, enum um_log_severity severity,
                        const char *format, va_list list);

/* Logs how many lines of each kind were left out, for kinds of which one may pass again. */
void um_log_limiter_report(struct um_log_limiter *limiter, uint64_t now_ms);

#endif
