/*
 * The role "model": blocks that only this process touches, and a copy of every byte of them.
 *
 * Owns: what the daemon has to answer about its own blocks. Must not know: other processes, but for limits that they use up.
 */
#ifndef ROLE_MODEL_H
#define ROLE_MODEL_H

#include <stdint.h>

#include "soak.h"

enum {
    MODEL_BLOCKS = 24,
    MODEL_FREED = 32, /* handles that are kept to be used after they were freed */
    MODEL_DEPTH = 16  /* calls that are on their way at one time */
};

struct model_block {
    umem_handle handle; /* 0: there is none in this place */
    bool is_in_heap;    /* in the model's own heap, else in the process heap */
    bool is_named;
    uint64_t size;
    unsigned char *bytes;
};

struct model {
    struct soak *soak;
    struct model_block blocks[MODEL_BLOCKS];
    umem_handle heap;    /* 0: there is none at the moment */
    uint64_t heap_limit; /* bytes */
    bool heap_is_shared;
    umem_handle freed[MODEL_FREED];
    unsigned freed_count;
    unsigned names; /* given so far */
};

/* A block that is there, or NULL where there is none. */
struct model_block *model_pick(struct model *model);

/* A handle that was freed; 0: there is none yet. */
umem_handle model_pick_freed(struct model *model);

/* Bytes in the model's heap, and its blocks. */
uint64_t model_heap_bytes(const struct model *model, uint64_t *blocks);

/* Submits some calls on blocks, as a pipeline or a batch, collects them and compares all that they give. */
void model_run_calls(struct model *model);

#endif
