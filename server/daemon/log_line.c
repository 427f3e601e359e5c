#include "daemon/log_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"

enum {
    END_SIZE = 8,   /* bytes that are kept for what ends a line */
    ESCAPE_SIZE = 6 /* bytes that one byte of a text may take */
};

static bool fits(const struct um_log_line *line, size_t size)
{
    return size <= sizeof line->bytes - END_SIZE - line->size;
}

void um_log_line_put_byte(struct um_log_line *line, char byte)
{
    if (fits(line, 1))
        line->bytes[line->size++] = byte;
}

static void put(struct um_log_line *line, const char *text)
{
    size_t size = strlen(text);

    if (!fits(line, size))
        return;
    memcpy(line->bytes + line->size, text, size);
    line->size += size;
}

/* ---- characters ---- */

/* Bytes of a character that is written as \u00XX: a control character, those of 0x80 to 0x9F among them, which some terminals obey.
 * 0: it is none. */
static size_t control_size(const unsigned char *at)
{
    if (*at < 0x20 || *at == 0x7f)
        return 1;
    return at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f ? 2 : 0;
}

static void put_escape(struct um_log_line *line, unsigned number)
{
    char escape[8];

    snprintf(escape, sizeof escape, "\\u%04x", number);
    put(line, escape);
}

/* Puts at most `size` bytes of a text; what is no UTF-8 becomes U+FFFD. With `is_quoted` quotes and backslashes are escaped, too. */
static void put_text(struct um_log_line *line, const char *text, size_t size, bool is_quoted)
{
    size_t end = strnlen(text, size);

    for (size_t at = 0; at < end;) {
        const unsigned char *byte = (const unsigned char *)text + at;
        /* No character has more than 4 bytes, and a valid one at the text's start is followed by another or by an end. */
        size_t width = end - at < 4 ? end - at : 4;
        size_t valid = um_utf8_check(byte, width);
        size_t control = control_size(byte);

        if (control != 0 && valid >= control) {
            put_escape(line, control == 1 ? byte[0] : byte[1]);
            at += control;
        } else if (valid == 0) {
            put(line, "\xef\xbf\xbd");
            at++;
        } else {
            if (is_quoted && (*byte == '"' || *byte == '\\'))
                um_log_line_put_byte(line, '\\');
            /* A whole character, or none of it. */
            width = *byte < 0x80 ? 1 : *byte < 0xe0 ? 2 : *byte < 0xf0 ? 3 : 4;
            if (fits(line, width)) {
                memcpy(line->bytes + line->size, byte, width);
                line->size += width;
            }
            at += width;
        }
    }
}

static void put_string(struct um_log_line *line, const char *text)
{
    um_log_line_put_byte(line, '"');
    put_text(line, text, UM_LOG_VALUE_SIZE, true);
    um_log_line_put_byte(line, '"');
}

/* ---- the parts of a line ---- */

void um_log_line_begin(struct um_log_line *line, const char *time, const char *level)
{
    put(line, line->is_json ? "{\"time\":\"" : "");
    put(line, time);
    put(line, line->is_json ? "\",\"level\":\"" : " ");
    put(line, level);
    put(line, line->is_json ? "\"," : " ");
}

void um_log_line_put_sentence(struct um_log_line *line, const char *text)
{
    if (!line->is_json) {
        put_text(line, text, UM_LOG_VALUE_SIZE, false);
        return;
    }
    put(line, "\"text\":");
    put_string(line, text);
}

void um_log_line_put_event(struct um_log_line *line, const char *event)
{
    put(line, line->is_json ? "\"event\":\"" : "");
    put(line, event);
    put(line, line->is_json ? "\"" : "");
}

/* Whether a text needs no quotes: letters, digits and what names and paths are made of. */
static bool is_plain(const char *text)
{
    static const char marks[] = "._-/:+@$%*,~";

    for (const char *at = text; *at != '\0'; at++) {
        bool is_word = (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z');

        if (!is_word && strchr(marks, *at) == NULL)
            return false;
    }
    return *text != '\0';
}

void um_log_line_put_field(struct um_log_line *line, const struct um_log_field *field)
{
    char number[24];
    size_t size = field->text != NULL ? strnlen(field->text, UM_LOG_VALUE_SIZE) : sizeof number;

    /* The whole field, or nothing of it. */
    if (!fits(line, strlen(field->name) + ESCAPE_SIZE * size + END_SIZE))
        return;
    put(line, line->is_json ? ",\"" : " ");
    put(line, field->name);
    put(line, line->is_json ? "\":" : "=");
    snprintf(number, sizeof number, "%" PRIu64, field->number);
    if (field->text == NULL)
        put(line, number);
    else if (line->is_json || !is_plain(field->text))
        put_string(line, field->text);
    else
        put(line, field->text);
}

void um_log_line_end(struct um_log_line *line)
{
    if (line->is_json)
        line->bytes[line->size++] = '}';
    line->bytes[line->size++] = '\n';
}
