#include "unix_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        abort();
    strcpy(address.sun_path, path);
    return address;
}

/* Returns the socket where what was done with it succeeded. */
static int or_close(int fd, int result)
{
    int code = errno;

    if (fd < 0 || result == 0)
        return fd;
    close(fd);
    errno = code;
    return -1;
}

int unix_connect(const char *path, int type)
{
    const struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, type, 0);

    return or_close(fd, connect(fd, (const struct sockaddr *)&address, sizeof address));
}

int unix_bind(const char *path, int type)
{
    const struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, type, 0);

    return or_close(fd, bind(fd, (const struct sockaddr *)&address, sizeof address));
}
