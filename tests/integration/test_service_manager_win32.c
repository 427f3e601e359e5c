/* umemd as a service: the service control manager starts it, queries its state, and stops it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include <cmocka.h>

#include "daemon_fixture.h"

/* The numbers of umemd's ends, which are part of what it promises. */
enum { FAILED = 1, USAGE = 2, PIPE_TAKEN = 3 };

enum { LOOKS = 6000, LOOK_MS = 10 };

/* What ctest takes for neither passed nor failed. */
enum { SKIPPED = 77 };

/* A service that is installed, under a name and on a pipe of its own. */
struct service {
    struct daemon daemon; /* only its pipe: the process is the manager's */
    SC_HANDLE handle;
    char log_file[MAX_PATH];
};

static SC_HANDLE manager;

static void install(struct service *service, const char *log_file)
{
    static char program[MAX_PATH];
    char command[1024];
    const char *name = strrchr(service->daemon.pipe, '\\') + 1;

    /* The manager has another folder and another drive to begin from. */
    assert_in_range(GetFullPathNameA(UMEMD, sizeof program, program, NULL), 1, sizeof program - 1);
    snprintf(command, sizeof command, "\"%s\" --service --pipe \"%s\" --log-file \"%s\"", program,
             service->daemon.pipe, log_file);
    service->handle =
        CreateServiceA(manager, name, name, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                       SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE, command, NULL, NULL, NULL, NULL, NULL);
    assert_non_null(service->handle);
}

static int service_setup(void **state)
{
    struct service *service = calloc(1, sizeof *service);
    char folder[MAX_PATH - 64];

    assert_non_null(service);
    pipe_name_make(service->daemon.pipe, sizeof service->daemon.pipe);
    assert_in_range(GetTempPathA(sizeof folder, folder), 1, sizeof folder - 1);
    snprintf(service->log_file, sizeof service->log_file, "%s%s.log", folder,
             strrchr(service->daemon.pipe, '\\') + 1);
    *state = service;
    return 0;
}

/* Also where a test has failed: what is installed would stay. */
static int service_teardown(void **state)
{
    struct service *service = *state;
    SERVICE_STATUS status;

    if (service->handle != NULL) {
        ControlService(service->handle, SERVICE_CONTROL_STOP, &status);
        DeleteService(service->handle);
        CloseServiceHandle(service->handle);
    }
    DeleteFileA(service->log_file);
    free(service);
    return 0;
}

static SERVICE_STATUS_PROCESS look(const struct service *service)
{
    SERVICE_STATUS_PROCESS status;
    DWORD size;

    assert_true(
        QueryServiceStatusEx(service->handle, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof status, &size));
    return status;
}

/* Polls until the service has left a pending state. */
static SERVICE_STATUS_PROCESS wait_until_not(const struct service *service, DWORD pending)
{
    SERVICE_STATUS_PROCESS status = look(service);

    for (int i = 0; i < LOOKS && status.dwCurrentState == pending; i++) {
        Sleep(LOOK_MS);
        status = look(service);
    }
    return status;
}

static void print_log(const struct service *service)
{
    FILE *file = fopen(service->log_file, "r");
    char line[512];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        print_error("log: %s", line);
    if (file != NULL)
        fclose(file);
}

static SERVICE_STATUS_PROCESS start(const struct service *service)
{
    if (!StartServiceA(service->handle, 0, NULL))
        print_error("StartService: Windows error %lu\n", GetLastError());
    return wait_until_not(service, SERVICE_START_PENDING);
}

static void expect_running(const struct service *service)
{
    SERVICE_STATUS_PROCESS status = start(service);

    if (status.dwCurrentState != SERVICE_RUNNING)
        print_log(service);
    assert_int_equal(status.dwCurrentState, SERVICE_RUNNING);
    assert_int_equal(status.dwControlsAccepted,
                     SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE);
}

/* Waits until it has stopped, and expects umemd's exit status in its state. */
static void expect_stopped(const struct service *service, int end)
{
    SERVICE_STATUS_PROCESS status = wait_until_not(service, SERVICE_STOP_PENDING);

    if (status.dwCurrentState != SERVICE_STOPPED || status.dwServiceSpecificExitCode != (DWORD)end)
        print_log(service);
    assert_int_equal(status.dwCurrentState, SERVICE_STOPPED);
    assert_int_equal(status.dwWin32ExitCode, end != 0 ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR);
    assert_int_equal(status.dwServiceSpecificExitCode, end);
}

/* Requests the end, and expects an answer that it has begun. */
static void stop(const struct service *service)
{
    SERVICE_STATUS status;

    assert_true(ControlService(service->handle, SERVICE_CONTROL_STOP, &status));
    assert_true(status.dwCurrentState == SERVICE_STOP_PENDING || status.dwCurrentState == SERVICE_STOPPED);
}

