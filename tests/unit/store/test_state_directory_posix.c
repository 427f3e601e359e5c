/* Who may use a state directory, as POSIX tells it, and a disk that is full. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/journal/state_directory.h"
#include "temp_directory.h"
#include "umem_errors.h"

static void assert_refused(const char *path, const char *expected)
{
    struct um_state_directory *directory;
    char why[UM_STATE_WHY_CAPACITY] = "";

    assert_int_equal(um_state_directory_open(path, true, &directory, why, sizeof why), UMEM_E_DENIED);
    if (strstr(why, expected) == NULL || strstr(why, path) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", why, expected);
}

static void test_a_directory_that_others_may_enter_is_refused(void **state)
{
    char path[TEMP_DIRECTORY_CAPACITY];

    (void)state;
    temp_directory_make(path);
    assert_int_equal(chmod(path, 0750), 0);
    assert_refused(path, "has mode 0750, which lets other users in; chmod 700 ");
    assert_int_equal(chmod(path, 0700), 0);
    temp_directory_remove(path);
}

static void test_a_link_is_refused(void **state)
{
    char path[TEMP_DIRECTORY_CAPACITY];
    char link[TEMP_DIRECTORY_CAPACITY + 16];
    struct um_state_directory *directory;
    char why[UM_STATE_WHY_CAPACITY] = "";

    (void)state;
    temp_directory_make(path);
    snprintf(link, sizeof link, "%s.link", path);
    assert_int_equal(symlink(path, link), 0);
    assert_refused(link, "is a symbolic link");
    /* The same one: the system would go through it. */
    snprintf(link, sizeof link, "%s.link//./", path);
    assert_int_equal(um_state_directory_open(link, true, &directory, why, sizeof why), UMEM_E_DENIED);
    assert_non_null(strstr(why, "is a symbolic link"));
    snprintf(link, sizeof link, "%s/./", path);
    assert_int_equal(um_state_directory_open(link, true, &directory, why, sizeof why), UMEM_OK);
    um_state_directory_close(directory);
    snprintf(link, sizeof link, "%s.link", path);
    assert_int_equal(unlink(link), 0);
    temp_directory_remove(path);
}

static void test_another_users_directory_is_refused(void **state)
{
    char path[TEMP_DIRECTORY_CAPACITY];

    (void)state;
    if (geteuid() != 0) {
        assert_refused("/", "belongs to user 0");
        return;
    }
    temp_directory_make(path);
    assert_int_equal(chown(path, 12345, 12345), 0);
    assert_refused(path,
                   "belongs to user 12345, who could change what is in it; name a directory of your own");
    temp_directory_remove(path);
}

/* What a link leads to is not opened, and what is no file is none. */
static void test_only_plain_files_are_opened(void **state)
{
    char path[TEMP_DIRECTORY_CAPACITY];
    char name[TEMP_DIRECTORY_CAPACITY + 8];
    char why[UM_STATE_WHY_CAPACITY];
    struct um_state_directory *directory;
    struct um_files *files;
    struct um_file *file;

    (void)state;
    temp_directory_make(path);
    assert_int_equal(um_state_directory_open(path, true, &directory, why, sizeof why), UMEM_OK);
    assert_int_equal(um_state_directory_holder(path), getpid());
    files = um_state_directory_files(directory);
    snprintf(name, sizeof name, "%s/link", path);
    assert_int_equal(symlink("lock", name), 0);
    assert_int_equal(files->ops->open(files, "link", &file), UM_FILE_OTHER);
    snprintf(name, sizeof name, "%s/fifo", path);
    assert_int_equal(mkfifo(name, 0600), 0);
    assert_int_equal(files->ops->open(files, "fifo", &file), UM_FILE_OTHER);
    assert_int_equal(files->ops->open(files, ".", &file), UM_FILE_OTHER);
    um_state_directory_close(directory);
    snprintf(name, sizeof name, "%s/lock", path);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(symlink("fifo", name), 0);
    assert_refused(path,
                   "/lock cannot be opened: it is no file, but a directory, a symbolic link, or the like; ");
    temp_directory_remove(path);
}

/* What is written to it is gone with the process. */
static void test_a_file_that_was_removed_is_not_synced(void **state)
{
    char path[TEMP_DIRECTORY_CAPACITY];
    char why[UM_STATE_WHY_CAPACITY];
    struct um_state_directory *directory;
    struct um_files *files;
    struct um_file *file;

    (void)state;
    temp_directory_make(path);
    assert_int_equal(um_state_directory_open(path, true, &directory, why, sizeof why), UMEM_OK);
    files = um_state_directory_files(directory);
    assert_int_equal(files->ops->create(files, "a", &file), UM_FILE_OK);
    assert_int_equal(files->ops->write(file, 0, "x", 1), UM_FILE_OK);
    assert_int_equal(files->ops->sync(file), UM_FILE_OK);
    assert_int_equal(files->ops->remove(files, "a"), UM_FILE_OK);
    assert_int_equal(files->ops->sync(file), UM_FILE_NOT_THERE);
    files->ops->close(file);
    um_state_directory_close(directory);
    temp_directory_remove(path);
}

/* A limit of file sizes stands in for a full disk. */
static void test_space_that_is_not_there_is_refused(void **state)
{
    char path[TEMP_DIRECTORY_CAPACITY];
    char why[UM_STATE_WHY_CAPACITY];
    struct um_state_directory *directory;
    struct um_files *files;
    struct um_file *file;
    struct rlimit former;
    struct rlimit limit;
    uint64_t size;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    temp_directory_make(path);
    assert_int_equal(um_state_directory_open(path, true, &directory, why, sizeof why), UMEM_OK);
    files = um_state_directory_files(directory);
    assert_int_equal(files->ops->create(files, "a", &file), UM_FILE_OK);
    assert_int_equal(files->ops->reserve(file, 65536), UM_FILE_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
    limit = former;
    limit.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(files->ops->reserve(file, 200000), UM_FILE_NO_SPACE);
    assert_int_equal(files->ops->write(file, 150000, "x", 1), UM_FILE_NO_SPACE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
    assert_int_equal(files->ops->get_size(file, &size), UM_FILE_OK);
    assert_int_equal(size, 65536);
    files->ops->close(file);
    um_state_directory_close(directory);
    temp_directory_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_directory_that_others_may_enter_is_refused),
        cmocka_unit_test(test_a_link_is_refused),
        cmocka_unit_test(test_another_users_directory_is_refused),
        cmocka_unit_test(test_only_plain_files_are_opened),
        cmocka_unit_test(test_a_file_that_was_removed_is_not_synced),
        cmocka_unit_test(test_space_that_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
