/* The progress bar for large data: when it is drawn, and what is in it. The system's part is the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/output/progress.h"
#include "cli/system/file_io.h"

#define MB ((uint64_t)1 << 20)

static bool is_terminal = true;
static char screen[4096]; /* what was written to it */
static size_t screen_size;

bool cli_is_terminal(int file)
{
    assert_int_equal(file, CLI_ERRORS);
    return is_terminal;
}

int cli_write_file(int file, const void *bytes, size_t size)
{
    assert_int_equal(file, CLI_ERRORS);
    assert_true(size < sizeof screen - screen_size);
    memcpy(screen + screen_size, bytes, size);
    screen_size += size;
    return 0;
}

/* What was drawn since the last call. */
static const char *drawn(void)
{
    static char text[sizeof screen];

    memcpy(text, screen, screen_size);
    text[screen_size] = '\0';
    screen_size = 0;
    return text;
}

static void test_known_size(void **state)
{
    struct cli_progress progress;

    (void)state;
    cli_progress_begin(&progress, "read", 64 * MB);
    cli_progress_step(&progress, MB - 1);
    assert_string_equal(drawn(), "");
    cli_progress_step(&progress, 1);
    assert_string_equal(drawn(), "\rread   1% [..............................] 1 of 64 MiB");
    /* Not again for less than one in a hundred. */
    cli_progress_step(&progress, 1);
    assert_string_equal(drawn(), "");
    cli_progress_step(&progress, 31 * MB - 1);
    assert_string_equal(drawn(), "\rread  50% [###############...............] 32 of 64 MiB");
    cli_progress_step(&progress, 32 * MB);
    assert_string_equal(drawn(), "\rread 100% [##############################] 64 of 64 MiB");
    /* A file that has grown meanwhile. */
    cli_progress_step(&progress, 64 * MB);
    assert_string_equal(drawn(), "");
    cli_progress_end(&progress);
    assert_string_equal(drawn(),
                        "\r                                                                            \r");
    cli_progress_end(&progress);
    assert_string_equal(drawn(), "");
}

static void test_unknown_size(void **state)
{
    struct cli_progress progress;

    (void)state;
    cli_progress_begin(&progress, "write", 0);
    cli_progress_step(&progress, 7 * MB);
    assert_string_equal(drawn(), "");
    cli_progress_step(&progress, MB);
    assert_string_equal(drawn(), "\rwrite 8 MiB");
    cli_progress_step(&progress, 1000 * MB);
    assert_string_equal(drawn(), "\rwrite 1008 MiB");
    cli_progress_end(&progress);
    assert_true(drawn()[0] != '\0');
}

static void test_no_bar(void **state)
{
    struct cli_progress progress;

    (void)state;
    /* Short work shows no progress, nor does output that is no terminal. */
    cli_progress_begin(&progress, "read", 8 * MB - 1);
    cli_progress_step(&progress, 8 * MB - 1);
    cli_progress_end(&progress);
    is_terminal = false;
    cli_progress_begin(&progress, "read", 64 * MB);
    cli_progress_step(&progress, 64 * MB);
    cli_progress_end(&progress);
    is_terminal = true;
    assert_string_equal(drawn(), "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_size),
        cmocka_unit_test(test_unknown_size),
        cmocka_unit_test(test_no_bar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
