/*
 * The daemon's limits: one list that makes the struct, the option names, the defaults and what server.info shows.
 *
 * Owns: nothing but the list. Must not know: who enforces a limit.
 */
#ifndef UM_LIMITS_H
#define UM_LIMITS_H

#include <stdint.h>

#include "umem_errors.h"

/* X(name, default, minimum, maximum, what it limits). A default of 0 for `bytes` means 75 % of the memory. */
#define UM_LIMITS(X) \
    X(sessions, 4096, 1, 1000000, "clients connected at one time") \
    X(message_bytes, 16777216, 1024, 1073741824, "bytes in one JSON message, and in one answer") \
    X(payload_bytes, 67108864, 1024, 9007199254740991, "bytes in one raw payload") \
    X(batch_requests, 10000, 1, 1000000, "requests in one batch") \
    X(batch_bytes, 16777216, 1024, 1073741824, "block bytes that the calls of one batch may touch together") \
    X(bytes, 0, 1024, 9007199254740991, "bytes in all blocks together") \
    X(blocks, 16777216, 1, 67108862, "blocks at one time") \
    X(heaps, 262144, 1, 67108862, "heaps at one time, the process heap not counted") \
    X(shared_heaps, 256, 0, 1000000, "heaps of kind shared at one time") \
    X(unsent_bytes, 4194304, 1024, 1073741824, \
      "answer bytes that wait for one client before its requests wait") \
    X(waits, 1024, 1, 1000000, "calls that wait at one time, for one client") \
    X(watches, 1024, 1, 1000000, "watches of one client") \
    X(turn_requests, 256, 1, 1000000, "messages served for one client before the next one's turn") \
    X(closing_ms, 5000, 1, 3600000, "milliseconds that a closing session gets to take its last answers")

struct um_limits {
#define UM_LIMIT_MEMBER(name, fallback, minimum, maximum, doc) uint64_t name;
    UM_LIMITS(UM_LIMIT_MEMBER)
#undef UM_LIMIT_MEMBER
};

/* One limit, for options and listings. */
struct um_limit_entry {
    const char *name; /* as in the list: "message_bytes" */
    const char *doc;  /* what it limits */
    uint64_t fallback;
    uint64_t minimum;
    uint64_t maximum;
};

/* Sets every limit to its default. `bytes` stays 0: the caller, who knows the machine, sets it. */
void um_limits_init(struct um_limits *limits);

/* The i-th entry, or NULL past the end. */
const struct um_limit_entry *um_limits_entry(unsigned index);

/* The value of the i-th limit. */
uint64_t um_limits_value(const struct um_limits *limits, unsigned index);

/* Sets one limit by name. UMEM_E_BAD_ARGUMENT where there is none of that name or the value is out of its bounds (then
 * *entry tells which bounds, or is NULL for an unknown name). */
int um_limits_set(struct um_limits *limits, const char *name, uint64_t value,
                  const struct um_limit_entry **entry);

#endif
