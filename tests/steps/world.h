/*
 * An engine with many of everything, and a counter of the steps that it takes.
 *
 * Owns: the store, the engine, its peers. Must not know: what is bounded by what.
 */
#ifndef STEPS_WORLD_H
#define STEPS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "attributes.h"
#include "rpc.h"
#include "server_limits.h"

enum { PEERS = 300 };

struct world {
    struct um_store *store;
    struct um_rpc *rpc;
    struct um_limits limits;
    struct um_peer peers[PEERS];
    uint64_t now_ms;
};

int world_setup(void **state);
int world_teardown(void **state);

/* Begins another turn. */
void turn(struct world *world);

/* Feeds one message, a printf format, and forgets what is answered. */
UM_PRINTF(2, 3)
void say(struct um_peer *peer, const char *format, ...);

/* Feeds a batch of so many times one request. */
void say_often(struct um_peer *peer, const char *request, unsigned count);

/* A member of the first answer that has it, as a number. */
UM_PRINTF(3, 4)
uint64_t ask(struct um_peer *peer, const char *member, const char *format, ...);

/* Steps that are taken from here on. */
void count_from_here(void);
uint64_t steps_so_far(void);

#endif
