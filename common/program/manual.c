#include "program/manual.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/umem_version.h"

enum { TITLE_SIZE = 32, EXAMPLE_INDENT = 4 };

void um_page_put(const struct um_page *page, const char *text)
{
    page->sink(page->context, text, strlen(text));
}

UM_PRINTF(2, 0)
static int put_formatted(const struct um_page *page, const char *format, va_list list)
{
    char text[UM_PAGE_TEXT_SIZE];
    int size = vsnprintf(text, sizeof text, format, list);

    um_page_put(page, text);
    return size;
}

int um_page_printf(const struct um_page *page, const char *format, ...)
{
    va_list list;
    int size;

    va_start(list, format);
    size = put_formatted(page, format, list);
    va_end(list);
    return size;
}

/* ---- help ---- */

void um_help_text(const struct um_page *page, int indent, int column, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        int spaces;

        if (column > indent && column + 1 + (int)length > UM_HELP_WIDTH) {
            um_page_put(page, "\n");
            column = 0;
        }
        if (length != 0) {
            spaces = column < indent ? indent - column : column > indent;
            um_page_printf(page, "%*s", spaces, "");
            page->sink(page->context, text, length);
            column += spaces + (int)length;
        }
        text += length;
        if (*text == '\n') {
            um_page_put(page, "\n");
            column = 0;
        }
        text += *text != '\0';
    }
    um_page_put(page, "\n");
}

void um_help_entry(const struct um_page *page, int column, const char *text, const char *format, ...)
{
    va_list list;
    int size;

    va_start(list, format);
    size = put_formatted(page, format, list);
    va_end(list);
    um_help_text(page, column, size, text);
}

/* A value that may be left out begins with its equals sign. */
static const char *space_before_value(const struct um_option *option)
{
    return option->value != NULL && option->value[0] != '[' ? " " : "";
}

void um_help_option(const struct um_page *page, int column, const struct um_option *option)
{
    um_help_entry(page, column, option->doc, "  %s%s%s%s", option->name, space_before_value(option),
                  option->value != NULL ? option->value : "",
                  strcmp(option->name, "--help") == 0 ? ", -h" : "");
}

/* ---- the man page ---- */

/* Puts a character so that it is not troff's, and a dash as the one of the keyboard. */
static void put_literal(const struct um_page *page, char character)
{
    static const struct {
        char character;
        const char *escape;
    } escapes[] = {{'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'^', "\\(ha"}, {'~', "\\(ti"}};

    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (escapes[i].character == character) {
            um_page_put(page, escapes[i].escape);
            return;
        }
    }
    page->sink(page->context, &character, 1);
}

void um_man_literal(const struct um_page *page, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put_literal(page, text[i]);
}

/* A line must not begin with a dot or an apostrophe, which begin a request. */
static void guard_line(const struct um_page *page, const char *line)
{
    if (*line == '.' || *line == '\'')
        um_page_put(page, "\\&");
}

void um_man_line(const struct um_page *page, const char *text, size_t size)
{
    guard_line(page, text);
    um_man_literal(page, text, size);
    um_page_put(page, "\n");
}

static void put_marked(const struct um_page *page, const char *line, size_t size)
{
    bool is_bold = false;

    guard_line(page, line);
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '*')
            is_bold = !is_bold;
        if (line[i] == '<')
            um_page_put(page, "\\fI");
        else if (line[i] == '>' || line[i] == '*')
            um_page_put(page, is_bold ? "\\fB" : "\\fR");
        else
            put_literal(page, line[i]);
    }
    um_page_put(page, "\n");
}

static void put_line(const struct um_page *page, const char *line, size_t size)
{
    if (size == 0)
        um_page_put(page, ".PP\n");
    else if (strncmp(line, "# ", 2) == 0)
        um_page_printf(page, ".SH %.*s\n", (int)size - 2, line + 2);
    else if (strncmp(line, ": ", 2) == 0) {
        um_page_put(page, ".TP\n");
        put_marked(page, line + 2, size - 2);
    } else {
        put_marked(page, line, size);
    }
}

void um_man_text(const struct um_page *page, const char *text)
{
    bool is_in_example = false;

    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        bool is_example = strncmp(text, "    ", EXAMPLE_INDENT) == 0;

        if (is_example != is_in_example)
            um_page_put(page, is_example ? ".EX\n" : ".EE\n");
        is_in_example = is_example;
        if (is_example) {
            um_man_line(page, text + EXAMPLE_INDENT, size - EXAMPLE_INDENT);
        } else {
            put_line(page, text, size);
        }
        text += size + (text[size] != '\0');
    }
    if (is_in_example)
        um_page_put(page, ".EE\n");
}

void um_man_begin(const struct um_page *page, const char *program, int section, const char *summary)
{
    char title[TITLE_SIZE] = "";

    for (size_t i = 0; program[i] != '\0' && i + 1 < sizeof title; i++)
        title[i] = (char)toupper((unsigned char)program[i]);
    um_page_printf(page,
                   ".\\\" Printed by %s \\-\\-print\\-man: change the program, not this page.\n"
                   ".TH %s %d \"\" \"umemd " UMEM_VERSION "\"\n"
                   ".SH NAME\n"
                   "%s \\- %s\n",
                   program, title, section, program, summary);
}

void um_man_sentence(const struct um_page *page, const char *phrase)
{
    const char first = (char)toupper((unsigned char)*phrase);

    um_man_literal(page, &first, 1);
    um_man_literal(page, phrase + 1, strlen(phrase + 1));
    um_page_put(page, ".\n");
}

void um_man_option(const struct um_page *page, const struct um_option *option)
{
    um_page_put(page, ".TP\n\\fB");
    um_man_literal(page, option->name, strlen(option->name));
    um_page_put(page, "\\fR");
    if (option->value != NULL)
        um_page_printf(page, "%s\\fI%s\\fR", space_before_value(option), option->value);
    um_page_put(page, strcmp(option->name, "--help") == 0 ? ", \\fB\\-h\\fR\n" : "\n");
    um_man_sentence(page, option->doc);
}

void um_man_status(const struct um_page *page, int status, const char *phrase)
{
    um_page_printf(page, ".TP\n\\fB%d\\fR\n", status);
    um_man_sentence(page, phrase);
}
