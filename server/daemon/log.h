/*
 * The daemon's log: one line an event, "2026-01-31T12:00:00.123Z info listening on /run/user/1000/umemd.sock", or as JSON,
 * {"time":"2026-01-31T12:00:00.123Z","level":"info","text":"listening on ..."}.
 *
 * Owns: the file, the lines that wait for it, the thread that writes them. Must not know: what happens.
 *
 * Nothing here waits for the file: a terminal that is stopped, a pipe without a reader, a disk that hangs or a system log that does not
 * answer holds up the thread alone. Lines that do not fit in the queue meanwhile, and lines that the system refuses to write, are
 * counted; once writing works again, a line says how many were lost.
 */
#ifndef UM_LOG_H
#define UM_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "daemon/log_line.h"

/* Where the lines go. The system log is syslog, or Windows' event log. */
enum um_log_target { UM_LOG_TO_STDERR, UM_LOG_TO_FILE, UM_LOG_TO_SYSTEM };

struct um_log_options {
    enum um_log_target target;
    const char *
        path; /* FILE: to append to (UTF-8), stays while the log is open. SYSTEM: as um_system_log_open() has it */
    enum um_log_level level; /* the least that is written */
    enum um_log_format format;
};

struct um_log;

/* Reads a level's name. Returns 0, or -1 for a name that is none. */
int um_log_parse_level(const char *name, enum um_log_level *level);

/* Opens a log. Returns false with a sentence without a full stop in `reason` where that fails. */
bool um_log_open(struct um_log **log, const struct um_log_options *options, char *reason, size_t reason_size);

/* The level and the form of later lines. */
void um_log_set(struct um_log *log, enum um_log_level level, enum um_log_format format);

/* Lets later lines go to the file that is at the path by then: the one before may have been renamed. If it
 * cannot be opened, the log continues in the old file and says so. Does nothing for standard error and for the system log. */
void um_log_reopen(struct um_log *log);

/* Gives the lines that are left a moment to be written, and closes it. NULL is fine. */
void um_log_close(struct um_log *log);

/* Adds a line with a sentence. Control characters are written as \u001b is, so that no event can forge another's line, and no terminal
 * obeys it. NULL: does nothing. */
UM_PRINTF(3, 4)
void um_log_write(struct um_log *log, enum um_log_level level, const char *format, ...);

/* Adds a line with facts: as text "call session=3 method=block.read", as JSON members beside "event". In text, what is not plain is
 * quoted as in JSON. Names are plain and static. NULL: does nothing. */
void um_log_event(struct um_log *log, enum um_log_level level, const char *event,
                  const struct um_log_field *fields, size_t count);

#endif
