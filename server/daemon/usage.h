/*
 * What umemd says of itself: --help, and the manual page.
 *
 * Owns: their words and form. Must not know: which options, limits and exit statuses there are; it reads
 * their lists.
 */
#ifndef UM_USAGE_H
#define UM_USAGE_H

#include <stdio.h>

/* Prints what --help prints. Returns 0, or -1 where writing failed. */
int um_usage_print_help(FILE *out);

/* Prints the manual page umemd.8, which is kept beside this file. Returns 0, or -1 where writing failed. */
int um_usage_print_man(FILE *out);

#endif
