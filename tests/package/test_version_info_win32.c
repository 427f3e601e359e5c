/* What Windows shows of the programs and the DLL, and the manifest that says how the programs are run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <cmocka.h>

#include "umem_version.h"

/* Program, original name, type. */
struct file {
    const char *path;
    const char *name;
    DWORD type;
    bool is_program;
};

static const struct file files[] = {
    {UMEMD, "umemd.exe", VFT_APP, true},
    {UMEM, "umem.exe", VFT_APP, true},
    {LIBRARY, "umemclient-" ABI_VERSION ".dll", VFT_DLL, false},
};

enum { FILE_COUNT = sizeof files / sizeof *files };

static const char *text_of(const void *info, const char *key)
{
    char path[128];
    void *text = NULL;
    UINT size = 0;

    snprintf(path, sizeof path, "\\StringFileInfo\\040904b0\\%s", key);
    assert_true(VerQueryValueA(info, path, &text, &size));
    assert_true(size > 1);
    return text;
}

static void versions_are_those_of_the_build(void **state)
{
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;

    (void)state;
    assert_int_equal(sscanf(UMEM_VERSION, "%u.%u.%u", &major, &minor, &patch), 3);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        DWORD unused;
        DWORD size = GetFileVersionInfoSizeA(files[i].path, &unused);
        void *info = malloc(size + 1);
        void *fixed = NULL;
        const VS_FIXEDFILEINFO *numbers;
        UINT fixed_size = 0;

        print_message("%s\n", files[i].name);
        assert_true(size > 0);
        assert_non_null(info);
        assert_true(GetFileVersionInfoA(files[i].path, 0, size, info));
        assert_true(VerQueryValueA(info, "\\", &fixed, &fixed_size));
        assert_int_equal(fixed_size, sizeof *numbers);
        numbers = fixed;
        assert_int_equal(numbers->dwFileVersionMS, major << 16 | minor);
        assert_int_equal(numbers->dwFileVersionLS, patch << 16);
        assert_int_equal(numbers->dwProductVersionMS, major << 16 | minor);
        assert_int_equal(numbers->dwProductVersionLS, patch << 16);
        assert_int_equal(numbers->dwFileType, files[i].type);
        assert_string_equal(text_of(info, "FileVersion"), UMEM_VERSION);
        assert_string_equal(text_of(info, "ProductVersion"), UMEM_VERSION);
        assert_string_equal(text_of(info, "ProductName"), "umemd");
        assert_string_equal(text_of(info, "OriginalFilename"), files[i].name);
        assert_true(strlen(text_of(info, "FileDescription")) > 10);
        free(info);
    }
}

static void expect_manifest(HMODULE module)
{
    static const char *const wanted[] = {"level=\"asInvoker\"", ">UTF-8</activeCodePage>",
                                         ">true</longPathAware>"};
    HRSRC place = FindResourceW(module, MAKEINTRESOURCEW(1), (WCHAR *)RT_MANIFEST);
    DWORD size = place != NULL ? SizeofResource(module, place) : 0;
    char *text = calloc(1, (size_t)size + 1);

    assert_true(size > 0);
    assert_non_null(text);
    memcpy(text, LockResource(LoadResource(module, place)), size);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strstr(text, wanted[i]) == NULL)
            print_error("the manifest has no %s\n", wanted[i]);
        assert_non_null(strstr(text, wanted[i]));
    }
    free(text);
}

static void programs_have_the_manifest(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        HMODULE module = LoadLibraryExA(files[i].path, NULL, LOAD_LIBRARY_AS_DATAFILE);

        print_message("%s\n", files[i].name);
        assert_non_null(module);
        if (files[i].is_program)
            expect_manifest(module);
        FreeLibrary(module);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_those_of_the_build),
        cmocka_unit_test(programs_have_the_manifest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
