#include "daemon/pid_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/files.h"

enum { PATH_SIZE = 4096, TEXT_SIZE = 32, MODE = 0644 };

struct um_pid_file {
    const char *path;
    bool is_file; /* not so: something that was there before, and stays */
    uint64_t device;
    uint64_t number; /* the file's, on its device */
};

/* Whether there is something at the path, or where a link there leads, that is no file. */
static bool is_special(const char *path)
{
    uv_stat_t facts;

    return um_file_stat(path, &facts) == 0 && !um_file_is_regular(&facts);
}

/* Writes the id to an open file. 0 or libuv's error. */
static int put(uv_file file)
{
    char text[TEXT_SIZE];
    int size = snprintf(text, sizeof text, "%ld\n", (long)uv_os_getpid());
    int written = um_file_write(file, text, (size_t)size);

    if (written == size)
        return 0;
    return written < 0 ? written : UV_ENOSPC;
}

/* What was there is no file, and not to be replaced. */
static int write_through(const char *path)
{
    int file = um_file_open(path, UV_FS_O_WRONLY | UV_FS_O_NONBLOCK | UV_FS_O_NOCTTY, 0);
    uv_stat_t facts;
    int error;

    if (file < 0)
        return file;
    /* It may have been replaced by a link to a file meanwhile. */
    error = um_file_fstat(file, &facts);
    if (error == 0 && um_file_is_regular(&facts))
        error = UV_EEXIST;
    if (error == 0)
        error = put(file);
    um_file_close(file);
    return error;
}

/* Makes the file under a name of its own. */
static int make_file(const char *path, uv_stat_t *facts)
{
    const int flags = UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL;
    int file = um_file_open(path, flags, MODE);
    int error;
    int close_error;

    if (file == UV_EEXIST) {
        /* A process of this number ended here before. */
        um_file_unlink(path);
        file = um_file_open(path, flags, MODE);
    }
    if (file < 0)
        return file;
    error = put(file);
    if (error == 0)
        error = um_file_fstat(file, facts);
    close_error = um_file_close(file);
    if (error == 0)
        error = close_error;
    if (error != 0)
        um_file_unlink(path);
    return error;
}

/* Makes the file that is to be put at the path. */
static int make_beside(const char *path, char made[PATH_SIZE], uv_stat_t *facts)
{
    if (snprintf(made, PATH_SIZE, "%s.%ld", path, (long)uv_os_getpid()) >= PATH_SIZE)
        return UV_ENAMETOOLONG;
    return make_file(made, facts);
}

static int write_file(struct um_pid_file *file)
{
    char made[PATH_SIZE];
    uv_stat_t facts;
    int error;

    if (is_special(file->path))
        return write_through(file->path);
    error = make_beside(file->path, made, &facts);
    if (error != 0)
        return error;
    error = um_file_rename(made, file->path);
    if (error != 0) {
        um_file_unlink(made);
        return error;
    }
    file->is_file = true;
    file->device = facts.st_dev;
    file->number = facts.st_ino;
    return 0;
}

static bool explain(const char *path, int error, char *reason, size_t reason_size)
{
    if (error == 0)
        return true;
    snprintf(reason, reason_size, "the pid file %s cannot be written: %s", path, uv_strerror(error));
    return false;
}

bool um_pid_file_try(const char *path, char *reason, size_t reason_size)
{
    char made[PATH_SIZE];
    uv_stat_t facts;
    int error;

    if (is_special(path))
        return true;
    error = make_beside(path, made, &facts);
    if (error == 0)
        um_file_unlink(made);
    return explain(path, error, reason, reason_size);
}

bool um_pid_file_write(const char *path, struct um_pid_file **file, char *reason, size_t reason_size)
{
    struct um_pid_file *made = calloc(1, sizeof *made);

    if (made == NULL) {
        snprintf(reason, reason_size, "no memory");
        return false;
    }
    made->path = path;
    if (!explain(path, write_file(made), reason, reason_size)) {
        free(made);
        return false;
    }
    *file = made;
    return true;
}

/* Whether the file still says what was written: its number on the device may have been given out again. */
static bool holds_own_id(const char *path)
{
    char text[TEXT_SIZE] = "";
    int file = um_file_open(path, UV_FS_O_RDONLY | UV_FS_O_NONBLOCK, 0);

    if (file < 0)
        return false;
    um_file_read(file, text, sizeof text - 1);
    um_file_close(file);
    return strtol(text, NULL, 10) == (long)uv_os_getpid();
}

void um_pid_file_remove(struct um_pid_file *file)
{
    uv_stat_t facts;

    if (file == NULL)
        return;
    if (file->is_file && um_file_lstat(file->path, &facts) == 0 && facts.st_dev == file->device &&
        facts.st_ino == file->number && holds_own_id(file->path))
        um_file_unlink(file->path);
    free(file);
}
