/*
 * A process may be started with no handle for a standard file, or with the value of one that it did not inherit. The next file,
 * pipe or event that it opens can get that value, and would then be read or written as if it were the standard file.
 */
#include "program.h"

#include <io.h>
#include <stdio.h>
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

/* Opens the null device as the stream, and as what children and the system's own calls take for it. */
static bool fill(DWORD number, const char *mode, FILE *stream)
{
    if (is_open(number))
        return true;
    /* Whatever has the value by now is not the standard file. */
    SetStdHandle(number, NULL);
    if (freopen("NUL", mode, stream) == NULL)
        return false;
    return SetStdHandle(number, (HANDLE)_get_osfhandle(_fileno(stream)));
}

bool um_program_fill_standard_files(void)
{
    return fill(STD_INPUT_HANDLE, "w", stdin) && fill(STD_OUTPUT_HANDLE, "r", stdout) &&
           fill(STD_ERROR_HANDLE, "r", stderr);
}

int um_program_descriptor(FILE *file)
{
    return _fileno(file);
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
