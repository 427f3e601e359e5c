#include "cli/request/method_call.h"

#include <stdlib.h>

#include <cJSON.h>

#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/request/params.h"
#include "wire/json_write.h"

int cli_connect(struct cli *cli)
{
    int code;

    /* A session is one connection. */
    if (cli->session != NULL && umem_is_connected(cli->client))
        return CLI_OK;
    code = umem_connect(cli->client);
    return code == UMEM_OK ? CLI_OK : cli_fail_connecting(cli, code, umem_last_error(cli->client)->message);
}

void cli_free_result(struct cli *cli)
{
    umem_free_text(cli->result);
    cli->result = NULL;
}

int cli_call(struct cli *cli, const char *method, struct cli_params *params, struct cJSON **result)
{
    int code = UMEM_OK;

    if (params != NULL) {
        um_json_end_object(&params->json);
        um_buf_append_byte(&params->json, '\0');
        if (params->is_wrong || params->json.failed) {
            int status = params->is_wrong ? CLI_USAGE : cli_fail_memory();

            cli_params_drop(params);
            return status;
        }
    }
    cli_free_result(cli);
    code = umem_call(cli->client, method, params != NULL ? params->json.data : NULL, &cli->result);
    if (params != NULL)
        cli_params_drop(params);
    if (code != UMEM_OK)
        return cli_fail_call(cli);
    if (result != NULL) {
        *result = cJSON_Parse(cli->result);
        if (*result == NULL)
            return cli_fail_memory();
    }
    return CLI_OK;
}

int cli_find_block(struct cli *cli, const char *text, umem_handle *block, uint64_t *size)
{
    struct cli_params params;
    cJSON *result = NULL;
    char number[CLI_NUMBER_SIZE];
    int status;

    cli_params_begin(&params);
    cli_put_handle(&params, "block", text);
    status = cli_call(cli, "block.info", &params, &result);
    if (status == CLI_OK) {
        *block = strtoull(cli_member(result, "block", number), NULL, 10);
        *size = strtoull(cli_member(result, "size", number), NULL, 10);
    }
    cJSON_Delete(result);
    return status;
}
