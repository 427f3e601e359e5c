/*
 * Counting steps, in a build for tests: members of lists, indices and trees that are visited, and slots that are looked at; and bytes of
 * blocks that are touched.
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

extern uint64_t um_touched;
extern uint64_t um_copied;
static inline void um_touch(uint64_t size)
{
    um_touched += size;
}

static inline void um_copy(uint64_t size)
{
    um_copied += size;
}

#define UM_STEP() um_step()
#define UM_COPY(size) um_copy(size)
#define UM_TOUCH(size) um_touch(size)
#else
#define UM_STEP() ((void)0)
#define UM_TOUCH(size) ((void)0)
#define UM_COPY(size) ((void)0)
#endif

#endif
