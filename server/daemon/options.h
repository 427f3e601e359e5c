/*
 * umemd's command line.
 *
 * Owns: the one table of options, which drives reading, --help and the errors. Must not know: what they lead
 * to.
 */
#ifndef UM_OPTIONS_H
#define UM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "limits.h"
#include "log.h"

/* What the command line asks for. */
enum um_action { UM_ACTION_RUN, UM_ACTION_HELP, UM_ACTION_VERSION, UM_ACTION_PRINT_PROTOCOL };

/* Strings are the command line's own. */
struct um_options {
    enum um_action action;
    const char *pipe;            /* NULL: the default one */
    bool is_daemon;              /* detach */
    const char *pid_file;        /* NULL: none */
    const char *log_file;        /* NULL: standard error */
    enum um_log_level log_level; /* the least that is logged */
    struct um_limits limits;     /* `bytes` is 0 where it was not given */
};

/* Reads the command line; argv[0] is skipped. Returns false with a sentence without a full stop in `why`
 * where it is wrong. */
bool um_options_parse(struct um_options *options, int argc, char *const *argv, char *why, size_t room);

/* Prints what --help prints. Returns 0, or -1 where writing failed. */
int um_options_print_help(FILE *out);

#endif
