#include "cli/command/rest_command.h"

#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/system/subprocess.h"

int cli_run_rest(struct cli *cli, const char *pipe)
{
    int status = CLI_OK;
    int error;

    uv_os_setenv("UMEM_PIPE", pipe);
    cli_flush();
    cli->has_run = true;
    error = cli_run_command(cli->rest, &status);
    if (error == UV_ENOENT)
        return cli_fail(CLI_NOT_FOUND, "%s: there is no such command", cli->rest[0]);
    if (error != 0)
        return cli_fail(CLI_NOT_EXECUTABLE, "%s: the command cannot be run: %s", cli->rest[0],
                        uv_strerror(error));
    return status;
}
