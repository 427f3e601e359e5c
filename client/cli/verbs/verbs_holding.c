/* umem hold, lock: what lasts as long as a session does, so that a command runs meanwhile. */
#include <stdio.h>
#include <string.h>

#include "cli/command/rest_command.h"
#include "cli/output/fail.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/system/subprocess.h"
#include "cli/table/verb.h"

enum { MESSAGE_SIZE = 1024 };

/* What a thread looks after while the command runs. */
static struct {
    const struct cli *cli;
    umem_client *client;
    const char *what; /* is lost with the connection */
    uv_mutex_t lock;
    /* Under the lock: */
    bool is_over; /* the command has ended */
    bool is_lost; /* the connection ended before */
} holding;

/* The thread. It reports when the daemon ends while the command runs on, which can no longer be prevented. */
static void watch_daemon(void *context)
{
    char message[MESSAGE_SIZE];
    int code = UMEM_OK;

    (void)context;
    while (code == UMEM_OK)
        code = umem_poll(holding.client, UMEM_FOREVER, NULL);
    snprintf(message, sizeof message, "%s; %s while %s runs on", umem_last_error(holding.client)->message,
             holding.what, holding.cli->rest[0]);
    uv_mutex_lock(&holding.lock);
    if (!holding.is_over) {
        holding.is_lost = true;
        cli_fail_connection(holding.cli, UMEM_E_CONNECTION_LOST, message);
    }
    uv_mutex_unlock(&holding.lock);
}

/* Runs the command after "--" with UMEM_PIPE set; its status is ours, except where it is 0 although the connection was lost. */
static int run_watched(struct cli *cli, const char *what)
{
    int status;
    int error;

    /* The thread may use the client until the process ends, and with it the session. */
    holding.cli = cli;
    holding.client = cli->client;
    holding.what = what;
    error = uv_mutex_init(&holding.lock);
    if (error == 0)
        error = cli_start_thread(watch_daemon, NULL);
    if (error != 0)
        return cli_fail(CLI_NOT_RUN, "no thread can be started: %s", uv_strerror(error));
    cli->keeps_client = true;
    status = cli_run_rest(cli, umem_pipe(cli->client));
    uv_mutex_lock(&holding.lock);
    holding.is_over = true;
    if (status == 0 && holding.is_lost)
        status = CLI_LOST;
    uv_mutex_unlock(&holding.lock);
    return status;
}

static int hold(struct cli *cli)
{
    int status = CLI_OK;

    for (int i = 0; i < cli->word_count && status == CLI_OK; i++) {
        struct cli_params params;

        cli_params_begin(&params);
        cli_put_handle(&params, "block", cli->words[i]);
        status = cli_call(cli, "block.hold", &params, NULL);
    }
    return status == CLI_OK && cli->session == NULL ? run_watched(cli, "the blocks are held no longer")
                                                    : status;
}

/* Without --timeout it waits 49 days, which stands for no limit. */
static int lock(struct cli *cli)
{
    struct cli_params params;
    int status;

    cli_params_begin(&params);
    cli_put_handle(&params, "heap", cli->words[0]);
    cli_put_milliseconds(&params, "timeout_ms",
                         cli->option[CLI_TIMEOUT] != NULL ? cli->option[CLI_TIMEOUT] : "4294967295");
    status = cli_call(cli, "heap.lock", &params, NULL);
    return status == CLI_OK && cli->session == NULL ? run_watched(cli, "the heap is locked no longer")
                                                    : status;
}

#define ENDS \
    "Signals that would end umem (HUP, INT, QUIT, TERM, USR1, USR2) are forwarded to COMMAND, and umem " \
    "waits for its end. So " \
    "what is held is released after COMMAND, whatever happens, except where umem is killed (on Windows, " \
    "COMMAND " \
    "is ended then). " \
    "Where the daemon ends meanwhile, umem reports it at once; COMMAND runs on, and the exit status is 5 " \
    "where COMMAND's is 0."

const struct cli_verb cli_holding_verbs[] = {
    {.name = "hold",
     .words = "BLOCK... -- COMMAND...",
     .summary = "hold blocks while a command runs",
     .detail = "A hold is the session's: while COMMAND runs, this session is one of the blocks' holders, so "
               "that they are no orphans. "
               "It does not keep a block from being freed. The hold ends with COMMAND. In umem shell and "
               "umem batch, "
               "where no COMMAND follows, it lasts until release or the session's end. "
               "COMMAND has the pipe in UMEM_PIPE, and its exit status is umem's.\n\n" ENDS,
     .example = "umem hold 268435464 -- ./report.sh",
     .run = hold},
    {.name = "lock",
     .words = "HEAP -- COMMAND...",
     .summary = "lock a heap while a command runs",
     .detail =
         "Waits until no other session has the lock, at most --timeout; 0 does not wait. While COMMAND "
         "runs, every other session that touches the heap or its blocks receives the error locked, and so "
         "does "
         "COMMAND, whose sessions are others: only info and lists are open to all. It is of use as flock(1) "
         "is, with a heap that serves only to be locked by programs that agree on it. In umem shell and umem "
         "batch, where no "
         "COMMAND follows, the lock lasts until unlock or the session's end. COMMAND has the pipe "
         "in UMEM_PIPE, and its exit status is umem's.\n\n" ENDS,
     .example = "umem lock nightly -- ./rebuild.sh",
     .waits = true,
     .run = lock},
    {.name = "release",
     .words = "BLOCK",
     .method = "block.release",
     .params = {CLI_WORD(0, "block", HANDLE)},
     .summary = "end this session's hold on a block",
     .place = CLI_IN_SESSION,
     .run = cli_run_method},
    {.name = "unlock",
     .words = "HEAP",
     .method = "heap.unlock",
     .params = {CLI_WORD(0, "heap", HANDLE)},
     .summary = "remove one of this session's locks on a heap",
     .place = CLI_IN_SESSION,
     .run = cli_run_method},
    {.name = NULL},
};
