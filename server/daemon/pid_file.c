#include "daemon/pid_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

enum { PATH_SIZE = 4096, TEXT_SIZE = 32, MODE = 0644 };

/* What libuv says of a file's kind on every system. */
enum { KIND = 0170000, KIND_FILE = 0100000 };

struct um_pid_file {
    const char *path;
    bool is_file; /* not so: something that was there before, and stays */
    uint64_t device;
    uint64_t number; /* the file's, on its device */
};

/* 0 or libuv's error. Links are not followed. */
static int look(const char *path, uv_stat_t *facts)
{
    uv_fs_t request;
    int error = uv_fs_lstat(NULL, &request, path, NULL);

    if (error == 0)
        *facts = request.statbuf;
    uv_fs_req_cleanup(&request);
    return error;
}

/* Whether there is something at the path, or where a link there leads, that is no file. */
static bool is_special(const char *path)
{
    uv_fs_t request;
    bool is = uv_fs_stat(NULL, &request, path, NULL) == 0 && (request.statbuf.st_mode & KIND) != KIND_FILE;

    uv_fs_req_cleanup(&request);
    return is;
}

static int open_file(const char *path, int flags)
{
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, path, flags | UV_FS_O_WRONLY, MODE, NULL);

    uv_fs_req_cleanup(&request);
    return file;
}

static int close_file(uv_file file)
{
    uv_fs_t request;
    int error = uv_fs_close(NULL, &request, file, NULL);

    uv_fs_req_cleanup(&request);
    return error;
}

static void unlink_file(const char *path)
{
    uv_fs_t request;

    uv_fs_unlink(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
}

static int look_at(uv_file file, uv_stat_t *facts)
{
    uv_fs_t request;
    int error = uv_fs_fstat(NULL, &request, file, NULL);

    if (error == 0)
        *facts = request.statbuf;
    uv_fs_req_cleanup(&request);
    return error;
}

/* Writes the id to an open file. 0 or libuv's error. */
static int put(uv_file file)
{
    char text[TEXT_SIZE];
    int size = snprintf(text, sizeof text, "%ld\n", (long)uv_os_getpid());
    uv_buf_t buf = uv_buf_init(text, (unsigned)size);
    uv_fs_t request;
    int written = uv_fs_write(NULL, &request, file, &buf, 1, -1, NULL);

    uv_fs_req_cleanup(&request);
    if (written == size)
        return 0;
    return written < 0 ? written : UV_ENOSPC;
}

/* What was there is no file, and not to be replaced. */
static int write_through(const char *path)
{
    int file = open_file(path, UV_FS_O_NONBLOCK | UV_FS_O_NOCTTY);
    uv_stat_t facts;
    int error;

    if (file < 0)
        return file;
    /* Somebody may have put a link to a file in its place meanwhile. */
    error = look_at(file, &facts);
    if (error == 0 && (facts.st_mode & KIND) == KIND_FILE)
        error = UV_EEXIST;
    if (error == 0)
        error = put(file);
    close_file(file);
    return error;
}

/* Makes the file under a name of its own. */
static int make_file(const char *path, uv_stat_t *facts)
{
    int file = open_file(path, UV_FS_O_CREAT | UV_FS_O_EXCL);
    int error;
    int close_error;

    if (file == UV_EEXIST) {
        /* A process of this number ended here before. */
        unlink_file(path);
        file = open_file(path, UV_FS_O_CREAT | UV_FS_O_EXCL);
    }
    if (file < 0)
        return file;
    error = put(file);
    if (error == 0)
        error = look_at(file, facts);
    close_error = close_file(file);
    if (error == 0)
        error = close_error;
    if (error != 0)
        unlink_file(path);
    return error;
}

static int write_file(struct um_pid_file *file)
{
    char made[PATH_SIZE];
    uv_stat_t facts;
    uv_fs_t request;
    int error;

    if (is_special(file->path))
        return write_through(file->path);
    if (snprintf(made, sizeof made, "%s.%ld", file->path, (long)uv_os_getpid()) >= PATH_SIZE)
        return UV_ENAMETOOLONG;
    error = make_file(made, &facts);
    if (error != 0)
        return error;
    error = uv_fs_rename(NULL, &request, made, file->path, NULL);
    uv_fs_req_cleanup(&request);
    if (error != 0) {
        unlink_file(made);
        return error;
    }
    file->is_file = true;
    file->device = facts.st_dev;
    file->number = facts.st_ino;
    return 0;
}

bool um_pid_file_write(const char *path, struct um_pid_file **file, char *reason, size_t reason_size)
{
    struct um_pid_file *made = calloc(1, sizeof *made);
    int error;

    if (made == NULL) {
        snprintf(reason, reason_size, "no memory");
        return false;
    }
    made->path = path;
    error = write_file(made);
    if (error != 0) {
        snprintf(reason, reason_size, "the pid file %s cannot be written: %s", path, uv_strerror(error));
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
    uv_buf_t buf = uv_buf_init(text, sizeof text - 1);
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, path, UV_FS_O_RDONLY | UV_FS_O_NONBLOCK, 0, NULL);

    uv_fs_req_cleanup(&request);
    if (file < 0)
        return false;
    uv_fs_read(NULL, &request, file, &buf, 1, 0, NULL);
    uv_fs_req_cleanup(&request);
    close_file(file);
    return strtol(text, NULL, 10) == (long)uv_os_getpid();
}

void um_pid_file_remove(struct um_pid_file *file)
{
    uv_stat_t facts;

    if (file == NULL)
        return;
    if (file->is_file && look(file->path, &facts) == 0 && facts.st_dev == file->device &&
        facts.st_ino == file->number && holds_own_id(file->path))
        unlink_file(file->path);
    free(file);
}
