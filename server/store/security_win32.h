/*
 * Who owns what on Windows: the user of a process, and the access list that lets only that user and SYSTEM
 * in.
 *
 * Owns: nothing that lasts. Must not know: pipes, libuv.
 */
#ifndef UM_SECURITY_WIN32_H
#define UM_SECURITY_WIN32_H

#include <stdbool.h>
#include <windows.h>

/* A user: a TOKEN_USER and the SID that it points to. */
union um_user {
    TOKEN_USER token;
    unsigned char space[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

/* Reads the user of a process (GetCurrentProcess(), or one opened with PROCESS_QUERY_LIMITED_INFORMATION). */
bool um_security_user_of(HANDLE process, union um_user *user);

/* Makes attributes for a new object: protected, owned by this process's user, with all rights for that
 * user and SYSTEM and none for others. The user is named by SID, because an administrator's default owner
 * is the whole group. Free with um_security_free(). On failure GetLastError() tells. */
bool um_security_make(SECURITY_ATTRIBUTES *attributes);
void um_security_free(SECURITY_ATTRIBUTES *attributes);

#endif
