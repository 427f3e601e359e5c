/*
 * Who uses most of what a limit counts: what an operator wants to know when it is reached.
 *
 * Owns: nothing but what it found in this turn. Must not know: why it is asked.
 */
#ifndef UM_TOP_CONSUMER_H
#define UM_TOP_CONSUMER_H

#include <stdint.h>

#include "rpc/call/call.h"
#include "rpc/schema/server_limits.h"

/* What was found for one limit. */
struct um_top_consumer {
    uint64_t turn; /* of the engine, in which it was looked for; 0: never */
    uint64_t session;
    int64_t pid;
    uint64_t used;     /* by that session; 0: by none */
    char program[128]; /* cut where it is longer */
};

/* Adds to the facts of an error about a limit that all sessions share the member "most": the session that uses most of it, the
 * first of them where several do. Adds nothing for a limit that is one session's own, or where no open session uses
 * any. It is looked for once a turn, so that errors stay cheap however many come. */
void um_top_consumer_reply(struct um_call *call, const char *limit);

#endif
