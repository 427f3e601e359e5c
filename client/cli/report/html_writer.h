/*
 * Pieces of an HTML page: text that is escaped, and numbers, sizes and times as people read them.
 *
 * Owns: how these look. Must not know: what the page is about.
 *
 * A buffer remembers that an append has failed, so that it is looked at once in the end.
 */
#ifndef UMEM_CLI_HTML_WRITER_H
#define UMEM_CLI_HTML_WRITER_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"

/* Markup of umem's own, as printf() has it. No argument may be text that comes from anybody else. At most 1,023 bytes. */
UM_PRINTF(2, 3)
void cli_html_format(struct um_buf *out, const char *format, ...);

/* Any text, which becomes no markup, in an element or in an attribute with quotes. */
void cli_html_text(struct um_buf *out, const char *text);

/* A name that somebody else has chosen: whichever way its letters run, it leaves the text around it as it is. */
void cli_html_name(struct um_buf *out, const char *name);

/* "1,234,567", "12.5 MiB", "2026-11-29 21:38:31 UTC", "3 h 20 min". */
void cli_html_count(struct um_buf *out, uint64_t count);
void cli_html_size(struct um_buf *out, uint64_t bytes);
void cli_html_time(struct um_buf *out, int64_t unix_seconds);
void cli_html_duration(struct um_buf *out, uint64_t seconds);

/* Cells of a row of a table. Numbers stand to the right, and are sorted by their value. A time of 0 is not known. */
void cli_html_name_cell(struct um_buf *out, const char *name);
void cli_html_count_cell(struct um_buf *out, uint64_t count);
void cli_html_size_cell(struct um_buf *out, uint64_t bytes);
void cli_html_time_cell(struct um_buf *out, int64_t unix_seconds);

#endif
