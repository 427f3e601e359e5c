#include "cli/system/subprocess.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include "base/buf.h"
#include "cli/system/utf16.h"

enum {
    COMMAND_LIMIT = 32767,
    PATH_ROOM = 1024,
    LOOK_MS = 20,        /* from a look whether a program has ended to the next */
    SAID_ROOM = 64 << 10 /* bytes that a program may write to its standard error meanwhile */
};

/* One argument as CommandLineToArgvW reads it: backslashes count double before a quotation mark. */
static void quote(struct um_buf *line, const char *word)
{
    size_t backslashes = 0;

    if (line->size != 0)
        um_buf_append_byte(line, ' ');
    if (*word != '\0' && strpbrk(word, " \t\n\v\"") == NULL) {
        um_buf_append_string(line, word);
        return;
    }
    um_buf_append_byte(line, '"');
    for (; *word != '\0'; word++) {
        if (*word == '\\') {
            backslashes++;
            continue;
        }
        if (*word == '"')
            backslashes = 2 * backslashes + 1;
        for (; backslashes != 0; backslashes--)
            um_buf_append_byte(line, '\\');
        um_buf_append_byte(line, *word);
    }
    for (; backslashes != 0; backslashes--)
        um_buf_append_string(line, "\\\\");
    um_buf_append_byte(line, '"');
}

static int wait_for(PROCESS_INFORMATION *process)
{
    DWORD status = 0;

    WaitForSingleObject(process->hProcess, INFINITE);
    GetExitCodeProcess(process->hProcess, &status);
    CloseHandle(process->hThread);
    CloseHandle(process->hProcess);
    return (int)(status & 0x7fffffff);
}

/* The command line, to be freed; NULL where memory runs out. */
static WCHAR *make_line(const char *const *words)
{
    struct um_buf line;
    WCHAR *wide = NULL;

    um_buf_init(&line, COMMAND_LIMIT);
    for (; *words != NULL; words++)
        quote(&line, *words);
    um_buf_append_byte(&line, '\0');
    if (!line.failed)
        wide = cli_utf16_from_utf8(line.data);
    um_buf_deinit(&line);
    return wide;
}

/* ---- a program that runs in umem's place ---- */

/* The program while it runs; NULL: there is none. */
static HANDLE volatile running;

/* Keys of the console go to the program as well, and so does the console's end, after which the system lets nobody live for long:
 * what umem holds is to be let go after the program's end, not before. */
static BOOL WINAPI on_control(DWORD event)
{
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT && running != NULL)
        WaitForSingleObject(running, INFINITE);
    return TRUE;
}

/* Puts the program, without those that it starts, in a job that ends with umem: whoever ends umem ends the program, which would
 * else run on without what umem holds for it. Without a job it does. Returns the job, which is not to be closed before. */
static HANDLE bind_to_us(HANDLE process)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE |
                                                JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK}};
    HANDLE job = CreateJobObjectW(NULL, NULL);

    if (job != NULL)
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    if (job != NULL)
        AssignProcessToJobObject(job, process);
    return job;
}

/* As an errno. */
static int reason_of(DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return ENOENT;
    case ERROR_ACCESS_DENIED:
        return EACCES;
    case ERROR_BAD_EXE_FORMAT:
        return ENOEXEC;
    case ERROR_NOT_ENOUGH_MEMORY:
        return ENOMEM;
    default:
        return EIO;
    }
}

int cli_run_command(const char *const *words)
{
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    WCHAR *line = make_line(words);
    HANDLE job;
    int status;

    errno = ENOMEM;
    if (line == NULL)
        return CLI_CHILD_NOT_EXECUTABLE;
    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    SetConsoleCtrlHandler(on_control, TRUE);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &process)) {
        errno = reason_of(GetLastError());
        status = errno == ENOENT ? CLI_CHILD_NOT_FOUND : CLI_CHILD_NOT_EXECUTABLE;
    } else {
        running = process.hProcess;
        job = bind_to_us(process.hProcess);
        ResumeThread(process.hThread);
        WaitForSingleObject(process.hProcess, INFINITE);
        running = NULL;
        status = wait_for(&process);
        if (job != NULL)
            CloseHandle(job);
    }
    SetConsoleCtrlHandler(on_control, FALSE);
    free(line);
    return status;
}

/* ---- a program that leaves another one behind ---- */

