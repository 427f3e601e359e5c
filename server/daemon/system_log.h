/*
 * The system's log: syslog on POSIX systems, which systemd's journal collects, and the event log of Windows.
 *
 * Owns: the connection to it. Must not know: where lines come from. One thread uses it.
 *
 * POSIX: each line is a datagram to the socket of the system's log, with the facility "daemon". That is what syslog(3) sends; but
 * syslog(3) does not say when a line was lost. Windows: each line is an event of the source "umemd" with the number 1.
 */
#ifndef UM_SYSTEM_LOG_H
#define UM_SYSTEM_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/log_line.h"

struct um_system_log;

/* What users call it: "syslog" or "eventlog". */
const char *um_system_log_name(void);

/* Opens it. `path`: of the socket, NULL: the system's own; Windows: without a meaning. False, with a sentence without a full stop in
 * `reason`, where there is none. */
bool um_system_log_open(const char *path, struct um_system_log **log, char *reason, size_t reason_size);

/* Hands over a line, without its end, and waits until the system has taken it. Returns 0 or libuv's error; then the line is lost. */
int um_system_log_write(struct um_system_log *log, enum um_log_level level, const char *line);

/* NULL is fine. */
void um_system_log_close(struct um_system_log *log);

#endif
