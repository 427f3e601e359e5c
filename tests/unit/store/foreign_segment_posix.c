#include "foreign_segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int segment_open(struct segment *segment, const char *name, size_t length)
{
    int fd = shm_open(name, O_RDWR, 0);
    void *bytes;

    if (fd < 0)
        return -1;
    bytes = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return -1;
    *segment = (struct segment){.bytes = bytes, .length = length};
    return 0;
}

void segment_close(struct segment *segment)
{
    munmap(segment->bytes, segment->length);
}
