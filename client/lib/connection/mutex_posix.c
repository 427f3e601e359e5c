#include "lib/connection/mutex.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/connection/transport.h"

struct um_mutex {
    pthread_mutex_t mutex;
};

struct um_condition {
    pthread_cond_t condition;
};

struct um_mutex *um_mutex_new(void)
{
    struct um_mutex *lock = malloc(sizeof *lock);

    if (lock != NULL && pthread_mutex_init(&lock->mutex, NULL) != 0) {
        free(lock);
        lock = NULL;
    }
    return lock;
}

void um_mutex_free(struct um_mutex *lock)
{
    if (lock == NULL)
        return;
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

void um_mutex_lock(struct um_mutex *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void um_mutex_unlock(struct um_mutex *lock)
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

struct um_condition *um_condition_new(void)
{
    struct um_condition *condition = malloc(sizeof *condition);
    pthread_condattr_t attributes;
    int error;

    if (condition == NULL || pthread_condattr_init(&attributes) != 0) {
        free(condition);
        return NULL;
    }
    error = use_clock(&attributes);
    if (error == 0)
        error = pthread_cond_init(&condition->condition, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error != 0) {
        free(condition);
        condition = NULL;
    }
    return condition;
}

void um_condition_free(struct um_condition *condition)
{
    if (condition == NULL)
        return;
    pthread_cond_destroy(&condition->condition);
    free(condition);
}

void um_condition_wait(struct um_condition *condition, struct um_mutex *lock, uint64_t deadline_ms)
{
    uint64_t now_ms = um_transport_now_ms();
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
    struct timespec until;

    if (deadline_ms == UM_NO_DEADLINE) {
        pthread_cond_wait(&condition->condition, &lock->mutex);
        return;
    }
    clock_gettime(signal_clock, &until);
    until.tv_sec += (time_t)(left_ms / 1000);
    until.tv_nsec += (long)(left_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&condition->condition, &lock->mutex, &until);
}

void um_condition_signal(struct um_condition *condition)
{
    pthread_cond_signal(&condition->condition);
}
