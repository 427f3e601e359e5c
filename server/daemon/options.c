#include "options.h"

#include <inttypes.h>
#include <string.h>

#include "umem_errors.h"

/* Where an option's reader says what is wrong. */
struct complaint {
    char *text;
    size_t room;
};

struct option {
    const char *name;     /* with its dashes */
    const char *argument; /* what --help calls its argument, NULL: it has none */
    const char *doc;      /* one sentence */
    bool (*take)(struct um_options *options, const char *argument, const struct complaint *complaint);
};

static bool take_pipe(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)complaint;
    options->pipe = argument;
    return true;
}

static bool take_daemon(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    (void)argument;
    (void)complaint;
    options->is_daemon = true;
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

/* Reads "4096", "64K", "16M", "1G" or "2T"; the letters are powers of 1024. */
static bool parse_size(const char *text, uint64_t *value)
{
    static const char units[] = "KMGT";
    const char *unit;
    uint64_t number = 0;
    unsigned shift;

    if (*text == '\0')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (number > (UINT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
    }
    unit = *text != '\0' ? strchr(units, *text) : NULL;
    shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
    text += unit != NULL;
    if (*text != '\0' || number > UINT64_MAX >> shift)
        return false;
    *value = number << shift;
    return true;
}

static bool take_limit(struct um_options *options, const char *argument, const struct complaint *complaint)
{
    const char *equals = strchr(argument, '=');
    const struct um_limit_entry *entry = NULL;
    char name[64];
    uint64_t value;

    if (equals == NULL || (size_t)(equals - argument) >= sizeof name || equals[1] == '\0' ||
        !(equals[1] >= '0' && equals[1] <= '9') || !parse_size(equals + 1, &value)) {
        snprintf(complaint->text, complaint->room,
                 "--limit takes NAME=VALUE with a value such as 4096, 64K, 16M or 1G");
        return false;
    }
    memcpy(name, argument, (size_t)(equals - argument));
    name[equals - argument] = '\0';
    if (um_limits_set(&options->limits, name, value, &entry) == UMEM_OK)
        return true;
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

static const struct option table[] = {
    {"--pipe", "PATH", "Listen here.", take_pipe},
    {"--daemon", NULL, "Detach, once the pipe is open.", take_daemon},
    {"--pid-file", "FILE", "Write the process id here while the pipe is open.", take_pid_file},
    {"--log-file", "FILE", "Append the log to this file.", take_log_file},
    {"--log-level", "LEVEL", "Log this and what matters more: error, warning, info (the default), debug.",
     take_log_level},
    {"--limit", "NAME=VALUE", "Set a limit, see below.", take_limit},
    {"--print-protocol", NULL, "Print the methods and errors of the protocol, and end.", take_print_protocol},
    {"--version", NULL, "Print the version, and end.", take_version},
    {"--help", NULL, "Print this, and end.", take_help},
};

enum { OPTION_COUNT = sizeof table / sizeof table[0] };

/* The option that an argument names, as "--name" or "--name=value"; then *value is what follows the sign,
 * else NULL. */
static const struct option *find_option(const char *argument, const char **value)
{
    const char *equals = strchr(argument, '=');
    size_t size = equals != NULL ? (size_t)(equals - argument) : strlen(argument);

    *value = equals != NULL ? equals + 1 : NULL;
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (strlen(table[i].name) == size && memcmp(table[i].name, argument, size) == 0)
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
        if (option->argument == NULL && value != NULL) {
            snprintf(why, room, "%s takes no value", option->name);
            return false;
        }
        if (option->argument != NULL && value == NULL) {
            if (i + 1 == argc) {
                snprintf(why, room, "%s takes a value: %s", option->name, option->argument);
                return false;
            }
            value = argv[++i];
        }
        if (!option->take(options, value, &complaint))
            return false;
    }
    return true;
}

static void print_limits(FILE *out)
{
    const struct um_limit_entry *entry;

    for (unsigned i = 0;; i++) {
        entry = um_limits_entry(i);
        if (entry == NULL)
            return;
        fprintf(out, "  %-16s ", entry->name);
        if (entry->fallback != 0)
            fprintf(out, "%10" PRIu64, entry->fallback);
        else
            fprintf(out, "%10s", "75 %");
        fprintf(out, "  %s\n", entry->doc);
    }
}

int um_options_print_help(FILE *out)
{
    fputs("Usage: umemd [OPTION...]\n\n"
          "Lends heap memory, by handle, to the programs of one user over a pipe.\n\n",
          out);
    for (int i = 0; i < OPTION_COUNT; i++) {
        char left[64];

        snprintf(left, sizeof left, "%s%s%s", table[i].name, table[i].argument != NULL ? " " : "",
                 table[i].argument != NULL ? table[i].argument : "");
        fprintf(out, "  %-22s %s\n", left, table[i].doc);
    }
    fputs("\n"
          "Without --pipe the pipe is UMEM_PIPE of the environment, else on Windows \\\\.\\pipe\\umemd-USER, "
          "else umemd.sock in\n"
          "XDG_RUNTIME_DIR or in /tmp/umemd-UID. With --daemon, what would go to standard error is lost "
          "without --log-file.\n\n"
          "Limits, with their defaults; a value may end in K, M, G or T (powers of 1024); 75 % is of the "
          "memory:\n",
          out);
    print_limits(out);
    fputs("\n"
          "Exit status: 0 ended in order (with --daemon: the pipe is open), 1 failed, 2 wrong usage, 3 "
          "another daemon has\n"
          "the pipe. SIGTERM, SIGINT, SIGHUP and Ctrl-C end the daemon in order, as the method "
          "server.shutdown does.\n",
          out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
