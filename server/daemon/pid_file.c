#include "pid_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uv.h>

/* The process id in a file, or 0. */
static long read_pid(const char *path)
{
    FILE *file = fopen(path, "r");
    char text[32];
    size_t size;

    if (file == NULL)
        return 0;
    size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    return strtol(text, NULL, 10);
}

/* A device, say, is written to, but never taken away. */
static bool is_file(const char *path)
{
    uv_fs_t request;
    bool is_regular =
        uv_fs_stat(NULL, &request, path, NULL) == 0 && (request.statbuf.st_mode & S_IFMT) == S_IFREG;

    uv_fs_req_cleanup(&request);
    return is_regular;
}

bool um_pid_file_write(const char *path, char *why, size_t room)
{
    long own = (long)uv_os_getpid();
    long other = read_pid(path);
    FILE *file;
    bool is_written;

    if (other > 0 && other != own && uv_kill((int)other, 0) != UV_ESRCH) {
        snprintf(why, room, "%s is that of process %ld, which is running", path, other);
        return false;
    }
    file = fopen(path, "w");
    if (file == NULL) {
        snprintf(why, room, "%s cannot be written: %s", path, strerror(errno));
        return false;
    }
    is_written = fprintf(file, "%ld\n", own) > 0;
    if (fclose(file) != 0 || !is_written) {
        snprintf(why, room, "%s cannot be written: %s", path, strerror(errno));
        um_pid_file_remove(path);
        return false;
    }
    return true;
}

void um_pid_file_remove(const char *path)
{
    if (is_file(path))
        remove(path);
}
