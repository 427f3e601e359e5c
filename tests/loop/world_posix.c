#include "world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

void world_make_place(struct world *world)
{
    /* As server.h asks of the process. */
    signal(SIGPIPE, SIG_IGN);
    strcpy(world->place, "/tmp/umem-loop-XXXXXX");
    assert_non_null(mkdtemp(world->place));
    snprintf(world->path, sizeof world->path, "%s/umemd.sock", world->place);
}

void world_remove_place(struct world *world)
{
    /* Fails where the server has left something behind. */
    assert_int_equal(rmdir(world->place), 0);
}

size_t world_waiting_bytes(const struct client *client)
{
    uv_os_fd_t descriptor;
    int size = 0;

    if (uv_fileno((const uv_handle_t *)&client->pipe, &descriptor) != 0 ||
        ioctl(descriptor, FIONREAD, &size) != 0)
        return 0;
    return (size_t)size;
}
