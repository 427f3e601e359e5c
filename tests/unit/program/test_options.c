/* Reading options, and the errors about wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program/options.h"

static const struct um_option options[] = {
    {"--file", "FILE", "a file"},
    {"--fill", NULL, "fill it"},
    {"--help", NULL, "print this"},
    {"--wipe", "[=no]", "wipe it"},
};

static const struct um_option_table table = {options, 4, NULL};

static char error[128];
static const char *value;

/* Reads the first of these words. Returns how many words it took, or 0 where it is wrong. */
static int read_option(int expected, char *const *words)
{
    int at = 0;
    int found = um_option_read(&table, words, &at, &value, error, sizeof error);

    assert_int_equal(found, expected);
    return found >= 0 ? at + 1 : 0;
}

#define WORDS(...) ((char *const[]){__VA_ARGS__, NULL})

/* What may be left out is never the next word. */
static void test_a_value_that_may_be_left_out(void **state)
{
    (void)state;
    assert_int_equal(read_option(3, WORDS("--wipe", "no")), 1);
    assert_string_equal(value, "");
    assert_int_equal(read_option(3, WORDS("--wipe=no", "yes")), 1);
    assert_string_equal(value, "no");
    assert_int_equal(read_option(-1, WORDS("--wipe=")), 0);
    assert_string_equal(error, "--wipe= needs a value: --wipe[=no]");
}

static void test_values(void **state)
{
    (void)state;
    assert_int_equal(read_option(0, WORDS("--file", "a")), 2);
    assert_string_equal(value, "a");
    assert_int_equal(read_option(0, WORDS("--file=a=b", "c")), 1);
    assert_string_equal(value, "a=b");
    assert_int_equal(read_option(0, WORDS("--file=", "c")), 1);
    assert_string_equal(value, "");
    assert_int_equal(read_option(0, WORDS("--file", "--fill")), 2);
    assert_string_equal(value, "--fill");
    assert_int_equal(read_option(1, WORDS("--fill", "a")), 1);
    assert_string_equal(value, "");
    assert_int_equal(read_option(2, WORDS("-h")), 1);
}

static void test_wrong_options(void **state)
{
    struct um_option_table with_help = table;
    int at = 0;

    (void)state;
    assert_int_equal(read_option(-1, WORDS("--file")), 0);
    assert_string_equal(error, "--file needs a value: --file FILE");
    assert_int_equal(read_option(-1, WORDS("--fill=1")), 0);
    assert_string_equal(error, "--fill takes no value");
    assert_int_equal(read_option(-1, WORDS("--fil=1")), 0);
    assert_string_equal(error, "there is no option --fil; did you mean --file?");
    assert_int_equal(read_option(-1, WORDS("other")), 0);
    assert_string_equal(error, "there is no option other");
    with_help.help = "x help";
    assert_int_equal(um_option_read(&with_help, WORDS("other"), &at, &value, error, sizeof error), -1);
    assert_string_equal(error, "there is no option other; x help lists the options");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_a_value_that_may_be_left_out),
        cmocka_unit_test(test_wrong_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
