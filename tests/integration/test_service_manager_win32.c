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

/* ---- umemd installs itself ---- */

/* The name under which this test's service, or start at log-on, is installed: that of its pipe. */
static const char *name_of(const struct service *service)
{
    return strrchr(service->daemon.pipe, '\\') + 1;
}

/* Runs umemd with `verb`, the name, and further words (NULL: none), and a password on standard input (NULL: none); returns its
 * exit status. */
static int umemd_does(const struct service *service, struct process *process, const char *verb,
                      const char *option, const char *value, const char *password)
{
    const char *const args[] = {UMEMD,  verb,  "--name", name_of(service), "--pipe", service->daemon.pipe,
                                option, value, NULL};

    return process_run(process, args, password);
}

static DWORD open_error(const struct service *service)
{
    SC_HANDLE handle = OpenServiceA(manager, name_of(service), SERVICE_QUERY_STATUS);

    if (handle == NULL)
        return GetLastError();
    CloseServiceHandle(handle);
    return NO_ERROR;
}

static void expect_configuration(const struct service *service)
{
    union {
        QUERY_SERVICE_CONFIGA config;
        SERVICE_DESCRIPTIONA description;
        BYTE space[8 * 1024];
    } read;
    DWORD size;
    char log_file[MAX_PATH + 32];

    assert_true(QueryServiceConfigA(service->handle, &read.config, sizeof read, &size));
    assert_int_equal(read.config.dwStartType, SERVICE_AUTO_START);
    assert_int_equal(read.config.dwServiceType, SERVICE_WIN32_OWN_PROCESS);
    assert_non_null(strstr(read.config.lpBinaryPathName, "umemd.exe\" \"--service\" \"--pipe="));
    snprintf(log_file, sizeof log_file, "\"--log-file=%s\"", service->log_file);
    assert_non_null(strstr(read.config.lpBinaryPathName, log_file));
    assert_null(strstr(read.config.lpBinaryPathName, "--install"));
    assert_null(strstr(read.config.lpBinaryPathName, "--name"));
    assert_non_null(strchr(read.config.lpServiceStartName, '\\'));
    assert_true(
        QueryServiceConfig2A(service->handle, SERVICE_CONFIG_DESCRIPTION, read.space, sizeof read, &size));
    assert_non_null(strstr(read.description.lpDescription, "heap memory"));
}

static void installs_and_removes_itself(void **state)
{
    static struct process process;
    struct service *service = *state;
    umem_client *client;
    int status =
        umemd_does(service, &process, "--install-service", "--log-file", service->log_file, "password\r\n");

    if (status != 0)
        print_error("%s\n", process.errors);
    assert_int_equal(status, 0);
    assert_non_null(strstr(process.output, name_of(service)));
    service->handle = OpenServiceA(manager, name_of(service), SERVICE_ALL_ACCESS);
    assert_non_null(service->handle);
    expect_configuration(service);

    /* A second one is refused, and changes nothing. */
    assert_int_equal(umemd_does(service, &process, "--install-service", "--guard", NULL, "password\n"),
                     FAILED);
    assert_non_null(strstr(process.errors, "already"));
    expect_configuration(service);

    /* On Windows the password would have to be the right one. */
    if (StartServiceA(service->handle, 0, NULL)) {
        assert_int_equal(wait_until_not(service, SERVICE_START_PENDING).dwCurrentState, SERVICE_RUNNING);
        client = daemon_connect(&service->daemon);
        use(client);
        umem_client_free(client);
    } else {
        assert_int_equal(GetLastError(), ERROR_SERVICE_LOGON_FAILED);
    }
    CloseServiceHandle(service->handle);
    service->handle = NULL;

    /* One that runs is stopped before. */
    assert_int_equal(umemd_does(service, &process, "--remove-service", NULL, NULL, NULL), 0);
    assert_int_equal(open_error(service), ERROR_SERVICE_DOES_NOT_EXIST);
    expect_no_pipe(service);
    assert_int_equal(umemd_does(service, &process, "--remove-service", NULL, NULL, NULL), FAILED);
    assert_non_null(strstr(process.errors, "there is no service"));
}

static void installs_nothing_where_something_is_wrong(void **state)
{
    static struct process process;
    struct service *service = *state;

    assert_int_equal(
        umemd_does(service, &process, "--install-service", "--account", "no such account", "x\n"), FAILED);
    assert_non_null(strstr(process.errors, "there is no account no such account"));
    assert_int_equal(open_error(service), ERROR_SERVICE_DOES_NOT_EXIST);
    assert_int_equal(umemd_does(service, &process, "--install-service", NULL, NULL, NULL), FAILED);
    assert_non_null(strstr(process.errors, "no password"));
    assert_int_equal(open_error(service), ERROR_SERVICE_DOES_NOT_EXIST);
    assert_int_equal(umemd_does(service, &process, "--install-service", "--limit", "nonsense", "x\n"), USAGE);
    assert_int_equal(open_error(service), ERROR_SERVICE_DOES_NOT_EXIST);
}

