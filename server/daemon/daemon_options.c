#include "daemon/daemon_options.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "daemon/config_text.h"
#include "daemon/daemon_process.h"
#include "daemon/system_log.h"
#include "program/suggest.h"
#include "umem_errors.h"

enum { ERROR_SIZE = 256, PLACE_SIZE = UM_CONFIG_PATH_SIZE + 32, NAME_SIZE = 64, NUMBER_SIZE = 24 };

#define LIMIT_PREFIX "limit."

/* X(identifier, name, what its value is called or NULL where it takes none, what it does, what it sets: see `struct effect`) */
#define OPTIONS(X) \
    X(CONFIG, "--config", "FILE", \
      "read settings from this file; \"none\" reads none, not even the default one", COMMAND_TEXT(config)) \
    X(PIPE, "--pipe", "PATH", "listen here", CALL_NAMED(set_pipe, "UMEM_PIPE")) \
    X(ALLOW_GROUP, "--allow-group", "GROUP", \
      "let the members of this group in as well, with all the rights of the user; not on Windows", \
      CALL(set_allow_group)) \
    X(ALLOW_SID, "--allow-sid", "SID", \
      "Windows: let this user or group in as well, a SID or a name, with all the rights of the user", \
      CALL(set_allow_sid)) \
    X(DAEMON, "--daemon", NULL, "detach; return once the pipe is open", COMMAND_FLAG(is_daemon)) \
    X(REPLACE, "--replace", NULL, \
      "take the pipe over from the daemon that has it, which ends; no client is refused meanwhile", \
      COMMAND_FLAG(replaces)) \
    X(SERVICE, "--service", NULL, "run as a Windows service, which the service control manager starts", \
      COMMAND_FLAG(is_service)) \
    X(PID_FILE, "--pid-file", "FILE", \
      "write the process id here while the pipe is open; it keeps no other daemon out", TEXT(pid_file)) \
    X(LOG, "--log", "TARGET", \
      "log to stderr (the default), file, syslog, or eventlog (Windows; the default of a service)", \
      CALL(set_log)) \
    X(LOG_FILE, "--log-file", "FILE", \
      "append the log to this file, which SIGHUP and SIGUSR1 reopen; --log file goes without saying", \
      TEXT(log_file)) \
    X(LOG_FORMAT, "--log-format", "FORMAT", "log lines of text (the default) or of json", \
      LIVE(set_log_format, "text")) \
    X(LOG_LEVEL, "--log-level", "LEVEL", \
      "log this level and the more serious ones: error, warning, info (the default), debug", \
      LIVE(set_log_level, "info")) \
    X(LOG_CALLS, "--log-calls", "[=no]", \
      "log each call (method, handle or name, size, time, error) and each session; never what blocks hold", \
      LIVE_FLAG(log_calls)) \
    X(LOG_SESSIONS, "--log-sessions", "[=no]", \
      "log each session: when it is opened, by which process, program and user, and when it is closed", \
      LIVE_FLAG(log_sessions)) \
    X(SLOW_MS, "--slow-ms", "MS", \
      "log each call that takes so many milliseconds or more, but for those that wait; 0 (the default): " \
      "none", \
      LIVE(set_slow_ms, "0")) \
    X(LIMIT, "--limit", "NAME=VALUE", "set a limit, see below", LIMIT) \
    X(GUARD, "--guard", "[=no]", \
      "put guard bytes around blocks, which heap.validate, block.free and block.resize check", FLAG(guard)) \
    X(WIPE, "--wipe", "[=no]", "clear the bytes of a block when it is freed, moved or made smaller", \
      FLAG(wipe)) \
    X(STATE, "--state", "DIR", "keep durable heaps in this directory, which is made if it is not there", \
      TEXT(state)) \
    X(SYNC, "--sync", "WHEN", \
      "how soon records of durable heaps are on the disk: second (the default); always, before the answer, " \
      "and " \
      "the bytes that calls write, too; or never, which leaves it to the system", \
      CALL(set_sync)) \
    X(CORE_DUMPS, "--core-dumps", "[=no]", "allow core dumps, which contain the bytes of blocks", \
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
    X(NAME, "--name", "NAME", "what the service, or the start at log-on, is called (umemd)", \
      COMMAND_TEXT(name)) \
    X(ACCOUNT, "--account", "ACCOUNT", \
      "whose service it is (yours); its password is asked for, or is in UMEM_SERVICE_PASSWORD", \
      COMMAND_TEXT(account)) \
    X(CHECK, "--check", NULL, \
      "print who may use the pipe, with --state also what is there, and each error in that or in the " \
      "settings, and exit", \
      ACTION(CHECK)) \
    X(PRINT_CONFIG, "--print-config", NULL, \
      "print each setting and where its value comes from, in the form of a configuration file, and exit", \
      ACTION(PRINT_CONFIG)) \
    X(PRINT_PROTOCOL, "--print-protocol", NULL, "print the methods and errors of the protocol, and exit", \
      ACTION(PRINT_PROTOCOL)) \
    X(PRINT_MAN, "--print-man", NULL, "print the manual page, and exit", ACTION(PRINT_MAN)) \
    X(COMPLETION, "--completion", "SHELL", \
      "print the script that lets bash, zsh, fish or powershell complete these options, and exit", \
      ACTION_TEXT(PRINT_COMPLETION, completion)) \
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

/* Settings are numbered as the options are, and behind these the limits. */
enum { SETTING_COUNT = (int)OPTION_COUNT + (int)UM_LIMIT_COUNT };
_Static_assert((int)SETTING_COUNT <= (int)UM_SETTINGS_MAXIMUM, "the settings have their places");

/* ---- values ---- */

/* Sets a limit. */
static bool set_limit(struct um_daemon_options *options, const char *name, const char *text, char *error,
                      size_t error_size)
{
    const struct um_limit_entry *entry = NULL;
    uint64_t value;

    if (!um_size_parse(text, UINT64_MAX, &value)) {
        snprintf(error, error_size, "the limit %s takes a value such as 4096, 64K, 16M or 1G", name);
        return false;
    }
    if (um_limits_set(&options->limits, name, value, &entry) == UMEM_OK)
        return true;
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

static bool set_log_format(struct um_daemon_options *options, const char *name, char *error,
                           size_t error_size)
{
    bool is_json = strcmp(name, "json") == 0;

    options->log_format = is_json ? UM_LOG_JSON : UM_LOG_TEXT;
    if (is_json || strcmp(name, "text") == 0)
        return true;
    snprintf(error, error_size, "there is no log format %s; there are text and json", name);
    return false;
}

static bool set_slow_ms(struct um_daemon_options *options, const char *text, char *error, size_t error_size)
{
    enum { DAY_MS = 86400000 };

    /* A size is a number, and one with a unit is none of milliseconds. */
    if (text[strspn(text, "0123456789")] == '\0' && um_size_parse(text, DAY_MS, &options->slow_ms))
        return true;
    snprintf(error, error_size, "slow-ms is a number of milliseconds up to %d, not %s", DAY_MS,
             *text != '\0' ? text : "empty");
    return false;
}

static bool set_log(struct um_daemon_options *options, const char *name, char *error, size_t error_size)
{
    if (strcmp(name, "stderr") == 0)
        options->log = UM_LOG_CHOICE_STDERR;
    else if (strcmp(name, "file") == 0)
        options->log = UM_LOG_CHOICE_FILE;
    else if (strcmp(name, um_system_log_name()) == 0)
        options->log = UM_LOG_CHOICE_SYSTEM;
    else {
        snprintf(error, error_size, "the log cannot go to %s here; it can go to stderr, file and %s", name,
                 um_system_log_name());
        return false;
    }
    return true;
}

static bool set_pipe(struct um_daemon_options *options, const char *path, char *error, size_t error_size)
{
    options->pipe = path;
    if (*path != '\0')
        return true;
    snprintf(error, error_size, "--pipe is empty; leave it out for the user's own pipe");
    return false;
}

static bool set_allow_group(struct um_daemon_options *options, const char *group, char *error,
                            size_t error_size)
{
    if (!um_principal_is_sid())
        return um_principal_find_group(group, &options->allowed, error, error_size) == UMEM_OK;
    snprintf(error, error_size,
             "--allow-group is not for Windows, where users and groups are let in by --allow-sid");
    return false;
}

static bool set_allow_sid(struct um_daemon_options *options, const char *sid, char *error, size_t error_size)
{
    if (um_principal_is_sid())
        return um_principal_find_group(sid, &options->allowed, error, error_size) == UMEM_OK;
    snprintf(error, error_size, "--allow-sid is for Windows; here groups are let in by --allow-group");
    return false;
}

static bool set_sync(struct um_daemon_options *options, const char *when, char *error, size_t error_size)
{
    static const char *const words[] = {
        [UM_SYNC_NEVER] = "never", [UM_SYNC_SECOND] = "second", [UM_SYNC_ALWAYS] = "always"};

    for (int i = UM_SYNC_NEVER; i <= UM_SYNC_ALWAYS; i++) {
        if (strcmp(when, words[i]) != 0)
            continue;
        options->sync = (enum um_sync_when)i;
        return true;
    }
    snprintf(error, error_size, "--sync is never, second or always, not %s", when);
    return false;
}

/* ---- what an option sets ---- */

/* Takes a value as text. Returns false with a sentence without a full stop in `error` where it is wrong. */
typedef bool setter(struct um_daemon_options *options, const char *text, char *error, size_t error_size);

struct effect {
    enum {
        EFFECT_ACTION,       /* requests something of this start, perhaps with a text, and is no setting */
        EFFECT_COMMAND_FLAG, /* says how this process was started, and is no setting either: sets a flag */
        EFFECT_COMMAND_TEXT, /* likewise, a text */
        EFFECT_FLAG,         /* a setting: yes or no */
        EFFECT_TEXT,         /* a setting: any text but "" */
        EFFECT_CALL,         /* a setting that a function reads */
        EFFECT_LIMIT         /* NAME=VALUE; the limits are settings of their own */
    } kind;
    enum um_action action;
    size_t offset; /* of the member */
    setter *set;
    bool is_live;            /* it may change while the daemon runs */
    const char *fallback;    /* what is set where it is not given; NULL: nothing */
    const char *environment; /* the variable's name; NULL: as that of all others, UMEMD_NAME */
};

#define MEMBER(name) .offset = offsetof(struct um_daemon_options, name)
#define FLAG(member) \
    { \
        .kind = EFFECT_FLAG, MEMBER(member) \
    }
#define LIVE_FLAG(member) \
    { \
        .kind = EFFECT_FLAG, .is_live = true, MEMBER(member) \
    }
#define TEXT(member) \
    { \
        .kind = EFFECT_TEXT, MEMBER(member) \
    }
#define CALL(function) \
    { \
        .kind = EFFECT_CALL, .set = (function) \
    }
#define LIVE(function, text) \
    { \
        .kind = EFFECT_CALL, .is_live = true, .set = (function), .fallback = (text) \
    }
#define CALL_NAMED(function, variable) \
    { \
        .kind = EFFECT_CALL, .set = (function), .environment = (variable) \
    }
#define LIMIT \
    { \
        .kind = EFFECT_LIMIT \
    }
#define ACTION(identifier) \
    { \
        .kind = EFFECT_ACTION, .action = UM_ACTION_##identifier \
    }
#define ACTION_TEXT(identifier, member) \
    { \
        .kind = EFFECT_ACTION, .action = UM_ACTION_##identifier, MEMBER(member) \
    }
#define COMMAND_FLAG(member) \
    { \
        .kind = EFFECT_COMMAND_FLAG, MEMBER(member) \
    }
#define COMMAND_TEXT(member) \
    { \
        .kind = EFFECT_COMMAND_TEXT, MEMBER(member) \
    }

static const struct effect effects[OPTION_COUNT] = {
#define OPTION_EFFECT(identifier, name, value, doc, effect) effect,
    OPTIONS(OPTION_EFFECT)
#undef OPTION_EFFECT
};

static bool is_setting(int option)
{
    return effects[option].kind >= EFFECT_FLAG && effects[option].kind != EFFECT_LIMIT;
}

/* What an option is where it is not given; NULL: nothing. */
static const char *default_of(int option)
{
    return effects[option].kind == EFFECT_FLAG ? "no" : effects[option].fallback;
}

static bool set_flag(bool *flag, const char *text, const char *name, char *error, size_t error_size)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
        snprintf(error, error_size, "%s is yes or no, not %s", name, *text != '\0' ? text : "empty");
        return false;
    }
    *flag = strcmp(text, "yes") == 0;
    return true;
}

