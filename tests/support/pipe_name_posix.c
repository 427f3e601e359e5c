#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_process.h"

void pipe_name_make(char *name, size_t size)
{
    char folder[] = "/tmp/umem-test-XXXXXX";

    if (mkdtemp(folder) == NULL)
        abort();
    snprintf(name, size, "%s/pipe", folder);
}

void pipe_name_remove(const char *name)
{
    char path[256];
    char *slash;

    snprintf(path, sizeof path, "%s.lock", name);
    unlink(path);
    unlink(name);
    snprintf(path, sizeof path, "%s", name);
    slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
        rmdir(path);
    }
}

void pipe_may_break(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}
