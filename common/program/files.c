#include "program/files.h"

#include <stdint.h>

/* What libuv says of a file's kind on every system. */
enum { KIND = 0170000, KIND_REGULAR = 0100000 };

static int finish(uv_fs_t *request, int result)
{
    uv_fs_req_cleanup(request);
    return result;
}

static int finish_stat(uv_fs_t *request, int error, uv_stat_t *facts)
{
    if (error == 0)
        *facts = request->statbuf;
    return finish(request, error);
}

int um_file_open(const char *path, int flags, int mode)
{
    uv_fs_t request;

    return finish(&request, uv_fs_open(NULL, &request, path, flags, mode, NULL));
}

int um_file_close(int file)
{
    uv_fs_t request;

    return file < 0 ? 0 : finish(&request, uv_fs_close(NULL, &request, file, NULL));
}

int um_file_read(int file, void *bytes, size_t size)
{
    uv_buf_t buf = uv_buf_init(bytes, (unsigned)size);
    uv_fs_t request;

    return finish(&request, uv_fs_read(NULL, &request, file, &buf, 1, -1, NULL));
}

int um_file_write(int file, const void *bytes, size_t size)
{
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)size);
    uv_fs_t request;

    return finish(&request, uv_fs_write(NULL, &request, file, &buf, 1, -1, NULL));
}

int um_file_truncate(int file)
{
    uv_fs_t request;

    return finish(&request, uv_fs_ftruncate(NULL, &request, file, 0, NULL));
}

int um_file_stat(const char *path, uv_stat_t *facts)
{
    uv_fs_t request;
    int error = uv_fs_stat(NULL, &request, path, NULL);

    return finish_stat(&request, error, facts);
}

int um_file_lstat(const char *path, uv_stat_t *facts)
{
    uv_fs_t request;
    int error = uv_fs_lstat(NULL, &request, path, NULL);

    return finish_stat(&request, error, facts);
}

int um_file_fstat(int file, uv_stat_t *facts)
{
    uv_fs_t request;
    int error = uv_fs_fstat(NULL, &request, file, NULL);

    return finish_stat(&request, error, facts);
}

bool um_file_is_regular(const uv_stat_t *facts)
{
    return (facts->st_mode & KIND) == KIND_REGULAR;
}

int um_file_access(const char *path, enum um_file_use use)
{
    uv_fs_t request;

    return finish(&request, uv_fs_access(NULL, &request, path, (int)use, NULL));
}

int um_file_rename(const char *path, const char *new_path)
{
    uv_fs_t request;

    return finish(&request, uv_fs_rename(NULL, &request, path, new_path, NULL));
}

int um_file_unlink(const char *path)
{
    uv_fs_t request;

    return finish(&request, uv_fs_unlink(NULL, &request, path, NULL));
}
