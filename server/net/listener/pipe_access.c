/* Telling of rights: what both systems' judges share. */
#include "net/listener/pipe_access.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_ROOM = 1024 };

void um_pipe_access_fact(const struct um_pipe_access_report *listener, const char *subject,
                         const char *format, ...)
{
    char text[TEXT_ROOM];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    listener->fact(listener->context, subject, text);
}

void um_pipe_access_fault(const struct um_pipe_access_report *listener, const char *mend, const char *format,
                          ...)
{
    char text[TEXT_ROOM];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    listener->fault(listener->context, text, mend);
}
