/*
 * The daemon's log: one line an event, "2026-01-31T12:00:00Z info listening on /run/user/1000/umemd.sock".
 *
 * Owns: the file, the lines that wait for it, the thread that writes them. Must not know: what happens.
 *
 * Nothing here waits for the file: a terminal that is stopped, a pipe without a reader or a disk that hangs holds up the thread
 * alone. Lines that do not fit in the queue meanwhile, and lines that the system refuses to write, are counted; once writing works
 * again, a line says how many were lost.
 */
#ifndef UM_LOG_H
#define UM_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

/* X(identifier, name): from what matters most to what matters least. */
#define UM_LOG_LEVELS(X) X(ERROR, "error") X(WARNING, "warning") X(INFO, "info") X(DEBUG, "debug")

enum um_log_level {
#define UM_LOG_ENUM(identifier, name) UM_LOG_##identifier,
    UM_LOG_LEVELS(UM_LOG_ENUM)
#undef UM_LOG_ENUM
};

struct um_log;

/* Reads a level's name. Returns 0, or -1 for a name that is none. */
int um_log_parse_level(const char *name, enum um_log_level *level);

/* Opens a log that appends to the file at `path` (UTF-8; it must stay while the log is open); NULL: to standard error. `level` is
 * the least that is written. Returns false with a sentence without a full stop in `reason` where that fails. */
bool um_log_open(struct um_log **log, const char *path, enum um_log_level level, char *reason,
                 size_t reason_size);

/* Lets later lines go to the file that is at the path by then: the one before may have been renamed. If it
 * cannot be opened, the log continues in the old file and says so. Does nothing for standard error. */
void um_log_reopen(struct um_log *log);

/* Gives the lines that are left a moment to be written, and closes it. NULL is fine. */
void um_log_close(struct um_log *log);

/* Adds a line. Control characters become question marks, so that no event can forge another's line. NULL: does nothing. */
UM_PRINTF(3, 4)
void um_log_write(struct um_log *log, enum um_log_level level, const char *format, ...);

#endif
