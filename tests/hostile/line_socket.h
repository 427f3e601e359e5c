/*
 * Connections of a hostile program: blocking sockets, lines of JSON.
 *
 * Owns: nothing. Must not know: what is sent.
 *
 * A stream runs until it is killed, so that no call here fails for long: where the daemon refuses or has gone, the process ends.
 */
#ifndef LINE_SOCKET_H
#define LINE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/buf.h"

/* Connects. -1 where that fails. */
int line_connect(const char *path, bool waits);

/* Connects and waits while the daemon's queue is full; ends the process where that fails. */
int line_open(const char *path);

/* Opens several, or as many as this process may have. Returns how many. */
unsigned line_open_many(const char *path, int *sockets, unsigned count);

/* Sends all of it. */
void line_send(int socket, const void *bytes, size_t size);

/* Sends a line of printf's format, and waits for a line, whose text is passed over. */
UM_PRINTF(2, 3) void line_call(int socket, const char *format, ...);

/* Waits for so many lines. */
void line_skip_lines(int socket, size_t count);

/* Appends a text of printf's format. */
UM_PRINTF(2, 3) void line_add(struct um_buf *buf, const char *format, ...);

/* The same text again and again to all sockets, as fast as they take it, reading what comes (`reads`) or not. Never returns. */
void line_pump(const int *sockets, unsigned count, const struct um_buf *text, bool reads);

#endif
