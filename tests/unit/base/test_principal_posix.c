/* Users and groups by name and number. Only root is on every system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/principal.h"
#include "umem_errors.h"

typedef int find(const char *text, struct um_principal *principal, char *why, size_t capacity);

static find *const both[] = {um_principal_find_user, um_principal_find_group};

static void names_and_numbers(void **state)
{
    struct um_principal found = {.is_set = false};
    char why[256] = "";

    (void)state;
    assert_int_equal(um_principal_find_user("root", &found, why, sizeof why), UMEM_OK);
    assert_true(found.is_set);
    assert_int_equal(found.number, 0);
    assert_string_equal(found.name, "root");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(both[i]("0", &found, why, sizeof why), UMEM_OK);
        assert_int_equal(found.number, 0);
        assert_int_equal(both[i]("4294967294", &found, why, sizeof why), UMEM_OK);
        assert_int_equal(found.number, 4294967294U);
    }
    assert_false(um_principal_is_sid());
    assert_string_equal(why, "");
}

static void what_is_neither(void **state)
{
    static const char *const wrong[] = {
        "",           "no such thing",           "-1",   "0x10", "1 ", " 1", "4294967295",
        "4294967296", "99999999999999999999999", "root:"};
    char long_name[UM_PRINCIPAL_NAME_SIZE + 1];

    (void)state;
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    for (size_t i = 0; i <= sizeof wrong / sizeof *wrong; i++) {
        for (size_t j = 0; j < 2; j++) {
            struct um_principal found = {.is_set = true, .number = 7, .name = "before"};
            char why[256] = "";
            const char *text = i < sizeof wrong / sizeof *wrong ? wrong[i] : long_name;

            assert_int_equal(both[j](text, &found, why, sizeof why), UMEM_E_BAD_ARGUMENT);
            assert_non_null(strstr(why, j == 0 ? "user" : "group"));
            assert_int_equal(found.number, 7);
            assert_string_equal(found.name, "before");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_numbers),
        cmocka_unit_test(what_is_neither),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
