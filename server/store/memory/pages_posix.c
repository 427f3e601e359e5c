#include <sys/mman.h>

#include "store/memory/pages.h"

void *um_pages_new(size_t size)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED)
        return NULL;
#ifdef MADV_NOHUGEPAGE
    /* One record would keep 2 MiB. */
    (void)madvise(start, size, MADV_NOHUGEPAGE);
#endif
    return start;
}

void um_pages_free(void *start, size_t size)
{
    /* It fails where it would split a mapping and there are as many as there may be: then the memory goes, at least. */
    if (start != NULL && munmap(start, size) != 0)
        (void)madvise(start, size, MADV_DONTNEED);
}
