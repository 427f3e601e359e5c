/* What only POSIX systems have: socket files, what is left of them, and other users. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server_fixture.h"
#include "umem_errors.h"
#include "unix_socket.h"

/* In a process of its own: becomes another user, connects, and reads the server's answer. Does not return. */
static void connect_as_another_user(const struct fixture *fixture)
{
    char line[512] = "";
    ssize_t size;
    int fd;

    if (setgid(1) != 0 || setuid(1) != 0)
        _exit(2);
    fd = unix_connect(fixture->path, SOCK_STREAM);
    if (fd < 0)
        _exit(2);
    size = read(fd, line, sizeof line - 1);
    _exit(size > 0 && strstr(line, "\"denied\"") != NULL && read(fd, line, sizeof line) == 0 ? 0 : 3);
}

static void other_users_are_refused(void **state)
{
    struct fixture *fixture = *state;
    pid_t child;
    int status = 0;

    if (geteuid() != 0)
        skip(); /* only root can become another user */
    fixture_start_server(fixture);
    /* Opens the permissions that keep other users out, so that only the check of the peer's user is left. */
    assert_int_equal(chmod(fixture->place, 0755), 0);
    assert_int_equal(chmod(fixture->path, 0666), 0);
    child = fork();
    if (child == 0)
        connect_as_another_user(fixture);
    while (waitpid(child, &status, WNOHANG) == 0)
        fixture_run_once(fixture);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(fixture->warnings, 1);
    client_ping(client_open(fixture, 0, true));
}

static void socket_is_private(void **state)
{
    struct fixture *fixture = *state;
    struct stat facts;
    mode_t mask = umask(0);

    fixture_start_server(fixture);
    assert_int_equal(umask(mask), 0);
    assert_int_equal(lstat(fixture->path, &facts), 0);
    assert_true(S_ISSOCK(facts.st_mode));
    assert_int_equal(facts.st_mode & 0777, 0600);
    fixture_stop_server(fixture);
    assert_int_not_equal(lstat(fixture->path, &facts), 0);
}

/* A socket bound at the path. Returns its descriptor. */
static int bind_there(const struct fixture *fixture)
{
    int fd = unix_bind(fixture->path, SOCK_STREAM);

    assert_true(fd >= 0);
    return fd;
}

static void stale_socket_is_taken_over(void **state)
{
    struct fixture *fixture = *state;

    close(bind_there(fixture));
    assert_int_equal(access(fixture->path, F_OK), 0);
    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
}

static void assert_not_started(struct fixture *fixture, const char *reason)
{
    struct um_server_options options = {
        .pipe = fixture->path, .limits = &fixture->limits, .version = "1.2.3"};
    struct um_server *server = NULL;
    char why[UM_SERVER_WHY_CAPACITY] = "";

    assert_int_not_equal(um_server_start(&fixture->loop, &options, &server, why), UMEM_OK);
    assert_null(server);
    if (strstr(why, reason) == NULL)
        fail_msg("%s", why);
    assert_int_equal(access(fixture->path, F_OK), 0);
}

static void a_socket_in_use_stays(void **state)
{
    struct fixture *fixture = *state;
    int fd = bind_there(fixture);

    assert_int_equal(listen(fd, 1), 0);
    assert_not_started(fixture, "another program listens");
    close(fd);
    assert_int_equal(unlink(fixture->path), 0);
}

static void what_is_no_socket_stays(void **state)
{
    struct fixture *fixture = *state;
    FILE *file = fopen(fixture->path, "w");

    assert_non_null(file);
    fclose(file);
    assert_not_started(fixture, "no socket");
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(symlink("/nowhere", fixture->path), 0);
    {
        struct um_server_options options = {
            .pipe = fixture->path, .limits = &fixture->limits, .version = "1.2.3"};
        struct um_server *server = NULL;
        char why[UM_SERVER_WHY_CAPACITY];

        assert_int_equal(um_server_start(&fixture->loop, &options, &server, why), UMEM_E_DENIED);
    }
    assert_int_equal(unlink(fixture->path), 0);
}

static void directory_that_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    struct um_server_options options = {
        .pipe = "/nowhere/at/all/x.sock", .limits = &fixture->limits, .version = "1.2.3"};
    struct um_server *server = NULL;
    char why[UM_SERVER_WHY_CAPACITY] = "";

    assert_int_equal(um_server_start(&fixture->loop, &options, &server, why), UMEM_E_DENIED);
    assert_non_null(strstr(why, "/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(other_users_are_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(socket_is_private, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stale_socket_is_taken_over, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_socket_in_use_stays, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_socket_stays, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(directory_that_is_not_there, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
