/* The socket's file and the lock's while the server runs: removed by a cleaner of /tmp, replaced by another program.
 * The test's directory has to be empty at the end of each test, but for files of other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server_fixture.h"
#include "unix_socket.h"

enum { CHECKS = 5 };

static const char *lock_of(const struct fixture *fixture)
{
    static char path[UM_ENDPOINT_CAPACITY + 8];

    snprintf(path, sizeof path, "%s.lock", fixture->path);
    return path;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* A client's socket, which has connected in the system's eyes, or -1. */
static int connect_there(const struct fixture *fixture)
{
    return unix_connect(fixture->path, SOCK_STREAM);
}

/* The socket of another program. */
static int bind_there(const struct fixture *fixture)
{
    int fd = unix_bind(fixture->path, SOCK_STREAM);

    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void ping(struct fixture *fixture, int fd)
{
    static const char request[] = "{\"id\":1,\"method\":\"server.ping\"}\n";
    char answer[64] = "";

    assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
    while (recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT) < 0)
        fixture_run_once(fixture);
    assert_string_equal(answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    close(fd);
}

static void a_removed_socket_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    struct stat facts;

    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(unlink(fixture->path), 0);
        if (i != 0)
            assert_int_equal(unlink(lock_of(fixture)), 0);
        um_server_check(fixture->server);
        assert_int_equal(stat(fixture->path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, 0600);
        assert_true(is_there(lock_of(fixture)));
        assert_int_equal(fixture->warnings, 1 + i);
        /* At once, and once the loop has come round. */
        ping(fixture, connect_there(fixture));
        client_ping(client_open(fixture, 1, true));
        wire_close(&fixture->clients[1]);
        client_ping(&fixture->clients[0]);
    }
}

static void nothing_is_said_where_nothing_is_wrong(void **state)
{
    struct fixture *fixture = *state;
    struct stat before;
    struct stat after;

    fixture_start_server(fixture);
    assert_int_equal(lstat(fixture->path, &before), 0);
    um_server_check(fixture->server);
    assert_int_equal(lstat(fixture->path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(unlink(lock_of(fixture)), 0);
    um_server_check(fixture->server);
    assert_true(is_there(lock_of(fixture)));
    assert_int_equal(fixture->warnings, 0);
}

/* They have connected, so they are served, before the socket that they connected to is closed. */
static void clients_that_wait_are_served_first(void **state)
{
    struct fixture *fixture = *state;
    int waiting;

    fixture_start_server(fixture);
    waiting = connect_there(fixture);
    assert_true(waiting >= 0);
    assert_int_equal(unlink(fixture->path), 0);
    um_server_check(fixture->server);
    assert_false(is_there(fixture->path));
    ping(fixture, waiting);
    um_server_check(fixture->server);
    assert_true(is_there(fixture->path));
    ping(fixture, connect_there(fixture));
}

static void the_end_comes_while_it_is_made_anew(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    assert_int_equal(unlink(fixture->path), 0);
    um_server_check(fixture->server);
    fixture_stop_server(fixture);
    assert_false(is_there(fixture->path));
    assert_false(is_there(lock_of(fixture)));
}

/* It is reported once, the server continues, and the file stays. */
static void a_foreign_file_stays(void **state)
{
    struct fixture *fixture = *state;
    int other;

    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    assert_int_equal(unlink(fixture->path), 0);
    other = bind_there(fixture);
    for (int i = 0; i < CHECKS; i++) {
        um_server_check(fixture->server);
        client_ping(&fixture->clients[0]);
    }
    assert_int_equal(fixture->warnings, 1);
    fixture_stop_server(fixture);
    assert_true(is_there(fixture->path));
    assert_false(is_there(lock_of(fixture)));
    close(other);
    assert_int_equal(unlink(fixture->path), 0);
}

static void the_lock_of_another_stays(void **state)
{
    struct fixture *fixture = *state;
    FILE *other;

    fixture_start_server(fixture);
    assert_int_equal(unlink(lock_of(fixture)), 0);
    other = fopen(lock_of(fixture), "w");
    assert_non_null(other);
    fixture_stop_server(fixture);
    assert_true(is_there(lock_of(fixture)));
    fclose(other);
    assert_int_equal(unlink(lock_of(fixture)), 0);
}

/* A daemon that took the path over was killed: then the path is free again. */
static void what_a_killed_successor_left_is_taken_back(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(unlink(lock_of(fixture)), 0);
    close(bind_there(fixture));
    um_server_check(fixture->server);
    assert_int_equal(fixture->warnings, 1);
    ping(fixture, connect_there(fixture));
}

/* Without the directory the socket cannot be made; when the directory exists again, the socket does. */
static void the_directory_is_missing_for_a_while(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(unlink(lock_of(fixture)), 0);
    assert_int_equal(rmdir(fixture->place), 0);
    for (int i = 0; i < CHECKS; i++)
        um_server_check(fixture->server);
    assert_int_equal(fixture->warnings, 1);
    client_ping(&fixture->clients[0]);
    assert_int_equal(mkdir(fixture->place, 0700), 0);
    um_server_check(fixture->server);
    assert_int_equal(fixture->warnings, 2);
    ping(fixture, connect_there(fixture));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_removed_socket_is_made_anew, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_said_where_nothing_is_wrong, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(clients_that_wait_are_served_first, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_end_comes_while_it_is_made_anew, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_foreign_file_stays, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_lock_of_another_stays, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_a_killed_successor_left_is_taken_back, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_directory_is_missing_for_a_while, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests_name("socket_file", tests, NULL, NULL);
}
