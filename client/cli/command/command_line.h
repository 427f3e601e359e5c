/*
 * The command line, read by the table of verbs and options.
 *
 * Owns: the words' memory. Must not know: what verbs do.
 */
#ifndef UMEM_CLI_COMMAND_LINE_H
#define UMEM_CLI_COMMAND_LINE_H

#include "cli/table/verb.h"

/* Reads arguments[1] and so on, up to NULL, into *cli, which has the session where there is one, and nothing else. CLI_OK with
 * cli->verb NULL: --help alone. Returns an exit status; a failure has been reported. */
int cli_parse(struct cli *cli, char **arguments);

/* Frees the words. */
void cli_parse_free(struct cli *cli);

#endif
