#include "base/security_win32.h"

#include <stdio.h>
#include <string.h>
/* These need windows.h before them. */
#include <aclapi.h>
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

bool um_security_is_own_object(HANDLE object)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    union um_user own;
    bool is_own;

    if (!um_security_user_of(GetCurrentProcess(), &own) ||
        GetSecurityInfo(object, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL,
                        &descriptor) != ERROR_SUCCESS)
        return false;
    is_own =
        owner != NULL && (EqualSid(owner, own.token.User.Sid) || IsWellKnownSid(owner, WinLocalSystemSid));
    LocalFree(descriptor);
    return is_own;
}

DWORD um_security_integrity_of(HANDLE process)
{
    union {
        TOKEN_MANDATORY_LABEL token;
        unsigned char space[sizeof(TOKEN_MANDATORY_LABEL) + SECURITY_MAX_SID_SIZE];
    } label;
    DWORD level = SECURITY_MANDATORY_MEDIUM_RID;
    HANDLE token;
    DWORD size;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return level;
    if (GetTokenInformation(token, TokenIntegrityLevel, &label, sizeof label, &size))
        level = *GetSidSubAuthority(label.token.Label.Sid, 0);
    CloseHandle(token);
    return level;
}

static bool make_descriptor(const char *text, SECURITY_ATTRIBUTES *attributes)
{
    return ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1,
                                                                &attributes->lpSecurityDescriptor, NULL);
}

/* Writes the entry of the access list for one more user or group. */
static bool write_entry(const struct um_principal *allowed, DWORD rights, char *text, size_t capacity)
{
    char *sid;

    text[0] = '\0';
    if (allowed == NULL || !allowed->is_set)
        return true;
    if (!ConvertSidToStringSidA((PSID)(uintptr_t)allowed->sid, &sid))
        return false;
    snprintf(text, capacity, "(A;;0x%lx;;;%s)", rights, sid);
    LocalFree(sid);
    return true;
}

bool um_security_make_for(const struct um_principal *allowed, DWORD rights, SECURITY_ATTRIBUTES *attributes)
{
    enum { ENTRY_SIZE = 256, TEXT_SIZE = 5 * 192 };
    DWORD level = um_security_integrity_of(GetCurrentProcess());
    char entry[ENTRY_SIZE];
    char text[TEXT_SIZE];
    union um_user user;
    size_t length;
    char *sid;

    *attributes = (SECURITY_ATTRIBUTES){.nLength = sizeof *attributes};
    if (!write_entry(allowed, rights, entry, sizeof entry) ||
        !um_security_user_of(GetCurrentProcess(), &user) ||
        !ConvertSidToStringSidA(user.token.User.Sid, &sid))
        return false;
    if (level > SECURITY_MANDATORY_MEDIUM_RID)
        level = SECURITY_MANDATORY_MEDIUM_RID;
    /* Owner; then a protected list: all rights for SYSTEM and for the user; then the label: no reading up, no writing up. */
    snprintf(text, sizeof text, "O:%sD:P(A;;GA;;;SY)(A;;GA;;;%s)%s", sid, sid, entry);
    length = strlen(text);
    snprintf(text + length, sizeof text - length, "S:(ML;;NRNW;;;S-1-16-%lu)", level);
    LocalFree(sid);
    if (make_descriptor(text, attributes))
        return true;
    text[length] = '\0';
    return make_descriptor(text, attributes);
}

bool um_security_make(SECURITY_ATTRIBUTES *attributes)
{
    return um_security_make_for(NULL, 0, attributes);
}

void um_security_free(SECURITY_ATTRIBUTES *attributes)
{
    LocalFree(attributes->lpSecurityDescriptor);
    attributes->lpSecurityDescriptor = NULL;
}
