/* The socket's file and the lock's while the server runs: removed by a cleaner of /tmp, replaced by somebody else. The test's
 * directory has to be empty at the end of each, but for what is somebody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "world.h"

enum { CHECKS = 5 };

static const char *lock_of(const struct world *world)
{
    static char path[UM_ENDPOINT_ROOM + 8];

    snprintf(path, sizeof path, "%s.lock", world->path);
    return path;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A client's socket, which has connected in the system's eyes, or -1. */
static int connect_there(const struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, world->path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Somebody else's socket. */
static int bind_there(const struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, world->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void ping(struct world *world, int fd)
{
    static const char request[] = "{\"id\":1,\"method\":\"server.ping\"}\n";
    char answer[64] = "";

    assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
    while (recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT) < 0)
        world_turn(world);
    assert_string_equal(answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    close(fd);
}

static void a_removed_socket_is_made_anew(void **state)
{
    struct world *world = *state;
    struct stat facts;

    world_start(world);
    client_ping(client_open(world, 0, true));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(unlink(world->path), 0);
        if (i != 0)
            assert_int_equal(unlink(lock_of(world)), 0);
        um_server_check(world->server);
        assert_int_equal(stat(world->path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, 0600);
        assert_true(is_there(lock_of(world)));
        assert_int_equal(world->warnings, 1 + i);
        /* At once, and once the loop has come round. */
        ping(world, connect_there(world));
        client_ping(client_open(world, 1, true));
        client_close(&world->clients[1]);
        client_ping(&world->clients[0]);
    }
}

static void nothing_is_said_where_nothing_is_wrong(void **state)
{
    struct world *world = *state;
    struct stat before;
    struct stat after;

    world_start(world);
    assert_int_equal(lstat(world->path, &before), 0);
    um_server_check(world->server);
    assert_int_equal(lstat(world->path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(unlink(lock_of(world)), 0);
    um_server_check(world->server);
    assert_true(is_there(lock_of(world)));
    assert_int_equal(world->warnings, 0);
}

/* They have connected, so they are served, before the socket that they connected to is closed. */
static void clients_that_wait_are_served_first(void **state)
{
    struct world *world = *state;
    int waiting;

    world_start(world);
    waiting = connect_there(world);
    assert_true(waiting >= 0);
    assert_int_equal(unlink(world->path), 0);
    um_server_check(world->server);
    assert_false(is_there(world->path));
    ping(world, waiting);
    um_server_check(world->server);
    assert_true(is_there(world->path));
    ping(world, connect_there(world));
}

static void the_end_comes_while_it_is_made_anew(void **state)
{
    struct world *world = *state;

    world_start(world);
    client_ping(client_open(world, 0, true));
    assert_int_equal(unlink(world->path), 0);
    um_server_check(world->server);
    world_stop(world);
    assert_false(is_there(world->path));
    assert_false(is_there(lock_of(world)));
}

/* It is told once, served on, and left where it is. */
static void what_is_somebody_elses_stays(void **state)
{
    struct world *world = *state;
    int other;

    world_start(world);
    client_ping(client_open(world, 0, true));
    assert_int_equal(unlink(world->path), 0);
    other = bind_there(world);
    for (int i = 0; i < CHECKS; i++) {
        um_server_check(world->server);
        client_ping(&world->clients[0]);
    }
    assert_int_equal(world->warnings, 1);
    world_stop(world);
    assert_true(is_there(world->path));
    assert_false(is_there(lock_of(world)));
    close(other);
    assert_int_equal(unlink(world->path), 0);
}

static void the_lock_of_another_stays(void **state)
{
    struct world *world = *state;
    FILE *other;

    world_start(world);
    assert_int_equal(unlink(lock_of(world)), 0);
    other = fopen(lock_of(world), "w");
    assert_non_null(other);
    world_stop(world);
    assert_true(is_there(lock_of(world)));
    fclose(other);
    assert_int_equal(unlink(lock_of(world)), 0);
}

/* Whoever took the path over has ended without order: then it is free again. */
static void what_a_killed_successor_left_is_taken_back(void **state)
{
    struct world *world = *state;

    world_start(world);
    assert_int_equal(unlink(world->path), 0);
    assert_int_equal(unlink(lock_of(world)), 0);
    close(bind_there(world));
    um_server_check(world->server);
    assert_int_equal(world->warnings, 1);
    ping(world, connect_there(world));
}

/* As long as the directory is gone nothing can be done; when it is there again, the socket is. */
static void the_directory_is_gone_for_a_while(void **state)
{
    struct world *world = *state;

    world_start(world);
    client_ping(client_open(world, 0, true));
    assert_int_equal(unlink(world->path), 0);
    assert_int_equal(unlink(lock_of(world)), 0);
    assert_int_equal(rmdir(world->place), 0);
    for (int i = 0; i < CHECKS; i++)
        um_server_check(world->server);
    assert_int_equal(world->warnings, 1);
    client_ping(&world->clients[0]);
    assert_int_equal(mkdir(world->place, 0700), 0);
    um_server_check(world->server);
    assert_int_equal(world->warnings, 2);
    ping(world, connect_there(world));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_removed_socket_is_made_anew, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_said_where_nothing_is_wrong, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(clients_that_wait_are_served_first, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(the_end_comes_while_it_is_made_anew, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(what_is_somebody_elses_stays, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(the_lock_of_another_stays, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(what_a_killed_successor_left_is_taken_back, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(the_directory_is_gone_for_a_while, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests_name("socket_file", tests, NULL, NULL);
}
