/*
 * A directory in memory that knows what is on the disk and what is only in the system's cache: a power failure loses any part of the
 * latter, sector by sector. Any call may be made to fail.
 *
 * Owns: the files. Must not know: what is in them.
 */
#ifndef FAKE_FILES_H
#define FAKE_FILES_H

#include "store/journal/state_files.h"

/* Makes an empty directory; `seed`, not 0, says what a power failure loses. */
struct um_files *fake_files_new(uint64_t seed);
void fake_files_free(struct um_files *files);

/* The power fails: of what was not synced, any part is lost. All files must be closed. */
void fake_files_power_failure(struct um_files *files);

/* Has the call fail that comes after so many others, with this status; a write does a part of it. SIZE_MAX: none. */
void fake_files_fail_after(struct um_files *files, size_t calls, enum um_file_status status);

/* Whether that has happened since. */
bool fake_files_have_failed(const struct um_files *files);

/* How many files there are, and how many of them are open. */
size_t fake_files_count(const struct um_files *files);
size_t fake_files_count_open(const struct um_files *files);

/* A file's bytes, to be changed by the test; NULL: there is no such file. Good until the file is written to. */
unsigned char *fake_files_bytes(struct um_files *files, const char *name, uint64_t *size);

/* Cuts a file, on the disk as well. */
void fake_files_cut(struct um_files *files, const char *name, uint64_t size);

#endif
