#include "daemon/daemon_run.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "daemon/access_log.h"
#include "daemon/exit_status.h"
#include "daemon/log.h"
#include "daemon/pid_file.h"
#include "daemon/service.h"
#include "net/listener/pipe_access.h"
#include "net/listener/pipe_lock.h"
#include "net/replace.h"
#include "net/server.h"
#include "rpc/rpc.h"
#include "umem_errors.h"
#include "umem_version.h"

enum {
    CHECK_MS = 1000, /* how often the pipe's file is checked */
    /* Reloads that clients request are logged so often at once, and then one at an interval: they cannot fill a disk. */
    RELOAD_BURST = 10,
    RELOAD_INTERVAL_MS = 10000
};

/* One signal that is listened for. */
struct signal_watch {
    uv_signal_t handle;
    enum um_signal_action action;
};

struct daemon {
    uv_loop_t loop;
    struct signal_watch watches[UM_SIGNAL_MAXIMUM];
    size_t watch_count;
    uv_timer_t check_timer;
    struct um_server *server;   /* NULL before its start and after its end */
    struct um_service *service; /* NULL where no service manager started this process */
    struct um_log *log;
    struct um_pid_file *pid_file;            /* NULL: there is none */
    const struct um_daemon_options *options; /* that it was started with */
    struct um_daemon_options *reloaded;      /* that were read again last; NULL: none were */
    uint64_t default_bytes;                  /* the limit `bytes` where none is given */
    unsigned logged_reloads;                 /* by clients, lately */
    uint64_t logged_since_ms;                /* when these were counted down last */
    struct um_starter *starter;
};

/* A warning for the user, which a starter that still waits prints as well. */
static void warn(struct daemon *daemon, const char *text)
{
    um_log_write(daemon->log, UM_LOG_WARNING, "%s", text);
    um_process_warn(daemon->starter, text);
}

static void on_log(void *context, enum um_log_severity severity, const char *text)
{
    struct daemon *daemon = context;

    if (severity == UM_SEVERITY_WARNING)
        warn(daemon, text);
    else
        um_log_write(daemon->log, UM_LOG_DEBUG, "%s", text);
}

static void stop(struct daemon *daemon)
{
    um_service_ending(daemon->service);
    if (daemon->server != NULL)
        um_server_stop(daemon->server);
}

/* The limits as options have them, with the default that depends on the machine. */
static struct um_limits limits_of(const struct daemon *daemon, const struct um_daemon_options *options)
{
    struct um_limits limits = options->limits;

    if (limits.bytes == 0)
        limits.bytes = daemon->default_bytes;
    return limits;
}

/* ---- calls and sessions ---- */

/* The settings as they are in force, but for what only a restart applies. */
static const struct um_daemon_options *live_options(const struct daemon *daemon)
{
    return daemon->reloaded != NULL ? daemon->reloaded : daemon->options;
}

static void on_call_ended(void *context, const struct um_call_record *record)
{
    enum { US_A_MS = 1000 };
    const struct daemon *daemon = context;
    const struct um_daemon_options *options = live_options(daemon);
    bool is_slow = options->slow_ms != 0 && !record->has_waited && record->us >= options->slow_ms * US_A_MS;

    if (is_slow || options->log_calls)
        um_access_log_call(daemon->log, record, is_slow);
}

static void on_session(void *context, uint64_t session, const struct um_identity *client)
{
    um_access_log_session(((const struct daemon *)context)->log, session, client);
}

static void record_calls(struct daemon *daemon)
{
    const struct um_daemon_options *options = live_options(daemon);

    um_server_record(daemon->server, options->log_calls || options->slow_ms != 0,
                     options->log_calls || options->log_sessions);
}

/* ---- reopening files, and reading the settings again ---- */

static void reopen(struct daemon *daemon)
{
    um_log_reopen(daemon->log);
    if (daemon->server != NULL)
        um_server_check(daemon->server);
}

/* What is read, and what is said of it. */
struct reading {
    struct daemon *daemon;
    struct um_reload *reload;
    bool is_logged;
};

/* Whether one more reload that a client requests may be logged, which is counted then. */
static bool may_log_reload(struct daemon *daemon)
{
    uint64_t now_ms = uv_now(&daemon->loop);
    uint64_t intervals = (now_ms - daemon->logged_since_ms) / RELOAD_INTERVAL_MS;

    daemon->logged_since_ms += intervals * RELOAD_INTERVAL_MS;
    daemon->logged_reloads -=
        intervals < daemon->logged_reloads ? (unsigned)intervals : daemon->logged_reloads;
    if (daemon->logged_reloads == RELOAD_BURST)
        return false;
    daemon->logged_reloads++;
    return true;
}

