/*
 * The scenarios of test_store_out_of_memory.c: calls of the store that allocate memory, and those that must not.
 *
 * Owns: the table. Must not know: which allocation fails.
 */
#ifndef STORE_FAULT_SCENARIOS_H
#define STORE_FAULT_SCENARIOS_H

#include <stdbool.h>

#include "store_fixture.h"

/* What the scenarios act on; harness_prepare() makes it. */
struct harness {
    struct fixture *fixture;
    struct um_store *store;
    struct um_owner *maker;   /* made all that is here */
    struct um_owner *other;   /* made nothing */
    struct um_heap *private;  /* "private" */
    struct um_heap *aligned;  /* "aligned": blocks at multiples of 4096 */
    struct um_heap *shared;   /* "shared": a maximum of 8 MiB */
    struct um_block *block;   /* 100 bytes of the process heap, not 0 */
    struct um_block *there;   /* 100 bytes of the shared heap, with another block behind it */
    struct um_block *large;   /* 2 MiB of the aligned heap, not 0 */
    struct um_block *named;   /* "named" */
    struct um_block *orphan;  /* no owner holds it */
    struct um_resize *resize; /* one that has begun; NULL: none */
};

struct scenario {
    const char *name;
    bool allocates;                    /* it can fail for want of memory */
    void (*prepare)(struct harness *); /* NULL: nothing more to prepare */
    int (*act)(struct harness *);      /* 0 or the error */
};

/* The rows; the last has no name. */
extern const struct scenario store_fault_scenarios[];

/* One that takes long: thousands of blocks, so that the tables grow. */
extern const struct scenario store_many_blocks;

void harness_prepare(struct harness *harness, struct fixture *fixture);

#endif