/* Sets what an option sets, but for limits. */
static bool apply(struct um_daemon_options *options, int option, const char *text, char *error,
                  size_t error_size)
{
    const struct effect *effect = &effects[option];
    void *member = (char *)options + effect->offset;

    switch (effect->kind) {
    case EFFECT_ACTION:
        options->action = effect->action;
        if (list[option].value != NULL)
            *(const char **)member = text;
        return true;
    case EFFECT_COMMAND_FLAG:
        *(bool *)member = true;
        return true;
    case EFFECT_FLAG:
        return set_flag(member, text, list[option].name, error, error_size);
    case EFFECT_COMMAND_TEXT:
    case EFFECT_TEXT:
        if (*text == '\0') {
            snprintf(error, error_size, "%s is empty", list[option].name);
            return false;
        }
        *(const char **)member = text;
        return true;
    case EFFECT_CALL:
        return effect->set(options, text, error, error_size);
    case EFFECT_LIMIT:
        break;
    }
    return false;
}

/* The settings, and where others are. */
bool um_daemon_option_is_kept(int option)
{
    return is_setting(option) || effects[option].kind == EFFECT_LIMIT || option == OPTION_CONFIG;
}

/* Sets a setting by its number, and notes where it is from. */
static bool set(struct um_daemon_options *options, int setting, const struct um_setting *given, char *error,
                size_t error_size)
{
    bool is_set;

    if (setting < (int)OPTION_COUNT)
        is_set = apply(options, setting, given->text, error, error_size);
    else
        is_set = set_limit(options, um_limits_entry((unsigned)(setting - (int)OPTION_COUNT))->name,
                           given->text, error, error_size);
    if (is_set)
        options->settings[setting] = *given;
    return is_set;
}

