/*
 * A lock, and signals to wait for while it is left: what lets threads share one client.
 *
 * Owns: the system's objects for these. Must not know: what they guard.
 *
 * lock_posix.c and lock_win32.c keep this contract.
 */
#ifndef UM_LOCK_H
#define UM_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct um_lock;
struct um_signal;

/* NULL: there is no memory. */
struct um_lock *um_lock_new(void);

/* NULL is fine. Nobody may be in it. */
void um_lock_free(struct um_lock *lock);

void um_lock_enter(struct um_lock *lock);
void um_lock_leave(struct um_lock *lock);

/* NULL: there is no memory. */
struct um_signal *um_signal_new(void);

/* NULL is fine. Nobody may wait for it. */
void um_signal_free(struct um_signal *signal);

/* Leaves the lock, waits until the signal is raised or the deadline (of um_transport_now_ms()'s clock; UM_NO_DEADLINE: none) has
 * come, and enters the lock again. May return earlier without cause: the caller looks again at what it waits for. */
void um_signal_wait(struct um_signal *signal, struct um_lock *lock, uint64_t deadline_ms);

/* Wakes the thread that waits. The caller is in the lock. */
void um_signal_raise(struct um_signal *signal);

#endif
