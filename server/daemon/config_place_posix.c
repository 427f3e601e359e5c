#include "daemon/config_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOME_SIZE = 2048 };

bool um_config_place(int index, char *path, size_t path_size)
{
    const char *folder = getenv("XDG_CONFIG_HOME");
    char home[HOME_SIZE];
    size_t home_size = sizeof home;
    int size;

    if (index == 1)
        size = snprintf(path, path_size, "/etc/umemd/umemd.conf");
    else if (index == 0 && folder != NULL && folder[0] == '/')
        size = snprintf(path, path_size, "%s/umemd/umemd.conf", folder);
    else if (index == 0 && uv_os_homedir(home, &home_size) == 0 && home[0] == '/')
        size = snprintf(path, path_size, "%s/.config/umemd/umemd.conf", home);
    else
        return false;
    return size > 0 && (size_t)size < path_size;
}

bool um_config_is_trusted(const uv_stat_t *facts)
{
    return (facts->st_uid == geteuid() || facts->st_uid == 0) && (facts->st_mode & S_IWOTH) == 0;
}
