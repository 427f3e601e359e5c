/*
 * The role "model": blocks that only this process touches, and a copy of every byte of them.
 *
 * Owns: what the daemon has to answer about its own blocks. Must not know: other processes, but for limits that they use up.
 */
#ifndef ROLE_MODEL_H
#define ROLE_MODEL_H

#include <stdint.h>

#include "model.h"
#include "soak.h"

enum {
    MIRROR_BLOCKS = 24,
    MIRROR_DEPTH = 16, /* calls that are pending at one time */
    OWN_HEAP =
        1 /* in the model: a heap of this process, which is made and destroyed in turn. Number 0 is the process heap */
};

struct mirror {
    struct soak *soak;
    struct model model;
    unsigned names; /* given so far */
};

/* A block that is there, or NULL where there is none. */
struct model_block *mirror_pick(struct mirror *mirror);

/* A handle that was freed; 0: there is none yet. */
umem_handle mirror_pick_freed(const struct mirror *mirror);

/* Submits some calls on blocks, as a pipeline or a batch, collects them and compares all that they give. */
void mirror_run_calls(struct mirror *mirror);

#endif
