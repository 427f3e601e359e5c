/*
 * How umemd ends: what its exit status says.
 *
 * Owns: the numbers. Must not know: what led to them.
 */
#ifndef UM_EXIT_STATUS_H
#define UM_EXIT_STATUS_H

enum um_exit_status {
    UM_EXIT_ENDED = 0,     /* ended in order, or with --daemon: the pipe is open */
    UM_EXIT_FAILED = 1,    /* could not start */
    UM_EXIT_USAGE = 2,     /* the command line is wrong */
    UM_EXIT_PIPE_TAKEN = 3 /* another daemon has the pipe */
};

#endif