static void on_settings_error(void *context, const char *place, const char *text)
{
    struct reading *reading = context;
    struct um_reload *reload = reading->reload;

    if (reading->is_logged)
        um_log_write(reading->daemon->log, UM_LOG_ERROR, "%s%s%s", place, *place != '\0' ? ": " : "", text);
    if (reload->error[0] == '\0')
        snprintf(reload->error, sizeof reload->error, "%s%s%s", place, *place != '\0' ? ": " : "", text);
}

static void on_difference(void *context, const char *name, bool is_live)
{
    struct reading *reading = context;
    struct um_reload *reload = reading->reload;

    if (is_live)
        um_log_write(reading->daemon->log, UM_LOG_INFO, "%s has a new value", name);
    else if (reading->is_logged)
        um_log_write(reading->daemon->log, UM_LOG_WARNING,
                     "%s has another value now, which only a restart applies", name);
    if (reload->count == UM_RELOAD_SETTINGS)
        return;
    snprintf(reload->settings[reload->count].name, UM_RELOAD_NAME_SIZE, "%s", name);
    reload->settings[reload->count++].is_applied = is_live;
}

/* From here on, nothing can fail. */
static void apply_settings(struct daemon *daemon, struct um_daemon_options *read, struct reading *reading)
{
    const struct um_limits limits = limits_of(daemon, read);

    um_daemon_options_compare(daemon->options, live_options(daemon), read, on_difference, reading);
    um_log_set(daemon->log, read->log_level, read->log_format);
    um_server_set_limits(daemon->server, &limits);
    um_daemon_options_free(daemon->reloaded);
    daemon->reloaded = read;
    record_calls(daemon);
    reading->reload->config = read->config_path[0] != '\0' ? read->config_path : NULL;
}

/* Reads the settings again, all or nothing of them. The file is the one that was named, or is looked for in the default places. */
static bool reload_settings(struct daemon *daemon, struct um_reload *reload, bool is_logged)
{
    const struct um_daemon_options *started = daemon->options;
    struct reading reading = {daemon, reload, is_logged};
    const struct um_option_errors errors = {on_settings_error, &reading};
    const char *named = started->config_path[0] != '\0' ? started->config_path : UM_CONFIG_NONE;
    struct um_daemon_options *read = malloc(sizeof *read);

    if (read == NULL) {
        on_settings_error(&reading, "", "no memory");
        return false;
    }
    if (um_daemon_options_read(read, started->argv, started->config_is_named ? named : NULL, &errors) == 0) {
        apply_settings(daemon, read, &reading);
        if (is_logged)
            um_log_write(daemon->log, UM_LOG_INFO, "the settings are read again, %s%s",
                         reload->config != NULL ? "from " : "without a file",
                         reload->config != NULL ? reload->config : "");
        return true;
    }
    if (is_logged)
        um_log_write(daemon->log, UM_LOG_ERROR, "the settings stay as they are");
    um_daemon_options_free(read);
    return false;
}

/* server.reload was called. The log is reopened as by a signal, which Windows does not have. */
static bool on_client_reload(void *context, struct um_reload *reload)
{
    reopen(context);
    return reload_settings(context, reload, may_log_reload(context));
}

static void reload_by_itself(struct daemon *daemon)
{
    struct um_reload reload = {.config = NULL};

    if (daemon->server != NULL)
        reload_settings(daemon, &reload, true);
}

/* The service manager requests it. */
static void on_reload(void *context)
{
    reopen(context);
    reload_by_itself(context);
}

/* ---- signals ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    const struct signal_watch *watch = (const struct signal_watch *)(void *)handle;

    switch (watch->action) {
    case UM_SIGNAL_END:
        um_log_write(daemon->log, UM_LOG_INFO, "signal %d: ending", number);
        stop(daemon);
        break;
    case UM_SIGNAL_REOPEN:
        reopen(daemon);
        um_log_write(daemon->log, UM_LOG_INFO, "signal %d: files are reopened", number);
        break;
    case UM_SIGNAL_RELOAD:
        /* First, so that the line is in the new file. */
        reopen(daemon);
        um_log_write(daemon->log, UM_LOG_INFO, "signal %d: files are reopened, and the settings read again",
                     number);
        reload_by_itself(daemon);
        break;
    }
}

static void on_check_timer(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;

    if (daemon->server != NULL)
        um_server_check(daemon->server);
}

