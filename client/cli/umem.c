/* umem: the command for people and scripts. */
#include <string.h>

#include "cli/command/command_line.h"
#include "cli/command/command_run.h"
#include "cli/command/completion.h"
#include "cli/output/fail.h"
#include "cli/output/help.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/system/file_io.h"
#include "cli/table/verb.h"
#include "program/program.h"
#include "umem_version.h"

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
        status = cli_parse(&cli, arguments);
        if (status == CLI_OK && cli.option[CLI_HELP] != NULL)
            cli_print_help(cli.verb);
        else if (status == CLI_OK)
            status = cli_run(&cli);
        cli_parse_free(&cli);
    }
    error = cli_flush();
    if (error != 0 && status == CLI_OK)
        status = cli_fail_file("standard output", "written", error);
    if (!cli_has_printed_all() && status == CLI_OK)
        status = cli_fail_memory();
    return status;
}
