/*
 * Flushing a view does not write the file to the disk, and closing it does not either: FlushFileBuffers() does. The names of files are
 * kept by NTFS itself, in its own journal.
 */
#include <windows.h>

#include "base/security_win32.h"
#include "store/journal/state_directory.h"

#include <aclapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "umem_errors.h"

enum { TEXT_SIZE = 256, PATH_LIMIT = 32767, DISK_QUOTA_EXCEEDED = 1295 /* which older headers lack */ };

struct um_state_directory {
    struct um_files files;      /* first: the functions below come back from it */
    HANDLE handle;              /* of the directory, so that it stays where it is; NULL: none */
    HANDLE lock;                /* of the file `lock`, which no other process may open; NULL: none */
    wchar_t *wide;              /* absolute path */
    char *path;                 /* the same, UTF-8 */
    SECURITY_ATTRIBUTES rights; /* of new files */
    bool has_rights;            /* `rights` is to be freed */
};

struct um_file {
    HANDLE handle;
};

static enum um_file_status status_of(DWORD error)
{
    switch (error) {
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case DISK_QUOTA_EXCEEDED:
        return UM_FILE_NO_SPACE;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return UM_FILE_NOT_THERE;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
        return UM_FILE_EXISTS;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
    case ERROR_WRITE_PROTECT:
        return UM_FILE_DENIED;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_TOO_MANY_OPEN_FILES:
        return UM_FILE_NO_MEMORY;
    default:
        return UM_FILE_FAILED;
    }
}

static enum um_file_status last_status(void)
{
    return status_of(GetLastError());
}

/* UTF-8 into a new wide string, or NULL. */
static wchar_t *widen(const char *text)
{
    int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide = size > 0 ? malloc((size_t)size * sizeof *wide) : NULL;

    if (wide != NULL)
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, size);
    return wide;
}

static char *narrow(const wchar_t *wide)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = size > 0 ? malloc((size_t)size) : NULL;

    if (text != NULL)
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
    return text;
}

/* A path in the directory; the names are plain ASCII. */
static wchar_t *path_of(const struct um_state_directory *directory, const char *name)
{
    size_t before = wcslen(directory->wide);
    size_t size = strlen(name);
    wchar_t *path = malloc((before + 1 + size + 1) * sizeof *path);

    if (path == NULL)
        return NULL;
    memcpy(path, directory->wide, before * sizeof *path);
    path[before] = L'\\';
    for (size_t i = 0; i <= size; i++)
        path[before + 1 + i] = (wchar_t)(unsigned char)name[i];
    return path;
}

static struct um_state_directory *directory_of(struct um_files *files)
{
    return (struct um_state_directory *)(void *)files;
}

/* ---- files ---- */

static enum um_file_status open_file(struct um_files *files, const char *name, DWORD how,
                                     struct um_file **file)
{
    struct um_state_directory *directory = directory_of(files);
    wchar_t *path = path_of(directory, name);
    struct um_file *made = malloc(sizeof *made);
    enum um_file_status status = UM_FILE_OK;

    if (path == NULL || made == NULL) {
        status = UM_FILE_NO_MEMORY;
    } else {
        /* A file of bytes may be mapped, by programs that had it from a daemon before. The lock keeps other daemons out. */
        made->handle = CreateFileW(path, GENERIC_READ | GENERIC_WRITE,
                                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &directory->rights,
                                   how, FILE_FLAG_OPEN_REPARSE_POINT, NULL);
        if (made->handle == INVALID_HANDLE_VALUE)
            status = last_status();
    }
    free(path);
    if (status != UM_FILE_OK)
        free(made);
    else
        *file = made;
    return status;
}

static enum um_file_status create_file(struct um_files *files, const char *name, struct um_file **file)
{
    return open_file(files, name, CREATE_NEW, file);
}

static enum um_file_status open_present(struct um_files *files, const char *name, struct um_file **file)
{
    return open_file(files, name, OPEN_EXISTING, file);
}

static void close_file(struct um_file *file)
{
    CloseHandle(file->handle);
    free(file);
}

static enum um_file_status get_size(struct um_file *file, uint64_t *size)
{
    LARGE_INTEGER found;

    if (!GetFileSizeEx(file->handle, &found))
        return last_status();
    *size = (uint64_t)found.QuadPart;
    return UM_FILE_OK;
}

static OVERLAPPED place_at(uint64_t offset)
{
    OVERLAPPED place;

    memset(&place, 0, sizeof place);
    place.Offset = (DWORD)offset;
    place.OffsetHigh = (DWORD)(offset >> 32);
    return place;
}

