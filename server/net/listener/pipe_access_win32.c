/*
 * The rights of a named pipe are its owner, its access list and its integrity label. It is opened only to read those: that is
 * allowed to this user even where the pipe may not be written to.
 *
 * Whether other machines are refused is part of making the pipe (pipe_win32.c) and cannot be asked for.
 */
#include "net/listener/pipe_access.h"

#include <stdio.h>
#include <string.h>

#include "base/security_win32.h"
#include "net/listener/identity.h"
#include "umem_errors.h"
#include "wire/endpoint.h"
/* Needs windows.h before it. (aclapi.h would find our own rpc.h in the place of the system's.) */
#include <sddl.h>

enum { TEXT_SIZE = 1024, NAME_SIZE = 320, DESCRIPTOR_ROOM = 4096 };

static const char another_pipe[] =
    "end the program that has the pipe, or name another one by --pipe or UMEM_PIPE";

/* A user or a group by name, or else by number. */
static void name_sid(PSID sid, char name[NAME_SIZE])
{
    WCHAR user[128];
    WCHAR domain[128];
    DWORD user_size = 128;
    DWORD domain_size = 128;
    SID_NAME_USE use;
    char *text;

    if (LookupAccountSidW(NULL, sid, user, &user_size, domain, &domain_size, &use) &&
        WideCharToMultiByte(CP_UTF8, 0, user, -1, name, NAME_SIZE, NULL, NULL) > 0)
        return;
    if (ConvertSidToStringSidA(sid, &text)) {
        snprintf(name, NAME_SIZE, "%s", text);
        LocalFree(text);
    } else {
        strcpy(name, "somebody unknown");
    }
}

static bool is_trusted(PSID sid)
{
    union um_user own;

    return IsWellKnownSid(sid, WinLocalSystemSid) ||
           (um_security_user_of(GetCurrentProcess(), &own) && EqualSid(sid, own.token.User.Sid));
}

/* ---- the access list ---- */

static const char *name_rights(ACCESS_MASK mask)
{
    if ((mask & GENERIC_ALL) != 0 || (mask & FILE_ALL_ACCESS) == FILE_ALL_ACCESS)
        return "everything";
    if ((mask & UM_SECURITY_CONNECT) == UM_SECURITY_CONNECT ||
        (mask & (GENERIC_READ | GENERIC_WRITE)) == (GENERIC_READ | GENERIC_WRITE))
        return "to read and write";
    if ((mask & (GENERIC_WRITE | FILE_WRITE_DATA | FILE_APPEND_DATA | WRITE_DAC | WRITE_OWNER)) != 0)
        return "to write, or to change the rights";
    return "to look";
}

static void check_entry(ACL *list, DWORD index, const struct um_principal *allowed,
                        const struct um_pipe_access_report *report)
{
    ACCESS_ALLOWED_ACE *entry; /* a denying one has the same form */
    void *found;
    PSID sid;
    char name[NAME_SIZE];

    if (!GetAce(list, index, &found))
        return;
    entry = found;
    if (entry->Header.AceType != ACCESS_ALLOWED_ACE_TYPE && entry->Header.AceType != ACCESS_DENIED_ACE_TYPE) {
        um_pipe_access_fault(report, another_pipe,
                             "the access list has an entry of type %u, which umemd does not make",
                             (unsigned)entry->Header.AceType);
        return;
    }
    sid = &entry->SidStart;
    name_sid(sid, name);
    if (entry->Header.AceType == ACCESS_DENIED_ACE_TYPE) {
        um_pipe_access_fact(report, "denies", "%s %s", name, name_rights(entry->Mask));
        return;
    }
    um_pipe_access_fact(report, "allows", "%s %s", name, name_rights(entry->Mask));
    if (is_trusted(sid))
        return;
    if (!allowed->is_set || !EqualSid(sid, (PSID)(uintptr_t)allowed->sid))
        um_pipe_access_fault(report, another_pipe,
                             "the access list lets %s in, who is neither this user nor SYSTEM%s", name,
                             allowed->is_set ? ", nor named by --allow-sid" : "");
    else if ((entry->Mask & ~(ACCESS_MASK)UM_SECURITY_CONNECT) != 0)
        um_pipe_access_fault(
            report, another_pipe,
            "the access list lets %s do more than read and write, such as serve the pipe's clients", name);
}

/* Whether the list lets the user or group in. */
static bool has_entry(ACL *list, DWORD count, const struct um_principal *allowed)
{
    for (DWORD i = 0; i < count; i++) {
        ACCESS_ALLOWED_ACE *entry;
        void *found;

        if (!GetAce(list, i, &found))
            continue;
        entry = found;
        if (entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
            EqualSid((PSID)&entry->SidStart, (PSID)(uintptr_t)allowed->sid))
            return true;
    }
    return false;
}

