#include "daemon/system_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include <uv.h>

/* The number that EventCreate.exe, which every Windows has, holds the text "%1" for: see docs/operating.md. */
enum { EVENT_NUMBER = 1 };

struct um_system_log {
    HANDLE source;
};

const char *um_system_log_name(void)
{
    return "eventlog";
}

bool um_system_log_open(const char *path, struct um_system_log **log, char *reason, size_t reason_size)
{
    struct um_system_log *made = calloc(1, sizeof *made);

    (void)path;
    if (made == NULL) {
        snprintf(reason, reason_size, "no memory");
        return false;
    }
    made->source = RegisterEventSourceW(NULL, L"umemd");
    if (made->source != NULL) {
        *log = made;
        return true;
    }
    snprintf(reason, reason_size, "the event log cannot be opened: Windows error %lu", GetLastError());
    free(made);
    return false;
}

static WORD type_of(enum um_log_level level)
{
    if (level == UM_LOG_ERROR)
        return EVENTLOG_ERROR_TYPE;
    return level == UM_LOG_WARNING ? EVENTLOG_WARNING_TYPE : EVENTLOG_INFORMATION_TYPE;
}

int um_system_log_write(struct um_system_log *log, enum um_log_level level, const char *line)
{
    WCHAR wide[UM_LOG_LINE_SIZE];
    LPCWSTR strings[1] = {wide};

    if (MultiByteToWideChar(CP_UTF8, 0, line, -1, wide, UM_LOG_LINE_SIZE) == 0)
        return UV_EIO;
    if (ReportEventW(log->source, type_of(level), 0, EVENT_NUMBER, NULL, 1, 0, strings, NULL))
        return 0;
    return uv_translate_sys_error((int)GetLastError());
}

void um_system_log_close(struct um_system_log *log)
{
    if (log == NULL)
        return;
    DeregisterEventSource(log->source);
    free(log);
}
