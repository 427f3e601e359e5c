/*
 * The file that holds the daemon's process id while the pipe is open.
 *
 * Owns: the file. Must not know: anything else.
 */
#ifndef UM_PID_FILE_H
#define UM_PID_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes this process's id. Returns false with a sentence without a full stop in `why` where the file
 * holds the id of another process that is alive, or cannot be written. */
bool um_pid_file_write(const char *path, char *why, size_t room);

/* Removes it, if it is a file: a device, say, stays. */
void um_pid_file_remove(const char *path);

#endif
