#include "thread.h"

#include <pthread.h>
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
    pthread_t thread;

    if (start == NULL)
        return false;
    *start = (struct start){run, context};
    if (pthread_create(&thread, NULL, begin, start) != 0) {
        free(start);
        return false;
    }
    pthread_detach(thread);
    return true;
}

void cli_lock(void)
{
    pthread_mutex_lock(&mutex);
}

void cli_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}