static void check_list(ACL *list, const struct um_principal *allowed,
                       const struct um_pipe_access_report *report)
{
    ACL_SIZE_INFORMATION facts;

    if (list == NULL) {
        um_pipe_access_fault(report, another_pipe, "it has no access list, which lets everybody in");
        return;
    }
    if (!GetAclInformation(list, &facts, sizeof facts, AclSizeInformation))
        return;
    for (DWORD i = 0; i < facts.AceCount; i++)
        check_entry(list, i, allowed, report);
    if (allowed->is_set && !has_entry(list, facts.AceCount, allowed))
        um_pipe_access_fault(report, "restart the daemon with --allow-sid", "the access list keeps %s out",
                             allowed->name);
}

/* ---- the label ---- */

static const char *name_integrity(DWORD level)
{
    if (level >= SECURITY_MANDATORY_SYSTEM_RID)
        return "system";
    if (level >= SECURITY_MANDATORY_HIGH_RID)
        return "high";
    if (level >= SECURITY_MANDATORY_MEDIUM_RID)
        return "medium";
    return level >= SECURITY_MANDATORY_LOW_RID ? "low" : "untrusted";
}

/* The label in a descriptor; NULL: there is none. */
static const SYSTEM_MANDATORY_LABEL_ACE *find_label(PSECURITY_DESCRIPTOR descriptor)
{
    ACL *list = NULL;
    BOOL is_there = FALSE;
    BOOL is_default;

    if (!GetSecurityDescriptorSacl(descriptor, &is_there, &list, &is_default) || !is_there || list == NULL)
        return NULL;
    for (DWORD i = 0; i < list->AceCount; i++) {
        void *entry;

        if (GetAce(list, i, &entry) && ((ACE_HEADER *)entry)->AceType == SYSTEM_MANDATORY_LABEL_ACE_TYPE)
            return entry;
    }
    return NULL;
}

/* To the system, what has no label is medium, and may be read by all. A daemon that is itself of low integrity, in a sandbox, can
 * give its pipe no more than that. */
static void check_label(PSECURITY_DESCRIPTOR descriptor, const struct um_pipe_access_report *report)
{
    const SYSTEM_MANDATORY_LABEL_ACE *label = find_label(descriptor);
    const DWORD policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP | SYSTEM_MANDATORY_LABEL_NO_READ_UP;
    const DWORD own = um_security_integrity_of(GetCurrentProcess());
    const DWORD wanted = own < SECURITY_MANDATORY_MEDIUM_RID ? own : SECURITY_MANDATORY_MEDIUM_RID;
    DWORD level;

    if (label == NULL) {
        um_pipe_access_fact(report, "integrity", "no label, which counts as medium");
        um_pipe_access_fault(report, another_pipe,
                             "it has no integrity label, which lets programs of low integrity read from it");
        return;
    }
    level = *GetSidSubAuthority((PSID)(uintptr_t)&label->SidStart, 0);
    um_pipe_access_fact(report, "integrity", "%s: programs of less are kept out%s", name_integrity(level),
                        level >= SECURITY_MANDATORY_MEDIUM_RID ? ", as those in a sandbox are" : "");
    if (level < wanted)
        um_pipe_access_fault(report, another_pipe,
                             "its integrity label is %s, which lets in programs that are in a sandbox",
                             name_integrity(level));
    else if (level > SECURITY_MANDATORY_MEDIUM_RID)
        um_pipe_access_fault(report, another_pipe,
                             "its integrity label is %s, which keeps this user's ordinary programs out",
                             name_integrity(level));
    if ((label->Mask & policy) != policy)
        um_pipe_access_fault(report, another_pipe, "its integrity label lets programs of less integrity %s",
                             (label->Mask & SYSTEM_MANDATORY_LABEL_NO_WRITE_UP) == 0 ? "write to it"
                                                                                     : "read from it");
}

static void check_descriptor(PSECURITY_DESCRIPTOR descriptor, const struct um_principal *allowed,
                             const struct um_pipe_access_report *report)
{
    char name[NAME_SIZE];
    PSID owner = NULL;
    ACL *list = NULL;
    BOOL is_there = FALSE;
    BOOL is_default;

    if (!GetSecurityDescriptorOwner(descriptor, &owner, &is_default) || owner == NULL) {
        um_pipe_access_fault(report, another_pipe, "it has no owner");
    } else {
        name_sid(owner, name);
        um_pipe_access_fact(report, "owner", "%s", name);
        if (!is_trusted(owner))
            um_pipe_access_fault(report, another_pipe,
                                 "the pipe belongs to %s, neither to this user nor to SYSTEM", name);
    }
    if (!GetSecurityDescriptorDacl(descriptor, &is_there, &list, &is_default) || !is_there)
        list = NULL;
    check_list(list, allowed, report);
    check_label(descriptor, report);
}

