/*
 * One line of the log, as text or as JSON.
 *
 * Owns: how lines look, and that no text in them can end one or command a terminal. Must not know: where lines go. Pure.
 */
#ifndef UM_LOG_LINE_H
#define UM_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(identifier, name): from what matters most to what matters least. */
#define UM_LOG_LEVELS(X) X(ERROR, "error") X(WARNING, "warning") X(INFO, "info") X(DEBUG, "debug")

enum um_log_level {
#define UM_LOG_ENUM(identifier, name) UM_LOG_##identifier,
    UM_LOG_LEVELS(UM_LOG_ENUM)
#undef UM_LOG_ENUM
};

enum um_log_format { UM_LOG_TEXT, UM_LOG_JSON };

/* One fact of an event. */
struct um_log_field {
    const char *name;
    const char *text; /* NULL: it is the number */
    uint64_t number;
};

enum {
    UM_LOG_TIME_SIZE = 32,   /* bytes of a time, its end counted */
    UM_LOG_LINE_SIZE = 8192, /* bytes of a line: a sentence of which every byte takes six fits */
    UM_LOG_VALUE_SIZE = 1024 /* bytes of a field's text that are written; the rest is left out */
};

struct um_log_line {
    bool is_json; /* set by the caller, as is `size` to 0 */
    size_t size;
    char bytes[UM_LOG_LINE_SIZE];
};

/* Each adds to the line. What does not fit is left out, and the line still ends as it should. */
void um_log_line_put_byte(struct um_log_line *line, char byte);
void um_log_line_begin(struct um_log_line *line, const char *time, const char *level);
void um_log_line_put_sentence(struct um_log_line *line, const char *text);
void um_log_line_put_event(struct um_log_line *line, const char *event);
void um_log_line_put_field(struct um_log_line *line, const struct um_log_field *field);
void um_log_line_end(struct um_log_line *line);

#endif