static void expect_no_pipe(const struct service *service)
{
    struct umem_options options = {.pipe = service->daemon.pipe};
    umem_client *client = umem_client_new(&options);

    assert_int_equal(umem_connect(client), UMEM_E_NOT_CONNECTED);
    umem_client_free(client);
}

static void use(umem_client *client)
{
    umem_handle block = 0;
    char bytes[5];

    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(umem_block_alloc(client, 100, NULL, &block), UMEM_OK);
    assert_int_equal(umem_block_write(client, block, 0, "hello", 5), UMEM_OK);
    assert_int_equal(umem_block_read(client, block, 0, bytes, sizeof bytes), UMEM_OK);
    assert_memory_equal(bytes, "hello", sizeof bytes);
}

/* ---- the tests ---- */

/* It can be started once more, and a client that stays does not keep it from its end. */
static void is_started_and_stopped(void **state)
{
    struct service *service = *state;

    install(service, service->log_file);
    for (int i = 0; i < 3; i++) {
        umem_client *client;
        SERVICE_STATUS status;

        expect_running(service);
        client = daemon_connect(&service->daemon);
        use(client);
        assert_true(ControlService(service->handle, SERVICE_CONTROL_INTERROGATE, &status));
        assert_int_equal(status.dwCurrentState, SERVICE_RUNNING);
        use(client);
        stop(service);
        expect_stopped(service, 0);
        expect_no_pipe(service);
        umem_client_free(client);
    }
}

/* An unsupported control changes nothing. (Wine reports the refusal only for controls that it knows.) */
static void takes_no_other_controls(void **state)
{
    struct service *service = *state;
    umem_client *client;
    SERVICE_STATUS status;

    install(service, service->log_file);
    expect_running(service);
    client = daemon_connect(&service->daemon);
    assert_false(ControlService(service->handle, SERVICE_CONTROL_PAUSE, &status));
    ControlService(service->handle, 200, &status);
    assert_int_equal(look(service).dwCurrentState, SERVICE_RUNNING);
    use(client);
    umem_client_free(client);
    stop(service);
    expect_stopped(service, 0);
}

static void a_client_ends_it(void **state)
{
    struct service *service = *state;
    umem_client *client;

    install(service, service->log_file);
    expect_running(service);
    client = daemon_connect(&service->daemon);
    assert_int_equal(umem_server_shutdown(client), UMEM_OK);
    umem_client_free(client);
    wait_until_not(service, SERVICE_RUNNING);
    expect_stopped(service, 0);
}

static void the_pipe_is_taken(void **state)
{
    struct service *service = *state;

    daemon_start(&service->daemon);
    install(service, service->log_file);
    start(service);
    expect_stopped(service, PIPE_TAKEN);
    assert_int_equal(daemon_shutdown(&service->daemon), 0);
    expect_running(service);
    stop(service);
    expect_stopped(service, 0);
}

static void the_log_cannot_be_opened(void **state)
{
    struct service *service = *state;
    char log_file[MAX_PATH + 16];

    snprintf(log_file, sizeof log_file, "%s\\no\\such", service->log_file);
    install(service, log_file);
    start(service);
    expect_stopped(service, FAILED);
}

static void no_manager_runs_it(void **state)
{
    const struct service *service = *state;
    const char *const alone[] = {UMEMD, "--service", "--pipe", service->daemon.pipe, NULL};
    const char *const both[] = {UMEMD, "--service", "--daemon", NULL};
    static struct process process;

    assert_int_equal(process_run(&process, alone, NULL), FAILED);
    assert_non_null(strstr(process.errors, "sc start NAME"));
    assert_int_equal(process_run(&process, both, NULL), USAGE);
    assert_non_null(strstr(process.errors, "leave --daemon out"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)

int main(void)
{
    const struct CMUnitTest by_hand[] = {TEST(no_manager_runs_it)};
    const struct CMUnitTest managed[] = {
        TEST(is_started_and_stopped), TEST(takes_no_other_controls),  TEST(a_client_ends_it),
        TEST(the_pipe_is_taken),      TEST(the_log_cannot_be_opened),
    };
    int failures = cmocka_run_group_tests_name("service, by hand", by_hand, NULL, NULL);

    manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    if (manager == NULL) {
        printf("skipped: this user may not install services (Windows error %lu)\n", GetLastError());
        return failures != 0 ? failures : SKIPPED;
    }
    failures += cmocka_run_group_tests_name("service, managed", managed, NULL, NULL);
    CloseServiceHandle(manager);
    return failures;
}
