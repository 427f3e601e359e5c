#include <windows.h>

#include "lib/connection/mapped_memory.h"

#include <stdio.h>
#include <string.h>

#include "umem_errors.h"

static const char one_session[] = "Local\\"; /* what the name of a section begins with that one session has */

/* Names that begin so are looked up in the caller's own session: there is nothing there if the daemon runs in another. */
static int fail_to_find(const char *name, struct um_reason *reason)
{
    DWORD session = 0;

    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    snprintf(
        reason->text, sizeof reason->text,
        "the shared memory %.200s is not in this program's Windows session, number %lu: the daemon runs in "
        "another one, or the heap is gone; run both in one session or the daemon as a service, or use "
        "umem_block_read() and umem_block_write()",
        name, session);
    return UMEM_E_UNSUPPORTED;
}

static int fail(int code, const char *name, struct um_reason *reason)
{
    snprintf(reason->text, sizeof reason->text,
             "the shared memory %.200s cannot be mapped: Windows error %lu", name, GetLastError());
    return code;
}

/* Windows does not tell how long a section is, but which pages of a view belong together: those that are
 * committed, and those that are only reserved, follow one another. */
static size_t length_of(const unsigned char *start)
{
    MEMORY_BASIC_INFORMATION facts;
    size_t length = 0;

    while (VirtualQuery(start + length, &facts, sizeof facts) != 0 && facts.AllocationBase == start)
        length += facts.RegionSize;
    return length;
}

int um_mapped_memory_open(const char *name, unsigned char **start, size_t *length, struct um_reason *reason)
{
    HANDLE section = OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);
    unsigned char *view;
    int code = UMEM_OK;

    if (section == NULL && GetLastError() == ERROR_FILE_NOT_FOUND &&
        strncmp(name, one_session, strlen(one_session)) == 0)
        return fail_to_find(name, reason);
    if (section == NULL)
        return fail(UMEM_E_UNSUPPORTED, name, reason);
    view = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
    if (view == NULL) {
        code = fail(UMEM_E_OUT_OF_MEMORY, name, reason);
    } else {
        *start = view;
        *length = length_of(view);
    }
    /* The view keeps the section. */
    CloseHandle(section);
    return code;
}

void um_mapped_memory_close(unsigned char *start, size_t length)
{
    (void)length;
    UnmapViewOfFile(start);
}
