/*
 * The scenarios of test_rpc.c: what two clients ask of the engine, one after the other.
 *
 * Owns: the table. Must not know: which allocation fails.
 */
#ifndef RPC_FAULT_SCENARIOS_H
#define RPC_FAULT_SCENARIOS_H

#include "rpc_fault_harness.h"

struct line {
    enum harness_peer who;
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
