/*
 * umemd's options: from the configuration file, the environment and the command line, each of which counts more than the one before.
 *
 * Owns: the one list of options, which drives reading all three, --help, --print-config and the manual. Must not know: what they lead to.
 *
 * A setting is an option that a file or the environment may have: "log-level = debug", UMEMD_LOG_LEVEL=debug; and each limit is one:
 * "limit.sessions = 100", UMEMD_LIMIT_SESSIONS=100. Options that say how this process was started, and what it is to print, are for
 * the command line only.
 */
#ifndef UM_DAEMON_OPTIONS_H
#define UM_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/principal.h"
#include "daemon/config_file.h"
#include "daemon/log.h"
#include "program/options.h"
#include "rpc/schema/server_limits.h"
#include "rpc/schema/sync_when.h"

/* What the command line requests. */
enum um_action {
    UM_ACTION_RUN,
    UM_ACTION_CHECK,
    UM_ACTION_PRINT_CONFIG,
    UM_ACTION_INSTALL_SERVICE, /* these four are Windows' and follow each other: see autostart.h */
    UM_ACTION_REMOVE_SERVICE,
    UM_ACTION_INSTALL_LOGON,
    UM_ACTION_REMOVE_LOGON,
    UM_ACTION_HELP,
    UM_ACTION_VERSION,
    UM_ACTION_PRINT_PROTOCOL,
    UM_ACTION_PRINT_MAN,
    UM_ACTION_PRINT_COMPLETION
};

/* Where a setting's value comes from. */
enum um_origin { UM_ORIGIN_DEFAULT, UM_ORIGIN_FILE, UM_ORIGIN_ENVIRONMENT, UM_ORIGIN_COMMAND_LINE };

/* What --log takes. */
enum um_log_choice {
    UM_LOG_CHOICE_NONE, /* it was not given: see um_daemon_options_log() */
    UM_LOG_CHOICE_STDERR,
    UM_LOG_CHOICE_FILE,
    UM_LOG_CHOICE_SYSTEM /* under the name of um_system_log_name() */
};

/* A setting as it was given last. */
struct um_setting {
    const char *text; /* its value; NULL: it was not given */
    enum um_origin origin;
    unsigned line; /* of the file, where it is from there */
};

enum { UM_SETTINGS_MAXIMUM = 96 /* options and limits */ };

struct um_daemon_options {
    char *const *argv; /* the command line that was read */
    enum um_action action;
    const char *config;          /* --config; NULL: it was not given */
    bool is_daemon;              /* detach */
    bool replaces;               /* take over the pipe of the daemon that runs */
    bool is_service;             /* Windows: run under the service control manager */
    const char *pipe;            /* NULL: the default one */
    struct um_principal allowed; /* who is let in beside the user: --allow-group, --allow-sid */
    bool guard;                  /* guard bytes around blocks */
    bool wipe;                   /* clear memory that is freed */
    const char *state;           /* the directory of durable heaps; NULL: there are none */
    enum um_sync_when sync;      /* when their records are on the disk */
    bool core_dumps;             /* leave them to what the system says */
    const char *name;            /* of the service or the start at log-on; NULL: umemd */
    const char *account;         /* of the service; NULL: who installs it */
    const char *completion;      /* the shell whose script is printed */
    const char *pid_file;        /* NULL: none */
    enum um_log_choice log;      /* where the log goes */
    const char *log_file;        /* NULL: none */
    enum um_log_level log_level; /* the least important that is logged */
    enum um_log_format log_format;
    bool log_calls;          /* log each call, and each session */
    bool log_sessions;       /* log each session */
    uint64_t slow_ms;        /* log calls that take so long, milliseconds; 0: none */
    struct um_limits limits; /* `bytes` is 0 where it was not given */

    char config_path[UM_CONFIG_PATH_SIZE]; /* of the file that was read, absolute; "": none was */
    bool config_is_named;                  /* by the command line or the environment */
    struct um_setting settings[UM_SETTINGS_MAXIMUM];
    struct um_arena memory; /* of texts that are not the command line's */
    bool is_out_of_memory;  /* which is an error, too, though nothing is wrong in the settings */
};

/* Takes what is wrong: where that stands ("": on the command line), and a sentence without a full stop. */
struct um_option_errors {
    void (*take)(void *context, const char *place, const char *text);
    void *context;
};

/* The options, for usage.c. */
extern const struct um_option_table um_daemon_option_table;

/* Whether an option (its place in the table) is about the daemon, and not about how this process was started or what else it does. */
bool um_daemon_option_is_kept(int option);

/* Reads the command line; argv[0] is skipped, and the words must stay. Then, where the daemon is to run, or its configuration to be
 * looked at, the file and the environment. `config`: the file to read, whatever names another; NULL: the one that --config names, or
 * the environment, or that is in a default place. Returns how many errors there were: of the file and the environment all are reported, of the
 * command line the first one. Without any, and for actions that need no more than the command line, the options are whole. In any case
 * um_daemon_options_deinit() is to follow. */
unsigned um_daemon_options_read(struct um_daemon_options *options, char *const *argv, const char *config,
                                const struct um_option_errors *errors);

void um_daemon_options_deinit(struct um_daemon_options *options);

/* The same for options in memory of malloc()'s, which is freed, too. NULL is fine. */
void um_daemon_options_free(struct um_daemon_options *options);

/* Where the log goes, and how: what was given, else the file where one was given, else, for a service of Windows, the event log, else
 * standard error. */
struct um_log_options um_daemon_options_log(const struct um_daemon_options *options);

/* Whether that limit was given. */
bool um_daemon_options_has_limit(const struct um_daemon_options *options, enum um_limit limit);

/* Compares settings that were read again with those that a daemon runs with: `started` it was started with, `live` it has read last.
 * Calls `differs` for each setting whose value is another one; is_live: it can change while the daemon runs. */
void um_daemon_options_compare(const struct um_daemon_options *started, const struct um_daemon_options *live,
                               const struct um_daemon_options *read,
                               void (*differs)(void *context, const char *name, bool is_live), void *context);

/* Prints each setting, its value, and where that comes from, in the form of a configuration file. Returns 0, or -1 where writing
 * failed. */
int um_daemon_options_print(const struct um_daemon_options *options, FILE *out);

#endif
