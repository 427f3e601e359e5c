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

enum { CHECK_MS = 1000 /* how often it is looked whether the pipe is where it was */ };

/* One signal that is listened for. */
struct watch {
    uv_signal_t handle;
    enum um_signal_action action;
};

struct run {
    uv_loop_t loop;
    struct watch watches[UM_SIGNAL_MAXIMUM];
    size_t watch_count;
    uv_timer_t check;
    struct um_server *server;   /* NULL before its start and after its end */
    struct um_service *service; /* NULL where no service manager started this process */
    struct um_log *log;
    struct um_pid_file *pid_file; /* NULL: there is none */
    const struct um_daemon_options *options;
    struct um_starter *starter;
};

/* A warning for the user, which a starter that still waits prints as well. */
static void warn(struct run *run, const char *text)
{
    um_log_write(run->log, UM_LOG_WARNING, "%s", text);
    um_process_warn(run->starter, text);
}

static void on_note(void *context, enum um_server_log note, const char *text)
{
    struct run *run = context;

    if (note == UM_SERVER_WARNING)
        warn(run, text);
    else
        um_log_write(run->log, UM_LOG_DEBUG, "%s", text);
}

static void stop(struct run *run)
{
    um_service_ending(run->service);
    if (run->server != NULL)
        um_server_stop(run->server);
}

static void reopen(struct run *run)
{
    um_log_reopen(run->log);
    if (run->server != NULL)
        um_server_check(run->server);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;
    const struct watch *watch = (const struct watch *)(void *)handle;

    switch (watch->action) {
    case UM_SIGNAL_END:
        um_log_write(run->log, UM_LOG_INFO, "signal %d: ending", number);
        stop(run);
        break;
    case UM_SIGNAL_REOPEN:
        reopen(run);
        um_log_write(run->log, UM_LOG_INFO, "signal %d: files are opened anew", number);
        break;
    }
}

static void on_check(uv_timer_t *check)
{
    struct run *run = check->data;

    if (run->server != NULL)
        um_server_check(run->server);
}

static void on_service_stop(void *context)
{
    struct run *run = context;

    um_log_write(run->log, UM_LOG_INFO, "the service is to stop: ending");
    stop(run);
}

static void watch_signals(struct run *run)
{
    struct um_signal signals[UM_SIGNAL_MAXIMUM];

    run->watch_count = um_process_signals(signals);
    for (size_t i = 0; i < run->watch_count; i++) {
        struct watch *watch = &run->watches[i];

        watch->action = signals[i].action;
        uv_signal_init(&run->loop, &watch->handle);
        watch->handle.data = run;
        uv_signal_start(&watch->handle, on_signal, signals[i].number);
    }
}

