/*
 * umemd's command line.
 *
 * Owns: the one list of options, which drives reading, --help and the manual. Must not know: what they lead to.
 */
#ifndef UM_DAEMON_OPTIONS_H
#define UM_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/log.h"
#include "program/options.h"
#include "rpc/schema/server_limits.h"

/* What the command line requests. */
enum um_action {
    UM_ACTION_RUN,
    UM_ACTION_CHECK,
    UM_ACTION_INSTALL_SERVICE, /* these four are Windows' and follow each other: see autostart.h */
    UM_ACTION_REMOVE_SERVICE,
    UM_ACTION_INSTALL_LOGON,
    UM_ACTION_REMOVE_LOGON,
    UM_ACTION_HELP,
    UM_ACTION_VERSION,
    UM_ACTION_PRINT_PROTOCOL,
    UM_ACTION_PRINT_MAN
};

/* Strings are the command line's own. */
struct um_daemon_options {
    enum um_action action;
    const char *pipe;            /* NULL: the default one */
    bool is_daemon;              /* detach */
    bool is_service;             /* Windows: run under the service control manager */
    bool guard;                  /* guard bytes around blocks */
    bool wipe;                   /* clear memory that is freed */
    bool core_dumps;             /* leave them to what the system says */
    const char *name;            /* of the service or the start at log-on; NULL: umemd */
    const char *account;         /* of the service; NULL: who installs it */
    const char *pid_file;        /* NULL: none */
    const char *log_file;        /* NULL: standard error */
    enum um_log_level log_level; /* the least important that is logged */
    struct um_limits limits;     /* `bytes` is 0 where it was not given */
    bool sessions_given;         /* that limit was */
    bool shared_heaps_given;
};

/* The options, for usage.c. */
extern const struct um_option_table um_daemon_option_table;

/* Whether an option (its place in the table) is about the daemon, and not about how this process was started or what else it does. */
bool um_daemon_option_is_kept(int option);

/* Reads the command line; argv[0] is skipped. Returns false with a sentence without a full stop in `error` where it is wrong. */
bool um_daemon_options_parse(struct um_daemon_options *options, char *const *argv, char *error,
                             size_t error_size);

#endif
