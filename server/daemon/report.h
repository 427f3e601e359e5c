/*
 * What a daemon tells its starter: a line for each warning, then its exit status as a decimal number, a space, and a sentence.
 *
 * Owns: that form. Must not know: what carries it.
 */
#ifndef UM_REPORT_H
#define UM_REPORT_H

#include <stddef.h>

enum {
    UM_REPORT_LINE_ROOM = 1024, /* bytes of one line */
    UM_REPORT_ROOM = 8 << 10,   /* bytes of all of it, an end counted: no pipe holds less */
    UM_REPORT_WARNINGS = UM_REPORT_ROOM - UM_REPORT_LINE_ROOM /* of these, what warnings may take */
};

/* Each writes a line of the report. Returns its size in bytes. */
size_t um_report_write_warning(char line[UM_REPORT_LINE_ROOM], const char *text);
size_t um_report_write(char line[UM_REPORT_LINE_ROOM], int status, const char *text);

/* Takes a report that has come (`size` bytes, fewer than UM_REPORT_ROOM; without its last line where the daemon ended before its
 * pipe was open): prints its sentences to standard error and returns its status. */
int um_report_take(char report[UM_REPORT_ROOM], size_t size);

#endif
