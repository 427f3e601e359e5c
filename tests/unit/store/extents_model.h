/*
 * Ranges beside a model of them: one flag for each place of a segment. Every call is made on both, and the
 * model knows the one right answer to each: best fit leaves no choice.
 *
 * Owns: the ranges under test and the model. Must not know: cmocka, so that a fuzzer can use it; a
 * disagreement is reported as a text.
 */
#ifndef UM_TEST_RANGE_MODEL_H
#define UM_TEST_RANGE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RANGE_MODEL_PLACES = 1024, /* places in a segment: what one alignment covers */
    RANGE_MODEL_BLOCKS = 256   /* ranges acquired at one time */
};

struct range_model_block {
    bool used;
    uint64_t offset;
    uint64_t size; /* bytes as requested */
};

struct range_model {
    struct um_extents *ranges;
    uint32_t alignment; /* bytes in a place */
    size_t places;      /* in the segment */
    size_t block_count; /* of `blocks` that are used */
    bool is_used[RANGE_MODEL_PLACES];
    struct range_model_block blocks[RANGE_MODEL_BLOCKS];
};

/* Begins with a free segment of `length` bytes, at most RANGE_MODEL_PLACES * alignment. Returns false where
 * memory ran out. End with range_model_deinit(). */
bool range_model_init(struct range_model *model, uint64_t length, uint32_t alignment);
void range_model_deinit(struct range_model *model);

/* These make a call on the model and on the ranges and return what they disagree about, or NULL. `block` is
 * an index of model->blocks. Acquiring into a block that is used, and the others on one that is not, do
 * nothing. */
const char *range_model_acquire(struct range_model *model, size_t block, uint64_t size);
const char *range_model_release(struct range_model *model, size_t block);
const char *range_model_resize(struct range_model *model, size_t block, uint64_t size);

/* Compares the free ranges, one by one, and all figures. Returns a disagreement, or NULL. */
const char *range_model_check(const struct range_model *model);

#endif
