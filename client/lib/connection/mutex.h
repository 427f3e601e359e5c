/*
 * A lock, and signals to wait for while it is left: what lets threads share one client.
 *
 * Owns: the system's objects for these. Must not know: what they guard.
 *
 * mutex_posix.c and mutex_win32.c keep this contract.
 */
#ifndef UM_LOCK_H
#define UM_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct um_mutex;
struct um_condition;

/* NULL: there is no memory. */
struct um_mutex *um_mutex_new(void);

/* NULL is fine. No thread may hold it. */
void um_mutex_free(struct um_mutex *lock);

void um_mutex_lock(struct um_mutex *lock);
void um_mutex_unlock(struct um_mutex *lock);

/* NULL: there is no memory. */
struct um_condition *um_condition_new(void);

/* NULL is fine. No thread may wait for it. */
void um_condition_free(struct um_condition *condition);

/* Leaves the lock, waits until the condition is signalled or the deadline (of um_transport_now_ms()'s clock; UM_NO_DEADLINE: none) has
 * come, and enters the lock again. May return earlier without cause: the caller looks again at what it waits for. */
void um_condition_wait(struct um_condition *condition, struct um_mutex *lock, uint64_t deadline_ms);

/* Wakes the thread that waits. The caller is in the lock. */
void um_condition_signal(struct um_condition *condition);

#endif
