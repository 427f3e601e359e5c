/* The library's errors about shared memory that it does not find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

#include <cmocka.h>

#include "lib/connection/mapped_memory.h"
#include "umem_errors.h"

/* As it is for a program of another session: by this name, nothing is in ours. */
static void test_a_section_of_another_session(void **state)
{
    struct um_reason reason = {""};
    unsigned char *start;
    size_t length;

    (void)state;
    assert_int_equal(um_mapped_memory_open("Local\\umem-not-here", &start, &length, &reason),
                     UMEM_E_UNSUPPORTED);
    assert_non_null(strstr(reason.text, "Local\\umem-not-here is not in this program's Windows session"));
    assert_non_null(strstr(reason.text, "umem_block_read()"));
}

/* All Windows sessions see these names: the error does not point to another session. */
static void test_a_section_that_does_not_exist(void **state)
{
    struct um_reason reason = {""};
    unsigned char *start;
    size_t length;

    (void)state;
    assert_int_equal(um_mapped_memory_open("Global\\umem-not-here", &start, &length, &reason),
                     UMEM_E_UNSUPPORTED);
    assert_non_null(strstr(reason.text, "Windows error 2"));
    assert_null(strstr(reason.text, "session"));
}

static void test_a_section_is_mapped(void **state)
{
    enum { LENGTH = 65536 };
    struct um_reason reason = {""};
    unsigned char *start = NULL;
    size_t length = 0;
    HANDLE section =
        CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, LENGTH, "Local\\umem-test-map");

    (void)state;
    assert_non_null(section);
    assert_int_equal(um_mapped_memory_open("Local\\umem-test-map", &start, &length, &reason), UMEM_OK);
    assert_int_equal(length, LENGTH);
    start[LENGTH - 1] = 1;
    um_mapped_memory_close(start, length);
    CloseHandle(section);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_section_of_another_session),
        cmocka_unit_test(test_a_section_that_does_not_exist),
        cmocka_unit_test(test_a_section_is_mapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
