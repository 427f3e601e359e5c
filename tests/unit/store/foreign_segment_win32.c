#include <windows.h>

#include "foreign_segment.h"

int segment_open(struct segment *segment, const char *name, size_t length)
{
    HANDLE section = OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);
    void *bytes;

    if (section == NULL)
        return -1;
    bytes = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, length);
    if (bytes == NULL) {
        CloseHandle(section);
        return -1;
    }
    *segment = (struct segment){.bytes = bytes, .length = length, .system = section};
    return 0;
}

void segment_close(struct segment *segment)
{
    UnmapViewOfFile(segment->bytes);
    CloseHandle(segment->system);
}
