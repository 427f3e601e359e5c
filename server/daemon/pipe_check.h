/*
 * umemd --check: prints who may do what with the pipe, what is wrong with that, and how to mend it.
 *
 * Owns: the form of that text. Must not know: what is right or wrong; it asks rights.h.
 */
#ifndef UM_CHECK_H
#define UM_CHECK_H

#include <stdio.h>

/* Prints what there is to say of the pipe at `path`. Returns an exit status: UM_EXIT_ENDED where nothing is wrong, else
 * UM_EXIT_FAILED. */
int um_pipe_check_print(FILE *out, const char *path);

#endif
