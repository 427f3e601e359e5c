/*
 * Numbers drawn from a seed: the same ones in each run.
 *
 * Owns: nothing; the caller keeps the state, which must not be 0. Must not know: what is drawn.
 */
#ifndef MODEL_CHANCE_H
#define MODEL_CHANCE_H

#include <stdint.h>

/* From 0 to sides - 1; `sides` is not 0. */
static inline uint64_t chance_roll(uint64_t *state, uint64_t sides)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % sides;
}

#endif