static void on_ended(void *context)
{
    struct run *run = context;

    run->server = NULL;
    um_service_ending(run->service);
    uv_close((uv_handle_t *)&run->check, NULL);
    for (size_t i = 0; i < run->watch_count; i++)
        uv_close((uv_handle_t *)&run->watches[i].handle, NULL);
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

/* Tells everybody that there will be no daemon. */
static int fail(struct run *run, int status, const char *reason)
{
    if (run->log != NULL)
        um_log_write(run->log, UM_LOG_ERROR, "%s", reason);
    else
        fprintf(stderr, "umemd: %s\n", reason);
    um_process_report(run->starter, status, reason);
    return status;
}

static int start_server(struct run *run, const char *pipe)
{
    struct um_limits limits = run->options->limits;
    struct um_server_options options = {
        .pipe = pipe,
        .socket = um_service_socket(run->service),
        .limits = &limits,
        .sessions_asked = run->options->sessions_given,
        .shared_heaps_asked = run->options->shared_heaps_given,
        .version = UMEM_VERSION,
        .guard = run->options->guard,
        .wipe = run->options->wipe,
        .context = run,
        .note = on_note,
        .ended = on_ended,
    };
    char reason[UM_SERVER_WHY_CAPACITY];
    int code;

    if (limits.bytes == 0)
        limits.bytes = default_bytes();
    if (uv_random(NULL, NULL, &options.seed, sizeof options.seed, 0, NULL) != 0)
        return fail(run, UM_EXIT_FAILED, "the system gives no random numbers");
    code = um_server_start(&run->loop, &options, &run->server, reason);
    if (code != UMEM_OK)
        return fail(run, code == UMEM_E_NAME_TAKEN ? UM_EXIT_PIPE_TAKEN : UM_EXIT_FAILED, reason);
    watch_signals(run);
    uv_timer_init(&run->loop, &run->check);
    run->check.data = run;
    uv_timer_start(&run->check, on_check, CHECK_MS, CHECK_MS);
    return UM_EXIT_ENDED;
}

static void on_fact(void *context, const char *subject, const char *text)
{
    um_log_write(((struct run *)context)->log, UM_LOG_DEBUG, "%s: %s", subject, text);
}

static void on_fault(void *context, const char *text, const char *fix)
{
    char whole[1024]; /* the log keeps no more */

    snprintf(whole, sizeof whole, "%s; fix: %s", text, fix);
    warn(context, whole);
}

/* The pipe is open: reports it wherever that was requested. */
static int announce(struct run *run, const char *pipe)
{
    const struct um_pipe_access_report rights = {run, on_fact, on_fault};
    const char *pid_file = run->options->pid_file;
    char reason[UM_SERVER_WHY_CAPACITY];

    if (pid_file != NULL && !um_pid_file_write(pid_file, &run->pid_file, reason, sizeof reason)) {
        um_server_stop(run->server);
        return fail(run, UM_EXIT_FAILED, reason);
    }
    um_pipe_access_check(pipe, false, &rights);
    um_log_write(run->log, UM_LOG_INFO, "listening on %s", pipe);
    um_process_report(run->starter, UM_EXIT_ENDED, "");
    um_service_ready(run->service, pipe);
    return UM_EXIT_ENDED;
}

static int serve(struct run *run, const char *pipe)
{
    int status = start_server(run, pipe);
    bool is_announced = false;

    if (status == UM_EXIT_ENDED) {
        status = announce(run, pipe);
        is_announced = status == UM_EXIT_ENDED;
    }
    /* Where the start failed, this closes what was opened. */
    uv_run(&run->loop, UV_RUN_DEFAULT);
    if (is_announced) {
        um_pid_file_remove(run->pid_file);
        um_log_write(run->log, UM_LOG_INFO, "ended");
    }
    return status;
}

/* What comes before the server: the log's file and the service manager. */
static int prepare(struct run *run)
{
    const struct um_daemon_options *options = run->options;
    const struct um_service_events events = {run, on_service_stop, (uint32_t)options->limits.closing_ms};
    char reason[UM_SERVER_WHY_CAPACITY];

    /* The manager first, so that it learns of whatever fails. */
    if (um_service_open(&run->loop, options->is_service, &events, &run->service, reason, sizeof reason) &&
        um_log_open(&run->log, options->log_file, options->log_level, reason, sizeof reason))
        return UM_EXIT_ENDED;
    return fail(run, UM_EXIT_FAILED, reason);
}

int um_daemon_run(const struct um_daemon_options *options, const char *pipe, struct um_starter *starter)
{
    struct run run = {.options = options, .starter = starter};
    int status;

    if (uv_loop_init(&run.loop) != 0)
        return fail(&run, UM_EXIT_FAILED, "no event loop can be made");
    status = prepare(&run);
    if (status == UM_EXIT_ENDED)
        status = serve(&run, pipe);
    um_service_close(run.service, status);
    uv_run(&run.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&run.loop) != 0)
        um_log_write(run.log, UM_LOG_ERROR, "something was left open at the end");
    um_log_close(run.log);
    return status;
}
