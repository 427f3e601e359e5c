/* There is no such layer on Windows: survive is not started so. */
#include "power_failure.h"

#include <stdlib.h>

void power_failure(const char *directory, const char *shadow, uint64_t *chance)
{
    (void)directory;
    (void)shadow;
    (void)chance;
    abort();
}

void power_failure_remove(const char *directory)
{
    (void)directory;
}
