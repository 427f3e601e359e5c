#include "net/listener/identity.h"

#include <stdio.h>
#include <string.h>

#include "base/security_win32.h"

enum { PATH_ROOM = 32768 / 8 };

static void to_utf8(const WCHAR *wide, char *out, size_t capacity)
{
    if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, out, (int)capacity, NULL, NULL) == 0)
        out[0] = '\0';
}

/* The program's name without its directory. */
static void read_program(HANDLE process, char *program, size_t capacity)
{
    WCHAR path[PATH_ROOM];
    DWORD size = PATH_ROOM;
    const WCHAR *slash;

    if (!QueryFullProcessImageNameW(process, 0, path, &size))
        return;
    slash = wcsrchr(path, L'\\');
    to_utf8(slash != NULL ? slash + 1 : path, program, capacity);
}

static void look_up_user(PSID sid, char *name, size_t capacity)
{
    WCHAR user[128];
    WCHAR domain[256];
    DWORD user_size = 128;
    DWORD domain_size = 256;
    SID_NAME_USE use;

    if (LookupAccountSidW(NULL, sid, user, &user_size, domain, &domain_size, &use))
        to_utf8(user, name, capacity);
}

/* Nearly all clients are of one user, and asking a domain may take long: the last answer is kept. */
static void read_user(PSID sid, char *name, size_t capacity)
{
    static unsigned char last_sid[SECURITY_MAX_SID_SIZE];
    static char last_name[sizeof((struct um_identity *)0)->user];

    if (last_name[0] == '\0' || !EqualSid(sid, last_sid)) {
        look_up_user(sid, last_name, sizeof last_name);
        if (!CopySid(sizeof last_sid, last_sid, sid))
            last_name[0] = '\0';
    }
    snprintf(name, capacity, "%s", last_name);
}

/* Whether a process's token has the user or group that is let in. Where it may not be asked, the pipe's access list has answered. */
static bool is_member(HANDLE process, const struct um_principal *allowed)
{
    HANDLE copy = NULL;
    BOOL member = TRUE;
    HANDLE token;

    if (!OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE, &token))
        return true;
    if (!DuplicateToken(token, SecurityIdentification, &copy) ||
        !CheckTokenMembership(copy, (PSID)(uintptr_t)allowed->sid, &member))
        member = TRUE;
    if (copy != NULL)
        CloseHandle(copy);
    CloseHandle(token);
    return member;
}

static bool is_trusted(HANDLE process, PSID sid, const struct um_principal *allowed)
{
    union um_user own;

    return IsWellKnownSid(sid, WinLocalSystemSid) ||
           (um_security_user_of(GetCurrentProcess(), &own) && EqualSid(sid, own.token.User.Sid)) ||
           (allowed->is_set && is_member(process, allowed));
}

void um_identity_read_program(int64_t pid, char *program, size_t capacity)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)pid);

    if (process == NULL)
        return;
    read_program(process, program, capacity);
    CloseHandle(process);
}

void um_identity_prepare(void)
{
}

void um_identity_read(const uv_pipe_t *client, const struct um_principal *allowed,
                      struct um_identity *identity)
{
    union um_user user;
    uv_os_fd_t handle;
    HANDLE process;
    ULONG pid;

    *identity = (struct um_identity){.trusted = true};
    if (uv_fileno((const uv_handle_t *)client, &handle) != 0 || !GetNamedPipeClientProcessId(handle, &pid))
        return;
    identity->pid = (int64_t)pid;
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL)
        return;
    read_program(process, identity->program, sizeof identity->program);
    if (um_security_user_of(process, &user)) {
        read_user(user.token.User.Sid, identity->user, sizeof identity->user);
        identity->trusted = is_trusted(process, user.token.User.Sid, allowed);
    }
    CloseHandle(process);
}
