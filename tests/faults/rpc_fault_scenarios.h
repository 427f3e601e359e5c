/*
 * The scenarios of test_rpc_out_of_memory.c: the requests of two clients to the engine, one after the other.
 *
 * Owns: the table. Must not know: which allocation fails.
 */
#ifndef RPC_FAULT_SCENARIOS_H
#define RPC_FAULT_SCENARIOS_H

#include "rpc_fault_harness.h"

struct line {
    enum harness_peer peer;
    const char *message; /* NULL: the scenario is over */
    size_t payload_size; /* raw bytes behind it */
};

struct scenario {
    const char *name;
    void (*prepare)(struct harness *harness);
    const struct line *lines;
};

/* The rows; the last has no name. */
extern const struct scenario scenarios[];

#endif
