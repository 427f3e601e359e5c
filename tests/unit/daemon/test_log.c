/* The log: its lines, its file under any name, and a file that is moved away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/log.h"

enum { PATH_SIZE = 512, TEXT_SIZE = 65536, TRIES = 30000, LINES = 200 };

static char path[PATH_SIZE]; /* with characters that no code page of Windows has together */
static char moved[PATH_SIZE + 8];
static char text[TEXT_SIZE];
static char reason[256];

static void unlink_file(const char *name)
{
    uv_fs_t request;

    uv_fs_unlink(NULL, &request, name, NULL);
    uv_fs_req_cleanup(&request);
}

static void rename_file(const char *from, const char *to)
{
    uv_fs_t request;

    assert_int_equal(uv_fs_rename(NULL, &request, from, to, NULL), 0);
    uv_fs_req_cleanup(&request);
}

static const char *read_file(const char *name)
{
    uv_buf_t buf = uv_buf_init(text, sizeof text - 1);
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, name, UV_FS_O_RDONLY, 0, NULL);
    int size = 0;

    uv_fs_req_cleanup(&request);
    if (file >= 0) {
        size = uv_fs_read(NULL, &request, file, &buf, 1, 0, NULL);
        uv_fs_req_cleanup(&request);
        uv_fs_close(NULL, &request, file, NULL);
        uv_fs_req_cleanup(&request);
    }
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static int set_up(void **state)
{
    char folder[256];
    size_t size = sizeof folder;

    (void)state;
    assert_int_equal(uv_os_tmpdir(folder, &size), 0);
    snprintf(path, sizeof path, "%s/umem-test-%d-\xc3\xa4\xe2\x82\xac\xd0\x96\xe6\xbc\xa2.log", folder,
             (int)uv_os_getpid());
    snprintf(moved, sizeof moved, "%s.1", path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink_file(path);
    unlink_file(moved);
    return 0;
}

static struct um_log *open_log(enum um_log_level level)
{
    struct um_log *log = NULL;

    assert_true(um_log_open(&log, path, level, reason, sizeof reason));
    return log;
}

static unsigned count(const char *part)
{
    unsigned found = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        found++;
    return found;
}

static void lines_are_written_in_order(void **state)
{
    struct um_log *log = open_log(UM_LOG_INFO);
    const char *at = text;

    (void)state;
    for (int i = 0; i < LINES; i++)
        um_log_write(log, UM_LOG_INFO, "line %d.", i);
    um_log_write(log, UM_LOG_DEBUG, "not asked for");
    um_log_write(log, UM_LOG_ERROR, "two\nlines\x1b[0m\x7f");
    um_log_close(log);
    /* Appended, not begun anew. */
    log = open_log(UM_LOG_INFO);
    um_log_close(log);
    read_file(path);
    for (int i = 0; i < LINES; i++) {
        char part[32];

        snprintf(part, sizeof part, "Z info line %d.\n", i);
        at = strstr(at, part);
        assert_non_null(at);
    }
    assert_int_equal(count("\n"), LINES + 1);
    assert_int_equal(count("not asked for"), 0);
    assert_non_null(strstr(text, "Z error two?lines?[0m?\n"));
}

static void a_log_that_is_not_there(void **state)
{
    (void)state;
    um_log_write(NULL, UM_LOG_ERROR, "nobody");
    um_log_reopen(NULL);
    um_log_close(NULL);
}

static void a_file_that_cannot_be_opened(void **state)
{
    struct um_log *log = NULL;
    char nowhere[PATH_SIZE + 8];

    (void)state;
    snprintf(nowhere, sizeof nowhere, "%s/log", path);
    assert_false(um_log_open(&log, nowhere, UM_LOG_INFO, reason, sizeof reason));
    assert_null(log);
    assert_non_null(strstr(reason, nowhere));
}

/* Lines written after a reopen was requested are in the new file. */
static void a_moved_file_is_created_again(void **state)
{
    struct um_log *log = open_log(UM_LOG_INFO);

    (void)state;
    um_log_write(log, UM_LOG_INFO, "before");
    for (int tries = 0; tries < TRIES && strstr(read_file(path), "before\n") == NULL; tries++)
        uv_sleep(1);
    rename_file(path, moved);
    um_log_reopen(log);
    um_log_write(log, UM_LOG_INFO, "after");
    um_log_close(log);
    assert_non_null(strstr(read_file(moved), "before\n"));
    assert_null(strstr(text, "after"));
    assert_non_null(strstr(read_file(path), "after\n"));
    assert_null(strstr(text, "before"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_written_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_moved_file_is_created_again, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
