#include "cli/system/file_io.h"

#include <uv.h>

/* What libuv says of a file's kind on every system. */
enum { KIND = 0170000, KIND_FILE = 0100000 };

bool cli_is_terminal(int file)
{
    return uv_guess_handle(file) == UV_TTY;
}

int cli_open_file(const char *path)
{
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, path, UV_FS_O_RDONLY, 0, NULL);

    uv_fs_req_cleanup(&request);
    return file;
}

void cli_close_file(int file)
{
    uv_fs_t request;

    if (file < 0)
        return;
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
}

bool cli_file_size(int file, uint64_t *size)
{
    int64_t position = cli_file_position(file);
    uv_fs_t request;
    bool is_known = position >= 0 && uv_fs_fstat(NULL, &request, file, NULL) == 0;
    uint64_t whole = is_known ? request.statbuf.st_size : 0;

    if (!is_known || (request.statbuf.st_mode & KIND) != KIND_FILE || whole == 0)
        return false;
    *size = whole > (uint64_t)position ? whole - (uint64_t)position : 0;
    return true;
}
