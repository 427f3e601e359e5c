#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <windows.h>

enum { PATH_ROOM = 4096, MODE_ROOM = 8 };

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
    if (!cli_is_terminal(stdout) && !cli_is_terminal(stderr))
        return;
    if (SetConsoleOutputCP(CP_UTF8))
        atexit(restore_console);
}

void cli_prepare(void)
{
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    prepare_console();
}

bool cli_is_terminal(FILE *file)
{
    DWORD mode;

    return GetConsoleMode((HANDLE)_get_osfhandle(_fileno(file)), &mode) != 0;
}

FILE *cli_open_file(const char *path, const char *mode)
{
    WCHAR wide_path[PATH_ROOM];
    WCHAR wide_mode[MODE_ROOM];

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide_path, PATH_ROOM) == 0 ||
        MultiByteToWideChar(CP_UTF8, 0, mode, -1, wide_mode, MODE_ROOM) == 0) {
        errno = EINVAL;
        return NULL;
    }
    return _wfopen(wide_path, wide_mode);
}

bool cli_file_size(FILE *file, uint64_t *size)
{
    HANDLE handle = (HANDLE)_get_osfhandle(_fileno(file));
    long long at = _ftelli64(file);
    LARGE_INTEGER whole;

    if (GetFileType(handle) != FILE_TYPE_DISK || at < 0 || !GetFileSizeEx(handle, &whole))
        return false;
    *size = whole.QuadPart > at ? (uint64_t)(whole.QuadPart - at) : 0;
    return true;
}
