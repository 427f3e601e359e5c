/*
 * The answer to a client that is not served: a line of JSON, or a response of HTTP.
 *
 * Owns: these texts. Must not know: connections, how the text is sent.
 */
#ifndef UM_REFUSAL_H
#define UM_REFUSAL_H

#include <stdint.h>

#include "base/buf.h"

enum um_refusal_reason {
    UM_REFUSED_STRANGER,      /* another user's */
    UM_REFUSED_FULL,          /* limits.sessions are open */
    UM_REFUSED_NO_DESCRIPTORS /* the system is about to run out of descriptors */
};

/* The facts in the answer to a client beyond the limit. */
struct um_refusal_facts {
    uint64_t sessions_limit;
    uint64_t sessions;     /* that are open */
    uint64_t top_sessions; /* of the process that has most of them; 0: no process is known */
    int64_t top_pid;       /* that process */
    const char *top_program;
};

/* Appends the line. */
void um_refusal_write(struct um_buf *out, enum um_refusal_reason reason,
                      const struct um_refusal_facts *facts);

/* Appends what a client of HTTP gets. */
void um_refusal_write_http(struct um_buf *out);

#endif
