/* The pipe's path on POSIX systems, and the directory that the daemon makes for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "umem_errors.h"
#include "wire/endpoint.h"

/* A directory of the test's own. */
struct place {
    char root[64];                        /* the directory */
    char directory[UM_ENDPOINT_CAPACITY]; /* root/umemd-UID, not made yet */
    char path[2 * UM_ENDPOINT_CAPACITY];  /* a socket in it */
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    strcpy(place->root, "/tmp/umem-test-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(place->directory, sizeof place->directory, "%s/umemd-%lu", place->root,
             (unsigned long)geteuid());
    snprintf(place->path, sizeof place->path, "%s/x.sock", place->directory);
    unsetenv("UMEM_PIPE");
    unsetenv("XDG_RUNTIME_DIR");
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    if (rmdir(place->directory) != 0)
        unlink(place->directory);
    rmdir(place->root);
    free(place);
    return 0;
}

static void assert_found(const char *asked, const char *expected)
{
    char path[UM_ENDPOINT_CAPACITY];
    const char *what = NULL;

    assert_int_equal(um_endpoint_find(asked, path, &what), UMEM_OK);
    assert_string_equal(path, expected);
    assert_null(what);
}

static void test_asked_for(void **state)
{
    (void)state;
    setenv("UMEM_PIPE", "/elsewhere", 1);
    assert_found("/run/x.sock", "/run/x.sock");
    assert_found("/x.sock", "/x.sock");
}

/* An absolute path means the same in every process. */
static void test_relative_paths_become_absolute(void **state)
{
    struct place *place = *state;
    char expected[UM_ENDPOINT_CAPACITY];
    char before[1024];
    char root[64];
    char path[UM_ENDPOINT_CAPACITY];
    const char *what = NULL;

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(place->root), 0);
    assert_non_null(getcwd(root, sizeof root));
    snprintf(expected, sizeof expected, "%s/x.sock", root);
    assert_found("x.sock", expected);
    assert_found("./x.sock", expected);
    assert_found(".//./x.sock", expected);
    snprintf(expected, sizeof expected, "%s/a/../x.sock", root);
    setenv("UMEM_PIPE", "a/../x.sock", 1);
    assert_found(NULL, expected);
    assert_int_equal(chdir("/"), 0);
    assert_found("x.sock", "/x.sock");
    /* A working directory that was removed has no path. */
    assert_int_equal(mkdir(place->directory, 0700), 0);
    assert_int_equal(chdir(place->directory), 0);
    assert_int_equal(rmdir(place->directory), 0);
    assert_int_equal(um_endpoint_find("x.sock", path, &what), UMEM_E_BAD_ARGUMENT);
    assert_non_null(strstr(what, "working directory is not known"));
    assert_int_equal(chdir(before), 0);
}

static void test_from_the_environment(void **state)
{
    struct place *place = *state;
    char expected[UM_ENDPOINT_CAPACITY];

    setenv("XDG_RUNTIME_DIR", place->root, 1);
    setenv("UMEM_PIPE", "/elsewhere", 1);
    assert_found(NULL, "/elsewhere");
    assert_found("", "/elsewhere");
    setenv("UMEM_PIPE", "", 1);
    snprintf(expected, sizeof expected, "%s/umemd.sock", place->root);
    assert_found(NULL, expected);
}

static void test_from_the_user(void **state)
{
    struct place *place = *state;
    char expected[UM_ENDPOINT_CAPACITY];

    snprintf(expected, sizeof expected, "/tmp/umemd-%lu/umemd.sock", (unsigned long)geteuid());
    assert_found(NULL, expected);
    setenv("XDG_RUNTIME_DIR", "relative", 1);
    assert_found(NULL, expected);
    setenv("XDG_RUNTIME_DIR", place->directory, 1); /* is not there */
    assert_found(NULL, expected);
    /* Only root can give a directory away. */
    if (geteuid() == 0) {
        assert_int_equal(chown(place->root, 1, 1), 0);
        setenv("XDG_RUNTIME_DIR", place->root, 1);
        assert_found(NULL, expected);
    }
}

