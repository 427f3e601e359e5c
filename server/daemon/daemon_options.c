#include "daemon/daemon_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "umem_errors.h"

/* Where an option's reader says what is wrong. */
struct complaint {
    char *text;
    size_t room;
};

struct option {
    struct um_option_entry entry;
    bool (*take)(struct um_options *options, const char *argument, const struct complaint *complaint);
};

static bool take_pipe(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    options->pipe = argument;
    if (*argument != '\0')
        return true;
    snprintf(complaint->text, complaint->room, "--pipe is empty; leave it out for the user's own pipe");
    return false;
}

static bool take_daemon(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->is_daemon = true;
    return true;
}

static bool take_service(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->is_service = true;
    return true;
}

static bool take_check(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->action = UM_ACTION_CHECK;
    return true;
}

static bool take_core_dumps(struct um_options *options, const char *argument,
                            const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->core_dumps = true;
    return true;
}

static bool take_guard(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->guard = true;
    return true;
}

static bool take_wipe(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->wipe = true;
    return true;
}

static bool take_pid_file(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)complaint;
    options->pid_file = argument;
    return true;
}

static bool take_log_file(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)complaint;
    options->log_file = argument;
    return true;
}

static bool take_log_level(struct um_options *options, const char *argument,
                           const struct complaint *complaint)
{
    if (um_log_parse_level(argument, &options->log_level) == 0)
        return true;
    snprintf(complaint->text, complaint->room,
             "there is no log level %s; there are error, warning, info and debug", argument);
    return false;
}

static bool take_limit(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    const char *equals = strchr(argument, '=');
    const struct um_limit_entry *entry = NULL;
    char name[64];
    uint64_t value;

    if (equals == NULL || (size_t)(equals - argument) >= sizeof name ||
        !um_size_parse(equals + 1, UINT64_MAX, &value)) {
        snprintf(complaint->text, complaint->room,
                 "--limit takes NAME=VALUE with a value such as 4096, 64K, 16M or 1G");
        return false;
    }
    memcpy(name, argument, (size_t)(equals - argument));
    name[equals - argument] = '\0';
    if (um_limits_set(&options->limits, name, value, &entry) == UMEM_OK) {
        options->sessions_given |= strcmp(name, "sessions") == 0;
        options->shared_heaps_given |= strcmp(name, "shared_heaps") == 0;
        return true;
    }
    if (entry == NULL)
        snprintf(complaint->text, complaint->room, "there is no limit %s", name);
    else
        snprintf(complaint->text, complaint->room, "the limit %s goes from %" PRIu64 " to %" PRIu64, name,
                 entry->minimum, entry->maximum);
    return false;
}

static bool take_help(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->action = UM_ACTION_HELP;
    return true;
}

static bool take_version(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->action = UM_ACTION_VERSION;
    return true;
}

static bool take_print_protocol(struct um_options *options, const char *argument,
                                const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->action = UM_ACTION_PRINT_PROTOCOL;
    return true;
}

static bool take_print_man(struct um_options *options, const char *argument,
                           const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->action = UM_ACTION_PRINT_MAN;
    return true;
}

static const struct option table[] = {
    {{"--pipe", "PATH", "Listen here."}, take_pipe},
    {{"--daemon", NULL, "Detach; return once the pipe is open."}, take_daemon},
    {{"--service", NULL, "Run as a Windows service, which the service control manager starts."},
     take_service},
    {{"--pid-file", "FILE",
      "Write the process id here while the pipe is open; no other daemon is kept out by it."},
     take_pid_file},
    {{"--log-file", "FILE", "Append the log to this file, which SIGHUP and SIGUSR1 reopen."}, take_log_file},
    {{"--log-level", "LEVEL", "Log this and what matters more: error, warning, info (the default), debug."},
     take_log_level},
    {{"--limit", "NAME=VALUE", "Set a limit, see below."}, take_limit},
    {{"--guard", NULL,
      "Put guard bytes around blocks, which heap.validate, block.free and block.resize check."},
     take_guard},
    {{"--wipe", NULL, "Clear the bytes of a block when it is freed, moved or made smaller."}, take_wipe},
    {{"--core-dumps", NULL, "Allow core dumps, which hold what is in the blocks."}, take_core_dumps},
    {{"--check", NULL, "Print who may use the pipe, and what is wrong with that, and end."}, take_check},
    {{"--print-protocol", NULL, "Print the methods and errors of the protocol, and end."},
     take_print_protocol},
    {{"--print-man", NULL, "Print the manual page, and end."}, take_print_man},
    {{"--version", NULL, "Print the version, and end."}, take_version},
    {{"--help", NULL, "Print the options, and end."}, take_help},
};

enum { OPTION_COUNT = sizeof table / sizeof table[0] };

const struct um_option_entry *um_options_entry(unsigned index)
{
    return index < OPTION_COUNT ? &table[index].entry : NULL;
}

/* The option that an argument names, as "--name" or "--name=value"; then *value is what follows the sign,
 * else NULL. */
static const struct option *find_option(const char *argument, const char **value)
{
    const char *equals = strchr(argument, '=');
    size_t size = equals != NULL ? (size_t)(equals - argument) : strlen(argument);

    *value = equals != NULL ? equals + 1 : NULL;
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (strlen(table[i].entry.name) == size && memcmp(table[i].entry.name, argument, size) == 0)
            return &table[i];
    }
    return NULL;
}

bool um_options_parse(struct um_options *options, int argc, char *const *argv, char *why, size_t room)
{
    struct complaint complaint = {why, room};

    *options = (struct um_options){.action = UM_ACTION_RUN, .log_level = UM_LOG_INFO};
    um_limits_init(&options->limits);
    for (int i = 1; i < argc; i++) {
        const char *value;
        const struct option *option = find_option(argv[i], &value);

        if (option == NULL) {
            snprintf(why, room, "there is no option %s", argv[i]);
            return false;
        }
        if (option->entry.argument == NULL && value != NULL) {
            snprintf(why, room, "%s takes no value", option->entry.name);
            return false;
        }
        if (option->entry.argument != NULL && value == NULL) {
            if (i + 1 == argc) {
                snprintf(why, room, "%s takes a value: %s", option->entry.name, option->entry.argument);
                return false;
            }
            value = argv[++i];
        }
        if (!option->take(options, value, &complaint))
            return false;
    }
    if (options->is_daemon && options->is_service) {
        snprintf(why, room, "a service is in the background already; leave --daemon out");
        return false;
    }
    return true;
}
