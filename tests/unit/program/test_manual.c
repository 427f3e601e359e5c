/* Help and man pages: the marks of a text, and what is no mark of troff's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program/manual.h"

static char page_text[4096];

static void append(void *context, const char *bytes, size_t size)
{
    size_t used = strlen(page_text);

    (void)context;
    assert_true(size < sizeof page_text - used);
    memcpy(page_text + used, bytes, size);
    page_text[used + size] = '\0';
}

static const struct um_page page = {append, NULL};

/* The page is this since it was looked at last. */
static void expect_page(const char *text)
{
    assert_string_equal(page_text, text);
    page_text[0] = '\0';
}

static void test_help(void **state)
{
    static const struct um_option file = {"--file", "FILE", "a file"};
    static const struct um_option help = {"--help", NULL, "print this"};

    (void)state;
    um_help_option(&page, 20, &file);
    expect_page("  --file FILE       a file\n");
    um_help_option(&page, 20, &help);
    expect_page("  --help, -h        print this\n");
    um_help_entry(&page, 6, "wrong", "  %d", 2);
    expect_page("  2   wrong\n");
}

static void expect_wrapped(const char *text, int indent, int column, const char *lines)
{
    um_help_text(&page, indent, column, text);
    expect_page(lines);
}

/* 78 characters, after which there is space for one more. */
#define LONG "123456789 123456789 123456789 123456789 123456789 123456789 123456789 12345678"

static void test_lines_are_as_long_as_a_terminal_is_wide(void **state)
{
    (void)state;
    expect_wrapped("", 0, 0, "\n");
    expect_wrapped(LONG " a", 0, 0, LONG " a\n");
    expect_wrapped(LONG " ab", 0, 0, LONG "\nab\n");
    expect_wrapped("a " LONG, 0, 0, "a " LONG "\n");
    expect_wrapped("a b", 4, 0, "    a b\n");
    expect_wrapped("a b", 4, 2, "  a b\n");
    expect_wrapped("a b", 4, 4, "a b\n");
    expect_wrapped("a b", 4, 79, "\n    a b\n");
    expect_wrapped("a b", 4, 78, " a\n    b\n");
    expect_wrapped("a\nb\n\nc", 2, 0, "  a\n  b\n\n  c\n");
    /* What is longer than a line is not cut. */
    expect_wrapped(
        "x 1234567890123456789012345678901234567890123456789012345678901234567890123456789012345", 0, 0,
        "x\n1234567890123456789012345678901234567890123456789012345678901234567890123456789012345\n");
}

static void test_marks(void **state)
{
    (void)state;
    um_man_text(&page, "# EXIT STATUS\n"
                       "Text with *--bold* and <SLANTED>.\n"
                       "\n"
                       ": *TERM* <X>\n"
                       ".not a request\n"
                       "    cmd --x | 'y'\n"
                       "    .z <\n"
                       "end");
    expect_page(".SH EXIT STATUS\n"
                "Text with \\fB\\-\\-bold\\fR and \\fISLANTED\\fR.\n"
                ".PP\n"
                ".TP\n"
                "\\fBTERM\\fR \\fIX\\fR\n"
                "\\&.not a request\n"
                ".EX\n"
                "cmd \\-\\-x | \\(aqy\\(aq\n"
                "\\&.z <\n"
                ".EE\n"
                "end\n");
    um_man_text(&page, "    last");
    expect_page(".EX\nlast\n.EE\n");
}

static void test_entries(void **state)
{
    static const struct um_option file = {"--file", "FILE", "a file, ~ or C:\\"};

    (void)state;
    um_man_option(&page, &file);
    expect_page(".TP\n\\fB\\-\\-file\\fR \\fIFILE\\fR\nA file, \\(ti or C:\\e.\n");
    um_man_status(&page, 127, "not found");
    expect_page(".TP\n\\fB127\\fR\nNot found.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_lines_are_as_long_as_a_terminal_is_wide),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
