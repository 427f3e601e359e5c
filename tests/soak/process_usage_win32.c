#include <windows.h>

#include <psapi.h>

#include "process_usage.h"

bool measure_process(int pid, struct measure *measure)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof counters};
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, (DWORD)pid);
    DWORD handles = 0;
    BOOL is_known;

    *measure = (struct measure){0};
    if (process == NULL)
        return false;
    is_known = K32GetProcessMemoryInfo(process, &counters, sizeof counters);
    if (GetProcessHandleCount(process, &handles))
        measure->descriptors = handles;
    CloseHandle(process);
    measure->resident_bytes = counters.WorkingSetSize;
    return is_known;
}
