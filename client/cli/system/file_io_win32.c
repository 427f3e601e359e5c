#include "cli/system/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <windows.h>

#include "cli/system/utf16.h"
#include "cli/table/verb.h"

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

bool cli_is_terminal(int file)
{
    DWORD mode;

    return GetConsoleMode((HANDLE)_get_osfhandle(file), &mode) != 0;
}

int cli_open_file(const char *path)
{
    WCHAR *wide = cli_utf16_from_utf8(path);
    int file = -1;

    if (wide == NULL)
        errno = EINVAL;
    else
        file = _wopen(wide, _O_RDONLY | _O_BINARY | _O_NOINHERIT);
    free(wide);
    return file;
}

void cli_close_file(int file)
{
    if (file >= 0)
        _close(file);
}

bool cli_file_size(int file, uint64_t *size)
{
    HANDLE handle = (HANDLE)_get_osfhandle(file);
    long long at = _lseeki64(file, 0, SEEK_CUR);
    LARGE_INTEGER whole;

    if (GetFileType(handle) != FILE_TYPE_DISK || at < 0 || !GetFileSizeEx(handle, &whole) ||
        whole.QuadPart == 0)
        return false;
    *size = whole.QuadPart > at ? (uint64_t)(whole.QuadPart - at) : 0;
    return true;
}

/* errno is what failures are told by. */
static void set_errno(DWORD error)
{
    switch (error) {
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
        errno = EPIPE;
        break;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
        errno = ENOSPC;
        break;
    case ERROR_ACCESS_DENIED:
        errno = EACCES;
        break;
    case ERROR_INVALID_HANDLE:
        errno = EBADF;
        break;
    default:
        errno = EIO;
    }
}

enum {
    CONSOLE_ROOM = 4096,
    CONTROL_Z = 26,
    EMPTY_READS = 16,    /* reads of nothing, one after the other, that are taken for the end */
    LOOK_AGAIN_MS = 10,  /* how often a pipe that does not wait is looked at */
    WRITE_SIZE = 1 << 20 /* a longer one would take as much of memory that the system cannot page out */
};

/* A line that a person has typed; one that begins with Ctrl-Z is the end. */
static long read_console(HANDLE console, void *bytes, size_t room)
{
    static WCHAR line[CONSOLE_ROOM];
    DWORD limit = room / 3 < CONSOLE_ROOM ? (DWORD)(room / 3) : CONSOLE_ROOM;
    DWORD size = 0;

    if (!ReadConsoleW(console, line, limit, &size, NULL)) {
        set_errno(GetLastError());
        return -1;
    }
    if (size == 0 || line[0] == CONTROL_Z)
        return 0;
    return WideCharToMultiByte(CP_UTF8, 0, line, (int)size, bytes, (int)room, NULL, NULL);
}

static bool is_non_blocking(HANDLE pipe)
{
    DWORD state = 0;

    return GetNamedPipeHandleStateW(pipe, &state, NULL, NULL, NULL, NULL, 0) && (state & PIPE_NOWAIT) != 0;
}

long cli_read_file(int file, void *bytes, size_t room)
{
    HANDLE handle = (HANDLE)_get_osfhandle(file);
    DWORD limit = room < INT32_MAX ? (DWORD)room : INT32_MAX;
    DWORD mode;
    DWORD size = 0;
    int empty = 0;

    if (GetConsoleMode(handle, &mode))
        return read_console(handle, bytes, room);
    /* A pipe whose writer has written nothing gives nothing, which is not its end; a file's end is, and so is what Wine makes
     * of the end of a Unix pipe, which would give nothing for ever. */
    while (empty < EMPTY_READS) {
        DWORD error = ReadFile(handle, bytes, limit, &size, NULL) ? 0 : GetLastError();

        if (error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF)
            return 0;
        if (error == ERROR_NO_DATA && is_non_blocking(handle)) {
            Sleep(LOOK_AGAIN_MS);
            continue;
        }
        if (error != 0) {
            set_errno(error);
            return -1;
        }
        if (size != 0 || GetFileType(handle) != FILE_TYPE_PIPE)
            return (long)size;
        empty++;
    }
    return 0;
}

bool cli_write_file(int file, const void *bytes, size_t size)
{
    HANDLE handle = (HANDLE)_get_osfhandle(file);
    const char *at = bytes;

    while (size != 0) {
        DWORD done = 0;

        if (!WriteFile(handle, at, size < WRITE_SIZE ? (DWORD)size : WRITE_SIZE, &done, NULL)) {
            set_errno(GetLastError());
            return false;
        }
        /* A pipe that does not wait takes what it has room for. */
        if (done == 0)
            Sleep(LOOK_AGAIN_MS);
        at += done;
        size -= done;
    }
    return true;
}

/* ---- output that nobody reads ---- */

/* What the system says of a pipe, which no documented call tells without writing to it. */
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

void cli_exit_broken_pipe(void)
{
    ExitProcess(CLI_FAILED);
}
