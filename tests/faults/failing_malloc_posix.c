/* What else POSIX has that gives memory. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "failing_malloc.h"

int um_fault_posix_memalign(void **piece, size_t alignment, size_t size);
void *um_fault_mmap(void *start, size_t size, int rights, int flags, int fd, off_t offset);

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
