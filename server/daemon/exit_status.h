/*
 * How umemd ends: what its exit status says.
 *
 * Owns: the one list that makes the numbers and what --help and the manual say of them. Must not know: what
 * led to them.
 */
#ifndef UM_EXIT_STATUS_H
#define UM_EXIT_STATUS_H

/* X(identifier, number, what it says) */
#define UM_EXIT_STATUSES(X) \
    X(ENDED, 0, "ended in order; with --daemon: the pipe is open") \
    X(FAILED, 1, "could not start; with --check: something is wrong") \
    X(USAGE, 2, "the command line, the configuration file or a variable of the environment is wrong") \
    X(PIPE_TAKEN, 3, "another daemon has the pipe, and with --replace does not hand it over")

enum um_exit_status {
#define UM_EXIT_ENUM(identifier, number, doc) UM_EXIT_##identifier = (number),
    UM_EXIT_STATUSES(UM_EXIT_ENUM)
#undef UM_EXIT_ENUM
};

#endif
