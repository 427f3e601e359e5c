#include "report.h"

#include <stdio.h>
#include <stdlib.h>

#include "exit_status.h"

size_t um_report_write(char report[UM_REPORT_ROOM], int status, const char *text)
{
    int size = snprintf(report, UM_REPORT_ROOM, "%d %s", status, text);

    return size < UM_REPORT_ROOM ? (size_t)size : UM_REPORT_ROOM - 1;
}

int um_report_take(char report[UM_REPORT_ROOM], size_t size)
{
    char *text;
    long status;

    report[size] = '\0';
    status = strtol(report, &text, 10);
    if (text == report || *text != ' ') {
        fputs("umemd: the daemon ended before its pipe was open\n", stderr);
        return UM_EXIT_FAILED;
    }
    if (text[1] != '\0')
        fprintf(stderr, "umemd: %s\n", text + 1);
    return (int)status;
}