/* The environment has it where there is no standard input to speak of; accounts of the system have none. */
static void takes_the_password_from_the_environment_or_needs_none(void **state)
{
    static struct process process;
    struct service *service = *state;
    int status;

    assert_true(SetEnvironmentVariableA("UMEM_SERVICE_PASSWORD", "password"));
    status = umemd_does(service, &process, "--install-service", NULL, NULL, NULL);
    SetEnvironmentVariableA("UMEM_SERVICE_PASSWORD", NULL);
    assert_int_equal(status, 0);
    assert_int_equal(umemd_does(service, &process, "--remove-service", NULL, NULL, NULL), 0);
    assert_int_equal(
        umemd_does(service, &process, "--install-service", "--account", "NT AUTHORITY\\LocalService", NULL),
        0);
    assert_int_equal(umemd_does(service, &process, "--remove-service", NULL, NULL, NULL), 0);
}

static void leaves_other_services_alone(void **state)
{
    static struct process process;
    struct service *service = *state;

    service->handle =
        CreateServiceA(manager, name_of(service), name_of(service), SERVICE_ALL_ACCESS,
                       SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE,
                       "C:\\windows\\system32\\other.exe --service", NULL, NULL, NULL, NULL, NULL);
    assert_non_null(service->handle);
    assert_int_equal(umemd_does(service, &process, "--remove-service", NULL, NULL, NULL), FAILED);
    assert_non_null(strstr(process.errors, "does not run umemd"));
    assert_int_equal(open_error(service), NO_ERROR);
}

/* What Windows starts at log-on is the command line that is kept; here, the test starts it. */
static void is_started_at_log_on(void **state)
{
    static const char key[] = "Software\\Microsoft\\Windows\\CurrentVersion\\Run";
    static struct process process;
    struct service *service = *state;
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION started;
    umem_client *client;
    char command[512];
    DWORD size = sizeof command;
    DWORD status;

    assert_int_equal(umemd_does(service, &process, "--install-logon", "--limit", "blocks=1000", NULL), 0);
    assert_int_equal(
        RegGetValueA(HKEY_CURRENT_USER, key, name_of(service), RRF_RT_REG_SZ, NULL, command, &size), 0);
    assert_true(CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &started));
    WaitForSingleObject(started.hProcess, INFINITE);
    assert_true(GetExitCodeProcess(started.hProcess, &status));
    CloseHandle(started.hThread);
    CloseHandle(started.hProcess);
    assert_int_equal(status, 0);
    client = daemon_connect(&service->daemon);
    use(client);
    assert_int_equal(umem_server_shutdown(client), UMEM_OK);
    umem_client_free(client);

    assert_int_equal(umemd_does(service, &process, "--remove-logon", NULL, NULL, NULL), 0);
    assert_int_equal(RegGetValueA(HKEY_CURRENT_USER, key, name_of(service), RRF_RT_REG_SZ, NULL, NULL, NULL),
                     ERROR_FILE_NOT_FOUND);
    assert_int_equal(umemd_does(service, &process, "--remove-logon", NULL, NULL, NULL), FAILED);
    assert_non_null(strstr(process.errors, "no start at log-on"));
}

/* Windows would cut it. */
static void a_start_at_log_on_has_a_short_command_line(void **state)
{
    static struct process process;
    struct service *service = *state;
    char log_file[260];

    memset(log_file, 'x', sizeof log_file - 1);
    log_file[sizeof log_file - 1] = '\0';
    assert_int_equal(umemd_does(service, &process, "--install-logon", "--log-file", log_file, NULL), FAILED);
    assert_non_null(strstr(process.errors, "260 characters"));
    assert_int_equal(umemd_does(service, &process, "--remove-logon", NULL, NULL, NULL), FAILED);
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
    const struct CMUnitTest by_hand[] = {TEST(no_manager_runs_it), TEST(is_started_at_log_on),
                                         TEST(a_start_at_log_on_has_a_short_command_line)};
    const struct CMUnitTest managed[] = {
        TEST(is_started_and_stopped),
        TEST(takes_no_other_controls),
        TEST(a_client_ends_it),
        TEST(the_pipe_is_taken),
        TEST(the_log_cannot_be_opened),
        TEST(installs_and_removes_itself),
        TEST(installs_nothing_where_something_is_wrong),
        TEST(takes_the_password_from_the_environment_or_needs_none),
        TEST(leaves_other_services_alone),
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
