/* Telling of rights: what both systems' judges share. */
#include "net/listener/pipe_access.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_SIZE = 1024 };

void um_pipe_access_fact(const struct um_pipe_access_report *report, const char *subject, const char *format,
                         ...)
{
    char text[TEXT_SIZE];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    report->fact(report->context, subject, text);
}

void um_pipe_access_fault(const struct um_pipe_access_report *report, const char *fix, const char *format,
                          ...)
{
    char text[TEXT_SIZE];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    report->fault(report->context, text, fix);
}
