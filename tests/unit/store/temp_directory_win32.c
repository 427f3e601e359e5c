#include "temp_directory.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

void temp_directory_make(char path[TEMP_DIRECTORY_CAPACITY])
{
    static unsigned count;
    char parent[MAX_PATH + 1];

    GetTempPathA(sizeof parent, parent);
    /* Process ids repeat under Wine. */
    do {
        LARGE_INTEGER now;

        QueryPerformanceCounter(&now);
        snprintf(path, TEMP_DIRECTORY_CAPACITY, "%sumem-test-%lu-%lu-%u", parent, GetCurrentProcessId(),
                 (unsigned long)now.LowPart, count++);
    } while (!CreateDirectoryA(path, NULL) && GetLastError() == ERROR_ALREADY_EXISTS);
}

void temp_directory_remove(const char *path)
{
    char pattern[TEMP_DIRECTORY_CAPACITY + 2];
    char file[TEMP_DIRECTORY_CAPACITY + MAX_PATH + 1];
    WIN32_FIND_DATAA entry;
    HANDLE search;

    snprintf(pattern, sizeof pattern, "%s\\*", path);
    search = FindFirstFileA(pattern, &entry);
    if (search != INVALID_HANDLE_VALUE) {
        do {
            snprintf(file, sizeof file, "%s\\%s", path, entry.cFileName);
            (void)DeleteFileA(file);
        } while (FindNextFileA(search, &entry));
        FindClose(search);
    }
    if (!RemoveDirectoryA(path))
        fprintf(stderr, "%s cannot be removed: %lu\n", path, GetLastError());
}
