/*
 * The daemon's log: one line an event, "2026-01-31T12:00:00Z info listening on /run/user/1000/umemd.sock".
 *
 * Owns: the file, where it is not standard error. Must not know: what happens.
 */
#ifndef UM_LOG_H
#define UM_LOG_H

#include <stdio.h>

/* X(identifier, name): from what matters most to what matters least. */
#define UM_LOG_LEVELS(X) X(ERROR, "error") X(WARNING, "warning") X(INFO, "info") X(DEBUG, "debug")

enum um_log_level {
#define UM_LOG_ENUM(identifier, name) UM_LOG_##identifier,
    UM_LOG_LEVELS(UM_LOG_ENUM)
#undef UM_LOG_ENUM
};

struct um_log {
    FILE *file;              /* where lines go */
    enum um_log_level level; /* the least that is written */
};

/* Reads a level's name. Returns 0, or -1 for a name that is none. */
int um_log_parse_level(const char *name, enum um_log_level *level);

/* Opens a log that appends to the file at `path`; NULL: to standard error. Returns 0, or -1 with errno
 * set. */
int um_log_open(struct um_log *log, const char *path, enum um_log_level level);
void um_log_close(struct um_log *log);

/* Writes a line, at once. Control characters become question marks, so that no event can forge another's
 * line. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void um_log_write(struct um_log *log, enum um_log_level level, const char *format, ...);

#endif