/* Starts it with these handles as all that it inherits: `files[0]` for input and output, `files[1]` for errors. */
static bool start_with(WCHAR *line, HANDLE files[2], PROCESS_INFORMATION *process)
{
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES}};
    SIZE_T size = 0;
    bool is_started = false;

    startup.StartupInfo.hStdInput = files[0];
    startup.StartupInfo.hStdOutput = files[0];
    startup.StartupInfo.hStdError = files[1];
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    if (startup.lpAttributeList == NULL)
        return false;
    if (InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size)) {
        is_started =
            UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, files,
                                      2 * sizeof files[0], NULL, NULL) &&
            CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_NO_WINDOW | EXTENDED_STARTUPINFO_PRESENT,
                           NULL, NULL, &startup.StartupInfo, process);
        DeleteProcThreadAttributeList(startup.lpAttributeList);
    }
    free(startup.lpAttributeList);
    return is_started;
}

/* Takes what has come, up to the end of the room; more is dropped. */
static void take_said(HANDLE pipe, char *said, size_t room, size_t *size)
{
    char dropped[256];
    DWORD available;

    while (PeekNamedPipe(pipe, NULL, 0, NULL, &available, NULL) && available != 0) {
        bool fits = *size + 1 < room;
        DWORD got = 0;

        if (!ReadFile(pipe, fits ? said + *size : dropped, fits ? (DWORD)(room - 1 - *size) : sizeof dropped,
                      &got, NULL))
            break;
        if (fits)
            *size += got;
    }
    said[*size] = '\0';
}

static int listen_and_wait(PROCESS_INFORMATION *process, HANDLE pipe, char *said, size_t room)
{
    size_t size = 0;

    while (WaitForSingleObject(process->hProcess, LOOK_MS) == WAIT_TIMEOUT)
        take_said(pipe, said, room, &size);
    take_said(pipe, said, room, &size);
    return wait_for(process);
}

int cli_run_launcher(const char *const *words, char *said, size_t room)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    PROCESS_INFORMATION process;
    WCHAR *line = make_line(words);
    int status = CLI_CHILD_NOT_EXECUTABLE;
    HANDLE files[2];
    HANDLE pipe;

    said[0] = '\0';
    files[0] = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                           &inherited, OPEN_EXISTING, 0, NULL);
    if (!CreatePipe(&pipe, &files[1], &inherited, SAID_ROOM)) {
        pipe = NULL;
        files[1] = NULL;
    }
    if (pipe != NULL)
        SetHandleInformation(pipe, HANDLE_FLAG_INHERIT, 0);
    if (line != NULL && pipe != NULL && files[0] != INVALID_HANDLE_VALUE) {
        if (start_with(line, files, &process))
            status = listen_and_wait(&process, pipe, said, room);
        else if (GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND)
            status = CLI_CHILD_NOT_FOUND;
    }
    if (files[0] != INVALID_HANDLE_VALUE)
        CloseHandle(files[0]);
    if (pipe != NULL) {
        CloseHandle(files[1]);
        CloseHandle(pipe);
    }
    free(line);
    return status;
}

void cli_set_environment(const char *name, const char *value)
{
    WCHAR *wide_name = cli_utf16_from_utf8(name);
    WCHAR *wide_value = cli_utf16_from_utf8(value);

    if (wide_name != NULL && wide_value != NULL)
        SetEnvironmentVariableW(wide_name, wide_value);
    free(wide_name);
    free(wide_value);
}

bool cli_find_sibling_program(const char *name, char *path, size_t room)
{
    WCHAR self[PATH_ROOM];
    WCHAR *wide_name = cli_utf16_from_utf8(name);
    DWORD size = GetModuleFileNameW(NULL, self, PATH_ROOM);
    WCHAR *slash = size != 0 && size < PATH_ROOM ? wcsrchr(self, L'\\') : NULL;
    bool found = false;

    if (slash != NULL && wide_name != NULL &&
        (size_t)(slash + 1 - self) + wcslen(wide_name) + wcslen(L".exe") < PATH_ROOM) {
        wcscpy(slash + 1, wide_name);
        wcscat(slash, L".exe");
        found = GetFileAttributesW(self) != INVALID_FILE_ATTRIBUTES &&
                WideCharToMultiByte(CP_UTF8, 0, self, -1, path, (int)room, NULL, NULL) > 0;
    }
    free(wide_name);
    return found;
}

void cli_pause_ms(unsigned milliseconds)
{
    Sleep(milliseconds);
}
