#include "cli/system/worker.h"

#include <stdlib.h>
#include <windows.h>

/* What the thread runs. */
struct start {
    void (*run)(void *context);
    void *context;
};

static SRWLOCK mutex = SRWLOCK_INIT;

static DWORD WINAPI begin(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    start.run(start.context);
    return 0;
}

bool cli_thread_start(void (*run)(void *context), void *context)
{
    struct start *start = malloc(sizeof *start);
    HANDLE thread;

    if (start == NULL)
        return false;
    *start = (struct start){run, context};
    thread = CreateThread(NULL, 0, begin, start, 0, NULL);
    if (thread == NULL) {
        free(start);
        return false;
    }
    CloseHandle(thread);
    return true;
}

void cli_lock(void)
{
    AcquireSRWLockExclusive(&mutex);
}

void cli_unlock(void)
{
    ReleaseSRWLockExclusive(&mutex);
}
