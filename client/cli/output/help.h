/*
 * Help, as it is derived from the table of verbs.
 *
 * Owns: how help looks on a terminal. Must not know: what verbs do.
 */
#ifndef UMEM_CLI_HELP_H
#define UMEM_CLI_HELP_H

#include "cli/table/verb.h"

enum { CLI_SYNOPSIS_SIZE = 512 };

/* Writes a verb's synopsis with its own options: "umem read BLOCK [--offset SIZE] ...". */
void cli_synopsis(const struct cli_verb *verb, char synopsis[CLI_SYNOPSIS_SIZE]);

/* Prints the help of a verb, or of umem as a whole where it is NULL. */
void cli_print_help(const struct cli_verb *verb);

/* Prints text in lines of at most 80 columns that all begin with `indent` spaces; the first one does not,
 * where `column` tells that so many are written already. Empty lines stay. */
void cli_print_wrapped(const char *text, int indent, int column);

#endif
