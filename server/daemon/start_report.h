/*
 * What a daemon reports to its starter: a line for each warning, then its exit status as a decimal number, a space, and a sentence.
 *
 * Owns: that form. Must not know: what carries it.
 */
#ifndef UM_START_REPORT_H
#define UM_START_REPORT_H

#include <stddef.h>

enum {
    UM_START_REPORT_LINE_SIZE = 1024, /* bytes of one line */
    UM_START_REPORT_SIZE = 8 << 10,   /* bytes of all of it, an end counted: no pipe holds less */
    UM_START_REPORT_WARNINGS_SIZE =
        UM_START_REPORT_SIZE - UM_START_REPORT_LINE_SIZE /* of these, what warnings may take */
};

/* Each writes a line of the report. Returns its size in bytes. */
size_t um_start_report_write_warning(char line[UM_START_REPORT_LINE_SIZE], const char *text);
size_t um_start_report_write(char line[UM_START_REPORT_LINE_SIZE], int status, const char *text);

/* Takes a report that has come (`size` bytes, fewer than UM_START_REPORT_SIZE; without its last line where the daemon ended
 * before its pipe was open): prints its sentences to standard error and returns its status. */
int um_start_report_take(char report[UM_START_REPORT_SIZE], size_t size);

#endif
