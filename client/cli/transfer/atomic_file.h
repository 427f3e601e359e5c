/*
 * A file that is written as a whole: what the path named before stays until all of the new file is there.
 *
 * Owns: the file while it is written, and its temporary name. Must not know: where the bytes come from.
 *
 * An ordinary file is written beside its place under another name and then takes that place, with the rights of the one before;
 * where umem is interrupted, the temporary one is removed. What is no ordinary file (a pipe, a device), or cannot be replaced like
 * that (other names lead to it, it is another user's, nothing can be created in its folder), is written where it is, and an old
 * file's bytes are cut off when the first new ones come. Where the path names standard output itself, that is written.
 */
#ifndef UMEM_CLI_ATOMIC_FILE_H
#define UMEM_CLI_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

struct cli_atomic_file {
    int file;           /* negative: not open */
    bool is_output;     /* it is standard output, which stays open */
    bool has_old_bytes; /* those are still there */
    char *target;       /* the path that it gets in the end; NULL: it has it already */
    char *temporary;    /* the path that it has until then */
};

/* Opens one; NULL or "-" is standard output. Returns 0, or libuv's error, and then nothing is to be closed. One at a time. */
int cli_atomic_file_open(struct cli_atomic_file *file, const char *path);

/* Adds bytes. Standard output must have been flushed. Returns 0 or libuv's error. */
int cli_atomic_file_write(struct cli_atomic_file *file, const void *bytes, size_t size);

/* Puts the file in its place and closes it. Returns 0, or libuv's error: then what was there before is still there. */
int cli_atomic_file_commit(struct cli_atomic_file *file);

/* Closes it and removes it, as far as that can be done. */
void cli_atomic_file_discard(struct cli_atomic_file *file);

/* ---- what atomic_file_posix.c and atomic_file_win32.c do for these ---- */

/* The path under which a file is replaced, to be freed: that of the file itself, not of a link to it. NULL: it is not to be
 * replaced. `old` is what is at the path now; NULL: nothing. */
char *cli_find_target(const char *path, const uv_stat_t *old);

/* Creates a file of that new name, which is removed where the process ends before cli_keep_temporary(). It gets the rights of
 * `old`, unless that is NULL. Returns its descriptor or libuv's error. The path must stay. */
int cli_create_temporary(const char *path, const uv_stat_t *old);

/* From now on, before it is closed, the file stays. */
void cli_keep_temporary(int file);

/* Puts it in place of another one, or where there is none. Returns 0 or libuv's error. */
int cli_replace_file(const char *temporary, const char *target);

/* The temporary file is not there any more. */
void cli_forget_temporary(void);

#endif
