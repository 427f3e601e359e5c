#include "temp_directory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void temp_directory_make(char path[TEMP_DIRECTORY_CAPACITY])
{
    const char *parent = getenv("TMPDIR");

    snprintf(path, TEMP_DIRECTORY_CAPACITY, "%s/umem-test-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
}

void temp_directory_remove(const char *path)
{
    DIR *opened = opendir(path);

    for (const struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened))
        (void)unlinkat(dirfd(opened), entry->d_name, 0);
    closedir(opened);
    if (rmdir(path) != 0)
        perror(path);
}
