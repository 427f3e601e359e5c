/* The lines of a configuration file: what is a setting, what is skipped, what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/config_text.h"

enum { SHOWN_SIZE = 2048 };

/* What reading gave, an entry a line: "2 name=[value]", or "3 wrong". */
static char shown[SHOWN_SIZE];

static const char *read_bytes(const char *bytes, size_t size)
{
    /* Exactly as large as the contract says, so that a sanitizer sees what passes the end. */
    char *text = malloc(size + 1);
    struct um_config_text config;
    enum um_config_line line;
    const char *name = NULL;
    const char *value = NULL;
    size_t used = 0;

    assert_non_null(text);
    memcpy(text, bytes, size);
    um_config_text_begin(&config, text, size);
    shown[0] = '\0';
    for (line = um_config_text_next(&config, &name, &value); line != UM_CONFIG_END;
         line = um_config_text_next(&config, &name, &value)) {
        if (line == UM_CONFIG_SETTING)
            used +=
                (size_t)snprintf(shown + used, sizeof shown - used, "%u %s=[%s]\n", config.line, name, value);
        else
            used += (size_t)snprintf(shown + used, sizeof shown - used, "%u wrong\n", config.line);
        assert_true(used < sizeof shown);
    }
    free(text);
    return shown;
}

static const char *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void settings_and_what_is_skipped(void **state)
{
    (void)state;
    assert_string_equal(read_text(""), "");
    assert_string_equal(read_text("\n\n  \n\t\n# a = b\n   # c = d"), "");
    assert_string_equal(read_text("a = b\n\nc=d"), "1 a=[b]\n3 c=[d]\n");
    assert_string_equal(read_text("\t a \t= \tb c\t \r\n"), "1 a=[b c]\n");
    assert_string_equal(read_text("a ="), "1 a=[]\n");
    assert_string_equal(read_text("a =\n"), "1 a=[]\n");
    /* A value is what stands there. */
    assert_string_equal(read_text("a = b # c ; d = \"e\" \\\nf = g"),
                        "1 a=[b # c ; d = \"e\" \\]\n2 f=[g]\n");
    assert_string_equal(read_text("\xef\xbb\xbf"
                                  "a = \xc3\xa4\n"),
                        "1 a=[\xc3\xa4]\n");
}

static void wrong_lines(void **state)
{
    (void)state;
    assert_string_equal(read_text("a\nb = c\n[d]\n= e\n"), "1 wrong\n2 b=[c]\n3 wrong\n4 wrong\n");
    assert_string_equal(read_text("a = \x1b[0m\nb = \x7f\nc = \xff\nd = \xc3\n"),
                        "1 wrong\n2 wrong\n3 wrong\n4 wrong\n");
    assert_string_equal(read_bytes("a = b\0c\nd = e", 13), "1 wrong\n2 d=[e]\n");
    /* A carriage return ends no line by itself. */
    assert_string_equal(read_text("a = b\rc = d\n"), "1 wrong\n");
    assert_string_equal(read_text("\xef\xbb"), "1 wrong\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_and_what_is_skipped),
        cmocka_unit_test(wrong_lines),
    };

    return cmocka_run_group_tests_name("config_text", tests, NULL, NULL);
}
