#include "daemon/daemon_run.h"

#include <stdbool.h>
#include <stdio.h>

#include <uv.h>

#include "daemon/exit_status.h"
#include "daemon/log.h"
#include "daemon/pid_file.h"
#include "daemon/service.h"
#include "net/listener/pipe_access.h"
#include "net/server.h"
#include "umem_errors.h"
#include "umem_version.h"

enum { CHECK_MS = 1000 /* how often the pipe's file is checked */ };

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
    struct um_pid_file *pid_file; /* NULL: there is none */
    const struct um_daemon_options *options;
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

static void reopen(struct daemon *daemon)
{
    um_log_reopen(daemon->log);
    if (daemon->server != NULL)
        um_server_check(daemon->server);
}

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

static int start_server(struct daemon *daemon, const char *pipe)
{
    struct um_limits limits = daemon->options->limits;
    struct um_server_options options = {
        .pipe = pipe,
        .socket = um_service_socket(daemon->service),
        .limits = &limits,
        .sessions_asked = daemon->options->sessions_given,
        .shared_heaps_asked = daemon->options->shared_heaps_given,
        .version = UMEM_VERSION,
        .guard = daemon->options->guard,
        .wipe = daemon->options->wipe,
        .context = daemon,
        .log = on_log,
        .ended = on_ended,
    };
    char reason[UM_SERVER_WHY_CAPACITY];
    int code;

    if (limits.bytes == 0)
        limits.bytes = default_bytes();
    if (uv_random(NULL, NULL, &options.seed, sizeof options.seed, 0, NULL) != 0)
        return fail(daemon, UM_EXIT_FAILED, "the system gives no random numbers");
    code = um_server_start(&daemon->loop, &options, &daemon->server, reason);
    if (code != UMEM_OK)
        return fail(daemon, code == UMEM_E_NAME_TAKEN ? UM_EXIT_PIPE_TAKEN : UM_EXIT_FAILED, reason);
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
    um_pipe_access_check(pipe, false, &rights);
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
    const struct um_service_events events = {daemon, on_service_stop, (uint32_t)options->limits.closing_ms};
    char reason[UM_SERVER_WHY_CAPACITY];

    /* The manager first, so that every failure is reported to it. */
    if (um_service_open(&daemon->loop, options->is_service, &events, &daemon->service, reason,
                        sizeof reason) &&
        um_log_open(&daemon->log, options->log_file, options->log_level, reason, sizeof reason))
        return UM_EXIT_ENDED;
    return fail(daemon, UM_EXIT_FAILED, reason);
}

int um_daemon_run(const struct um_daemon_options *options, const char *pipe, struct um_starter *starter)
{
    struct daemon daemon = {.options = options, .starter = starter};
    int status;

    if (uv_loop_init(&daemon.loop) != 0)
        return fail(&daemon, UM_EXIT_FAILED, "no event loop can be made");
    status = prepare(&daemon);
    if (status == UM_EXIT_ENDED)
        status = serve(&daemon, pipe);
    um_service_close(daemon.service, status);
    uv_run(&daemon.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&daemon.loop) != 0)
        um_log_write(daemon.log, UM_LOG_ERROR, "something was left open at the end");
    um_log_close(daemon.log);
    return status;
}
