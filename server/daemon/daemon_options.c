#include "daemon/daemon_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "umem_errors.h"

/* What an option sets. */
#define FLAG(member) (options->member = true)
#define TEXT(member) (options->member = value, true)
#define ACTION(identifier) (options->action = UM_ACTION_##identifier, true)
#define CALL(function) function(options, value, error, error_size)

/* X(identifier, name, what its value is called or NULL where it takes none, what it does, what it sets) */
#define OPTIONS(X) \
    X(PIPE, "--pipe", "PATH", "listen here", CALL(set_pipe)) \
    X(DAEMON, "--daemon", NULL, "detach; return once the pipe is open", FLAG(is_daemon)) \
    X(SERVICE, "--service", NULL, "run as a Windows service, which the service control manager starts", \
      FLAG(is_service)) \
    X(PID_FILE, "--pid-file", "FILE", \
      "write the process id here while the pipe is open; it keeps no other daemon out", TEXT(pid_file)) \
    X(LOG_FILE, "--log-file", "FILE", "append the log to this file, which SIGHUP and SIGUSR1 reopen", \
      TEXT(log_file)) \
    X(LOG_LEVEL, "--log-level", "LEVEL", \
      "log this level and the more serious ones: error, warning, info (the default), debug", \
      CALL(set_log_level)) \
    X(LIMIT, "--limit", "NAME=VALUE", "set a limit, see below", CALL(set_limit)) \
    X(GUARD, "--guard", NULL, \
      "put guard bytes around blocks, which heap.validate, block.free and block.resize check", FLAG(guard)) \
    X(WIPE, "--wipe", NULL, "clear the bytes of a block when it is freed, moved or made smaller", \
      FLAG(wipe)) \
    X(CORE_DUMPS, "--core-dumps", NULL, "allow core dumps, which contain the bytes of blocks", \
      FLAG(core_dumps)) \
    X(INSTALL_SERVICE, "--install-service", NULL, \
      "Windows: install a service that runs umemd with the other options, and exit", \
      ACTION(INSTALL_SERVICE)) \
    X(REMOVE_SERVICE, "--remove-service", NULL, "Windows: stop and remove the service, and exit", \
      ACTION(REMOVE_SERVICE)) \
    X(INSTALL_LOGON, "--install-logon", NULL, \
      "Windows: have umemd started with the other options when this user logs on, and exit", \
      ACTION(INSTALL_LOGON)) \
    X(REMOVE_LOGON, "--remove-logon", NULL, "Windows: undo that, and exit", ACTION(REMOVE_LOGON)) \
    X(NAME, "--name", "NAME", "what the service, or the start at log-on, is called (umemd)", TEXT(name)) \
    X(ACCOUNT, "--account", "ACCOUNT", \
      "whose service it is (yours); its password is asked for, or is in UMEM_SERVICE_PASSWORD", \
      TEXT(account)) \
    X(CHECK, "--check", NULL, "print who may use the pipe, and each error in that with its fix, and exit", \
      ACTION(CHECK)) \
    X(PRINT_PROTOCOL, "--print-protocol", NULL, "print the methods and errors of the protocol, and exit", \
      ACTION(PRINT_PROTOCOL)) \
    X(PRINT_MAN, "--print-man", NULL, "print the manual page, and exit", ACTION(PRINT_MAN)) \
    X(VERSION, "--version", NULL, "print the version, and exit", ACTION(VERSION)) \
    X(HELP, "--help", NULL, "print the options, and exit", ACTION(HELP))

enum option {
#define OPTION_ENUM(identifier, name, value, doc, effect) OPTION_##identifier,
    OPTIONS(OPTION_ENUM)
#undef OPTION_ENUM
        OPTION_COUNT
};

static const struct um_option list[OPTION_COUNT] = {
#define OPTION_ENTRY(identifier, name, value, doc, effect) {name, value, doc},
    OPTIONS(OPTION_ENTRY)
#undef OPTION_ENTRY
};

