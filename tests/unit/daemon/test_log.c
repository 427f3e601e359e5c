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
    const struct um_log_options options = {.target = UM_LOG_TO_FILE, .path = path, .level = level};

    assert_true(um_log_open(&log, &options, reason, sizeof reason));
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
    assert_non_null(strstr(text, "Z error two\\u000alines\\u001b[0m\\u007f\n"));
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
    struct um_log_options options = {.target = UM_LOG_TO_FILE};
    char nowhere[PATH_SIZE + 8];

    (void)state;
    snprintf(nowhere, sizeof nowhere, "%s/log", path);
    options.path = nowhere;
    assert_false(um_log_open(&log, &options, reason, sizeof reason));
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

/* A line of the log, behind its time, which is checked. */
static const char *behind_time(const char *line, const char *form)
{
    for (; *form != '\0'; form++, line++)
        assert_true(*form == '0' ? *line >= '0' && *line <= '9' : *line == *form);
    return line;
}

static void expect_lines(const char *form, const char *expected)
{
    const char *line = read_file(path);

    while (*line != '\0') {
        const char *end = strchr(line, '\n');
        const char *rest = behind_time(line, form);

        assert_non_null(end);
        assert_memory_equal(rest, expected, (size_t)(end + 1 - rest));
        expected += end + 1 - rest;
        line = end + 1;
    }
    assert_string_equal(expected, "");
}

/* What clients choose, as far as it may be logged. */
#define BAD_TEXT "a\"b\\c\n\x1b\x7f\xc2\x9b\xc3\xa4\xff\xe2\x82"

static const struct um_log_field fields[] = {
    {"number", NULL, UINT64_MAX}, {"plain", "/a/b.c-d_1", 0}, {"empty", "", 0},
    {"words", "a b", 0},          {"bad", BAD_TEXT, 0},       {"equals", "a=b", 0},
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static void events_as_text(void **state)
{
    struct um_log *log = open_log(UM_LOG_INFO);

    (void)state;
    um_log_event(log, UM_LOG_INFO, "call", fields, FIELDS);
    um_log_event(log, UM_LOG_DEBUG, "call", fields, FIELDS);
    um_log_event(log, UM_LOG_WARNING, "none", NULL, 0);
    um_log_event(NULL, UM_LOG_WARNING, "none", NULL, 0);
    um_log_close(log);
    expect_lines(
        "0000-00-00T00:00:00.000Z ",
        "info call number=18446744073709551615 plain=/a/b.c-d_1 empty=\"\" words=\"a b\" "
        "bad=\"a\\\"b\\\\c\\u000a\\u001b\\u007f\\u009b\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\" "
        "equals=\"a=b\"\n"
        "warning none\n");
}

static void lines_of_json(void **state)
{
    struct um_log *log = open_log(UM_LOG_DEBUG);

    (void)state;
    um_log_set(log, UM_LOG_INFO, UM_LOG_JSON);
    um_log_event(log, UM_LOG_INFO, "call", fields, FIELDS);
    um_log_event(log, UM_LOG_DEBUG, "call", fields, FIELDS);
    um_log_write(log, UM_LOG_ERROR, "%s", BAD_TEXT);
    um_log_close(log);
    expect_lines(
        "{\"time\":\"0000-00-00T00:00:00.000Z\",\"level\":",
        "\"info\",\"event\":\"call\",\"number\":18446744073709551615,\"plain\":\"/a/b.c-d_1\",\"empty\":\"\","
        "\"words\":\"a b\","
        "\"bad\":\"a\\\"b\\\\c\\u000a\\u001b\\u007f\\u009b\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
        "\"equals\":\"a=b\"}\n"
        "\"error\",\"text\":"
        "\"a\\\"b\\\\c\\u000a\\u001b\\u007f\\u009b\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}\n");
}

/* However much is to be logged, the line ends as it should; a field that does not fit is left out as a whole. */
static void long_lines_are_whole(void **state)
{
    static char control[3000];
    struct um_log *log = open_log(UM_LOG_DEBUG);
    const struct um_log_field many[] = {{"a", control, 0}, {"b", control, 0}, {"c", NULL, 7}};

    (void)state;
    memset(control, 1, sizeof control - 1);
    um_log_set(log, UM_LOG_INFO, UM_LOG_JSON);
    um_log_event(log, UM_LOG_INFO, "e", many, 3);
    um_log_write(log, UM_LOG_INFO, "%s", control);
    um_log_close(log);
    read_file(path);
    assert_int_equal(count("\n"), 2);
    assert_int_equal(count("\"}\n"), 1);
    assert_int_equal(count("\",\"c\":7}\n"), 1);
    assert_int_equal(count("\"b\""), 0);
    /* 1,024 bytes of the field, and what fits in a sentence. */
    assert_int_equal(count("\\u0001"), 1024 + 1023);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_written_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_as_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_of_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_lines_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_moved_file_is_created_again, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
