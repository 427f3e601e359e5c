/*
 * Calls of the daemon's methods, by the client that the command line names.
 *
 * Owns: cli->result. Must not know: which methods there are, but block.info.
 */
#ifndef UMEM_CLI_METHOD_CALL_H
#define UMEM_CLI_METHOD_CALL_H

#include "cli/request/params.h"
#include "cli/table/verb.h"

struct cJSON;

/* Connects cli->client to the daemon. Returns an exit status; a failure has been reported. */
int cli_connect(struct cli *cli);

/* Calls the method; params NULL: without. *result (NULL: not wanted) is to be freed with cJSON_Delete(); its
 * text stays in cli->result until the next call. Returns an exit status; a failure has been reported. */
int cli_call(struct cli *cli, const char *method, struct cli_params *params, struct cJSON **result);

/* Frees cli->result. */
void cli_free_result(struct cli *cli);

/* The block's handle and size, by handle or name. As cli_call(). */
int cli_find_block(struct cli *cli, const char *text, umem_handle *block, uint64_t *size);

#endif
