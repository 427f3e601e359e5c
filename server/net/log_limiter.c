#include "net/log_limiter.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static uint32_t burst_of(enum um_log_severity severity)
{
    return severity == UM_SEVERITY_DEBUG ? UM_LOG_LIMITER_DEBUG_BURST : UM_LOG_LIMITER_BURST;
}

static struct um_log_limiter_kind *find_kind(struct um_log_limiter *limiter, uint64_t now_ms,
                                             enum um_log_severity severity, const char *format)
{
    struct um_log_limiter_kind *kind = limiter->kinds;

    while (kind != &limiter->kinds[UM_LOG_LIMITER_KINDS - 1] && kind->format != NULL &&
           kind->format != format)
        kind++;
    if (kind->format == NULL)
        *kind = (struct um_log_limiter_kind){
            .format = format, .severity = severity, .left = burst_of(severity), .since_ms = now_ms};
    return kind;
}

/* Whether a line of this kind may pass, which is counted then. */
static bool may_pass(struct um_log_limiter_kind *kind, uint64_t now_ms)
{
    uint64_t every_ms =
        kind->severity == UM_SEVERITY_DEBUG ? UM_LOG_LIMITER_DEBUG_INTERVAL_MS : UM_LOG_LIMITER_INTERVAL_MS;
    uint64_t more = (now_ms - kind->since_ms) / every_ms;

    if (more >= burst_of(kind->severity) - kind->left) {
        kind->left = burst_of(kind->severity);
        kind->since_ms = now_ms;
    } else {
        kind->left += (uint32_t)more;
        kind->since_ms += more * every_ms;
    }
    if (kind->left == 0)
        return false;
    kind->left--;
    return true;
}

void um_log_limiter_add(struct um_log_limiter *limiter, uint64_t now_ms, enum um_log_severity severity,
                        const char *format, va_list list)
{
    struct um_log_limiter_kind *kind;
    char text[UM_LOG_LIMITER_TEXT_SIZE];
    size_t size;

    if (limiter->listener == NULL)
        return;
    kind = find_kind(limiter, now_ms, severity, format);
    if (!may_pass(kind, now_ms)) {
        kind->left_out++;
        return;
    }
    vsnprintf(text, sizeof text, format, list);
    size = strlen(text);
    if (kind->left_out != 0)
        snprintf(text + size, sizeof text - size, " (%" PRIu64 " more like this were left out before)",
                 kind->left_out);
    kind->left_out = 0;
    snprintf(kind->last, sizeof kind->last, "%.*s", UM_LOG_LIMITER_LAST_SIZE - 1, text);
    limiter->listener(limiter->context, severity, text);
}

void um_log_limiter_report(struct um_log_limiter *limiter, uint64_t now_ms)
{
    char text[UM_LOG_LIMITER_TEXT_SIZE];

    for (int i = 0; i < UM_LOG_LIMITER_KINDS; i++) {
        struct um_log_limiter_kind *kind = &limiter->kinds[i];

        if (kind->left_out == 0 || !may_pass(kind, now_ms))
            continue;
        snprintf(text, sizeof text, "%" PRIu64 " more like this were left out: %s", kind->left_out,
                 kind->last);
        kind->left_out = 0;
        limiter->listener(limiter->context, kind->severity, text);
    }
}
