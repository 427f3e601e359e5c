/*
 * A umemd, and two files of the test's own in the temporary directory.
 *
 * Owns: the process and the files, which the tear-down removes where they are there. Must not know: what is in them.
 */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include "umem_fixture.h"

struct files {
    struct daemon *daemon;
    char one[256]; /* paths */
    char other[256];
};

/* cmocka's set-up and tear-down: *state is a struct files, whose daemon listens and whose files are not there. */
int files_set_up(void **state);
int files_tear_down(void **state);

/* Writes a file anew. */
void file_write(const char *path, const char *bytes, size_t size);

#endif
