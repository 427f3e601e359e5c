#include <dirent.h>
#include <stdio.h>

#include "process_usage.h"

static bool read_resident(int pid, uint64_t *bytes)
{
    unsigned long long kilobytes;
    char line[256];
    bool found = false;
    FILE *file;

    snprintf(line, sizeof line, "/proc/%d/status", pid);
    file = fopen(line, "r");
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL)
        found = sscanf(line, "VmRSS: %llu kB", &kilobytes) == 1;
    fclose(file);
    if (found)
        *bytes = kilobytes * 1024;
    return found;
}

bool measure_process(int pid, struct measure *measure)
{
    char path[64];
    DIR *folder;

    *measure = (struct measure){0};
    if (!read_resident(pid, &measure->resident_bytes))
        return false;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    folder = opendir(path);
    if (folder == NULL)
        return false;
    /* "." and ".." are no descriptors. */
    while (readdir(folder) != NULL)
        measure->descriptors++;
    closedir(folder);
    measure->descriptors -= 2;
    return true;
}
