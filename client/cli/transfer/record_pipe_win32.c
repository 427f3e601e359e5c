#include "cli/transfer/record_pipe.h"

#include <stdio.h>
#include <stdlib.h>

#include <windows.h>

/* By default a pipe can be written by its user, administrators and the system only. */
int cli_record_pipe_name(char path[CLI_RECORD_PIPE_SIZE])
{
    unsigned long long random[2];
    int error = uv_random(NULL, NULL, random, sizeof random, 0, NULL);

    if (error == 0)
        snprintf(path, CLI_RECORD_PIPE_SIZE, "\\\\.\\pipe\\umem-record-%016llx%016llx", random[0], random[1]);
    return error;
}

/* The user of a process, to be freed. NULL: it is not told. */
static TOKEN_USER *user_of(HANDLE process)
{
    TOKEN_USER *user = NULL;
    HANDLE token;
    DWORD size = 0;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return NULL;
    GetTokenInformation(token, TokenUser, NULL, 0, &size);
    if (size != 0)
        user = malloc(size);
    if (user != NULL && !GetTokenInformation(token, TokenUser, user, size, &size)) {
        free(user);
        user = NULL;
    }
    CloseHandle(token);
    return user;
}

bool cli_record_pipe_is_own(const uv_pipe_t *client)
{
    TOKEN_USER *own = user_of(GetCurrentProcess());
    TOKEN_USER *other = NULL;
    HANDLE process = NULL;
    uv_os_fd_t handle;
    ULONG pid;
    bool is_own;

    if (uv_fileno((const uv_handle_t *)client, &handle) == 0 && GetNamedPipeClientProcessId(handle, &pid))
        process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process != NULL)
        other = user_of(process);
    is_own = own != NULL && other != NULL && EqualSid(own->User.Sid, other->User.Sid);
    if (process != NULL)
        CloseHandle(process);
    free(other);
    free(own);
    return is_own;
}

bool cli_record_pipe_is_gone(const uv_pipe_t *client)
{
    (void)client;
    return true;
}

void cli_record_pipe_remove(const char *path)
{
    (void)path;
}
