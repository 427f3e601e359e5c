#include "lib/connection/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int um_descriptor_move_up(int fd)
{
    int moved;
    int error;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    error = errno;
    close(fd);
    errno = error;
    return moved;
}
