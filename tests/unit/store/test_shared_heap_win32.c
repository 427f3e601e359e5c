/* Which users may open a section, as far as one user can see: the content of its access list. */
#include <windows.h>

#include "shared_heap_fixture.h"

union user {
    TOKEN_USER token;
    char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

static void get_user(union user *user)
{
    HANDLE token = NULL;
    DWORD size;

    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
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
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 1);
    HANDLE section = OpenFileMappingA(READ_CONTROL | FILE_MAP_READ, FALSE, place_of(f->store, block).name);
    char bytes[4096];
    DWORD size;
    SECURITY_DESCRIPTOR_CONTROL control;
    DWORD revision;
    BOOL there;
    BOOL by_default;
    ACL *list;

    assert_non_null(section);
    assert_true(GetKernelObjectSecurity(section, DACL_SECURITY_INFORMATION, bytes, sizeof bytes, &size));
    assert_true(GetSecurityDescriptorControl(bytes, &control, &revision));
    assert_true((control & SE_DACL_PROTECTED) != 0);
    assert_true(GetSecurityDescriptorDacl(bytes, &there, &list, &by_default));
    assert_true(there && list != NULL && list->AceCount == 2);
    for (DWORD i = 0; i < 2; i++) {
        ACCESS_ALLOWED_ACE *entry;

        assert_true(GetAce(list, i, (void **)&entry));
        assert_int_equal(entry->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
        assert_true(is_user_or_system(&entry->SidStart));
    }
    CloseHandle(section);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_only_the_owner_is_listed),
    };
    return cmocka_run_group_tests_name("shared on Windows", tests, NULL, NULL);
}
