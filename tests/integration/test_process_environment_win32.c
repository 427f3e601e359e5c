/* umemd and umem as processes of Windows: what they are started with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>
#include <windows.h>

#include "daemon_fixture.h"

enum { LINE_CAPACITY = 2048 };

/* Makes a command line of a format with UTF-8 arguments. */
static void make_line(WCHAR line[LINE_CAPACITY], const char *program, const char *pipe, const char *rest)
{
    char text[LINE_CAPACITY];

    snprintf(text, sizeof text, "\"%s\" --pipe %s %s", program, pipe, rest);
    assert_true(MultiByteToWideChar(CP_UTF8, 0, text, -1, line, LINE_CAPACITY) > 0);
}

/* Runs a command line with these standard handles, which are no handles at all. Returns its exit status. */
static DWORD run_with_handles(WCHAR *line, HANDLE in, HANDLE out, HANDLE err)
{
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION started;
    DWORD status = 99;

    startup.hStdInput = in;
    startup.hStdOutput = out;
    startup.hStdError = err;
    assert_true(
        CreateProcessW(NULL, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &startup, &started));
    WaitForSingleObject(started.hProcess, INFINITE);
    GetExitCodeProcess(started.hProcess, &status);
    CloseHandle(started.hThread);
    CloseHandle(started.hProcess);
    return status;
}

/* No handle, and the value of one that was not inherited. */
static void umem_without_standard_handles(void **state)
{
    static const uintptr_t values[] = {0, (uintptr_t)-1, 0x7ff0};
    static const char bytes[] = "{\"id\":1,\"method\":\"server.shutdown\"}\n";
    struct daemon *daemon = *state;
    umem_client *client = daemon_connect(daemon);
    umem_handle block = 0;
    char back[sizeof bytes];
    WCHAR line[LINE_CAPACITY];

    assert_int_equal(
        umem_block_alloc(client, sizeof bytes, &(struct umem_block_options){.name = "b"}, &block), UMEM_OK);
    assert_int_equal(umem_block_write(client, block, 0, bytes, sizeof bytes), UMEM_OK);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        HANDLE none = (HANDLE)values[i];

        make_line(line, UMEM, daemon->pipe, "read b");
        assert_int_equal(run_with_handles(line, none, none, none), 6);
        make_line(line, UMEM, daemon->pipe, "write b");
        assert_int_equal(run_with_handles(line, none, none, none), 6);
        make_line(line, UMEM, daemon->pipe, "fill b 7 --size 0");
        assert_int_equal(run_with_handles(line, none, none, none), 0);
        assert_int_equal(umem_block_read(client, block, 0, back, sizeof back), UMEM_OK);
        assert_memory_equal(back, bytes, sizeof bytes);
    }
    umem_client_free(client);
}

/* The process that listens on a pipe. */
static HANDLE open_daemon(const char *pipe)
{
    struct daemon daemon = {.pipe = ""};
    struct umem_server_info *info = NULL;
    umem_client *client;
    HANDLE process;

    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", pipe);
    client = daemon_connect(&daemon);
    assert_int_equal(umem_server_info(client, &info), UMEM_OK);
    process = OpenProcess(PROCESS_QUERY_INFORMATION | SYNCHRONIZE, FALSE, (DWORD)info->pid);
    umem_free_server_info(info);
    umem_client_free(client);
    assert_non_null(process);
    return process;
}

static void stop_daemon(const char *pipe, HANDLE process)
{
    struct daemon daemon = {.pipe = ""};
    umem_client *client;

    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", pipe);
    client = daemon_connect(&daemon);
    assert_int_equal(umem_server_shutdown(client), UMEM_OK);
    umem_client_free(client);
    WaitForSingleObject(process, INFINITE);
    CloseHandle(process);
}

/* The parent process may be in a job that ends all its processes. */
static void a_daemon_leaves_the_job(void **state)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags =
                                      JOB_OBJECT_LIMIT_BREAKAWAY_OK | JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION started;
    char pipe[128];
    WCHAR line[LINE_CAPACITY];
    BOOL is_inside = TRUE;
    BOOL is_known;
    DWORD status = 99;
    HANDLE daemon;

    (void)state;
    assert_non_null(job);
    assert_true(SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits));
    pipe_name_make(pipe, sizeof pipe);
    make_line(line, UMEMD, pipe, "--daemon");
    assert_true(
        CreateProcessW(NULL, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup, &started));
    assert_true(AssignProcessToJobObject(job, started.hProcess));
    ResumeThread(started.hThread);
    WaitForSingleObject(started.hProcess, INFINITE);
    GetExitCodeProcess(started.hProcess, &status);
    assert_int_equal(status, 0);
    daemon = open_daemon(pipe);
    is_known = IsProcessInJob(daemon, job, &is_inside);
    CloseHandle(started.hThread);
    CloseHandle(started.hProcess);
    stop_daemon(pipe, daemon);
    CloseHandle(job);
    assert_true(is_known);
    assert_false(is_inside);
}

/* A directory that is some process's working directory cannot be removed. */
static void a_daemon_leaves_its_directory(void **state)
{
    WCHAR place[MAX_PATH];
    WCHAR before[MAX_PATH];
    WCHAR log[MAX_PATH + 8];
    char pipe[128];
    WCHAR line[LINE_CAPACITY];
    HANDLE daemon;

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    assert_true(GetCurrentDirectoryW(MAX_PATH, before) != 0);
    assert_true(GetTempPathW(MAX_PATH, place) != 0);
    swprintf(place + wcslen(place), 40, L"umem-test-%lu", GetCurrentProcessId());
    assert_true(CreateDirectoryW(place, NULL));
    assert_true(SetCurrentDirectoryW(place));
    make_line(line, UMEMD, pipe, "--daemon --log-file log");
    assert_int_equal(run_with_handles(line, NULL, NULL, NULL), 0);
    assert_true(SetCurrentDirectoryW(before));
    daemon = open_daemon(pipe);
    stop_daemon(pipe, daemon);
    swprintf(log, MAX_PATH + 8, L"%ls\\log", place);
    assert_true(DeleteFileW(log)); /* it was written where the starter meant it */
    assert_true(RemoveDirectoryW(place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(umem_without_standard_handles, daemon_setup, daemon_teardown),
        cmocka_unit_test(a_daemon_leaves_the_job),
        cmocka_unit_test(a_daemon_leaves_its_directory),
    };

    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
