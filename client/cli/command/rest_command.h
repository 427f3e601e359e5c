/*
 * The command behind "--" on a command line, for verbs that run it.
 *
 * Owns: how its end becomes umem's. Must not know: what the verb does meanwhile.
 */
#ifndef UMEM_CLI_REST_COMMAND_H
#define UMEM_CLI_REST_COMMAND_H

#include "cli/table/verb.h"

/* Runs it with this pipe in UMEM_PIPE. Returns its exit status, or one of umem's: then the failure has been reported. */
int cli_run_rest(struct cli *cli, const char *pipe);

#endif
