/*
 * A process may be started with no handle for a standard file, or with the value of one that it did not inherit. The next file,
 * pipe or event that it opens can get that value, and would then be read or written as if it were the standard file.
 */
#include "program/program.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <windows.h>
/* Needs windows.h before it. */
#include <shellapi.h>

static bool is_open(DWORD number)
{
    HANDLE handle = GetStdHandle(number);

    SetLastError(NO_ERROR);
    return handle != NULL && handle != INVALID_HANDLE_VALUE &&
           (GetFileType(handle) != FILE_TYPE_UNKNOWN || GetLastError() == NO_ERROR);
}

/* Opens the null device as the descriptor, and as what the system's own calls and children take for it. The C library's stream of
 * that name knows that it has none, and fails by itself. */
static bool fill(DWORD number, int descriptor, int way)
{
    int opened;

    if (is_open(number))
        return true;
    /* Whatever has the value by now is not the standard file. */
    SetStdHandle(number, NULL);
    opened = _open("NUL", way | _O_BINARY);
    if (opened < 0)
        return false;
    if (opened != descriptor) {
        int error = _dup2(opened, descriptor);

        _close(opened);
        if (error != 0)
            return false;
    }
    return SetStdHandle(number, (HANDLE)_get_osfhandle(descriptor));
}

bool um_program_fill_standard_files(void)
{
    return fill(STD_INPUT_HANDLE, 0, _O_WRONLY) && fill(STD_OUTPUT_HANDLE, 1, _O_RDONLY) &&
           fill(STD_ERROR_HANDLE, 2, _O_RDONLY);
}

static char *to_utf8(const WCHAR *wide)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = size > 0 ? malloc((size_t)size) : NULL;

    if (text != NULL)
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
    return text;
}

char **um_program_arguments(int *count, char **arguments)
{
    int wide_count = 0;
    WCHAR **wide = CommandLineToArgvW(GetCommandLineW(), &wide_count);
    char **words = wide != NULL ? calloc((size_t)wide_count + 1, sizeof *words) : NULL;

    for (int i = 0; words != NULL && i < wide_count; i++) {
        words[i] = to_utf8(wide[i]);
        if (words[i] == NULL)
            words = NULL;
    }
    LocalFree(wide);
    if (words == NULL)
        return arguments;
    *count = wide_count;
    return words;
}
