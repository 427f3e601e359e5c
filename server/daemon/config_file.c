#include "daemon/config_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_place.h"
#include "program/files.h"

bool um_config_variable(const char *name, char *value, size_t value_size, bool *is_too_long)
{
    int error = uv_os_getenv(name, value, &value_size);

    *is_too_long = error == UV_ENOBUFS;
    return error == 0 && value[0] != '\0';
}

bool um_config_file_find(const char *named, char path[UM_CONFIG_PATH_SIZE], bool *is_named)
{
    uv_stat_t facts;
    bool is_too_long;

    if (named != NULL)
        snprintf(path, UM_CONFIG_PATH_SIZE, "%s", named);
    else if (!um_config_variable("UMEMD_CONFIG", path, UM_CONFIG_PATH_SIZE, &is_too_long))
        path[0] = '\0';
    *is_named = path[0] != '\0';
    if (*is_named)
        return strcmp(path, UM_CONFIG_NONE) != 0;
    for (int i = 0; i < UM_CONFIG_PLACES; i++) {
        /* A folder that this user may not look into is another user's, to which the environment still points. */
        if (um_config_place(i, path, UM_CONFIG_PATH_SIZE) && um_file_stat(path, &facts) == 0)
            return true;
    }
    return false;
}

static char *fail(char *reason, size_t reason_size, const char *text)
{
    snprintf(reason, reason_size, "%s", text);
    return NULL;
}

/* Reads an open file to its end, or to one byte past the limit. Returns the size or libuv's error. */
static int read_all(int file, char *text)
{
    size_t size = 0;

    while (size <= UM_CONFIG_FILE_SIZE_LIMIT) {
        int more = um_file_read(file, text + size, UM_CONFIG_FILE_SIZE_LIMIT + 1 - size);

        if (more < 0)
            return more;
        if (more == 0)
            break;
        size += (size_t)more;
    }
    return (int)size;
}

static char *read_open(int file, size_t *size, char *reason, size_t reason_size)
{
    uv_stat_t facts;
    int read = um_file_fstat(file, &facts);
    char *text;

    if (read != 0)
        return fail(reason, reason_size, uv_strerror(read));
    if (!um_file_is_regular(&facts))
        return fail(reason, reason_size, "it is no ordinary file");
    if (!um_config_is_trusted(&facts))
        return fail(
            reason, reason_size,
            "another user may write it; it must belong to this user or to root, and not be writable by "
            "others (chmod o-w)");
    text = malloc(UM_CONFIG_FILE_SIZE_LIMIT + 2);
    if (text == NULL)
        return fail(reason, reason_size, "no memory");
    read = read_all(file, text);
    if (read >= 0 && read <= UM_CONFIG_FILE_SIZE_LIMIT) {
        *size = (size_t)read;
        return text;
    }
    free(text);
    return fail(reason, reason_size, read < 0 ? uv_strerror(read) : "it has more than 65536 bytes");
}

char *um_config_file_read(const char *path, size_t *size, char *reason, size_t reason_size)
{
    /* A FIFO is opened without waiting for its writer, and then refused. */
    int file = um_file_open(path, UV_FS_O_RDONLY | UV_FS_O_NONBLOCK, 0);
    char *text;

    if (file < 0)
        return fail(reason, reason_size, uv_strerror(file));
    text = read_open(file, size, reason, reason_size);
    um_file_close(file);
    return text;
}
