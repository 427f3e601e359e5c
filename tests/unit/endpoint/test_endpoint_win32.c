/* The pipe's name on Windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

#include <cmocka.h>

#include "umem_errors.h"
#include "wire/endpoint.h"

static void assert_found(const char *asked, const char *expected)
{
    char path[UM_ENDPOINT_CAPACITY];
    const char *what = NULL;

    assert_int_equal(um_endpoint_find(asked, path, &what), UMEM_OK);
    assert_string_equal(path, expected);
    assert_null(what);
}

static void assert_refused(const char *asked, const char *why)
{
    char path[UM_ENDPOINT_CAPACITY] = "as it was";
    const char *what = NULL;

    assert_int_equal(um_endpoint_find(asked, path, &what), UMEM_E_BAD_ARGUMENT);
    assert_non_null(strstr(what, why));
    assert_string_equal(path, "as it was");
}

static void test_asked_for(void **state)
{
    (void)state;
    SetEnvironmentVariableA("UMEM_PIPE", "elsewhere");
    assert_found("\\\\.\\pipe\\umemd-x", "\\\\.\\pipe\\umemd-x");
    assert_found("\\\\.\\PIPE\\umemd-x", "\\\\.\\PIPE\\umemd-x");
    assert_found("//./pipe/umemd-x", "\\\\.\\pipe\\umemd-x");
    assert_found("umemd-x", "\\\\.\\pipe\\umemd-x");
    assert_found("\xC3\xA9", "\\\\.\\pipe\\\xC3\xA9");
}

static void test_from_the_environment(void **state)
{
    (void)state;
    SetEnvironmentVariableA("UMEM_PIPE", "elsewhere");
    assert_found(NULL, "\\\\.\\pipe\\elsewhere");
    assert_found("", "\\\\.\\pipe\\elsewhere");
}

static void test_from_the_user(void **state)
{
    char user[128];
    char expected[256] = "\\\\.\\pipe\\umemd-";
    DWORD size = sizeof user;

    (void)state;
    SetEnvironmentVariableA("UMEM_PIPE", NULL);
    assert_true(GetUserNameA(user, &size));
    strcat(expected, user);
    assert_found(NULL, expected);
}

static void test_not_a_pipe(void **state)
{
    char asked[600];

    (void)state;
    assert_refused("C:\\temp\\x", "begins with");
    assert_refused("\\\\server\\pipe\\x", "begins with");
    assert_refused("\\\\.\\pipe\\", "begins with");
    assert_refused("\\\\.\\pipe\\a\\b", "no backslash after");
    assert_refused("\xFF", "UTF-8");
    memset(asked, 'x', sizeof asked);
    asked[247] = '\0';
    {
        char expected[300] = "\\\\.\\pipe\\";

        strcat(expected, asked);
        assert_found(asked, expected);
    }
    asked[247] = 'x';
    asked[248] = '\0';
    assert_refused(asked, "256");
    asked[248] = 'x';
    asked[599] = '\0';
    assert_refused(asked, "256");
    SetEnvironmentVariableA("UMEM_PIPE", asked);
    assert_refused(NULL, "256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_from_the_environment),
        cmocka_unit_test(test_from_the_user),
        cmocka_unit_test(test_not_a_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
