#include "log.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

static const char *const level_names[] = {
#define LEVEL_NAME(identifier, name) name,
    UM_LOG_LEVELS(LEVEL_NAME)
#undef LEVEL_NAME
};

enum { LEVEL_COUNT = sizeof level_names / sizeof level_names[0] };

int um_log_parse_level(const char *name, enum um_log_level *level)
{
    for (int i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(level_names[i], name) == 0) {
            *level = (enum um_log_level)i;
            return 0;
        }
    }
    return -1;
}

int um_log_open(struct um_log *log, const char *path, enum um_log_level level)
{
    FILE *file = path != NULL ? fopen(path, "a") : stderr;

    if (file == NULL)
        return -1;
    *log = (struct um_log){file, level};
    return 0;
}

void um_log_close(struct um_log *log)
{
    if (log->file != NULL && log->file != stderr)
        fclose(log->file);
    log->file = NULL;
}

void um_log_write(struct um_log *log, enum um_log_level level, const char *format, ...)
{
    time_t now = time(NULL);
    const struct tm *utc = gmtime(&now);
    char stamp[32] = "";
    char text[1024];
    va_list list;

    if (log->file == NULL || level > log->level)
        return;
    if (utc != NULL)
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", utc);
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    }
    fprintf(log->file, "%s %s %s\n", stamp, level_names[level], text);
    fflush(log->file);
}
