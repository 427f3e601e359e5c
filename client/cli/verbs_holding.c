/* umem hold, lock: what lasts as long as a session does, so that a command runs meanwhile. */
#include "child.h"
#include "cli.h"
#include "output.h"
#include "params.h"
#include "report.h"

/* Runs the command behind "--" with UMEM_PIPE set; its status is ours. */
static int run_rest(struct cli *cli)
{
    int status;

    cli_set_environment("UMEM_PIPE", umem_pipe(cli->client));
    cli_flush();
    cli->has_run = true;
    status = cli_run_child(cli->rest, false);
    if (status == CLI_CHILD_ABSENT)
        return cli_fail(CLI_NOT_FOUND, "%s: there is no such command", cli->rest[0]);
    if (status == CLI_CHILD_REFUSED)
        return cli_fail(CLI_NOT_EXECUTABLE, "%s: the command cannot be run", cli->rest[0]);
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
    return status == CLI_OK ? run_rest(cli) : status;
}

/* Without --timeout it waits as long as it takes: so long that nobody sees the end. */
static int lock(struct cli *cli)
{
    struct cli_params params;
    int status;

    cli_params_begin(&params);
    cli_put_handle(&params, "heap", cli->words[0]);
    cli_put_milliseconds(&params, "timeout_ms",
                         cli->option[CLI_TIMEOUT] != NULL ? cli->option[CLI_TIMEOUT] : "4294967295");
    status = cli_call(cli, "heap.lock", &params, NULL);
    return status == CLI_OK ? run_rest(cli) : status;
}

const struct cli_verb cli_holding_verbs[] = {
    {.name = "hold",
     .words = "BLOCK... -- COMMAND...",
     .summary = "hold blocks while a command runs",
     .detail = "A hold is the session's: while COMMAND runs, this session is one of the blocks' holders, so "
               "that they are no orphans. "
               "It does not keep a block from being freed. The hold ends with COMMAND; therefore there is no "
               "verb to release it. "
               "COMMAND has the pipe in UMEM_PIPE, and its exit status is umem's.",
     .example = "umem hold 268435464 -- ./report.sh",
     .run = hold},
    {.name = "lock",
     .words = "HEAP -- COMMAND...",
     .summary = "lock a heap while a command runs",
     .detail =
         "Waits until no other session has the lock, at most --timeout; 0 does not wait. While COMMAND "
         "runs, every other session that touches the heap or its blocks gets the error locked, and so does "
         "COMMAND, whose sessions are others: only info and lists are open to all. It is of use as flock(1) "
         "is, with a heap whose only task is to be locked by those who agree on it. COMMAND has the pipe "
         "in UMEM_PIPE, and its exit status is umem's.",
     .example = "umem lock nightly -- ./rebuild.sh",
     .waits = true,
     .run = lock},
    {.name = NULL},
};
