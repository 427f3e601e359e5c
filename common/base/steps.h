/*
 * Counting steps, in a build for tests: members of lists, indices and trees that are visited, and slots that are looked at.
 *
 * Owns: nothing; the test has the counter. Must not know: what a step is for.
 *
 * Time says nothing about how the work of a call grows; steps do, and are the same on every machine.
 */
#ifndef UM_STEPS_H
#define UM_STEPS_H

#ifdef UM_COUNT_STEPS
#include <stdint.h>

extern uint64_t um_steps;
static inline void um_step(void)
{
    um_steps++;
}

#define UM_STEP() um_step()
#else
#define UM_STEP() ((void)0)
#endif

#endif
