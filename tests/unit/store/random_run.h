/*
 * A run of random operations: a store, the model of it, and what compares them.
 *
 * Owns: both, and the pins. Must not know: how an operation is chosen.
 */
#ifndef UM_TEST_STORE_RANDOM_RUN_H
#define UM_TEST_STORE_RANDOM_RUN_H

#include "fixture.h"
#include "model.h"

enum { PINS = 12 };

struct pinned {
    struct um_pin *pin;    /* NULL: this place is free */
    int block;             /* number in the model; -1 once the block has left this memory */
    uint64_t handle;       /* of that block */
    unsigned char *frozen; /* what the memory goes on holding when the block has left it */
    uint64_t size;         /* bytes in `frozen` */
};

struct run {
    struct um_store *store;
    struct um_owner *owners[MODEL_PEOPLE]; /* NULL: gone */
    struct model model;
    struct pinned pins[PINS];
    uint64_t events[MODEL_EVENTS]; /* what the store told since the last check_step() */
    unsigned event_count;
    uint64_t random; /* state of the generator */
};

/* A name as the store wants it: "" for none, NULL to keep what there is. */
const char *name_text(int name);

/* What the store finds for a number in the model, which must be alive. */
struct um_block *block_of(struct run *run, int block);
struct um_heap *heap_of(struct run *run, int heap);

/* Compares sums, events and the handles of the dead: after each step. */
void check_step(struct run *run);

/* Compares everything, byte by byte. */
void check_all(struct run *run);

#endif
