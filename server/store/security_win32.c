#include "security_win32.h"

#include <stdio.h>
/* Needs windows.h before it. */
#include <sddl.h>

bool um_security_user_of(HANDLE process, union um_user *user)
{
    HANDLE token;
    DWORD size;
    BOOL read;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return false;
    read = GetTokenInformation(token, TokenUser, user, sizeof *user, &size);
    CloseHandle(token);
    return read;
}

bool um_security_make(SECURITY_ATTRIBUTES *attributes)
{
    char text[3 * 192];
    union um_user user;
    char *sid;

    *attributes = (SECURITY_ATTRIBUTES){.nLength = sizeof *attributes};
    if (!um_security_user_of(GetCurrentProcess(), &user) ||
        !ConvertSidToStringSidA(user.token.User.Sid, &sid))
        return false;
    /* Owner; then a protected list: all rights for SYSTEM and for the user. */
    snprintf(text, sizeof text, "O:%sD:P(A;;GA;;;SY)(A;;GA;;;%s)", sid, sid);
    LocalFree(sid);
    return ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1,
                                                                &attributes->lpSecurityDescriptor, NULL);
}

void um_security_free(SECURITY_ATTRIBUTES *attributes)
{
    LocalFree(attributes->lpSecurityDescriptor);
    attributes->lpSecurityDescriptor = NULL;
}
