#include "cli/transfer/atomic_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"
#include "cli/system/file_io.h"
#include "program/files.h"

enum { TRIES = 100, SUFFIX_SIZE = 48, MODE = 0666 };

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

    return um_file_fstat(CLI_OUTPUT, &output) == 0 && output.st_dev == facts->st_dev &&
           output.st_ino == facts->st_ino;
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

    file->file = um_file_open(path, UV_FS_O_WRONLY | UV_FS_O_CREAT, MODE);
    file->has_old_bytes =
        file->file >= 0 && um_file_fstat(file->file, &facts) == 0 && um_file_is_regular(&facts);
    return file->file >= 0 ? 0 : file->file;
}

int cli_atomic_file_open(struct cli_atomic_file *file, const char *path)
{
    const bool is_output = path == NULL || strcmp(path, "-") == 0;
    uv_stat_t facts;
    bool exists = !is_output && um_file_stat(path, &facts) == 0;
    int error = exists ? um_file_access(path, UM_FILE_WRITE) : 0;

    *file = (struct cli_atomic_file){.file = CLI_OUTPUT, .is_output = true};
    if (is_output || (exists && is_standard_output(&facts)))
        return cli_flush(); /* what was printed before stands before */
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
    int error = file->has_old_bytes ? um_file_truncate(file->file) : 0;

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
    close_error = um_file_close(file->file);
    file->file = -1;
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
    if (!file->is_output)
        um_file_close(file->file);
    file->file = -1;
    if (file->temporary != NULL)
        um_file_unlink(file->temporary);
    release(file);
}