/* ---- names ---- */

/* Writes a setting's name as a file has it. Returns false for an option that is no setting. */
static bool name_setting(int setting, char name[NAME_SIZE])
{
    if (setting >= (int)OPTION_COUNT)
        snprintf(name, NAME_SIZE, LIMIT_PREFIX "%s",
                 um_limits_entry((unsigned)(setting - (int)OPTION_COUNT))->name);
    else if (is_setting(setting))
        snprintf(name, NAME_SIZE, "%s", list[setting].name + 2);
    else
        return false;
    return true;
}

/* Writes the name of the variable for a setting. */
static void name_variable(int setting, char name[NAME_SIZE])
{
    char own[NAME_SIZE];
    const char *given = setting < (int)OPTION_COUNT ? effects[setting].environment : NULL;

    name_setting(setting, own);
    if (given != NULL) {
        snprintf(name, NAME_SIZE, "%s", given);
        return;
    }
    for (char *at = own; *at != '\0'; at++)
        *at = *at == '-' || *at == '.' ? '_' : (char)toupper((unsigned char)*at);
    snprintf(name, NAME_SIZE, "UMEMD_%.*s", NAME_SIZE - 8, own);
}

/* The number of the setting of that name, or -1 with a sentence in `error`. */
static int find_setting(const char *name, char *error, size_t error_size)
{
    char names[SETTING_COUNT][NAME_SIZE];
    struct um_suggestion suggestion;

    um_suggest_begin(&suggestion, name);
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (!name_setting(i, names[i]))
            continue;
        if (strcmp(names[i], name) == 0)
            return i;
        um_suggest_offer(&suggestion, names[i]);
    }
    for (int i = 0; i < (int)OPTION_COUNT; i++) {
        if (strcmp(list[i].name + 2, name) == 0 && effects[i].kind != EFFECT_LIMIT) {
            snprintf(error, error_size, "%s is for the command line only", name);
            return -1;
        }
    }
    if (strcmp(name, "limit") == 0)
        snprintf(error, error_size, "a limit is set by " LIMIT_PREFIX "NAME = VALUE");
    else if (suggestion.best != NULL)
        snprintf(error, error_size, "there is no setting %.64s; did you mean %s?", name, suggestion.best);
    else
        snprintf(error, error_size, "there is no setting %.64s", name);
    return -1;
}

