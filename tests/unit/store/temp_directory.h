/*
 * A directory of a test's own.
 *
 * Owns: the directory. Must not know: what the test puts there.
 */
#ifndef TEMP_DIRECTORY_H
#define TEMP_DIRECTORY_H

enum { TEMP_DIRECTORY_CAPACITY = 512 };

/* Makes it, empty, for this user alone. */
void temp_directory_make(char path[TEMP_DIRECTORY_CAPACITY]);

/* Removes it with the files in it. */
void temp_directory_remove(const char *path);

#endif
