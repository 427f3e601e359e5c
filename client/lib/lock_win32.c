#include "lock.h"

#include <stdlib.h>
#include <windows.h>

#include "transport.h"

struct um_lock {
    SRWLOCK lock;
};

struct um_signal {
    CONDITION_VARIABLE condition;
};

struct um_lock *um_lock_new(void)
{
    struct um_lock *lock = malloc(sizeof *lock);

    if (lock != NULL)
        InitializeSRWLock(&lock->lock);
    return lock;
}

void um_lock_free(struct um_lock *lock)
{
    free(lock);
}

void um_lock_enter(struct um_lock *lock)
{
    AcquireSRWLockExclusive(&lock->lock);
}

void um_lock_leave(struct um_lock *lock)
{
    ReleaseSRWLockExclusive(&lock->lock);
}

struct um_signal *um_signal_new(void)
{
    struct um_signal *signal = malloc(sizeof *signal);

    if (signal != NULL)
        InitializeConditionVariable(&signal->condition);
    return signal;
}

void um_signal_free(struct um_signal *signal)
{
    free(signal);
}

void um_signal_wait(struct um_signal *signal, struct um_lock *lock, uint64_t deadline_ms)
{
    uint64_t now_ms = um_transport_now_ms();
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
    DWORD wait_ms = left_ms < INFINITE ? (DWORD)left_ms : INFINITE - 1;

    SleepConditionVariableSRW(&signal->condition, &lock->lock,
                              deadline_ms == UM_NO_DEADLINE ? INFINITE : wait_ms, 0);
}

void um_signal_raise(struct um_signal *signal)
{
    WakeConditionVariable(&signal->condition);
}
