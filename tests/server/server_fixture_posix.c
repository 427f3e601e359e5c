#include "server_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "unix_socket.h"

void fixture_make_directory(struct fixture *fixture)
{
    /* As server.h requires of the process. */
    signal(SIGPIPE, SIG_IGN);
    strcpy(fixture->place, "/tmp/umem-loop-XXXXXX");
    assert_non_null(mkdtemp(fixture->place));
    snprintf(fixture->path, sizeof fixture->path, "%s/umemd.sock", fixture->place);
}

void fixture_remove_directory(struct fixture *fixture)
{
    /* Fails where the server has left something behind. */
    assert_int_equal(rmdir(fixture->place), 0);
}

size_t fixture_unread_bytes(const struct wire_client *client)
{
    uv_os_fd_t descriptor;
    int size = 0;

    if (uv_fileno((const uv_handle_t *)&client->pipe, &descriptor) != 0 ||
        ioctl(descriptor, FIONREAD, &size) != 0)
        return 0;
    return (size_t)size;
}

/* In the other process: a socket belongs to the process that connected it. */
static int connect_all(const struct fixture *fixture, const int *sockets, unsigned count)
{
    const struct sockaddr_un address = unix_address(fixture->path);

    for (unsigned i = 0; i < count; i++) {
        if (connect(sockets[i], (const struct sockaddr *)&address, sizeof address) != 0)
            return 1;
    }
    return 0;
}

void fixture_connect_from_child(struct fixture *fixture, unsigned first, unsigned count)
{
    int sockets[FIXTURE_CLIENTS];
    int status = 1;
    pid_t child;

    assert_true(first + count <= FIXTURE_CLIENTS);
    for (unsigned i = 0; i < count; i++) {
        sockets[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_true(sockets[i] >= 0);
    }
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(connect_all(fixture, sockets, count));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (unsigned i = 0; i < count; i++)
        client_adopt(fixture, first + i, sockets[i]);
}
