/*
 * Who owns what on Windows: the user and the integrity of a process, and the rights that let only that user and SYSTEM in, and
 * no program of lower integrity.
 *
 * Owns: nothing that lasts. Must not know: pipes, libuv.
 */
#ifndef UM_SECURITY_WIN32_H
#define UM_SECURITY_WIN32_H

#include <stdbool.h>
#include <windows.h>

#include "base/principal.h"

/* A user: a TOKEN_USER and the SID that it points to. */
union um_user {
    TOKEN_USER token;
    unsigned char space[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

/* Reads the user of a process (GetCurrentProcess(), or one opened with PROCESS_QUERY_LIMITED_INFORMATION). */
bool um_security_user_of(HANDLE process, union um_user *user);

/* Whether an open object is owned by this process's user or by SYSTEM. No process can name another user as the owner. */
bool um_security_is_own_object(HANDLE object);

/* The integrity of a process, as a SECURITY_MANDATORY_..._RID: the higher, the more is it trusted. Medium where it may not be asked
 * for. */
DWORD um_security_integrity_of(HANDLE process);

/* Makes attributes for a new object: protected, owned by this process's user, with all rights for that user and SYSTEM and none for
 * others. The user is named by SID, because an administrator's default owner is the whole group.
 *
 * The label says that programs of less than medium integrity (in a sandbox) may neither write nor read, and so that all others of the
 * user may, however high the integrity of this process is: it needs no privilege. A process that is itself below medium gives its own
 * level. A system that knows no labels gives none.
 *
 * Free with um_security_free(). On failure GetLastError() tells. */
bool um_security_make(SECURITY_ATTRIBUTES *attributes);

/* The same, and gives one more user or group these rights; NULL, or one that is not set: nobody. */
bool um_security_make_for(const struct um_principal *allowed, DWORD rights, SECURITY_ATTRIBUTES *attributes);

/* Rights for um_security_make_for(). What connects to a pipe: to read and write, but not to make another instance of it, which FILE_GENERIC_WRITE
 * has in it (FILE_APPEND_DATA), and with which somebody else could serve its clients. What maps a section. */
enum {
    UM_SECURITY_CONNECT = FILE_GENERIC_READ | (FILE_GENERIC_WRITE & ~FILE_APPEND_DATA),
    UM_SECURITY_MAP = READ_CONTROL | SECTION_QUERY | SECTION_MAP_READ | SECTION_MAP_WRITE
};
void um_security_free(SECURITY_ATTRIBUTES *attributes);

#endif
