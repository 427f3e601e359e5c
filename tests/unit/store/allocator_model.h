/*
 * An allocator beside a model of it: one number for each place of 16 bytes, which says whose it is. Where a block lies is the allocator's
 * choice; the model knows which choices are right.
 *
 * Owns: the allocator under test and the model. Must not know: cmocka, so that a fuzzer can use it; a disagreement is reported as a text.
 */
#ifndef UM_TEST_ALLOCATOR_MODEL_H
#define UM_TEST_ALLOCATOR_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/memory/allocator.h"

enum {
    ALLOCATOR_MODEL_PIECES = 8,         /* pieces of space, with a gap behind every other one */
    ALLOCATOR_MODEL_PIECE = 128 * 1024, /* bytes of a piece */
    ALLOCATOR_MODEL_BLOCKS = 300,       /* blocks at one time */
    ALLOCATOR_MODEL_PLACES = 2 * ALLOCATOR_MODEL_PIECES * ALLOCATOR_MODEL_PIECE / 16
};

struct allocator_model_block {
    bool used;
    uint64_t offset;
    uint64_t size;     /* bytes as requested */
    uint64_t capacity; /* bytes */
};

struct allocator_model {
    struct um_allocator *allocator;
    struct um_run_map map;
    uint32_t alignment;
    bool is_added[ALLOCATOR_MODEL_PIECES];
    uint16_t owner[ALLOCATOR_MODEL_PLACES]; /* 0: free; else the block's index and 1 */
    struct allocator_model_block blocks[ALLOCATOR_MODEL_BLOCKS];
};

/* Begins with no space. Returns false where memory ran out. End with allocator_model_deinit(). */
bool allocator_model_init(struct allocator_model *model, uint32_t alignment, uint32_t loose_limit);
void allocator_model_deinit(struct allocator_model *model);

/* These make a call on the model and on the allocator and return what they disagree about, or NULL. `block` is an index of model->blocks.
 * Those on a block that is not as they need it, and on a piece, do nothing. */
const char *allocator_model_add(struct allocator_model *model, size_t piece);
const char *allocator_model_remove(struct allocator_model *model, size_t piece);
const char *allocator_model_acquire(struct allocator_model *model, size_t block, uint64_t size);
const char *allocator_model_restore(struct allocator_model *model, size_t block, uint64_t offset,
                                    uint64_t size);
const char *allocator_model_release(struct allocator_model *model, size_t block);
const char *allocator_model_resize(struct allocator_model *model, size_t block, uint64_t size);

/* Ages up to `runs` runs: what is handed out must be in no block. */
const char *allocator_model_age(struct allocator_model *model, bool at_once, size_t runs);

/* Compares all figures, and each free extent. Returns a disagreement, or NULL. */
const char *allocator_model_check(const struct allocator_model *model);

#endif
