#include "world.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
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

/* In the other process: a socket belongs to whoever connected it. */
static int connect_all(const struct world *world, const int *sockets, unsigned count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strncpy(address.sun_path, world->path, sizeof address.sun_path - 1);
    for (unsigned i = 0; i < count; i++) {
        if (connect(sockets[i], (struct sockaddr *)&address, sizeof address) != 0)
            return 1;
    }
    return 0;
}

void world_connect_elsewhere(struct world *world, unsigned first, unsigned count)
{
    int sockets[WORLD_CLIENTS];
    int status = 1;
    pid_t child;

    assert_true(first + count <= WORLD_CLIENTS);
    for (unsigned i = 0; i < count; i++) {
        sockets[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_true(sockets[i] >= 0);
    }
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(connect_all(world, sockets, count));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (unsigned i = 0; i < count; i++)
        client_adopt(world, first + i, sockets[i]);
}
