#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "exit_status.h"
#include "log.h"
#include "pid_file.h"
#include "rights.h"
#include "server.h"
#include "service.h"
#include "umem_errors.h"

/* What ends the daemon in order. Ctrl-C is SIGINT, closing the console SIGHUP, Ctrl-Break SIGBREAK. */
static const int signal_numbers[] = {
    SIGTERM,
    SIGINT,
    SIGHUP,
#ifdef SIGBREAK
    SIGBREAK,
#endif
};

enum { SIGNAL_COUNT = sizeof signal_numbers / sizeof signal_numbers[0] };

struct run {
    uv_loop_t loop;
    uv_signal_t signals[SIGNAL_COUNT];
    struct um_server *server;   /* NULL before its start and after its end */
    struct um_service *service; /* NULL where no service manager started this process */
    struct um_log log;
    const struct um_options *options;
    struct um_starter *starter;
};

static void on_note(void *context, enum um_server_note note, const char *text)
{
    struct run *run = context;

    um_log_write(&run->log, note == UM_NOTE_WARNING ? UM_LOG_WARNING : UM_LOG_DEBUG, "%s", text);
}

static void stop(struct run *run)
{
    um_service_ending(run->service);
    if (run->server != NULL)
        um_server_stop(run->server);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;

    um_log_write(&run->log, UM_LOG_INFO, "signal %d: ending", number);
    stop(run);
}

static void on_service_stop(void *context)
{
    struct run *run = context;

    um_log_write(&run->log, UM_LOG_INFO, "the service is to stop: ending");
    stop(run);
}

static void watch_signals(struct run *run)
{
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&run->loop, &run->signals[i]);
        run->signals[i].data = run;
        uv_signal_start(&run->signals[i], on_signal, signal_numbers[i]);
    }
}

static void on_ended(void *context)
{
    struct run *run = context;

    run->server = NULL;
    um_service_ending(run->service);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&run->signals[i], NULL);
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
static int fail(struct run *run, int status, const char *why)
{
    um_log_write(&run->log, UM_LOG_ERROR, "%s", why);
    um_process_report(run->starter, status, why);
    return status;
}

static int start_server(struct run *run, const char *pipe)
{
    struct um_limits limits = run->options->limits;
    struct um_server_options options = {
        .pipe = pipe,
        .socket = um_service_socket(run->service),
        .limits = &limits,
        .version = UMEM_VERSION,
        .guard = run->options->guard,
        .wipe = run->options->wipe,
        .context = run,
        .note = on_note,
        .ended = on_ended,
    };
    char why[UM_SERVER_WHY_ROOM];
    int code;

    if (limits.bytes == 0)
        limits.bytes = default_bytes();
    if (uv_random(NULL, NULL, &options.seed, sizeof options.seed, 0, NULL) != 0)
        return fail(run, UM_EXIT_FAILED, "the system gives no random numbers");
    code = um_server_start(&run->loop, &options, &run->server, why);
    if (code != UMEM_OK)
        return fail(run, code == UMEM_E_NAME_TAKEN ? UM_EXIT_PIPE_TAKEN : UM_EXIT_FAILED, why);
    watch_signals(run);
    return UM_EXIT_ENDED;
}

static void on_fact(void *context, const char *subject, const char *text)
{
    um_log_write(&((struct run *)context)->log, UM_LOG_DEBUG, "%s: %s", subject, text);
}

static void on_fault(void *context, const char *text, const char *mend)
{
    um_log_write(&((struct run *)context)->log, UM_LOG_WARNING, "%s; to mend: %s", text, mend);
}

/* The pipe is open: says so wherever that was asked for. */
static int announce(struct run *run, const char *pipe)
{
    const struct um_rights_listener rights = {run, on_fact, on_fault};
    const char *pid_file = run->options->pid_file;
    char why[UM_SERVER_WHY_ROOM];

    if (pid_file != NULL && !um_pid_file_write(pid_file, why, sizeof why)) {
        um_server_stop(run->server);
        return fail(run, UM_EXIT_FAILED, why);
    }
    um_rights_judge(pipe, false, &rights);
    um_log_write(&run->log, UM_LOG_INFO, "listening on %s", pipe);
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
        if (run->options->pid_file != NULL)
            um_pid_file_remove(run->options->pid_file);
        um_log_write(&run->log, UM_LOG_INFO, "ended");
    }
    return status;
}

/* What comes before the server: the log's file and who started this process. */
static int prepare(struct run *run)
{
    const struct um_options *options = run->options;
    const struct um_service_events events = {run, on_service_stop, (uint32_t)options->limits.closing_ms};
    char why[512];

    if (!um_service_open(&run->loop, options->is_service, &events, &run->service, why, sizeof why))
        return fail(run, UM_EXIT_FAILED, why);
    if (um_log_open(&run->log, options->log_file, options->log_level) != 0) {
        snprintf(why, sizeof why, "the log file %s cannot be opened: %s", options->log_file, strerror(errno));
        um_log_open(&run->log, NULL, options->log_level);
        return fail(run, UM_EXIT_FAILED, why);
    }
    return UM_EXIT_ENDED;
}

int um_run(const struct um_options *options, const char *pipe, struct um_starter *starter)
{
    struct run run = {.options = options, .starter = starter};
    int status;

    um_log_open(&run.log, NULL, options->log_level);
    if (uv_loop_init(&run.loop) != 0)
        return fail(&run, UM_EXIT_FAILED, "no event loop can be made");
    status = prepare(&run);
    if (status == UM_EXIT_ENDED)
        status = serve(&run, pipe);
    um_service_close(run.service, status);
    uv_run(&run.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&run.loop) != 0)
        um_log_write(&run.log, UM_LOG_ERROR, "something was left open at the end");
    um_log_close(&run.log);
    return status;
}
