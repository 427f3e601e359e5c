/*
 * The files of a state directory: the few things that journals do with files, each of which may fail.
 *
 * Owns: the directory, and files that are open. Must not know: what is in the files.
 *
 * state_files_posix.c and state_files_win32.c keep this contract for a directory of the system's; a test has one of its own, which
 * forgets what was not synced. A function that fails has changed nothing that is on the disk already, but a write or a
 * sync that failed may have done a part. Names are those of files in the directory, without a path.
 *
 * One thread uses it, but for sync(), sync_names(), write() to bytes of a file that no other call is about, and close() and remove() of a file
 * that no other call is about. Any thread may call these while the one goes on; it does not close that file meanwhile.
 */
#ifndef UM_STORE_STATE_FILES_H
#define UM_STORE_STATE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct um_file;
struct um_files;

enum um_file_status {
    UM_FILE_OK,
    UM_FILE_NO_SPACE, /* the disk or the user's part of it is full */
    UM_FILE_NOT_THERE,
    UM_FILE_EXISTS,
    UM_FILE_OTHER,     /* no file of its own: a directory, a symbolic link, a pipe */
    UM_FILE_DENIED,    /* no right, or the file system is read-only */
    UM_FILE_NO_MEMORY, /* the process has no memory or no descriptor for it */
    UM_FILE_FAILED     /* the system could not read or write */
};

struct um_files_ops {
    /* Makes a file that is not there; opens one that is. Both for reading and writing. Close it. */
    enum um_file_status (*create)(struct um_files *files, const char *name, struct um_file **file);
    enum um_file_status (*open)(struct um_files *files, const char *name, struct um_file **file);

    void (*close)(struct um_file *file);
    enum um_file_status (*get_size)(struct um_file *file, uint64_t *size);

    /* Reads bytes that are there, all of them; writes all of them. */
    enum um_file_status (*read)(struct um_file *file, uint64_t offset, void *bytes, size_t size);
    enum um_file_status (*write)(struct um_file *file, uint64_t offset, const void *bytes, size_t size);

    /* Makes the file this long, with space on the disk for all of it, so that writing there cannot fail for want of space. What is
     * added is zero. A file that is longer stays so. */
    enum um_file_status (*reserve)(struct um_file *file, uint64_t size);

    /* Makes the file this long, which is more than it is. What is added is zero, and has no space yet where the system can do without. */
    enum um_file_status (*set_size)(struct um_file *file, uint64_t size);

    /* Returns when the file is on the disk: its bytes, and what it takes to find them. On POSIX systems NOT_THERE where it was removed. */
    enum um_file_status (*sync)(struct um_file *file);

    /* Removes a file, which is not open. */
    enum um_file_status (*remove)(struct um_files *files, const char *name);

    /* Returns when the names are on the disk: those of new files, and that others were removed. */
    enum um_file_status (*sync_names)(struct um_files *files);

    /* Calls `each` for every name, in any order. */
    enum um_file_status (*list)(struct um_files *files, void (*each)(void *context, const char *name),
                                void *context);
};

/* A directory. Embedded by whoever has one. */
struct um_files {
    const struct um_files_ops *ops;
};

/* A status in words, without a full stop. */
const char *um_file_status_text(enum um_file_status status);

#endif
