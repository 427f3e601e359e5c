/*
 * Sections by name, backed by the paging file and reserved as a whole: pages are committed as they are
 * needed, and no process can take them away again. A section and its name end with the last handle, so
 * nothing is ever left behind.
 *
 * Pipes are global, sections are only where the process may make global names (services and administrators);
 * else they are seen in the logon session that this process runs in.
 */
#include <windows.h>

#include "base/security_win32.h"
#include "store/memory/shared_access.h"
#include "store/memory/shm.h"

#include <bcrypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RANDOM_SIZE = 12, /* bytes in a name, as hexadecimal digits */
    NAME_CAPACITY = 64,
    FLUSH_TRIES = 1000 /* a millisecond apart */
};

struct um_shm {
    HANDLE section;
    unsigned char *start;     /* of the view */
    char *path;               /* of the file that it is; NULL: of none */
    char name[NAME_CAPACITY]; /* "Global\umemd-..." or "Local\umemd-..." */
};

static bool make_name(char name[NAME_CAPACITY], const char *space)
{
    unsigned char bytes[RANDOM_SIZE];
    size_t end = (size_t)snprintf(name, NAME_CAPACITY, "%s\\umemd-", space);

    if (BCryptGenRandom(NULL, bytes, sizeof bytes, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        end += (size_t)snprintf(name + end, NAME_CAPACITY - end, "%02x", bytes[i]);
    return true;
}

/* Makes the section. A section that has the name already is not ours. */
static HANDLE make_section(struct um_shm *shm, HANDLE file, SECURITY_ATTRIBUTES *attributes, uint64_t length)
{
    DWORD rights = file == INVALID_HANDLE_VALUE ? PAGE_READWRITE | SEC_RESERVE : PAGE_READWRITE;

    static const char *const spaces[] = {"Global", "Local"};

    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        HANDLE section;

        if (!make_name(shm->name, spaces[i]))
            return NULL;
        section =
            CreateFileMappingA(file, attributes, rights, (DWORD)(length >> 32), (DWORD)length, shm->name);
        if (section != NULL && GetLastError() != ERROR_ALREADY_EXISTS)
            return section;
        if (section != NULL)
            CloseHandle(section);
    }
    return NULL;
}

static struct um_shm *new_object(HANDLE file, uint64_t length)
{
    struct um_shm *shm;
    SECURITY_ATTRIBUTES attributes;

    if (length > (uint64_t)(PTRDIFF_MAX / 2) ||
        !um_security_make_for(um_shared_access(), UM_SECURITY_MAP, &attributes))
        return NULL;
    shm = calloc(1, sizeof *shm);
    if (shm != NULL)
        shm->section = make_section(shm, file, &attributes, length);
    um_security_free(&attributes);
    if (shm == NULL)
        return NULL;
    /* Views start at multiples of 64 KiB, which is the unit. */
    if (shm->section != NULL)
        shm->start = MapViewOfFile(shm->section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, (SIZE_T)length);
    if (shm->start == NULL) {
        um_shm_free(shm);
        return NULL;
    }
    return shm;
}

struct um_shm *um_shm_new(uint64_t length)
{
    return new_object(INVALID_HANDLE_VALUE, length);
}

static HANDLE open_file(const char *path)
{
    int size = MultiByteToWideChar(CP_UTF8, 0, path, -1, NULL, 0);
    wchar_t *wide = size > 0 ? malloc((size_t)size * sizeof *wide) : NULL;
    HANDLE file;

    if (wide == NULL)
        return INVALID_HANDLE_VALUE;
    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, size);
    file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    free(wide);
    return file;
}

/* The file has space for all of it: on NTFS, what its size says. */
struct um_shm *um_shm_open(const char *path, uint64_t length)
{
    HANDLE file = open_file(path);
    struct um_shm *shm = NULL;
    LARGE_INTEGER size;

    if (file == INVALID_HANDLE_VALUE)
        return NULL;
    if (GetFileSizeEx(file, &size) && (uint64_t)size.QuadPart >= length)
        shm = new_object(file, length);
    CloseHandle(file); /* the section keeps it */
    if (shm == NULL)
        return NULL;
    shm->path = malloc(strlen(path) + 1);
    if (shm->path == NULL) {
        um_shm_free(shm);
        return NULL;
    }
    strcpy(shm->path, path);
    return shm;
}

void um_shm_free(struct um_shm *shm)
{
    if (shm == NULL)
        return;
    if (shm->start != NULL)
        UnmapViewOfFile(shm->start);
    if (shm->section != NULL)
        CloseHandle(shm->section);
    free(shm->path);
    free(shm);
}

/* A view cannot be unmapped in pieces. */
size_t um_shm_ending(void)
{
    return 0;
}

unsigned char *um_shm_start(const struct um_shm *shm)
{
    return shm->start;
}

const char *um_shm_name(const struct um_shm *shm)
{
    return shm->name;
}

const char *um_shm_path(const struct um_shm *shm)
{
    return shm->path;
}

bool um_shm_commit(struct um_shm *shm, uint64_t offset, uint64_t size)
{
    if (shm->path != NULL)
        return true;
    return VirtualAlloc(shm->start + offset, (SIZE_T)size, MEM_COMMIT, PAGE_READWRITE) != NULL;
}

/* Pages of a section stay committed as long as it is there. */
bool um_shm_decommit(struct um_shm *shm, uint64_t offset, uint64_t size)
{
    (void)shm;
    (void)offset;
    (void)size;
    return false;
}

bool um_shm_flush(const struct um_shm *shm)
{
    BOOL flushed = FlushViewOfFile(shm->start, 0);

    /* So it answers where the system is writing some of it itself: nothing was lost. */
    for (int left = FLUSH_TRIES; !flushed && GetLastError() == ERROR_LOCK_VIOLATION && left != 0; left--) {
        Sleep(1);
        flushed = FlushViewOfFile(shm->start, 0);
    }
    return flushed;
}

bool um_shm_is_whole(const struct um_shm *shm)
{
    (void)shm;
    return true;
}

bool um_shm_check(struct um_shm *shm)
{
    return um_shm_is_whole(shm);
}

size_t um_shm_remove_stale(void)
{
    return 0;
}
