#include "cli/report/html_writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FORMATTED_SIZE = 1024, TIME_SIZE = 64, DIGITS_SIZE = 24 };

void cli_html_format(struct um_buf *out, const char *format, ...)
{
    char text[FORMATTED_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    um_buf_append_string(out, text);
}

/* NULL: the character stands as it is. What is no character of HTML becomes U+FFFD. */
static const char *escaped(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case 0x7F:
        return "\xEF\xBF\xBD";
    default:
        return (unsigned char)character < 0x20 ? "\xEF\xBF\xBD" : NULL;
    }
}

void cli_html_text(struct um_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *instead = escaped(*text);

        if (instead != NULL)
            um_buf_append_string(out, instead);
        else
            um_buf_append_byte(out, *text);
    }
}

void cli_html_name(struct um_buf *out, const char *name)
{
    um_buf_append_string(out, "<bdi>");
    cli_html_text(out, name);
    um_buf_append_string(out, "</bdi>");
}

void cli_html_count(struct um_buf *out, uint64_t count)
{
    char digits[DIGITS_SIZE];
    const int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);

    for (int i = 0; i < length; i++) {
        if (i != 0 && (length - i) % 3 == 0)
            um_buf_append_byte(out, ',');
        um_buf_append_byte(out, digits[i]);
    }
}

void cli_html_size(struct um_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes / 1024;
    int unit = 0;

    if (bytes < 1024) {
        cli_html_format(out, "%u&nbsp;B", (unsigned)bytes);
        return;
    }
    while (value >= 1023.95) {
        value /= 1024;
        unit++;
    }
    /* Tenths by hand: the C library's decimal point may be a comma. */
    cli_html_format(out, "%u.%u&nbsp;%s", (unsigned)((value * 10 + 0.5) / 10),
                    (unsigned)(value * 10 + 0.5) % 10, units[unit]);
}

void cli_html_time(struct um_buf *out, int64_t unix_seconds)
{
    const time_t time = (time_t)unix_seconds;
    const struct tm *parts = gmtime(&time);
    char text[TIME_SIZE];

    if (parts == NULL || strftime(text, sizeof text, "%Y-%m-%d&nbsp;%H:%M:%S&nbsp;UTC", parts) == 0)
        snprintf(text, sizeof text, "%lld", (long long)unix_seconds);
    um_buf_append_string(out, text);
}

void cli_html_duration(struct um_buf *out, uint64_t seconds)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{24 * 3600, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t at = 0;

    while (at < 3 && seconds < units[at].seconds)
        at++;
    cli_html_format(out, "%llu&nbsp;%s", (unsigned long long)(seconds / units[at].seconds), units[at].name);
    if (at < 3)
        cli_html_format(out, " %llu&nbsp;%s",
                        (unsigned long long)(seconds % units[at].seconds / units[at + 1].seconds),
                        units[at + 1].name);
}

void cli_html_name_cell(struct um_buf *out, const char *name)
{
    um_buf_append_string(out, "<td>");
    if (*name != '\0')
        cli_html_name(out, name);
    else
        um_buf_append_string(out, "<i>not known</i>");
    um_buf_append_string(out, "</td>");
}

static void begin_number(struct um_buf *out, uint64_t value)
{
    cli_html_format(out, "<td class=\"n\" data-v=\"%llu\">", (unsigned long long)value);
}

void cli_html_count_cell(struct um_buf *out, uint64_t count)
{
    begin_number(out, count);
    cli_html_count(out, count);
    um_buf_append_string(out, "</td>");
}

void cli_html_size_cell(struct um_buf *out, uint64_t bytes)
{
    begin_number(out, bytes);
    cli_html_size(out, bytes);
    um_buf_append_string(out, "</td>");
}

void cli_html_time_cell(struct um_buf *out, int64_t unix_seconds)
{
    begin_number(out, unix_seconds > 0 ? (uint64_t)unix_seconds : 0);
    if (unix_seconds > 0)
        cli_html_time(out, unix_seconds);
    else
        um_buf_append_string(out, "&ndash;");
    um_buf_append_string(out, "</td>");
}
