#include "net/listener/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int bind_privately(int fd, const struct sockaddr_un *address)
{
    mode_t mask = umask(0177);
    int result = bind(fd, (const struct sockaddr *)address, sizeof *address);

    umask(mask);
    return result;
}

int um_socket_file_describe(const char *path, struct um_socket_file *file)
{
    struct stat facts;

    if (lstat(path, &facts) != 0)
        return -1;
    snprintf(file->path, sizeof file->path, "%s", path);
    file->device = facts.st_dev;
    file->number = facts.st_ino;
    return 0;
}

bool um_socket_file_set_access(const char *path, const struct um_principal *allowed)
{
    if (!allowed->is_set)
        return chmod(path, 0600) == 0;
    return lchown(path, (uid_t)-1, (gid_t)allowed->number) == 0 && chmod(path, 0660) == 0;
}

void um_socket_file_explain(const char *path, const struct um_principal *allowed, int error, char *why,
                            size_t capacity)
{
    if (error == EPERM && allowed->is_set)
        snprintf(
            why, capacity,
            "%s cannot be given to the group %s, of which this user is no member; add the user to the group "
            "and log in anew, or name a group of the user's for --allow-group",
            path, allowed->name);
    else
        snprintf(why, capacity, "%s cannot be opened: %s", path, strerror(error));
}

int um_socket_file_create(const char *path, const struct um_principal *allowed, int backlog,
                          struct um_socket_file *file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int error;

    if (fd < 0)
        return -1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (bind_privately(fd, &address) != 0) {
        error = errno;
    } else if (um_socket_file_describe(path, file) != 0) {
        error = errno;
        unlink(path);
    } else if (!um_socket_file_set_access(path, allowed) || listen(fd, backlog) != 0) {
        error = errno;
        um_socket_file_remove(file);
    } else {
        return fd;
    }
    close(fd);
    errno = error;
    return -1;
}

enum um_socket_file_state um_socket_file_state_of(const struct um_socket_file *file)
{
    struct um_socket_file found;

    if (um_socket_file_describe(file->path, &found) != 0)
        return errno == ENOENT || errno == ENOTDIR ? UM_SOCKET_FILE_MISSING : UM_SOCKET_FILE_PRESENT;
    return found.device == file->device && found.number == file->number ? UM_SOCKET_FILE_PRESENT
                                                                        : UM_SOCKET_FILE_OTHER;
}

void um_socket_file_remove(const struct um_socket_file *file)
{
    if (um_socket_file_state_of(file) == UM_SOCKET_FILE_PRESENT)
        unlink(file->path);
}
