/* Users and groups by SID and name, and the rights that they are given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/principal.h"
#include "base/security_win32.h"
#include "umem_errors.h"
/* Needs windows.h before it. */
#include <sddl.h>

static void sids(void **state)
{
    struct um_principal found;
    char why[256] = "";

    (void)state;
    assert_int_equal(um_principal_find_user("S-1-5-18", &found, why, sizeof why), UMEM_OK);
    assert_true(IsWellKnownSid(found.sid, WinLocalSystemSid));
    assert_int_equal(um_principal_find_group("S-1-5-32-545", &found, why, sizeof why), UMEM_OK);
    assert_true(IsWellKnownSid(found.sid, WinBuiltinUsersSid));
    assert_true(um_principal_is_sid());
}

static void names(void **state)
{
    struct um_principal found;
    union um_user own;
    WCHAR wide[256];
    DWORD size = 256;
    char name[512];
    char why[256] = "";

    (void)state;
    assert_true(GetUserNameW(wide, &size));
    assert_int_not_equal(WideCharToMultiByte(CP_UTF8, 0, wide, -1, name, sizeof name, NULL, NULL), 0);
    assert_true(um_security_user_of(GetCurrentProcess(), &own));
    assert_int_equal(um_principal_find_user(name, &found, why, sizeof why), UMEM_OK);
    assert_true(EqualSid(found.sid, own.token.User.Sid));
}

static void what_is_neither(void **state)
{
    static const char *const wrong[] = {"",    "S-1-", "S-1-x", "no such name at all", "S-1-5-21-1-2-3-4 ",
                                        "\xff"};
    char long_name[UM_PRINCIPAL_NAME_SIZE + 1];

    (void)state;
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    for (size_t i = 0; i <= sizeof wrong / sizeof *wrong; i++) {
        struct um_principal found = {.is_set = true, .name = "before"};
        char why[256] = "";
        const char *text = i < sizeof wrong / sizeof *wrong ? wrong[i] : long_name;

        if (um_principal_find_user(text, &found, why, sizeof why) != UMEM_E_BAD_ARGUMENT)
            fail_msg("\"%s\": %s", text, why);
        assert_string_not_equal(why, "");
        assert_string_equal(found.name, "before");
    }
}

/* Whoever anybody is, cannot be let in; it can be named as a server's user, which nobody is. */
static void everybody(void **state)
{
    static const char *const wrong[] = {"S-1-1-0", "S-1-5-7", "S-1-5-2", "S-1-0-0"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct um_principal found = {.is_set = false};
        char why[256] = "";

        assert_int_equal(um_principal_find_group(wrong[i], &found, why, sizeof why), UMEM_E_BAD_ARGUMENT);
        assert_false(found.is_set);
        assert_non_null(strstr(why, "name a group"));
    }
}

/* The entry of a list that is about this SID; its mask, or 0. */
static DWORD rights_in(SECURITY_ATTRIBUTES *attributes, const unsigned char *sid)
{
    ACL *list = NULL;
    BOOL is_there = FALSE;
    BOOL is_default;

    assert_true(GetSecurityDescriptorDacl(attributes->lpSecurityDescriptor, &is_there, &list, &is_default));
    assert_true(is_there && list != NULL);
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry;
        void *found;

        assert_true(GetAce(list, i, &found));
        entry = found;
        if (entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
            EqualSid(&entry->SidStart, (PSID)(uintptr_t)sid))
            return entry->Mask;
    }
    return 0;
}

static void who_is_let_in_may_not_serve(void **state)
{
    SECURITY_ATTRIBUTES attributes;
    struct um_principal users;
    char why[256];

    (void)state;
    assert_int_equal(um_principal_find_group("S-1-5-32-545", &users, why, sizeof why), UMEM_OK);
    assert_true(um_security_make_for(&users, UM_SECURITY_CONNECT, &attributes));
    assert_int_equal(rights_in(&attributes, users.sid), UM_SECURITY_CONNECT);
    assert_int_equal(rights_in(&attributes, users.sid) &
                         (FILE_CREATE_PIPE_INSTANCE | WRITE_DAC | WRITE_OWNER | DELETE),
                     0);
    um_security_free(&attributes);
    assert_true(um_security_make(&attributes));
    assert_int_equal(rights_in(&attributes, users.sid), 0);
    um_security_free(&attributes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sids),
        cmocka_unit_test(names),
        cmocka_unit_test(what_is_neither),
        cmocka_unit_test(everybody),
        cmocka_unit_test(who_is_let_in_may_not_serve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