const struct um_option_table um_daemon_option_table = {list, OPTION_COUNT, NULL};

/* Sets a limit that is given as NAME=VALUE. */
static bool set_limit(struct um_daemon_options *options, const char *text, char *error, size_t error_size)
{
    const char *equals = strchr(text, '=');
    const struct um_limit_entry *entry = NULL;
    char name[64];
    uint64_t value;

    if (equals == NULL || (size_t)(equals - text) >= sizeof name ||
        !um_size_parse(equals + 1, UINT64_MAX, &value)) {
        snprintf(error, error_size, "--limit takes NAME=VALUE with a value such as 4096, 64K, 16M or 1G");
        return false;
    }
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    if (um_limits_set(&options->limits, name, value, &entry) == UMEM_OK) {
        options->sessions_given |= strcmp(name, "sessions") == 0;
        options->shared_heaps_given |= strcmp(name, "shared_heaps") == 0;
        return true;
    }
    if (entry == NULL)
        snprintf(error, error_size, "there is no limit %s", name);
    else
        snprintf(error, error_size, "the limit %s goes from %" PRIu64 " to %" PRIu64, name, entry->minimum,
                 entry->maximum);
    return false;
}

static bool set_log_level(struct um_daemon_options *options, const char *name, char *error, size_t error_size)
{
    if (um_log_parse_level(name, &options->log_level) == 0)
        return true;
    snprintf(error, error_size, "there is no log level %s; there are error, warning, info and debug", name);
    return false;
}

static bool set_pipe(struct um_daemon_options *options, const char *path, char *error, size_t error_size)
{
    options->pipe = path;
    if (*path != '\0')
        return true;
    snprintf(error, error_size, "--pipe is empty; leave it out for the user's own pipe");
    return false;
}

/* Returns false with a sentence in `error` where the value is wrong. */
static bool set_option(struct um_daemon_options *options, enum option option, const char *value, char *error,
                       size_t error_size)
{
    switch (option) {
#define OPTION_CASE(identifier, name, argument, doc, effect) \
    case OPTION_##identifier: \
        return effect;
        OPTIONS(OPTION_CASE)
#undef OPTION_CASE
    case OPTION_COUNT:
        break;
    }
    return false;
}

bool um_daemon_option_is_kept(int option)
{
    switch (option) {
    case OPTION_DAEMON:
    case OPTION_SERVICE:
    case OPTION_INSTALL_SERVICE:
    case OPTION_REMOVE_SERVICE:
    case OPTION_INSTALL_LOGON:
    case OPTION_REMOVE_LOGON:
    case OPTION_NAME:
    case OPTION_ACCOUNT:
        return false;
    default:
        return true;
    }
}

/* Options that only mean something beside others. */
static bool check_company(const struct um_daemon_options *options, char *error, size_t error_size)
{
    enum um_action action = options->action;

    if (options->is_daemon && options->is_service)
        snprintf(error, error_size, "a service is in the background already; leave --daemon out");
    else if (options->account != NULL && action != UM_ACTION_INSTALL_SERVICE)
        snprintf(error, error_size, "--account is for --install-service");
    else if (options->name != NULL && (action < UM_ACTION_INSTALL_SERVICE || action > UM_ACTION_REMOVE_LOGON))
        snprintf(error, error_size, "--name is for --install-service, --install-logon and their opposites");
    else
        return true;
    return false;
}

bool um_daemon_options_parse(struct um_daemon_options *options, char *const *argv, char *error,
                             size_t error_size)
{
    *options = (struct um_daemon_options){.action = UM_ACTION_RUN, .log_level = UM_LOG_INFO};
    um_limits_init(&options->limits);
    for (int i = 1; argv[i] != NULL; i++) {
        const char *value;
        int option = um_option_read(&um_daemon_option_table, argv, &i, &value, error, error_size);

        if (option < 0 || !set_option(options, (enum option)option, value, error, error_size))
            return false;
    }
    return check_company(options, error, error_size);
}
