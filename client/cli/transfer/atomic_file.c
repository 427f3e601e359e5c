#include "cli/transfer/atomic_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/system/file_io.h"

enum { TRIES = 100, SUFFIX_SIZE = 48, MODE = 0666, WRITABLE = 2 /* what access() calls W_OK */ };

/* What libuv says of a file's kind on every system. */
enum { KIND = 0170000, KIND_FILE = 0100000 };

/* Each call of libuv's has a request to clean up. */
static int finish(uv_fs_t *request, int result)
{
    uv_fs_req_cleanup(request);
    return result;
}

static int stat_path(const char *path, uv_stat_t *facts)
{
    uv_fs_t request;
    int error = uv_fs_stat(NULL, &request, path, NULL);

    *facts = request.statbuf;
    return finish(&request, error);
}

static int stat_file(int file, uv_stat_t *facts)
{
    uv_fs_t request;
    int error = uv_fs_fstat(NULL, &request, file, NULL);

    *facts = request.statbuf;
    return finish(&request, error);
}

static int close_file(struct cli_atomic_file *file)
{
    uv_fs_t request;
    int error = file->file >= 0 ? finish(&request, uv_fs_close(NULL, &request, file->file, NULL)) : 0;

    file->file = -1;
    return error;
}

static void release(struct cli_atomic_file *file)
{
    cli_forget_temporary();
    free(file->temporary);
    free(file->target);
    file->temporary = NULL;
    file->target = NULL;
}

/* ---- where it is written ---- */

static bool is_standard_output(const uv_stat_t *facts)
{
    uv_stat_t output;

    return stat_file(CLI_OUTPUT, &output) == 0 && output.st_dev == facts->st_dev &&
           output.st_ino == facts->st_ino;
}

static int check_writable(const char *path)
{
    uv_fs_t request;

    return finish(&request, uv_fs_access(NULL, &request, path, WRITABLE, NULL));
}

/* Creates the temporary file, of a new name beside the target. Returns whether it is there. */
static bool open_beside(struct cli_atomic_file *file, const uv_stat_t *old)
{
    size_t size = strlen(file->target) + SUFFIX_SIZE;

    file->temporary = malloc(size);
    file->file = file->temporary != NULL ? UV_EEXIST : UV_ENOMEM;
    for (int i = 0; i < TRIES && file->file == UV_EEXIST; i++) {
        snprintf(file->temporary, size, "%s.umem-%lx-%x", file->target, (unsigned long)uv_os_getpid(), i);
        file->file = cli_create_temporary(file->temporary, old);
    }
    return file->file >= 0;
}

static int open_in_place(struct cli_atomic_file *file, const char *path)
{
    uv_stat_t facts;
    uv_fs_t request;

    file->file =
        finish(&request, uv_fs_open(NULL, &request, path, UV_FS_O_WRONLY | UV_FS_O_CREAT, MODE, NULL));
    file->has_old_bytes =
        file->file >= 0 && stat_file(file->file, &facts) == 0 && (facts.st_mode & KIND) == KIND_FILE;
    return file->file >= 0 ? 0 : file->file;
}

int cli_atomic_file_open(struct cli_atomic_file *file, const char *path)
{
    const bool is_output = path == NULL || strcmp(path, "-") == 0;
    uv_stat_t facts;
    bool exists = !is_output && stat_path(path, &facts) == 0;
    int error = exists ? check_writable(path) : 0;

    *file = (struct cli_atomic_file){.file = CLI_OUTPUT, .is_output = true};
    if (is_output || (exists && is_standard_output(&facts)))
        return 0;
    *file = (struct cli_atomic_file){.file = -1};
    /* A file that must not be written is not to be replaced either. */
    if (error != 0)
        return error;
    file->target = cli_find_target(path, exists ? &facts : NULL);
    if (file->target != NULL && open_beside(file, exists ? &facts : NULL))
        return 0;
    release(file);
    return open_in_place(file, path);
}

/* ---- its bytes ---- */

static int cut_old_bytes(struct cli_atomic_file *file)
{
    uv_fs_t request;
    int error = 0;

    if (file->has_old_bytes)
        error = finish(&request, uv_fs_ftruncate(NULL, &request, file->file, 0, NULL));
    file->has_old_bytes = error != 0;
    return error;
}

int cli_atomic_file_write(struct cli_atomic_file *file, const void *bytes, size_t size)
{
    int error = cut_old_bytes(file);

    return error == 0 ? cli_write_file(file->file, bytes, size) : error;
}

int cli_atomic_file_commit(struct cli_atomic_file *file)
{
    int error = cut_old_bytes(file);
    int close_error;

    if (file->is_output)
        return 0;
    if (error == 0 && file->target != NULL)
        cli_keep_temporary(file->file);
    close_error = close_file(file);
    if (error == 0)
        error = close_error;
    if (error == 0 && file->target != NULL)
        error = cli_replace_file(file->temporary, file->target);
    if (error != 0)
        cli_atomic_file_discard(file);
    else
        release(file);
    return error;
}

void cli_atomic_file_discard(struct cli_atomic_file *file)
{
    uv_fs_t request;

    if (!file->is_output)
        close_file(file);
    if (file->temporary != NULL)
        finish(&request, uv_fs_unlink(NULL, &request, file->temporary, NULL));
    release(file);
}
