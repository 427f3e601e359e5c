#include <windows.h>

#include "store/memory/pages.h"

void *um_pages_new(size_t size)
{
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void um_pages_free(void *start, size_t size)
{
    (void)size;
    if (start != NULL)
        VirtualFree(start, 0, MEM_RELEASE);
}

/* A page that is decommitted cannot even be read, and whether it can be committed again is not certain. */
size_t um_pages_unit(void)
{
    return 0;
}

bool um_pages_drop(void *start, size_t size)
{
    (void)start;
    (void)size;
    return false;
}
