/*
 * The daemon's limits: one list that makes the struct, the option names, the defaults and what server.info shows.
 *
 * Owns: nothing but the list. Must not know: where a limit is enforced.
 */
#ifndef UM_SERVER_LIMITS_H
#define UM_SERVER_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "umem_errors.h"

/* X(name, default, minimum, maximum, what it limits). A default of 0 follows from something else, see um_limits_fallback(). */
#define UM_LIMITS(X) \
    X(sessions, 4096, 1, 1000000, "clients connected at one time") \
    X(message_bytes, 16777216, 1024, 1073741824, "bytes in one JSON message, and in one answer") \
    X(message_ms, 60000, 1, 86400000, \
      "milliseconds that a message, or a batch's payload, may take from its first byte to its last") \
    X(payload_bytes, 67108864, 1024, 9007199254740991, "bytes in one raw payload") \
    X(gathered_bytes, 268435456, 65536, 9007199254740991, \
      "bytes kept of messages and batches' payloads that are not whole yet, for all clients together") \
    X(batch_requests, 10000, 1, 1000000, "requests in one batch") \
    X(batch_bytes, 16777216, 1024, 1073741824, "block bytes that the calls of one batch may touch together") \
    X(bytes, 0, 1024, 9007199254740991, \
      "bytes in all blocks together, and in freed ones that answers are still sent from") \
    X(session_bytes, 0, 1024, 9007199254740991, \
      "bytes in the blocks that one client has made or taken over") \
    X(blocks, 16777216, 1, 67108862, "blocks at one time") \
    X(heaps, 262144, 1, 67108862, "heaps at one time, the process heap not counted") \
    X(shared_heaps, 256, 0, 1000000, "heaps of kind shared at one time") \
    X(holds, 1048576, 1, 1073741824, "holds on blocks that others have made, of all clients together") \
    X(unsent_bytes, 4194304, 1024, 1073741824, \
      "answer bytes that wait for one client before its requests wait") \
    X(unsent_total_bytes, 268435456, 65536, 9007199254740991, \
      "answer bytes that wait for all clients together") \
    X(waits, 1024, 1, 1000000, "calls that wait at one time, for one client") \
    X(waits_total, 16384, 1, 1000000000, "calls that wait at one time, for all clients together") \
    X(watches, 1024, 1, 1000000, "watches of one client") \
    X(watches_total, 65536, 1, 1000000000, "watches of all clients together") \
    X(observers, 1024, 1, 1000000000, \
      "watches and waiting calls on one block, on one heap, or on everything") \
    X(turn_requests, 256, 1, 1000000, \
      "messages served for one client process, over all its sessions, in one turn of the loop") \
    X(turn_bytes, 4194304, 1, 9007199254740991, \
      "work for one client process in one turn of the loop, as bytes of blocks that would take as long") \
    X(closing_ms, 5000, 1, 3600000, "milliseconds that a closing session gets to take its last answers")

struct um_limits {
#define UM_LIMIT_MEMBER(name, fallback, minimum, maximum, doc) uint64_t name;
    UM_LIMITS(UM_LIMIT_MEMBER)
#undef UM_LIMIT_MEMBER
};

/* A limit's place in the list. */
enum um_limit {
#define UM_LIMIT_PLACE(name, fallback, minimum, maximum, doc) UM_LIMIT_##name,
    UM_LIMITS(UM_LIMIT_PLACE)
#undef UM_LIMIT_PLACE
        UM_LIMIT_COUNT
};

/* One limit, for options and listings. */
struct um_limit_entry {
    const char *name;  /* as in the list: "message_bytes" */
    const char *doc;   /* what it limits */
    uint64_t fallback; /* 0: um_limits_fallback() says in words what it is */
    uint64_t minimum;
    uint64_t maximum;
};

/* Sets every limit to its default. Those whose default is 0 stay so: the caller, which knows the machine, sets them. */
void um_limits_init(struct um_limits *limits);

/* What the default of an entry is, in words, where its number is 0. */
const char *um_limits_fallback(const struct um_limit_entry *entry);

/* The place of the limit of this name; UM_LIMIT_COUNT: there is none. */
enum um_limit um_limits_find(const char *name);

/* Whether the i-th limit may change while sessions are open. Those that a session's memory is made for may not. */
bool um_limits_may_change(unsigned index);

/* Gives limits that may change the values that they have in `other`. */
void um_limits_change(struct um_limits *limits, const struct um_limits *other);

/* The i-th entry, or NULL past the end. */
const struct um_limit_entry *um_limits_entry(unsigned index);

/* The value of the i-th limit. */
uint64_t um_limits_value(const struct um_limits *limits, unsigned index);

/* Sets one limit by name. UMEM_E_BAD_ARGUMENT where there is none of that name or the value is out of its bounds (then
 * *entry tells which bounds, or is NULL for an unknown name). */
int um_limits_set(struct um_limits *limits, const char *name, uint64_t value,
                  const struct um_limit_entry **entry);

#endif
