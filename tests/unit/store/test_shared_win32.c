/* Who may open a section: its list of rights, and a thread that has put the user's own rights aside. */
#include <windows.h>
/* Needs windows.h before it. */
#include <aclapi.h>
#include <sddl.h>

#include "shared.h"

#include <string.h>

union user {
    TOKEN_USER token;
    char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

static HANDLE open_token(DWORD access)
{
    HANDLE token = NULL;

    assert_true(OpenProcessToken(GetCurrentProcess(), access, &token));
    return token;
}

static void get_user(union user *user)
{
    HANDLE token = open_token(TOKEN_QUERY);
    DWORD size;

    assert_true(GetTokenInformation(token, TokenUser, user, sizeof *user, &size));
    CloseHandle(token);
}

static bool is_user_or_system(PSID sid)
{
    char system[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof system;
    union user user;

    get_user(&user);
    assert_true(CreateWellKnownSid(WinLocalSystemSid, NULL, system, &size));
    return EqualSid(sid, user.token.User.Sid) || EqualSid(sid, system);
}

/* The user and SYSTEM, and nothing that is inherited from anywhere. */
static void test_only_the_owner_is_listed(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->people[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->people[0], 1);
    HANDLE section = OpenFileMappingA(READ_CONTROL | FILE_MAP_READ, FALSE, place_of(f->store, block).name);
    char room[4096];
    DWORD size;
    SECURITY_DESCRIPTOR_CONTROL control;
    DWORD revision;
    BOOL there;
    BOOL by_default;
    ACL *list;

    assert_non_null(section);
    assert_true(GetKernelObjectSecurity(section, DACL_SECURITY_INFORMATION, room, sizeof room, &size));
    assert_true(GetSecurityDescriptorControl(room, &control, &revision));
    assert_true((control & SE_DACL_PROTECTED) != 0);
    assert_true(GetSecurityDescriptorDacl(room, &there, &list, &by_default));
    assert_true(there && list != NULL && list->AceCount == 2);
    for (DWORD i = 0; i < 2; i++) {
        ACCESS_ALLOWED_ACE *entry;

        assert_true(GetAce(list, i, (void **)&entry));
        assert_int_equal(entry->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
        assert_true(is_user_or_system(&entry->SidStart));
    }
    CloseHandle(section);
}

/* The nearest to another user that a test comes: one for whom this user's name only takes rights away. */
static void test_the_name_alone_does_not_open_it(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->people[0], 0, 0);
    const char *name = place_of(f->store, make_block(f->store, heap, f->people[0], 1)).name;
    HANDLE token = open_token(TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_IMPERSONATE | TOKEN_ASSIGN_PRIMARY);
    union user user;
    SID_AND_ATTRIBUTES without;
    HANDLE restricted = NULL;
    HANDLE section;
    DWORD error;

    get_user(&user);
    without = (SID_AND_ATTRIBUTES){.Sid = user.token.User.Sid};
    if (!CreateRestrictedToken(token, 0, 1, &without, 0, NULL, 0, NULL, &restricted) ||
        !ImpersonateLoggedOnUser(restricted)) {
        print_message("this system has no restricted tokens: error %lu\n", GetLastError());
        skip();
    }
    section = OpenFileMappingA(FILE_MAP_READ, FALSE, name);
    error = GetLastError();
    assert_true(RevertToSelf());
    print_message("section %p error %lu\n", (void *)section, error);
    assert_null(section);
    assert_int_equal(error, ERROR_ACCESS_DENIED);
    CloseHandle(restricted);
    CloseHandle(token);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_only_the_owner_is_listed),
        WITH_FIXTURE(test_the_name_alone_does_not_open_it),
    };
    return cmocka_run_group_tests_name("shared on Windows", tests, NULL, NULL);
}
