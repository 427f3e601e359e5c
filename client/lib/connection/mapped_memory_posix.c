#include "lib/connection/mapped_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/connection/descriptor.h"
#include "umem_errors.h"

static int fail(int code, const char *name, struct um_reason *reason)
{
    snprintf(reason->text, sizeof reason->text, "the shared memory %.200s cannot be mapped: %.200s", name,
             strerror(errno));
    return code;
}

/* Maps `length` bytes within a reservation that is larger by the alignment. NULL: there is no address space for it. */
static unsigned char *map(int fd, size_t length)
{
    size_t capacity = length + UM_SEGMENT_ALIGNMENT;
    unsigned char *reserved = mmap(NULL, capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (reserved == MAP_FAILED)
        return NULL;
    before = (UM_SEGMENT_ALIGNMENT - (uintptr_t)reserved % UM_SEGMENT_ALIGNMENT) % UM_SEGMENT_ALIGNMENT;
    if (mmap(reserved + before, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
        MAP_FAILED) {
        munmap(reserved, capacity);
        return NULL;
    }
    if (before > 0)
        munmap(reserved, before);
    munmap(reserved + before + length, UM_SEGMENT_ALIGNMENT - before);
    return reserved + before;
}

/* A durable heap's name is the path of its file. */
static int open_object(const char *name)
{
    if (name[0] == '/' && strchr(name + 1, '/') != NULL)
        return open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return shm_open(name, O_RDWR, 0);
}

int um_mapped_memory_open(const char *name, unsigned char **start, size_t *length, struct um_reason *reason)
{
    int fd = um_descriptor_move_up(open_object(name));
    unsigned char *mapped = NULL;
    struct stat facts;
    int code = UMEM_OK;

    if (fd < 0)
        return fail(errno == EMFILE || errno == ENFILE ? UMEM_E_OUT_OF_MEMORY : UMEM_E_UNSUPPORTED, name,
                    reason);
    if (fstat(fd, &facts) == 0) {
        errno = ENOMEM;
        if (facts.st_size > 0 && (uintmax_t)facts.st_size < PTRDIFF_MAX / 2)
            mapped = map(fd, (size_t)facts.st_size);
    }
    if (mapped == NULL) {
        code = fail(UMEM_E_OUT_OF_MEMORY, name, reason);
    } else {
        *start = mapped;
        *length = (size_t)facts.st_size;
    }
    close(fd);
    return code;
}

void um_mapped_memory_close(unsigned char *start, size_t length)
{
    munmap(start, length);
}
