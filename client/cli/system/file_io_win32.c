#include "cli/system/file_io.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>

#include <uv.h>
#include <windows.h>

/* The console's own, to be put back. */
static UINT console_code_page;

static void restore_console(void)
{
    SetConsoleOutputCP(console_code_page);
}

static void prepare_console(void)
{
    console_code_page = GetConsoleOutputCP();
    if (console_code_page == 0 || console_code_page == CP_UTF8)
        return;
    if (!cli_is_terminal(CLI_OUTPUT) && !cli_is_terminal(CLI_ERRORS))
        return;
    if (SetConsoleOutputCP(CP_UTF8))
        atexit(restore_console);
}

void cli_prepare_standard_files(void)
{
    _setmode(CLI_INPUT, _O_BINARY);
    _setmode(CLI_OUTPUT, _O_BINARY);
    _setmode(CLI_ERRORS, _O_BINARY);
    prepare_console();
}

/* The mode is the console's, which outlives this process. */
static HANDLE colored;
static DWORD colored_mode;

static void restore_mode(void)
{
    SetConsoleMode(colored, colored_mode);
}

bool cli_enable_colors(int file)
{
    HANDLE console = (HANDLE)_get_osfhandle(file);
    DWORD mode;

    if (!GetConsoleMode(console, &mode))
        return false;
    if ((mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0)
        return true;
    if (!SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING))
        return false;
    if (colored == NULL) {
        colored = console;
        colored_mode = mode;
        atexit(restore_mode);
    }
    return true;
}

int64_t cli_file_position(int file)
{
    return GetFileType((HANDLE)_get_osfhandle(file)) == FILE_TYPE_DISK ? _lseeki64(file, 0, SEEK_CUR) : -1;
}

enum {
    CONSOLE_SIZE = 4096,
    CONTROL_Z = 26,
    EMPTY_READS = 16,    /* reads of nothing, one after the other, that are taken for the end */
    LOOK_AGAIN_MS = 10,  /* how often a pipe that does not wait is looked at */
    WRITE_SIZE = 1 << 20 /* a longer one would take as much of memory that the system cannot page out */
};

/* A line that a person has typed; one that begins with Ctrl-Z is the end. */
static long read_console(HANDLE console, void *bytes, size_t capacity)
{
    static WCHAR line[CONSOLE_SIZE];
    DWORD limit = capacity / 3 < CONSOLE_SIZE ? (DWORD)(capacity / 3) : CONSOLE_SIZE;
    DWORD size = 0;

    if (!ReadConsoleW(console, line, limit, &size, NULL))
        return uv_translate_sys_error((int)GetLastError());
    if (size == 0 || line[0] == CONTROL_Z)
        return 0;
    return WideCharToMultiByte(CP_UTF8, 0, line, (int)size, bytes, (int)capacity, NULL, NULL);
}

static bool is_non_blocking(HANDLE pipe)
{
    DWORD state = 0;

    return GetNamedPipeHandleStateW(pipe, &state, NULL, NULL, NULL, NULL, 0) && (state & PIPE_NOWAIT) != 0;
}

long cli_read_file(int file, void *bytes, size_t capacity)
{
    HANDLE handle = (HANDLE)_get_osfhandle(file);
    DWORD limit = capacity < INT32_MAX ? (DWORD)capacity : INT32_MAX;
    DWORD mode;
    DWORD size = 0;
    int empty = 0;

    if (GetConsoleMode(handle, &mode))
        return read_console(handle, bytes, capacity);
    /* An empty read of a pipe may mean that its writer has written 0 bytes, which is not the end. At the end
     * of a file, and of a Unix pipe under Wine, every read is empty: so several empty reads are the end. */
    while (empty < EMPTY_READS) {
        DWORD error = ReadFile(handle, bytes, limit, &size, NULL) ? 0 : GetLastError();

        if (error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF)
            return 0;
        if (error == ERROR_NO_DATA && is_non_blocking(handle)) {
            Sleep(LOOK_AGAIN_MS);
            continue;
        }
        if (error != 0)
            return uv_translate_sys_error((int)error);
        if (size != 0 || GetFileType(handle) != FILE_TYPE_PIPE)
            return (long)size;
        empty++;
    }
    return 0;
}

int cli_write_file(int file, const void *bytes, size_t size)
{
    HANDLE handle = (HANDLE)_get_osfhandle(file);
    const char *at = bytes;

    while (size != 0) {
        DWORD done = 0;

        if (!WriteFile(handle, at, size < WRITE_SIZE ? (DWORD)size : WRITE_SIZE, &done, NULL))
            return uv_translate_sys_error((int)GetLastError());
        /* A pipe that does not wait takes what fits in it. */
        if (done == 0)
            Sleep(LOOK_AGAIN_MS);
        at += done;
        size -= done;
    }
    return 0;
}

/* ---- a pipe without a reader ---- */

/* What the system says of a pipe, which no documented call returns without writing to it. */
struct pipe_state {
    ULONG type;
    ULONG configuration;
    ULONG maximum_instances;
    ULONG current_instances;
    ULONG inbound_quota;
    ULONG read_data_available;
    ULONG outbound_quota;
    ULONG write_quota_available;
    ULONG state;
    ULONG end;
};

enum { PIPE_LOCAL_INFORMATION = 24, STATE_CLOSING = 4, LOOK_AT_OUTPUT_MS = 100 };

typedef LONG NTAPI query_file(HANDLE file, void *status, void *information, ULONG size, int kind);

bool cli_wait_for_broken_pipe(void)
{
    HANDLE output = (HANDLE)_get_osfhandle(CLI_OUTPUT);
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    query_file *query =
        ntdll != NULL ? (query_file *)(void *)GetProcAddress(ntdll, "NtQueryInformationFile") : NULL;
    struct pipe_state pipe = {.state = 0};
    ULONG_PTR status[2];

    while (query != NULL && GetFileType(output) == FILE_TYPE_PIPE) {
        if (query(output, status, &pipe, sizeof pipe, PIPE_LOCAL_INFORMATION) < 0)
            return false;
        if (pipe.state == STATE_CLOSING)
            return true;
        Sleep(LOOK_AT_OUTPUT_MS);
    }
    return false;
}

void cli_exit_broken_pipe(int status)
{
    ExitProcess((UINT)status);
}
