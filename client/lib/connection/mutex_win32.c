#include "lib/connection/mutex.h"

#include <stdlib.h>
#include <windows.h>

#include "lib/connection/transport.h"

struct um_mutex {
    SRWLOCK lock;
};

struct um_condition {
    CONDITION_VARIABLE condition;
};

struct um_mutex *um_mutex_new(void)
{
    struct um_mutex *lock = malloc(sizeof *lock);

    if (lock != NULL)
        InitializeSRWLock(&lock->lock);
    return lock;
}

void um_mutex_free(struct um_mutex *lock)
{
    free(lock);
}

void um_mutex_lock(struct um_mutex *lock)
{
    AcquireSRWLockExclusive(&lock->lock);
}

void um_mutex_unlock(struct um_mutex *lock)
{
    ReleaseSRWLockExclusive(&lock->lock);
}

struct um_condition *um_condition_new(void)
{
    struct um_condition *condition = malloc(sizeof *condition);

    if (condition != NULL)
        InitializeConditionVariable(&condition->condition);
    return condition;
}

void um_condition_free(struct um_condition *condition)
{
    free(condition);
}

void um_condition_wait(struct um_condition *condition, struct um_mutex *lock, uint64_t deadline_ms)
{
    uint64_t now_ms = um_transport_now_ms();
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
    DWORD wait_ms = left_ms < INFINITE ? (DWORD)left_ms : INFINITE - 1;

    SleepConditionVariableSRW(&condition->condition, &lock->lock,
                              deadline_ms == UM_NO_DEADLINE ? INFINITE : wait_ms, 0);
}

void um_condition_signal(struct um_condition *condition)
{
    WakeConditionVariable(&condition->condition);
}
