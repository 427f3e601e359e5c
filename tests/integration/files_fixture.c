#include "files_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

int files_set_up(void **state)
{
    struct files *files = calloc(1, sizeof *files);
    char folder[160];
    size_t size = sizeof folder;
    unsigned long long random;

    assert_non_null(files);
    daemon_setup((void **)&files->daemon);
    assert_int_equal(uv_os_tmpdir(folder, &size), 0);
    assert_int_equal(uv_random(NULL, NULL, &random, sizeof random, 0, NULL), 0);
    snprintf(files->one, sizeof files->one, "%s/umem-test-%llx.one", folder, random);
    snprintf(files->other, sizeof files->other, "%s/umem-test-%llx.other", folder, random);
    *state = files;
    return 0;
}

int files_tear_down(void **state)
{
    struct files *files = *state;

    remove(files->one);
    remove(files->other);
    daemon_teardown((void **)&files->daemon);
    free(files);
    return 0;
}

void file_write(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}
