#include "cli/system/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* What the thread runs. */
struct start {
    void (*run)(void *context);
    void *context;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *begin(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    start.run(start.context);
    return NULL;
}

bool cli_thread_start(void (*run)(void *context), void *context)
{
    struct start *start = malloc(sizeof *start);
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    bool is_started;

    if (start == NULL)
        return false;
    *start = (struct start){run, context};
    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    is_started = pthread_create(&thread, NULL, begin, start) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (is_started)
        pthread_detach(thread);
    else
        free(start);
    return is_started;
}

void cli_lock(void)
{
    pthread_mutex_lock(&mutex);
}

void cli_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}
