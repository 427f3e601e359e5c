#include "server_fixture.h"

#include <stdint.h>
#include <stdio.h>

#include <windows.h>

/* Process ids repeat under Wine, so a random part is in the name. */
void fixture_make_directory(struct fixture *fixture)
{
    static unsigned count;
    uint32_t random = 0;

    uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    snprintf(fixture->path, sizeof fixture->path, "\\\\.\\pipe\\umem-loop-%lx-%x-%u", (unsigned long)random,
             (unsigned)uv_os_getpid(), count++);
}

void fixture_remove_directory(struct fixture *fixture)
{
    (void)fixture;
}

size_t fixture_unread_bytes(const struct wire_client *client)
{
    uv_os_fd_t pipe;
    DWORD size = 0;

    if (uv_fileno((const uv_handle_t *)&client->pipe, &pipe) != 0 ||
        !PeekNamedPipe(pipe, NULL, 0, NULL, &size, NULL))
        return 0;
    return size;
}