static void on_service_stop(void *context)
{
    struct daemon *daemon = context;

    um_log_write(daemon->log, UM_LOG_INFO, "the service is to stop: ending");
    stop(daemon);
}

static void watch_signals(struct daemon *daemon)
{
    struct um_signal signals[UM_SIGNAL_MAXIMUM];

    daemon->watch_count = um_process_signals(signals);
    for (size_t i = 0; i < daemon->watch_count; i++) {
        struct signal_watch *watch = &daemon->watches[i];

        watch->action = signals[i].action;
        uv_signal_init(&daemon->loop, &watch->handle);
        watch->handle.data = daemon;
        uv_signal_start(&watch->handle, on_signal, signals[i].number);
    }
}

static void on_ended(void *context)
{
    struct daemon *daemon = context;

    daemon->server = NULL;
    um_service_ending(daemon->service);
    uv_close((uv_handle_t *)&daemon->check_timer, NULL);
    for (size_t i = 0; i < daemon->watch_count; i++)
        uv_close((uv_handle_t *)&daemon->watches[i].handle, NULL);
}

/* 75 % of the memory, or of what the control group leaves us of it. */
static uint64_t default_bytes(void)
{
    uint64_t total = uv_get_total_memory();
    uint64_t constrained = uv_get_constrained_memory();

    if (constrained != 0 && constrained < total)
        total = constrained;
    return total / 4 * 3;
}

/* Reports that there will be no daemon. */
static int fail(struct daemon *daemon, int status, const char *reason)
{
    if (daemon->log != NULL)
        um_log_write(daemon->log, UM_LOG_ERROR, "%s", reason);
    else
        fprintf(stderr, "umemd: %s\n", reason);
    um_process_report(daemon->starter, status, reason);
    return status;
}

/* Whether this daemon could open its state directory when the one at the pipe has ended. */
static bool try_state(const char *path, const char *pipe, char *reason, size_t capacity)
{
    int64_t holder = 0;
    int64_t replaced;
    int code = um_state_try(path, &holder, reason, capacity);

    if (code != UMEM_E_NAME_TAKEN)
        return code == UMEM_OK;
    replaced = um_pipe_lock_find_number(pipe);
    return holder == 0 || replaced == 0 || holder == replaced;
}

/* Takes the pipe over from the daemon that has it, if one has. A service manager's socket is no other daemon's. */
static int replace(struct daemon *daemon, const char *pipe, struct um_handed *handed)
{
    const struct um_daemon_options *options = daemon->options;
    char reason[UM_SERVER_WHY_CAPACITY];

    handed->count = 0;
    if (!options->replaces || um_service_socket(daemon->service) != 0)
        return UM_EXIT_ENDED;
    /* What would end this daemon once the other one has ended. */
    if (options->pid_file != NULL && !um_pid_file_try(options->pid_file, reason, sizeof reason))
        return fail(daemon, UM_EXIT_FAILED, reason);
    um_store_allow(&options->allowed);
    if (options->state != NULL && !try_state(options->state, pipe, reason, sizeof reason))
        return fail(daemon, UM_EXIT_FAILED, reason);
    if (um_replace(pipe, &options->allowed, handed, reason, sizeof reason) != UMEM_OK)
        return fail(daemon, UM_EXIT_PIPE_TAKEN, reason);
    um_log_write(daemon->log, UM_LOG_INFO,
                 handed->count != 0 ? "the daemon before has handed over %s" : "no daemon to replace has %s",
                 pipe);
    return UM_EXIT_ENDED;
}

static int start_server(struct daemon *daemon, const char *pipe)
{
    struct um_handed handed;
    const struct um_limits limits = limits_of(daemon, daemon->options);
    struct um_server_options options = {
        .pipe = pipe,
        .socket = um_service_socket(daemon->service),
        .allowed = &daemon->options->allowed,
        .is_managed = um_service_is_there(daemon->service),
        .limits = &limits,
        .sessions_asked = um_daemon_options_has_limit(daemon->options, UM_LIMIT_sessions),
        .shared_heaps_asked = um_daemon_options_has_limit(daemon->options, UM_LIMIT_shared_heaps),
        .version = UMEM_VERSION,
        .guard = daemon->options->guard,
        .wipe = daemon->options->wipe,
        .state = daemon->options->state,
        .sync = daemon->options->sync,
        .context = daemon,
        .log = on_log,
        .call_ended = on_call_ended,
        .session_changed = on_session,
        .reload = on_client_reload,
        .ended = on_ended,
    };
    char reason[UM_SERVER_WHY_CAPACITY];
    int code = replace(daemon, pipe, &handed);

    if (code != UM_EXIT_ENDED)
        return code;
    options.inherited = handed.count != 0 ? &handed : NULL;
    if (uv_random(NULL, NULL, &options.seed, sizeof options.seed, 0, NULL) != 0)
        return fail(daemon, UM_EXIT_FAILED, "the system gives no random numbers");
    code = um_server_start(&daemon->loop, &options, &daemon->server, reason);
    if (code != UMEM_OK)
        return fail(daemon, code == UMEM_E_NAME_TAKEN ? UM_EXIT_PIPE_TAKEN : UM_EXIT_FAILED, reason);
    record_calls(daemon);
    watch_signals(daemon);
    uv_timer_init(&daemon->loop, &daemon->check_timer);
    daemon->check_timer.data = daemon;
    uv_timer_start(&daemon->check_timer, on_check_timer, CHECK_MS, CHECK_MS);
    return UM_EXIT_ENDED;
}

