/*
 * A file that is written as a whole: what the path named before stays until all of the new file is there.
 *
 * Owns: the file while it is written, and its temporary name. Must not know: where the bytes come from.
 *
 * new_file_posix.c and new_file_win32.c keep this contract. An ordinary file is written beside its place under another name and
 * then takes that place, with the rights of the one before; who is interrupted takes the temporary one away. What is no ordinary
 * file (a pipe, a device), or cannot be replaced like that (other names lead to it, it is another user's, nothing can be made in
 * its folder), is written where it is, and an old file's bytes are cut off when the first new ones come. Where the path names
 * standard output itself, that is written.
 */
#ifndef UMEM_CLI_NEW_FILE_H
#define UMEM_CLI_NEW_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct cli_atomic_file {
    int file;        /* -1: not open */
    bool is_foreign; /* it is standard output, which stays open */
    bool is_uncut;   /* its old bytes are still there */
    void *
        target; /* the path that it gets in the end, in the system's own characters; NULL: it has it already */
    void *temporary; /* the path that it has until then */
};

/* Opens one; `path` is UTF-8, NULL or "-" standard output. Returns false with the reason in errno, and then nothing is to be
 * closed. One at a time. */
bool cli_atomic_file_open(struct cli_atomic_file *file, const char *path);

/* Adds bytes. Returns false with the reason in errno. */
bool cli_atomic_file_write(struct cli_atomic_file *file, const void *bytes, size_t size);

/* Puts the file in its place and closes it. Returns false with the reason in errno: then what was there before is still there. */
bool cli_atomic_file_commit(struct cli_atomic_file *file);

/* Closes it and takes it away, as far as that can be done. */
void cli_atomic_file_discard(struct cli_atomic_file *file);

#endif
