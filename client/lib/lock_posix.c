#include "lock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "transport.h"

struct um_lock {
    pthread_mutex_t mutex;
};

struct um_signal {
    pthread_cond_t condition;
};

struct um_lock *um_lock_new(void)
{
    struct um_lock *lock = malloc(sizeof *lock);

    if (lock != NULL && pthread_mutex_init(&lock->mutex, NULL) != 0) {
        free(lock);
        lock = NULL;
    }
    return lock;
}

void um_lock_free(struct um_lock *lock)
{
    if (lock == NULL)
        return;
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

void um_lock_enter(struct um_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void um_lock_leave(struct um_lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

/* macOS has no other clock for this than the one that people set. */
#ifdef __APPLE__
static const clockid_t signal_clock = CLOCK_REALTIME;

static int use_clock(pthread_condattr_t *attributes)
{
    (void)attributes;
    return 0;
}
#else
static const clockid_t signal_clock = CLOCK_MONOTONIC;

static int use_clock(pthread_condattr_t *attributes)
{
    return pthread_condattr_setclock(attributes, signal_clock);
}
#endif

struct um_signal *um_signal_new(void)
{
    struct um_signal *signal = malloc(sizeof *signal);
    pthread_condattr_t attributes;
    int error;

    if (signal == NULL || pthread_condattr_init(&attributes) != 0) {
        free(signal);
        return NULL;
    }
    error = use_clock(&attributes);
    if (error == 0)
        error = pthread_cond_init(&signal->condition, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error != 0) {
        free(signal);
        signal = NULL;
    }
    return signal;
}

void um_signal_free(struct um_signal *signal)
{
    if (signal == NULL)
        return;
    pthread_cond_destroy(&signal->condition);
    free(signal);
}

void um_signal_wait(struct um_signal *signal, struct um_lock *lock, uint64_t deadline_ms)
{
    uint64_t now_ms = um_transport_now_ms();
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
    struct timespec until;

    if (deadline_ms == UM_NO_DEADLINE) {
        pthread_cond_wait(&signal->condition, &lock->mutex);
        return;
    }
    clock_gettime(signal_clock, &until);
    until.tv_sec += (time_t)(left_ms / 1000);
    until.tv_nsec += (long)(left_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&signal->condition, &lock->mutex, &until);
}

void um_signal_raise(struct um_signal *signal)
{
    pthread_cond_signal(&signal->condition);
}
