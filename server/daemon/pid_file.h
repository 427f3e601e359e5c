/*
 * The file that holds the daemon's process id while the pipe is open. It is for people and scripts to read: which daemon has the
 * pipe, the pipe's own lock decides.
 *
 * Owns: the file. Must not know: anything else.
 */
#ifndef UM_PID_FILE_H
#define UM_PID_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct um_pid_file;

/* Writes this process's id to the path (UTF-8; it must stay until the file is removed). The file is put there whole, in the
 * place of any other file of that name, or of a link to one; what is no file (a device, a FIFO) is written to, and stays.
 * Returns false with a sentence without a full stop in `reason` where that fails. */
bool um_pid_file_write(const char *path, struct um_pid_file **file, char *reason, size_t reason_size);

/* Whether a file could be put at the path: one beside it is made and removed. What is no file is not tried. Fails as um_pid_file_write(). */
bool um_pid_file_try(const char *path, char *reason, size_t reason_size);

/* Removes the file, if it is still the one that was written. NULL is fine. */
void um_pid_file_remove(struct um_pid_file *file);

#endif
