#include "world.h"

#include <stdint.h>
#include <stdio.h>

#include <windows.h>

/* Process ids repeat under Wine, so a random part is in the name. */
void world_make_place(struct world *world)
{
    static unsigned count;
    uint32_t random = 0;

    uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    snprintf(world->path, sizeof world->path, "\\\\.\\pipe\\umem-loop-%lx-%x-%u", (unsigned long)random,
             (unsigned)uv_os_getpid(), count++);
}

void world_remove_place(struct world *world)
{
    (void)world;
}

size_t world_waiting_bytes(const struct client *client)
{
    uv_os_fd_t pipe;
    DWORD size = 0;

    if (uv_fileno((const uv_handle_t *)&client->pipe, &pipe) != 0 ||
        !PeekNamedPipe(pipe, NULL, 0, NULL, &size, NULL))
        return 0;
    return size;
}
