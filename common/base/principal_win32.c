#include "base/principal.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>
/* Needs windows.h before it. */
#include <sddl.h>

#include "umem_errors.h"

_Static_assert((int)UM_PRINCIPAL_SID_SIZE == (int)SECURITY_MAX_SID_SIZE, "any SID has its place");

enum { WIDE_SIZE = 256 };

/* "S-1-..." as a SID. */
static bool read_sid(const char *text, struct um_principal *principal)
{
    PSID sid;
    BOOL copied;

    if (strncmp(text, "S-1-", 4) != 0 || !ConvertStringSidToSidA(text, &sid))
        return false;
    copied = CopySid(sizeof principal->sid, principal->sid, sid);
    LocalFree(sid);
    return copied;
}

/* The SID of a name. Returns 0 or a Windows error. */
static DWORD look_up(const char *text, struct um_principal *principal)
{
    WCHAR name[WIDE_SIZE];
    WCHAR domain[WIDE_SIZE];
    DWORD domain_size = WIDE_SIZE;
    DWORD size = sizeof principal->sid;
    SID_NAME_USE use;

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, name, WIDE_SIZE) == 0 ||
        !LookupAccountNameW(NULL, name, principal->sid, &size, domain, &domain_size, &use))
        return GetLastError();
    return use == SidTypeDomain || use == SidTypeComputer ? ERROR_NONE_MAPPED : 0;
}

static int find(const char *kind, const char *text, struct um_principal *principal, char *why,
                size_t capacity)
{
    struct um_principal made = {.is_set = true};
    DWORD error;

    if (text[0] == '\0' || strlen(text) >= sizeof made.name) {
        snprintf(why, capacity,
                 text[0] == '\0' ? "the name of the %s is empty" : "the name of the %s is too long", kind);
        return UMEM_E_BAD_ARGUMENT;
    }
    error = read_sid(text, &made) ? 0 : look_up(text, &made);
    if (error == ERROR_NONE_MAPPED || error == ERROR_INVALID_PARAMETER ||
        error == ERROR_INVALID_ACCOUNT_NAME || error == ERROR_NO_UNICODE_TRANSLATION)
        snprintf(why, capacity, "there is no %s %s on this system; whoami /groups prints names and SIDs",
                 kind, text);
    else if (error != 0)
        snprintf(why, capacity, "the %s %s cannot be looked up: Windows error %lu", kind, text, error);
    if (error != 0)
        return UMEM_E_BAD_ARGUMENT;
    strcpy(made.name, text);
    *principal = made;
    return UMEM_OK;
}

int um_principal_find_user(const char *text, struct um_principal *principal, char *why, size_t capacity)
{
    return find("user", text, principal, why, capacity);
}

/* Who is everybody is nobody in particular. */
int um_principal_find_group(const char *text, struct um_principal *principal, char *why, size_t capacity)
{
    static const WELL_KNOWN_SID_TYPE refused[] = {WinWorldSid, WinAnonymousSid, WinNetworkSid, WinNullSid};
    struct um_principal made;
    int code = find("user or group", text, &made, why, capacity);

    if (code != UMEM_OK)
        return code;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (IsWellKnownSid(made.sid, refused[i])) {
            snprintf(why, capacity,
                     "%s is everybody, or nobody who can be told; name a group of those who are to be let in",
                     text);
            return UMEM_E_BAD_ARGUMENT;
        }
    }
    *principal = made;
    return UMEM_OK;
}

bool um_principal_is_sid(void)
{
    return true;
}