enum { PIECE = 1 << 24 /* bytes in one read or write */ };

static enum um_file_status read_file(struct um_file *file, uint64_t offset, void *bytes, size_t size)
{
    char *to = bytes;

    while (size != 0) {
        OVERLAPPED place = place_at(offset);
        DWORD got;

        if (!ReadFile(file->handle, to, size < PIECE ? (DWORD)size : PIECE, &got, &place))
            return last_status();
        if (got == 0)
            return UM_FILE_FAILED;
        to += got;
        offset += got;
        size -= got;
    }
    return UM_FILE_OK;
}

static enum um_file_status write_file(struct um_file *file, uint64_t offset, const void *bytes, size_t size)
{
    const char *from = bytes;

    while (size != 0) {
        OVERLAPPED place = place_at(offset);
        DWORD done;

        if (!WriteFile(file->handle, from, size < PIECE ? (DWORD)size : PIECE, &done, &place))
            return last_status();
        if (done == 0)
            return UM_FILE_FAILED;
        from += done;
        offset += done;
        size -= done;
    }
    return UM_FILE_OK;
}

/* Moving the end takes space at once, and what is added reads as zeros. */
static enum um_file_status reserve(struct um_file *file, uint64_t size)
{
    FILE_END_OF_FILE_INFO end = {.EndOfFile = {.QuadPart = (LONGLONG)size}};
    uint64_t present = 0;
    enum um_file_status status = get_size(file, &present);

    if (status != UM_FILE_OK || size <= present)
        return status;
    if (!SetFileInformationByHandle(file->handle, FileEndOfFileInfo, &end, sizeof end))
        return last_status();
    return UM_FILE_OK;
}

static enum um_file_status sync_file(struct um_file *file)
{
    return FlushFileBuffers(file->handle) ? UM_FILE_OK : last_status();
}

static enum um_file_status remove_file(struct um_files *files, const char *name)
{
    wchar_t *path = path_of(directory_of(files), name);
    enum um_file_status status = UM_FILE_NO_MEMORY;

    if (path != NULL)
        status = DeleteFileW(path) ? UM_FILE_OK : last_status();
    free(path);
    return status;
}

static enum um_file_status sync_names(struct um_files *files)
{
    (void)files;
    return UM_FILE_OK;
}

static enum um_file_status list(struct um_files *files, void (*each)(void *context, const char *name),
                                void *context)
{
    wchar_t *pattern = path_of(directory_of(files), "*");
    WIN32_FIND_DATAW entry;
    HANDLE search;
    DWORD error;

    if (pattern == NULL)
        return UM_FILE_NO_MEMORY;
    search = FindFirstFileW(pattern, &entry);
    free(pattern);
    if (search == INVALID_HANDLE_VALUE)
        return last_status();
    do {
        char *name = narrow(entry.cFileName);

        if (name == NULL) {
            FindClose(search);
            return UM_FILE_NO_MEMORY;
        }
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            each(context, name);
        free(name);
    } while (FindNextFileW(search, &entry));
    error = GetLastError();
    FindClose(search);
    return error == ERROR_NO_MORE_FILES ? UM_FILE_OK : status_of(error);
}

static const struct um_files_ops ops = {
    .create = create_file,
    .open = open_present,
    .close = close_file,
    .get_size = get_size,
    .read = read_file,
    .write = write_file,
    .reserve = reserve,
    .set_size = reserve,
    .sync = sync_file,
    .remove = remove_file,
    .sync_names = sync_names,
    .list = list,
};

/* ---- the directory ---- */

static void describe(DWORD error, char text[TEXT_SIZE])
{
    snprintf(text, TEXT_SIZE, "error %lu", (unsigned long)error);
    FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                   NULL, error, 0, text, TEXT_SIZE, NULL);
}

static int fail(const char *path, const char *what, char *why, size_t capacity)
{
    char text[TEXT_SIZE];

    describe(GetLastError(), text);
    snprintf(why, capacity, "the state directory %s %s: %s", path, what, text);
    return UMEM_E_DENIED;
}

/* Whether the directory is this user's, or the administrators', as what an elevated process makes is. */
static int check_owner(const struct um_state_directory *directory, const char *path, char *why,
                       size_t capacity)
{
    unsigned char administrators[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof administrators;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    union um_user user;
    bool is_own;

    if (GetSecurityInfo(directory->handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL,
                        NULL, &descriptor) != ERROR_SUCCESS ||
        !um_security_user_of(GetCurrentProcess(), &user))
        return fail(path, "cannot be looked at", why, capacity);
    is_own = EqualSid(owner, user.token.User.Sid) ||
             (CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &size) &&
              EqualSid(owner, administrators));
    LocalFree(descriptor);
    if (is_own)
        return UMEM_OK;
    snprintf(
        why, capacity,
        "the state directory %s belongs to another user, who could change what is in it; name a directory of "
        "your own",
        path);
    return UMEM_E_DENIED;
}

