/*
 * What a program says of itself: help for a terminal, and a page for man(7).
 *
 * Owns: how both look. Must not know: which options, verbs or exit statuses there are.
 */
#ifndef UM_MANUAL_H
#define UM_MANUAL_H

#include <stddef.h>

#include "base/attributes.h"
#include "program/options.h"

/* Takes bytes of a page. */
typedef void um_page_sink(void *context, const char *bytes, size_t size);

/* Where a page goes. */
struct um_page {
    um_page_sink *sink;
    void *context; /* of the sink */
};

/* Puts text, or a format as printf() has it (um_page_printf() returns how many bytes that is; at most UM_PAGE_TEXT_SIZE - 1 are
 * put). */
enum { UM_PAGE_TEXT_SIZE = 1024 };
void um_page_put(const struct um_page *page, const char *text);
UM_PRINTF(2, 3)
int um_page_printf(const struct um_page *page, const char *format, ...);

/* ---- help ---- */

enum { UM_HELP_WIDTH = 80 };

/* Puts text in lines that fit a terminal, ended by a line's end: words that go on at `column` of the line that is begun, where they
 * fit, and at `indent` of every next one. A line's end in the text is kept; a word that is longer than a line is not cut. */
void um_help_text(const struct um_page *page, int indent, int column, const char *text);

/* Puts an entry of a list: what the format makes, and the text beside it from `column` on. */
UM_PRINTF(4, 5)
void um_help_entry(const struct um_page *page, int column, const char *text, const char *format, ...);
void um_help_option(const struct um_page *page, int column, const struct um_option *option);

/* ---- the man page ---- */

/* Puts the page's beginning, up to its NAME section. `program` is in lower case, `summary` a phrase. */
void um_man_begin(const struct um_page *page, const char *program, int section, const char *summary);

/* Puts text of several lines. *bold* and <PLACEHOLDER> may stand in them; a line may be "# SECTION", ": TERM" with the lines
 * below it as its description, empty (a new paragraph), or an example, which four spaces begin and which is put as it is. */
void um_man_text(const struct um_page *page, const char *text);

/* Puts text in which no character means anything but itself; um_man_line() puts a whole line of it. */
void um_man_literal(const struct um_page *page, const char *text, size_t size);
void um_man_line(const struct um_page *page, const char *text, size_t size);

/* Puts a phrase as a sentence on a line of its own: with a capital letter and a full stop. */
void um_man_sentence(const struct um_page *page, const char *phrase);

/* Puts an entry of a list. */
void um_man_option(const struct um_page *page, const struct um_option *option);
void um_man_status(const struct um_page *page, int status, const char *phrase);

#endif