static void on_fact(void *context, const char *subject, const char *text)
{
    um_log_write(((struct daemon *)context)->log, UM_LOG_DEBUG, "%s: %s", subject, text);
}

static void on_fault(void *context, const char *text, const char *fix)
{
    char whole[1024]; /* the log keeps no more */

    snprintf(whole, sizeof whole, "%s; fix: %s", text, fix);
    warn(context, whole);
}

/* The pipe is open: reports it wherever that was requested. */
static int announce(struct daemon *daemon, const char *pipe)
{
    const struct um_pipe_access_report rights = {daemon, on_fact, on_fault};
    const char *pid_file = daemon->options->pid_file;
    char reason[UM_SERVER_WHY_CAPACITY];

    if (pid_file != NULL && !um_pid_file_write(pid_file, &daemon->pid_file, reason, sizeof reason)) {
        um_server_stop(daemon->server);
        return fail(daemon, UM_EXIT_FAILED, reason);
    }
    um_pipe_access_check(pipe, &daemon->options->allowed, false, &rights);
    um_log_write(daemon->log, UM_LOG_INFO, "listening on %s", pipe);
    um_process_report(daemon->starter, UM_EXIT_ENDED, "");
    um_service_ready(daemon->service, pipe);
    return UM_EXIT_ENDED;
}

static int serve(struct daemon *daemon, const char *pipe)
{
    int status = start_server(daemon, pipe);
    bool is_announced = false;

    if (status == UM_EXIT_ENDED) {
        status = announce(daemon, pipe);
        is_announced = status == UM_EXIT_ENDED;
    }
    /* Where the start failed, this closes what was opened. */
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    if (is_announced) {
        um_pid_file_remove(daemon->pid_file);
        um_log_write(daemon->log, UM_LOG_INFO, "ended");
    }
    return status;
}

/* What comes before the server: the log's file and the service manager. */
static int prepare(struct daemon *daemon)
{
    const struct um_daemon_options *options = daemon->options;
    const struct um_service_events events = {.context = daemon,
                                             .stop = on_service_stop,
                                             .reload = on_reload,
                                             .ending_ms = (uint32_t)options->limits.closing_ms};
    const struct um_log_options log = um_daemon_options_log(options);
    char reason[UM_SERVER_WHY_CAPACITY];

    /* The manager first, so that every failure is reported to it. */
    if (um_service_open(&daemon->loop, options->is_service, &events, &daemon->service, reason,
                        sizeof reason) &&
        um_log_open(&daemon->log, &log, reason, sizeof reason))
        return UM_EXIT_ENDED;
    return fail(daemon, UM_EXIT_FAILED, reason);
}

int um_daemon_run(const struct um_daemon_options *options, const char *pipe, struct um_starter *starter)
{
    struct daemon daemon = {.options = options, .starter = starter, .default_bytes = default_bytes()};
    char reason[256];
    int status;

    status = uv_loop_init(&daemon.loop);
    if (status != 0) {
        snprintf(reason, sizeof reason, "no event loop can be made: %s", uv_strerror(status));
        return fail(&daemon, UM_EXIT_FAILED, reason);
    }
    status = prepare(&daemon);
    if (status == UM_EXIT_ENDED)
        status = serve(&daemon, pipe);
    um_service_close(daemon.service, status);
    uv_run(&daemon.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&daemon.loop) != 0)
        um_log_write(daemon.log, UM_LOG_ERROR, "something was left open at the end");
    um_log_close(daemon.log);
    um_daemon_options_free(daemon.reloaded);
    return status;
}