static wchar_t *absolute(const char *path)
{
    wchar_t *wide = widen(path);
    wchar_t *whole = malloc(PATH_LIMIT * sizeof *whole);
    DWORD size = 0;

    if (wide != NULL && whole != NULL)
        size = GetFullPathNameW(wide, PATH_LIMIT, whole, NULL);
    free(wide);
    if (size != 0 && size < PATH_LIMIT)
        return whole;
    free(whole);
    return NULL;
}

static int open_directory(struct um_state_directory *directory, const char *path, bool makes, char *why,
                          size_t capacity)
{
    FILE_ATTRIBUTE_TAG_INFO facts;

    if (makes && !CreateDirectoryW(directory->wide, &directory->rights) &&
        GetLastError() != ERROR_ALREADY_EXISTS)
        return fail(path, "cannot be made", why, capacity);
    directory->handle =
        CreateFileW(directory->wide, FILE_READ_ATTRIBUTES | READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (directory->handle == INVALID_HANDLE_VALUE) {
        directory->handle = NULL;
        return fail(path, "cannot be opened", why, capacity);
    }
    if (!GetFileInformationByHandleEx(directory->handle, FileAttributeTagInfo, &facts, sizeof facts))
        return fail(path, "cannot be looked at", why, capacity);
    if ((facts.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 ||
        (facts.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
        snprintf(why, capacity, "the state directory %s is %s; name a directory", path,
                 (facts.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ? "no directory"
                                                                        : "a link, which may lead elsewhere");
        return UMEM_E_DENIED;
    }
    return check_owner(directory, path, why, capacity);
}

/* No other process may open the file: that ends with this one, however it ends. */
static int lock_directory(struct um_state_directory *directory, const char *path, char *why, size_t capacity)
{
    wchar_t *name = path_of(directory, "lock");
    HANDLE lock;

    if (name == NULL)
        return UMEM_E_NO_MEMORY;
    lock = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, &directory->rights, OPEN_ALWAYS,
                       FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    free(name);
    if (lock != INVALID_HANDLE_VALUE) {
        directory->lock = lock;
        return UMEM_OK;
    }
    if (GetLastError() != ERROR_SHARING_VIOLATION)
        return fail(path, "cannot be locked", why, capacity);
    snprintf(why, capacity, "another process has the state directory %s; end it, or name another directory",
             path);
    return UMEM_E_NAME_TAKEN;
}

/* The file that is locked says nothing, as nobody may read it. */
int64_t um_state_directory_holder(const char *path)
{
    (void)path;
    return 0;
}

/* A section is opened by its name, which needs no rights on its file. */
void um_state_directory_allow(const struct um_principal *group)
{
    (void)group;
}

int um_state_directory_open(const char *path, bool makes, struct um_state_directory **directory, char *why,
                            size_t capacity)
{
    struct um_state_directory *made = calloc(1, sizeof *made);
    int code = UMEM_E_NO_MEMORY;

    snprintf(why, capacity, "no memory");
    if (made == NULL)
        return code;
    made->files.ops = &ops;
    made->has_rights = um_security_make(&made->rights);
    made->wide = absolute(path);
    made->path = made->wide != NULL ? narrow(made->wide) : NULL;
    if (made->has_rights && made->path != NULL)
        code = open_directory(made, path, makes, why, capacity);
    if (code == UMEM_OK)
        code = lock_directory(made, path, why, capacity);
    if (code != UMEM_OK) {
        um_state_directory_close(made);
        return code;
    }
    *directory = made;
    return UMEM_OK;
}

void um_state_directory_close(struct um_state_directory *directory)
{
    if (directory == NULL)
        return;
    if (directory->lock != NULL)
        CloseHandle(directory->lock);
    if (directory->handle != NULL)
        CloseHandle(directory->handle);
    if (directory->has_rights)
        um_security_free(&directory->rights);
    free(directory->wide);
    free(directory->path);
    free(directory);
}

struct um_files *um_state_directory_files(struct um_state_directory *directory)
{
    return &directory->files;
}

const char *um_state_directory_path(const struct um_state_directory *directory)
{
    return directory->path;
}
