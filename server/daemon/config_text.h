/*
 * The text of a configuration file: lines of NAME = VALUE, comments that a # begins, empty lines.
 *
 * Owns: the format. Must not know: which names there are, where the text is from. Pure.
 *
 * A name begins in the first column or behind white space; white space around a name and around a value is no part of them, and a
 * value goes to the end of its line, whatever is in it. There are no sections, quotes, escapes, continued lines or comments behind a
 * value. The text is UTF-8; a byte order mark at its start is skipped, and a line may end with CR LF.
 */
#ifndef UM_CONFIG_TEXT_H
#define UM_CONFIG_TEXT_H

#include <stddef.h>

struct um_config_text {
    char *next; /* the line that is read next */
    char *end;
    unsigned line; /* the number of the line that was read last, from 1 */
};

enum um_config_line {
    UM_CONFIG_END,     /* there are no more lines */
    UM_CONFIG_SETTING, /* a name and a value */
    UM_CONFIG_WRONG    /* the line is neither that nor empty nor a comment; the next one can be read */
};

/* Begins to read `size` bytes, with space for one more behind them. Reading changes them. */
void um_config_text_begin(struct um_config_text *config, char *text, size_t size);

/* Reads the next line that says something. SETTING: *name and *value are parts of the text, which end with NUL; the value may be empty.
 * WRONG: *value is a static sentence without a full stop that says why. */
enum um_config_line um_config_text_next(struct um_config_text *config, const char **name, const char **value);

#endif
