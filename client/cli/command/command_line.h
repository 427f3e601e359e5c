/*
 * The command line, read by the table of verbs and options.
 *
 * Owns: the words' memory. Must not know: what verbs do.
 */
#ifndef UMEM_CLI_ARGS_H
#define UMEM_CLI_ARGS_H

#include "cli/table/verb.h"

/* Reads arguments[1] and so on into *cli. CLI_OK with cli->verb NULL: --help alone. Returns an exit status; a
 * failure has been told. */
int cli_parse(struct cli *cli, int count, char **arguments);

/* Frees the words. */
void cli_parse_free(struct cli *cli);

/* How many words a verb takes at least and at most (-1: any number), by its synopsis. */
void cli_count_words(const struct cli_verb *verb, int *minimum, int *maximum);

/* Takes the next token of a synopsis, without brackets and dots, to `token` (room bytes). Returns false at
 * its end, or at "--". */
bool cli_next_token(const char **synopsis, char *token, size_t room, bool *is_optional, bool *is_repeated);

#endif
