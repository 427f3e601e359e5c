#include <stdio.h>
#include <stdlib.h>

#include "test_process.h"

/* Process ids repeat from run to run, so that the name has a random part too. */
void pipe_name_make(char *name, size_t size)
{
    unsigned long long random;
    static unsigned count;

    if (uv_random(NULL, NULL, &random, sizeof random, 0, NULL) != 0)
        abort();
    snprintf(name, size, "\\\\.\\pipe\\umem-test-%d-%u-%llx", (int)uv_os_getpid(), ++count, random);
}

void pipe_name_remove(const char *name)
{
    (void)name;
}

void pipe_may_break(void)
{
}
