/* What else POSIX has that gives memory, or takes it back: that fails, too, where a process may have no more mappings. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "failing_malloc.h"

int um_fault_posix_memalign(void **piece, size_t alignment, size_t size);
void *um_fault_mmap(void *start, size_t size, int rights, int flags, int fd, off_t offset);
int um_fault_munmap(void *start, size_t size);
int um_fault_mprotect(void *start, size_t size, int rights);
int um_fault_madvise(void *start, size_t size, int advice);
#ifdef __linux__
void *um_fault_mremap(void *start, size_t old_size, size_t new_size, int flags);
#endif

int um_fault_posix_memalign(void **piece, size_t alignment, size_t size)
{
    int error = fault_is_due() ? ENOMEM : posix_memalign(piece, alignment, size);

    if (error == 0)
        fault_counted(*piece);
    return error;
}

void *um_fault_mmap(void *start, size_t size, int rights, int flags, int fd, off_t offset)
{
    if (fault_is_due()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return mmap(start, size, rights, flags, fd, offset);
}

static bool is_refused(void)
{
    if (!fault_is_due())
        return false;
    errno = ENOMEM;
    return true;
}

int um_fault_munmap(void *start, size_t size)
{
    return is_refused() ? -1 : munmap(start, size);
}

int um_fault_mprotect(void *start, size_t size, int rights)
{
    return is_refused() ? -1 : mprotect(start, size, rights);
}

int um_fault_madvise(void *start, size_t size, int advice)
{
    return is_refused() ? -1 : madvise(start, size, advice);
}

#ifdef __linux__
void *um_fault_mremap(void *start, size_t old_size, size_t new_size, int flags)
{
    return is_refused() ? MAP_FAILED : mremap(start, old_size, new_size, flags);
}
#endif
