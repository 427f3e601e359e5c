#include "daemon/daemon_process.h"

#include <fcntl.h>
#include <io.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <uv.h>
#include <windows.h>

#include "daemon/exit_status.h"
#include "daemon/start_report.h"

enum { PATH_SIZE = 4096 };

/* Tells a started daemon the handle of its line, in decimal. */
static const WCHAR line_variable[] = L"UMEMD_STARTER_LINE";

void um_process_prepare(void)
{
    HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
}

void um_process_harden(bool core_dumps)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX |
                 (core_dumps ? 0U : (UINT)SEM_NOGPFAULTERRORBOX));
}

/* ---- signals ---- */

/* Ctrl-C is SIGINT, Ctrl-Break SIGBREAK, and closing the console SIGHUP, after which the system ends the process. */
size_t um_process_signals(struct um_signal signals[UM_SIGNAL_MAXIMUM])
{
    static const struct um_signal all[] = {{SIGTERM, UM_SIGNAL_END},
                                           {SIGINT, UM_SIGNAL_END},
                                           {SIGHUP, UM_SIGNAL_END},
                                           {SIGBREAK, UM_SIGNAL_END}};

    memcpy(signals, all, sizeof all);
    return sizeof all / sizeof all[0];
}

/* ---- the starter ---- */

bool um_process_absolute_path(const char *path, char *absolute, size_t absolute_size)
{
    WCHAR wide[PATH_SIZE];
    WCHAR full[PATH_SIZE];
    DWORD size;

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, PATH_SIZE) == 0)
        return false;
    size = GetFullPathNameW(wide, PATH_SIZE, full, NULL);
    return size != 0 && size < PATH_SIZE &&
           WideCharToMultiByte(CP_UTF8, 0, full, -1, absolute, (int)absolute_size, NULL, NULL) > 0;
}

static int wait_for_report(HANDLE line)
{
    char report[UM_START_REPORT_SIZE];
    size_t size = 0;
    DWORD more;

    while (size < sizeof report - 1 &&
           ReadFile(line, report + size, (DWORD)(sizeof report - 1 - size), &more, NULL) && more != 0)
        size += more;
    return um_start_report_take(report, size);
}

/* Starts this program again with its own command line. A job may end its processes with their starter: the daemon leaves it,
 * where the job allows that. */
static bool start_process(STARTUPINFOEXW *startup)
{
    const DWORD flags = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | EXTENDED_STARTUPINFO_PRESENT;
    PROCESS_INFORMATION process;
    WCHAR path[PATH_SIZE];
    BOOL is_started;

    if (GetModuleFileNameW(NULL, path, PATH_SIZE) == 0)
        return false;
    is_started = CreateProcessW(path, GetCommandLineW(), NULL, NULL, TRUE, flags | CREATE_BREAKAWAY_FROM_JOB,
                                NULL, NULL, &startup->StartupInfo, &process);
    if (!is_started && GetLastError() == ERROR_ACCESS_DENIED)
        is_started = CreateProcessW(path, GetCommandLineW(), NULL, NULL, TRUE, flags, NULL, NULL,
                                    &startup->StartupInfo, &process);
    if (!is_started)
        return false;
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return true;
}

/* Starts the daemon with `line` as the only handle that it inherits. */
static bool start_daemon(HANDLE line)
{
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup}};
    WCHAR text[32];
    SIZE_T size = 0;
    bool is_started = false;

    swprintf(text, sizeof text / sizeof text[0], L"%llu", (unsigned long long)(uintptr_t)line);
    if (!SetEnvironmentVariableW(line_variable, text))
        return false;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    if (startup.lpAttributeList == NULL)
        return false;
    if (InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size)) {
        is_started = UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                               &line, sizeof line, NULL, NULL) &&
                     start_process(&startup);
        DeleteProcThreadAttributeList(startup.lpAttributeList);
    }
    free(startup.lpAttributeList);
    return is_started;
}

static int start_and_wait(void)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    HANDLE ends[2];
    int status = UM_EXIT_FAILED;
    bool is_started;

    if (!CreatePipe(&ends[0], &ends[1], &inherited, UM_START_REPORT_SIZE)) {
        fprintf(stderr, "umemd: a daemon cannot be started: Windows error %lu\n", GetLastError());
        return status;
    }
    SetHandleInformation(ends[0], HANDLE_FLAG_INHERIT, 0);
    is_started = start_daemon(ends[1]);
    if (!is_started)
        fprintf(stderr, "umemd: a daemon cannot be started: Windows error %lu\n", GetLastError());
    /* The daemon's end must be the only one, so that reading ends with it. */
    CloseHandle(ends[1]);
    if (is_started)
        status = wait_for_report(ends[0]);
    CloseHandle(ends[0]);
    return status;
}

/* ---- the daemon ---- */

/* The line that the starter has left for us, or NULL. */
static HANDLE take_line(void)
{
    WCHAR text[32];
    DWORD size = GetEnvironmentVariableW(line_variable, text, 32);
    HANDLE line;

    if (size == 0 || size >= 32)
        return NULL;
    SetEnvironmentVariableW(line_variable, NULL);
    line = (HANDLE)(uintptr_t)wcstoull(text, NULL, 10);
    return GetFileType(line) == FILE_TYPE_PIPE ? line : NULL;
}

/* A working directory cannot be removed, nor can its drive: the system's own will stay anyway. */
static void leave_directory(void)
{
    WCHAR path[MAX_PATH];
    UINT size = GetSystemWindowsDirectoryW(path, MAX_PATH);

    if (size != 0 && size < MAX_PATH)
        SetCurrentDirectoryW(path);
}

/* This process was started with no standard files, and main() has filled their numbers. */
enum um_role um_process_detach(struct um_starter *starter, int *status)
{
    HANDLE line = take_line();

    if (line == NULL) {
        *status = start_and_wait();
        return UM_ROLE_STARTER;
    }
    SetHandleInformation(line, HANDLE_FLAG_INHERIT, 0);
    leave_directory();
    starter->line = line;
    return UM_ROLE_DAEMON;
}

void um_process_warn(struct um_starter *starter, const char *text)
{
    char line[UM_START_REPORT_LINE_SIZE];
    size_t size = um_start_report_write_warning(line, text);
    DWORD written;

    if (starter->line == NULL || starter->sent_size + size > UM_START_REPORT_WARNINGS_SIZE)
        return;
    WriteFile(starter->line, line, (DWORD)size, &written, NULL);
    starter->sent_size += size;
}

void um_process_report(struct um_starter *starter, int status, const char *text)
{
    char line[UM_START_REPORT_LINE_SIZE];
    DWORD written;

    if (starter->line == NULL)
        return;
    WriteFile(starter->line, line, (DWORD)um_start_report_write(line, status, text), &written, NULL);
    CloseHandle(starter->line);
    starter->line = NULL;
}
