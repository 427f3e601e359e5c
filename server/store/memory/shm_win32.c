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
#include "store/memory/shm.h"

#include <bcrypt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RANDOM_SIZE = 12, /* bytes in a name, as hexadecimal digits */
    NAME_CAPACITY = 64
};

struct um_shm {
    HANDLE section;
    unsigned char *start;     /* of the view */
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
static HANDLE make_section(struct um_shm *shm, SECURITY_ATTRIBUTES *attributes, uint64_t length)
{
    static const char *const spaces[] = {"Global", "Local"};

    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        HANDLE section;

        if (!make_name(shm->name, spaces[i]))
            return NULL;
        section = CreateFileMappingA(INVALID_HANDLE_VALUE, attributes, PAGE_READWRITE | SEC_RESERVE,
                                     (DWORD)(length >> 32), (DWORD)length, shm->name);
        if (section != NULL && GetLastError() != ERROR_ALREADY_EXISTS)
            return section;
        if (section != NULL)
            CloseHandle(section);
    }
    return NULL;
}

struct um_shm *um_shm_new(uint64_t length)
{
    struct um_shm *shm;
    SECURITY_ATTRIBUTES attributes;

    if (length > (uint64_t)(PTRDIFF_MAX / 2) || !um_security_make(&attributes))
        return NULL;
    shm = calloc(1, sizeof *shm);
    if (shm != NULL)
        shm->section = make_section(shm, &attributes, length);
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

void um_shm_free(struct um_shm *shm)
{
    if (shm == NULL)
        return;
    if (shm->start != NULL)
        UnmapViewOfFile(shm->start);
    if (shm->section != NULL)
        CloseHandle(shm->section);
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
    (void)shm;
    return NULL;
}

bool um_shm_commit(struct um_shm *shm, uint64_t offset, uint64_t size)
{
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
