/*
 * The scenes of test_store.c: calls of the store that get memory, and those that must not.
 *
 * Owns: the table. Must not know: which allocation fails.
 */
#ifndef FAULT_STORE_SCENES_H
#define FAULT_STORE_SCENES_H

#include <stdbool.h>

#include "fixture.h"

/* What the scenes act on; scene_prepare() makes it. */
struct stage {
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
    struct um_block *orphan;  /* nobody holds it */
    struct um_resize *resize; /* one that has begun; NULL: none */
};

struct scene {
    const char *name;
    bool allocates;                  /* it can fail for want of memory */
    void (*prepare)(struct stage *); /* NULL: nothing more to prepare */
    int (*act)(struct stage *);      /* 0 or the error */
};

/* The rows; the last has no name. */
extern const struct scene store_scenes[];

/* One that takes long: thousands of blocks, so that the tables grow. */
extern const struct scene store_crowd;

void stage_prepare(struct stage *stage, struct fixture *fixture);

#endif
