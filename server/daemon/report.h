/*
 * What a daemon tells its starter: its exit status as a decimal number, a space, and a sentence.
 *
 * Owns: that form. Must not know: what carries it.
 */
#ifndef UM_REPORT_H
#define UM_REPORT_H

#include <stddef.h>

enum { UM_REPORT_ROOM = 1024 };

/* Writes a report. Returns its size in bytes. */
size_t um_report_write(char report[UM_REPORT_ROOM], int status, const char *text);

/* Takes a report that has come (`size` bytes, fewer than UM_REPORT_ROOM; 0 where the daemon ended without
 * one): prints its sentence to standard error and returns its status. */
int um_report_take(char report[UM_REPORT_ROOM], size_t size);

#endif
