/* umemd as a process: in the background, twice on one pipe, killed and started again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"
#include "umem_version.h"

static struct process process;

static void test_a_second_daemon_is_refused(void **state)
{
    const char *const args[] = {UMEMD, "--pipe", ((struct daemon *)*state)->pipe, NULL};

    assert_int_equal(process_run(&process, args, NULL), 3);
    assert_non_null(strstr(process.errors, ((struct daemon *)*state)->pipe));
}

static void test_a_killed_daemon_leaves_the_pipe_to_the_next(void **state)
{
    struct daemon *daemon = *state;

    process_kill(&daemon->process);
    process_finish(&daemon->process);
    daemon_start(daemon);
}

/* On Windows, libuv's SIGTERM ends a process at once, so that there is nothing to see there. */
static void test_sigterm_ends_it_in_order(void **state)
{
    struct daemon *daemon = *state;
    int status;

    process_terminate(&daemon->process);
    status = process_finish(&daemon->process);
    if (strcmp(BACKEND, "posix") == 0)
        assert_int_equal(status, 0);
    daemon_start(daemon);
}

/* Looks without opening: on Windows, a file that is open cannot be removed. */
static bool is_there(const char *path)
{
    uv_fs_t request;
    int code = uv_fs_access(NULL, &request, path, 0, NULL);

    uv_fs_req_cleanup(&request);
    return code == 0;
}

