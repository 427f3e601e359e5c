#include "cli/transfer/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "cli/output/output.h"
#include "cli/system/file_io.h"
#include "cli/system/utf16.h"

enum { TRIES = 100, MARK_ROOM = 48 };

static void release(struct cli_atomic_file *file)
{
    free(file->temporary);
    free(file->target);
    file->temporary = NULL;
    file->target = NULL;
}

static bool fail(void)
{
    switch (GetLastError()) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        errno = ENOENT;
        break;
    case ERROR_INVALID_NAME:
        errno = EINVAL;
        break;
    case ERROR_DISK_FULL:
        errno = ENOSPC;
        break;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
        errno = EACCES;
        break;
    default:
        errno = EIO;
    }
    return false;
}

/* As long as it is not finished, the system takes it away when it is closed, however the process ends. */
static bool set_fleeting(HANDLE handle, bool is_fleeting)
{
    FILE_DISPOSITION_INFO disposition = {.DeleteFile = is_fleeting};

    return SetFileInformationByHandle(handle, FileDispositionInfo, &disposition, sizeof disposition) != 0;
}

static bool take_handle(struct cli_atomic_file *file, HANDLE handle)
{
    file->file = _open_osfhandle((intptr_t)handle, _O_WRONLY | _O_BINARY | _O_NOINHERIT);
    if (file->file < 0)
        CloseHandle(handle);
    return file->file >= 0;
}

/* Makes the temporary file beside its place. Returns whether it is there. */
static bool make_beside(struct cli_atomic_file *file)
{
    size_t room = wcslen(file->target) + MARK_ROOM;
    WCHAR *temporary = malloc(room * sizeof *temporary);
    HANDLE handle = INVALID_HANDLE_VALUE;

    file->temporary = temporary;
    for (int i = 0; temporary != NULL && i < TRIES && handle == INVALID_HANDLE_VALUE; i++) {
        _snwprintf(temporary, room, L"%ls.umem-%lx-%x", (WCHAR *)file->target, GetCurrentProcessId(), i);
        handle = CreateFileW(temporary, GENERIC_WRITE | DELETE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                             CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
        if (handle == INVALID_HANDLE_VALUE && GetLastError() != ERROR_FILE_EXISTS)
            return false;
    }
    if (handle == INVALID_HANDLE_VALUE)
        return false;
    set_fleeting(handle, true);
    return take_handle(file, handle);
}

/* Opens what is written where it is, and tells what it is: a file of a disk, or none. An old file keeps its bytes. */
static bool open_in_place(struct cli_atomic_file *file, const WCHAR *path)
{
    HANDLE handle = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS,
                                FILE_ATTRIBUTE_NORMAL, NULL);

    if (handle == INVALID_HANDLE_VALUE)
        return fail();
    file->is_uncut = GetFileType(handle) == FILE_TYPE_DISK;
    return take_handle(file, handle);
}

/* Whether the path names a file of which there may be one beside it: a new one, or an old one that is no link. An old one must
 * be writable, which opening it has shown. */
static bool is_replaceable(HANDLE old)
{
    BY_HANDLE_FILE_INFORMATION facts;

    return GetFileType(old) == FILE_TYPE_DISK && GetFileInformationByHandle(old, &facts) &&
           facts.nNumberOfLinks == 1 && (facts.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0;
}

static bool may_replace(const WCHAR *path)
{
    DWORD attributes = GetFileAttributesW(path);
    HANDLE old;
    bool is_possible;

    if (attributes == INVALID_FILE_ATTRIBUTES)
        return GetLastError() == ERROR_FILE_NOT_FOUND;
    if ((attributes & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_READONLY)) !=
        0)
        return false;
    old = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                      OPEN_EXISTING, 0, NULL);
    is_possible = old != INVALID_HANDLE_VALUE && is_replaceable(old);
    if (old != INVALID_HANDLE_VALUE)
        CloseHandle(old);
    return is_possible;
}

bool cli_atomic_file_open(struct cli_atomic_file *file, const char *path)
{
    WCHAR *wide;
    bool is_open;

    *file = (struct cli_atomic_file){.file = CLI_OUTPUT, .is_foreign = true};
    if (path == NULL || strcmp(path, "-") == 0)
        return true;
    *file = (struct cli_atomic_file){.file = -1};
    wide = cli_utf16_from_utf8(path);
    if (wide == NULL) {
        errno = EINVAL;
        return false;
    }
    if (may_replace(wide))
        file->target = _wcsdup(wide);
    is_open = file->target != NULL && make_beside(file);
    if (!is_open) {
        release(file);
        is_open = open_in_place(file, wide);
    }
    free(wide);
    return is_open;
}

static bool cut(struct cli_atomic_file *file)
{
    if (file->is_uncut && !SetEndOfFile((HANDLE)_get_osfhandle(file->file)))
        return fail();
    file->is_uncut = false;
    return true;
}

bool cli_atomic_file_write(struct cli_atomic_file *file, const void *bytes, size_t size)
{
    if (file->is_foreign && !cli_flush())
        return false;
    return cut(file) && cli_write_file(file->file, bytes, size);
}

/* The new file gets what else the old one had: its rights, say. */
static bool replace(const struct cli_atomic_file *file)
{
    if (ReplaceFileW(file->target, file->temporary, NULL, 0, NULL, NULL))
        return true;
    return MoveFileExW(file->temporary, file->target, MOVEFILE_REPLACE_EXISTING) != 0 || fail();
}

bool cli_atomic_file_commit(struct cli_atomic_file *file)
{
    bool is_done = cut(file);
    int reason;

    if (file->is_foreign)
        return true;
    if (is_done && file->target != NULL)
        set_fleeting((HANDLE)_get_osfhandle(file->file), false);
    is_done = is_done && _close(file->file) == 0;
    file->file = -1;
    if (is_done && file->target != NULL)
        is_done = replace(file);
    reason = errno;
    if (!is_done)
        cli_atomic_file_discard(file);
    release(file);
    errno = reason;
    return is_done;
}

void cli_atomic_file_discard(struct cli_atomic_file *file)
{
    if (!file->is_foreign && file->file >= 0)
        _close(file->file);
    if (file->temporary != NULL)
        DeleteFileW(file->temporary);
    release(file);
    *file = (struct cli_atomic_file){.file = -1};
}
