#include "cli/transfer/atomic_file.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

/* UTF-8 as UTF-16, to be freed; NULL where it is not UTF-8, or there is no memory. */
static WCHAR *to_utf16(const char *text)
{
    int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    WCHAR *wide = size > 0 ? malloc((size_t)size * sizeof *wide) : NULL;

    if (wide != NULL)
        MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, size);
    return wide;
}

/* As long as that is so, the system removes the file when it is closed, however the process ends. */
static void set_delete_on_close(HANDLE handle, bool is_deleted)
{
    FILE_DISPOSITION_INFO disposition = {.DeleteFile = is_deleted};

    SetFileInformationByHandle(handle, FileDispositionInfo, &disposition, sizeof disposition);
}

void cli_forget_temporary(void)
{
}

void cli_keep_temporary(int file)
{
    set_delete_on_close((HANDLE)_get_osfhandle(file), false);
}

/* Whether no other program has it open in a way that forbids writing. */
static bool may_be_written(const WCHAR *path)
{
    HANDLE handle = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                NULL, OPEN_EXISTING, 0, NULL);

    if (handle == INVALID_HANDLE_VALUE)
        return false;
    CloseHandle(handle);
    return true;
}

/* A link is written where it leads. */
char *cli_find_target(const char *path, const uv_stat_t *old)
{
    const DWORD special = FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE;
    WCHAR *wide = to_utf16(path);
    DWORD attributes = wide != NULL ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    bool is_new = attributes == INVALID_FILE_ATTRIBUTES && GetLastError() == ERROR_FILE_NOT_FOUND;
    bool is_replaceable = old != NULL && old->st_nlink == 1 && attributes != INVALID_FILE_ATTRIBUTES &&
                          (attributes & special) == 0 && may_be_written(wide);

    free(wide);
    return is_new || is_replaceable ? _strdup(path) : NULL;
}

int cli_create_temporary(const char *path, const uv_stat_t *old)
{
    WCHAR *wide = to_utf16(path);
    HANDLE handle;
    int error;
    int file;

    (void)old; /* its rights are kept by ReplaceFileW() */
    if (wide == NULL)
        return UV_EINVAL;
    handle = CreateFileW(wide, GENERIC_WRITE | DELETE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, CREATE_NEW,
                         FILE_ATTRIBUTE_NORMAL, NULL);
    error = uv_translate_sys_error((int)GetLastError());
    free(wide);
    if (handle == INVALID_HANDLE_VALUE)
        return error;
    set_delete_on_close(handle, true);
    file = _open_osfhandle((intptr_t)handle, _O_WRONLY | _O_BINARY | _O_NOINHERIT);
    if (file < 0)
        CloseHandle(handle);
    return file >= 0 ? file : UV_EMFILE;
}

/* The new file gets what else the old one had: its rights, say. */
int cli_replace_file(const char *temporary, const char *target)
{
    WCHAR *from = to_utf16(temporary);
    WCHAR *to = to_utf16(target);
    int error = UV_ENOMEM;

    if (from != NULL && to != NULL) {
        error = 0;
        if (!ReplaceFileW(to, from, NULL, 0, NULL, NULL) && !MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING))
            error = uv_translate_sys_error((int)GetLastError());
    }
    free(from);
    free(to);
    return error;
}
