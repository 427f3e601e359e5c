#include "cli/request/results.h"

#include <stdio.h>

#include <cJSON.h>

#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"

int cli_show_result(struct cli *cli, const char *method, struct cli_params *params, const char *member)
{
    cJSON *result = NULL;
    char number[CLI_NUMBER_SIZE];
    int status = cli_call(cli, method, params, &result);

    cli_ignore_broken_pipe();
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    else if (status == CLI_OK && member != NULL && *member != '\0')
        cli_print_line(cli_member(result, member, number));
    else if (status == CLI_OK && member != NULL)
        cli_print_members(result);
    cJSON_Delete(result);
    return status;
}

int cli_run_method(struct cli *cli)
{
    const struct cli_verb *verb = cli->verb;
    struct cli_params params;

    if (verb->params[0].key == NULL)
        return cli_show_result(cli, verb->method, NULL, verb->shown);
    cli_params_begin_verb(cli, &params);
    return cli_show_result(cli, verb->method, &params, verb->shown);
}
