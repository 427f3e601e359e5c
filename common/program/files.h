/*
 * Files, by libuv's calls, which are the same on all systems. Each call waits until it is done. Paths are UTF-8.
 *
 * Owns: nothing. Must not know: what a file is for.
 *
 * Functions that return an int return 0, or a descriptor or number of bytes, or libuv's error, which is negative.
 */
#ifndef UM_FILES_H
#define UM_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

/* Opens a file with UV_FS_O_* flags; one that is created has the mode. Returns its descriptor. */
int um_file_open(const char *path, int flags, int mode);

/* Closes it; a negative descriptor is fine. */
int um_file_close(int file);

/* Reads or writes once, at the file's position. Returns how many bytes that were. */
int um_file_read(int file, void *bytes, size_t size);
int um_file_write(int file, const void *bytes, size_t size);

/* Makes it empty. */
int um_file_truncate(int file);

/* What it is: of the file that the path leads to, of what is at the path itself, and of an open one. *facts is only set where
 * that succeeds. */
int um_file_stat(const char *path, uv_stat_t *facts);
int um_file_lstat(const char *path, uv_stat_t *facts);
int um_file_fstat(int file, uv_stat_t *facts);

/* Whether that is an ordinary file: no folder, device, pipe or link. */
bool um_file_is_regular(const uv_stat_t *facts);

/* Whether this user may use it so: returns 0 if so. */
enum um_file_use { UM_FILE_EXECUTE = 1, UM_FILE_WRITE = 2 };
int um_file_access(const char *path, enum um_file_use use);

/* Gives a file another path, in place of what was there. */
int um_file_rename(const char *path, const char *new_path);

int um_file_unlink(const char *path);

#endif
