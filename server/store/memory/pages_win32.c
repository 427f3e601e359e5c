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