/* ---- the command line ---- */

/* Sets a limit that is given as NAME=VALUE. */
static bool take_limit(struct um_daemon_options *options, const char *text, char *error, size_t error_size)
{
    const char *equals = strchr(text, '=');
    struct um_setting given = {.origin = UM_ORIGIN_COMMAND_LINE};
    char name[NAME_SIZE];
    enum um_limit limit;

    if (equals == NULL || (size_t)(equals - text) >= sizeof name) {
        snprintf(error, error_size, "--limit takes NAME=VALUE with a value such as 4096, 64K, 16M or 1G");
        return false;
    }
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    limit = um_limits_find(name);
    given.text = equals + 1;
    if (limit < UM_LIMIT_COUNT)
        return set(options, (int)OPTION_COUNT + (int)limit, &given, error, error_size);
    snprintf(error, error_size, "there is no limit %s", name);
    return false;
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

static bool read_command_line(struct um_daemon_options *options, char *const *argv, char *error,
                              size_t error_size)
{
    for (int i = 1; argv[i] != NULL; i++) {
        struct um_setting given = {.origin = UM_ORIGIN_COMMAND_LINE};
        int option = um_option_read(&um_daemon_option_table, argv, &i, &given.text, error, error_size);

        if (option < 0)
            return false;
        if (effects[option].kind == EFFECT_FLAG && *given.text == '\0')
            given.text = "yes";
        if (effects[option].kind == EFFECT_LIMIT) {
            if (!take_limit(options, given.text, error, error_size))
                return false;
        } else if (!set(options, option, &given, error, error_size)) {
            return false;
        }
    }
    return check_company(options, error, error_size);
}

/* ---- the file and the environment ---- */

/* What is read at present. */
struct reading {
    struct um_daemon_options *options;
    const struct um_option_errors *errors;
    unsigned count; /* of errors */
};

static void report(struct reading *reading, const char *place, const char *text)
{
    reading->errors->take(reading->errors->context, place, text);
    reading->count++;
}

static void report_no_memory(struct reading *reading, const char *place)
{
    reading->options->is_out_of_memory = true;
    report(reading, place, "no memory");
}

static void take_line(struct reading *reading, const char *name, const struct um_setting *given)
{
    struct um_daemon_options *options = reading->options;
    char place[PLACE_SIZE];
    char error[ERROR_SIZE];
    int setting = find_setting(name, error, sizeof error);
    bool is_twice = setting >= 0 && options->settings[setting].origin == UM_ORIGIN_FILE;

    snprintf(place, sizeof place, "%s:%u", options->config_path, given->line);
    if (is_twice)
        snprintf(error, sizeof error, "%s is set in line %u already", name, options->settings[setting].line);
    if (setting < 0 || is_twice || !set(options, setting, given, error, sizeof error))
        report(reading, place, error);
}

static void read_file(struct reading *reading)
{
    struct um_daemon_options *options = reading->options;
    struct um_setting given = {.origin = UM_ORIGIN_FILE};
    struct um_config_text lines;
    enum um_config_line line;
    char reason[ERROR_SIZE];
    const char *name;
    size_t size = 0;
    char *bytes = um_config_file_read(options->config_path, &size, reason, sizeof reason);
    char *text = bytes != NULL ? um_arena_alloc(&options->memory, size + 1) : NULL;

    if (text == NULL) {
        if (bytes == NULL)
            report(reading, options->config_path, reason);
        else
            report_no_memory(reading, options->config_path);
        free(bytes);
        return;
    }
    memcpy(text, bytes, size);
    free(bytes);
    um_config_text_begin(&lines, text, size);
    for (line = um_config_text_next(&lines, &name, &given.text); line != UM_CONFIG_END;
         line = um_config_text_next(&lines, &name, &given.text)) {
        given.line = lines.line;
        if (line == UM_CONFIG_SETTING) {
            take_line(reading, name, &given);
        } else {
            char place[PLACE_SIZE];

            snprintf(place, sizeof place, "%s:%u", options->config_path, lines.line);
            report(reading, place, given.text);
        }
    }
}

/* The value of a variable, in the options' memory. NULL where it is not set, or empty; or where it cannot be taken, which is reported. */
static const char *take_variable(struct reading *reading, const char *name)
{
    enum { VALUE_SIZE = 8192 };
    char value[VALUE_SIZE];
    bool is_too_long;
    char *copy;

    if (!um_config_variable(name, value, sizeof value, &is_too_long)) {
        if (is_too_long)
            report(reading, name, "the value is too long");
        return NULL;
    }
    copy = um_arena_alloc(&reading->options->memory, strlen(value) + 1);
    if (copy != NULL)
        memcpy(copy, value, strlen(value) + 1);
    else
        report_no_memory(reading, name);
    return copy;
}

static void read_environment(struct reading *reading)
{
    struct um_setting given = {.origin = UM_ORIGIN_ENVIRONMENT};
    char name[NAME_SIZE];
    char error[ERROR_SIZE];

    for (int i = 0; i < SETTING_COUNT; i++) {
        if (i < (int)OPTION_COUNT && !is_setting(i))
            continue;
        name_variable(i, name);
        given.text = take_variable(reading, name);
        if (given.text != NULL && !set(reading->options, i, &given, error, sizeof error))
            report(reading, name, error);
    }
}

static void set_defaults(struct um_daemon_options *options, char *const *argv, enum um_action action)
{
    char error[ERROR_SIZE];

    *options = (struct um_daemon_options){.argv = argv, .action = action, .sync = UM_SYNC_SECOND};
    um_limits_init(&options->limits);
    for (int i = 0; i < (int)OPTION_COUNT; i++) {
        if (effects[i].fallback != NULL)
            apply(options, i, effects[i].fallback, error, sizeof error);
    }
}

static bool needs_settings(enum um_action action)
{
    return action == UM_ACTION_RUN || action == UM_ACTION_CHECK || action == UM_ACTION_PRINT_CONFIG;
}

/* The path is made absolute, because a daemon leaves the working directory. */
static void find_file(struct reading *reading, const char *named)
{
    struct um_daemon_options *options = reading->options;
    char path[UM_CONFIG_PATH_SIZE];

    if (!um_config_file_find(named, path, &options->config_is_named))
        return;
    if (um_process_absolute_path(path, options->config_path, sizeof options->config_path))
        read_file(reading);
    else
        report(reading, path, "the path is too long, or the working directory is not known");
}

unsigned um_daemon_options_read(struct um_daemon_options *options, char *const *argv, const char *config,
                                const struct um_option_errors *errors)
{
    struct reading reading = {.options = options, .errors = errors};
    char error[ERROR_SIZE];
    const char *named;

    /* First for what it requests and where the file is, then for what counts more than the file and the environment. */
    set_defaults(options, argv, UM_ACTION_RUN);
    if (!read_command_line(options, argv, error, sizeof error)) {
        report(&reading, "", error);
        return reading.count;
    }
    if (!needs_settings(options->action))
        return 0;
    named = config != NULL ? config : options->config;
    set_defaults(options, argv, options->action);
    find_file(&reading, named);
    read_environment(&reading);
    read_command_line(options, argv, error, sizeof error);
    if (options->log == UM_LOG_CHOICE_FILE && options->log_file == NULL)
        report(&reading, "", "a log that goes to a file needs the file's name: --log-file FILE");
    return reading.count;
}

void um_daemon_options_deinit(struct um_daemon_options *options)
{
    um_arena_deinit(&options->memory);
}

void um_daemon_options_free(struct um_daemon_options *options)
{
    if (options != NULL)
        um_daemon_options_deinit(options);
    free(options);
}

struct um_log_options um_daemon_options_log(const struct um_daemon_options *options)
{
    struct um_log_options log = {.level = options->log_level, .format = options->log_format};

    switch (options->log) {
    case UM_LOG_CHOICE_NONE:
        if (options->log_file != NULL)
            log.target = UM_LOG_TO_FILE;
        else
            log.target = options->is_service ? UM_LOG_TO_SYSTEM : UM_LOG_TO_STDERR;
        break;
    case UM_LOG_CHOICE_STDERR:
        log.target = UM_LOG_TO_STDERR;
        break;
    case UM_LOG_CHOICE_FILE:
        log.target = UM_LOG_TO_FILE;
        break;
    case UM_LOG_CHOICE_SYSTEM:
        log.target = UM_LOG_TO_SYSTEM;
        break;
    }
    if (log.target == UM_LOG_TO_FILE)
        log.path = options->log_file;
    return log;
}

bool um_daemon_options_has_limit(const struct um_daemon_options *options, enum um_limit limit)
{
    return options->settings[(int)OPTION_COUNT + (int)limit].text != NULL;
}

/* ---- settings that were read again ---- */

/* Whether two values are the same, a flag's or a limit's however it is written. */
static bool is_same(int setting, const struct um_daemon_options *left, const struct um_daemon_options *right)
{
    const char *one = left->settings[setting].text;
    const char *other = right->settings[setting].text;
    unsigned limit = (unsigned)setting - (unsigned)OPTION_COUNT;

    if (setting >= (int)OPTION_COUNT)
        return um_limits_value(&left->limits, limit) == um_limits_value(&right->limits, limit);
    if (one == NULL)
        one = default_of(setting);
    if (other == NULL)
        other = default_of(setting);
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

void um_daemon_options_compare(const struct um_daemon_options *started, const struct um_daemon_options *live,
                               const struct um_daemon_options *read,
                               void (*differs)(void *context, const char *name, bool is_live), void *context)
{
    char name[NAME_SIZE];

    for (int i = 0; i < SETTING_COUNT; i++) {
        bool is_limit = i >= (int)OPTION_COUNT;
        bool is_live =
            is_limit ? um_limits_may_change((unsigned)(i - (int)OPTION_COUNT)) : effects[i].is_live;

        if (name_setting(i, name) && !is_same(i, is_live ? live : started, read))
            differs(context, name, is_live);
    }
}

/* ---- printing ---- */

static void print_origin(const struct um_daemon_options *options, int setting, FILE *out)
{
    const struct um_setting *given = &options->settings[setting];
    char name[NAME_SIZE];

    switch (given->origin) {
    case UM_ORIGIN_FILE:
        fprintf(out, "# %s, line %u\n", options->config_path, given->line);
        break;
    case UM_ORIGIN_ENVIRONMENT:
        name_variable(setting, name);
        fprintf(out, "# %s of the environment\n", name);
        break;
    case UM_ORIGIN_COMMAND_LINE:
        fputs("# the command line\n", out);
        break;
    case UM_ORIGIN_DEFAULT:
        break;
    }
}

/* A default is printed as a comment, so that the text can be kept as a file to begin with. */
static void print_default(int setting, const char *name, FILE *out)
{
    char number[NUMBER_SIZE] = "";
    const char *text = NULL;

    if (setting >= (int)OPTION_COUNT) {
        const struct um_limit_entry *entry = um_limits_entry((unsigned)(setting - (int)OPTION_COUNT));

        snprintf(number, sizeof number, "%" PRIu64, entry->fallback);
        text = entry->fallback != 0 ? number : um_limits_fallback(entry);
    } else {
        text = default_of(setting);
    }
    if (text != NULL)
        fprintf(out, "#%s = %s\n", name, text);
    else
        fprintf(out, "#%s =\n", name);
}

int um_daemon_options_print(const struct um_daemon_options *options, FILE *out)
{
    char name[NAME_SIZE];

    if (options->config_path[0] == '\0')
        fputs("# No configuration file is read.\n", out);
    else
        fprintf(out, "# The configuration file is %s.\n", options->config_path);
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (options->settings[i].text == NULL || !name_setting(i, name))
            continue;
        print_origin(options, i, out);
        fprintf(out, "%s = %s\n", name, options->settings[i].text);
    }
    fputs("\n# By default:\n", out);
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (options->settings[i].text == NULL && name_setting(i, name))
            print_default(i, name, out);
    }
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
