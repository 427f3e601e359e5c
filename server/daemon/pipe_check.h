/*
 * umemd --check: prints who may do what with the pipe, each error in that, and how to fix it.
 *
 * Owns: the form of that text. Must not know: what is an error; pipe_access.h decides that.
 */
#ifndef UM_PIPE_CHECK_H
#define UM_PIPE_CHECK_H

#include <stdio.h>

/* Prints what there is to say of the pipe at `path`, behind `errors` errors of the settings that are printed already. Returns an exit
 * status: UM_EXIT_ENDED where nothing is wrong, else UM_EXIT_FAILED. */
int um_pipe_check_print(FILE *out, const char *path, unsigned errors);

#endif
