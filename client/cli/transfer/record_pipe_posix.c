#include "cli/transfer/record_pipe.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/files.h"

enum { FOLDER_MAXIMUM = 70 };

static const char socket_name[] = "/umemd.sock";

/* A folder that nobody else may enter: whoever gets to the socket is this user, or root. */
int cli_record_pipe_name(char path[CLI_RECORD_PIPE_SIZE])
{
    char folder[CLI_RECORD_PIPE_SIZE - 64];
    size_t size = sizeof folder;
    int error = uv_os_tmpdir(folder, &size);

    if (error != 0)
        return error;
    /* A socket's path has little space, and libuv cuts one that is too long. */
    if (strlen(folder) > FOLDER_MAXIMUM)
        snprintf(folder, sizeof folder, "/tmp");
    snprintf(path, CLI_RECORD_PIPE_SIZE, "%s/umem-record-XXXXXX", folder);
    if (mkdtemp(path) == NULL)
        return UV_EACCES;
    strcat(path, socket_name);
    return 0;
}

bool cli_record_pipe_is_own(const uv_pipe_t *client)
{
    (void)client;
    return true;
}

bool cli_record_pipe_is_gone(const uv_pipe_t *client)
{
    struct pollfd look = {.events = 0};
    uv_os_fd_t file;

    if (uv_fileno((const uv_handle_t *)client, &file) != 0)
        return true;
    look.fd = file;
    return poll(&look, 1, 0) == 1 && (look.revents & (POLLHUP | POLLERR)) != 0;
}

void cli_record_pipe_remove(const char *path)
{
    char folder[CLI_RECORD_PIPE_SIZE];

    um_file_unlink(path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen(socket_name)), path);
    rmdir(folder);
}