static void test_in_the_background(void **state)
{
    struct daemon daemon = {.pipe = ""};
    char pid_file[256];
    const char *const args[] = {UMEMD, "--pipe", daemon.pipe, "--daemon", "--pid-file", pid_file, NULL};
    struct umem_server_info *info = NULL;
    umem_client *client;
    long long pid = 0;
    FILE *file;
    char temporary[160];
    size_t size = sizeof temporary;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(uv_os_tmpdir(temporary, &size), 0);
    snprintf(pid_file, sizeof pid_file, "%s/umem-test-%d-%p.pid", temporary, (int)uv_os_getpid(),
             (void *)&daemon);
    if (process_run(&process, args, NULL) != 0)
        print_error("%s\n", process.errors);
    client = daemon_connect(&daemon);
    file = fopen(pid_file, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lld", &pid), 1);
    fclose(file);
    assert_int_equal(umem_server_info(client, &info), UMEM_OK);
    assert_true(info->pid == pid);
    umem_free_server_info(info);
    assert_int_equal(umem_server_shutdown(client), UMEM_OK);
    /* The connection ends after all pending bytes were sent; then the daemon removes the pid file. */
    while (umem_server_ping(client) == UMEM_OK)
        continue;
    umem_client_free(client);
    while (is_there(pid_file))
        continue;
    pipe_name_remove(daemon.pipe);
}

/* The options are reported, and the daemon works with them. */
static void test_guards_and_wiping(void **state)
{
    struct daemon daemon = {.pipe = ""};
    const char *const args[] = {UMEMD, "--guard", "--wipe", "--pipe", daemon.pipe, NULL};
    struct umem_server_info *info = NULL;
    umem_client *client;
    umem_handle block = 0;
    unsigned found = 0;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(process_start(&daemon.process, args, NULL), 0);
    assert_true(process_wait_for(&daemon.process, "listening on"));
    client = daemon_connect(&daemon);
    assert_int_equal(umem_server_info(client, &info), UMEM_OK);
    for (size_t i = 0; i < info->feature_count; i++)
        found += strcmp(info->features[i], "guard") == 0 || strcmp(info->features[i], "wipe") == 0;
    assert_int_equal(found, 2);
    umem_free_server_info(info);
    assert_int_equal(umem_block_alloc(client, 100, NULL, &block), UMEM_OK);
    assert_int_equal(umem_block_write(client, block, 0, "hello", 5), UMEM_OK);
    assert_int_equal(umem_block_free(client, block), UMEM_OK);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    pipe_name_remove(daemon.pipe);
}

/* Names that no code page of Windows has together. */
static void test_files_of_any_name(void **state)
{
    static struct daemon daemon;
    char folder[160];
    char log[256];
    char pid_file[256];
    size_t size = sizeof folder;
    char text[4096];
    const char *const args[] = {UMEMD, "--pipe",     daemon.pipe, "--daemon", "--log-file",
                                log,   "--pid-file", pid_file,    NULL};
    uv_fs_t request;
    uv_buf_t buf = uv_buf_init(text, sizeof text - 1);
    int file;
    int got;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(uv_os_tmpdir(folder, &size), 0);
    snprintf(log, sizeof log, "%s/umem-test-%d-\xc3\xa4\xe2\x82\xac\xd0\x96.log", folder,
             (int)uv_os_getpid());
    snprintf(pid_file, sizeof pid_file, "%s/umem-test-%d-\xe6\xbc\xa2\xd0\x96.pid", folder,
             (int)uv_os_getpid());
    assert_int_equal(process_run(&process, args, NULL), 0);
    assert_true(is_there(log));
    assert_true(is_there(pid_file));
    assert_int_equal(process_run(&process,
                                 (const char *const[]){UMEM, "--pipe", daemon.pipe, "alloc", "--name", "b",
                                                       "--file", pid_file, NULL},
                                 NULL),
                     0);
    assert_int_equal(
        process_run(&process, (const char *const[]){UMEM, "--pipe", daemon.pipe, "shutdown", NULL}, NULL), 0);
    while (is_there(pid_file))
        uv_sleep(1);
    file = uv_fs_open(NULL, &request, log, UV_FS_O_RDONLY, 0, NULL);
    uv_fs_req_cleanup(&request);
    assert_true(file >= 0);
    got = uv_fs_read(NULL, &request, file, &buf, 1, 0, NULL);
    uv_fs_req_cleanup(&request);
    text[got > 0 ? got : 0] = '\0';
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    assert_non_null(strstr(text, "listening on"));
    uv_fs_unlink(NULL, &request, log, NULL);
    uv_fs_req_cleanup(&request);
    pipe_name_remove(daemon.pipe);
}

/* A warning is due where the system has fewer descriptors than an option wants, not where it has fewer than the default does. */
static void test_only_an_explicit_session_limit_is_warned_about(void **state)
{
    static struct daemon daemon;
    const char *const args[] = {UMEMD, "--pipe", daemon.pipe, "--limit", "sessions=1000000", NULL};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    daemon_start(&daemon);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    assert_null(strstr(daemon.process.errors, "sessions only"));
    assert_int_equal(process_start(&daemon.process, args, NULL), 0);
    assert_true(process_wait_for(&daemon.process, "listening on"));
    assert_int_equal(daemon_shutdown(&daemon), 0);
    assert_non_null(strstr(daemon.process.errors, "sessions only, not 1000000"));
    if (strcmp(BACKEND, "win32") == 0)
        assert_null(strstr(daemon.process.errors, "ulimit"));
    pipe_name_remove(daemon.pipe);
}

static void test_usage(void **state)
{
    char limit[80];

    (void)state;
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--nonsense", NULL}, NULL), 2);
    assert_int_equal(
        process_run(&process, (const char *const[]){UMEMD, "--limit", "blocks=many", NULL}, NULL), 2);
    /* A name that is longer than any limit's is no name. */
    snprintf(limit, sizeof limit, "%063d=1", 0);
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--limit", limit, NULL}, NULL), 2);
    assert_non_null(strstr(process.errors, "there is no limit 000"));
    snprintf(limit, sizeof limit, "%064d=1", 0);
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--limit", limit, NULL}, NULL), 2);
    assert_non_null(strstr(process.errors, "NAME=VALUE"));
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--account", "me", NULL}, NULL), 2);
    assert_non_null(strstr(process.errors, "--account is for --install-service"));
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--name", "mine", NULL}, NULL), 2);
    assert_non_null(strstr(process.errors, "--name is for"));
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--version", NULL}, NULL), 0);
    assert_non_null(strstr(process.output, UMEM_VERSION));
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--help", NULL}, NULL), 0);
    assert_non_null(strstr(process.output, "--pipe"));
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--print-protocol", NULL}, NULL), 0);
    assert_non_null(strstr(process.output, "### block.alloc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_second_daemon_is_refused, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_a_killed_daemon_leaves_the_pipe_to_the_next, daemon_setup,
                                        daemon_teardown),
        cmocka_unit_test_setup_teardown(test_sigterm_ends_it_in_order, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_in_the_background),
        cmocka_unit_test(test_guards_and_wiping),
        cmocka_unit_test(test_files_of_any_name),
        cmocka_unit_test(test_only_an_explicit_session_limit_is_warned_about),
        cmocka_unit_test(test_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
