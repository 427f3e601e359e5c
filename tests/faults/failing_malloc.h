/*
 * Allocations that fail when a test wants them to: what the code under test is compiled to call in the place of malloc
 * and its kin (see CMakeLists.txt).
 *
 * Owns: the count of allocations, and of what is allocated and not yet freed. Must not know: what is tested. One thread
 * at a time.
 */
#ifndef FAULT_ALLOCATE_H
#define FAULT_ALLOCATE_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the nth allocation (1: the next one) fails; with `and_all_after` also those behind it, as where memory has
 * run out and stays so. Those before it succeed. */
void fault_arm(unsigned long nth, bool and_all_after);

/* From now on all succeed. Returns how many have failed since fault_arm(): 0 where there were not so many. */
unsigned long fault_disarm(void);

/* In between, none fails and none is counted. */
void fault_pause(void);
void fault_go_on(void);

/* Counts one allocation, of whatever kind. Returns whether it is to fail. */
bool fault_is_due(void);

/* Counts memory that was allocated otherwise than by the calls below and is freed by um_fault_free(). Returns it. */
void *fault_counted(void *piece);

/* How many pieces of memory are allocated and not freed. */
long fault_live(void);

/* What the code under test calls. */
void *um_fault_malloc(size_t size);
void *um_fault_calloc(size_t count, size_t size);
void *um_fault_realloc(void *piece, size_t size);
void um_fault_free(void *piece);

#endif
