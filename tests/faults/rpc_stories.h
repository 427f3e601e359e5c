/*
 * The stories of test_rpc.c: what two clients ask of the engine, one after the other.
 *
 * Owns: the table. Must not know: which allocation fails.
 */
#ifndef FAULT_RPC_STORIES_H
#define FAULT_RPC_STORIES_H

#include "rpc_stage.h"

struct line {
    enum stage_peer who;
    const char *message; /* NULL: the story is over */
    size_t payload_size; /* raw bytes behind it */
};

struct story {
    const char *name;
    void (*prepare)(struct stage *stage);
    const struct line *lines;
};

/* The rows; the last has no name. */
extern const struct story stories[];

#endif