static void test_too_long(void **state)
{
    char path[UM_ENDPOINT_CAPACITY] = "as it was";
    char asked[300];
    const char *what = NULL;

    (void)state;
    memset(asked, 'x', sizeof asked);
    asked[0] = '/';
    asked[107] = '\0';
    assert_found(asked, asked);
    asked[107] = 'x';
    asked[108] = '\0';
    assert_int_equal(um_endpoint_find(asked, path, &what), UMEM_E_BAD_ARGUMENT);
    assert_non_null(strstr(what, "107"));
    assert_string_equal(path, "as it was");
    asked[108] = 'x';
    asked[299] = '\0';
    what = NULL;
    setenv("UMEM_PIPE", asked, 1);
    assert_int_equal(um_endpoint_find(NULL, path, &what), UMEM_E_BAD_ARGUMENT);
    assert_non_null(what);
}

static void test_runtime_directory_too_long(void **state)
{
    struct place *place = *state;
    char path[UM_ENDPOINT_CAPACITY];
    char directory[200];
    const char *what = NULL;
    size_t size = strlen(place->root);

    memcpy(directory, place->root, size);
    memset(directory + size, 'x', 100);
    directory[size] = '/';
    directory[size + 100] = '\0';
    assert_int_equal(mkdir(directory, 0700), 0);
    setenv("XDG_RUNTIME_DIR", directory, 1);
    assert_int_equal(um_endpoint_find(NULL, path, &what), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(rmdir(directory), 0);
}

static void assert_refused(const struct place *place, const char *why)
{
    const char *what = NULL;

    assert_int_equal(um_endpoint_prepare(place->path, &what), UMEM_E_DENIED);
    assert_non_null(strstr(what, why));
}

static void test_directory_is_made_private(void **state)
{
    struct place *place = *state;
    struct stat facts;
    const char *what = NULL;
    mode_t mask = umask(0);

    assert_int_equal(um_endpoint_prepare(place->path, &what), UMEM_OK);
    umask(mask);
    assert_int_equal(lstat(place->directory, &facts), 0);
    assert_true(S_ISDIR(facts.st_mode));
    assert_int_equal(facts.st_mode & 0777, 0700);
    /* Again, now that it is there. */
    assert_int_equal(um_endpoint_prepare(place->path, &what), UMEM_OK);
}

static void test_other_directories_are_left_alone(void **state)
{
    struct place *place = *state;
    struct stat facts;
    char path[UM_ENDPOINT_CAPACITY];
    const char *what = NULL;

    snprintf(path, sizeof path, "%s/other/x.sock", place->root);
    assert_int_equal(um_endpoint_prepare(path, &what), UMEM_OK);
    assert_int_equal(um_endpoint_prepare("x.sock", &what), UMEM_OK);
    assert_int_equal(um_endpoint_prepare("/x.sock", &what), UMEM_OK);
    snprintf(path, sizeof path, "%s/other", place->root);
    assert_int_not_equal(lstat(path, &facts), 0);
}

static void test_open_directory_is_refused(void **state)
{
    struct place *place = *state;

    assert_int_equal(mkdir(place->directory, 0700), 0);
    assert_int_equal(chmod(place->directory, 0750), 0);
    assert_refused(place, "open to other users");
    assert_int_equal(chmod(place->directory, 0707), 0);
    assert_refused(place, "open to other users");
}

static void test_link_or_file_is_refused(void **state)
{
    struct place *place = *state;
    FILE *file;

    assert_int_equal(symlink(place->root, place->directory), 0);
    assert_refused(place, "link");
    assert_int_equal(unlink(place->directory), 0);
    file = fopen(place->directory, "w");
    assert_non_null(file);
    fclose(file);
    assert_refused(place, "file");
}

static void test_directory_of_another_user_is_refused(void **state)
{
    struct place *place = *state;

    if (geteuid() != 0)
        skip(); /* only root can give a directory away */
    assert_int_equal(mkdir(place->directory, 0700), 0);
    assert_int_equal(chown(place->directory, 1, 1), 0);
    assert_refused(place, "another user");
}

static void test_directory_that_cannot_be_made(void **state)
{
    struct place *place = *state;
    struct place nowhere = *place;

    snprintf(nowhere.path, sizeof nowhere.path, "%s/none/umemd-%lu/x.sock", place->root,
             (unsigned long)geteuid());
    assert_refused(&nowhere, "cannot be made");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_relative_paths_become_absolute, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_from_the_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_from_the_user, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_runtime_directory_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_is_made_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_directories_are_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open_directory_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_link_or_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_of_another_user_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_that_cannot_be_made, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
