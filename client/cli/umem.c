/* umem: the command for people and scripts. */
#include <string.h>

#include "cli/command/command_line.h"
#include "cli/command/completion.h"
#include "cli/output/fail.h"
#include "cli/output/help.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/system/file_io.h"
#include "cli/table/verb.h"
#include "program/program.h"
#include "umem_version.h"

static int run_with_pipe(struct cli *cli)
{
    const struct cli_verb *verb = cli->verb;
    struct umem_options options = {.pipe = cli->option[CLI_PIPE]};
    const char *timeout = cli->option[CLI_TIMEOUT];
    uint64_t timeout_ms = 0;
    int status = CLI_OK;

    if (timeout != NULL && (strspn(timeout, "0123456789") != strlen(timeout) ||
                            !cli_parse_size(timeout, &timeout_ms) || timeout_ms > UINT32_MAX))
        return cli_fail_usage(cli, "--timeout \"%s\" is not a number of milliseconds", timeout);
    if (options.pipe != NULL && *options.pipe == '\0')
        return cli_fail_usage(cli, "--pipe is empty");
    options.timeout_ms = verb->waits ? 0 : (uint32_t)timeout_ms;
    cli->client = umem_client_new(&options);
    if (*umem_pipe(cli->client) == '\0' || verb->need == CLI_NEEDS_DAEMON)
        status = cli_connect(cli);
    if (status == CLI_OK)
        status = verb->run(cli);
    cli_free_result(cli);
    if (!cli->keeps_client)
        umem_client_free(cli->client);
    return status;
}

static int run(struct cli *cli)
{
    int status = cli->verb->need == CLI_NEEDS_NOTHING ? cli->verb->run(cli) : run_with_pipe(cli);

    if (cli_verb_runs_command(cli->verb) && !cli->has_run && status != CLI_OK)
        status = CLI_NOT_RUN;
    return status;
}

/* Options for programs rather than people. Returns false if the command line has none of them. */
static bool run_hidden(int count, char **arguments, int *status)
{
    *status = CLI_OK;
    if (count == 2 && strcmp(arguments[1], "--version") == 0)
        cli_print_line("umem " UMEM_VERSION);
    else if (count == 2 && strcmp(arguments[1], "--print-man") == 0)
        cli_print_man();
    else if (count == 4 && strcmp(arguments[1], "--complete") == 0)
        cli_complete(arguments[2], arguments[3]);
    else
        return false;
    return true;
}

int main(int count, char **arguments)
{
    struct cli cli = {.verb = NULL};
    int status;
    int error;

    if (!um_program_fill_standard_files())
        return CLI_FAILED;
    cli_prepare_standard_files();
    arguments = um_program_arguments(&count, arguments);
    if (!run_hidden(count, arguments, &status)) {
        status = cli_parse(&cli, count, arguments);
        if (status == CLI_OK && cli.option[CLI_HELP] != NULL)
            cli_print_help(cli.verb);
        else if (status == CLI_OK)
            status = run(&cli);
        cli_parse_free(&cli);
    }
    error = cli_flush();
    if (error != 0 && status == CLI_OK)
        status = cli_fail_file("standard output", "written", error);
    if (!cli_has_printed_all() && status == CLI_OK)
        status = cli_fail_memory();
    return status;
}
