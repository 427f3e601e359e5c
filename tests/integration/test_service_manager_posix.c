/* umemd under a service manager of systemd's kind, whose part the test plays: it is notified of the beginning and the
 * end, and passes the pipe's socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#include "daemon_fixture.h"
#include "unix_socket.h"
#include "visitors.h"

enum { HANDED_FROM = 7 }; /* a shell's redirection takes one digit */

static struct daemon umemd;

/* ---- notifications ---- */

/* A name with an at sign is in no file system. */
static int listen_for_notifications(const char *name)
{
    const struct timeval patience = {.tv_sec = 60};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    memcpy(address.sun_path, name, strlen(name));
    if (*name == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void expect_notification(int fd, const char *text)
{
    char notification[1024];
    ssize_t size = recv(fd, notification, sizeof notification - 1, 0);

    assert_true(size > 0);
    notification[size] = '\0';
    if (strstr(notification, text) == NULL)
        print_error("expected %s, not %s\n", text, notification);
    assert_non_null(strstr(notification, text));
}

static void expect_no_notification(int fd)
{
    char notification[16];

    assert_int_equal(recv(fd, notification, sizeof notification, MSG_DONTWAIT), -1);
}

static void follow(const char *name)
{
    int notification = listen_for_notifications(name);

    for (int is_asked = 0; is_asked < 2; is_asked++) {
        pipe_name_make(umemd.pipe, sizeof umemd.pipe);
        daemon_start(&umemd);
        expect_notification(notification, "READY=1");
        umem_client_free(daemon_connect(&umemd));
        expect_no_notification(notification);
        if (is_asked != 0) {
            assert_int_equal(daemon_shutdown(&umemd), 0);
        } else {
            process_terminate(&umemd.process);
            assert_int_equal(process_finish(&umemd.process), 0);
        }
        expect_notification(notification, "STOPPING=1");
        expect_no_notification(notification);
        pipe_name_remove(umemd.pipe);
    }
    unsetenv("NOTIFY_SOCKET");
    close(notification);
}

static void a_manager_is_notified_of_start_and_end(void **state)
{
    char name[128];

    (void)state;
    pipe_name_make(name, sizeof name);
    follow(name);
    pipe_name_remove(name);
#ifdef __linux__
    snprintf(name, sizeof name, "@umemd-test-%ld", (long)getpid());
    follow(name);
#endif
}

/* The manager receives no notification, least of all that the pipe is open. */
static void a_failed_start_is_no_beginning(void **state)
{
    const char *const args[] = {UMEMD, "--pipe", "/dev/null/pipe", NULL};
    char name[128];
    int notification;

    (void)state;
    pipe_name_make(name, sizeof name);
    notification = listen_for_notifications(name);
    assert_int_equal(process_run(&umemd.process, args, NULL), 1);
    expect_no_notification(notification);
    unsetenv("NOTIFY_SOCKET");
    close(notification);
    pipe_name_remove(name);
}

static void a_missing_manager_is_ignored(void **state)
{
    static const char *const names[] = {"/nowhere/at/all", "@nobody", "vsock:2:3", "", "@"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        pipe_name_make(umemd.pipe, sizeof umemd.pipe);
        daemon_start(&umemd);
        assert_int_equal(daemon_shutdown(&umemd), 0);
        pipe_name_remove(umemd.pipe);
    }
    unsetenv("NOTIFY_SOCKET");
}

/* ---- handing a socket over ---- */

/* One that is bound to the path, with this mode. */
static int make_socket(const char *path, int type, mode_t mode)
{
    int low;
    int fd;

    unlink(path);
    low = unix_bind(path, type);
    fd = fcntl(low, F_DUPFD, HANDED_FROM);
    close(low);
    assert_in_range(fd, HANDED_FROM, 9);
    assert_int_equal(chmod(path, mode), 0);
    return fd;
}

static int make_listener(const char *path, mode_t mode)
{
    int fd = make_socket(path, SOCK_STREAM, mode);

    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

/* Starts umemd with the socket as descriptor 3 and these variables, as a shell writes them. */
static void start_with(int fd, const char *variables)
{
    char script[256];
    const char *const args[] = {"/bin/sh", "-c", script, UMEMD, "--pipe", umemd.pipe, NULL};

    snprintf(script, sizeof script, "%s exec \"$0\" \"$@\" 3<&%d", variables, fd);
    assert_int_equal(process_start(&umemd.process, args, NULL), 0);
}

static void expect_refusal(int fd, const char *variables, const char *text)
{
    int status;

    start_with(fd, variables);
    status = process_finish(&umemd.process);
    close(fd);
    if (strstr(umemd.process.errors, text) == NULL)
        print_error("expected %s, not %s\n", text, umemd.process.errors);
    assert_int_equal(status, 1);
    assert_non_null(strstr(umemd.process.errors, text));
}

static const char is_for_it[] = "LISTEN_PID=$$ LISTEN_FDS=1";

/* Clients may come before umemd does, and the socket outlives it. */
static void a_socket_is_taken_over(void **state)
{
    static const char ping[] = "{\"id\":1,\"method\":\"server.ping\"}\n";
    char answer[64];
    ssize_t size;
    int fd;

    (void)state;
    pipe_name_make(umemd.pipe, sizeof umemd.pipe);
    fd = make_listener(umemd.pipe, 0600);
    for (int life = 0; life < 2; life++) {
        int early = unix_connect(umemd.pipe, SOCK_STREAM);
        umem_client *client;

        assert_true(early >= 0);
        assert_int_equal(write(early, ping, sizeof ping - 1), sizeof ping - 1);
        start_with(fd, is_for_it);
        size = read(early, answer, sizeof answer - 1);
        assert_true(size > 0);
        answer[size] = '\0';
        assert_non_null(strstr(answer, "\"result\":{}"));
        close(early);
        client = daemon_connect(&umemd);
        assert_non_null(client);
        umem_client_free(client);
        assert_int_equal(daemon_shutdown(&umemd), 0);
        assert_int_equal(access(umemd.pipe, F_OK), 0);
    }
    close(fd);
    unlink(umemd.pipe);
    pipe_name_remove(umemd.pipe);
}

/* Clients wait in the socket's queue. */
static void a_restart_refuses_nobody(void **state)
{
    enum { RESTARTS = 10, VISITORS = 3 };
    struct visitors *visitors;
    uint64_t answered;
    uint64_t lost;
    int fd;

    (void)state;
    pipe_name_make(umemd.pipe, sizeof umemd.pipe);
    fd = make_listener(umemd.pipe, 0600);
    start_with(fd, is_for_it);
    visitors = visitors_start(umemd.pipe, 0, VISITORS, 0);
    for (int i = 0; i < RESTARTS; i++) {
        visitors_wait(visitors);
        /* Before that, the signal would end the shell. */
        assert_true(process_wait_for(&umemd.process, "listening on"));
        process_terminate(&umemd.process);
        assert_int_equal(process_finish(&umemd.process), 0);
        start_with(fd, is_for_it);
    }
    visitors_wait(visitors);
    visitors_stop(visitors, &answered, &lost);
    assert_int_equal(daemon_shutdown(&umemd), 0);
    close(fd);
    unlink(umemd.pipe);
    pipe_name_remove(umemd.pipe);
}

/* No other user may connect, and umem must find the pipe at the path that umemd reports. */
static void a_wrong_socket_is_refused(void **state)
{
    char other[128];

    (void)state;
    pipe_name_make(umemd.pipe, sizeof umemd.pipe);
    pipe_name_make(other, sizeof other);
    expect_refusal(make_listener(umemd.pipe, 0666), is_for_it, "SocketMode=0600");
    expect_refusal(make_listener(umemd.pipe, 0620), is_for_it, "SocketMode=0600");
    expect_refusal(make_listener(other, 0600), is_for_it, "another path");
    expect_refusal(make_socket(umemd.pipe, SOCK_STREAM, 0600), is_for_it, "does not listen");
    expect_refusal(make_socket(umemd.pipe, SOCK_DGRAM, 0600), is_for_it, "no stream");
    expect_refusal(open("/dev/null", O_RDONLY), is_for_it, "no Unix domain socket");
    expect_refusal(make_listener(umemd.pipe, 0600), "LISTEN_PID=$$ LISTEN_FDS=2", "LISTEN_FDS is 2");
    expect_refusal(make_listener(umemd.pipe, 0600), "LISTEN_PID=$$", "LISTEN_FDS is missing");
    unlink(umemd.pipe);
    unlink(other);
    pipe_name_remove(other);
    pipe_name_remove(umemd.pipe);
}

/* Of a group that is let in, here this user's own. */
static void a_socket_for_a_group(void **state)
{
    char for_group[96];
    int fd;

    (void)state;
    snprintf(for_group, sizeof for_group, "UMEMD_ALLOW_GROUP=%lu %s", (unsigned long)getegid(), is_for_it);
    pipe_name_make(umemd.pipe, sizeof umemd.pipe);
    fd = make_listener(umemd.pipe, 0660);
    assert_int_equal(chown(umemd.pipe, (uid_t)-1, getegid()), 0);
    start_with(fd, for_group);
    assert_true(process_wait_for(&umemd.process, "listening on"));
    assert_int_equal(daemon_shutdown(&umemd), 0);
    expect_refusal(fd, is_for_it, "SocketMode=0600");
    expect_refusal(make_listener(umemd.pipe, 0666), for_group, "SocketGroup=");
    unlink(umemd.pipe);
    pipe_name_remove(umemd.pipe);
}

/* What was left in the environment for a parent is none of its business. */
static void a_socket_for_another_process_is_not_touched(void **state)
{
    (void)state;
    pipe_name_make(umemd.pipe, sizeof umemd.pipe);
    start_with(0, "LISTEN_PID=1 LISTEN_FDS=1");
    assert_true(process_wait_for(&umemd.process, "listening on"));
    assert_int_equal(daemon_shutdown(&umemd), 0);
    assert_int_equal(access(umemd.pipe, F_OK), -1);
    pipe_name_remove(umemd.pipe);
}

/* ---- --service ---- */

static void the_options_are_for_windows(void **state)
{
    static const char *const windows[] = {"--install-service", "--remove-service", "--install-logon",
                                          "--remove-logon"};
    const char *const alone[] = {UMEMD, "--service", NULL};
    const char *const both[] = {UMEMD, "--service", "--daemon", NULL};

    (void)state;
    assert_int_equal(process_run(&umemd.process, alone, NULL), 1);
    assert_non_null(strstr(umemd.process.errors, "--service is for Windows"));
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        const char *const others[] = {UMEMD, windows[i], NULL};

        assert_int_equal(process_run(&umemd.process, others, NULL), 2);
        assert_non_null(strstr(umemd.process.errors, "on Windows only"));
    }
    assert_int_equal(process_run(&umemd.process, both, NULL), 2);
    assert_non_null(strstr(umemd.process.errors, "leave --daemon out"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manager_is_notified_of_start_and_end),
        cmocka_unit_test(a_failed_start_is_no_beginning),
        cmocka_unit_test(a_missing_manager_is_ignored),
        cmocka_unit_test(a_socket_is_taken_over),
        cmocka_unit_test(a_restart_refuses_nobody),
        cmocka_unit_test(a_wrong_socket_is_refused),
        cmocka_unit_test(a_socket_for_a_group),
        cmocka_unit_test(a_socket_for_another_process_is_not_touched),
        cmocka_unit_test(the_options_are_for_windows),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
