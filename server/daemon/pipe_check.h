/*
 * umemd --check: prints who may do what with the pipe, which durable heaps there are, each error in that, and how to fix it.
 *
 * Owns: the form of that text. Must not know: what is an error; pipe_access.h and store.h decide that.
 */
#ifndef UM_PIPE_CHECK_H
#define UM_PIPE_CHECK_H

#include <stdio.h>

#include "base/principal.h"

/* Prints what there is to say of the pipe at `path`, for a daemon that lets `allowed` in (see um_pipe_access_check()), and of the durable heaps in the directory `state` (NULL: of none), behind `errors` errors of
 * the settings that are printed already. Returns an exit status: UM_EXIT_ENDED where nothing is wrong, else UM_EXIT_FAILED. */
int um_pipe_check_print(FILE *out, const char *path, const struct um_principal *allowed, const char *state,
                        unsigned errors);

#endif