/* ---- elevation ---- */

/* Whether this process has the whole token of a user who usually goes without the administrators' group. */
static bool is_elevated(void)
{
    TOKEN_ELEVATION_TYPE type = TokenElevationTypeDefault;
    HANDLE token;
    DWORD size;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    if (!GetTokenInformation(token, TokenElevationType, &type, sizeof type, &size))
        type = TokenElevationTypeDefault;
    CloseHandle(token);
    return type == TokenElevationTypeFull;
}

/* Who made the pipe that is open. */
static void report_server(HANDLE pipe, const struct um_pipe_access_report *report)
{
    char name[NAME_SIZE] = "of a user that may not be asked for";
    char program[128] = "";
    union um_user user;
    HANDLE process;
    ULONG pid;

    if (!GetNamedPipeServerProcessId(pipe, &pid)) {
        um_pipe_access_fact(report, "listening", "a process that the system does not tell");
        return;
    }
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process != NULL && um_security_user_of(process, &user))
        name_sid(user.token.User.Sid, name);
    um_identity_read_program((int64_t)pid, program, sizeof program);
    um_pipe_access_fact(report, "listening", "process %lu%s%s%s, user %s", pid,
                        program[0] != '\0' ? " (" : "", program, program[0] != '\0' ? ")" : "", name);
    if (process != NULL)
        CloseHandle(process);
}

/* ---- the pipe ---- */

static void check_pipe(HANDLE pipe, const struct um_principal *allowed,
                       const struct um_pipe_access_report *report)
{
    const SECURITY_INFORMATION wanted =
        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION;
    /* The system wants it aligned. */
    DWORD64 descriptor[DESCRIPTOR_ROOM / sizeof(DWORD64)];
    DWORD size;

    if (GetKernelObjectSecurity(pipe, wanted, descriptor, sizeof descriptor, &size))
        check_descriptor(descriptor, allowed, report);
    else
        um_pipe_access_fault(report, another_pipe, "the pipe's rights may not be read: Windows error %lu",
                             GetLastError());
}

/* There is no pipe: the rights that a daemon would give it. */
static void check_future_pipe(const struct um_principal *allowed, const struct um_pipe_access_report *report)
{
    SECURITY_ATTRIBUTES attributes;

    um_pipe_access_fact(report, "listening", "nobody; a daemon's pipe would have these rights");
    if (!um_security_make_for(allowed, UM_SECURITY_CONNECT, &attributes)) {
        um_pipe_access_fault(report, "see to it that this user may be asked for",
                             "no access list can be made: Windows error %lu", GetLastError());
        return;
    }
    check_descriptor(attributes.lpSecurityDescriptor, allowed, report);
    um_security_free(&attributes);
}

static void check_what_is_there(const char *path, const struct um_principal *allowed, bool connects,
                                const struct um_pipe_access_report *report)
{
    WCHAR wide[UM_ENDPOINT_CAPACITY];
    HANDLE pipe;
    DWORD error;

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, UM_ENDPOINT_CAPACITY) == 0)
        return;
    pipe = CreateFileW(wide, READ_CONTROL | FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING,
                       SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    error = GetLastError();
    if (pipe == INVALID_HANDLE_VALUE) {
        if (error == ERROR_FILE_NOT_FOUND)
            check_future_pipe(allowed, report);
        else if (error == ERROR_PIPE_BUSY)
            um_pipe_access_fact(report, "listening", "somebody, whose places are all taken: try again");
        else
            um_pipe_access_fault(
                report, another_pipe,
                "the pipe is there, but its rights may not be read (Windows error %lu): it is another user's",
                error);
        return;
    }
    if (connects)
        report_server(pipe, report);
    check_pipe(pipe, allowed, report);
    CloseHandle(pipe);
}

void um_pipe_access_check(const char *path, const struct um_principal *allowed, bool connects,
                          const struct um_pipe_access_report *report)
{
    char name[NAME_SIZE] = "not known";
    union um_user own;

    if (um_security_user_of(GetCurrentProcess(), &own))
        name_sid(own.token.User.Sid, name);
    um_pipe_access_fact(report, "let in", "user %s, and SYSTEM", name);
    if (allowed->is_set) {
        name_sid((PSID)(uintptr_t)allowed->sid, name);
        um_pipe_access_fact(report, "let in", "%s, who read, change and free all blocks, and end the daemon",
                            name);
    }
    um_pipe_access_fact(report, "elevated", "%s",
                        is_elevated()
                            ? "yes: a daemon that is started so serves this user's ordinary programs as well"
                            : "no");
    um_pipe_access_fact(report, "remote",
                        "other machines' clients are refused by the way umemd makes a pipe");
    check_what_is_there(path, allowed, connects, report);
}
