/*
 * A stand-in for shared memory, for what real memory does too seldom: it runs out, and it is cut.
 *
 * Owns: a budget of units. Must not know: which heap commits. It replaces shm_posix.c and shm_win32.c.
 */
#ifndef UM_TEST_STORE_FAKE_SHM_H
#define UM_TEST_STORE_FAKE_SHM_H

#include <stdbool.h>
#include <stdint.h>

extern uint64_t fake_shm_units;   /* that may still be committed */
extern bool fake_shm_refuses;     /* no object can be made */
extern bool fake_shm_is_cut;      /* no object is whole */
extern unsigned fake_shm_objects; /* that are there now */

#endif
