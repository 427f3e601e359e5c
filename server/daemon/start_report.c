#include "daemon/start_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/exit_status.h"

static const char warning[] = "warning: ";

/* Ends a line that was cut, and leaves no line's end within it. */
static size_t finish(char line[UM_START_REPORT_LINE_SIZE], int length)
{
    size_t size = length < UM_START_REPORT_LINE_SIZE - 1 ? (size_t)length : UM_START_REPORT_LINE_SIZE - 2;

    for (size_t i = 0; i < size; i++) {
        if (line[i] == '\n')
            line[i] = '?';
    }
    line[size] = '\n';
    return size + 1;
}

size_t um_start_report_write_warning(char line[UM_START_REPORT_LINE_SIZE], const char *text)
{
    return finish(line, snprintf(line, UM_START_REPORT_LINE_SIZE, "%s%s", warning, text));
}

size_t um_start_report_write(char line[UM_START_REPORT_LINE_SIZE], int status, const char *text)
{
    return finish(line, snprintf(line, UM_START_REPORT_LINE_SIZE, "%d %s", status, text));
}

int um_start_report_take(char report[UM_START_REPORT_SIZE], size_t size)
{
    char *line = report;
    char *text;
    long status;

    report[size] = '\0';
    while (strncmp(line, warning, sizeof warning - 1) == 0) {
        size_t length = strcspn(line, "\n");

        fprintf(stderr, "umemd: %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    status = strtol(line, &text, 10);
    if (text == line || *text != ' ') {
        fputs("umemd: the daemon ended before its pipe was open\n", stderr);
        return UM_EXIT_FAILED;
    }
    text[strcspn(text, "\n")] = '\0';
    if (text[1] != '\0')
        fprintf(stderr, "umemd: %s\n", text + 1);
    return (int)status;
}
