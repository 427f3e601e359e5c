#include "thread.h"

#include <stdlib.h>
#include <windows.h>

enum { CONSOLE_ROOM = 4096, CONTROL_Z = 26 };

/* What the thread runs. */
struct start {
    void (*run)(void *context);
    void *context;
};

static SRWLOCK mutex = SRWLOCK_INIT;

static DWORD WINAPI begin(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    start.run(start.context);
    return 0;
}

bool cli_thread_start(void (*run)(void *context), void *context)
{
    struct start *start = malloc(sizeof *start);
    HANDLE thread;

    if (start == NULL)
        return false;
    *start = (struct start){run, context};
    thread = CreateThread(NULL, 0, begin, start, 0, NULL);
    if (thread == NULL) {
        free(start);
        return false;
    }
    CloseHandle(thread);
    return true;
}

void cli_lock(void)
{
    AcquireSRWLockExclusive(&mutex);
}

void cli_unlock(void)
{
    ReleaseSRWLockExclusive(&mutex);
}

/* A line that a person has typed; one that begins with Ctrl-Z is the end. */
static long read_console(HANDLE console, void *bytes, size_t room)
{
    static WCHAR line[CONSOLE_ROOM];
    DWORD limit = room / 3 < CONSOLE_ROOM ? (DWORD)(room / 3) : CONSOLE_ROOM;
    DWORD size = 0;

    if (!ReadConsoleW(console, line, limit, &size, NULL))
        return -1;
    if (size == 0 || line[0] == CONTROL_Z)
        return 0;
    return WideCharToMultiByte(CP_UTF8, 0, line, (int)size, bytes, (int)room, NULL, NULL);
}

enum { EMPTY_READS = 16 /* reads of nothing, one after the other, that are taken for the end */ };

long cli_read_input(void *bytes, size_t room)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode;
    DWORD size = 0;

    if (GetConsoleMode(input, &mode))
        return read_console(input, bytes, room);
    /* A pipe whose writer has written nothing gives nothing, which is not its end; a file's end is, and so is what Wine makes
     * of the end of a Unix pipe, which would give nothing for ever. */
    for (int i = 0; i < EMPTY_READS; i++) {
        if (!ReadFile(input, bytes, (DWORD)room, &size, NULL))
            return GetLastError() == ERROR_BROKEN_PIPE || GetLastError() == ERROR_HANDLE_EOF ? 0 : -1;
        if (size != 0 || GetFileType(input) != FILE_TYPE_PIPE)
            return (long)size;
    }
    return 0;
}

bool cli_write_output(const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size != 0) {
        DWORD done = 0;

        if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), at, (DWORD)size, &done, NULL))
            return false;
        at += done;
        size -= done;
    }
    return true;
}
